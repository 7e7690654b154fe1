#include "remote/host.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <optional>
#include <system_error>
#include <vector>

#include "engine/caught.h"
#include "engine/env.h"
#include "engine/mutex.h"
#include "remote/channel.h"
#include "remote/frame_reader.h"

namespace braid {

namespace {

using Clock = std::chrono::steady_clock;

/// Who connects and says nothing is no client.
constexpr std::chrono::seconds kGreetingTimeMax(10);
/// An interrupt that came between a call's arrival and its start is repeated.
constexpr std::chrono::milliseconds kPressInterval(20);
constexpr std::chrono::milliseconds kCrowdedPause(100);
/// So often what an idle client has open is looked at, and one that takes no bytes.
constexpr std::chrono::seconds kIdleLook(1);
/// So long a host that stops waits for clients to take their last answers.
constexpr std::chrono::seconds kLastAnswerTimeMax(1);

Message failed(const Status& status) {
  Message answer;
  answer.code = static_cast<int32_t>(status.code());
  answer.error = status.message();
  return answer;
}

}  // namespace

struct Host::Client {
  Client(Descriptor accepted, size_t bytes_max, MemoryShare memory) : socket(std::move(accepted)), reader(bytes_max, std::move(memory)) {}

  const Descriptor socket;
  // Of the waiting thread alone:
  FrameReader reader;
  const Clock::time_point since = Clock::now();
  std::thread thread;

  Mutex mutex;  // a leaf
  std::condition_variable changed;
  std::unique_ptr<HostedSession> session BRAID_GUARDED_BY(mutex);  // null before the greeting and after the end
  std::optional<Result<std::vector<uint64_t>>> call BRAID_GUARDED_BY(mutex);
  bool busy BRAID_GUARDED_BY(mutex) = false;
  bool interrupting BRAID_GUARDED_BY(mutex) = false;
  bool closing BRAID_GUARDED_BY(mutex) = false;
  bool finished BRAID_GUARDED_BY(mutex) = false;

