// The process that has a database open serves it to others: one thread waits for them, and each has a thread of its own for its calls.
//
// The waiting thread reads whole frames of all clients. A message is handed to the client's thread, which answers it; a client sends its next call
// only once it has the answer, and who does not is dropped. An interrupt, and the end of a client, are noticed while its call runs and reach that at
// once.
//
//   greeting --first message--> idle --message: hand_over--> busy --answered: work--> idle
//      |                         |                            |
//      +-- drop: the client is gone or broken; end: the host stops --------> closing --end_session--> finished (removed by the waiting thread)
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/local_socket.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "remote/message.h"

namespace braid {

/// What one client has: its connection, statements and the like.
class HostedSession {
 public:
  /// Sends what is told before the answer; fails when the client is gone.
  using Tell = std::function<Status(const Message&)>;

  /// Undoes what was not committed, on the client's thread.
  virtual ~HostedSession() = default;
  /// Fills in the answer, whose values borrow from the session until the next one; on the client's thread.
  virtual void answer(const Message& call, const Tell& tell, Message& out) = 0;
  /// The values of the last answer are not needed any more; on the client's thread.
  virtual void forget_answer() = 0;
  /// Why what the client has open may not stay open any longer: asked between calls, on the client's thread. The session ends then.
  virtual Status outlived() = 0;
  /// Makes the call that runs end soon. Any thread; it may come more than once.
  virtual void interrupt() = 0;
};

class Host {
 public:
  struct Facts {
    size_t clients_max;
    size_t call_bytes_max;  ///< of one message of a client
    std::shared_ptr<MemoryBudget> memory;
    std::atomic<int64_t>* clients;  ///< how many there are; outlives the host
  };
  /// kIo, kDenied and the like: nobody can be served, and why.
  static Result<std::unique_ptr<Host>> start(const std::string& directory, Facts facts, std::function<std::unique_ptr<HostedSession>()> make_session);
  /// Stops: calls that run are interrupted and answered, sessions end, the socket is removed. A client that does not take its answer is waited for a second.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

 private:
  struct Client;
  using Call = Result<std::vector<uint64_t>>;
  using Clients = std::list<std::unique_ptr<Client>>;

  Host(std::unique_ptr<ListeningSocket> listener, Descriptor wake, Facts facts, std::function<std::unique_ptr<HostedSession>()> make_session);
  void wake() const;
  // On the waiting thread:
  void run();
  Status wait();
  void accept_clients();
  void refuse(const Descriptor& socket) const;
  Status read(Client& client);
  Status hand_over(Client& client);
  void end_clients();
  void press();
  void remove_finished();
  std::chrono::milliseconds patience() const;
  // On a client's thread:
  std::optional<Call> next_call(Client& client, HostedSession& session);
  void work(Client& client);
  void end_session(Client& client);

  const std::unique_ptr<ListeningSocket> listener_;
  const Descriptor wake_;
  const Facts facts_;
  const std::function<std::unique_ptr<HostedSession>()> make_session_;
  std::atomic<bool> stopping_{false};
  // Of the waiting thread alone:
  Clients clients_;
  bool is_crowded_ = false;  // no descriptors were left for the one who comes
  std::optional<std::chrono::steady_clock::time_point> ending_since_;
  std::thread thread_;
};

}  // namespace braid
