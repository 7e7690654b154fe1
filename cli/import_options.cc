#include "cli/import_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace braid::cli {

namespace {

constexpr int64_t kBatchRowsMax = 100'000'000;

constexpr const char* kImportFooter = R"(
The first line of the file names the columns. Fields are separated by commas and may be quoted (RFC 4180). An
empty field is NULL; "" is the empty text. Everything is imported in one transaction: a bad line is reported with
its number and nothing is kept.

With --resume NAME a CSV file is imported in transactions of --batch rows, each of which also keeps how many rows of the
file are in. After a crash, a kill or a bad line the same command goes on behind them; when all are in it imports the
rows that were added to the file since. SELECT * FROM load_positions shows the names, SELECT load_finish('NAME') forgets one.

Types: what no --type gives is inferred: INTEGER, DOUBLE, BOOLEAN (not for tables) or TEXT, from all values of a
file, or from the first 10,000 records (at most 4 MB) of standard input. "007", "+1" and integers past 64 bits are
text. Columns of a table or hypertable that exists keep their types.

Tables and hypertables are created when they do not exist. A new hypertable needs a time: --time, or a column
named time, ts or timestamp; without --tag all its TEXT columns are tags, which together name the series.
Nodes with a key that exists get their properties replaced. Edges find their ends by the key's own type, and an
end that is missing is an error; with --edge-key an edge that exists gets its properties replaced.

A FILE that ends in .graphml, or any with --graphml, is GraphML as `braid graph`, Neo4j, NetworkX, yEd and Gephi write
it. Nodes have the labels of the file, else --label; edges its types, else --edge-type. Loading it twice doubles it unless
--key names a property that tells nodes with a label apart, and --edge-key one that tells edges apart; what exists then
gets its properties replaced. Undirected edges go from source to target.

A FILE that ends in .lp or .influx, or any with --line-protocol, is InfluxDB's line protocol: each measurement is a hypertable,
created when it does not exist from the tags and fields of all its lines, and a line adds its fields to a point that is there.
Times count nanoseconds unless --time-unit says otherwise; a line without one is of now.

A FILE that is a directory is what `braid export` has written; it says itself where its files belong.

Examples:
  braid import grid.db node_bus.csv --nodes Bus --key id
  braid import grid.db edge_line.csv --edges LINE --from Bus.id=from --to Bus.id=to --edge-key id
  braid import grid.db ts_load.csv --hypertable load --time time --tag element
  zcat cpu.csv.gz | braid import metrics.db - --hypertable cpu --time-unit ns --tag tags_id
  braid import grid.db big.csv --edges FLOW --from Bus.id=from --to Bus.id=to --resume flows --batch 200000
  braid import metrics.db export.lp
  braid import social.db people.graphml --label Person --key email
  braid import new.db /backups/grid-csv

Exit codes: 0, 1 for an error in the data, the files or the database, 2 for wrong usage. Nothing of a file that fails is kept,
but for what --resume has committed.)";

}  // namespace

std::optional<EdgeEnd> read_edge_end(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const size_t dot = text.substr(0, equals).rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  EdgeEnd end{.label = std::string(text.substr(0, dot)),
              .key = std::string(text.substr(dot + 1, equals - dot - 1)),
              .column = std::string(text.substr(equals + 1))};
  if (end.label.empty() || end.key.empty() || end.column.empty()) return std::nullopt;
  return end;
}

