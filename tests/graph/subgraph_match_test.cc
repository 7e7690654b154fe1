#include "graph/subgraph_match.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

constexpr const char* kLabels[] = {"A", "B"};
constexpr const char* kTypes[] = {"R", "S", "T"};

struct DataEdge {
  size_t source;
  size_t target;
  size_t type;
};

/// A labelled multigraph in a store; node i has the id i + 1 and the property k of i modulo 3.
struct DataGraph {
  GraphFixture fixture;
  std::vector<std::set<std::string>> labels;
  std::vector<DataEdge> edges;
  std::vector<LabelId> label_ids;
  std::vector<TypeId> type_ids;

  DataGraph(std::vector<std::set<std::string>> node_labels, std::vector<DataEdge> all_edges)
      : labels(std::move(node_labels)), edges(std::move(all_edges)) {
    GraphFixture::Transaction tx(fixture);
    for (const char* name : kLabels) label_ids.push_back(tx.label(name));
    for (const char* name : kTypes) type_ids.push_back(tx.type(name));
    for (const auto& names : labels) {
      std::vector<LabelId> ids;
      for (const std::string& name : names) ids.push_back(tx.label(name));
      tx.node(std::move(ids));
    }
    for (const DataEdge& edge : edges) tx.edge(NodeId(edge.source + 1), type_ids[edge.type], NodeId(edge.target + 1));
    tx.commit();
  }

  MatchNames names() const {
    return {.label = [this](std::string_view name) -> std::optional<LabelId> {
              const auto id = fixture.catalog.find_name(NameKind::kLabel, name);
              return id ? std::optional(LabelId(*id)) : std::nullopt;
            },
            .type = [this](std::string_view name) -> std::optional<TypeId> {
              const auto id = fixture.catalog.find_name(NameKind::kEdgeType, name);
              return id ? std::optional(TypeId(*id)) : std::nullopt;
            },
            .has_properties = [](NodeId id, const PatternNode& node) -> Result<bool> { return satisfies(id.value() - 1, node); },
            .indexed = nullptr};
  }
  static bool satisfies(size_t node, const PatternNode& wanted) {
    return std::all_of(wanted.properties.begin(), wanted.properties.end(), [node](const auto& property) {
      return property.first == "k" && property.second == PropertyValue{static_cast<int64_t>(node % 3)};
    });
  }
  bool has_label(size_t node, std::string_view name) const { return labels[node].contains(std::string(name)); }
};

using Placing = std::vector<size_t>;

Pattern parsed(std::string_view text) {
  auto pattern = parse_pattern(text);
  REQUIRE_MESSAGE(pattern.ok(), pattern.status().message());
  return pattern.take();
}

Status match_into(const DataGraph& graph, const Pattern& pattern, const MatchOptions& options, std::vector<Placing>& out,
                  const AlgorithmContext& context = {}) {
  Matches matches;
  BRAID_TRY(match_pattern(graph.fixture.view(), pattern, graph.names(), options, context, matches));
  for (size_t i = 0; i < matches.count(); ++i) {
    Placing placing;
    for (size_t j = 0; j < matches.width; ++j) placing.push_back(matches.projection->node(matches.vertices[i * matches.width + j]).value() - 1);
    out.push_back(std::move(placing));
  }
  return {};
}

std::vector<Placing> matches_of(const DataGraph& graph, const Pattern& pattern, const MatchOptions& options = {}) {
  std::vector<Placing> out;
  const Status status = match_into(graph, pattern, options, out);
  REQUIRE_MESSAGE(status.ok(), status.message());
  std::sort(out.begin(), out.end());
  return out;
}

/// What is meant, told edge by edge for every way to place the nodes.
class BruteForce {
 public:
  BruteForce(const DataGraph& graph, const Pattern& pattern, const MatchOptions& options) : graph_(graph), pattern_(pattern), options_(options) {}

  std::vector<Placing> run() {
    extend();
    return found_;  // in order, as they are made
  }

