// CREATE VIRTUAL TABLE … USING hypertable(…): points as rows. Columns: time, tags, fields, and a hidden key.
//
// DELETE and UPDATE work row by row, but for a DELETE whose conditions are all pushed down: that takes ranges away.
// Plans: `time` with =, <, <=, >, >=, tags with =, IS and IN, fields of numbers with comparisons, and comparisons of `latest` are pushed down into the
// scan; only the columns used are read. Where each tag has one value the points come by time, in the order asked for, so that
// `ORDER BY time DESC LIMIT 1` reads one point.
#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "graph/pace.h"
#include "sql/graph_access.h"
#include "sql/hypertable_columns.h"
#include "sql/latest_conditions.h"
#include "sql/point_key.h"
#include "sql/scan_request.h"
#include "sql/series_choice.h"
#include "sql/series_conditions.h"
#include "sql/series_selection.h"
#include "sql/tag_references.h"
#include "sql/text_times.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"
#include "timeseries/filtered_scan.h"
#include "timeseries/last_points.h"
#include "timeseries/series_scan.h"
#include "timeseries/tag_codec.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

constexpr int kTimeColumn = 0;

/// The number of a plan.
enum PlanOrder : int { kAscending = 0, kDescending = 1 };

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
    {PushedTo::kLatest, SQLITE_INDEX_CONSTRAINT_IS, 'i', ConditionOperator::kEqual},
    {PushedTo::kLatest, SQLITE_INDEX_CONSTRAINT_NE, '!', ConditionOperator::kNotEqual},
    {PushedTo::kLatest, SQLITE_INDEX_CONSTRAINT_ISNOT, 'o', ConditionOperator::kNotEqual},
    {PushedTo::kLatest, SQLITE_INDEX_CONSTRAINT_GT, '>', ConditionOperator::kGreater},
    {PushedTo::kLatest, SQLITE_INDEX_CONSTRAINT_GE, 'g', ConditionOperator::kGreaterOrEqual},
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

/// Does a comparison with `latest`, which is 0 or 1, hold for 1 alone?
bool holds_for_last_only(ConditionOperator op, sqlite3_value* value) {
  const int type = sqlite3_value_type(value) == SQLITE_BLOB ? SQLITE_BLOB : sqlite3_value_numeric_type(value);
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) return false;
  const double bound = sqlite3_value_double(value);
  switch (op) {
    case ConditionOperator::kEqual: return bound == 1;
    case ConditionOperator::kNotEqual: return bound == 0;
    case ConditionOperator::kGreater: return bound >= 0 && bound < 1;
    case ConditionOperator::kGreaterOrEqual: return bound > 0 && bound <= 1;
    default: return false;
  }
}

