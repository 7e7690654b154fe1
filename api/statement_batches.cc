#include "api/statement_batches.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/rollup_recognition.h"
#include "sql/series_selection.h"
#include "sql/time_text.h"
#include "sql/virtual_table.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

/// A batch ends when one of its columns has so many bytes of text, so that offsets of 32 bits suffice and memory is bounded.
constexpr size_t kTextBytes = size_t{64} << 20;

/// A guess from the declared type; the first values may tell otherwise.
ArrowType declared_type(const char* declared) {
  const std::string_view text = declared == nullptr ? "" : declared;
  if (text == "TIMESTAMP TEXT") return ArrowType::kTimestamp;
  if (text == "DOUBLE" || text == "REAL") return ArrowType::kDouble;
  if (text == "BIGINT" || text == "INTEGER" || text == "BOOLEAN") return ArrowType::kInt64;
  return text == "BLOB" ? ArrowType::kBinary : ArrowType::kText;
}

ArrowType type_of_value(int sqlite_type) {
  switch (sqlite_type) {
    case SQLITE_INTEGER: return ArrowType::kInt64;
    case SQLITE_FLOAT: return ArrowType::kDouble;
    case SQLITE_BLOB: return ArrowType::kBinary;
    default: return ArrowType::kText;
  }
}

/// The type that holds values of both.
ArrowType common_type(ArrowType a, ArrowType b) {
  const auto number = [](ArrowType type) { return type == ArrowType::kInt64 || type == ArrowType::kDouble; };
  if (a == b) return a;
  return number(a) && number(b) ? ArrowType::kDouble : ArrowType::kText;
}

struct Requesting {
  Requesting(Connection& made_on, ScanRequest& request) : connection(made_on) { connection.set_scan_request(&request); }
  ~Requesting() { connection.set_scan_request(nullptr); }
  Requesting(const Requesting&) = delete;
  Requesting& operator=(const Requesting&) = delete;
  Connection& connection;
};

}  // namespace

Result<std::unique_ptr<StatementBatches>> StatementBatches::start(Statement& statement) {
  std::unique_ptr<StatementBatches> batches(new StatementBatches(statement));
  BRAID_TRY(batches->begin());
  return batches;
}

void StatementBatches::name_columns() {
  sqlite3_stmt* raw = statement_.get();
  for (int i = 0; i < sqlite3_column_count(raw); ++i) {
    const char* name = sqlite3_column_name(raw, i);
    names_.emplace_back(name == nullptr ? "" : name);
    columns_.emplace_back(declared_type(sqlite3_column_decltype(raw, i)));
    decided_.push_back(columns_.back().type() == ArrowType::kTimestamp);
  }
}

/// Steps once. A recognised statement has given its scan away then, and is done.
Status StatementBatches::begin() {
  std::optional<RecognizedScan> recognized;
  Connection& connection = statement_.connection();
  if (connection.series_fast_path()) {
    connection.look_at_schema([&](const SchemaLookup& schema) {
      if (schema.names_hypertable(statement_.sql())) recognized = recognize_scan(statement_.sql(), schema);
    });
  }
  ScanRequest request;
  {
    const Requesting requesting(connection, request);
    if (recognized) {
      request.table = recognized->table.name;
      request.constraints = recognized->constraints;
    } else {
      request.constraints = SIZE_MAX;
    }
    BRAID_ASSIGN(has_row_, statement_.step());
  }
  // The first step may have prepared it again.
  name_columns();
  if (!request.scan) return {};
  table_ = recognized->table;
  rows_left_ = recognized->limit;
  scan_.emplace(std::move(*request.scan));
  const size_t first_field = 1 + table_.tags.size();
  for (size_t i = 0; i < recognized->columns.size(); ++i) {
    const size_t column = recognized->columns[i];
    if (column == 0) {
      sources_.push_back({ScannedColumn::Kind::kTime, 0});
    } else if (column < first_field) {
      sources_.push_back({ScannedColumn::Kind::kTag, column - 1});
    } else {
      sources_.push_back({ScannedColumn::Kind::kField, column - first_field});
    }
  }
  if (sources_.size() != columns_.size()) return Status(StatusCode::kInternal, "a recognised statement has other columns than it was recognised with");
  return {};
}

