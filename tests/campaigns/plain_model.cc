#include "tests/campaigns/plain_model.h"

#include <fmt/format.h>

namespace braid {
namespace {

std::string number_text(const std::optional<int64_t>& value) { return value ? std::to_string(*value) : ""; }

}  // namespace

bool PlainModel::has_node(int64_t id) const {
  if (nodes.contains(id)) return true;
  for (const auto& [key, row] : rows)
    if (row.node == id) return true;
  return false;
}

bool PlainModel::has_edges(int64_t node) const {
  for (const auto& [id, edge] : edges)
    if (edge.source == node || edge.target == node) return true;
  return false;
}

void PlainModel::remove_edges(int64_t node) {
  std::erase_if(edges, [&](const auto& entry) { return entry.second.source == node || entry.second.target == node; });
}

std::string PlainModel::text() const {
  std::string out = "rows:";
  for (const auto& [id, row] : rows) out += fmt::format(" {}|{}|{}{};", id, row.name, number_text(row.value), std::string(static_cast<size_t>(row_columns), '|'));
  out += " nodes:";
  std::map<int64_t, std::string> all;
  for (const auto& [id, x] : nodes) all[id] = fmt::format(" {}|[\"N\"]|{}|;", id, number_text(x));
  for (const auto& [id, row] : rows) all[row.node] = fmt::format(" {}|[\"Device\"]||{};", row.node, row.name);
  for (const auto& [id, one] : all) out += one;
  out += " edges:";
  for (const auto& [id, edge] : edges) out += fmt::format(" {}|{}|{}|{}|{};", id, edge.source, edge.type, edge.target, edge.weight);
  out += " points:";
  for (const auto& [key, point] : points) {
    out += fmt::format(" {}|{}", key.first, key.second);
    for (const auto& value : point) out += "|" + number_text(value);
    out += ";";
  }
  return out;
}

std::string content_of(TestConnection& connection, const PlainModel& model) {
  std::string row_columns, fields;
  for (int i = 0; i < model.row_columns; ++i) row_columns += fmt::format(", extra{}", i);
  for (const std::string& field : model.fields) fields += ", " + field;
  const std::pair<const char*, std::string> questions[] = {
      {"rows:", "SELECT id, name, value" + row_columns + " FROM devices ORDER BY id"},
      {" nodes:", "SELECT id, labels, json_extract(properties, '$.x'), json_extract(properties, '$.name') FROM graph_nodes ORDER BY id"},
      {" edges:", "SELECT id, src, type, dst, json_extract(properties, '$.w') FROM graph_edges ORDER BY id"},
      {" points:", "SELECT host, CAST(strftime('%s', time) AS INTEGER)" + fields + " FROM readings ORDER BY host, time"}};
  std::string out;
  for (const auto& [name, sql] : questions) {
    out += name;
    std::string rows = connection.rows(sql);
    if (rows.empty()) continue;
    for (size_t at = rows.find(';'); at != std::string::npos; at = rows.find(';', at + 2)) rows.insert(at + 1, " ");
    out += " " + rows + ";";
  }
  return out;
}

}  // namespace braid
