#include "cli/demo_tour.h"

#include <fmt/format.h>

#include "cli/demo_subject.h"
#include "cli/sql_text.h"

namespace braid::cli::demo {
namespace {

Done show_breakage(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  const std::string name = choose_needed(inventory);
  std::string question = fmt::format(
      "What would break if {} went? Whatever needs it, and whatever needs that, and so on.", name);
  if (!inventory.virtuals.empty()) {
    question +=
        " An edge with another choice that is here (a | b, or a virtual package with two "
        "providers) holds.";
  }
  page->text(question);
  return show(
      page, session,
      fmt::format("WITH RECURSIVE broken(node) AS (\n"
                  "  SELECT graph_node('{0}', 'name', {1})\n"
                  "  UNION\n"
                  "  SELECT next.node\n"
                  "  FROM broken, graph_neighbors(broken.node, 'both') AS next\n"
                  "  JOIN graph_edges AS edge ON edge.id = next.edge\n"
                  "  WHERE (next.direction = 'in' AND next.type IN ({2})\n"
                  "         AND edge.properties ->> 'choices' = 1)\n"
                  "     OR (next.direction = 'out' AND next.type = 'PROVIDES'))\n"
                  "SELECT p.name, p.{3}, p.size_kib, count(*) OVER () AS affected\n"
                  "FROM broken JOIN graph_nodes AS n ON n.id = broken.node\n"
                  "JOIN {4} AS p ON p.name = n.properties ->> 'name'\n"
                  "WHERE p.name <> {1}\n"
                  "ORDER BY p.size_kib DESC LIMIT 8;",
                  words.label, sql_string(name), words.needs_sql, words.group_column, words.items));
}

Done show_path(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  const auto [from, to] = choose_far_apart(inventory);
  page->text(fmt::format("How does {} come to need {}? No two are farther apart here.", from, to));
  return show(
      page, session,
      fmt::format("SELECT path.step, p.name, p.{4}, p.summary\n"
                  "FROM graph_shortest_path(graph_node('{0}', 'name', {1}),\n"
                  "                         graph_node('{0}', 'name', {2}), 'out', '{3}') AS path\n"
                  "JOIN graph_nodes AS n ON n.id = path.node\n"
                  "JOIN {5} AS p ON p.name = n.properties ->> 'name'\n"
                  "ORDER BY path.step;",
                  words.label, sql_string(from), sql_string(to), words.need, words.group_column,
                  words.items));
}

// Rows, edges and points, counted at one moment.
Done count_models(const Wording& words, const std::string& when, Table* table,
                  const Session& session) {
  Table counts;
  CLI_TRY(query_table(session,
                      fmt::format("SELECT {} AS \"when\", (SELECT count(*) FROM {}) AS rows,\n"
                                  "  (SELECT count(*) FROM graph_edges) AS edges,\n"
                                  "  (SELECT count(*) FROM {}) AS points",
                                  sql_string(when), words.items, words.events),
                      &counts));
  table->names = counts.names;
  table->numeric = counts.numeric;
  table->rows.insert(table->rows.end(), counts.rows.begin(), counts.rows.end());
  return {};
}

// The statements between BEGIN and the end: a row (which is a node), an edge and a point.
std::string change_of_all_three(const Wording& words, const std::string& name,
                                const std::string& needed) {
  return fmt::format(
      "INSERT INTO {0} (name, {1}, size_kib) VALUES ({2}, 'demo', 42);\n"
      "SELECT graph_link('{3}', {2}, '{4}', '{3}', {5});\n"
      "INSERT INTO {6} VALUES (now(), {2}, 'install', '1.0');",
      words.items, words.group_column, sql_string(name), words.label, words.direct_need, sql_string(needed),
      words.events);
}

Done show_one_transaction(const Wording& words, const std::string& name, const std::string& needed,
                          const std::string& end, Page* page, const Session& session) {
  Table table;
  const std::string change = change_of_all_three(words, name, needed);
  page->sql(fmt::format("BEGIN;\n{}\n{};", change, end));
  CLI_TRY(count_models(words, "before", &table, session));
  CLI_TRY(execute(session, "BEGIN"));
  CLI_TRY(execute(session, change));
  CLI_TRY(count_models(words, "inside the transaction", &table, session));
  CLI_TRY(execute(session, end));
  CLI_TRY(count_models(words, "after " + end, &table, session));
  page->table(table);
  return {};
}

Done show_refusal(const Wording& words, const std::string& needed, Page* page,
                  const Session& session) {
  page->text(
      fmt::format("The graph guards its rows: {} cannot go while edges lead to it.", needed));
  const auto sql = fmt::format("DELETE FROM {} WHERE name = {};", words.items, sql_string(needed));
  page->sql(sql);
  const int32_t code = braid_execute(session.connection(), sql.c_str(), BRAID_NUL_TERMINATED);
  if (code != BRAID_CONSTRAINT) {
    return Failure{fmt::format("deleting {} was not refused as it should be: {}", needed,
                               braid_code_text(code))};
  }
  page->line(fmt::format("  refused: {}", braid_connection_error(session.connection())));
  return {};
}

}  // namespace

Done show_rows(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  page->heading("2. Rows: what fills this machine");
  return show(page, session,
              fmt::format("SELECT {0}, count(*) AS {1}, round(sum(size_kib) / 1024.0, 1) AS mib\n"
                          "FROM {1} GROUP BY {0} ORDER BY mib DESC LIMIT 6;",
                          words.group_column, words.items));
}

Done show_graph(const Inventory& inventory, Page* page, const Session& session) {
  page->heading("3. Graph: what needs what");
  CLI_TRY(show_breakage(inventory, page, session));
  return show_path(inventory, page, session);
}

Done show_series(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  page->heading("4. Series: what happened, and how busy the machine is");
  page->text(fmt::format("The busiest days in {}:", words.events));
  CLI_TRY(show(page, session,
               fmt::format("SELECT date(time_bucket('1 day', time)) AS day, count(*) AS events,\n"
                           "  count(DISTINCT {0}) AS {1}\n"
                           "FROM {2} GROUP BY day ORDER BY events DESC LIMIT 5;",
                           words.tag, words.items, words.events)));
  page->text("The load of each second, beside the row of the device that it belongs to:");
  return show(
      page, session,
      "SELECT time_bucket('1 second', l.time) AS second, d.name, d.detail,\n"
      "  round(avg(l.busy_percent), 1) AS busy, round(last(l.used_mib, l.time)) AS used_mib,\n"
      "  round(avg(l.read_kib)) AS \"read_kib/s\", round(avg(l.written_kib)) AS \"written_kib/s\"\n"
      "FROM machine_load AS l JOIN devices AS d ON d.name = l.device\n"
      "WHERE d.kind <> 'processor'\n"
      "GROUP BY second, d.name ORDER BY second, d.name LIMIT 16;");
}

Done show_three_models(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  const std::string name = choose_needed(inventory);
  page->heading("5. One query over all three models");
  page->text(
      fmt::format("Of what is at most two steps from needing {}: which changed last, and how large "
                  "is it? The graph finds them, the series dates them, the rows describe them.",
                  name));
  return show(
      page, session,
      fmt::format("SELECT p.name, p.size_kib, hop.depth, count(*) AS events, datetime(max(e.time)) "
                  "AS last_event,\n"
                  "  last(e.action, e.time) AS action\n"
                  "FROM graph_hops(graph_node('{0}', 'name', {1}), 2, 'in') AS hop -- graph\n"
                  "JOIN graph_nodes AS n ON n.id = hop.node\n"
                  "JOIN {2} AS p ON p.name = n.properties ->> 'name' -- rows\n"
                  "JOIN {3} AS e ON e.{4} = p.name -- series\n"
                  "GROUP BY p.name ORDER BY max(e.time) DESC LIMIT 8;",
                  words.label, sql_string(name), words.items, words.events, words.tag));
}

Done show_transactions(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  const std::string needed = choose_needed(inventory);
  page->heading("6. One transaction changes all three, or none");
  page->text("This one is committed:");
  CLI_TRY(show_one_transaction(words, "braid-demo-kept", needed, "COMMIT", page, session));
  page->text("This one sees its own changes in all three models, and then takes all of them back:");
  CLI_TRY(show_one_transaction(words, "braid-demo-undone", needed, "ROLLBACK", page, session));
  return show_refusal(words, needed, page, session);
}

}  // namespace braid::cli::demo
