#include "cli/arguments.h"
#include "cli/exit_code.h"

#include <doctest/doctest.h>

#include "cli/import_options.h"

using namespace braid::cli;

namespace {

template <typename Command>
Command read_as(std::vector<std::string> words) {
  Arguments arguments = read_arguments(std::move(words));
  if (const Answer* answer = std::get_if<Answer>(&arguments)) {
    INFO(answer->text);
    REQUIRE(std::holds_alternative<Command>(arguments));
  }
  return std::get<Command>(arguments);
}

Answer refused(std::vector<std::string> words) {
  Arguments arguments = read_arguments(std::move(words));
  REQUIRE(std::holds_alternative<Answer>(arguments));
  return std::get<Answer>(arguments);
}

}  // namespace

TEST_CASE(
    "formats and keep-going may be written with one dash or two, before or after the directory") {
  for (const std::string dash : {"-", "--"}) {
    SqlArguments arguments =
        read_as<SqlArguments>({dash + "json", "dir", "SELECT 1", dash + "keep-going"});
    CHECK(arguments.format == OutputFormat::kJson);
    CHECK(arguments.keep_going);
    CHECK(arguments.database.directory == "dir");
    CHECK(arguments.sql == "SELECT 1");
  }
  CHECK(read_as<SqlArguments>({"dir", "-line"}).format == OutputFormat::kLine);
  CHECK(read_as<SqlArguments>({"-box", "dir"}).format == OutputFormat::kBox);
}

TEST_CASE("an SQL text that begins with a comment is not taken for an option") {
  CHECK(read_as<SqlArguments>({"dir", "-- one\nSELECT 1"}).sql == " -- one\nSELECT 1");
}

TEST_CASE("a directory named like a subcommand can be given with its path") {
  CHECK(read_as<SqlArguments>({"./import"}).database.directory == "./import");
  CHECK(read_as<StatsCommand>({"stats", "dir", "-json"}).format == OutputFormat::kJson);
  CHECK(read_as<StatsCommand>({"-json", "stats", "dir"}).format == OutputFormat::kJson);
}

TEST_CASE("a slip in the order of the words does not make a database") {
  CHECK(read_as<Answer>({"chek", "dir"}).exit_code == kExitUsage);
  CHECK(read_as<Answer>({"chek", "dir"}).text.find("'chek' was taken for the directory") != std::string::npos);
  CHECK(read_as<Answer>({"dir", "check"}).exit_code == kExitUsage);
  CHECK(read_as<SqlArguments>({"dir", "COMMIT"}).sql == "COMMIT");
  CHECK(read_as<SqlArguments>({"dir", "VACUUM;"}).sql == "VACUUM;");
}

TEST_CASE("wrong usage is answered with exit code 2 and the way to help") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {},
           {"dir", "--xml"},
           {"dir", "SELECT 1", "SELECT 2"},
           {"dir", "SELECT 1", "-f", "x.sql"},
           {"check"},
           {"import", "dir"},
           {"import", "dir", "f.csv"},
           {"import", "dir", "f.csv", "--table", "t", "--nodes", "L"},
           {"import", "dir", "f.csv", "--nodes", "L"},
           {"import", "dir", "f.csv", "--edges", "T", "--from", "A.id=a"},
           {"import", "dir", "f.csv", "--table", "t", "--key", "k"},
           {"import", "dir", "f.csv", "--table", "t", "--type", "a=money"},
           {"import", "dir", "f.csv", "--table", "t", "--time-unit", "hours"}}) {
    const Answer answer = refused(words);
    CAPTURE(answer.text);
    CHECK(answer.exit_code == 2);
    CHECK(answer.text.find("--help") != std::string::npos);
  }
}

TEST_CASE("help of the command and of each subcommand goes to standard output") {
  CHECK(refused({"--help"}).exit_code == 0);
  CHECK(refused({"-help"}).text.find("braid import DIR") != std::string::npos);
  for (const char* name : {"import", "check", "stats", "demo"}) {
    CHECK(refused({name, "--help"}).exit_code == 0);
  }
}

