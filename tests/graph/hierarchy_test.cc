#include "graph/hierarchy.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "graph/rollup.h"
#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

using Transaction = GraphFixture::Transaction;
constexpr auto kUp = HierarchyDirection::kUp;
constexpr auto kDown = HierarchyDirection::kDown;

bool mentions(const Status& status, const std::string& text) {
  return status.message().find(text) != std::string::npos;
}

/// Nodes 0 … n-1 whose edges lead from child to parent.
struct Dag {
  size_t nodes = 0;
  std::vector<std::pair<size_t, size_t>> edges;

  std::vector<std::set<size_t>> reachable(bool upward) const {
    std::vector<std::set<size_t>> sets(nodes);
    for (size_t node = 0; node < nodes; ++node) sets[node] = {node};
    for (bool grows = true; grows;) {
      grows = false;
      for (const auto& [child, parent] : edges) {
        auto& into = sets[upward ? child : parent];
        const size_t before = into.size();
        into.insert(sets[upward ? parent : child].begin(), sets[upward ? parent : child].end());
        grows |= into.size() != before;
      }
    }
    return sets;
  }
};

/// Children have greater numbers than their parents before they are shuffled. Parallel edges occur.
Dag random_dag(std::mt19937& random, size_t nodes, size_t parents_max) {
  std::vector<size_t> names(nodes);
  for (size_t i = 0; i < nodes; ++i) names[i] = i;
  std::shuffle(names.begin(), names.end(), random);
  Dag dag{nodes, {}};
  for (size_t child = 1; child < nodes; ++child) {
    for (size_t left = random() % (parents_max + 1); left > 0; --left) {
      dag.edges.emplace_back(names[child], names[random() % child]);
      if (random() % 6 == 0) dag.edges.push_back(dag.edges.back());
    }
  }
  std::shuffle(dag.edges.begin(), dag.edges.end(), random);
  return dag;
}

/// The graph of a Dag: node i has id i + 1.
struct Stored {
  Stored(const Dag& dag, HierarchyDirection direction) {
    Transaction tx(graph);
    definition = {tx.type("PART_OF"), direction};
    for (size_t i = 0; i < dag.nodes; ++i) tx.node();
    REQUIRE(tx.writer.declare_hierarchy(definition, {}).ok());
    for (const auto& [child, parent] : dag.edges) {
      const NodeId below(child + 1), above(parent + 1);
      tx.edge(direction == kUp ? below : above, definition.type, direction == kUp ? above : below);
    }
    tx.edge(NodeId(1), tx.type("OTHER"), NodeId(dag.nodes));
    tx.commit();
    projection = project();
  }
  std::shared_ptr<const Projection> project() const {
    auto built = Projection::build(graph.view(), {.labels = {}, .types = {definition.type}, .weight = {}}, {});
    REQUIRE(built.ok());
    return built.take();
  }
  GraphFixture graph;
  HierarchyDefinition definition;
  std::shared_ptr<const Projection> projection;
};

HierarchyPart part_of(const Stored& stored, std::optional<Vertex> root) {
  auto part = HierarchyPart::of(*stored.projection, stored.definition.direction, root, {});
  REQUIRE(part.ok());
  return part.take();
}

/// Compares all figures of a roll-up with those of the sets of what is below. Some nodes have no number, none has several.
void check_rollup(const Dag& dag, const Stored& stored, const HierarchyPart& part) {
  std::vector<Totals> own(part.size());
  const auto number_of = [](size_t node) { return static_cast<int64_t>(node * 7 % 11) - 5; };
  const auto has_number = [](size_t node) { return node % 5 != 3; };
  for (size_t place = 0; place < part.size(); ++place) {
    const size_t node = part.vertices()[place];
    if (has_number(node)) own[place].add(number_of(node));
  }
  const auto totals = part.roll_up(own, {});
  REQUIRE(totals.ok());
  const auto below = dag.reachable(false);
  for (size_t place = 0; place < part.size(); ++place) {
    const size_t node = part.vertices()[place];
    CHECK(stored.projection->node(part.vertices()[place]) == NodeId(node + 1));
    int64_t count = 0, sum = 0, least = INT64_MAX, greatest = INT64_MIN;
    for (const size_t member : below[node]) {
      if (!has_number(member)) continue;
      ++count;
      sum += number_of(member);
      least = std::min(least, number_of(member));
      greatest = std::max(greatest, number_of(member));
    }
    const Totals& found = (*totals)[place];
    REQUIRE(found.count() == count);
    CHECK(found.sum().has_value() == (count > 0));
    if (count == 0) continue;
    CHECK(found.sum() == Number(sum));
    CHECK(found.least() == Number(least));
    CHECK(found.greatest() == Number(greatest));
    CHECK(found.average() == doctest::Approx(static_cast<double>(sum) / static_cast<double>(count)));
  }
}

}  // namespace

