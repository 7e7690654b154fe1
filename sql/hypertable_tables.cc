// CREATE VIRTUAL TABLE … USING hypertable(…): points as rows. Columns: time, tags, fields, and a hidden key.
//
// Plans: `time` with =, <, <=, >, >=, tags with =, IS and IN, fields of numbers with comparisons, and `latest = 1` are pushed down into the
// scan; only the columns used are read.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/hypertable_columns.h"
#include "sql/scan_request.h"
#include "sql/series_choice.h"
#include "sql/series_conditions.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"
#include "timeseries/filtered_scan.h"
#include "timeseries/last_points.h"
#include "timeseries/tag_codec.h"

namespace braid {

namespace {

constexpr int kTimeColumn = 0;
constexpr int64_t kYearZero = -62'167'219'200'000'000;  // 0000-01-01

enum class PushedTo : uint8_t { kTime, kTag, kField, kLatest };

/// A constraint that is pushed down stands in the plan's text as column number and letter: "0>".
struct OperationRow {
  PushedTo to;
  unsigned char constraint;  // SQLite's
  char letter;
  ConditionOperator op;
};
constexpr OperationRow kOperations[] = {
    {PushedTo::kTime, SQLITE_INDEX_CONSTRAINT_EQ, '=', ConditionOperator::kEqual},
    {PushedTo::kTime, SQLITE_INDEX_CONSTRAINT_LT, '<', ConditionOperator::kLess},
    {PushedTo::kTime, SQLITE_INDEX_CONSTRAINT_LE, 'l', ConditionOperator::kLessOrEqual},
    {PushedTo::kTime, SQLITE_INDEX_CONSTRAINT_GT, '>', ConditionOperator::kGreater},
    {PushedTo::kTime, SQLITE_INDEX_CONSTRAINT_GE, 'g', ConditionOperator::kGreaterOrEqual},
    {PushedTo::kTag, SQLITE_INDEX_CONSTRAINT_EQ, '=', ConditionOperator::kEqual},
    {PushedTo::kTag, SQLITE_INDEX_CONSTRAINT_IS, 'i', ConditionOperator::kIs},
    {PushedTo::kTag, SQLITE_INDEX_CONSTRAINT_ISNULL, 'n', ConditionOperator::kNull},
    {PushedTo::kTag, SQLITE_INDEX_CONSTRAINT_ISNOTNULL, 'N', ConditionOperator::kNotNull},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_EQ, '=', ConditionOperator::kEqual},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_NE, '!', ConditionOperator::kNotEqual},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_LT, '<', ConditionOperator::kLess},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_LE, 'l', ConditionOperator::kLessOrEqual},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_GT, '>', ConditionOperator::kGreater},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_GE, 'g', ConditionOperator::kGreaterOrEqual},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_ISNULL, 'n', ConditionOperator::kNull},
    {PushedTo::kField, SQLITE_INDEX_CONSTRAINT_ISNOTNULL, 'N', ConditionOperator::kNotNull},
    {PushedTo::kLatest, SQLITE_INDEX_CONSTRAINT_EQ, '=', ConditionOperator::kEqual},
};
constexpr char kOneOf = 'I';  // a tag IN values, all of them at once

const OperationRow* operation_of(unsigned char constraint, PushedTo to) {
  const auto* row = std::find_if(std::begin(kOperations), std::end(kOperations), [&](const auto& known) { return known.constraint == constraint && known.to == to; });
  return row == std::end(kOperations) ? nullptr : row;
}

const OperationRow* operation_of(char letter, PushedTo to) {
  const auto* row = std::find_if(std::begin(kOperations), std::end(kOperations), [&](const auto& known) { return known.letter == letter && known.to == to; });
  return row == std::end(kOperations) ? nullptr : row;
}

