#include "cli/inspection.h"

#include <fmt/format.h>

#include <array>

#include "cli/call_progress.h"
#include "cli/interrupt.h"
#include "cli/prometheus.h"

namespace braid::cli {

namespace {

// Braid's own tables and SQLite's are nobody's to see. In LIKE an underscore means any character.
constexpr std::string_view kIsUsers =
    "substr(lower(name), 1, 7) <> '_braid_' AND substr(lower(name), 1, 7) <> 'sqlite_' "
    "AND substr(lower(tbl_name), 1, 7) <> '_braid_' AND substr(lower(tbl_name), 1, 7) <> 'sqlite_'";

}  // namespace

Done show_tables(Console* console) {
  return console->show(fmt::format(
      "SELECT name, CASE WHEN type = 'view' THEN 'view' "
      "WHEN sql LIKE 'CREATE VIRTUAL TABLE%USING%hypertable%' THEN 'hypertable' "
      "WHEN sql LIKE 'CREATE VIRTUAL TABLE%' THEN 'virtual table' ELSE 'table' END AS kind "
      "FROM sqlite_schema WHERE type IN ('table','view') AND {} ORDER BY name",
      kIsUsers));
}

Done show_schema(Console* console, const std::string& table) {
  const std::array<std::string_view, 1> texts = {table};
  bool any = false;
  CLI_TRY(console->session().query(
      fmt::format(
          "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND {} "
          "AND (?1 = '' OR tbl_name = ?1 COLLATE NOCASE) "
          "ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 ELSE 2 END, name",
          kIsUsers),
      texts, [&any, console](braid_statement* row) {
        any = true;
        std::fprintf(console->out(), "%s;\n", std::string(column_text(row, 0)).c_str());
      }));
  if (any || table.empty()) return std::nullopt;
  return Failure{fmt::format("there is no table {}; .tables lists them", table)};
}

namespace {

// A C function that calls back must not be thrown through: writing a result allocates.
void visit_figure(void* context, const braid_figure* figure) noexcept {
  const std::array<Cell, 3> cells = {Cell::of(std::string_view(figure->name)),
                                     Cell::of(figure->value),
                                     Cell::of(std::string_view(figure->unit))};
  static_cast<ResultWriter*>(context)->row(cells);
}

void print_metric(void* context, const braid_figure* figure) noexcept {
  std::fputs(prometheus_metric(figure->name, figure->unit, figure->value).c_str(), static_cast<std::FILE*>(context));
}

struct Problems {
  std::FILE* out;
  int64_t count = 0;
};

void visit_problem(void* context, const char* problem) noexcept {
  auto* const problems = static_cast<Problems*>(context);
  ++problems->count;
  std::fprintf(problems->out, "%s\n", problem);
}

}  // namespace

Done show_stats(const Session& session, ResultWriter* writer) {
  const std::array<std::string, 3> columns = {"name", "value", "unit"};
  writer->begin(columns);
  const int32_t code = braid_stats(session.database(), visit_figure, writer);
  writer->end();
  if (code == BRAID_OK) return std::nullopt;
  return database_failure(session.database(), code);
}

Done show_metrics(const Session& session, std::FILE* out) {
  const int32_t code = braid_stats(session.database(), print_metric, out);
  if (code == BRAID_OK) return std::nullopt;
  return database_failure(session.database(), code);
}

Done check_database(const Session& session, std::FILE* out) {
  Problems problems{.out = out};
  CallProgress progress("checking");
  int32_t code = BRAID_OK;
  {
    const CallProgress::OnDatabase followed(session.database(), progress);
    code = braid_check(session.database(), visit_problem, &problems);
  }
  progress.clear();
  if (problems.count > 0) {
    return Failure{fmt::format("{} {} found; the list above names them", problems.count,
                               problems.count == 1 ? "problem was" : "problems were")};
  }
  if (code != BRAID_OK) return database_failure(session.database(), code);
  std::fputs("no problem found\n", out);
  return std::nullopt;
}

}  // namespace braid::cli
