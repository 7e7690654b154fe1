#include "cli/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "cli/exit_code.h"
#include "cli/graph_options.h"
#include "cli/import_options.h"
#include "cli/option_parser.h"

namespace braid::cli {

namespace {

constexpr const char* kSqlFooter = R"(
Without SQL and at a terminal a shell opens (.help lists its commands); otherwise SQL is read from standard
input. A database that does not exist is created. Results are boxes on a terminal and csv elsewhere.

Commands:
  braid import DIR FILE ...       load CSV, GraphML, line protocol, or what braid export wrote
  braid graph DIR ...             draw a part of the graph, or write it as GraphML, DOT or JSON
  braid plot DIR SQL              draw the lines of a query, on the terminal or as SVG
  braid check DIR                 verify everything that is stored
  braid backup DIR DEST           copy the database at one commit
  braid restore SRC DEST          make a database of a backup, and check it
  braid repair DIR NEWDIR         make a database of what can be read of a damaged one
  braid stats DIR                 figures about the database
  braid export DIR DEST           write everything as CSV or SQL files
  braid tail DIR                  the commits as they come, with what each changed
  braid demo [DIR]                a tour on data of this machine
  braid help [COMMAND]            the page of a command
Each has its own --help. A directory with such a name is given as ./import.

Examples:
  braid grid.db
  braid grid.db "SELECT * FROM buses LIMIT 3"
  braid -json grid.db -f report.sql > report.json
  echo "SELECT 1" | braid grid.db

Exit codes: 0, 1 for an error in SQL, data or the database, 2 for wrong usage.)";

struct Spelling {
  std::string_view written;
  std::string_view meant;
};

// Long options that may have one dash only, as in sqlite3.
constexpr std::array<Spelling, 12> kSpellings = {{{"-json", "--json"},
                                                 {"-csv", "--csv"},
                                                 {"-box", "--box"},
                                                 {"-line", "--line"},
                                                 {"-table", "--table"},
                                                 {"-jsonl", "--jsonl"},
                                                 {"-markdown", "--markdown"},
                                                 {"-insert", "--insert"},
                                                 {"-keep-going", "--keep-going"},
                                                 {"-version", "--version"},
                                                 {"-help", "--help"},
                                                 {"-V", "--version"}}};

bool is_sql_comment(std::string_view word) {
  return word.starts_with("--") && word.size() > 2 &&
         (word[2] == ' ' || word.find('\n') != std::string_view::npos);
}

}  // namespace

std::vector<std::string> normalised_words(std::vector<std::string> words) {
  for (std::string& word : words) {
    if (word == "--") break;
    for (const Spelling& spelling : kSpellings) {
      if (word == spelling.written) word = spelling.meant;
    }
    if (is_sql_comment(word)) word.insert(0, " ");
  }
  return words;
}

