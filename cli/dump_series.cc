#include <fmt/format.h>

#include <array>

#include "cli/dump_parts.h"
#include "cli/result_row.h"
#include "cli/sql_text.h"
#include "cli/statement_words.h"
#include "cli/value_reader.h"

namespace braid::cli {

namespace {

// A year of more than four digits has no text that SQL reads back, but it has microseconds.
std::optional<int64_t> microseconds_of_far_time(std::string_view text) {
  constexpr size_t kYearDigits = 4;
  return text.find('-') == kYearDigits ? std::nullopt : read_calendar_time(text);
}

Done dump_points(const Session& session, const std::string& name, DumpScript* script) {
  const std::array<std::string_view, 1> texts = {name};
  Outcome<std::vector<std::string>> columns =
      texts_of(session, "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid", texts);
  if (!columns.ok()) return columns.failure();
  std::string names;
  for (const std::string& column : *columns) names += (names.empty() ? "" : ",") + quote_identifier(column);
  const std::string table = quote_identifier(name);
  Outcome<PreparedStatement> prepared = session.prepare(fmt::format("SELECT {} FROM main.{}", names, table));
  if (!prepared.ok()) return prepared.failure();
  braid_statement* statement = prepared->handle.get();
  script->into(fmt::format("INSERT INTO {}({})", table, names));
  std::vector<Cell> cells(columns->size());
  int32_t code = BRAID_ROW;
  while (!script->failed() && (code = braid_statement_step(statement)) == BRAID_ROW) {
    read_cells(statement, &cells);
    if (const auto far = microseconds_of_far_time(cells[0].text)) cells[0] = Cell::of(*far);
    CLI_TRY(script->row(cells));
  }
  if (code != BRAID_ROW && code != BRAID_DONE) return session.failure(code);
  return std::nullopt;
}

// A table with a horizon would refuse its own old points: it gets it when they are in.
Done dump_hypertable(const Session& session, const std::string& name, const std::string& sql, DumpScript* script) {
  const DumpStages& stages = script->stages();
  if (stages.makes) script->statement(sql);
  const std::string horizon = setting_of_virtual_table(sql, "horizon");
  const auto set_horizon = [&](std::string_view value) {
    script->call(fmt::format("hypertable_alter({}, 'set', 'horizon', {})", sql_string(name), sql_string(value)));
  };
  if (stages.makes && !horizon.empty()) set_horizon("none");
  if (stages.fills) {
    script->begin();
    CLI_TRY(dump_points(session, name, script));
    script->commit();
  }
  if (stages.finishes && !horizon.empty()) set_horizon(horizon);
  return std::nullopt;
}

Done dump_hypertables(const Session& session, DumpScript* script) {
  std::vector<std::pair<std::string, std::string>> tables;
  CLI_TRY(session.query("SELECT h.name, s.sql FROM hypertables AS h JOIN sqlite_schema AS s ON s.name = h.name AND s.type = 'table' ORDER BY s.rowid",
                        {}, [&tables](braid_statement* row) { tables.emplace_back(column_text(row, 0), column_text(row, 1)); }));
  for (const auto& [name, sql] : tables) CLI_TRY(dump_hypertable(session, name, sql, script));
  return std::nullopt;
}

/// Points that were dropped are still in the aggregates, which the script makes of those that are there.
Done warn_of_dropped_points(const Session& session, const std::string& name, const std::string& query, DumpScript* script) {
  Outcome<int64_t> kept = integer_of(session, fmt::format("SELECT count(*) FROM main.{}", quote_identifier(name)));
  if (!kept.ok()) return kept.failure();
  Outcome<int64_t> made = integer_of(session, fmt::format("SELECT count(*) FROM ({})", query));
  if (!made.ok()) return made.failure();
  if (*kept == *made) return std::nullopt;
  script->warn(fmt::format("the continuous aggregate {} has {} rows, of which the points that are still there make {}: what it keeps of dropped "
                           "points is not in the script; braid backup copies it",
                           quote_identifier(name), *kept, *made));
  return std::nullopt;
}

Done dump_aggregates(const Session& session, DumpScript* script) {
  std::vector<std::pair<std::string, std::string>> aggregates;
  CLI_TRY(session.query("SELECT name, query FROM continuous_aggregates", {},
                        [&aggregates](braid_statement* row) { aggregates.emplace_back(column_text(row, 0), column_text(row, 1)); }));
  for (const auto& [name, query] : aggregates) {
    script->call(fmt::format("create_continuous_aggregate({}, {})", sql_string(name), sql_string(query)));
    CLI_TRY(warn_of_dropped_points(session, name, query, script));
  }
  return std::nullopt;
}

/// What a policy does, as maintenance_policies says it: its length stands between two texts.
struct PolicyWords {
  std::string_view before;
  std::string_view after;
  const char* function;
  bool is_number;
};
constexpr std::array<PolicyWords, 3> kPolicies = {{{"drop after ", "", "add_retention_policy", false},
                                                  {"at most ", " bytes of chunks", "add_size_retention_policy", true},
                                                  {"compress after ", "", "add_compression_policy", false}}};

/// "refresh from 1 mon to 01:00:00 ago"
std::optional<std::string> refresh_arguments(std::string_view config) {
  constexpr std::string_view kFrom = "refresh from ";
  constexpr std::string_view kTo = " to ";
  constexpr std::string_view kAgo = " ago";
  if (!config.starts_with(kFrom) || !config.ends_with(kAgo)) return std::nullopt;
  config = config.substr(kFrom.size(), config.size() - kFrom.size() - kAgo.size());
  const size_t to = config.find(kTo);
  if (to == std::string_view::npos) return std::nullopt;
  const auto offset = [](std::string_view text, std::string_view none) { return text == none ? "NULL" : sql_string(text); };
  return offset(config.substr(0, to), "the first point") + ", " + offset(config.substr(to + kTo.size()), "the newest point");
}

std::optional<std::string> policy_call(std::string_view target, std::string_view config, std::string_view schedule) {
  if (const auto arguments = refresh_arguments(config)) {
    return fmt::format("add_continuous_aggregate_policy({}, {}, {})", sql_string(target), *arguments, sql_string(schedule));
  }
  for (const PolicyWords& words : kPolicies) {
    if (!config.starts_with(words.before) || !config.ends_with(words.after)) continue;
    const std::string_view value = config.substr(words.before.size(), config.size() - words.before.size() - words.after.size());
    return fmt::format("{}({}, {}, {})", words.function, sql_string(target), words.is_number ? std::string(value) : sql_string(value),
                       sql_string(schedule));
  }
  return std::nullopt;
}

Done dump_policies(const Session& session, DumpScript* script) {
  return session.query("SELECT target, config, schedule_interval FROM maintenance_policies", {}, [script](braid_statement* row) {
    const auto call = policy_call(column_text(row, 0), column_text(row, 1), column_text(row, 2));
    if (call.has_value()) {
      script->call(*call);
    } else {
      script->warn(fmt::format("a policy of {} is not known to this command: {}", column_text(row, 0), column_text(row, 1)));
    }
  });
}

}  // namespace

Done dump_series(const Session& session, DumpScript* script) {
  script->allow_commits(true);
  CLI_TRY(dump_hypertables(session, script));
  if (!script->stages().finishes) return std::nullopt;
  CLI_TRY(dump_aggregates(session, script));
  return dump_policies(session, script);
}

}  // namespace braid::cli
