#include "sql/aggregate_state.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/sql_tokens.h"
#include "sql/time_text.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

/// Rollup columns of one field, in this order.
constexpr RollupFunction kStateFunctions[] = {RollupFunction::kCount, RollupFunction::kSum,   RollupFunction::kMin,    RollupFunction::kMax,
                                              RollupFunction::kFirst, RollupFunction::kLast, RollupFunction::kAverage};
constexpr size_t kRowColumns = 3;  // count(*), min(time), max(time)
constexpr size_t kFieldColumns = std::size(kStateFunctions);
constexpr int kStoredRowColumns = 4;    // bucket, rows, first and last time
constexpr int kStoredFieldColumns = 6;  // as in FieldState

StateNumber state_number(const RollupValue& value) {
  switch (value.kind) {
    case RollupValue::Kind::kInteger: return value.integer;
    case RollupValue::Kind::kReal: return value.real;
    case RollupValue::Kind::kNull:
    case RollupValue::Kind::kOverflow: break;
  }
  return {};
}

double real_of(const StateNumber& number) {
  const auto* whole = std::get_if<int64_t>(&number);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(number);
}

bool is_null(const StateNumber& number) { return number.index() == 0; }

/// States of one field hold one kind of number, but for sums that are out of range.
bool less(const StateNumber& a, const StateNumber& b) {
  const auto* left = std::get_if<int64_t>(&a);
  const auto* right = std::get_if<int64_t>(&b);
  return left != nullptr && right != nullptr ? *left < *right : real_of(a) < real_of(b);
}

StateNumber added(const StateNumber& a, const StateNumber& b) {
  if (is_null(a) || is_null(b)) return is_null(a) ? b : a;
  const auto* left = std::get_if<int64_t>(&a);
  const auto* right = std::get_if<int64_t>(&b);
  int64_t sum = 0;
  if (left != nullptr && right != nullptr && !__builtin_add_overflow(*left, *right, &sum)) return sum;
  return real_of(a) + real_of(b);
}

void result_number(sqlite3_context* context, const StateNumber& number) {
  if (const auto* whole = std::get_if<int64_t>(&number)) sqlite3_result_int64(context, *whole);
  if (const auto* real = std::get_if<double>(&number)) sqlite3_result_double(context, *real);
}

void bind_number(SqliteStatement& statement, int index, const StateNumber& number) {
  sqlite3_bind_null(statement.get(), index);
  if (const auto* whole = std::get_if<int64_t>(&number)) sqlite3_bind_int64(statement.get(), index, *whole);
  if (const auto* real = std::get_if<double>(&number)) sqlite3_bind_double(statement.get(), index, *real);
}

StateNumber stored_number(const SqliteStatement& row, int column) {
  switch (sqlite3_column_type(row.get(), column)) {
    case SQLITE_INTEGER: return row.integer(column);
    case SQLITE_FLOAT: return sqlite3_column_double(row.get(), column);
    default: return {};
  }
}

}  // namespace

void AggregateState::merge(const AggregateState& other) {
  const bool earlier = other.time_min < time_min;
  const bool later = other.time_max > time_max;
  for (size_t i = 0; i < fields.size(); ++i) {
    FieldState& to = fields[i];
    const FieldState& from = other.fields[i];
    // A sum of values that is no number makes the whole none.
    const bool no_number = (to.count > 0 && is_null(to.sum)) || (from.count > 0 && is_null(from.sum));
    to.sum = no_number ? StateNumber() : added(to.sum, from.sum);
    to.count += from.count;
    if (is_null(to.min) || (!is_null(from.min) && less(from.min, to.min))) to.min = from.min;
    if (is_null(to.max) || (!is_null(from.max) && less(to.max, from.max))) to.max = from.max;
    if (earlier) to.first = from.first;
    if (later) to.last = from.last;
  }
  rows += other.rows;
  time_min = std::min(time_min, other.time_min);
  time_max = std::max(time_max, other.time_max);
}

AggregateLayout::AggregateLayout(const AggregateDefinition& definition) {
  const auto place_in = [](std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& one) { return same_sql_name(one, name); });
    const auto at = static_cast<size_t>(found - names.begin());
    if (found == names.end()) names.push_back(name);
    return at;
  };
  for (const AggregateColumn& column : definition.columns) {
    if (column.role == AggregateRole::kTag)
      place.push_back(place_in(tags, column.source));
    else if (column.source.empty())
      place.push_back(kNone);
    else
      place.push_back(place_in(fields, column.source));
  }
}

Result<std::vector<RollupColumn>> state_columns(const HypertableDefinition& table, const std::vector<std::string>& fields) {
  std::vector<RollupColumn> columns = {{RollupFunction::kCount, kAllRows}, {RollupFunction::kMin, kTimeField}, {RollupFunction::kMax, kTimeField}};
  for (const std::string& name : fields) {
    const auto field = std::find_if(table.fields.begin(), table.fields.end(), [&](const FieldDefinition& one) { return same_sql_name(one.name, name); });
    if (field == table.fields.end())
      return Status(StatusCode::kNotFound, fmt::format("hypertable '{}' has no field '{}' any more", table.name, name));
    const bool text = field->type == FieldType::kText || field->type == FieldType::kJson;
    for (const RollupFunction function : kStateFunctions)
      columns.push_back({text ? RollupFunction::kCount : function, static_cast<size_t>(field - table.fields.begin())});
  }
  return columns;
}