/// The value of a tag as it stands in the series' name; NULL stays NULL. kConstraint names tag and value.
Result<std::optional<std::string>> tag_value(sqlite3_value* value, const HypertableDefinition& table, size_t tag) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return std::optional<std::string>();
  if (table.tag_type(tag) != FieldType::kInt64) return std::optional<std::string>(text_of(value));
  // Before the value is read as a number, which changes its text.
  const std::string given(sqlite3_value_type(value) == SQLITE_BLOB ? "a blob" : text_of(value));
  const auto number = equal_integer(value);
  if (!number)
    return Status(StatusCode::kConstraint, fmt::format("tag '{}' of '{}' is INTEGER: '{}' is not", table.tags[tag], table.name, given));
  return std::optional<std::string>(tag_of_integer(*number));
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
    std::vector<bool> fixed(static_cast<size_t>(tag_count()), false);
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
      info.aConstraintUsage[i].omit = time || *to == PushedTo::kTag ? 1 : 0;
      const bool one = *to == PushedTo::kLatest || operation->op == ConditionOperator::kEqual || operation->op == ConditionOperator::kIs || operation->op == ConditionOperator::kNull;
      const double part = letter == kOneOf ? 5 : one ? 50 : 5;
      rows /= *to == PushedTo::kField ? 2 : part;
      // Every point has to be read to know its fields.
      if (*to != PushedTo::kField) read /= part;
      if (*to == PushedTo::kTag && one && letter != kOneOf) fixed[static_cast<size_t>(constraint.iColumn) - 1] = true;
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
    info.estimatedCost = std::max(read, 1.0) * 2;
    return SQLITE_OK;
  }

  std::unique_ptr<VirtualCursor> open() override;

  // values: old key, new key, then the columns
  Status update(std::span<sqlite3_value*> values, sqlite3_int64& rowid) override {
    rowid = 0;
    BRAID_ASSIGN(const HypertableDefinition* table, definition());
    if (values.size() == 1) return remove(*table, values[0]);
    if (sqlite3_value_type(values[0]) != SQLITE_NULL) return change(*table, values[0], values.subspan(2));
    return insert(*table, values.subspan(2));
  }

  Status rename(std::string_view name) override {
    BRAID_ASSIGN(const HypertableDefinition* table, definition());
    connection.session().catalog_writer().rename_hypertable(table->id, std::string(name));
    columns_.name = name;
    return {};
  }

  Status destroy() override {
    if (connection.keeps_points()) return {};
    BRAID_ASSIGN(const HypertableDefinition* table, definition());
    for (const auto& [id, aggregate] : connection.catalog_state().aggregates)
      if (aggregate->hypertable == table->id)
        return Status(StatusCode::kConstraint, fmt::format("the continuous aggregate '{}' is made from '{}'; drop it first", aggregate->name, columns_.name));
    const HypertableDefinition dropped = *table;  // dropping changes the catalog that it stands in
    BRAID_TRY(connection.series_writer().drop_hypertable(dropped));
    connection.session().catalog_writer().remove_hypertable(dropped.id);
    return drop_reference_triggers(connection, dropped);
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

  /// INSERT OR REPLACE and its like say what they want; else the table's own rule holds.
  std::optional<ConflictPolicy> policy() const {
    switch (sqlite3_vtab_on_conflict(connection.db())) {
      case SQLITE_REPLACE: return ConflictPolicy::kReplace;
      case SQLITE_IGNORE: return ConflictPolicy::kIgnore;
      case SQLITE_FAIL:
      case SQLITE_ROLLBACK: return ConflictPolicy::kError;
      default: return connection.says_or_abort() ? std::optional(ConflictPolicy::kError) : std::nullopt;
    }
  }

  Result<Timestamp> time_value(sqlite3_value* value) const {
    BRAID_ASSIGN(const Timestamp time, time_of(value, fmt::format("column '{}' of '{}'", columns_.time_column, columns_.name)));
    // Text has no form for years before 0, so that such a time could not be read back.
    if (time >= Timestamp(kYearZero)) return time;
    return Status(StatusCode::kInvalidArgument, fmt::format("column '{}' of '{}': {} microseconds lie before the year 0",
                                                            columns_.time_column, columns_.name, time.value()));
  }

  Status insert(const HypertableDefinition& table, std::span<sqlite3_value*> columns) {
    const auto latest = static_cast<size_t>(latest_column());
    if (latest < columns.size() && sqlite3_value_type(columns[latest]) != SQLITE_NULL) return Status(StatusCode::kDenied, unwritable_latest(columns_.name));
    BRAID_ASSIGN(const Timestamp time, time_value(columns[0]));
    std::vector<std::optional<std::string>> tags;
    for (size_t i = 0; i < columns_.tags.size(); ++i) {
      BRAID_ASSIGN(auto tag, tag_value(columns[i + 1], columns_, i));
      tags.push_back(std::move(tag));
    }
    std::vector<FieldValue> fields;
    for (size_t i = 0; i < columns_.fields.size(); ++i) {
      BRAID_ASSIGN(const FieldValue value, field_value(columns[columns_.tags.size() + 1 + i], columns_.fields[i]));
      fields.push_back(value);
    }
    SeriesWriter& writer = connection.series_writer();
    BRAID_ASSIGN(const SeriesId series, writer.series(table, {tags.begin(), tags.end()}));
    return writer.append(table, series, time, fields, policy()).status();
  }

  Status remove(const HypertableDefinition& table, sqlite3_value* key) {
    BRAID_ASSIGN(const auto row, decode_key(bytes_of(key)));
    if (const auto* point = std::get_if<PointKey>(&row)) return connection.series_writer().remove(table, point->series, point->time).status();
    const HypertableDefinition copy = table;  // deleting changes the catalog that it stands in
    const auto& range = std::get<RangeKey>(row);
    BRAID_ASSIGN(const int64_t count, count_points(copy, range));
    connection.add_changes(count - 1);  // SQLite counts one row
    return count == 0 ? Status() : connection.series_writer().remove_range(copy, range.range, range.series);
  }

  Result<int64_t> count_points(const HypertableDefinition& table, const RangeKey& key) {
    if (key.range.start >= key.range.limit) return int64_t{0};
    SeriesScanOptions options{.range = key.range, .fields = std::vector<bool>(table.fields.size(), false)};
    if (!key.series.empty()) options.series = key.series;
    SeriesScan scan(connection.series_view(), connection.series_overlay(), table, std::move(options));
    const AlgorithmContext context = connection.algorithm_context();
    Pace pace(context);
    for (int64_t count = 0;; ++count) {
      BRAID_TRY(pace.step(1));
      BRAID_ASSIGN(const bool more, scan.next());
      if (!more) return count;
    }
  }

  /// UPDATE: columns that it does not name come without a value. A point whose time or tags change is another point: the old one goes.
  Status change(const HypertableDefinition& table, sqlite3_value* old_key, std::span<sqlite3_value*> columns) {
    BRAID_ASSIGN(const auto row, decode_key(bytes_of(old_key)));
    const auto* from = std::get_if<PointKey>(&row);
    if (from == nullptr) return Status(StatusCode::kInternal, "UPDATE met a range of points");
    SeriesWriter& writer = connection.series_writer();
    BRAID_ASSIGN(const PointKey to, changed_key(table, *from, columns));
    const bool moves = to.series != from->series || to.time != from->time;
    std::optional<std::vector<FieldValue>> present;
    if (!moves) {
      BRAID_ASSIGN(present, writer.find(table, from->series, from->time));
    }
    std::vector<FieldValue> fields;
    for (size_t i = 0; i < columns_.fields.size(); ++i) {
      sqlite3_value* value = columns[columns_.tags.size() + 1 + i];
      if (sqlite3_value_nochange(value) != 0) {
        fields.push_back(present ? (*present)[i] : FieldValue());
        continue;
      }
      BRAID_ASSIGN(const FieldValue given, field_value(value, columns_.fields[i]));
      fields.push_back(given);
    }
    if (!moves) return writer.append(table, to.series, to.time, fields, ConflictPolicy::kReplace).status();
    return move(table, *from, to, fields);
  }

  Result<PointKey> changed_key(const HypertableDefinition& table, const PointKey& from, std::span<sqlite3_value*> columns) {
    PointKey to = from;
    if (sqlite3_value_nochange(columns[0]) == 0) {
      BRAID_ASSIGN(to.time, time_value(columns[0]));
    }
    const auto given = columns.subspan(1, columns_.tags.size());
    if (std::all_of(given.begin(), given.end(), [](sqlite3_value* tag) { return sqlite3_value_nochange(tag) != 0; })) return to;
    BRAID_ASSIGN(const TagValues before, decode_tags(series_tags(connection, from.series)));
    if (before.size() != given.size()) return Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", from.series.value()));
    std::vector<std::optional<std::string>> tags;
    for (size_t i = 0; i < given.size(); ++i) {
      if (sqlite3_value_nochange(given[i]) != 0) {
        tags.push_back(before[i]);
        continue;
      }
      BRAID_ASSIGN(auto tag, tag_value(given[i], columns_, i));
      tags.push_back(std::move(tag));
    }
    BRAID_ASSIGN(to.series, connection.series_writer().series(table, {tags.begin(), tags.end()}));
    return to;
  }

  /// A statement may move a point to where one stands that it moves later: then there is nothing left to take away.
  Status move(const HypertableDefinition& table, const PointKey& from, const PointKey& to, std::span<const FieldValue> fields) {
    if (moved_by_ != connection.statements_started()) moved_to_.clear();
    moved_by_ = connection.statements_started();
    SeriesWriter& writer = connection.series_writer();
    BRAID_ASSIGN(const AppendOutcome outcome, writer.append(table, to.series, to.time, fields, policy()));
    if (outcome == AppendOutcome::kIgnored) return {};
    if (!moved_to_.contains({from.series, from.time})) BRAID_TRY(writer.remove(table, from.series, from.time).status());
    moved_to_.emplace(to.series, to.time);
    return {};
  }

  HypertableDefinition columns_;
  uint64_t moved_by_ = 0;                                  // the statement that `moved_to_` is of
  std::set<std::pair<SeriesId, Timestamp>> moved_to_;
};

