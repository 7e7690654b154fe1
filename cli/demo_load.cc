#include "cli/demo_load.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "cli/json_text.h"

namespace braid::cli::demo {
namespace {

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(&json, text);
  return json;
}

std::string edge_properties(const Edge& edge) {
  std::string json;
  if (edge.choices > 0) json += fmt::format(",\"choices\":{}", edge.choices);
  if (!edge.constraint.empty()) json += ",\"version\":" + json_text(edge.constraint);
  if (!edge.alternatives.empty()) json += ",\"alternatives\":" + json_text(edge.alternatives);
  return "{" + (json.empty() ? "" : json.substr(1)) + "}";
}

// Prints statements and runs them.
Done run(std::string_view sql, Page* page, const Session& session) {
  page->sql(sql);
  return execute(session, sql);
}

// Runs `step` in a transaction of its own.
template <typename Step>
Done in_transaction(const Session& session, Step step) {
  CLI_TRY(check_code(session, braid_begin(session.connection(), BRAID_WRITE), "BEGIN"));
  Done done = step();
  if (done.has_value()) {
    // The first error is the one to report; rolling back has nothing to add to it.
    (void)braid_rollback(session.connection());
    return done;
  }
  return check_code(session, braid_commit(session.connection()), "COMMIT");
}

Done create_tables(const Wording& words, Page* page, const Session& session) {
  CLI_TRY(run(
      fmt::format("CREATE TABLE {0} (name TEXT PRIMARY KEY, {1} TEXT, {2} TEXT,\n"
                  "  size_kib INTEGER, {3} TEXT, summary TEXT);\n"
                  "SELECT graph_bind('{4}', '{0}', 'name');  -- each row is a node from now on\n"
                  "CREATE VIRTUAL TABLE {5} USING hypertable(time TIMESTAMP,\n"
                  "  {6} TEXT TAG, action TEXT, {7} TEXT);",
                  words.items, words.version_column, words.group_column, words.owner_column,
                  words.label, words.events, words.tag, words.detail_column),
      page, session));
  return execute(session, "SELECT graph_create_index('Virtual', 'name', 1)");
}

Done load_items(const Inventory& inventory, const Session& session) {
  RepeatedStatement insert(&session);
  CLI_TRY(insert.prepare(
      fmt::format("INSERT INTO {} VALUES (?, ?, ?, ?, ?, ?)", inventory.wording.items)));
  for (const Item& item : inventory.items) {
    CLI_TRY(insert.bind(1, item.name));
    CLI_TRY(insert.bind(2, item.version));
    CLI_TRY(insert.bind(3, item.group));
    CLI_TRY(insert.bind(4, item.size_kib));
    CLI_TRY(insert.bind(5, item.owner));
    CLI_TRY(insert.bind(6, item.summary));
    CLI_TRY(insert.run());
  }
  return {};
}

Done load_edges(const Inventory& inventory, const Session& session) {
  RepeatedStatement node(&session);
  CLI_TRY(node.prepare("INSERT INTO graph_nodes (labels, properties) VALUES ('[\"Virtual\"]', ?)"));
  for (const std::string& name : inventory.virtuals) {
    CLI_TRY(node.bind(1, "{\"name\":" + json_text(name) + "}"));
    CLI_TRY(node.run());
  }
  RepeatedStatement link(&session);
  CLI_TRY(link.prepare("SELECT graph_link(?, ?, ?, ?, ?, ?)"));
  for (const Edge& edge : inventory.edges) {
    CLI_TRY(link.bind(1, inventory.wording.label));
    CLI_TRY(link.bind(2, edge.from));
    CLI_TRY(link.bind(3, edge.type));
    CLI_TRY(link.bind(4, edge.to_virtual ? "Virtual" : inventory.wording.label));
    CLI_TRY(link.bind(5, edge.to));
    CLI_TRY(link.bind(6, edge_properties(edge)));
    CLI_TRY(link.run());
  }
  return {};
}

Done load_events(const Inventory& inventory, const Session& session) {
  RepeatedStatement insert(&session);
  CLI_TRY(
      insert.prepare(fmt::format("INSERT INTO {} VALUES (?, ?, ?, ?)", inventory.wording.events)));
  for (const Event& event : inventory.events) {
    CLI_TRY(insert.bind(1, event.time));
    CLI_TRY(insert.bind(2, event.item));
    CLI_TRY(insert.bind(3, event.action));
    CLI_TRY(insert.bind(4, event.detail));
    CLI_TRY(insert.run());
  }
  return {};
}

// Points without SQL: the appender takes numbers as they are.
Done append_samples(const Load& load, const Session& session) {
  braid_appender* appender = nullptr;
  CLI_TRY(check_code(session, braid_appender_open(session.connection(), "machine_load", &appender),
                     "machine_load"));
  int32_t code = BRAID_OK;
  for (const Sample& sample : load.samples) {
    const std::array<std::optional<double>, 4> fields = {sample.busy_percent, sample.used_mib,
                                                         sample.read_kib, sample.written_kib};
    std::array<double, 4> values{};
    std::array<uint8_t, 4> nulls{};
    for (size_t i = 0; i < fields.size(); ++i) {
      values[i] = fields[i].value_or(0);
      nulls[i] = fields[i].has_value() ? 0 : 1;
    }
    const char* tag = sample.device.c_str();
    code = braid_appender_series(appender, &tag, 1);
    if (code != BRAID_OK) break;
    code = braid_appender_point(appender, sample.time, values.data(), nulls.data(), values.size());
    if (code != BRAID_OK) break;
  }
  Done appended = check_code(session, code, "appending to machine_load");
  const int32_t closed = braid_appender_close(appender);
  return appended.has_value() ? appended : check_code(session, closed, "appending to machine_load");
}

Done load_devices(const Load& load, const Session& session) {
  RepeatedStatement insert(&session);
  CLI_TRY(insert.prepare("INSERT INTO devices VALUES (?, ?, ?)"));
  for (const Device& device : load.devices) {
    CLI_TRY(insert.bind(1, device.name));
    CLI_TRY(insert.bind(2, device.kind));
    CLI_TRY(insert.bind(3, device.detail));
    CLI_TRY(insert.run());
  }
  return append_samples(load, session);
}

std::string counted(size_t count) { return std::to_string(count); }

}  // namespace