std::vector<ArrowType> StatementBatches::types() const {
  std::vector<ArrowType> types;
  for (const ArrowColumn& column : columns_) types.push_back(column.type());
  return types;
}

std::vector<ArrowColumn> StatementBatches::take() {
  std::vector<ArrowColumn> taken;
  for (ArrowColumn& column : columns_) {
    ArrowColumn next(column.type());
    std::swap(next, column);
    taken.push_back(std::move(next));
  }
  first_batch_ = false;
  return taken;
}

bool StatementBatches::is_full() const {
  return std::any_of(columns_.begin(), columns_.end(), [](const ArrowColumn& column) { return column.text_bytes() >= kTextBytes; });
}

Result<bool> StatementBatches::next(size_t rows_max) {
  rows_ = 0;
  return scan_ ? next_scanned(rows_max) : next_stepped(rows_max);
}

// ---- Rows that SQLite makes --------------------------------------------------------------------------------------------------

Result<bool> StatementBatches::next_stepped(size_t rows_max) {
  while (has_row_ && rows_ < rows_max && !is_full()) {
    BRAID_TRY(add_row());
    ++rows_;
    BRAID_ASSIGN(has_row_, statement_.step());
  }
  return rows_ > 0;
}

Status StatementBatches::add_row() {
  for (size_t column = 0; column < columns_.size(); ++column) BRAID_TRY(add_value(column));
  return {};
}

Status StatementBatches::cannot_hold(size_t column) const {
  return Status(StatusCode::kConstraint,
                fmt::format("column '{}': a value is not of the type that the first rows gave the column; CAST gives it one type", names_[column]));
}

Status StatementBatches::add_value(size_t index) {
  sqlite3_stmt* raw = statement_.get();
  const int number = static_cast<int>(index);
  ArrowColumn& column = columns_[index];
  const int type = sqlite3_column_type(raw, number);
  if (type == SQLITE_NULL) {
    column.push_null();
    return {};
  }
  const auto text = [&] {
    // Safety: SQLite lends bytes until the next step, and they are copied here.
    const auto* bytes = static_cast<const char*>(type == SQLITE_BLOB ? sqlite3_column_blob(raw, number) : reinterpret_cast<const void*>(sqlite3_column_text(raw, number)));
    return std::string_view(bytes == nullptr ? "" : bytes, static_cast<size_t>(sqlite3_column_bytes(raw, number)));
  };
  if (column.type() == ArrowType::kTimestamp) {
    const auto time = parse_time(text());
    if (!time) return cannot_hold(index);
    column.push(time->value());
    return {};
  }
  const ArrowType given = type_of_value(type);
  const ArrowType wanted = decided_[index] || given == column.type() ? common_type(column.type(), given) : column.type() == ArrowType::kDouble && given == ArrowType::kInt64 ? ArrowType::kDouble : given;
  if (wanted != column.type()) {
    if (!first_batch_) return cannot_hold(index);
    column.widen(wanted);
  }
  decided_[index] = true;
  switch (column.type()) {
    case ArrowType::kInt64:
    case ArrowType::kTimestamp: column.push(static_cast<int64_t>(sqlite3_column_int64(raw, number))); break;
    case ArrowType::kDouble: column.push(sqlite3_column_double(raw, number)); break;
    case ArrowType::kText:
    case ArrowType::kBinary: column.push(text()); break;
  }
  return {};
}

// ---- Rows of a scan ----------------------------------------------------------------------------------------------------------

