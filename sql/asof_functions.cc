// ASOF: the point of a hypertable that is nearest to a time. As a row, asof(…), and as one typed value, asof_value(…).
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/sqlite_handle.h"
#include "sql/bucket_arguments.h"
#include "sql/series_selection.h"
#include "sql/sql_tokens.h"
#include "sql/table_function.h"
#include "sql/time_value.h"
#include "timeseries/series_scan.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

using Json = nlohmann::ordered_json;

enum class AsofDirection : uint8_t { kBackward, kForward, kNearest };
constexpr std::pair<std::string_view, AsofDirection> kAsofDirections[] = {
    {"backward", AsofDirection::kBackward}, {"forward", AsofDirection::kForward}, {"nearest", AsofDirection::kNearest}};

struct AsofQuestion {
  const HypertableDefinition* table = nullptr;
  std::vector<bool> fields;  // wanted
  Timestamp time;
  TagValuesAllowed tags;
  std::optional<int64_t> tolerance_us;
  AsofDirection direction = AsofDirection::kBackward;
};

struct AsofPoint {
  SeriesId series;
  Timestamp time;
  std::vector<Cell> fields;
};

Cell cell_of(const FieldValue& value, FieldType type) {
  if (value.is_null) return {};
  switch (type) {
    case FieldType::kDouble: return value.real;
    case FieldType::kInt64:
    case FieldType::kBool: return value.integer;
    case FieldType::kText:
    case FieldType::kJson: return std::string(value.text);
  }
  return {};
}

// ---- Reading the arguments ---------------------------------------------------------------------------------------------

Status read_tolerance(sqlite3_value* value, AsofQuestion& question) {
  BRAID_ASSIGN(const Interval tolerance, interval_of(value, "tolerance"));
  if (tolerance.months != 0 || tolerance.microseconds < 0)
    return Status(StatusCode::kInvalidArgument, "tolerance: expected a fixed length of time, for example '5 minutes'");
  question.tolerance_us = tolerance.microseconds;
  return {};
}

Status read_direction(std::string_view name, AsofQuestion& question) {
  for (const auto& [known, direction] : kAsofDirections) {
    if (!same_sql_name(known, name)) continue;
    question.direction = direction;
    return {};
  }
  return Status(StatusCode::kInvalidArgument, fmt::format("direction '{}': expected 'backward', 'forward' or 'nearest'", name));
}

