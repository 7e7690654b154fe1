// CREATE VIRTUAL TABLE … USING hypertable(…): points as rows. Columns: time, tags, fields, and a hidden key.
//
// Plans: `time` with =, <, <=, >, >= and tags with = or IS are pushed down into the scan; only the columns used are read. Where each tag has one
// value the points come by time, in the order asked for, so that `ORDER BY time DESC LIMIT 1` reads one point.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/hypertable_columns.h"
#include "sql/series_selection.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"
#include "timeseries/series_scan.h"

namespace braid {

namespace {

constexpr int kTimeColumn = 0;
constexpr int64_t kYearZero = -62'167'219'200'000'000;  // 0000-01-01

/// The number of a plan.
enum PlanOrder : int { kAscending = 0, kDescending = 1 };

/// One pushed constraint, as it stands in the plan's text: column number and operator, "0>".
struct Pushed {
  int column;
  char operation;  // '=', '<', 'l' (<=), '>', 'g' (>=), 'i' (IS), 'n' (IS NULL)
};

std::optional<char> operation_of(unsigned char op, bool time) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return '=';
    case SQLITE_INDEX_CONSTRAINT_LT: return time ? std::optional('<') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_LE: return time ? std::optional('l') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_GT: return time ? std::optional('>') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_GE: return time ? std::optional('g') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_IS: return time ? std::nullopt : std::optional('i');
    case SQLITE_INDEX_CONSTRAINT_ISNULL: return time ? std::nullopt : std::optional('n');
    default: return std::nullopt;
  }
}

