#include "cli/export_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/column_survey.h"
#include "cli/dump_parts.h"
#include "cli/export_file.h"
#include "cli/export_graph.h"
#include "cli/export_script.h"
#include "cli/report.h"
#include "cli/script.h"

namespace braid::cli {

namespace {

constexpr const char* kTableOption = "--table";
constexpr DumpStages kMakes = {.makes = true, .fills = false, .finishes = false};
constexpr DumpStages kFinishes = {.makes = false, .fills = false, .finishes = true};

Done make_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Failure{fmt::format("cannot make the directory '{}': {}", directory, error.message())};
  const bool empty = std::filesystem::is_empty(directory, error);
  if (error) return Failure{fmt::format("cannot look into '{}': {}", directory, error.message())};
  if (!empty) return Failure{fmt::format("'{}' is not empty; name a directory that is absent or empty", directory)};
  return std::nullopt;
}

Done write_sql(const Session& session, const DumpParts& parts, const DumpStages& stages, const std::string& name, ExportScript* script) {
  auto file = OutputFile::open(script->place(name));
  if (!file.ok()) return file.failure();
  CLI_TRY(write_dump(session, parts, stages, (*file)->stream(), script->warnings()));
  CLI_TRY((*file)->finish());
  script->line({".read", name});
  return std::nullopt;
}

/// A file for each model, in the order in which they need one another.
Done export_sql(const Session& session, const DumpParts& parts, ExportScript* script) {
  if (parts.rows) CLI_TRY(write_sql(session, {.rows = true, .graph = false, .series = false}, {}, "rows.sql", script));
  if (parts.series) CLI_TRY(write_sql(session, {.rows = false, .graph = false, .series = true}, {}, "series.sql", script));
  if (!parts.graph) return std::nullopt;
  return write_sql(session, {.rows = false, .graph = true, .series = false, .rows_are_there = parts.rows}, {}, "graph.sql", script);
}

/// NULL in a table of one column, where an empty field would be an empty line.
constexpr const char* kNullText = "NULL";

Outcome<std::vector<ColumnSurvey>> columns_of(const Session& session, const std::string& table) {
  std::vector<ColumnSurvey> columns;
  const std::array<std::string_view, 1> texts = {table};
  CLI_TRY(session.query("SELECT x.name, x.type, l.strict FROM pragma_table_list(?1) AS l, pragma_table_xinfo(?1) AS x "
                        "WHERE l.schema = 'main' AND x.hidden = 0 ORDER BY x.cid",
                        texts, [&columns](braid_statement* row) {
                          columns.emplace_back(std::string(column_text(row, 0)), column_text(row, 1), braid_column_int64(row, 2) != 0);
                        }));
  return columns;
}

/// Writes the file of a table; the words, which import it, get the options that its values need.
Done export_table(const Session& session, const std::string& table, const std::string& file, std::vector<ColumnSurvey>* columns,
                  const ExportScript& script, std::vector<std::string>* words) {
  std::string names;
  for (const ColumnSurvey& column : *columns) names += (names.empty() ? "" : ",") + quote_identifier(column.name());
  int64_t row = 0;
  const auto visit = [columns, &row](std::span<const Cell> cells) {
    for (size_t i = 0; i < cells.size(); ++i) (*columns)[i].see(cells[i], row);
    ++row;
  };
  ExportTarget target{.file = script.place(file), .format = OutputFormat::kCsv, .visit = visit};
  if (columns->size() == 1) {
    target.null_text = kNullText;
    words->emplace_back("--null");
    words->emplace_back(kNullText);
  }
  Outcome<int64_t> rows = export_query(session, fmt::format("SELECT {} FROM main.{}", names, quote_identifier(table)), target);
  if (!rows.ok()) return rows.failure();
  return std::nullopt;
}

/// What rows of ordinary tables lose; those of hypertables have the types of their columns.
void tell_of_values(const std::vector<ColumnSurvey>& columns, const std::string& file, ExportScript* script, std::vector<std::string>* words) {
  for (const ColumnSurvey& column : columns) {
    if (const auto type = column.import_type()) {
      words->emplace_back("--type");
      words->push_back(fmt::format("{}={}", column.name(), column_type_row(*type).name));
    }
    const std::string losses = column.losses();
    if (!losses.empty()) script->warn(fmt::format("{}: column \"{}\": {}; --format sql keeps them", file, column.name(), losses));
  }
}

/// An import hands points over in columns of C strings.
void tell_of_points(const std::vector<ColumnSurvey>& columns, const std::string& file, ExportScript* script) {
  for (const ColumnSurvey& column : columns) {
    if (const auto row = column.first_nul())
      script->warn(fmt::format("{}: column \"{}\": an import refuses texts with a NUL character (first in row {}); --format sql keeps them", file, column.name(), *row + 1));
  }
}

/// One CSV file for each table that the query names, and the line that imports it.
Done export_tables(const Session& session, std::string_view tables_sql, const std::string& folder, const std::string& option, ExportScript* script) {
  Outcome<std::vector<std::string>> tables = texts_of(session, tables_sql);
  if (!tables.ok()) return tables.failure();
  for (const std::string& table : *tables) {
    Outcome<std::vector<ColumnSurvey>> columns = columns_of(session, table);
    if (!columns.ok()) return columns.failure();
    Outcome<std::string> file = script->csv_name(folder, {table});
    if (!file.ok()) return file.failure();
    std::vector<std::string> words = {".import", *file, option, table};
    CLI_TRY(export_table(session, table, *file, &*columns, *script, &words));
    if (option == kTableOption) tell_of_values(*columns, *file, script, &words);
    else tell_of_points(*columns, *file, script);
    script->line(words);
  }
  return std::nullopt;
}

Done export_rows(const Session& session, ExportScript* script) {
  Outcome<bool> foreign_keys = has_foreign_keys(session);
  if (!foreign_keys.ok()) return foreign_keys.failure();
  // Keys may refer to rows that are yet to come, in one transaction only.
  if (*foreign_keys) script->statement("BEGIN; PRAGMA defer_foreign_keys=ON");
  CLI_TRY(export_tables(session,
                        fmt::format("SELECT s.name FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.name = s.name WHERE l.schema = 'main' "
                                    "AND s.type = 'table' AND l.type = 'table' AND s.name IN (SELECT name FROM sqlite_schema WHERE {}) ORDER BY s.rowid",
                                    kIsUsersName),
                        "rows", kTableOption, script));
  if (*foreign_keys) script->statement("COMMIT");
  return std::nullopt;
}

Done warn_of_other_tables(const Session& session, ExportScript* script) {
  return session.query(
      fmt::format("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' AND {} AND name IN (SELECT name FROM sqlite_schema) "
                  "AND name NOT IN (SELECT name FROM hypertables) AND name NOT IN (SELECT name FROM continuous_aggregates)",
                  kIsUsersName),
      {}, [script](braid_statement* row) {
        script->warn(fmt::format("the rows of the virtual table {} are not in CSV files; --format sql has them", column_text(row, 0)));
      });
}

Done export_csv(const Session& session, const DumpParts& parts, ExportScript* script) {
  CLI_TRY(write_sql(session, parts, kMakes, "begin.sql", script));
  if (parts.rows) {
    CLI_TRY(export_rows(session, script));
    CLI_TRY(warn_of_other_tables(session, script));
  }
  if (parts.series) CLI_TRY(export_tables(session, "SELECT name FROM hypertables", "series", "--hypertable", script));
  if (parts.graph) CLI_TRY(export_graph(session, parts.rows, script));
  return write_sql(session, parts, kFinishes, "end.sql", script);
}

Done export_at_snapshot(const Session& session, const ExportArguments& arguments, ExportScript* script) {
  const bool csv = arguments.format == ExportArguments::Format::kCsv;
  CLI_TRY(csv ? export_csv(session, arguments.parts, script) : export_sql(session, arguments.parts, script));
  return script->write();
}

}  // namespace