TEST_CASE("a roll-up counts each node below once, in random graphs from trees to dense ones, whichever way edges lead") {
  std::mt19937 random(3);
  for (int round = 0; round < 80; ++round) {
    const size_t nodes = 2 + random() % (round % 10 == 0 ? 300 : 30);
    const Dag dag = random_dag(random, nodes, 1 + static_cast<size_t>(round) % 4);
    const Stored stored(dag, round % 2 == 0 ? kUp : kDown);
    const HierarchyPart whole = part_of(stored, std::nullopt);
    std::set<size_t> with_edges;
    for (const auto& [child, parent] : dag.edges) with_edges.insert({child, parent});
    CHECK(std::set<size_t>(whole.vertices().begin(), whole.vertices().end()) == with_edges);
    CHECK(whole.size() == with_edges.size());
    check_rollup(dag, stored, whole);
    const auto root = static_cast<Vertex>(random() % nodes);
    const HierarchyPart some = part_of(stored, root);
    CHECK(std::set<size_t>(some.vertices().begin(), some.vertices().end()) == dag.reachable(false)[root]);
    CHECK(some.place(root) == 0);
    check_rollup(dag, stored, some);
  }
}

TEST_CASE("lowest common ancestors, roots and leaves are those of the definitions, in random graphs") {
  std::mt19937 random(4);
  for (int round = 0; round < 60; ++round) {
    const size_t nodes = 2 + random() % 20;
    const Dag dag = random_dag(random, nodes, 1 + static_cast<size_t>(round) % 3);
    const Stored stored(dag, round % 2 == 0 ? kUp : kDown);
    const auto above = dag.reachable(true);
    for (size_t a = 0; a < nodes; ++a) {
      for (size_t b = 0; b < nodes; ++b) {
        std::vector<size_t> common, lowest;
        std::set_intersection(above[a].begin(), above[a].end(), above[b].begin(), above[b].end(), std::back_inserter(common));
        for (const size_t node : common) {
          const bool has_lower = std::any_of(common.begin(), common.end(), [&](size_t other) {
            return other != node && above[other].contains(node);
          });
          if (!has_lower) lowest.push_back(node);
        }
        const auto found = lowest_common_ancestors(stored.graph.view(), stored.definition, NodeId(a + 1), NodeId(b + 1), {});
        REQUIRE(found.ok());
        REQUIRE(found->size() == lowest.size());
        for (size_t i = 0; i < lowest.size(); ++i) CHECK((*found)[i].node == NodeId(lowest[i] + 1));
        if (a == b) CHECK((found->size() == 1 && found->front().node == NodeId(a + 1) && found->front().depth_a == 0));
      }
    }
    std::set<size_t> children, parents;
    for (const auto& [child, parent] : dag.edges) {
      children.insert(child);
      parents.insert(parent);
    }
    for (const auto end : {HierarchyEnd::kRoots, HierarchyEnd::kLeaves}) {
      const bool roots = end == HierarchyEnd::kRoots;
      std::vector<NodeId> expected;
      for (const size_t node : roots ? parents : children) {
        if (!(roots ? children : parents).contains(node)) expected.emplace_back(node + 1);
      }
      const auto found = hierarchy_ends(*stored.projection, stored.definition.direction, end, {});
      REQUIRE(found.ok());
      CHECK(*found == expected);
    }
  }
}