/// Reads one SQL value as a value of a field; kConstraint names field, type and what was given.
Result<FieldValue> field_value(sqlite3_value* value, const FieldDefinition& field) {
  FieldValue out;
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL) return out;
  out.is_null = false;
  const auto wrong = [&] {
    return Status(StatusCode::kConstraint, fmt::format("field '{}' is {}: '{}' is not", field.name, field_type_name(field.type),
                                                       type == SQLITE_BLOB ? "a blob" : text_of(value)));
  };
  const int numeric = type == SQLITE_BLOB ? SQLITE_BLOB : sqlite3_value_numeric_type(value);
  switch (field.type) {
    case FieldType::kDouble:
      if (numeric != SQLITE_INTEGER && numeric != SQLITE_FLOAT) return wrong();
      out.real = sqlite3_value_double(value);
      return out;
    case FieldType::kInt64:
      if (numeric == SQLITE_FLOAT && sqlite3_value_double(value) == static_cast<double>(sqlite3_value_int64(value)) &&
          std::abs(sqlite3_value_double(value)) < 9.2e18) {
        out.integer = sqlite3_value_int64(value);
        return out;
      }
      if (numeric != SQLITE_INTEGER) return wrong();
      out.integer = sqlite3_value_int64(value);
      return out;
    case FieldType::kBool: {
      const std::string_view text = text_of(value);
      if (text == "1" || text == "true" || text == "t") out.integer = 1;
      else if (text != "0" && text != "false" && text != "f") return wrong();
      return out;
    }
    case FieldType::kText:
      if (type == SQLITE_BLOB) return wrong();
      out.text = text_of(value);
      return out;
    case FieldType::kJson:
      out.text = text_of(value);
      if (type == SQLITE_BLOB || !value_from_json(out.text).ok()) return wrong();
      return out;
  }
  return wrong();
}

class HypertableTable final : public VirtualTable {
 public:
  HypertableTable(Connection& connection, HypertableDefinition columns)
      : VirtualTable(connection), columns_(std::move(columns)) {}

  const HypertableDefinition& columns() const { return columns_; }
  int tag_count() const { return static_cast<int>(columns_.tags.size()); }

  /// The table in the catalog that this connection reads; its id is there.
  Result<const HypertableDefinition*> definition() const {
    const HypertableDefinition* found = connection.catalog_state().hypertable(columns_.name);
    if (found == nullptr) return Status(StatusCode::kNotFound, fmt::format("hypertable '{}' does not exist at this snapshot", columns_.name));
    return found;
  }

  int first_field() const { return tag_count() + 1; }
  /// Of the hidden columns; the last is there unless the hypertable has a column of its name.
  int point_column() const { return first_field() + static_cast<int>(columns_.fields.size()); }
  int latest_column() const { return point_column() + 1; }

  /// What a constraint on a column is pushed to.
  std::optional<PushedTo> pushed_to(int column) const {
    if (column == kTimeColumn) return PushedTo::kTime;
    if (column > kTimeColumn && column < first_field()) return PushedTo::kTag;
    if (column == latest_column()) return PushedTo::kLatest;
    if (column < first_field() || column >= point_column()) return std::nullopt;
    const FieldType type = columns_.fields[static_cast<size_t>(column - first_field())].type;
    return type == FieldType::kText || type == FieldType::kJson ? std::nullopt : std::optional(PushedTo::kField);
  }