Done load_inventory(const Inventory& inventory, Page* page, const Session& session) {
  const Wording& words = inventory.wording;
  CLI_TRY(create_tables(words, page, session));
  const auto start = std::chrono::steady_clock::now();
  CLI_TRY(in_transaction(session, [&]() -> Done {
    CLI_TRY(load_items(inventory, session));
    CLI_TRY(load_edges(inventory, session));
    return load_events(inventory, session);
  }));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  page->text(fmt::format("Loaded from {} in one transaction, in {:.2f} s:", words.origin,
                         seconds.count()));
  page->line("");
  page->table(Table{
      .names = {"model", "what", "count"},
      .numeric = {false, false, true},
      .rows = {{"rows", words.items + ", each one a node as well", counted(inventory.items.size())},
               {"graph", "edges", counted(inventory.edges.size())},
               {"graph", "nodes of virtual packages", counted(inventory.virtuals.size())},
               {"series", "points in " + words.events, counted(inventory.events.size())}}});
  return {};
}

Done load_machine(const Load& load, Page* page, const Session& session) {
  CLI_TRY(
      run("CREATE TABLE devices (name TEXT PRIMARY KEY, kind TEXT, detail TEXT);\n"
          "CREATE VIRTUAL TABLE machine_load USING hypertable(time TIMESTAMP, device TEXT TAG,\n"
          "  busy_percent DOUBLE, used_mib DOUBLE, read_kib DOUBLE, written_kib DOUBLE);",
          page, session));
  CLI_TRY(in_transaction(session, [&] { return load_devices(load, session); }));
  page->text(
      fmt::format("It took {} samples of {} devices.", load.samples.size(), load.devices.size()));
  return {};
}

}  // namespace braid::cli::demo