ImportOptions::ImportOptions(CLI::App* app) : app_(app) {
  app->footer(kImportFooter);
  app->add_option("FILE", import_.file, "CSV, GraphML or line-protocol file, or an export; - is standard input")->required();
  app->add_option("--table", table_, "rows of the table T")->type_name("T");
  app->add_option("--hypertable", hypertable_, "points of the hypertable H")->type_name("H");
  app->add_option("--nodes", nodes_, "nodes with the label LABEL; needs --key")->type_name("LABEL");
  app->add_option("--key", import_.key, "column or property that tells the nodes apart")->type_name("COLUMN");
  app->add_option("--edges", edges_, "edges of the type TYPE; needs --from and --to")
      ->type_name("TYPE");
  app->add_option("--from", from_,
                  "where an edge starts: the LABEL node whose KEY is the value of COLUMN")
      ->type_name("LABEL.KEY=COLUMN");
  app->add_option("--to", to_, "where an edge ends")->type_name("LABEL.KEY=COLUMN");
  app->add_option("--edge-key", import_.edge_key,
                  "column or property that tells the edges apart: loading again adds none")
      ->type_name("COLUMN");
  app->add_flag("--graphml", graphml_, "the file is GraphML");
  app->add_flag("--line-protocol", line_protocol_, "the file is InfluxDB's line protocol");
  app->add_option("--label", import_.label, "GraphML: label of the nodes that have none")->type_name("LABEL");
  app->add_option("--edge-type", import_.edge_type, "GraphML: type of the edges that have none; RELATED if not given")
      ->type_name("TYPE");
  app->add_option("--type", types_, "type of a column: " + column_type_names())
      ->type_name("COLUMN=TYPE")
      ->allow_extra_args(false);
  app->add_option("--time", import_.time, "column with a time, as ISO 8601 text or a number")
      ->type_name("COLUMN");
  app->add_option("--time-unit", time_unit_,
                  "what times that are numbers since 1970 count: s, ms, us or ns; ns for line protocol if not given")
      ->type_name("UNIT");
  app->add_option("--tag", import_.tags, "column that names the series; may be repeated")
      ->type_name("COLUMN")
      ->allow_extra_args(false);
  app->add_option("--null", import_.null_text, "further text that means NULL, such as NA; none if not given")
      ->type_name("TEXT");
  app->add_option("--separator", separator_, "character between fields, or tab; a comma if not given")
      ->type_name("CHARACTER");
  app->add_option("--resume", import_.resume, "import in several transactions, and go on after the last one that was kept under this name")
      ->type_name("NAME");
  app->add_option("--batch", import_.batch_rows, "rows in each transaction of --resume; 50000 if not given")
      ->type_name("ROWS")
      ->check(CLI::Range(int64_t{1}, kBatchRowsMax));
  app->add_flag("-v,--verbose", import_.verbose, "say what was done, also without a terminal");
}

std::optional<std::string> ImportOptions::take_target() {
  struct Choice {
    const std::string& name;
    ImportArguments::Target target;
  };
  const std::array<Choice, 4> choices = {{{table_, ImportArguments::Target::kTable},
                                          {hypertable_, ImportArguments::Target::kHypertable},
                                          {nodes_, ImportArguments::Target::kNodes},
                                          {edges_, ImportArguments::Target::kEdges}}};
  int count = 0;
  for (const Choice& choice : choices) {
    if (choice.name.empty()) continue;
    ++count;
    import_.target = choice.target;
    import_.name = choice.name;
  }
  if (graphml_ || (count == 0 && import_.file.ends_with(".graphml"))) {
    ++count;
    import_.target = ImportArguments::Target::kGraphml;
  }
  if (line_protocol_ || (count == 0 && (import_.file.ends_with(".lp") || import_.file.ends_with(".influx")))) {
    ++count;
    import_.target = ImportArguments::Target::kLineProtocol;
  }
  // A directory is what `braid export` has written.
  std::error_code unreadable;
  if (count == 0 && std::filesystem::is_directory(import_.file, unreadable)) {
    ++count;
    import_.target = ImportArguments::Target::kExport;
  }
  if (count == 1) return std::nullopt;
  return "say what to import into: one of --table T, --hypertable H, --nodes LABEL, --edges TYPE; or --graphml, or --line-protocol";
}

