#include "api/statement_batches.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "engine/long_call.h"
#include "graph/utf8_text.h"
#include "sql/rollup_recognition.h"
#include "sql/series_selection.h"
#include "sql/time_text.h"
#include "sql/virtual_table.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

struct DeclaredType {
  std::string_view part;  // of the declaration, as SQLite looks for its affinities
  ArrowType type;
};
/// The first that fits. NUMERIC and what is not here say nothing.
constexpr DeclaredType kDeclaredTypes[] = {{"TIMESTAMP", ArrowType::kTimestamp}, {"DATETIME", ArrowType::kTimestamp}, {"BOOL", ArrowType::kBool},
                                           {"INT", ArrowType::kInt64},           {"CHAR", ArrowType::kText},          {"CLOB", ArrowType::kText},
                                           {"TEXT", ArrowType::kText},           {"JSON", ArrowType::kText},          {"BLOB", ArrowType::kBinary},
                                           {"REAL", ArrowType::kDouble},         {"FLOA", ArrowType::kDouble},        {"DOUB", ArrowType::kDouble}};

/// How a hypertable declares its time, which is always one.
constexpr std::string_view kHypertableTime = "TIMESTAMP TEXT";

std::optional<ArrowType> declared_type(std::string_view declared) {
  std::string upper(declared);
  for (char& letter : upper) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  for (const DeclaredType& row : kDeclaredTypes)
    if (upper.find(row.part) != std::string::npos) return row.type;
  return std::nullopt;
}

ArrowType type_of_value(int sqlite_type) {
  switch (sqlite_type) {
    case SQLITE_INTEGER: return ArrowType::kInt64;
    case SQLITE_FLOAT: return ArrowType::kDouble;
    case SQLITE_BLOB: return ArrowType::kBinary;
    default: return ArrowType::kText;
  }
}

/// Order of the numbers: each holds those before it.
int number_rank(ArrowType type) {
  switch (type) {
    case ArrowType::kBool: return 1;
    case ArrowType::kInt64: return 2;
    case ArrowType::kDouble: return 3;
    case ArrowType::kText:
    case ArrowType::kBinary:
    case ArrowType::kTimestamp:
    case ArrowType::kNull: break;
  }
  return 0;
}

/// The type that holds values of both without loss; none for times, and for bytes beside numbers.
std::optional<ArrowType> common_type(ArrowType a, ArrowType b) {
  if (a == b) return a;
  const int rank_a = number_rank(a), rank_b = number_rank(b);
  if (rank_a > 0 && rank_b > 0) return rank_a > rank_b ? a : b;
  const auto is = [&](ArrowType type) { return a == type || b == type; };
  if (is(ArrowType::kText) && is(ArrowType::kBinary)) return ArrowType::kBinary;
  if (is(ArrowType::kText) && (rank_a > 0 || rank_b > 0)) return ArrowType::kText;
  return std::nullopt;
}

std::string_view type_name(ArrowType type) {
  constexpr std::string_view kNames[] = {"int64", "double", "utf8", "binary", "timestamp", "bool", "null"};
  return kNames[static_cast<size_t>(type)];
}

/// Where no character of UTF-8 begins.
std::optional<size_t> broken_text(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? std::nullopt : find_no_utf8(text);
}

struct Requesting {
  Requesting(Connection& made_on, ScanRequest& request) : connection(made_on) { connection.set_scan_request(&request); }
  ~Requesting() { connection.set_scan_request(nullptr); }
  Requesting(const Requesting&) = delete;
  Requesting& operator=(const Requesting&) = delete;
  Connection& connection;
};

}  // namespace

Result<std::unique_ptr<StatementBatches>> StatementBatches::start(BatchedRows statement, BatchOptions options, uint64_t run) {
  std::unique_ptr<StatementBatches> batches(new StatementBatches(statement, std::move(options), run));
  BRAID_TRY(batches->begin());
  return batches;
}

Status StatementBatches::name_columns() {
  const int count = statement_.column_count();
  if (!options_.types.empty() && options_.types.size() != static_cast<size_t>(count))
    return Status(StatusCode::kInvalidArgument, fmt::format("types: {} are given, the statement has {} columns", options_.types.size(), count));
  for (int i = 0; i < count; ++i) {
    const std::string_view declaration = statement_.declared_type(i);
    const auto wanted = options_.types.empty() ? std::nullopt : options_.types[static_cast<size_t>(i)];
    const auto declared = wanted ? wanted : declared_type(declaration);
    names_.emplace_back(statement_.column_name(i));
    columns_.emplace_back(declared.value_or(ArrowType::kText));
    rules_.push_back({wanted || declaration == kHypertableTime, declared.has_value(), false});
  }
  return {};
}