Result<bool> StatementBatches::next_scanned(size_t rows_max) {
  Connection& connection = statement_.connection();
  connection.start_call();
  const auto deadline = connection.statement_deadline();
  while (rows_ < rows_max && !is_full() && (!rows_left_ || *rows_left_ > 0)) {
    if (connection.interrupted()) return Status(StatusCode::kInterrupted, "interrupted");
    if (std::chrono::steady_clock::now() >= deadline) return Status(StatusCode::kInterrupted, "the batch took longer than statement_time_max_ms allows");
    if (in_run_) {
      BRAID_TRY(scan_->check());
    } else {
      BRAID_ASSIGN(in_run_, scan_->next());
      at_ = 0;
      if (in_run_) continue;
      break;
    }
    size_t count = std::min(scan_->rows().size() - at_, rows_max - rows_);
    if (rows_left_) {
      count = static_cast<size_t>(std::min<uint64_t>(count, *rows_left_));
      *rows_left_ -= count;
    }
    BRAID_TRY(add_run(count));
    in_run_ = at_ < scan_->rows().size();
  }
  rows_given_ += rows_;
  if (rows_ == 0) note_read();
  return rows_ > 0;
}

/// For series_reads, when all rows were given.
void StatementBatches::note_read() {
  const SeriesScanCounts counts = scan_->counts();
  Connection::NotedSeriesRead read{"batch", table_.name, "", rows_given_, {}};
  read.counts.chunks_pruned = counts.chunks_pruned;
  read.counts.blocks_pruned = counts.blocks_pruned;
  read.counts.blocks_read = counts.blocks_read;
  statement_.connection().note_series_read(std::move(read));
}

Status StatementBatches::add_run(size_t count) {
  const std::span<const uint32_t> rows = scan_->rows().subspan(at_, count);
  if (tags_series_ != scan_->series()) {
    BRAID_ASSIGN(tags_, tags_of_series(statement_.connection(), table_, scan_->series()));
    tags_series_ = scan_->series();
  }
  for (size_t column = 0; column < sources_.size(); ++column) {
    const ScannedColumn& source = sources_[column];
    ArrowColumn& to = columns_[column];
    switch (source.kind) {
      case ScannedColumn::Kind::kTime: to.push_rows(scan_->block().times.data(), nullptr, rows); break;
      case ScannedColumn::Kind::kTag: BRAID_TRY(add_tag(source.index, count, to)); break;
      case ScannedColumn::Kind::kField: add_field(scan_->block().columns[source.index], rows, to); break;
    }
  }
  at_ += count;
  rows_ += count;
  return {};
}

Status StatementBatches::add_tag(size_t tag, size_t count, ArrowColumn& to) const {
  const auto& value = tags_[tag];
  const auto number = value && table_.tag_type(tag) == FieldType::kInt64 ? integer_of_tag(*value) : std::nullopt;
  if (value && table_.tag_type(tag) == FieldType::kInt64 && !number)
    return Status(StatusCode::kCorrupt, fmt::format("tag '{}' of series {} is '{}', no whole number", table_.tags[tag], tags_series_.value(), *value));
  if (value && !number) {
    to.push_repeated(*value, count);
    return {};
  }
  for (size_t i = 0; i < count; ++i) {
    if (number) to.push(*number);
    else to.push_null();
  }
  return {};
}

void StatementBatches::add_field(const PointColumn& from, std::span<const uint32_t> rows, ArrowColumn& to) const {
  const uint8_t* nulls = from.nulls.empty() ? nullptr : from.nulls.data();
  if (!from.loaded) {
    for (size_t i = 0; i < rows.size(); ++i) to.push_null();
    return;
  }
  switch (from.type) {
    case FieldType::kDouble: to.push_rows(from.reals.data(), nulls, rows); return;
    case FieldType::kInt64:
    case FieldType::kBool: to.push_rows(from.integers.data(), nulls, rows); return;
    case FieldType::kText:
    case FieldType::kJson: break;
  }
  for (const uint32_t row : rows) {
    if (from.is_null(row)) to.push_null();
    else to.push(from.texts[row]);
  }
}

}  // namespace braid
