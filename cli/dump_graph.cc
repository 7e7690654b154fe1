#include <fmt/format.h>

#include <array>

#include "cli/dump_parts.h"
#include "cli/result_row.h"
#include "cli/sql_text.h"

namespace braid::cli {

namespace {

// Ids are the engine's: the script remembers which new one an old one has become.
constexpr std::array<const char*, 5> kMakeTables = {
    "CREATE TEMP TABLE dump_node(old INTEGER PRIMARY KEY, new INTEGER)",
    "CREATE TEMP VIEW dump_nodes AS SELECT 0 AS id, '' AS labels, '' AS properties",
    "CREATE TEMP TRIGGER dump_nodes_insert INSTEAD OF INSERT ON dump_nodes BEGIN "
    "INSERT INTO graph_nodes(labels, properties) VALUES(NEW.labels, NEW.properties); "
    "INSERT INTO dump_node VALUES(NEW.id, last_insert_rowid()); END",
    "CREATE TEMP VIEW dump_edges AS SELECT 0 AS src, '' AS type, 0 AS dst, '' AS properties",
    "CREATE TEMP TRIGGER dump_edges_insert INSTEAD OF INSERT ON dump_edges BEGIN "
    "INSERT INTO graph_edges(src, type, dst, properties) VALUES((SELECT new FROM dump_node WHERE old = NEW.src), NEW.type, "
    "(SELECT new FROM dump_node WHERE old = NEW.dst), NEW.properties); END"};
constexpr std::array<const char*, 3> kDropTables = {"DROP VIEW temp.dump_nodes", "DROP VIEW temp.dump_edges", "DROP TABLE temp.dump_node"};

struct Binding {
  std::string label;
  std::string table;
  std::string key;
  std::string on_delete;
};

Outcome<std::vector<Binding>> bindings_of(const Session& session) {
  std::vector<Binding> bindings;
  CLI_TRY(session.query("SELECT label, table_name, key_column, on_delete FROM graph_bindings", {}, [&bindings](braid_statement* row) {
    bindings.push_back({std::string(column_text(row, 0)), std::string(column_text(row, 1)), std::string(column_text(row, 2)),
                        std::string(column_text(row, 3))});
  }));
  return bindings;
}

// Those of bindings come with them.
Done dump_indexes(const Session& session, bool rows, DumpScript* script) {
  return session.query(
      fmt::format("SELECT kind = 'edge', name, property, is_unique FROM graph_indexes WHERE NOT ({} AND is_bound)", rows ? 1 : 0), {},
      [script](braid_statement* row) {
        script->call(fmt::format("{}({}, {}, {})", braid_column_int64(row, 0) != 0 ? "graph_create_edge_index" : "graph_create_index",
                                 sql_string(column_text(row, 1)), sql_string(column_text(row, 2)), braid_column_int64(row, 3)));
      });
}

/// The label's name and its key's, as arguments of graph_node.
std::string key_arguments(const Binding& binding) { return fmt::format("{}, {}", sql_string(binding.label), sql_string(binding.key)); }

void make_binding(const Binding& binding, DumpScript* script) {
  script->call(fmt::format("graph_bind({}, {}, {}, {})", sql_string(binding.label), sql_string(binding.table), sql_string(binding.key),
                           sql_string(binding.on_delete)));
}

/// The new nodes of rows, found by their keys.
Done map_bound_nodes(const Session& session, const Binding& binding, DumpScript* script) {
  Outcome<PreparedStatement> prepared = session.prepare(
      fmt::format("SELECT graph_node({}, t.{}), t.{} FROM main.{} AS t", key_arguments(binding), quote_identifier(binding.key),
                  quote_identifier(binding.key), quote_identifier(binding.table)));
  if (!prepared.ok()) return prepared.failure();
  braid_statement* row = prepared->handle.get();
  script->into("INSERT INTO temp.dump_node");
  int32_t code = BRAID_ROW;
  while (!script->failed() && (code = braid_statement_step(row)) == BRAID_ROW) {
    std::array<std::string, 2> expressions = {std::to_string(braid_column_int64(row, 0)), ""};
    std::string key;
    CLI_TRY(script->value(cell_of(row, 1), &key));
    expressions[1] = fmt::format("graph_node({}, {})", key_arguments(binding), key);
    script->row_of(expressions);
  }
  if (code != BRAID_ROW && code != BRAID_DONE) return session.failure(code);
  return std::nullopt;
}

/// Labels and properties that a bound node has beside those of its row.
Done dump_further_properties(const Session& session, const Binding& binding, DumpScript* script) {
  const std::array<std::string_view, 2> texts = {binding.label, binding.table};
  Done failed;
  CLI_TRY(session.query(
      "SELECT id, labels, properties FROM graph_nodes WHERE label = ?1 AND (json_array_length(labels) > 1 OR "
      "EXISTS(SELECT 1 FROM json_each(properties) WHERE key NOT IN (SELECT name FROM pragma_table_xinfo(?2))))",
      texts, [&](braid_statement* row) {
        if (failed.has_value()) return;
        std::string labels;
        std::string properties;
        failed = script->value(cell_of(row, 1), &labels);
        if (!failed.has_value()) failed = script->value(cell_of(row, 2), &properties);
        script->statement(fmt::format("UPDATE graph_nodes SET labels = {}, properties = {} WHERE id = (SELECT new FROM temp.dump_node WHERE old = {})",
                                      labels, properties, braid_column_int64(row, 0)));
        script->drop_pieces();
            }));
  return failed;
}

Done dump_items(std::string head, std::string_view sql, DumpScript* script) {
  script->into(std::move(head));
  return script->rows_of(sql);
}

Done fill_graph(const Session& session, const std::vector<Binding>& bindings, DumpScript* script) {
  for (const char* sql : kMakeTables) script->statement(sql);
  script->begin();
  for (const Binding& binding : bindings) CLI_TRY(map_bound_nodes(session, binding, script));
  for (const Binding& binding : bindings) CLI_TRY(dump_further_properties(session, binding, script));
  CLI_TRY(dump_items("INSERT INTO dump_nodes",
                     bindings.empty() ? "SELECT id, labels, properties FROM graph_nodes ORDER BY id"
                                      : "SELECT id, labels, properties FROM graph_nodes WHERE NOT EXISTS(SELECT 1 FROM json_each(labels) "
                                        "WHERE value IN (SELECT label FROM graph_bindings)) ORDER BY id",
                     script));
  CLI_TRY(dump_items("INSERT INTO dump_edges", "SELECT src, type, dst, properties FROM graph_edges ORDER BY id", script));
  script->commit();
  for (const char* sql : kDropTables) script->statement(sql);
  return std::nullopt;
}

}  // namespace

Done dump_graph(const Session& session, bool rows, DumpScript* script) {
  Outcome<std::vector<Binding>> bindings = bindings_of(session);
  if (!bindings.ok()) return bindings.failure();
  if (!rows) {
    for (const Binding& binding : *bindings) {
      script->warn(fmt::format("nodes with the label {} are rows of the table {}; in this script, which has no rows, they are ordinary nodes",
                               binding.label, quote_identifier(binding.table)));
    }
    bindings->clear();
  }
  const DumpStages& stages = script->stages();
  script->allow_commits(true);
  if (stages.makes) {
    CLI_TRY(dump_indexes(session, rows, script));
    for (const Binding& binding : *bindings) make_binding(binding, script);
  }
  if (stages.fills) CLI_TRY(fill_graph(session, *bindings, script));
  if (!stages.finishes) return std::nullopt;
  return session.query("SELECT type, direction FROM graph_hierarchies", {}, [script](braid_statement* row) {
    script->call(fmt::format("graph_hierarchy({}, {})", sql_string(column_text(row, 0)), sql_string(column_text(row, 1))));
  });
}

}  // namespace braid::cli
