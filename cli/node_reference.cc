#include "cli/node_reference.h"

#include <fmt/format.h>

#include <array>

#include "cli/import_options.h"
#include "cli/json_text.h"
#include "cli/key_form.h"
#include "cli/node_target.h"
#include "cli/value_reader.h"

namespace braid::cli {

namespace {

Outcome<int64_t> check_id(const Session& session, int64_t id) {
  const int32_t code = braid_node_read(session.connection(), id, nullptr, nullptr);
  if (code == BRAID_OK) return id;
  if (code == BRAID_NOT_FOUND) return Failure{fmt::format("there is no node {}", id)};
  return session.failure(code);
}

Outcome<int64_t> find_by_index(const Session& session, const EdgeEnd& name) {
  for (size_t form = 0; form < kKeyForms; ++form) {
    const auto json = key_json(name.column, static_cast<KeyForm>(form));
    if (!json.has_value()) continue;
    int64_t node = 0;
    const int32_t code = braid_node_find(session.connection(), name.label.c_str(), name.key.c_str(),
                                         json->c_str(), &node);
    if (code != BRAID_OK) return session.failure(code);
    if (node != 0) return node;
  }
  return int64_t{0};
}

Outcome<int64_t> find_by_scan(const Session& session, const EdgeEnd& name) {
  std::string path = "$.";
  append_json_string(&path, name.key);
  int64_t node = 0;
  const std::array<std::string_view, 3> texts = {name.label, path, name.column};
  Done done = session.query(
      "SELECT min(id) FROM graph_nodes WHERE label = ?1 AND CAST(json_extract(properties, ?2) AS "
      "TEXT) = ?3",
      texts, [&node](braid_statement* row) { node = braid_column_int64(row, 0); });
  if (done.has_value()) return *done;
  return node;
}

}  // namespace

Outcome<int64_t> find_named_node(const Session& session, const std::string& name) {
  if (const auto id = read_integer(name)) return check_id(session, *id);
  const std::optional<EdgeEnd> parts = read_edge_end(name);
  if (!parts.has_value()) {
    return Failure{fmt::format(
        "--from {}: give LABEL.KEY=VALUE, such as Bus.id=7, or the id of a node", name)};
  }
  Outcome<bool> indexed = has_node_index(session, parts->label, parts->key);
  if (!indexed.ok()) return indexed.failure();
  Outcome<int64_t> node = *indexed ? find_by_index(session, *parts) : find_by_scan(session, *parts);
  if (!node.ok()) return node.failure();
  if (*node != 0) return *node;
  return Failure{fmt::format("--from {}: there is no {} node with {} = '{}'", name, parts->label,
                             parts->key, parts->column)};
}

}  // namespace braid::cli