 private:
  void extend() {
    if (placing_.size() == pattern_.nodes.size()) {
      if (is_match()) found_.push_back(placing_);
      return;
    }
    for (size_t node = 0; node < graph_.labels.size(); ++node) {
      placing_.push_back(node);
      extend();
      placing_.pop_back();
    }
  }
  bool in_projection(size_t node) const {
    if (options_.within.labels.empty()) return true;
    for (size_t i = 0; i < std::size(kLabels); ++i) {
      const auto& labels = options_.within.labels;
      if (std::count(labels.begin(), labels.end(), graph_.label_ids[i]) > 0 && graph_.has_label(node, kLabels[i])) return true;
    }
    return false;
  }
  bool in_projection(const DataEdge& edge) const {
    const auto& types = options_.within.types;
    return types.empty() || std::count(types.begin(), types.end(), graph_.type_ids[edge.type]) > 0;
  }
  /// Whether a data edge is one that the edge of the pattern asks for.
  bool answers(const DataEdge& data, const PatternEdge& edge) const {
    const auto& types = edge.types;
    if (!types.empty() && std::count(types.begin(), types.end(), kTypes[data.type]) == 0) return false;
    const size_t source = placing_[edge.source], target = placing_[edge.target];
    const bool there = data.source == source && data.target == target;
    const bool back = data.source == target && data.target == source;
    if (!edge.directed || options_.within.orientation == Orientation::kUndirected) return there || back;
    return options_.within.orientation == Orientation::kReverse ? back : there;
  }
  bool is_match() const {
    for (size_t i = 0; i < placing_.size(); ++i) {
      if (!in_projection(placing_[i]) || !DataGraph::satisfies(placing_[i], pattern_.nodes[i])) return false;
      for (const std::string& label : pattern_.nodes[i].labels)
        if (!graph_.has_label(placing_[i], label)) return false;
    }
    const std::set<size_t> used(placing_.begin(), placing_.end());
    if (options_.mode != MatchMode::kHomomorphism && used.size() < placing_.size()) return false;
    for (const PatternEdge& edge : pattern_.edges) {
      const auto answered = [&](const DataEdge& data) { return in_projection(data) && answers(data, edge); };
      if (std::none_of(graph_.edges.begin(), graph_.edges.end(), answered)) return false;
    }
    if (options_.mode != MatchMode::kInduced) return true;
    return std::all_of(graph_.edges.begin(), graph_.edges.end(), [&](const DataEdge& data) {
      if (!in_projection(data) || !used.contains(data.source) || !used.contains(data.target)) return true;
      return std::any_of(pattern_.edges.begin(), pattern_.edges.end(), [&](const PatternEdge& edge) { return answers(data, edge); });
    });
  }

  const DataGraph& graph_;
  const Pattern& pattern_;
  const MatchOptions& options_;
  Placing placing_;
  std::vector<Placing> found_;
};

DataGraph random_graph(std::mt19937_64& random) {
  const size_t count = 1 + random() % 7;
  std::vector<std::set<std::string>> labels(count);
  for (auto& names : labels)
    for (const char* name : kLabels)
      if (random() % 2 == 0) names.insert(name);
  std::vector<DataEdge> edges;
  for (uint64_t left = random() % (4 * count); left > 0; --left) {
    edges.push_back({random() % count, random() % count, random() % std::size(kTypes)});
    if (random() % 6 == 0) edges.push_back(edges.back());
  }
  return {std::move(labels), std::move(edges)};
}

Pattern random_pattern(std::mt19937_64& random) {
  Pattern pattern;
  pattern.nodes.resize(1 + random() % 4);
  for (PatternNode& node : pattern.nodes) {
    if (random() % 3 == 0) node.labels.push_back(random() % 16 == 0 ? "Unknown" : kLabels[random() % 2]);
    if (random() % 12 == 0) node.properties.emplace_back("k", PropertyValue{static_cast<int64_t>(random() % 3)});
  }
  for (uint64_t left = random() % (pattern.nodes.size() + 2); left > 0; --left) {
    PatternEdge edge{random() % pattern.nodes.size(), random() % pattern.nodes.size(), random() % 3 > 0, {}};
    if (edge.source == edge.target && random() % 3 > 0) continue;
    for (const char* type : kTypes)
      if (random() % 3 == 0) edge.types.push_back(type);
    if (random() % 16 == 0) edge.types.push_back("UNKNOWN");
    pattern.edges.push_back(std::move(edge));
  }
  return pattern;
}