/// `options`: tags, tolerance, direction; each may be null or NULL. False when there is no time to ask for.
Result<bool> read_question(Connection& connection, sqlite3_value* table, sqlite3_value* time, std::span<sqlite3_value* const> options, AsofQuestion& question) {
  BRAID_TRY(connection.pin());
  question.table = connection.catalog_state().hypertable(text_of(table));
  if (question.table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", text_of(table)));
  question.tags.resize(question.table->tags.size());
  const auto given = [&](size_t i) { return i < options.size() && options[i] != nullptr && sqlite3_value_type(options[i]) != SQLITE_NULL; };
  if (given(0)) {
    BRAID_ASSIGN(question.tags, allowed_tags(*question.table, text_of(options[0])));
  }
  if (given(1)) BRAID_TRY(read_tolerance(options[1], question));
  if (given(2)) BRAID_TRY(read_direction(text_of(options[2]), question));
  if (time == nullptr || sqlite3_value_type(time) == SQLITE_NULL) return false;
  BRAID_ASSIGN(question.time, time_of(time, "time"));
  return true;
}

// ---- Looking -------------------------------------------------------------------------------------------------------------

/// Times on one side of the one asked for, that one included.
TimeRange side_of(const AsofQuestion& question, bool back) {
  const int64_t time = question.time.value();
  int64_t far = 0;
  int64_t limit = 0;
  if (back) {
    if (!question.tolerance_us || __builtin_sub_overflow(time, *question.tolerance_us, &far)) far = INT64_MIN;
    if (__builtin_add_overflow(time, 1, &limit)) limit = INT64_MAX;
    return {Timestamp(far), Timestamp(limit)};
  }
  if (!question.tolerance_us || __builtin_add_overflow(time, *question.tolerance_us, &far) || __builtin_add_overflow(far, 1, &limit)) limit = INT64_MAX;
  return {Timestamp(time), Timestamp(limit)};
}

uint64_t distance(Timestamp a, Timestamp b) {
  return a < b ? static_cast<uint64_t>(b.value()) - static_cast<uint64_t>(a.value()) : static_cast<uint64_t>(a.value()) - static_cast<uint64_t>(b.value());
}

/// The nearest point of one series on one side, where it is nearer than `best`.
Status look(Connection& connection, const AsofQuestion& question, SeriesId series, bool back, std::optional<AsofPoint>& best) {
  SeriesScanOptions options{.range = side_of(question, back), .series = std::vector{series}, .fields = question.fields, .descending = back};
  // Only what is nearer than the best can win.
  if (best) {
    const uint64_t most = distance(best->time, question.time);
    if (most == 0) return {};
    const auto bound = [&](uint64_t steps) { return static_cast<int64_t>(static_cast<uint64_t>(question.time.value()) + steps); };
    if (back)
      options.range.start = std::max(options.range.start, Timestamp(bound(uint64_t{0} - (most - 1))));
    else
      options.range.limit = std::min(options.range.limit, Timestamp(bound(most)));
  }
  if (options.range.start >= options.range.limit) return {};
  SeriesScan scan(connection.series_view(), connection.series_overlay(), *question.table, std::move(options));
  BRAID_ASSIGN(const bool found, scan.next());
  if (!found) return {};
  AsofPoint point{scan.series(), scan.time(), {}};
  for (size_t i = 0; i < question.table->fields.size(); ++i)
    point.fields.push_back(question.fields[i] ? cell_of(scan.field(i), question.table->fields[i].type) : Cell());
  best = std::move(point);
  return {};
}

/// All series of the table, where no tag is given.
Result<std::vector<SeriesId>> series_of(Connection& connection, const AsofQuestion& question) {
  BRAID_ASSIGN(auto chosen, select_series(connection, *question.table, question.tags));
  if (chosen) return std::move(*chosen);
  std::vector<SeriesId> all;
  const auto visit = [&](SeriesId series, const std::string&) { all.push_back(series); };
  if (connection.writing())
    connection.session().catalog_writer().for_each_series(question.table->id, visit);
  else
    connection.engine().catalog().for_each_series(question.table->id, visit);
  std::sort(all.begin(), all.end());
  return all;
}

/// Of points equally near the earlier wins, then the series that is older.
Result<std::optional<AsofPoint>> nearest(Connection& connection, const AsofQuestion& question) {
  std::optional<AsofPoint> best;
  BRAID_ASSIGN(const std::vector<SeriesId> series, series_of(connection, question));
  const AlgorithmContext context = connection.algorithm_context();
  for (const bool back : {true, false}) {
    if (question.direction == (back ? AsofDirection::kForward : AsofDirection::kBackward)) continue;
    for (size_t i = 0; i < series.size(); ++i) {
      if (i % 64 == 63) BRAID_TRY(context.check(0));
      BRAID_TRY(look(connection, question, series[i], back, best));
    }
  }
  return best;
}

// ---- The two forms -------------------------------------------------------------------------------------------------------

Json json_of(const Cell& cell, FieldType type) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return type == FieldType::kBool ? Json(*integer != 0) : Json(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  if (const auto* text = std::get_if<std::string>(&cell)) {
    if (type != FieldType::kJson) return *text;
    Json parsed = Json::parse(*text, nullptr, false);
    return parsed.is_discarded() ? Json(*text) : parsed;
  }
  return nullptr;
}

Json json_of_tag(const HypertableDefinition& table, size_t tag, const std::optional<std::string>& value) {
  if (!value) return nullptr;
  const auto number = table.tag_type(tag) == FieldType::kInt64 ? integer_of_tag(*value) : std::nullopt;
  return number ? Json(*number) : Json(*value);
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<std::unique_ptr<FunctionResult>> run_asof(Connection& connection, std::span<sqlite3_value* const> parameters) {
  AsofQuestion question;
  const auto read = read_question(connection, parameters[0], parameters[1], parameters.subspan(2), question);
  if (!read.ok()) return read.status().within("asof");
  if (!*read) return make_rows({});
  const HypertableDefinition& table = *question.table;
  question.fields.assign(table.fields.size(), true);
  BRAID_ASSIGN(const auto found, nearest(connection, question));
  if (!found) return make_rows({});
  BRAID_ASSIGN(const TagValues tags, tags_of_series(connection, table, found->series));
  Json tag_object = Json::object();
  for (size_t i = 0; i < tags.size(); ++i) tag_object[table.tags[i]] = json_of_tag(table, i, tags[i]);
  Json fields = Json::object();
  for (size_t i = 0; i < table.fields.size(); ++i) fields[table.fields[i].name] = json_of(found->fields[i], table.fields[i].type);
  std::vector<Row> rows(1);
  rows[0] = {format_time(found->time), dumped(tag_object), dumped(fields)};
  return make_rows(std::move(rows));
}

Result<size_t> field_place(const HypertableDefinition& table, std::string_view name) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < table.fields.size(); ++i) {
    if (same_sql_name(table.fields[i].name, name)) return i;
    names.push_back(table.fields[i].name);
  }
  return Status(StatusCode::kNotFound, fmt::format("'{}' is no field of '{}'; its fields: {}", name, table.name, fmt::join(names, ", ")));
}

Status read_value(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  AsofQuestion question;
  BRAID_ASSIGN(const bool any, read_question(connection, values[0], values[2], values.subspan(3), question));
  BRAID_ASSIGN(const size_t place, field_place(*question.table, text_of(values[1])));
  if (!any) return {};
  question.fields.assign(question.table->fields.size(), false);
  question.fields[place] = true;
  BRAID_ASSIGN(const auto found, nearest(connection, question));
  if (!found) return {};
  const Cell& cell = found->fields[place];
  if (const auto* integer = std::get_if<int64_t>(&cell)) sqlite3_result_int64(context, *integer);
  if (const auto* real = std::get_if<double>(&cell)) sqlite3_result_double(context, *real);
  if (const auto* text = std::get_if<std::string>(&cell)) result_text(context, *text);
  return {};
}

Status asof_value(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  Status status = read_value(connection, context, values);
  return status.ok() ? Status() : status.within("asof_value");
}

}  // namespace

Status register_asof_functions(Connection& connection) {
  for (int count = 3; count <= 6; ++count) BRAID_TRY(register_function(connection, "asof_value", count, FunctionUse::kInnocuous, asof_value));
  static const TableFunction kAsof{
      "asof", "time TEXT, tags JSON, fields JSON", 3, {{"hypertable", true}, {"at", true}, {"where_tags"}, {"tolerance"}, {"direction"}}, run_asof};
  return register_table_function(connection, kAsof);
}

}  // namespace braid
