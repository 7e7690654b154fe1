#include "cli/node_target.h"

#include <fmt/format.h>

#include <array>

#include "cli/json_text.h"

namespace braid::cli {

Outcome<bool> has_node_index(const Session& session, const std::string& label,
                             const std::string& property) {
  int64_t node = 0;
  const int32_t code =
      braid_node_find(session.connection(), label.c_str(), property.c_str(), "\"\"", &node);
  if (code == BRAID_OK) return true;
  if (code == BRAID_NOT_FOUND) return false;
  return session.failure(code);
}

Done NodeTarget::plan(std::vector<ImportColumn>* columns) {
  const std::optional<size_t> key = find_column(*columns, arguments_.key);
  if (!key.has_value()) {
    return Failure{fmt::format("line 1: there is no column \"{}\" (--key); the columns are {}",
                               arguments_.key, column_names(*columns))};
  }
  key_ = *key;
  Outcome<bool> has_index = has_node_index(session_, arguments_.name, (*columns)[key_].name);
  if (!has_index.ok()) return has_index.failure();
  has_index_ = *has_index;
  if (has_index_ && !(*columns)[key_].type.has_value()) return plan_key_type(&(*columns)[key_]);
  return std::nullopt;
}

// A file whose keys all look like integers can belong to nodes whose keys are text: those that
// exist decide.
Done NodeTarget::plan_key_type(ImportColumn* key) const {
  std::string type;
  const std::array<std::string_view, 2> texts = {arguments_.name, key->name};
  CLI_TRY(
      session_.query("SELECT p.type FROM graph_nodes AS n, json_each(n.labels) AS l, "
                     "json_each(n.properties) AS p WHERE l.value = ?1 AND p.key = ?2 LIMIT 1",
                     texts, [&type](braid_statement* row) { type = column_text(row, 0); }));
  if (type == "text") key->type = ColumnType::kText;
  if (type == "integer") key->type = ColumnType::kInteger;
  if (type == "real") key->type = ColumnType::kDouble;
  key->fixed = key->type.has_value();
  return std::nullopt;
}

Done NodeTarget::begin(const std::vector<ImportColumn>& columns) {
  columns_ = columns;
  labels_ = "[";
  append_json_string(&labels_, arguments_.name);
  labels_ += ']';
  if (has_index_) return std::nullopt;
  const std::array<std::string_view, 2> texts = {arguments_.name, columns_[key_].name};
  CLI_TRY(session_.run("SELECT graph_create_index(?1, ?2, 1)", texts));
  notes_ = fmt::format("created the unique index on {}.{}", arguments_.name, columns_[key_].name);
  return std::nullopt;
}

Done NodeTarget::add(std::span<const ImportValue> values, int64_t) {
  if (values[key_].null) {
    return Failure{
        fmt::format("column \"{}\" is empty; every node needs its key", columns_[key_].name)};
  }
  Outcome<std::string> properties = json_object(columns_, values);
  if (!properties.ok()) return properties.failure();
  std::string value;
  append_json_value(&value, values[key_]);

  braid_connection* connection = session_.connection();
  int64_t node = 0;
  CLI_TRY(session_.check(braid_node_find(connection, arguments_.name.c_str(),
                                         columns_[key_].name.c_str(), value.c_str(), &node)));
  if (node != 0) {
    return session_.check(braid_node_update(connection, node, nullptr, properties->c_str()));
  }
  return session_.check(braid_node_create(connection, labels_.c_str(), properties->c_str(), &node));
}

}  // namespace braid::cli