  /// Takes no further call; that which runs may still be answered.
  void end() {
    const MutexLock lock(mutex);
    if (closing) return;
    closing = true;
    ::shutdown(socket.number(), SHUT_RD);
    if (session == nullptr) finished = true;
    changed.notify_all();
  }
  void drop() {
    end();
    // Wakes a thread that waits for room to write.
    ::shutdown(socket.number(), SHUT_RDWR);
  }
  bool is_closing() {
    const MutexLock lock(mutex);
    return closing;
  }
  void interrupt() {
    const MutexLock lock(mutex);
    if (session != nullptr) session->interrupt();
    interrupting = busy;
  }
};

Result<std::unique_ptr<Host>> Host::start(const std::string& directory, Facts facts, std::function<std::unique_ptr<HostedSession>()> make_session) {
  BRAID_ASSIGN(auto listener, ListeningSocket::make(directory));
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.number() < 0) return errno_status(errno, directory, "make an eventfd");
  std::unique_ptr<Host> host(new Host(std::move(listener), std::move(wake), std::move(facts), std::move(make_session)));
  host->facts_.clients->store(0);
  try {
    host->thread_ = std::thread([raw = host.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    return Status(StatusCode::kLimit, fmt::format("{}: no thread for the socket: {}", directory, error.what()));
  }
  return host;
}

Host::Host(std::unique_ptr<ListeningSocket> listener, Descriptor wake, Facts facts, std::function<std::unique_ptr<HostedSession>()> make_session)
    : listener_(std::move(listener)), wake_(std::move(wake)), facts_(std::move(facts)), make_session_(std::move(make_session)) {}

Host::~Host() {
  stopping_.store(true);
  wake();
  if (thread_.joinable()) thread_.join();
  facts_.clients->store(-1);
}

void Host::wake() const {
  const uint64_t one = 1;
  // A full counter wakes as well.
  if (::write(wake_.number(), &one, sizeof one) < 0) return;
}

void Host::run() {
  for (;;) {
    // Memory may end here too: who waits is heard later.
    if (!caught([this] { return wait(); }).ok()) is_crowded_ = true;
    if (stopping_.load()) end_clients();
    press();
    remove_finished();
    if (stopping_.load() && clients_.empty()) return;
  }
}

std::chrono::milliseconds Host::patience() const {
  std::chrono::milliseconds least(-1);
  const auto at_most = [&least](std::chrono::milliseconds other) { least = least.count() < 0 ? other : std::min(least, other); };
  if (is_crowded_) at_most(kCrowdedPause);
  for (const auto& client : clients_) {
    const MutexLock lock(client->mutex);
    if (client->closing || client->interrupting) at_most(kPressInterval);
    if (client->session == nullptr && !client->closing) at_most(kGreetingTimeMax);
  }
  return least;
}

Status Host::wait() {
  std::vector<pollfd> asked = {{wake_.number(), POLLIN, 0}, {is_crowded_ ? -1 : listener_->number(), POLLIN, 0}};
  std::vector<Client*> readable;
  for (const auto& client : clients_) {
    if (client->is_closing()) continue;
    asked.push_back({client->socket.number(), POLLIN, 0});
    readable.push_back(client.get());
  }
  is_crowded_ = false;
  if (::poll(asked.data(), asked.size(), static_cast<int>(patience().count())) <= 0) return {};
  uint64_t count;
  if ((asked[0].revents & POLLIN) != 0 && ::read(wake_.number(), &count, sizeof count) < 0) return {};
  for (size_t i = 0; i < readable.size(); ++i)
    if (asked[i + 2].revents != 0 && !caught([&] { return read(*readable[i]); }).ok()) readable[i]->drop();
  if (asked[1].revents != 0 && !stopping_.load()) accept_clients();
  return {};
}

void Host::accept_clients() {
  auto accepted = listener_->accept();
  if (!accepted.ok()) {
    is_crowded_ = true;
    return;
  }
  if (accepted->number() < 0) return;
  if (clients_.size() >= facts_.clients_max) return refuse(*accepted);
  const timeval look = {kIdleLook.count(), 0};
  ::setsockopt(accepted->number(), SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look);
  clients_.push_back(std::make_unique<Client>(accepted.take(), facts_.call_bytes_max, MemoryShare(facts_.memory, MemoryUse::kBatches)));
  facts_.clients->store(static_cast<int64_t>(clients_.size()));
}

void Host::refuse(const Descriptor& socket) const {
  const Status refusal(StatusCode::kLimit,
                       fmt::format("{} other processes and their connections use the database, connections_max allows no more", clients_.size()));
  const auto frame = encode_message(failed(refusal), kMessageBytesMax);
  // There is room for as much in the buffer of a new connection.
  if (frame.ok()) send_frame(socket.number(), *frame).ignore();
}

Status Host::read(Client& client) {
  BRAID_ASSIGN(const FrameReader::Got got, client.reader.read(client.socket.number(), MSG_DONTWAIT));
  if (got == FrameReader::Got::kEnd) return Status(StatusCode::kIo, "socket: closed by the other process");
  if (got == FrameReader::Got::kMore) return {};
  if (client.reader.kind() == FrameKind::kMessage) return hand_over(client);
  client.reader.take().status().ignore();
  client.interrupt();
  return {};
}

Status Host::hand_over(Client& client) {
  auto words = client.reader.take();
  {
    const MutexLock lock(client.mutex);
    if (client.busy) return Status(StatusCode::kMisuse, "socket: a call came before the answer to the last");
    if (client.session == nullptr) client.session = make_session_();
    client.call.emplace(std::move(words));
    client.busy = true;
    client.changed.notify_all();
  }
  if (client.thread.joinable()) return {};
  const Status started = caught([&]() -> Status {
    client.thread = std::thread([this, &client] { work(client); });
    return {};
  });
  if (started.ok()) return {};
  refuse(client.socket);
  const MutexLock lock(client.mutex);
  client.session = nullptr;
  return started;
}

void Host::end_clients() {
  if (!ending_since_) ending_since_ = Clock::now();
  const bool waits = Clock::now() - *ending_since_ < kLastAnswerTimeMax;
  for (const auto& client : clients_) waits ? client->end() : client->drop();
}

/// Interrupts of calls that may have started after the first of them, and of clients that are gone.
void Host::press() {
  for (const auto& client : clients_) {
    bool silent;
    {
      const MutexLock lock(client->mutex);
      if (client->session != nullptr && (client->closing || client->interrupting)) client->session->interrupt();
      silent = client->session == nullptr && !client->closing;
    }
    if (silent && Clock::now() - client->since > kGreetingTimeMax) client->drop();
  }
}

void Host::remove_finished() {
  const size_t before = clients_.size();
  clients_.remove_if([](const std::unique_ptr<Client>& client) {
    {
      const MutexLock lock(client->mutex);
      if (!client->finished) return false;
    }
    if (client->thread.joinable()) client->thread.join();
    return true;
  });
  if (clients_.size() != before) facts_.clients->store(static_cast<int64_t>(clients_.size()));
}

/// The next call of a client; nothing when it is closing, or has what it has open for too long, of which it is told.
std::optional<Host::Call> Host::next_call(Client& client, HostedSession& session) {
  for (;;) {
    {
      MutexLock lock(client.mutex);
      const auto until = Clock::now() + kIdleLook;
      while (!client.call.has_value() && !client.closing && Clock::now() < until) client.changed.wait_until(lock.native(), until);
      if (client.closing) return std::nullopt;
      if (client.call.has_value()) return std::exchange(client.call, std::nullopt);
    }
    const Status outlived = session.outlived();
    if (outlived.ok()) continue;
    const auto farewell = encode_message(failed(outlived), kMessageBytesMax);
    if (farewell.ok()) send_frame(client.socket.number(), *farewell, [&outlived] { return outlived; }).ignore();
    return std::nullopt;
  }
}

void Host::work(Client& client) {
  HostedSession* session;
  {
    const MutexLock lock(client.mutex);
    session = client.session.get();
  }
  const auto tell = [&client](const Message& message) -> Status {
    BRAID_ASSIGN(const std::string frame, encode_message(message, kMessageBytesMax));
    return send_frame(client.socket.number(), frame, [&client] { return client.is_closing() ? Status(StatusCode::kIo, "socket: closed") : Status(); });
  };
  const auto answer_next = [&]() -> Status {
    auto call = next_call(client, *session);
    if (!call.has_value()) return Status(StatusCode::kIo, "socket: closed");
    Result<Message> message = call->ok() ? decode_message(call->take()) : Result<Message>(call->status());
    Message answer;
    if (message.ok()) {
      session->answer(*message, tell, answer);
      // It was the host that interrupted it.
      if (answer.code == static_cast<int32_t>(StatusCode::kInterrupted) && client.is_closing()) {
        answer.code = static_cast<int32_t>(StatusCode::kIo);
        answer.error = "the process that serves the database closes it; the call was stopped";
      }
    } else {
      answer = failed(message.status());
    }
    auto frame = encode_message(answer, kMessageBytesMax);
    if (!frame.ok()) {
      frame = encode_message(failed(frame.status()), kMessageBytesMax);
    }
    {
      // The next call may come as soon as the answer is out.
      const MutexLock lock(client.mutex);
      client.busy = false;
      client.interrupting = false;
    }
    const Status sent = send_frame(client.socket.number(), *frame, [session] { return session->outlived(); });
    session->forget_answer();
    return sent;
  };
  while (caught(answer_next).ok()) {
  }
  end_session(client);
}

void Host::end_session(Client& client) {
  client.drop();
  std::unique_ptr<HostedSession> ended;
  {
    const MutexLock lock(client.mutex);
    ended = std::move(client.session);
  }
  ended = nullptr;
  {
    const MutexLock lock(client.mutex);
    client.finished = true;
  }
  wake();
}

}  // namespace braid