namespace {

void add_database(CLI::App* app, DatabaseArguments* database, std::vector<std::string>* options) {
  app->add_option("DIR", database->directory, "directory of the database")->required();
  app->add_option(
         "--option", *options,
         "NAME=VALUE: a setting of the database for this run, such as cache_bytes=67108864")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app->add_flag_callback("--read-only", [options] { options->emplace_back("read_only=1"); }, "nothing is written to the directory");
}

std::string joined(const std::vector<std::string>& options) {
  return fmt::format("{}", fmt::join(options, ";"));
}

void add_formats(CLI::App* app, std::optional<OutputFormat>* format) {
  for (const OutputFormatRow& row : output_formats()) {
    app->add_flag_callback(
        "--" + std::string(row.name), [format, chosen = row.format] { *format = chosen; },
        "-" + std::string(row.name) + ": " + std::string(row.help));
  }
}

/// One word that is a statement by itself only ends or begins a transaction; anything else is a slip in the order of the arguments.
bool is_one_word(const std::string& sql) {
  constexpr std::array kStatements = {"begin", "commit", "end", "rollback", "analyze", "reindex", "vacuum"};
  const bool word = !sql.empty() && std::all_of(sql.begin(), sql.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  return word && std::none_of(kStatements.begin(), kStatements.end(), [&](const char* statement) { return CLI::detail::to_lower(sql) == statement; });
}

Arguments read_sql(std::vector<std::string> words) {
  SqlArguments arguments;
  std::vector<std::string> options;
  CLI::App app("Braid: rows, a graph and time series in one directory.", "braid");
  app.footer(kSqlFooter);
  app.set_version_flag("--version", std::string("braid ") + braid_version(), "the version");
  add_database(&app, &arguments.database, &options);
  app.add_option("SQL", arguments.sql, "statements to run");
  app.add_option("-f,--file", arguments.files, "run the SQL of FILE; - is standard input")
      ->type_name("FILE")
      ->allow_extra_args(false);
  add_formats(&app, &arguments.format);
  app.add_flag("--keep-going", arguments.keep_going,
               "-keep-going: run the rest of a script after an error");
  if (auto answer = parse_words(&app, std::move(words), "braid")) return *answer;
  arguments.database.options = joined(options);
  if (arguments.sql.has_value() && !arguments.files.empty()) {
    return usage_error("give either SQL or -f FILE, not both", "braid");
  }
  if (arguments.sql.has_value() && is_one_word(*arguments.sql)) {
    return usage_error(fmt::format("'{}' is no SQL statement; '{}' was taken for the directory of the database (the commands are import, "
                                   "graph, plot, check, backup, restore, repair, stats, export, tail, demo and help)",
                                   *arguments.sql, arguments.database.directory),
                       "braid");
  }
  return arguments;
}

Arguments read_import(std::vector<std::string> words) {
  ImportCommand command;
  std::vector<std::string> options;
  CLI::App app(std::string(kImportSummary), "braid import");
  add_database(&app, &command.database, &options);
  ImportOptions import_options(&app);
  if (auto answer = parse_words(&app, std::move(words), "braid import")) return *answer;
  command.database.options = joined(options);
  if (auto wrong = import_options.take(&command.import)) return usage_error(*wrong, "braid import");
  return command;
}

Arguments read_graph(std::vector<std::string> words) {
  GraphCommand command;
  std::vector<std::string> options;
  CLI::App app(std::string(kGraphSummary), "braid graph");
  add_database(&app, &command.database, &options);
  GraphOptions graph_options(&app);
  if (auto answer = parse_words(&app, std::move(words), "braid graph")) return *answer;
  command.database.options = joined(options);
  if (auto wrong = graph_options.take(&command.graph)) return usage_error(*wrong, "braid graph");
  return command;
}

constexpr const char* kPlotFooter = R"(
The first column of the SELECT is the x axis: times, or numbers. Each further column of numbers is a line; columns of text tell
lines apart. NULL is a gap. At most 12 lines are drawn.

Examples:
  braid plot grid.db "SELECT time, value FROM load WHERE element = '1'"
  braid plot metrics.db "SELECT time_bucket('1 hour', time), host, avg(usage) FROM cpu GROUP BY 1, 2" --svg cpu.svg

Exit codes: 0, 1 for an error in the data, the files or the database, 2 for wrong usage.)";
constexpr int kPlotPixelsMax = 10'000;

void add_plot_options(CLI::App* app, PlotArguments* plot) {
  app->footer(kPlotFooter);
  app->add_option("SQL", plot->sql, "a SELECT of x and one or more values")->required();
  app->add_option("--svg", plot->svg, "write a picture; - is standard output")->type_name("FILE");
  app->add_option("--title", plot->title, "what stands above it; the query if not given, with --svg")->type_name("TEXT");
  app->add_option("--width", plot->width, "in characters, or in pixels with --svg; the terminal's or 960 if not given")->type_name("N")->check(CLI::Range(30, kPlotPixelsMax));
  app->add_option("--height", plot->height, "of the lines' field in characters, or of the picture in pixels with --svg; 20 or 480 if not given")
      ->type_name("N")
      ->check(CLI::Range(4, kPlotPixelsMax));
}

constexpr const char* kPlotSummary = "Draws the lines of a query, on the terminal or as SVG.";

Arguments read_plot(std::vector<std::string> words) {
  PlotCommand command;
  std::vector<std::string> options;
  CLI::App app(kPlotSummary, "braid plot");
  add_database(&app, &command.database, &options);
  add_plot_options(&app, &command.plot);
  if (auto answer = parse_words(&app, std::move(words), "braid plot")) return *answer;
  command.database.options = joined(options);
  return command;
}

constexpr const char* kCheckFooter = R"(
Every checksum is read, and what the three models say of one another is compared. A line on standard output names each thing that is wrong.
A backup stays a backup: a copy of it, made beside it of second names where that can be, is checked and removed.

Examples:
  braid check grid.db
  braid check grid.db --read-only

Exit codes: 0 when nothing is wrong, 1 when something is or the check could not be made, 2 for wrong usage.)";