TEST_CASE("an import names one target with what belongs to it") {
  ImportArguments edges =
      read_as<ImportCommand>({"import", "dir", "f.csv", "--edges", "LINE", "--from", "Bus.id=from",
                              "--to", "My.Label.key=to=x", "--edge-key", "id", "--type",
                              "a=b=INTEGER"})
          .import;
  CHECK(edges.target == ImportArguments::Target::kEdges);
  CHECK(edges.name == "LINE");
  CHECK(edges.from.label == "Bus");
  CHECK(edges.from.key == "id");
  CHECK(edges.from.column == "from");
  CHECK(edges.to.label == "My.Label");
  CHECK(edges.to.key == "key");
  CHECK(edges.to.column == "to=x");
  CHECK(edges.types[0].first == "a=b");

  ImportArguments points =
      read_as<ImportCommand>({"import", "dir", "-", "--hypertable", "cpu", "--tag", "host", "--tag",
                              "region", "--time-unit", "ns", "--separator", "tab"})
          .import;
  CHECK(points.file == "-");
  CHECK(points.tags == std::vector<std::string>{"host", "region"});
  CHECK(points.time_unit == TimeUnit::kNanoseconds);
  CHECK(points.separator == '\t');
}

TEST_CASE("ends of edges that are not LABEL.KEY=COLUMN are refused") {
  for (const char* text : {"", "Bus", "Bus=from", "Bus.id", ".id=from", "Bus.=from", "Bus.id="}) {
    CAPTURE(text);
    CHECK(!read_edge_end(text).has_value());
  }
}

TEST_CASE("braid graph takes one choice and one output, and no option that would be ignored") {
  const GraphCommand command = read_as<GraphCommand>({"graph", "dir", "--from", "A.k=v", "--from", "7", "--hops", "3", "--along", "out", "--type",
                                                      "T", "--weight", "w", "--svg", "x.svg"});
  CHECK(command.database.directory == "dir");
  CHECK(command.graph.selection == GraphArguments::Selection::kFrom);
  CHECK(command.graph.from == std::vector<std::string>{"A.k=v", "7"});
  CHECK(command.graph.hops == 3);
  CHECK(command.graph.along == "out");
  CHECK(command.graph.types == std::vector<std::string>{"T"});
  CHECK(command.graph.format == GraphArguments::Format::kSvg);
  CHECK(command.graph.file == "x.svg");
  CHECK(read_as<GraphCommand>({"graph", "dir", "--all", "--dot", "-", "--caption", "p"}).graph.file == "-");
  CHECK(refused({"graph", "dir", "--all"}).text.find("--graphml") != std::string::npos);
  CHECK(refused({"graph", "dir", "--json", "-"}).text.find("--from") != std::string::npos);
  CHECK(refused({"graph", "dir", "--all", "--json", "-", "--hops", "1"}).text.find("--hops goes with --from only") != std::string::npos);
  CHECK(refused({"graph", "dir", "--all", "--json", "-", "--seed", "1"}).exit_code == kExitUsage);
  CHECK(refused({"graph", "dir", "--from", "1", "--hops", "-1", "--json", "-"}).exit_code == kExitUsage);
}

TEST_CASE("a file that ends in .graphml is GraphML unless another target is given") {
  const ImportCommand command = read_as<ImportCommand>({"import", "dir", "a.graphml", "--label", "L", "--key", "k"});
  CHECK(command.import.target == ImportArguments::Target::kGraphml);
  CHECK(command.import.label == "L");
  CHECK(command.import.key == "k");
  CHECK(read_as<ImportCommand>({"import", "dir", "-", "--graphml"}).import.target == ImportArguments::Target::kGraphml);
  CHECK(read_as<ImportCommand>({"import", "dir", "a.graphml", "--table", "t"}).import.target == ImportArguments::Target::kTable);
  CHECK(refused({"import", "dir", "a.graphml", "--graphml", "--table", "t"}).exit_code == kExitUsage);
  CHECK(refused({"import", "dir", "a.graphml", "--tag", "x"}).text.find("--tag goes with --hypertable only") != std::string::npos);
}
