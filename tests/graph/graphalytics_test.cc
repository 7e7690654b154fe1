// The validation cases of LDBC Graphalytics: graphs, parameters, expected results and tolerances are read from its files.
//
// usage: graphalytics_test DIRECTORY, where manifest.json is; $BRAID_SHARED/cases/graphalytics goes before it. Exit code 77: not there.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/graph/algorithm_fixture.h"

using namespace braid;

namespace {

std::string g_directory;

std::ifstream open_file(const std::string& name) {
  std::ifstream file(g_directory + "/validation-graphs/" + name);
  REQUIRE_MESSAGE(file.good(), name);
  return file;
}

/// A graph of the cases, with its own vertex ids.
struct CaseGraph {
  explicit CaseGraph(const nlohmann::json& input) {
    auto vertices = open_file(input[0]);
    for (int64_t id; vertices >> id;) {
      places[id] = static_cast<Vertex>(ids.size());
      ids.push_back(id);
    }
    auto list = open_file(input[1]);
    int64_t source, target;
    for (double weight; list >> source >> target >> weight;) edges.push_back({places.at(source), places.at(target), weight});
  }
  std::vector<int64_t> ids;
  std::map<int64_t, Vertex> places;
  TestEdges edges;
};

/// Values by vertex, as text.
std::map<int64_t, std::string> expected_values(const std::string& name) {
  std::map<int64_t, std::string> values;
  auto file = open_file(name);
  int64_t id;
  for (std::string value; file >> id >> value;) values[id] = value;
  return values;
}

struct CaseRow {
  const char* name;       // in the manifest
  const char* algorithm;  // Braid's
  const char* column;
  bool weighted = false;
};
constexpr CaseRow kCases[] = {{"bfs", "bfs", "depth"},
                              {"cdlp", "label_propagation", "label"},
                              {"lcc", "clustering", "clustering"},
                              {"pr", "pagerank", "pagerank"},
                              {"sssp", "dijkstra", "distance", true},
                              {"wcc", "wcc", "component"}};

/// What Braid answers, by the case's vertex ids; what is not reached is left out.
std::map<int64_t, double> answered(const CaseRow& row, const nlohmann::json& one, const CaseGraph& graph) {
  // Ids of nodes are those of the case, so that labels are too.
  const TestGraph stored(static_cast<Vertex>(graph.ids.size()), graph.edges, static_cast<uint64_t>(graph.ids.front()));
  const auto projection = stored.project(one["directed"] ? kNatural : kUndirected, row.weighted);
  NamedArguments named;
  for (const auto& [name, value] : one["parameters"].items()) {
    if (name == "source") named[name] = graph.places.at(value);
    else if (name == "iterations") named[name] = value.get<int64_t>();
    else named[name] = value.get<double>();
  }
  const Answer answer(row.algorithm, *projection, named);
  const bool real = row.algorithm == std::string("clustering") || row.algorithm == std::string("pagerank") || row.weighted;
  std::map<int64_t, double> values;
  for (size_t i = 0; i < answer.row_count(); ++i) {
    const int64_t id = graph.ids[static_cast<size_t>(answer.integers("node")[i])];
    values[id] = real ? answer.reals(row.column)[i] : static_cast<double>(answer.integers(row.column)[i]);
  }
  return values;
}

bool is_unreached(const std::string& value) { return value == "Infinity" || value == std::to_string(INT64_MAX); }

void check_case(const nlohmann::json& one) {
  const auto* row = std::find_if(std::begin(kCases), std::end(kCases), [&](const CaseRow& known) { return one["algorithm"] == known.name; });
  REQUIRE(row != std::end(kCases));
  const CaseGraph graph(one["input"]);
  for (size_t i = 1; i < graph.ids.size(); ++i) REQUIRE(graph.ids[i] == graph.ids[i - 1] + 1);
  const auto expected = expected_values(one["expected"]);
  REQUIRE(expected.size() == graph.ids.size());
  const auto values = answered(*row, one, graph);
  const std::string compare = one["compare"];
  std::map<std::string, double> part_of;  // same partition: the names of the parts may differ, which nodes share one may not
  for (const auto& [node, text] : expected) {
    const auto id = node;  // clang 14 captures no structured binding
    CAPTURE(id);
    if (is_unreached(text)) {
      CHECK_FALSE(values.contains(id));
      continue;
    }
    REQUIRE(values.contains(id));
    const double value = values.at(id);
    if (compare == "exact") CHECK(value == std::stod(text));
    else if (compare == "same partition") CHECK(part_of.emplace(text, value).first->second == value);
    else CHECK(value == doctest::Approx(std::stod(text)).epsilon(std::stod(compare.substr(sizeof("relative")))));
  }
  std::set<double> parts;
  for (const auto& [name, part] : part_of) parts.insert(part);
  CHECK(parts.size() == part_of.size());
}

}  // namespace

TEST_CASE("the cases of LDBC Graphalytics are met") {
  std::ifstream manifest(g_directory + "/manifest.json");
  const auto cases = nlohmann::json::parse(manifest);
  CHECK(cases.size() >= 12);
  for (const auto& one : cases) {
    CAPTURE(one.dump());
    check_case(one);
  }
}

int main(int argc, char** argv) {
  const char* shared = std::getenv("BRAID_SHARED");
  g_directory = shared != nullptr ? std::string(shared) + "/cases/graphalytics" : argc > 1 ? argv[1] : "";
  if (!std::ifstream(g_directory + "/manifest.json").good()) {
    std::cout << "skipped: there is no " << g_directory << "/manifest.json (BRAID_SHARED names the place)\n";
    return 77;
  }
  return doctest::Context().run();
}