Arguments read_check(std::vector<std::string> words) {
  CheckCommand command;
  std::vector<std::string> options;
  CLI::App app("Verifies rows, graph and series of a database and lists what is wrong.",
               "braid check");
  app.footer(kCheckFooter);
  add_database(&app, &command.database, &options);
  if (auto answer = parse_words(&app, std::move(words), "braid check")) return *answer;
  command.database.options = joined(options);
  return command;
}

constexpr const char* kBackupFooter = R"(
DEST is absent or empty, or holds what an interrupted backup left. It becomes a directory like that of a database: restore it with braid restore.
A database that another process has open is backed up through it (docs/processes.md).

Examples:
  braid backup grid.db /backups/monday
  braid backup grid.db /backups/tuesday --base /backups/monday --rate 50MB

Exit codes: 0, 1 when the backup was not made, 2 for wrong usage.)";

void add_rate(CLI::App* app, uint64_t* bytes_per_second) {
  app->add_option("--rate", *bytes_per_second, "bytes per second at most, such as 50MB; as fast as it goes if not given")->type_name("BYTES")->transform(CLI::AsSizeValue(false));
}

Arguments read_backup(std::vector<std::string> words) {
  BackupCommand command;
  std::vector<std::string> options;
  CLI::App app("Copies a database, rows, graph and series at one commit.", "braid backup");
  app.footer(kBackupFooter);
  add_database(&app, &command.database, &options);
  app.add_option("DEST", command.backup.destination, "directory to make")->required();
  app.add_option("--base", command.backup.base, "an earlier backup: files that have not changed become second names of its files")->type_name("EARLIER");
  app.add_flag("--copy", command.backup.copies_all, "copy every file; else those that never change become second names of the database's where that can be");
  app.add_flag("--prune-archive", command.backup.prunes_archive, "once it is made, the database's archive loses what only earlier backups need");
  add_rate(&app, &command.backup.bytes_per_second);
  if (auto answer = parse_words(&app, std::move(words), "braid backup")) return *answer;
  command.database.options = joined(options);
  return command;
}

constexpr const char* kRestoreFooter = R"(
SRC is a backup, or a database that nobody has open; it stays as it is. The copy is opened and checked, and gets an epoch of its own.
A database that is opened with the option archive=on keeps every commit in DIR/archive: a backup can be restored to any of them that came after it.

Examples:
  braid restore /backups/monday grid2.db
  braid restore /backups/monday grid2.db --to-lsn 1234
  braid restore /backups/monday grid2.db --to-time "2024-05-31 16:30:00"
  braid restore /backups/monday grid2.db --archive grid.db/archive
  braid restore /backups/monday grid2.db --link

Exit codes: 0, 1 when the copy could not be made or is damaged, 2 for wrong usage.)";

/// CLI11 reads -1 as the greatest number, and 0 would mean that none is named.
const CLI::Validator kFromOne(
    [](const std::string& text) -> std::string {
      uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      return error == std::errc() && end == text.data() + text.size() && number > 0 ? "" : fmt::format("'{}': expected a number from 1", text);
    },
    "", "from one");

Arguments read_restore(std::vector<std::string> words) {
  RestoreArguments command;
  CLI::App app("Makes a database of a backup, and checks it.", "braid restore");
  app.footer(kRestoreFooter);
  app.add_option("SRC", command.source, "the backup")->required();
  app.add_option("DEST", command.destination, "directory to make")->required();
  app.add_flag("--link", command.links, "files that never change become second names of the backup's, where that can be");
  app.add_option("--archive", command.archive, "of the database that SRC is a backup of, when it is no longer where it was; without a target all of it is restored")
      ->type_name("DIR");
  auto* const lsn = app.add_option("--to-lsn", command.to_lsn, "the last commit that is restored, which the database's archive has")
                        ->type_name("N")
                        ->check(kFromOne);
  app.add_option("--to-time", command.to_time, "restore everything before the first commit after this time, in UTC")->type_name("TIME")->excludes(lsn);
  add_rate(&app, &command.bytes_per_second);
  if (auto answer = parse_words(&app, std::move(words), "braid restore")) return *answer;
  return command;
}

constexpr const char* kRepairFooter = R"(
DIR stays as it is; nobody may have it open. What is lost is listed on standard output. NEWDIR passes braid check.

Examples:
  braid repair damaged.db saved.db > lost.txt

Exit codes: 0 when nothing is lost, 1 when something is, or when NEWDIR could not be made, 2 for wrong usage.)";

Arguments read_repair(std::vector<std::string> words) {
  RepairArguments command;
  CLI::App app("Makes a new database of all that can be read of a damaged one, and lists what is lost.", "braid repair");
  app.footer(kRepairFooter);
  app.add_option("DIR", command.source, "the damaged database")->required();
  app.add_option("NEWDIR", command.destination, "directory to make")->required();
  if (auto answer = parse_words(&app, std::move(words), "braid repair")) return *answer;
  return command;
}