  int best_index(sqlite3_index_info& info) override {
    std::string plan;
    double read = 1e6, rows = read;  // points read, and those that are left
    int argument = 0;
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      const auto to = constraint.usable == 0 ? std::nullopt : pushed_to(constraint.iColumn);
      const OperationRow* operation = to ? operation_of(constraint.op, *to) : nullptr;
      if (operation == nullptr) continue;
      // A comparison under another collation than the column's own means something else; numbers know none.
      const bool time = *to == PushedTo::kTime;
      if ((time || *to == PushedTo::kTag) && std::string_view(sqlite3_vtab_collation(&info, i)) != (time ? kTimeCollation : "BINARY")) continue;
      char letter = operation->letter;
      if (*to == PushedTo::kTag && letter == '=' && sqlite3_vtab_in(&info, i, 1) != 0) letter = kOneOf;
      plan += fmt::format("{}{};", constraint.iColumn, letter);
      info.aConstraintUsage[i].argvIndex = ++argument;
      // The scan is exact on time; a tag compared with a number is left to SQLite to decide as well.
      info.aConstraintUsage[i].omit = time ? 1 : 0;
      const bool one = operation->op == ConditionOperator::kEqual || operation->op == ConditionOperator::kIs || operation->op == ConditionOperator::kNull;
      const double part = letter == kOneOf ? 5 : one ? 50 : 5;
      rows /= *to == PushedTo::kField ? 2 : part;
      // Every point has to be read to know its fields.
      if (*to != PushedTo::kField) read /= part;
    }
    info.idxNum = 0;
    info.idxStr = sqlite3_mprintf("%llx|%s", static_cast<unsigned long long>(info.colUsed), plan.c_str());
    if (info.idxStr == nullptr) return SQLITE_NOMEM;
    info.needToFreeIdxStr = 1;
    info.estimatedRows = static_cast<sqlite3_int64>(std::max(rows, 1.0));
    info.estimatedCost = std::max(read, 1.0) * 2;
    return SQLITE_OK;
  }

  std::unique_ptr<VirtualCursor> open() override;

  // values: old key, new key, then the columns
  Status update(std::span<sqlite3_value*> values, sqlite3_int64& rowid) override {
    if (values.size() == 1)
      return Status(StatusCode::kReadOnly, fmt::format("points of '{}' cannot be deleted one by one; drop_chunks('{}', time) drops old ones",
                                                       columns_.name, columns_.name));
    if (sqlite3_value_type(values[0]) != SQLITE_NULL)
      return Status(StatusCode::kReadOnly,
                    fmt::format("points of '{}' cannot be updated; insert the point again with the same tags and time to replace it",
                                columns_.name));
    rowid = 0;
    values = values.subspan(2);
    BRAID_ASSIGN(const HypertableDefinition* table, definition());
    BRAID_ASSIGN(const Timestamp time, time_of(values[0], fmt::format("column '{}' of '{}'", columns_.time_column, columns_.name)));
    // Text has no form for years before 0, so that such a time could not be read back.
    if (time < Timestamp(kYearZero))
      return Status(StatusCode::kInvalidArgument, fmt::format("column '{}' of '{}': {} microseconds lie before the year 0",
                                                              columns_.time_column, columns_.name, time.value()));
    std::vector<std::optional<std::string_view>> tags;
    for (int i = 0; i < tag_count(); ++i) tags.push_back(optional_text(values[static_cast<size_t>(i) + 1]));
    std::vector<FieldValue> fields;
    for (size_t i = 0; i < columns_.fields.size(); ++i) {
      BRAID_ASSIGN(const FieldValue value, field_value(values[columns_.tags.size() + 1 + i], columns_.fields[i]));
      fields.push_back(value);
    }
    SeriesWriter& writer = connection.series_writer();
    BRAID_ASSIGN(const SeriesId series, writer.series(*table, tags));
    const auto outcome = writer.append(*table, series, time, fields, policy());
    return outcome.status();
  }

  Status rename(std::string_view name) override {
    BRAID_ASSIGN(const HypertableDefinition* table, definition());
    connection.session().catalog_writer().rename_hypertable(table->id, std::string(name));
    columns_.name = name;
    return {};
  }

  Status destroy() override {
    BRAID_ASSIGN(const HypertableDefinition* table, definition());
    BRAID_TRY(connection.series_writer().drop_hypertable(*table));
    connection.session().catalog_writer().remove_hypertable(table->id);
    return {};
  }

 private:
  /// INSERT OR REPLACE and OR IGNORE say what they want; else the table's own rule holds.
  std::optional<ConflictPolicy> policy() const {
    switch (sqlite3_vtab_on_conflict(connection.db())) {
      case SQLITE_REPLACE: return ConflictPolicy::kReplace;
      case SQLITE_IGNORE: return ConflictPolicy::kIgnore;
      default: return std::nullopt;
    }
  }

  HypertableDefinition columns_;
};

class HypertableCursor final : public VirtualCursor {
 public:
  explicit HypertableCursor(HypertableTable& table) : table_(table) {}
  ~HypertableCursor() override { note(); }
  HypertableCursor(const HypertableCursor&) = delete;
  HypertableCursor& operator=(const HypertableCursor&) = delete;