/// Steps once. A recognised statement has given its scan away then, and is done.
Status StatementBatches::begin() {
  if (statement_.here() == nullptr) {
    BRAID_ASSIGN(has_row_, statement_.step());
    return name_columns();
  }
  std::optional<RecognizedScan> recognized;
  Statement& statement = *statement_.here();
  Connection& connection = statement.connection();
  if (connection.series_fast_path() && options_.types.empty()) {
    connection.look_at_schema([&](const SchemaLookup& schema) {
      if (schema.names_hypertable(statement.sql())) recognized = recognize_scan(statement.sql(), schema);
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
  BRAID_TRY(name_columns());
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

/// After the first batch every column has its type.
void StatementBatches::settle_nulls() {
  for (size_t i = 0; i < columns_.size(); ++i)
    if (!rules_[i].seen && !rules_[i].declared) columns_[i].widen(ArrowType::kNull);
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

size_t StatementBatches::bytes() const {
  size_t sum = rows_ * columns_.size() * sizeof(int64_t);
  for (const ArrowColumn& column : columns_) sum += column.text_bytes();
  return sum;
}

Result<bool> StatementBatches::next(size_t rows_max) {
  rows_ = 0;
  BRAID_ASSIGN(const bool more, scan_ ? next_scanned(rows_max) : next_stepped(rows_max));
  if (first_batch_ && !scan_) settle_nulls();
  return more;
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

Status StatementBatches::cannot_hold(size_t column, std::string_view why) const {
  return Status(StatusCode::kConstraint, fmt::format("column '{}', row {} of the batch: {}; CAST in the statement, or a type in the options, gives all values one type",
                                                     names_[column], rows_ + 1, why));
}

Status StatementBatches::fit(size_t index, ArrowType given) {
  ArrowColumn& column = columns_[index];
  ColumnRule& rule = rules_[index];
  const ArrowType has = column.type();
  // Before the first value the type is only the declared one, which is kept for what it was declared for.
  const bool guessed = first_batch_ && !rule.seen && !rule.fixed;
  const bool kept = has == ArrowType::kDouble && number_rank(given) > 0;
  const auto wanted = guessed && !kept ? std::optional(given) : common_type(has, given);
  rule.seen = true;
  if (wanted == has) return {};
  if (!wanted || rule.fixed || !first_batch_)
    return cannot_hold(index, fmt::format("a value of type {} does not fit type {}{}", type_name(given), type_name(has),
                                          rule.fixed ? "" : ", which the rows before it gave the column"));
  return column.widen(*wanted) ? Status() : cannot_hold(index, "a double comes after integers that no double holds exactly");
}

Status StatementBatches::add_text(size_t index, std::string_view text) {
  if (columns_[index].type() == ArrowType::kText) {
    if (const auto place = broken_text(text)) return cannot_hold(index, fmt::format("the text is no UTF-8 at byte {}; its type could be binary", *place));
  }
  columns_[index].push(text);
  return {};
}

/// A value of a column of times. False, and nothing is added, for what is no time while the type is a guess.
Result<bool> StatementBatches::add_time(size_t index, int sqlite_type) {
  sqlite3_stmt* raw = statement_.row();
  const int number = static_cast<int>(index);
  ColumnRule& rule = rules_[index];
  std::optional<Timestamp> time;
  // Safety: SQLite lends bytes until the next step.
  if (sqlite_type == SQLITE_TEXT)
    time = parse_time({reinterpret_cast<const char*>(sqlite3_column_text(raw, number)), static_cast<size_t>(sqlite3_column_bytes(raw, number))});
  if (sqlite_type == SQLITE_INTEGER && rule.fixed) time = Timestamp(sqlite3_column_int64(raw, number));
  if (!time && !rule.seen && !rule.fixed) return false;
  if (!time) return cannot_hold(index, "a value is no time");
  rule.seen = true;
  columns_[index].push(time->value());
  return true;
}

Status StatementBatches::add_value(size_t index) {
  sqlite3_stmt* raw = statement_.row();
  const int number = static_cast<int>(index);
  ArrowColumn& column = columns_[index];
  const int type = sqlite3_column_type(raw, number);
  if (type == SQLITE_NULL) {
    column.push_null();
    return {};
  }
  if (column.type() == ArrowType::kTimestamp) {
    BRAID_ASSIGN(const bool added, add_time(index, type));
    if (added) return {};
  }
  const int64_t integer = type == SQLITE_INTEGER ? sqlite3_column_int64(raw, number) : 0;
  const bool boolean = column.type() == ArrowType::kBool && type == SQLITE_INTEGER && (integer == 0 || integer == 1);
  BRAID_TRY(fit(index, boolean ? ArrowType::kBool : type_of_value(type)));
  switch (column.type()) {
    case ArrowType::kInt64:
    case ArrowType::kBool:
    case ArrowType::kTimestamp:
    case ArrowType::kNull: column.push(integer); return {};
    case ArrowType::kDouble:
      if (type == SQLITE_INTEGER && !is_exact_double(integer)) return cannot_hold(index, fmt::format("no double holds {} exactly", integer));
      column.push(sqlite3_column_double(raw, number));
      return {};
    case ArrowType::kText:
    case ArrowType::kBinary: break;
  }
  // Safety: SQLite lends bytes until the next step, and they are copied here.
  const auto* bytes = static_cast<const char*>(type == SQLITE_BLOB ? sqlite3_column_blob(raw, number) : reinterpret_cast<const void*>(sqlite3_column_text(raw, number)));
  if (bytes == nullptr && sqlite3_column_bytes(raw, number) > 0) return Status(StatusCode::kOutOfMemory, "a value of the statement");
  return add_text(index, {bytes == nullptr ? "" : bytes, static_cast<size_t>(sqlite3_column_bytes(raw, number))});
}

// ---- Rows of a scan ----------------------------------------------------------------------------------------------------------

Result<bool> StatementBatches::next_scanned(size_t rows_max) {
  Connection& connection = statement_.here()->connection();
  connection.start_call();
  const auto deadline = connection.statement_deadline();
  while (rows_ < rows_max && !is_full() && (!rows_left_ || *rows_left_ > 0)) {
    BRAID_TRY(LongCall::check());
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
    BRAID_TRY(read_tags());
    size_t count = rows_that_fit(std::min(scan_->rows().size() - at_, rows_max - rows_));
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
  statement_.here()->connection().note_series_read(std::move(read));
}

Status StatementBatches::read_tags() {
  if (tags_series_ == scan_->series()) return {};
  BRAID_ASSIGN(tags_, tags_of_series(statement_.here()->connection(), table_, scan_->series()));
  tags_series_ = scan_->series();
  return {};
}

/// So many of the next rows that their texts keep within the batch's bytes; at least one.
size_t StatementBatches::rows_that_fit(size_t count) const {
  size_t held = bytes();
  size_t tag_bytes = 0;  // the same in each row
  for (const ScannedColumn& source : sources_)
    if (source.kind == ScannedColumn::Kind::kTag && tags_[source.index]) tag_bytes += tags_[source.index]->size();
  if (tag_bytes > 0) count = std::clamp<size_t>((options_.bytes_max - std::min(held, options_.bytes_max)) / tag_bytes, 1, count);
  held += tag_bytes * count;
  for (const ScannedColumn& source : sources_) {
    if (source.kind != ScannedColumn::Kind::kField) continue;
    const PointColumn& from = scan_->block().columns[source.index];
    if (!from.loaded || from.texts.empty()) continue;
    for (size_t i = 0; i < count; ++i) {
      held += from.texts[scan_->rows()[at_ + i]].size();
      if (held > options_.bytes_max) count = std::max<size_t>(i, 1);
    }
  }
  return count;
}

Status StatementBatches::add_run(size_t count) {
  const std::span<const uint32_t> rows = scan_->rows().subspan(at_, count);
  for (size_t column = 0; column < sources_.size(); ++column) {
    const ScannedColumn& source = sources_[column];
    ArrowColumn& to = columns_[column];
    switch (source.kind) {
      case ScannedColumn::Kind::kTime: to.push_rows(scan_->block().times.data(), nullptr, rows); break;
      case ScannedColumn::Kind::kTag: BRAID_TRY(add_tag(column, source.index, count)); break;
      case ScannedColumn::Kind::kField: BRAID_TRY(add_field(column, scan_->block().columns[source.index], rows)); break;
    }
  }
  at_ += count;
  rows_ += count;
  return {};
}

Status StatementBatches::add_tag(size_t column, size_t tag, size_t count) {
  ArrowColumn& to = columns_[column];
  const auto& value = tags_[tag];
  const auto number = value && table_.tag_type(tag) == FieldType::kInt64 ? integer_of_tag(*value) : std::nullopt;
  if (value && table_.tag_type(tag) == FieldType::kInt64 && !number)
    return Status(StatusCode::kCorrupt, fmt::format("tag '{}' of series {} is '{}', no whole number", table_.tags[tag], tags_series_.value(), *value));
  if (value && !number) {
    if (const auto place = broken_text(*value)) return cannot_hold(column, fmt::format("the text is no UTF-8 at byte {}", *place));
    to.push_repeated(*value, count);
    return {};
  }
  for (size_t i = 0; i < count; ++i) {
    if (number) to.push(*number);
    else to.push_null();
  }
  return {};
}

Status StatementBatches::add_field(size_t column, const PointColumn& from, std::span<const uint32_t> rows) {
  ArrowColumn& to = columns_[column];
  const uint8_t* nulls = from.nulls.empty() ? nullptr : from.nulls.data();
  if (!from.loaded) {
    for (size_t i = 0; i < rows.size(); ++i) to.push_null();
    return {};
  }
  switch (from.type) {
    case FieldType::kDouble: to.push_rows(from.reals.data(), nulls, rows); return {};
    case FieldType::kInt64:
    case FieldType::kBool: to.push_rows(from.integers.data(), nulls, rows); return {};
    case FieldType::kText:
    case FieldType::kJson: break;
  }
  for (const uint32_t row : rows) {
    if (from.is_null(row)) to.push_null();
    else BRAID_TRY(add_text(column, from.texts[row]));
  }
  return {};
}

}  // namespace braid
