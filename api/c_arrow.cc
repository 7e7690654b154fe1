// braid_statement_batch: rows as columns, through Arrow's C data interface.
#include "api/c_guard.h"

using namespace braid;

namespace {

/// Ends the run of a statement unless told to go on, also when an exception passes.
class Run {
 public:
  explicit Run(braid_statement& statement) : statement_(statement) {}
  ~Run() {
    if (goes_on_) return;
    statement_.batches.reset();
    statement_.statement->reset().ignore();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  void go_on() { goes_on_ = true; }

 private:
  braid_statement& statement_;
  bool goes_on_ = false;
};

Result<bool> fill(braid_statement& statement, size_t rows_max, ArrowSchema* schema, ArrowArray& array) {
  if (statement.remote != nullptr)
    return Status(StatusCode::kMisuse, "the database is open in another process, whose rows come one by one; step the statement");
  if (statement.statement == nullptr) return Status(StatusCode::kMisuse, "the connection of this statement is closed");
  if (statement.batches == nullptr && statement.statement->running())
    return Status(StatusCode::kMisuse, "the statement was stepped; reset it before reading batches");
  Run run(statement);
  if (statement.batches == nullptr) {
    BRAID_ASSIGN(statement.batches, StatementBatches::start(*statement.statement));
  }
  StatementBatches& batches = *statement.batches;
  BRAID_ASSIGN(const bool more, batches.next(rows_max));
  if (!more) return false;
  const size_t rows = batches.rows();
  ArrowSchema made = {};
  if (schema != nullptr) export_schema(batches.names(), batches.types(), made);
  try {
    export_array(batches.take(), rows, array);
  } catch (...) {
    if (schema != nullptr) made.release(&made);
    throw;
  }
  if (schema != nullptr) *schema = made;
  run.go_on();
  return true;
}

}  // namespace

extern "C" int32_t braid_statement_batch(braid_statement* statement, int64_t rows_max, ArrowSchema* schema, ArrowArray* array) {
  bool more = false;
  const int32_t code = guard(statement, [&]() -> Status {
    BRAID_NOT_NULL(array);
    if (rows_max < 1 || rows_max > BRAID_BATCH_ROWS_MAX)
      return Status(StatusCode::kInvalidArgument, "rows_max: expected 1 to " + std::to_string(BRAID_BATCH_ROWS_MAX));
    BRAID_ASSIGN(more, fill(*statement, static_cast<size_t>(rows_max), schema, *array));
    return {};
  });
  if (code != BRAID_OK) return code;
  return more ? BRAID_ROW : BRAID_DONE;
}