AggregateState state_of(const RollupAnswer& answer, size_t row, size_t field_count) {
  AggregateState state;
  state.bucket = answer.bucket(row);
  state.rows = answer.value(row, 0).integer;
  state.time_min = answer.value(row, 1).integer;
  state.time_max = answer.value(row, 2).integer;
  state.fields.resize(field_count);
  for (size_t i = 0; i < field_count; ++i) {
    const auto value = [&](size_t function) { return answer.value(row, kRowColumns + i * kFieldColumns + function); };
    FieldState& field = state.fields[i];
    field.count = value(0).integer;
    field.sum = state_number(value(1));
    if (value(1).kind == RollupValue::Kind::kOverflow) field.sum = value(6).real * static_cast<double>(field.count);
    field.min = state_number(value(2));
    field.max = state_number(value(3));
    field.first = state_number(value(4));
    field.last = state_number(value(5));
  }
  return state;
}

Status result_column(sqlite3_context* context, const AggregateColumn& column, size_t place, const AggregateState& state, bool integer_field) {
  const FieldState* field = place == AggregateLayout::kNone ? nullptr : &state.fields[place];
  switch (column.role) {
    case AggregateRole::kCount: sqlite3_result_int64(context, field == nullptr ? state.rows : field->count); break;
    case AggregateRole::kSum:
      if (integer_field && std::holds_alternative<double>(field->sum))
        return Status(StatusCode::kInvalidArgument, fmt::format("column '{}': integer overflow", column.name));
      result_number(context, field->sum);
      break;
    case AggregateRole::kAverage:
      if (field->count > 0 && !is_null(field->sum)) sqlite3_result_double(context, real_of(field->sum) / static_cast<double>(field->count));
      break;
    case AggregateRole::kMin:
      if (field == nullptr) result_text(context, format_time(Timestamp(state.time_min)));
      else result_number(context, field->min);
      break;
    case AggregateRole::kMax:
      if (field == nullptr) result_text(context, format_time(Timestamp(state.time_max)));
      else result_number(context, field->max);
      break;
    case AggregateRole::kFirst: result_number(context, field->first); break;
    case AggregateRole::kLast: result_number(context, field->last); break;
    case AggregateRole::kBucket:
    case AggregateRole::kTag: break;
  }
  return {};
}

// ---- The table of states -------------------------------------------------------------------------------------------------

std::string state_table(AggregateId id) { return fmt::format("main._braid_aggregate_{}", id.value()); }

std::string state_column_list(const AggregateDefinition& definition) {
  const AggregateLayout layout(definition);
  std::string list = "bucket, n, time_min, time_max";
  for (size_t i = 0; i < layout.fields.size(); ++i) list += fmt::format(", count{0}, sum{0}, min{0}, max{0}, first{0}, last{0}", i);
  for (size_t i = 0; i < layout.tags.size(); ++i) list += fmt::format(", tag{}", i);
  return list;
}

/// Clustered by bucket; a second way in by the tags, for one group over a long time.
std::string create_state_table(const AggregateDefinition& definition) {
  const AggregateLayout layout(definition);
  std::string sql = fmt::format("CREATE TABLE {}(part INTEGER NOT NULL, seq INTEGER NOT NULL, {}, PRIMARY KEY(part, bucket, seq)) WITHOUT ROWID",
                                state_table(definition.id), state_column_list(definition));
  if (layout.tags.empty()) return sql;
  std::string tags;
  for (size_t i = 0; i < layout.tags.size(); ++i) tags += fmt::format("tag{}, ", i);
  return sql + fmt::format("; CREATE INDEX main._braid_aggregate_{0}_tags ON _braid_aggregate_{0}(part, {1}bucket)", definition.id.value(), tags);
}

std::string insert_state(const AggregateDefinition& definition) {
  const AggregateLayout layout(definition);
  const auto count = static_cast<size_t>(kStoredRowColumns) + layout.fields.size() * kStoredFieldColumns + layout.tags.size();
  std::string places;
  for (size_t i = 0; i < count; ++i) places += ", ?";
  return fmt::format("INSERT INTO {}(part, seq, {}) VALUES(?, ?{})", state_table(definition.id), state_column_list(definition), places);
}

void bind_state(SqliteStatement& insert, StatePart part, int64_t sequence, const AggregateState& state) {
  insert.bind(1, static_cast<int64_t>(part)).bind(2, sequence).bind(3, state.bucket).bind(4, state.rows).bind(5, state.time_min).bind(6, state.time_max);
  int at = 7;
  for (const FieldState& field : state.fields) {
    insert.bind(at++, field.count);
    for (const StateNumber* number : {&field.sum, &field.min, &field.max, &field.first, &field.last}) bind_number(insert, at++, *number);
  }
  for (const auto& tag : state.tags) {
    if (tag)
      insert.bind_text(at++, *tag);
    else
      sqlite3_bind_null(insert.get(), at++);
  }
}

AggregateState read_state(const SqliteStatement& row, size_t tag_count, size_t field_count) {
  AggregateState state;
  state.bucket = row.integer(0);
  state.rows = row.integer(1);
  state.time_min = row.integer(2);
  state.time_max = row.integer(3);
  int at = kStoredRowColumns;
  state.fields.resize(field_count);
  for (FieldState& field : state.fields) {
    field.count = row.integer(at++);
    for (StateNumber* number : {&field.sum, &field.min, &field.max, &field.first, &field.last}) *number = stored_number(row, at++);
  }
  for (size_t i = 0; i < tag_count; ++i, ++at) {
    const bool null = sqlite3_column_type(row.get(), at) == SQLITE_NULL;
    state.tags.push_back(null ? std::nullopt : std::optional(std::string(row.bytes(at))));
  }
  return state;
}

}  // namespace braid