TEST_CASE("an edge is refused exactly when it closes a cycle, and the message names one") {
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    const auto direction = round % 2 == 0 ? kUp : kDown;
    const size_t nodes = 2 + random() % 12;
    Dag dag{nodes, {}};
    GraphFixture graph;
    std::optional<Transaction> tx(std::in_place, graph);
    const TypeId type = tx->type("PART_OF");
    for (size_t i = 0; i < nodes; ++i) tx->node();
    REQUIRE(tx->writer.declare_hierarchy({type, direction}, {}).ok());
    for (int step = 0; step < 40; ++step) {
      if (random() % 10 == 0) {
        tx->commit();
        tx.emplace(graph);
      }
      const size_t child = random() % nodes, parent = random() % nodes;
      const bool closes = dag.reachable(true)[parent].contains(child);
      const NodeId below(child + 1), above(parent + 1);
      const uint64_t bytes = tx->writer.staged_bytes();
      const auto made = tx->writer.create_edge(direction == kUp ? below : above, type, direction == kUp ? above : below, {});
      REQUIRE(made.ok() == !closes);
      if (made.ok()) {
        dag.edges.emplace_back(child, parent);
        continue;
      }
      CHECK(tx->writer.staged_bytes() == bytes);
      CHECK(made.status().code() == StatusCode::kConstraint);
      CHECK(mentions(made.status(), "\"PART_OF\""));
      CHECK(mentions(made.status(), child == parent ? fmt::format(": {} -> {} ", child + 1, child + 1)
                                                    : fmt::format(": {} -> {} -> ", child + 1, parent + 1)));
    }
    tx->commit();
    CHECK(graph.problems().empty());
  }
}

TEST_CASE("edges of other types may have cycles, and so may those of a hierarchy that was dropped") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId part = tx.type("PART_OF"), other = tx.type("FEEDS");
  const NodeId a = tx.node(), b = tx.node();
  REQUIRE(tx.writer.declare_hierarchy({part, kUp}, {}).ok());
  tx.edge(a, part, b);
  tx.edge(b, other, a);
  tx.edge(a, other, b);
  tx.edge(a, other, a);
  CHECK_FALSE(tx.writer.create_edge(b, part, a, {}).ok());
  tx.names.remove_hierarchy(part);
  tx.edge(b, part, a);
}

TEST_CASE("a deleted edge and a rolled back edge no longer stand in the way") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId part = tx.type("PART_OF");
  const NodeId a = tx.node(), b = tx.node(), c = tx.node();
  REQUIRE(tx.writer.declare_hierarchy({part, kUp}, {}).ok());
  const EdgeId ab = tx.edge(a, part, b);
  const uint64_t mark = tx.writer.mark();
  tx.edge(b, part, c);
  CHECK(mentions(tx.writer.create_edge(c, part, a, {}).status(), "3 -> 1 -> 2 -> 3"));
  tx.writer.rollback_to(mark);
  tx.edge(c, part, a);
  CHECK_FALSE(tx.writer.create_edge(b, part, c, {}).ok());
  REQUIRE(tx.writer.delete_edge(ab).ok());
  tx.edge(b, part, c);
  CHECK(mentions(tx.writer.create_edge(a, part, b, {}).status(), "1 -> 2 -> 3 -> 1"));
}