constexpr const char* kStatsFooter = R"(
Figures are of this opening of the database: counters begin at 0.

Examples:
  braid stats grid.db
  braid stats grid.db --prometheus > /var/lib/node_exporter/braid.prom

Exit codes: 0, 1 when the database cannot be opened, 2 for wrong usage.)";

Arguments read_stats(std::vector<std::string> words) {
  StatsCommand command;
  std::vector<std::string> options;
  CLI::App app("Shows figures about a database.", "braid stats");
  app.footer(kStatsFooter);
  add_database(&app, &command.database, &options);
  add_formats(&app, &command.format);
  app.add_flag("--prometheus", command.prometheus, "as metrics that Prometheus reads");
  if (auto answer = parse_words(&app, std::move(words), "braid stats")) return *answer;
  command.database.options = joined(options);
  return command;
}

constexpr const char* kExportFooter = R"(
DEST is made, or empty. It gets a file for each table, label of nodes, type of edges and hypertable, and import.sql, with
which braid import NEWDIR DEST brings everything in again. With --format sql it gets a file of SQL for each model.

CSV has no types: blobs become hexadecimal digits, and text in a column of numbers is refused when it is imported. --format sql
keeps every value. Both are taken at one commit. What is left out is told on standard error.

Examples:
  braid export grid.db /backups/grid-csv
  braid export grid.db grid-sql --format sql
  braid export grid.db graph-only --model graph
  braid import new.db /backups/grid-csv

Exit codes: 0, 1 when the export could not be made, 2 for wrong usage.)";

Arguments read_export(std::vector<std::string> words) {
  ExportCommand command;
  std::vector<std::string> options;
  std::string format = "csv";
  std::string model;
  CLI::App app("Writes a database as CSV or SQL files.", "braid export");
  app.footer(kExportFooter);
  add_database(&app, &command.database, &options);
  app.add_option("DEST", command.exported.destination, "directory to make")->required();
  app.add_option("--format", format, "csv or sql; csv if not given")->type_name("FORMAT")->check(CLI::IsMember({"csv", "sql"}));
  app.add_option("--model", model, "rows, graph or series alone; all if not given")->type_name("MODEL")->check(CLI::IsMember({"rows", "graph", "series"}));
  if (auto answer = parse_words(&app, std::move(words), "braid export")) return *answer;
  command.database.options = joined(options);
  command.exported.format = format == "sql" ? ExportArguments::Format::kSql : ExportArguments::Format::kCsv;
  if (!model.empty()) command.exported.parts = {.rows = model == "rows", .graph = model == "graph", .series = model == "series"};
  return command;
}

constexpr const char* kTailFooter = R"(
A line of JSON for each commit, whoever makes it: rows, nodes, edges and points, as docs/change_feed.md says. The first line tells the commit after
which it begins. Who reads too slowly holds nobody up: a line tells which commits are left out. A database that another process has open is followed
through it; otherwise this process opens it, and others use it through this one meanwhile. Ctrl-C ends it.

Examples:
  braid tail grid.db
  braid tail grid.db --model rows --model graph > changes.jsonl
  braid tail grid.db --count 1 | jq .rows

Exit codes: 0, 1 when the database cannot be opened or the process that has it open goes away, 2 for wrong usage.)";

Arguments read_tail(std::vector<std::string> words) {
  TailCommand command;
  std::vector<std::string> options, models;
  CLI::App app("Writes the commits of a database as they come, with what each changed, as lines of JSON.", "braid tail");
  app.footer(kTailFooter);
  add_database(&app, &command.database, &options);
  app.add_option("--model", models, "rows, graph or series; may be given several times; all if not given")
      ->type_name("MODEL")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"rows", "graph", "series"}));
  app.add_option("--count", command.tail.commits_max, "end after so many commits")->type_name("N")->check(CLI::Range(int64_t{1}, INT64_MAX));
  app.add_option("--until-idle", command.tail.idle_ms_max, "end when no line came for so many milliseconds")->type_name("MS")->check(CLI::Range(int64_t{1}, INT64_MAX));
  if (auto answer = parse_words(&app, std::move(words), "braid tail")) return *answer;
  command.database.options = joined(options);
  for (const std::string& model : models) command.tail.models |= model == "rows" ? BRAID_FEED_ROWS : model == "graph" ? BRAID_FEED_GRAPH : BRAID_FEED_SERIES;
  return command;
}