DataGraph triangle() { return DataGraph({{"A"}, {"A"}, {"A"}}, {{0, 1, 0}, {1, 2, 0}, {2, 0, 0}}); }

constexpr MatchMode kModes[] = {MatchMode::kMono, MatchMode::kInduced, MatchMode::kHomomorphism};

}  // namespace

TEST_CASE("matches are those of brute force on random labelled multigraphs in all modes") {
  size_t found[std::size(kModes)] = {};
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const DataGraph graph = random_graph(random);
    for (int round = 0; round < 12; ++round) {
      const Pattern pattern = random_pattern(random);
      for (size_t i = 0; i < std::size(kModes); ++i) {
        MatchOptions options{.mode = kModes[i]};
        if (round % 3 == 1) options.within = {.labels = {graph.label_ids[0]}, .types = {graph.type_ids[0], graph.type_ids[2]}};
        if (round % 4 == 1) options.within.orientation = Orientation::kReverse;
        if (round % 4 == 2) options.within.orientation = Orientation::kUndirected;
        const auto matches = matches_of(graph, pattern, options);
        CHECK(matches == BruteForce(graph, pattern, options).run());
        found[i] += matches.size();
      }
    }
  }
  CHECK(found[0] > 1000);
  CHECK(found[1] > 100);
  CHECK(found[1] < found[0]);
  CHECK(found[2] > found[0]);
}

TEST_CASE("a directed triangle is found from each of its corners") {
  const DataGraph graph = triangle();
  const Pattern pattern = parsed("(a:A)-[:R]->(b:A)-[:R]->(c:A)-[:R]->(a)");
  CHECK(matches_of(graph, pattern) == std::vector<Placing>{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}});
  CHECK(matches_of(graph, parsed("(a)--(b)--(c)--(a)")).size() == 6);
  CHECK(matches_of(graph, parsed("(a)-[:S]->(b)")).empty());
  CHECK(matches_of(graph, parsed("(a:B)-->(b)")).empty());
}

TEST_CASE("parallel edges make no further matches, and one edge may be two of the pattern") {
  const DataGraph graph({{}, {}}, {{0, 1, 0}, {0, 1, 0}, {0, 1, 1}});
  CHECK(matches_of(graph, parsed("(a)-->(b)")).size() == 1);
  CHECK(matches_of(graph, parsed("(a)-[:R]->(b), (a)-[:R|S]->(b)")).size() == 1);
  CHECK(matches_of(graph, parsed("(a)-[:R]->(b)"), {.mode = MatchMode::kInduced}).empty());
  CHECK(matches_of(graph, parsed("(a)-[:R|S]->(b)"), {.mode = MatchMode::kInduced}).size() == 1);
}

TEST_CASE("in an induced match there is no other edge, a self loop neither") {
  const DataGraph graph({{}, {}, {}}, {{0, 1, 0}, {1, 2, 0}, {0, 2, 0}, {2, 2, 0}});
  const MatchOptions induced{.mode = MatchMode::kInduced};
  CHECK(matches_of(graph, parsed("(a)-->(b)-->(c)")) == std::vector<Placing>{{0, 1, 2}});
  CHECK(matches_of(graph, parsed("(a)-->(b)-->(c)"), induced).empty());
  CHECK(matches_of(graph, parsed("(a)-->(b)-->(c), (a)-->(c)-->(c)"), induced).size() == 1);
  CHECK(matches_of(graph, parsed("(a)"), induced) == std::vector<Placing>{{0}, {1}});
}

TEST_CASE("a pattern without edges gives every choice of different nodes") {
  const DataGraph graph = triangle();
  CHECK(matches_of(graph, parsed("(a), (b)")).size() == 6);
  CHECK(matches_of(graph, parsed("(a), (b)"), {.mode = MatchMode::kHomomorphism}).size() == 9);
  CHECK(matches_of(graph, parsed("(a), (b), (c), (d)")).empty());
}

TEST_CASE("an empty graph has no matches") {
  const DataGraph graph({}, {});
  for (const MatchMode mode : kModes) {
    CHECK(matches_of(graph, parsed("(a)"), {.mode = mode}).empty());
    CHECK(matches_of(graph, parsed("(a)-->(b)"), {.mode = mode}).empty());
  }
}