std::optional<std::string> ImportOptions::take_ends() {
  struct Side {
    const char* option;
    const std::string& written;
    EdgeEnd* end;
  };
  for (const Side& side : {Side{"--from", from_, &import_.from}, Side{"--to", to_, &import_.to}}) {
    std::optional<EdgeEnd> end = read_edge_end(side.written);
    if (!end.has_value()) {
      return fmt::format("--edges needs {} LABEL.KEY=COLUMN, such as {} Bus.id=bus", side.option,
                         side.option);
    }
    *side.end = std::move(*end);
  }
  return std::nullopt;
}

std::optional<std::string> ImportOptions::take_types() {
  for (const std::string& word : types_) {
    const size_t equals = word.rfind('=');
    std::optional<ColumnType> type;
    if (equals != std::string::npos)
      type = column_type_named(std::string_view(word).substr(equals + 1));
    if (!type.has_value() || equals == 0) {
      return fmt::format("--type {}: give COLUMN=TYPE with one of the types {}", word,
                         column_type_names());
    }
    import_.types.emplace_back(word.substr(0, equals), *type);
  }
  return std::nullopt;
}

std::optional<std::string> ImportOptions::take_characters() {
  const std::string separator = separator_ == "tab" || separator_ == "\\t" ? "\t" : separator_;
  if (separator.size() != 1 || separator == "\"" || separator == "\n" || separator == "\r") {
    return "--separator must be one character, or tab";
  }
  import_.separator = separator[0];
  if (time_unit_.empty()) return std::nullopt;
  import_.time_unit = read_time_unit(time_unit_);
  if (import_.time_unit.has_value()) return std::nullopt;
  return fmt::format("--time-unit must be s, ms, us or ns, not {}", time_unit_);
}

// An option that belongs to another target would be ignored silently.
std::optional<std::string> ImportOptions::misplaced_option() const {
  using Target = ImportArguments::Target;
  struct Rule {
    const char* option;
    std::vector<Target> targets;
    const char* with;
  };
  const std::vector<Target> csv = {Target::kTable, Target::kHypertable, Target::kNodes, Target::kEdges};
  std::vector<Target> csv_and_lines = csv;
  csv_and_lines.push_back(Target::kLineProtocol);
  const std::array<Rule, 14> rules = {{
      {"--key", {Target::kNodes, Target::kGraphml}, "--nodes and GraphML"},
      {"--from", {Target::kEdges}, "--edges"},
      {"--to", {Target::kEdges}, "--edges"},
      {"--edge-key", {Target::kEdges, Target::kGraphml}, "--edges and GraphML"},
      {"--tag", {Target::kHypertable}, "--hypertable"},
      {"--label", {Target::kGraphml}, "GraphML"},
      {"--edge-type", {Target::kGraphml}, "GraphML"},
      {"--type", csv, "CSV"},
      {"--time", csv, "CSV"},
      {"--time-unit", csv_and_lines, "CSV and --line-protocol"},
      {"--null", csv, "CSV"},
      {"--separator", csv, "CSV"},
      {"--resume", csv, "CSV"},
      {"--batch", csv, "CSV"},
  }};
  for (const Rule& rule : rules) {
    const bool fits = std::find(rule.targets.begin(), rule.targets.end(), import_.target) != rule.targets.end();
    if (app_->count(rule.option) > 0 && !fits) return fmt::format("{} goes with {} only", rule.option, rule.with);
  }
  if (app_->count("--batch") > 0 && import_.resume.empty()) return "--batch goes with --resume only";
  if (import_.target == Target::kNodes && import_.key.empty()) {
    return "--nodes needs --key COLUMN, the column that tells the nodes apart";
  }
  return std::nullopt;
}

// Nothing when the words make sense together; else what is wrong.
std::optional<std::string> ImportOptions::take(ImportArguments* import) {
  if (auto wrong = take_target()) return wrong;
  if (auto wrong = misplaced_option()) return wrong;
  if (import_.target == ImportArguments::Target::kEdges) {
    if (auto wrong = take_ends()) return wrong;
  }
  if (auto wrong = take_types()) return wrong;
  if (auto wrong = take_characters()) return wrong;
  *import = std::move(import_);
  return std::nullopt;
}

}  // namespace braid::cli