Done run_export(const Session& session, const ExportArguments& arguments) {
  CLI_TRY(make_directory(arguments.destination));
  CLI_TRY(session.check(braid_begin(session.connection(), BRAID_READ)));
  ExportScript script(arguments.destination);
  Done done = export_at_snapshot(session, arguments, &script);
  Done ended = session.check(braid_rollback(session.connection()));
  for (const std::string& warning : *script.warnings()) report({warning});
  return done.has_value() ? done : ended;
}

Done import_export(Console* console, const std::string& directory) {
  const int here = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (here < 0) return Failure{fmt::format("cannot open the working directory: {}", std::strerror(errno))};
  Done done;
  braid_connection* const connection = console->session().connection();
  const bool own_transactions = braid_in_transaction(connection) == 0;
  if (chdir(directory.c_str()) != 0) {
    done = Failure{fmt::format("cannot enter '{}': {}", directory, std::strerror(errno))};
  } else if (!std::filesystem::exists(kExportScript)) {
    done = Failure{fmt::format("'{}' holds no {}: it is not a whole export of braid export", directory, kExportScript)};
  } else if (run_script_file(console, kExportScript, false) != ScriptEnd::kOk) {
    done = Failure{};
    if (own_transactions && braid_in_transaction(connection) != 0) braid_rollback(connection);
  }
  if (fchdir(here) != 0 && !done.has_value()) done = Failure{fmt::format("cannot go back to the working directory: {}", std::strerror(errno))};
  ::close(here);
  return done;
}

}  // namespace braid::cli