constexpr const char* kDemoFooter = R"(
Needs nothing but this machine. The database stays, to be looked at.

Examples:
  braid demo
  braid demo tour

Exit codes: 0, 1 when something failed, 2 for wrong usage.)";

Arguments read_demo(std::vector<std::string> words) {
  DemoCommand command;
  CLI::App app("A tour: this machine's packages, their dependencies and its load in one database.",
               "braid demo");
  app.footer(kDemoFooter);
  app.add_option("DIR", command.directory, "where to put the database; ./braid-demo if not given");
  if (auto answer = parse_words(&app, std::move(words), "braid demo")) return *answer;
  return command;
}

Arguments read_demo_writer(std::vector<std::string> words) {
  DemoWriterCommand command;
  CLI::App app("Commits until it is killed; the demo starts it.", "braid demo-writer");
  app.add_option("DIR", command.directory, "directory of the database")->required();
  if (auto answer = parse_words(&app, std::move(words), "braid demo-writer")) return *answer;
  return command;
}

struct Subcommand {
  std::string_view name;
  Arguments (*read)(std::vector<std::string> words);
};

Arguments read_help(std::vector<std::string> words);

constexpr std::array<Subcommand, 13> kSubcommands = {{{"import", read_import},
                                                     {"graph", read_graph},
                                                     {"plot", read_plot},
                                                     {"check", read_check},
                                                     {"backup", read_backup},
                                                     {"restore", read_restore},
                                                     {"repair", read_repair},
                                                     {"stats", read_stats},
                                                     {"export", read_export},
                                                     {"tail", read_tail},
                                                     {"demo", read_demo},
                                                     {"help", read_help},
                                                     {"demo-writer", read_demo_writer}}};

const Subcommand* subcommand_named(std::string_view name) {
  const auto* const found = std::find_if(kSubcommands.begin(), kSubcommands.end(), [name](const Subcommand& row) { return row.name == name; });
  return found == kSubcommands.end() ? nullptr : found;
}

constexpr const char* kHelpFooter = R"(
Examples:
  braid help
  braid help import

Exit codes: 0, 2 for a command that there is not.)";

Arguments read_help(std::vector<std::string> words) {
  std::string name;
  CLI::App app("Shows the page of a command, which is also that of COMMAND --help.", "braid help");
  app.footer(kHelpFooter);
  app.add_option("COMMAND", name, "one of the commands; that of braid itself if not given");
  if (auto answer = parse_words(&app, std::move(words), "braid help")) return *answer;
  if (name.empty()) return read_sql({"--help"});
  if (const Subcommand* command = subcommand_named(name)) return command->read({"--help"});
  return usage_error(fmt::format("there is no command {}", name), "braid");
}

}  // namespace

Arguments read_arguments(std::vector<std::string> words) {
  words = normalised_words(std::move(words));
  if (words.empty()) return usage_error("give the directory of a database", "braid");
  // Flags may stand before the command's name too.
  const auto name = std::find_if(words.begin(), words.end(), [](const std::string& word) { return !word.starts_with("-"); });
  if (const Subcommand* subcommand = name == words.end() ? nullptr : subcommand_named(*name)) {
    words.erase(name);
    return subcommand->read(std::move(words));
  }
  return read_sql(std::move(words));
}

std::variant<ImportArguments, Answer> read_import_arguments(std::vector<std::string> words) {
  ImportArguments import;
  CLI::App app(std::string(kImportSummary), ".import");
  ImportOptions options(&app);
  if (auto answer = parse_words(&app, normalised_words(std::move(words)), ".import"))
    return *answer;
  if (auto wrong = options.take(&import)) return usage_error(*wrong, ".import");
  return import;
}

std::variant<GraphArguments, Answer> read_graph_arguments(std::vector<std::string> words) {
  GraphArguments graph;
  CLI::App app(std::string(kGraphSummary), ".graph");
  GraphOptions options(&app);
  if (auto answer = parse_words(&app, normalised_words(std::move(words)), ".graph")) return *answer;
  if (auto wrong = options.take(&graph)) return usage_error(*wrong, ".graph");
  return graph;
}

std::variant<PlotArguments, Answer> read_plot_arguments(std::vector<std::string> words) {
  PlotArguments plot;
  CLI::App app(kPlotSummary, ".plot");
  add_plot_options(&app, &plot);
  if (auto answer = parse_words(&app, normalised_words(std::move(words)), ".plot")) return *answer;
  return plot;
}

}  // namespace braid::cli