class HypertableCursor final : public VirtualCursor {
 public:
  explicit HypertableCursor(HypertableTable& table) : table_(table) {}
  ~HypertableCursor() override { note(); }
  HypertableCursor(const HypertableCursor&) = delete;
  HypertableCursor& operator=(const HypertableCursor&) = delete;

  Status filter(int order, const char* plan, std::span<sqlite3_value*> values) override {
    note();
    at_end_ = true;
    row_ = 0;
    unchanged_ = 0;
    whole_.reset();
    scan_.reset();
    last_.reset();
    tags_series_ = last_of_series_ = SeriesId(0);
    options_ = {};
    options_.descending = order == kDescending;
    filters_.clear();
    latest_ = false;
    char* rest = nullptr;
    const unsigned long long used = std::strtoull(plan, &rest, 16);
    for (size_t i = 0; i < table_.columns().fields.size(); ++i)
      options_.fields.push_back((used >> std::min<size_t>(static_cast<size_t>(table_.first_field()) + i, 63) & 1) != 0);
    std::vector<TagChoice> tags(table_.columns().tags.size());
    size_t argument = 0;
    for (const char* next = rest + 1; *next != '\0'; next = rest + 2) {  // past the comparison and its semicolon
      const int column = static_cast<int>(std::strtol(next, &rest, 10));
      BRAID_ASSIGN(const bool possible, push(column, *rest, values[argument++], tags));
      if (!possible) return {};
    }
    BRAID_ASSIGN(const HypertableDefinition* definition, table_.definition());
    if (options_.range.start >= options_.range.limit) return {};
    BRAID_ASSIGN(options_.series, choose_series(table_.connection, *definition, tags));
    if (options_.series && options_.series->empty()) return {};
    // A DELETE asks for nothing but the key, unless it has conditions that were not pushed down: then `column` turns to rows.
    if (!latest_ && filters_.empty() && table_.connection.only_deletes_from(table_.columns().name)) {
      whole_ = RangeKey{options_.range, options_.series.value_or(std::vector<SeriesId>())};
      at_end_ = false;
      return {};
    }
    ScanRequest* request = table_.connection.scan_request();
    if (!latest_ && request != nullptr && !request->scan && request->table == definition->name && request->constraints == argument) {
      request->scan.emplace(table_.connection.series_view(), table_.connection.series_overlay(), *definition, options_, filters_);
      return {};
    }
    return read_rows();
  }

