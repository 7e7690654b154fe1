#include "cli/dump.h"

#include <fmt/format.h>

#include <array>

#include "cli/dump_parts.h"
#include "cli/sql_text.h"

namespace braid::cli {

Outcome<std::vector<std::string>> texts_of(const Session& session, std::string_view sql,
                                           std::span<const std::string_view> texts) {
  std::vector<std::string> found;
  CLI_TRY(session.query(sql, texts, [&found](braid_statement* row) { found.emplace_back(column_text(row, 0)); }));
  return found;
}

Outcome<int64_t> integer_of(const Session& session, std::string_view sql,
                            std::span<const std::string_view> texts) {
  int64_t number = 0;
  CLI_TRY(session.query(sql, texts, [&number](braid_statement* row) { number = braid_column_int64(row, 0); }));
  return number;
}

namespace {

constexpr const char* kHead = "Braid: SQL that makes a database. Run it into an empty one: braid NEWDIR -f THIS_FILE";

// Numbers that a program keeps beside its tables.
Done dump_pragmas(const Session& session, DumpScript* script) {
  constexpr std::array<const char*, 2> kNames = {"user_version", "application_id"};
  for (const char* name : kNames) {
    Outcome<int64_t> value = integer_of(session, fmt::format("PRAGMA {}", name));
    if (!value.ok()) return value.failure();
    if (*value != 0) script->statement(fmt::format("PRAGMA {}={}", name, *value));
  }
  return std::nullopt;
}

Done dump_loads(const Session& session, DumpScript* script) {
  return session.query("SELECT name, position FROM load_positions", {}, [script](braid_statement* row) {
    script->call(fmt::format("load_advance({}, {})", sql_string(column_text(row, 0)), braid_column_int64(row, 1)));
  });
}

Done warn_of_scenarios(const Session& session, DumpScript* script) {
  return session.query("SELECT name FROM graph_scenarios", {}, [script](braid_statement* row) {
    script->warn(fmt::format("the scenario '{}' is not in the script: its steps name nodes by ids, which are new in a new database",
                             column_text(row, 0)));
  });
}

Done dump_parts(const Session& session, const DumpParts& parts, DumpScript* script) {
  CLI_TRY(script->prepare());
  script->comment(kHead);
  script->statement("CREATE TEMP TABLE dump_call(answer)");
  if (parts.rows && script->stages().makes) CLI_TRY(dump_pragmas(session, script));
  if (parts.rows) CLI_TRY(dump_rows(session, script));
  if (parts.series) CLI_TRY(dump_series(session, script));
  if (parts.graph) CLI_TRY(dump_graph(session, parts.rows || parts.rows_are_there, script));
  if (parts.rows && script->stages().finishes) CLI_TRY(dump_views_and_triggers(session, script));
  if (parts.all() && script->stages().finishes) CLI_TRY(dump_loads(session, script));
  if (parts.graph && script->stages().finishes) CLI_TRY(warn_of_scenarios(session, script));
  script->statement("DROP TABLE temp.dump_call");
  return script->finish();
}

}  // namespace

Done write_dump(const Session& session, const DumpParts& parts, const DumpStages& stages,
                std::FILE* stream, std::vector<std::string>* warnings) {
  const bool own = braid_in_transaction(session.connection()) == 0;
  if (own) CLI_TRY(session.check(braid_begin(session.connection(), BRAID_READ)));
  DumpScript script(session, stages, stream);
  Done done = dump_parts(session, parts, &script);
  warnings->insert(warnings->end(), script.warnings().begin(), script.warnings().end());
  if (!own) return done;
  Done ended = session.check(braid_rollback(session.connection()));
  return done.has_value() ? done : ended;
}

}  // namespace braid::cli