TEST_CASE("declaring refuses edges that have a cycle, and names its nodes from child to parent") {
  for (const auto direction : {kUp, kDown}) {
    GraphFixture graph;
    Transaction tx(graph);
    const TypeId part = tx.type("PART_OF");
    std::vector<NodeId> nodes;
    for (int i = 0; i < 6; ++i) nodes.push_back(tx.node());
    // 1 -> 2 -> 3 -> 4 -> 2, with 5 before it and 6 after it.
    for (const auto& [from, to] : std::initializer_list<std::pair<int, int>>{{1, 2}, {2, 3}, {3, 4}, {5, 1}, {4, 6}}) {
      tx.edge(NodeId(static_cast<uint64_t>(from)), part, NodeId(static_cast<uint64_t>(to)));
    }
    const EdgeId closing = tx.edge(NodeId(4), part, NodeId(2));
    const Status refused = tx.writer.declare_hierarchy({part, direction}, {});
    CHECK(refused.code() == StatusCode::kConstraint);
    const std::vector<std::string> turns = direction == kUp ? std::vector<std::string>{"2 -> 3 -> 4 -> 2", "3 -> 4 -> 2 -> 3", "4 -> 2 -> 3 -> 4"}
                                                            : std::vector<std::string>{"2 -> 4 -> 3 -> 2", "4 -> 3 -> 2 -> 4", "3 -> 2 -> 4 -> 3"};
    CHECK(std::any_of(turns.begin(), turns.end(), [&](const std::string& turn) { return mentions(refused, turn); }));
    CHECK(tx.names.state().hierarchies.empty());
    REQUIRE(tx.writer.delete_edge(closing).ok());
    CHECK(tx.writer.declare_hierarchy({part, direction}, {}).ok());
    CHECK(tx.writer.declare_hierarchy({part, direction}, {}).ok());
    CHECK(tx.writer.declare_hierarchy({part, direction == kUp ? kDown : kUp}, {}).code() == StatusCode::kConstraint);
    const TypeId loops = tx.type("LOOPS");
    tx.edge(nodes[0], loops, nodes[0]);
    CHECK(mentions(tx.writer.declare_hierarchy({loops, direction}, {}), ": 1 -> 1 "));
  }
}

TEST_CASE("the check finds a hierarchy that has a cycle all the same") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId part = tx.type("PART_OF");
  const NodeId a = tx.node(), b = tx.node();
  tx.edge(a, part, b);
  tx.edge(b, part, a);
  tx.names.put_hierarchy({part, kUp});
  tx.commit();
  const auto problems = graph.problems();
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().find("hierarchy of type \"PART_OF\" has a cycle: ") != std::string::npos);
  const auto projection = Projection::build(graph.view(), {.labels = {}, .types = {part}, .weight = {}}, {});
  REQUIRE(projection.ok());
  const auto below = HierarchyPart::of(**projection, kUp, Vertex{0}, {});
  REQUIRE(below.ok());
  CHECK(below->roll_up(std::vector<Totals>(2), {}).status().code() == StatusCode::kCorrupt);
}

TEST_CASE("a long cycle is named in part and counted") {
  std::vector<NodeId> nodes;
  for (uint64_t id = 1; id <= 40; ++id) nodes.emplace_back(id);
  const std::string text = cycle_text(nodes);
  CHECK(text.starts_with("1 -> 2 -> "));
  CHECK(text.ends_with("16 -> ... (40 nodes) -> 1"));
}

TEST_CASE("a node with too many nodes above it is refused rather than looked at for ever") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId part = tx.type("PART_OF");
  REQUIRE(tx.writer.declare_hierarchy({part, kUp}, {}).ok());
  const NodeId hub = tx.node(), child = tx.node(), grandchild = tx.node();
  tx.edge(grandchild, part, child);
  for (int i = 0; i < 1'000'001; ++i) tx.edge(hub, part, tx.node());
  const auto made = tx.writer.create_edge(child, part, hub, {});
  CHECK(made.status().code() == StatusCode::kLimit);
  // A node that has nothing below it closes no cycle, whatever is above.
  tx.edge(tx.node(), part, hub);
}

TEST_CASE("sums stay whole while they fit, become doubles when they do not, and compare exactly") {
  Totals whole;
  whole.add(int64_t{9007199254740993});
  whole.add(int64_t{1});
  CHECK(whole.sum() == Number(int64_t{9007199254740994}));
  CHECK(whole.greatest() == Number(int64_t{9007199254740993}));
  Totals mixed = whole;
  mixed.add(9007199254740992.0);
  mixed.add(0.5);
  CHECK(mixed.greatest() == Number(int64_t{9007199254740993}));
  CHECK(mixed.least() == Number(0.5));
  CHECK(std::holds_alternative<double>(*mixed.sum()));
  Totals large;
  large.add(INT64_MAX);
  large.add(INT64_MAX);
  CHECK(std::get<double>(*large.sum()) == doctest::Approx(2.0 * 9223372036854775807.0));
  CHECK(large.average() == doctest::Approx(9223372036854775807.0));
  large.add(INT64_MIN);
  CHECK(large.least() == Number(INT64_MIN));
  CHECK(std::get<double>(*large.sum()) == doctest::Approx(9223372036854775807.0));
  Totals infinite;
  infinite.add(std::numeric_limits<double>::infinity());
  infinite.add(int64_t{1});
  CHECK(infinite.greatest() == Number(std::numeric_limits<double>::infinity()));
  CHECK_FALSE(Totals().sum());
  CHECK_FALSE(Totals().average());
}