  Status filter(int, const char* plan, std::span<sqlite3_value*> values) override {
    note();
    at_end_ = true;
    row_ = 0;
    tags_series_ = last_of_series_ = SeriesId(0);
    range_ = {};
    scan_.reset();
    last_.reset();
    char* rest = nullptr;
    const unsigned long long used = std::strtoull(plan, &rest, 16);
    SeriesScanOptions options;
    for (size_t i = 0; i < table_.columns().fields.size(); ++i)
      options.fields.push_back((used >> std::min<size_t>(static_cast<size_t>(table_.first_field()) + i, 63) & 1) != 0);
    std::vector<TagChoice> tags(table_.columns().tags.size());
    std::vector<FieldFilter> filters;
    bool latest = false;
    size_t argument = 0;
    for (const char* next = rest + 1; *next != '\0'; ++next) {
      const int column = static_cast<int>(std::strtol(next, &rest, 10));
      next = rest;
      BRAID_ASSIGN(const bool possible, push(column, *next, values[argument++], tags, filters, latest));
      if (!possible) return {};
      ++next;
    }
    BRAID_ASSIGN(const HypertableDefinition* definition, table_.definition());
    if (range_.start >= range_.limit) return {};
    BRAID_ASSIGN(options.series, choose_series(table_.connection, *definition, tags));
    if (options.series && options.series->empty()) return {};
    options.range = range_;
    Connection& connection = table_.connection;
    if (latest) {
      last_.emplace(connection.series_view(), connection.series_overlay(), *definition, std::move(options.series), std::move(options.fields), Timestamp(INT64_MAX));
    } else {
      FilteredScan scan(connection.series_view(), connection.series_overlay(), *definition, std::move(options), filters);
      ScanRequest* request = connection.scan_request();
      if (request != nullptr && !request->scan && request->table == definition->name && request->constraints == argument) {
        request->scan.emplace(std::move(scan));
        return {};
      }
      scan_.emplace(std::move(scan));
      at_ = 0;
      rows_ = {};
    }
    return next();
  }

  Status next() override {
    ++row_;
    BRAID_ASSIGN(const bool more, last_ ? next_last() : next_scanned());
    at_end_ = !more;
    return {};
  }
  bool at_end() const override { return at_end_; }
  int64_t rowid() const override { return row_; }

  Status column(sqlite3_context* context, int column) override {
    if (column == kTimeColumn) {
      result_text(context, format_time(time()));
      return {};
    }
    if (column <= table_.tag_count()) return tag_column(context, static_cast<size_t>(column) - 1);
    if (column == table_.point_column()) {
      const std::string key = fmt::format("{}/{}", series().value(), time().value());
      sqlite3_result_blob64(context, key.data(), key.size(), SQLITE_TRANSIENT);
      return {};
    }
    if (column == table_.latest_column()) return latest_column(context);
    const auto field = static_cast<size_t>(column - table_.first_field());
    const FieldValue value = last_ ? last_->field(field) : scan_->block().columns[field].value(rows_[at_]);
    if (value.is_null) return {};
    switch (table_.columns().fields[field].type) {
      case FieldType::kDouble: sqlite3_result_double(context, value.real); break;  // NaN becomes NULL here
      case FieldType::kInt64:
      case FieldType::kBool: sqlite3_result_int64(context, value.integer); break;
      case FieldType::kText:
      case FieldType::kJson: result_text(context, value.text); break;
    }
    return {};
  }

 private:
  /// Narrows what is read; false when nothing can match.
  Result<bool> push(int column, char letter, sqlite3_value* value, std::vector<TagChoice>& tags, std::vector<FieldFilter>& filters, bool& latest) {
    const PushedTo to = *table_.pushed_to(column);
    const OperationRow* operation = letter == kOneOf ? nullptr : operation_of(letter, to);
    switch (to) {
      case PushedTo::kTime: return narrow_range(operation->op, value, range_);
      case PushedTo::kField: return narrow_field(operation->op, value, static_cast<size_t>(column - table_.first_field()), filters);
      case PushedTo::kTag: {
        TagChoice& choice = tags[static_cast<size_t>(column) - 1];
        if (operation == nullptr) push_one_of(value, choice);
        else BRAID_TRY(narrow_tag(operation->op, value, choice));
        return !choice.empty();
      }
      case PushedTo::kLatest:
        // Any other value is compared with every point.
        latest = latest || (sqlite3_value_type(value) == SQLITE_INTEGER && sqlite3_value_int64(value) == 1);
        return true;
    }
    return true;
  }

  static void push_one_of(sqlite3_value* list, TagChoice& choice) {
    std::vector<std::optional<std::string>> values;
    sqlite3_value* value = nullptr;
    for (int code = sqlite3_vtab_in_first(list, &value); code == SQLITE_OK && value != nullptr; code = sqlite3_vtab_in_next(list, &value)) {
      const int type = sqlite3_value_type(value);
      if (type != SQLITE_NULL && type != SQLITE_BLOB) values.emplace_back(std::in_place, text_of(value));
    }
    choice.require_one_of(std::move(values));
  }

  SeriesId series() const { return last_ ? last_->series() : scan_->series(); }
  Timestamp time() const { return last_ ? last_->time() : Timestamp(scan_->block().times[rows_[at_]]); }