TEST_CASE("more matches than are allowed are an error") {
  const DataGraph graph = triangle();
  std::vector<Placing> out;
  CHECK(match_into(graph, parsed("(a)-->(b)"), {.matches_max = 3}, out).ok());
  const Status status = match_into(graph, parsed("(a)-->(b)"), {.matches_max = 2}, out);
  CHECK(status.code() == StatusCode::kLimit);
  CHECK(status.message().find("limit_matches") != std::string::npos);
  AlgorithmContext context;
  context.rows_max = 6;
  CHECK(match_into(graph, parsed("(a)-->(b)"), {}, out, context).ok());
  context.rows_max = 5;
  const Status rows = match_into(graph, parsed("(a)-->(b)"), {}, out, context);
  CHECK(rows.code() == StatusCode::kLimit);
  CHECK(rows.message().find("traversal_nodes_max") != std::string::npos);
}

TEST_CASE("a search that finds nothing is ended by cancel and deadline") {
  // A graph of two sides has no cycle of odd length; the ways to begin one are beyond counting.
  std::vector<DataEdge> edges;
  for (size_t i = 0; i < 20; ++i)
    for (size_t j = 20; j < 40; ++j) edges.push_back({i, j, 0});
  const DataGraph graph(std::vector<std::set<std::string>>(40), edges);
  std::string text = "(n0)";
  for (int i = 1; i < 13; ++i) text += "--(n" + std::to_string(i) + ")";
  const Pattern pattern = parsed(text + "--(n0)");
  std::vector<Placing> out;
  const std::atomic<bool> cancel = true;
  AlgorithmContext context;
  context.cancel = &cancel;
  CHECK(match_into(graph, pattern, {}, out, context).code() == StatusCode::kInterrupted);
  AlgorithmContext late;
  late.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  const auto start = std::chrono::steady_clock::now();
  CHECK(match_into(graph, pattern, {}, out, late).code() == StatusCode::kInterrupted);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("what an index finds is looked at alone, and still checked") {
  const DataGraph graph({{"A"}, {"A"}, {"B"}, {"A"}, {"A"}}, {{0, 1, 0}, {3, 1, 0}});
  MatchNames names = graph.names();
  std::vector<NodeId> read;
  names.has_properties = [&](NodeId id, const PatternNode& node) -> Result<bool> {
    read.push_back(id);
    return DataGraph::satisfies(id.value() - 1, node);
  };
  // Node 2 has another value, node 3 another label, and node 99 is not there.
  names.indexed = [](const PatternNode&) -> Result<std::optional<std::vector<NodeId>>> {
    return std::optional(std::vector<NodeId>{NodeId(1), NodeId(2), NodeId(3), NodeId(1), NodeId(4), NodeId(99)});
  };
  Matches out;
  REQUIRE(match_pattern(graph.fixture.view(), parsed("(a:A {k: 0})"), names, {}, {}, out).ok());
  CHECK(out.vertices == std::vector<Vertex>{0, 3});
  CHECK(read == std::vector<NodeId>{NodeId(1), NodeId(2), NodeId(4)});
}

TEST_CASE("an error of the properties ends the search") {
  const DataGraph graph = triangle();
  MatchNames names = graph.names();
  names.has_properties = [](NodeId, const PatternNode&) -> Result<bool> { return Status(StatusCode::kIo, "unreadable"); };
  Matches out;
  CHECK(match_pattern(graph.fixture.view(), parsed("(a {k: 1})"), names, {}, {}, out).code() == StatusCode::kIo);
  CHECK(match_pattern(graph.fixture.view(), parsed("(a)"), names, {}, {}, out).ok());
}

TEST_CASE("a match sees what is committed after the projections were built") {
  DataGraph graph = triangle();
  const Pattern pattern = parsed("(a:A)-[:R]->(b)-[:S]->(c)");
  CHECK(matches_of(graph, pattern).empty());
  GraphFixture::Transaction tx(graph.fixture);
  const NodeId added = tx.node();
  tx.edge(NodeId(2), graph.type_ids[1], added);
  tx.commit();
  graph.labels.emplace_back();
  CHECK(matches_of(graph, pattern) == std::vector<Placing>{{0, 1, 3}});
}
