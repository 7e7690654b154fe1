#include "api/served_session.h"

#include <array>
#include <cstring>
#include <new>

#include "api/c_guard.h"
#include "engine/caught.h"

namespace braid {

namespace {

constexpr std::chrono::milliseconds kTellInterval(50);

using CallTable = std::array<decltype(ServedCall::run), kOperationCount>;

CallTable make_table() {
  CallTable table{};
  for (const auto calls : {served_database_calls(), served_statement_calls(), served_graph_calls(), served_points_calls(), served_feed_calls()})
    for (const ServedCall& call : calls) table[static_cast<size_t>(call.operation)] = call.run;
  return table;
}

}  // namespace

std::vector<const char*> CallArguments::texts(size_t start, size_t count) const {
  std::vector<const char*> out;
  for (size_t i = 0; i < count && start + i < call_.values.size(); ++i) out.push_back(text(start + i));
  return out;
}

std::string_view Reply::copy(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes.empty()) return "";
  auto* const to = static_cast<char*>(memory_.allocate(bytes.size(), 1));
  std::memcpy(to, bytes.data(), bytes.size());
  return {to, bytes.size()};
}

/// What an answer's texts take, which the database's memory bound counts. Until it is sent each is held here, twice in the message, and in what is sent.
class ServedSession::AnswerMemory final : public std::pmr::memory_resource {
 public:
  explicit AnswerMemory(MemoryShare share) : share_(std::move(share)) {}
  /// Why an allocation failed, if the bound was it.
  const Status& refusal() const { return refusal_; }

 private:
  void* do_allocate(size_t bytes, size_t alignment) override {
    constexpr uint64_t kCopies = 4;
    refusal_ = share_.grow_to(kCopies * (bytes_ + bytes)).within("an answer to another process");
    if (!refusal_.ok()) throw std::bad_alloc();
    bytes_ += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, size_t bytes, size_t alignment) override { std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  MemoryShare share_;
  uint64_t bytes_ = 0;
  Status refusal_;
};

ServedSession::ServedSession(std::shared_ptr<Database> served, Facts given) : facts(given), database{std::move(served)} {
  database.client_settings = &settings_;
  tell_fractions(false);
}

void ServedSession::tell_fractions(bool told) {
  settings_.set([&](CallWishes& wishes) {
    wishes.progress = [this, told](double fraction) {
      const Value value = Value::real_number(fraction);
      return told ? tell_progress({&value, 1}) : !interrupted_.load();
    };
  });
}

ServedSession::~ServedSession() {
  braid_connection* const held = connection_.load();
  // A writing statement whose rows were not all read would commit when it is closed, but nobody waits for that any more: what is interrupted when a
  // step begins rolls its transaction back.
  for (const auto& [number, statement] : statements.all()) {
    if (braid_statement_writes(statement) == 0 || statement->statement == nullptr || !statement->statement->running()) continue;
    braid_interrupt(held);
    braid_statement_step(statement);
  }
  if (braid_in_transaction(held) != 0) braid_rollback(held);
  for (const auto& [number, appender] : appenders.all()) {
    braid_appender_discard(appender);
    braid_appender_close(appender);
  }
  for (const auto& [number, batch] : batches.all()) braid_batch_close(batch);
  close_feeds();
  for (const auto& [number, projection] : projections.all()) braid_projection_close(projection);
  for (const auto& [number, statement] : statements.all()) braid_statement_close(statement);
  braid_disconnect(held);
}

int32_t ServedSession::connect() {
  if (connection() != nullptr) return BRAID_OK;
  braid_connection* made = nullptr;
  const int32_t code = braid_connect(&database, &made);
  connection_.store(made);
  return code;
}

void ServedSession::forget_answer() {
  memory_ = nullptr;
  answer_memory_ = nullptr;
}

Status ServedSession::outlived() {
  const braid_connection* const held = connection();
  if (held == nullptr || held->state->connection == nullptr) return {};
  return held->state->connection->outlived();
}

void ServedSession::interrupt() {
  interrupted_.store(true);
  braid_interrupt(connection_.load());
  const MutexLock lock(feeds_mutex_);
  for (const auto& [number, feed] : feeds_.all()) braid_feed_cancel(feed);
}

bool ServedSession::tell_progress(std::span<const Value> values) {
  if (interrupted_.load()) return false;
  const auto now = std::chrono::steady_clock::now();
  auto& told = values.size() == 1 ? told_fraction_ : told_bytes_;
  if (tell_ == nullptr || now - told < kTellInterval) return true;
  told = now;
  Message message;
  message.operation = Operation::kProgress;
  message.values.assign(values.begin(), values.end());
  return (*tell_)(message).ok();
}

void ServedSession::answer(const Message& call, const Tell& tell, Message& out) {
  static const CallTable table = make_table();
  interrupted_.store(false);
  if (call.operation != Operation::kRows) reading = {};
  forget_answer();
  answer_memory_ = std::make_unique<AnswerMemory>(MemoryShare(database.database->engine().memory(), MemoryUse::kAnswers));
  memory_ = std::make_unique<std::pmr::monotonic_buffer_resource>(answer_memory_.get());
  Reply reply(out, *memory_);
  tell_ = &tell;
  const Status run = caught([&]() -> Status {
    const auto found = table[static_cast<size_t>(call.operation)];
    if (found == nullptr) return Status(StatusCode::kMisuse, "there is no such call");
    out.code = found(*this, CallArguments(call), reply);
    return {};
  });
  tell_ = nullptr;
  if (!run.ok()) {
    const Status& why = answer_memory_->refusal().ok() ? run : answer_memory_->refusal();
    out = {};
    out.code = static_cast<int32_t>(why.code());
    out.error = why.message();
    // The rows that were read are lost: it begins anew, as after any failed step.
    if (call.operation == Operation::kRows && statements.find(call.handle) != nullptr) braid_statement_reset(statements.find(call.handle));
  }
  braid_connection* const held = connection();
  if (out.code != BRAID_OK && out.error.empty()) {
    out.error = held == nullptr ? braid_database_error(&database) : braid_connection_error(held);
    out.error_offset = braid_connection_error_offset(held);
    // A call on a handle that is not there is told by nobody.
    if (out.error.empty()) out.error = braid_code_text(out.code);
  }
  out.in_transaction = braid_in_transaction(held) != 0;
}

}  // namespace braid