  Result<bool> next_scanned() {
    // What was staged and read may have been rolled back since.
    if (++at_ < rows_.size()) {
      BRAID_TRY(scan_->check());
      return true;
    }
    BRAID_ASSIGN(const bool more, scan_->next());
    at_ = 0;
    rows_ = more ? scan_->rows() : std::span<const uint32_t>();
    return more;
  }

  /// The last point of a series counts, be it in the range or not.
  Result<bool> next_last() {
    while (true) {
      BRAID_ASSIGN(const bool more, last_->next());
      if (!more || (last_->time() >= range_.start && last_->time() < range_.limit)) return more;
    }
  }

  Status latest_column(sqlite3_context* context) {
    if (!last_ && last_of_series_ != series()) {
      BRAID_ASSIGN(const HypertableDefinition* definition, table_.definition());
      Connection& connection = table_.connection;
      LastPoints points(connection.series_view(), connection.series_overlay(), *definition, std::vector{series()}, std::vector<bool>(definition->fields.size(), false),
                        Timestamp(INT64_MAX));
      BRAID_ASSIGN(const bool found, points.next());
      last_of_series_ = series();
      time_of_last_ = found ? points.time() : Timestamp(INT64_MIN);
    }
    sqlite3_result_int(context, last_ || time() == time_of_last_ ? 1 : 0);
    return {};
  }

  Status tag_column(sqlite3_context* context, size_t tag) {
    if (tags_series_ != series()) {
      BRAID_ASSIGN(tags_, tags_of_series(table_.connection, table_.columns(), series()));
      tags_series_ = series();
    }
    if (tags_[tag]) result_text(context, *tags_[tag]);
    return {};
  }

  /// For series_reads, when a scan is over.
  void note() {
    if (row_ == 0) return;
    Connection::NotedSeriesRead read;
    read.way = last_ ? "last" : "scan";
    read.table = table_.columns().name;
    read.rows = static_cast<uint64_t>(row_) - (at_end_ ? 1 : 0);
    if (scan_) {
      const SeriesScanCounts counts = scan_->counts();
      read.counts.chunks_pruned = counts.chunks_pruned;
      read.counts.blocks_pruned = counts.blocks_pruned;
      read.counts.blocks_read = counts.blocks_read;
    }
    table_.connection.note_series_read(std::move(read));
    row_ = 0;
  }

  HypertableTable& table_;
  TimeRange range_;
  std::optional<FilteredScan> scan_;
  std::optional<LastPoints> last_;      // instead of it
  std::span<const uint32_t> rows_;      // of the scan's run
  size_t at_ = 0;                       // in them
  bool at_end_ = true;
  int64_t row_ = 0;
  SeriesId tags_series_;
  TagValues tags_;
  SeriesId last_of_series_;
  Timestamp time_of_last_;
};

std::unique_ptr<VirtualCursor> HypertableTable::open() { return std::make_unique<HypertableCursor>(*this); }

Result<std::unique_ptr<VirtualTable>> make_hypertable(Connection& connection, bool created, std::span<const char* const> arguments) {
  const std::string name = arguments[2];
  BRAID_ASSIGN(HypertableDefinition columns, parse_hypertable(name, arguments.subspan(3)));
  if (created) {
    if (std::string_view(arguments[1]) != "main")
      return Status(StatusCode::kDenied, "a hypertable cannot be temporary");
    BRAID_TRY(connection.check_writing());
    connection.session().catalog_writer().add_hypertable(columns);
  }
  BRAID_TRY(declare_table(connection, declare_hypertable(columns)));
  return std::unique_ptr<VirtualTable>(std::make_unique<HypertableTable>(connection, std::move(columns)));
}

// ---- Functions -------------------------------------------------------------------------------------------------------

Status drop_chunks_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  const HypertableDefinition* table = connection.catalog_state().hypertable(text_of(values[0]));
  if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", text_of(values[0])));
  BRAID_ASSIGN(const Timestamp older_than, time_of(values[1], "drop_chunks"));
  const HypertableDefinition copy = *table;  // dropping changes the catalog that it stands in
  BRAID_ASSIGN(const uint64_t dropped, connection.series_writer().drop_chunks(copy, older_than));
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(dropped));
  return {};
}

}  // namespace

Status register_hypertables(Connection& connection) {
  return register_module(connection, "hypertable", ModuleKind::kCreated, make_hypertable);
}

Status register_series_functions(Connection& connection) {
  return register_function(connection, "drop_chunks", 2, FunctionUse::kDirectOnly, drop_chunks_function);
}

}  // namespace braid