  Status next() override {
    ++row_;
    unchanged_ = 0;
    at_end_ = true;
    if (!scan_ && !last_) return {};
    BRAID_ASSIGN(const bool more, last_ ? next_last() : next_scanned());
    at_end_ = !more;
    return {};
  }
  bool at_end() const override { return at_end_; }
  int64_t rowid() const override { return row_; }

  Status column(sqlite3_context* context, int column) override {
    if (column == table_.point_column()) {
      const std::string key = whole_ ? encode_key(*whole_) : encode_key(PointKey{series(), time()});
      sqlite3_result_blob64(context, key.data(), key.size(), SQLITE_TRANSIENT);
      return {};
    }
    if (whole_ && whole_->range.start < whole_->range.limit) BRAID_TRY(turn_to_rows());
    if (whole_ || is_unchanged(context, column)) return {};
    if (column == kTimeColumn) {
      result_text(context, format_time(time()));
      return {};
    }
    if (column <= table_.tag_count()) return tag_column(context, static_cast<size_t>(column) - 1);
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
  Result<bool> push(int column, char letter, sqlite3_value* value, std::vector<TagChoice>& tags) {
    const PushedTo to = *table_.pushed_to(column);
    const OperationRow* operation = letter == kOneOf ? nullptr : operation_of(letter, to);
    switch (to) {
      case PushedTo::kTime: return narrow_range(operation->op, value, options_.range);
      case PushedTo::kField: return narrow_field(operation->op, value, static_cast<size_t>(column - table_.first_field()), filters_);
      case PushedTo::kTag: {
        const auto tag = static_cast<size_t>(column) - 1;
        const FieldType type = table_.columns().tag_type(tag);
        if (operation == nullptr) push_one_of(value, type, tags[tag]);
        else BRAID_TRY(narrow_tag(operation->op, value, type, tags[tag]));
        return !tags[tag].empty();
      }
      case PushedTo::kLatest:
        // Any other condition is compared with every point.
        latest_ = latest_ || holds_for_last_only(operation->op, value);
        return true;
    }
    return true;
  }

  static void push_one_of(sqlite3_value* list, FieldType type, TagChoice& choice) {
    std::vector<std::optional<std::string>> values;
    sqlite3_value* value = nullptr;
    for (int code = sqlite3_vtab_in_first(list, &value); code == SQLITE_OK && value != nullptr; code = sqlite3_vtab_in_next(list, &value)) {
      if (auto tag = equal_tag(value, type)) values.push_back(std::move(tag));
    }
    choice.require_one_of(std::move(values));
  }

  Status read_rows() {
    BRAID_ASSIGN(const HypertableDefinition* definition, table_.definition());
    Connection& connection = table_.connection;
    rows_ = {};
    at_ = 0;
    if (latest_) {
      last_.emplace(connection.series_view(), connection.series_overlay(), *definition, options_.series, options_.fields, Timestamp(INT64_MAX));
    } else {
      scan_.emplace(connection.series_view(), connection.series_overlay(), *definition, options_, filters_);
    }
    return next();
  }

  /// Stands on the first row instead of on the whole; where there is none, on an empty range.
  Status turn_to_rows() {
    BRAID_TRY(read_rows());
    if (!at_end_) {
      whole_.reset();
      return {};
    }
    whole_ = RangeKey{{Timestamp(0), Timestamp(0)}, {}};
    at_end_ = false;
    scan_.reset();
    return {};
  }

  /// In an UPDATE that changes neither time nor tags, columns that it does not name need not be read. SQLite asks for columns in order.
  bool is_unchanged(sqlite3_context* context, int column) {
    if (sqlite3_vtab_nochange(context) == 0) return false;
    if (column <= table_.tag_count()) {
      unchanged_ = column == kTimeColumn ? 1 : unchanged_ + 1;
      return true;
    }
    return unchanged_ == table_.tag_count() + 1;
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
      if (!more || (last_->time() >= options_.range.start && last_->time() < options_.range.limit)) return more;
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
    if (!tags_[tag]) return {};
    if (table_.columns().tag_type(tag) != FieldType::kInt64) {
      result_text(context, *tags_[tag]);
      return {};
    }
    const auto number = integer_of_tag(*tags_[tag]);
    if (!number)
      return Status(StatusCode::kCorrupt, fmt::format("tag '{}' of series {} is '{}', no whole number", table_.columns().tags[tag],
                                                      tags_series_.value(), *tags_[tag]));
    sqlite3_result_int64(context, *number);
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
  SeriesScanOptions options_;
  std::vector<FieldFilter> filters_;
  bool latest_ = false;
  std::optional<FilteredScan> scan_;
  std::optional<LastPoints> last_;       // instead of it
  std::optional<RangeKey> whole_;        // the one row stands for all that match
  std::span<const uint32_t> rows_;       // of the scan's run
  size_t at_ = 0;                        // in them
  int unchanged_ = 0;                    // time and tags that an UPDATE keeps, of those asked for so far
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
    if (!connection.keeps_points()) {
      BRAID_TRY(resolve_tag_references(connection, columns));
      columns.id = connection.session().catalog_writer().add_hypertable(columns);
      BRAID_TRY(create_reference_triggers(connection, columns));
    }
  }
  BRAID_TRY(declare_table(connection, declare_hypertable(columns)));
  return std::unique_ptr<VirtualTable>(std::make_unique<HypertableTable>(connection, std::move(columns)));
}

// ---- Functions -------------------------------------------------------------------------------------------------------

/// delete_points(table, since, until [, tags]): times may be NULL for no bound.
Status delete_points_function(Connection& connection, sqlite3_context*, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  const HypertableDefinition* found = connection.catalog_state().hypertable(text_of(values[0]));
  if (found == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", text_of(values[0])));
  const HypertableDefinition table = *found;  // deleting changes the catalog that it stands in
  TimeRange range;
  if (sqlite3_value_type(values[1]) != SQLITE_NULL) {
    BRAID_ASSIGN(range.start, time_of(values[1], "delete_points: since"));
  }
  if (sqlite3_value_type(values[2]) != SQLITE_NULL) {
    BRAID_ASSIGN(range.limit, time_of(values[2], "delete_points: until"));
  }
  TagValuesAllowed allowed(table.tags.size());
  if (values.size() > 3) {
    if (sqlite3_value_type(values[3]) != SQLITE_NULL) {
      auto given = allowed_tags(table, text_of(values[3]));
      if (!given.ok()) return given.status().within("delete_points");
      allowed = given.take();
    }
  }
  BRAID_ASSIGN(auto series, select_series(connection, table, allowed));
  if (series && series->empty()) return {};
  return connection.series_writer().remove_range(table, range, series ? std::move(*series) : std::vector<SeriesId>());
}

/// hypertable_compact(table): waits until each chunk interval is one file without anything deleted.
Status compact_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  if (connection.in_transaction())
    return Status(StatusCode::kMisuse, "hypertable_compact works in transactions of its own; commit or roll back first");
  BRAID_TRY(connection.pin());
  const HypertableDefinition* table = connection.catalog_state().hypertable(text_of(values[0]));
  if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", text_of(values[0])));
  const AlgorithmContext waiting = connection.algorithm_context();
  const HypertableId id = table->id;
  BRAID_TRY(connection.engine().checkpoint());
  BRAID_ASSIGN(const uint64_t count, connection.engine().rewrite({.table = id}, [&] { return waiting.check(0); }));
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(count));
  return {};
}

constexpr FunctionRow kPointFunctions[] = {{"delete_points", 3, 4, delete_points_function}, {"hypertable_compact", 1, 1, compact_function}};

}  // namespace

Status register_hypertables(Connection& connection) {
  return register_module(connection, "hypertable", ModuleKind::kCreated, make_hypertable);
}

Status register_series_functions(Connection& connection) { return register_functions(connection, FunctionUse::kDirectOnly, kPointFunctions); }

}  // namespace braid
