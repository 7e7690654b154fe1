#include "sql/series_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/sqlite_handle.h"
#include "graph/pace.h"
#include "sql/graph_access.h"
#include "sql/algorithm_access.h"
#include "sql/sql_tokens.h"

namespace braid {

namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", name);
  return list.empty() ? "none" : list;
}

Result<std::string> tag_of(const HypertableDefinition& table, std::optional<std::string_view> wanted) {
  if (!wanted && table.tags.size() == 1) return table.tags.front();
  for (const std::string& tag : table.tags)
    if (wanted && same_sql_name(tag, *wanted)) return tag;
  return Status(StatusCode::kInvalidArgument, fmt::format("{} of hypertable '{}'; its tags: {}",
                                                          wanted ? fmt::format("'{}' is no tag", *wanted) : std::string("say which tag"),
                                                          table.name, quoted_list(table.tags)));
}

Result<std::string> field_of(const HypertableDefinition& table, std::string_view wanted) {
  std::vector<std::string> numeric;
  for (const FieldDefinition& field : table.fields) {
    const bool is_number = field.type == FieldType::kDouble || field.type == FieldType::kInt64 || field.type == FieldType::kBool;
    if (is_number && same_sql_name(field.name, wanted)) return field.name;
    if (is_number) numeric.push_back(field.name);
  }
  return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no field of numbers of hypertable '{}'; it has {}", wanted, table.name,
                                                          quoted_list(numeric)));
}

/// The only label with a key, when none is given.
Result<std::string> label_of(Connection& connection, std::optional<std::string_view> wanted) {
  if (wanted) return std::string(*wanted);
  std::vector<std::string> keyed;
  const auto offer = [&](uint32_t label) {
    const std::string& name = connection.name(NameKind::kLabel, label);
    if (std::find(keyed.begin(), keyed.end(), name) == keyed.end()) keyed.push_back(name);
  };
  const CatalogState& state = connection.catalog_state();
  for (const auto& [label, binding] : state.bindings) offer(label.value());
  for (const auto& [id, index] : state.indexes)
    if (!index.on_edges && index.unique) offer(index.scope);
  if (keyed.size() == 1) return keyed.front();
  return Status(StatusCode::kInvalidArgument, fmt::format("say of which label the nodes are that the series belong to; labels with a key: {}",
                                                          quoted_list(keyed)));
}

/// The node whose key is the tag: as text, else as the whole number that it spells.
Result<std::optional<NodeId>> node_of_tag(Connection& connection, std::string_view label, std::string_view tag) {
  BRAID_ASSIGN(const auto by_text, find_node_by_key(connection, label, {std::string(tag)}));
  if (by_text) return by_text;
  int64_t number = 0;
  const auto parsed = std::from_chars(tag.data(), tag.data() + tag.size(), number);
  if (parsed.ec != std::errc() || fmt::format("{}", number) != tag) return std::optional<NodeId>();
  return find_node_by_key(connection, label, {number});
}

Number number_in(const SqliteStatement& row, int column) {
  if (sqlite3_column_type(row.get(), column) == SQLITE_INTEGER) return row.integer(column);
  return sqlite3_column_double(row.get(), column);
}

}  // namespace

Result<std::vector<Totals>> read_series_numbers(Connection& connection, const Projection& projection, const HierarchyPart& part,
                                                const SeriesQuestion& question, const AlgorithmContext& context) {
  const HypertableDefinition* table = connection.catalog_state().hypertable(question.hypertable);
  if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", question.hypertable));
  BRAID_ASSIGN(const std::string tag, tag_of(*table, question.tag));
  BRAID_ASSIGN(const std::string field, field_of(*table, question.field));
  BRAID_ASSIGN(const std::string label, label_of(connection, question.label));
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection.db(),
                                         fmt::format("SELECT {0}, count({1}), sum({1}), min({1}), max({1}) FROM main.{2} "
                                                     "WHERE {0} IS NOT NULL AND {3} >= ?1 AND {3} < ?2 GROUP BY {0}",
                                                     quote_identifier(tag), quote_identifier(field), quote_identifier(table->name),
                                                     quote_identifier(table->time_column))));
  rows.bind(1, question.range.start.value()).bind(2, question.range.limit.value());
  std::vector<Totals> numbers(part.size());
  Pace pace(context);
  for (;;) {
    BRAID_TRY(pace.step(1));
    BRAID_ASSIGN(const bool more, step_within(rows, context));
    if (!more) return numbers;
    const int64_t count = rows.integer(1);
    if (count == 0) continue;
    BRAID_ASSIGN(const auto node, node_of_tag(connection, label, rows.bytes(0)));
    const auto vertex = node ? projection.vertex(*node) : std::nullopt;
    const auto place = vertex ? part.place(*vertex) : std::nullopt;
    if (place) numbers[*place].merge(Totals(count, number_in(rows, 2), number_in(rows, 3), number_in(rows, 4)));
  }
}

}  // namespace braid
