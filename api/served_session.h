// What one client of a served database has: each of its calls is one of the C API, made here on handles of its own, so that results and errors are
// those that it would have at home.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <vector>

#include "api/feed_handle.h"
#include "api/handles.h"
#include "remote/host.h"

namespace braid {

/// What a call was given. What is absent or of another type reads as 0 and NULL.
class CallArguments {
 public:
  explicit CallArguments(const Message& call) : call_(call) {}
  uint64_t handle() const { return call_.handle; }
  size_t count() const { return call_.values.size(); }
  Value value(size_t i) const { return i < call_.values.size() ? call_.values[i] : Value(); }
  int64_t number(size_t i) const { return value(i).integer; }
  int32_t number32(size_t i) const { return static_cast<int32_t>(number(i)); }
  size_t size(size_t i) const { return static_cast<size_t>(number(i)); }
  double real(size_t i) const { return value(i).real; }
  /// Followed by a NUL; or NULL.
  const char* text(size_t i) const { return value(i).type == Value::Type::kText ? value(i).bytes.data() : nullptr; }
  /// Does the call have `count` values from `start` on? What a client claims is believed only then.
  bool holds(size_t start, size_t count) const { return start <= call_.values.size() && count <= call_.values.size() - start; }
  /// `count` texts or NULLs from value `start` on, as the C API takes them.
  std::vector<const char*> texts(size_t start, size_t count) const;

 private:
  const Message& call_;
};

/// What a call answers. Texts are copied.
class Reply {
 public:
  Reply(Message& answer, std::pmr::memory_resource& memory) : answer_(answer), memory_(memory) {}
  void add(int64_t value) { answer_.values.push_back(Value::number(value)); }
  void add_real(double value) { answer_.values.push_back(Value::real_number(value)); }
  void add_null() { answer_.values.emplace_back(); }
  void add_text(std::string_view text) { answer_.values.push_back(Value::text(copy(text))); }
  void add_text_or_null(const char* text) { text == nullptr ? add_null() : add_text(text); }
  void add_blob(std::string_view bytes) { answer_.values.push_back(Value::blob(copy(bytes))); }
  template <typename T>
  void add_array(const T* values, size_t count) {
    add_blob(Value::array(values, count).bytes);
  }
  void set(size_t i, int64_t value) { answer_.values[i] = Value::number(value); }
  size_t count() const { return answer_.values.size(); }
  size_t bytes() const { return bytes_; }
  /// An error that the connection's handle does not tell.
  int32_t fail(int32_t code, std::string message) {
    answer_.error = std::move(message);
    return code;
  }
  /// The call does not hold what it claims to.
  int32_t refuse_broken() { return fail(BRAID_MISUSE, "the call of the other process is broken"); }

 private:
  std::string_view copy(std::string_view bytes);

  Message& answer_;
  std::pmr::memory_resource& memory_;
  size_t bytes_ = 0;
};

/// Handles of a client by its numbers for them.
template <typename Handle>
class HandleTable {
 public:
  uint64_t add(Handle* handle) {
    handles_.emplace(++newest_, handle);
    return newest_;
  }
  Handle* find(uint64_t number) const {
    const auto at = handles_.find(number);
    return at == handles_.end() ? nullptr : at->second;
  }
  Handle* take(uint64_t number) {
    Handle* handle = find(number);
    handles_.erase(number);
    return handle;
  }
  const std::map<uint64_t, Handle*>& all() const { return handles_; }

 private:
  std::map<uint64_t, Handle*> handles_;
  uint64_t newest_ = 0;
};

/// The columns that a client knows a statement to have.
using KnownColumns = std::vector<std::string>;

class ServedSession final : public HostedSession {
 public:
  struct Facts {
    int64_t instance;  ///< of the host
    int64_t call_bytes_max;
  };
  ServedSession(std::shared_ptr<Database> database, Facts facts);
  ~ServedSession() override;
  ServedSession(const ServedSession&) = delete;
  ServedSession& operator=(const ServedSession&) = delete;

  void answer(const Message& call, const Tell& tell, Message& out) override;
  void forget_answer() override;
  Status outlived() override;
  void interrupt() override;

  // For the calls, which are in tables by subject.
  const Facts facts;
  braid_database database;
  braid_connection* connection() const { return connection_.load(); }
  int32_t connect();
  /// Tells the client how far a call is; false when it is to end.
  bool tell_progress(std::span<const Value> values);
  /// Is the client told of the part that is done of calls on the database?
  void tell_fractions(bool told);
  HandleTable<braid_statement> statements;
  std::map<uint64_t, KnownColumns> known_columns;
  /// The statement whose rows the last call asked for, if it did, and how many it got.
  struct Reading {
    uint64_t handle = 0;
    int64_t rows = 0;
  } reading;
  HandleTable<braid_projection> projections;
  HandleTable<braid_appender> appenders;
  HandleTable<braid_batch> batches;
  // Those that wait are ended by an interrupt, on another thread.
  uint64_t add_feed(braid_feed* feed);
  braid_feed* find_feed(uint64_t number);

 private:
  void close_feed(uint64_t number);
  void close_feeds();
  std::atomic<braid_connection*> connection_{nullptr};
  Mutex feeds_mutex_;  // a leaf but for the feeds' own
  HandleTable<braid_feed> feeds_ BRAID_GUARDED_BY(feeds_mutex_);
  CallSettings settings_;                 // of the calls on the database and on batches
  std::atomic<bool> interrupted_{false};  // the call that runs
  const Tell* tell_ = nullptr;            // while a call runs
  // When it was told last: of the part that is done, and of bytes.
  std::chrono::steady_clock::time_point told_fraction_, told_bytes_;
  class AnswerMemory;
  std::unique_ptr<AnswerMemory> answer_memory_;                  // of the last answer
  std::unique_ptr<std::pmr::monotonic_buffer_resource> memory_;  // its texts, in that
};

/// One kind of call: the code, and what it adds to the reply.
struct ServedCall {
  Operation operation;
  int32_t (*run)(ServedSession& session, const CallArguments& given, Reply& reply);
};
std::span<const ServedCall> served_database_calls();
std::span<const ServedCall> served_statement_calls();
std::span<const ServedCall> served_graph_calls();
std::span<const ServedCall> served_points_calls();
std::span<const ServedCall> served_feed_calls();

/// What describes a new statement to the client: its number, `tail`, whether it writes, parameters and columns.
int32_t add_statement(ServedSession& session, int32_t code, braid_statement* statement, int64_t tail, Reply& reply);

/// Serves a database that was opened, if its options say so. When no socket can be made it goes on without one; `served` of braid_stats tells.
void serve(braid_database& handle);

}  // namespace braid