int64_t after(int64_t time) { return time == std::numeric_limits<int64_t>::max() ? time : time + 1; }

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

  int best_index(sqlite3_index_info& info) override {
    std::string plan;
    double rows = 1e6;
    int argument = 0;
    std::vector<bool> fixed(static_cast<size_t>(tag_count()), false);
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      if (constraint.usable == 0 || constraint.iColumn < 0 || constraint.iColumn > tag_count()) continue;
      const bool time = constraint.iColumn == kTimeColumn;
      const auto operation = operation_of(constraint.op, time);
      if (!operation) continue;
      // A comparison under another collation than the column's own means something else.
      if (std::string_view(sqlite3_vtab_collation(&info, i)) != (time ? kTimeCollation : "BINARY")) continue;
      plan += fmt::format("{}{};", constraint.iColumn, *operation);
      info.aConstraintUsage[i].argvIndex = ++argument;
      // The scan is exact on time; a tag compared with a number is left to SQLite to decide as well.
      info.aConstraintUsage[i].omit = time ? 1 : 0;
      rows /= *operation == '=' || *operation == 'i' || *operation == 'n' ? 50 : 5;
      if (!time) fixed[static_cast<size_t>(constraint.iColumn) - 1] = true;
    }
    info.idxNum = kAscending;
    if (const auto order = order_of_one_series(info, fixed)) {
      info.idxNum = *order;
      info.orderByConsumed = 1;
    }
    info.idxStr = sqlite3_mprintf("%llx|%s", static_cast<unsigned long long>(info.colUsed), plan.c_str());
    if (info.idxStr == nullptr) return SQLITE_NOMEM;
    info.needToFreeIdxStr = 1;
    info.estimatedRows = static_cast<sqlite3_int64>(std::max(rows, 1.0));
    info.estimatedCost = std::max(rows, 1.0) * 2;
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
  /// The order in which a scan gives what ORDER BY asks for; nothing when the rows are to be sorted. The times of one series differ, so that
  /// what stands after the time does not matter. (SQLite takes no notice for a tag that IN gives several values.)
  std::optional<PlanOrder> order_of_one_series(const sqlite3_index_info& info, const std::vector<bool>& fixed) const {
    if (info.nOrderBy == 0 || std::find(fixed.begin(), fixed.end(), false) != fixed.end()) return std::nullopt;
    for (int i = 0; i < info.nOrderBy; ++i) {
      const int column = info.aOrderBy[i].iColumn;
      if (column == kTimeColumn) return info.aOrderBy[i].desc != 0 ? kDescending : kAscending;
      if (column < 0 || column > tag_count()) return std::nullopt;
    }
    return kAscending;
  }

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

  Status filter(int order, const char* plan, std::span<sqlite3_value*> values) override {
    at_end_ = true;
    row_ = 0;
    tags_series_ = SeriesId(0);
    SeriesScanOptions options;
    options.descending = order == kDescending;
    char* rest = nullptr;
    const unsigned long long used = std::strtoull(plan, &rest, 16);
    const auto first_field = static_cast<size_t>(table_.tag_count()) + 1;
    for (size_t i = 0; i < table_.columns().fields.size(); ++i)
      options.fields.push_back((used >> std::min<size_t>(first_field + i, 63) & 1) != 0);
    // Asking for no field at all means all of them, so a count reads one.
    TagFilter filter(table_.columns().tags.size());
    size_t argument = 0;
    for (const char* next = rest + 1; *next != '\0'; ++next) {
      const int column = static_cast<int>(std::strtol(next, &rest, 10));
      next = rest;
      sqlite3_value* value = values[argument++];
      BRAID_ASSIGN(const bool possible, column == kTimeColumn ? push_time(*next, value, options.range)
                                                              : push_tag(*next, value, filter, static_cast<size_t>(column) - 1));
      if (!possible) return {};
      ++next;
    }
    BRAID_ASSIGN(const HypertableDefinition* definition, table_.definition());
    if (options.range.start >= options.range.limit) return {};
    BRAID_ASSIGN(options.series, select_series(table_.connection, *definition, filter));
    if (options.series && options.series->empty()) return {};
    scan_.emplace(table_.connection.series_view(), table_.connection.series_overlay(), *definition, std::move(options));
    return next();
  }

  Status next() override {
    ++row_;
    BRAID_ASSIGN(const bool more, scan_->next());
    at_end_ = !more;
    return {};
  }
  bool at_end() const override { return at_end_; }
  int64_t rowid() const override { return row_; }

  Status column(sqlite3_context* context, int column) override {
    if (column == kTimeColumn) {
      result_text(context, format_time(scan_->time()));
      return {};
    }
    if (column <= table_.tag_count()) return tag_column(context, static_cast<size_t>(column) - 1);
    const auto field = static_cast<size_t>(column - table_.tag_count() - 1);
    if (field >= table_.columns().fields.size()) {
      const std::string key = fmt::format("{}/{}", scan_->series().value(), scan_->time().value());
      sqlite3_result_blob64(context, key.data(), key.size(), SQLITE_TRANSIENT);
      return {};
    }
    const FieldValue value = scan_->field(field);
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
  /// Narrows the range; false when nothing can match.
  static Result<bool> push_time(char operation, sqlite3_value* value, TimeRange& range) {
    if (sqlite3_value_type(value) == SQLITE_NULL) return false;
    BRAID_ASSIGN(const Timestamp time, compared_time_of(value, "a comparison with the time column"));
    const int64_t at = time.value();
    if (operation == '=' || operation == 'g') range.start = std::max(range.start, time);
    if (operation == '>') range.start = std::max(range.start, Timestamp(after(at)));
    if (operation == '<') range.limit = std::min(range.limit, time);
    if (operation == '=' || operation == 'l') range.limit = std::min(range.limit, Timestamp(after(at)));
    return true;
  }

  static Result<bool> push_tag(char operation, sqlite3_value* value, TagFilter& filter, size_t tag) {
    const bool null = operation == 'n' || sqlite3_value_type(value) == SQLITE_NULL;
    if (null && operation == '=') return false;
    std::optional<std::string> text;
    if (!null) text = std::string(text_of(value));
    if (filter.constrained[tag] && filter.wanted[tag] != text) return false;
    filter.wanted[tag] = std::move(text);
    filter.constrained[tag] = true;
    return true;
  }

  Status tag_column(sqlite3_context* context, size_t tag) {
    if (tags_series_ != scan_->series()) {
      BRAID_ASSIGN(tags_, tags_of_series(table_.connection, table_.columns(), scan_->series()));
      tags_series_ = scan_->series();
    }
    if (tags_[tag]) result_text(context, *tags_[tag]);
    return {};
  }

  HypertableTable& table_;
  std::optional<SeriesScan> scan_;
  bool at_end_ = true;
  int64_t row_ = 0;
  SeriesId tags_series_;
  TagValues tags_;
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
