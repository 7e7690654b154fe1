// Rows as columns, through Arrow's C data and C stream interfaces.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "api/c_guard.h"
#include "api/struct_argument.h"

using namespace braid;

namespace {

void reset_rows(braid_statement& statement) {
  if (statement.remote != nullptr) statement.remote->reset().ignore();
  if (statement.statement != nullptr) statement.statement->reset().ignore();
}

BatchedRows rows_of(braid_statement& statement) { return statement.remote != nullptr ? BatchedRows(*statement.remote) : BatchedRows(*statement.statement); }

/// Ends the run of a statement unless told to go on, also when an exception passes.
class Run {
 public:
  explicit Run(braid_statement& statement) : statement_(statement) {}
  ~Run() {
    if (goes_on_) return;
    statement_.batches.reset();
    reset_rows(statement_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  void go_on() { goes_on_ = true; }

 private:
  braid_statement& statement_;
  bool goes_on_ = false;
};

/// Pre: the statement is not read as batches. `run` is 0 but for a stream.
Status start_batches(braid_statement& statement, BatchOptions options, uint64_t run) {
  if (rows_of(statement).running()) return Status(StatusCode::kMisuse, "the statement was stepped; reset it before reading batches");
  Run started(statement);
  BRAID_ASSIGN(statement.batches, StatementBatches::start(rows_of(statement), std::move(options), run));
  started.go_on();
  return {};
}

/// The next rows of a run that was started; false when there are no more, and the run is over. `types` is told in any case.
Result<bool> next_batch(braid_statement& statement, size_t rows_max, ArrowSchema* schema, ArrowArray& array, std::vector<ArrowType>* types = nullptr) {
  Run run(statement);
  StatementBatches& batches = *statement.batches;
  BRAID_ASSIGN(const bool more, batches.next(rows_max));
  if (types != nullptr) *types = batches.types();
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

constexpr int64_t kStreamRows = 65536;
constexpr int64_t kStreamBytesMax = int64_t{1} << 30;

struct StreamOptions {
  size_t rows_max = kStreamRows;
  BatchOptions batches;
};

static_assert(BRAID_ARROW_INT64 == static_cast<int>(ArrowType::kInt64) + 1);
static_assert(BRAID_ARROW_DOUBLE == static_cast<int>(ArrowType::kDouble) + 1);
static_assert(BRAID_ARROW_UTF8 == static_cast<int>(ArrowType::kText) + 1);
static_assert(BRAID_ARROW_BINARY == static_cast<int>(ArrowType::kBinary) + 1);
static_assert(BRAID_ARROW_TIMESTAMP == static_cast<int>(ArrowType::kTimestamp) + 1);
static_assert(BRAID_ARROW_BOOL == static_cast<int>(ArrowType::kBool) + 1);
static_assert(BRAID_ARROW_NULL == static_cast<int>(ArrowType::kNull) + 1);

Result<StreamOptions> stream_options(const braid_arrow_options* options) {
  StreamOptions chosen;
  BRAID_ASSIGN(const braid_arrow_options given, struct_argument(options, "options"));
  if (given.rows_max < 0 || given.rows_max > BRAID_BATCH_ROWS_MAX)
    return Status(StatusCode::kInvalidArgument, fmt::format("rows_max {}: expected 0 to {}", given.rows_max, BRAID_BATCH_ROWS_MAX));
  if (given.bytes_max < 0 || given.bytes_max > kStreamBytesMax)
    return Status(StatusCode::kInvalidArgument, fmt::format("bytes_max {}: expected 0 to {}", given.bytes_max, kStreamBytesMax));
  if (given.types == nullptr && given.type_count > 0) return null_argument("types");
  if (given.rows_max > 0) chosen.rows_max = static_cast<size_t>(given.rows_max);
  if (given.bytes_max > 0) chosen.batches.bytes_max = static_cast<size_t>(given.bytes_max);
  for (size_t i = 0; i < given.type_count; ++i) {
    const int32_t type = given.types[i];
    if (type < BRAID_ARROW_AUTO || type > BRAID_ARROW_NULL)
      return Status(StatusCode::kInvalidArgument, fmt::format("types: {} is none of BRAID_ARROW_*", type));
    chosen.batches.types.push_back(type == BRAID_ARROW_AUTO ? std::nullopt : std::optional(static_cast<ArrowType>(type - 1)));
  }
  return chosen;
}

/// The consumers of streams know the numbers of errno only.
int errno_of(StatusCode code) {
  constexpr std::pair<StatusCode, int> kNumbers[] = {
      {StatusCode::kOk, 0},          {StatusCode::kInterrupted, ECANCELED}, {StatusCode::kOutOfMemory, ENOMEM}, {StatusCode::kIo, EIO},
      {StatusCode::kFull, ENOSPC},   {StatusCode::kBusy, EBUSY},            {StatusCode::kLimit, EOVERFLOW},    {StatusCode::kDenied, EACCES},
      {StatusCode::kCorrupt, EIO},   {StatusCode::kReadOnly, EROFS},        {StatusCode::kNotFound, ENOENT},    {StatusCode::kInternal, EIO}};
  const auto* row = std::find_if(std::begin(kNumbers), std::end(kNumbers), [code](const auto& known) { return known.first == code; });
  return row == std::end(kNumbers) ? EINVAL : row->second;
}

/// What an exported stream keeps. The statement is asked for among those that the connection has, and may have been reset and started anew.
struct ExportedStream {
  std::shared_ptr<ConnectionState> state;
  braid_statement* statement;
  uint64_t run;
  size_t rows_max;
  std::vector<std::string> names;
  std::vector<ArrowType> types;
  ArrowArray first = {};  // read before the stream is handed out, since it decides the types
  bool ended = false;
  int code = 0;           // of the error that ended it
  std::string error;

  ~ExportedStream() {
    if (first.release != nullptr) first.release(&first);
    if (!is_current()) return;
    statement->batches = nullptr;
    reset_rows(*statement);
  }
  bool is_current() const { return state->statements.contains(statement) && statement->batches != nullptr && statement->batches->run() == run; }

  Status next(ArrowArray& array) {
    if (ended) return {};
    if (!is_current()) return Status(StatusCode::kMisuse, "the statement of this stream was reset or closed, or its connection was");
    if (first.release != nullptr) {
      array = std::exchange(first, {});
      return {};
    }
    BRAID_TRY(check_open(*statement));
    BRAID_ASSIGN(const bool more, next_batch(*statement, rows_max, nullptr, array));
    ended = !more;
    return {};
  }

  int fail(const Status& status) {
    code = errno_of(status.code());
    error = status.message();
    state->error = error;
    state->error_offset = -1;
    return code;
  }
};

ExportedStream& exported(ArrowArrayStream* stream) { return *static_cast<ExportedStream*>(stream->private_data); }

/// Runs a callback of the stream, which lets no exception out.
template <typename Body>
int answer(ArrowArrayStream* stream, Body body) noexcept {
  if (forked()) return EINVAL;
  ExportedStream& self = exported(stream);
  if (self.code != 0) return self.code;
  try {
    const ConnectionCall call(*self.state);
    const Status status = body(self);
    return status.ok() ? 0 : self.fail(status);
  } catch (...) {
    return self.code = ENOMEM;
  }
}

int stream_schema(ArrowArrayStream* stream, ArrowSchema* schema) {
  return answer(stream, [&](ExportedStream& self) -> Status {
    export_schema(self.names, self.types, *schema);
    return {};
  });
}

int stream_next(ArrowArrayStream* stream, ArrowArray* array) {
  array->release = nullptr;
  return answer(stream, [&](ExportedStream& self) { return self.next(*array); });
}

const char* stream_error(ArrowArrayStream* stream) {
  if (forked()) return kForkedText;
  const ExportedStream& self = exported(stream);
  if (self.code == 0) return nullptr;
  return self.error.empty() ? kOutOfMemoryText : self.error.c_str();
}

void stream_release(ArrowArrayStream* stream) {
  // In a forked child nothing may be touched.
  if (!forked()) const std::unique_ptr<ExportedStream> gone(&exported(stream));
  stream->release = nullptr;
}

Status export_stream(braid_statement& statement, StreamOptions options, ArrowArrayStream& stream) {
  BRAID_TRY(check_open(statement));
  if (statement.batches != nullptr) return Status(StatusCode::kMisuse, "the statement's rows are read as batches already; reset it first");
  const uint64_t number = ++statement.state->runs;
  BRAID_TRY(start_batches(statement, std::move(options.batches), number));
  Run run(statement);
  std::unique_ptr<ExportedStream> made(new ExportedStream{statement.state, &statement, number, options.rows_max, statement.batches->names(), {}});
  BRAID_ASSIGN(const bool more, next_batch(statement, options.rows_max, nullptr, made->first, &made->types));
  made->ended = !more;
  run.go_on();
  stream = {stream_schema, stream_next, stream_error, stream_release, made.release()};
  return {};
}

}  // namespace

extern "C" {

int32_t braid_statement_batch(braid_statement* statement, int64_t rows_max, ArrowSchema* schema, ArrowArray* array) {
  bool more = false;
  const int32_t code = guard(statement, [&]() -> Status {
    BRAID_NOT_NULL(array);
    if (rows_max < 1 || rows_max > BRAID_BATCH_ROWS_MAX)
      return Status(StatusCode::kInvalidArgument, "rows_max: expected 1 to " + std::to_string(BRAID_BATCH_ROWS_MAX));
    BRAID_TRY(check_open(*statement));
    if (statement->batches == nullptr) BRAID_TRY(start_batches(*statement, {}, 0));
    if (statement->batches->run() != 0) return Status(StatusCode::kMisuse, "the statement's rows are read by an Arrow stream; reset it first");
    BRAID_ASSIGN(more, next_batch(*statement, static_cast<size_t>(rows_max), schema, *array));
    return {};
  });
  if (code != BRAID_OK) return code;
  return more ? BRAID_ROW : BRAID_DONE;
}

int32_t braid_statement_arrow(braid_statement* statement, const braid_arrow_options* options, ArrowArrayStream* stream) {
  if (stream != nullptr) stream->release = nullptr;
  return guard(statement, [&]() -> Status {
    BRAID_NOT_NULL(stream);
    BRAID_ASSIGN(StreamOptions chosen, stream_options(options));
    return export_stream(*statement, std::move(chosen), *stream);
  });
}

}  // extern "C"
