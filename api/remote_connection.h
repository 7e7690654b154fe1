// A connection that another process keeps for this one: calls go through its socket and come back with the same codes and messages.
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/call_settings.h"
#include "engine/result.h"
#include "engine/sqlite_handle.h"
#include "remote/channel.h"
#include "remote/message.h"

namespace braid {

class RemoteDatabase;

/// One thread at a time, but for `interrupt`.
class RemoteConnection {
 public:
  /// The host's answer is told by `database`.
  RemoteConnection(std::shared_ptr<RemoteDatabase> database, std::unique_ptr<Channel> channel);
  RemoteConnection(const RemoteConnection&) = delete;
  RemoteConnection& operator=(const RemoteConnection&) = delete;

  RemoteDatabase& database() const { return *database_; }

  /// Asks and waits. The status is that of the call at the host. When the host is gone: kUnknownOutcome if the call may have committed, else kIo; and
  /// kIo for every later call.
  Result<Message> call(Operation operation, std::vector<Value> values = {}, uint64_t handle = 0);
  /// As `call`; an answer with an error is given as well, for what comes before the error. The caller knows whether it may commit.
  Result<Message> call_for_part(Operation operation, std::vector<Value> values, uint64_t handle, bool may_commit);
  /// As `call`; the answer's numbers go to `numbers`, where they are not null.
  Status call_for_numbers(Operation operation, std::vector<Value> values, std::initializer_list<int64_t*> numbers = {}, uint64_t handle = 0);

  /// Any thread.
  void interrupt();
  /// Since the last `forget_interrupt`.
  bool interrupted() const { return interrupted_.load(); }
  void forget_interrupt() { interrupted_.store(false); }

  /// A token that stops calls; null for none. It is the caller's to interrupt this when it is set.
  void set_token(std::shared_ptr<CancelToken> token) { token_ = std::move(token); }
  bool cancelled() const { return token_ != nullptr && token_->is_set(); }
  /// Tells the host what is wished of the calls on the database that are made here, as far as it does not know it.
  Status wish(const CallWishes& wishes);

  /// Called on the thread of a call with the numbers that the host tells meanwhile; false interrupts it. Null: nobody asks.
  void set_progress(std::function<bool(const Message&)> progress) { progress_ = std::move(progress); }

  /// Of a value that is bound.
  int64_t value_bytes_max() const { return value_bytes_max_; }
  bool in_transaction() const { return in_transaction_; }
  /// Of the last error.
  int64_t error_offset() const { return error_offset_; }
  /// Where values are converted as SQLite does it.
  Result<sqlite3*> converter();
  /// What braid_type_name lent, by number.
  const char* lend_type_name(int32_t type);

 private:
  Status lost(bool may_have_committed, const Status& how);
  Result<Message> wait_for_answer();
  /// What the host has sent before it ended the connection, if anything.
  std::optional<Status> farewell();

  const std::shared_ptr<RemoteDatabase> database_;
  const std::unique_ptr<Channel> channel_;
  std::atomic<bool> interrupted_{false};
  std::shared_ptr<CancelToken> token_;  // shared with those that set it
  std::chrono::milliseconds time_limit_{0};  // that the host knows of calls on the database
  bool followed_ = false;                    // as well
  std::function<bool(const Message&)> progress_;
  int64_t value_bytes_max_;
  bool lost_ = false;
  bool in_transaction_ = false;
  int64_t error_offset_ = -1;
  SqliteHandle converter_;
  std::vector<std::unique_ptr<std::string>> type_names_;
};

/// The status that an answer tells.
Status status_of(const Message& answer);

}  // namespace braid