TEST_CASE("a tree of 100 000 nodes with some shared ones rolls up, and asks whether to go on") {
  constexpr size_t kNodes = 100'000;
  Dag dag{kNodes, {}};
  for (size_t node = 1; node < kNodes; ++node) dag.edges.emplace_back(node, (node - 1) / 3);
  // Nodes with a second parent in another branch.
  for (size_t node = 50'000; node < kNodes; node += 500) dag.edges.emplace_back(node, 1000 + node / 500);
  const Stored stored(dag, kUp);
  const HierarchyPart part = part_of(stored, std::nullopt);
  REQUIRE(part.size() == kNodes);
  std::vector<Totals> own(kNodes);
  for (size_t place = 0; place < kNodes; ++place) own[place].add(int64_t{part.vertices()[place]});
  const auto totals = part.roll_up(own, {});
  REQUIRE(totals.ok());
  CHECK(totals->front().count() == static_cast<int64_t>(kNodes));
  CHECK(totals->front().sum() == Number(static_cast<int64_t>(kNodes * (kNodes - 1) / 2)));
  CHECK(*std::max_element(part.depths().begin(), part.depths().end()) == 11);
  const HierarchyPart branch = part_of(stored, Vertex{2});
  std::vector<Totals> ones(branch.size());
  for (Totals& one : ones) one.add(int64_t{1});
  const auto counted = branch.roll_up(ones, {});
  REQUIRE(counted.ok());
  CHECK(counted->front().sum() == Number(static_cast<int64_t>(branch.size())));

  std::atomic<bool> cancel{true};
  AlgorithmContext cancelled;
  cancelled.cancel = &cancel;
  CHECK(part.roll_up(own, cancelled).status().code() == StatusCode::kInterrupted);
  CHECK(HierarchyPart::of(*stored.projection, kUp, std::nullopt, cancelled).status().code() == StatusCode::kInterrupted);
  CHECK(find_cycle(*stored.projection, kUp, cancelled).status().code() == StatusCode::kInterrupted);
  CHECK(hierarchy_ends(*stored.projection, kUp, HierarchyEnd::kLeaves, cancelled).status().code() == StatusCode::kInterrupted);
  AlgorithmContext few;
  few.rows_max = 1000;
  CHECK(HierarchyPart::of(*stored.projection, kUp, std::nullopt, few).status().code() == StatusCode::kLimit);
  CHECK(hierarchy_ends(*stored.projection, kUp, HierarchyEnd::kLeaves, few).status().code() == StatusCode::kLimit);
  TraversalOptions two;
  two.visits_max = 2;
  CHECK(lowest_common_ancestors(stored.graph.view(), stored.definition, NodeId(kNodes), NodeId(5), two).status().code() == StatusCode::kLimit);
}

TEST_CASE("an empty graph has no cycle, no roots and nothing to roll up; a root without edges is alone") {
  const Stored stored(Dag{1, {}}, kUp);
  CHECK(part_of(stored, std::nullopt).size() == 0);
  const auto nothing = part_of(stored, std::nullopt).roll_up({}, {});
  REQUIRE(nothing.ok());
  CHECK(nothing->empty());
  CHECK(part_of(stored, Vertex{0}).size() == 1);
  const auto cycle = find_cycle(*stored.projection, kUp, {});
  REQUIRE(cycle.ok());
  CHECK(cycle->empty());
  CHECK(lowest_common_ancestors(stored.graph.view(), stored.definition, NodeId(1), NodeId(9), {}).status().code() == StatusCode::kNotFound);
}
