// Random operations, marks, rollbacks, commits, checkpoints and crashes against a plain model.
#include "tests/graph/graph_model.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <tuple>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

constexpr int64_t kValues = 40;

class RandomRun {
 public:
  explicit RandomRun(uint64_t seed) : random_(seed) {
    GraphFixture::Transaction tx(graph_);
    for (const char* name : {"a", "b", "c"}) labels_.push_back(tx.label(name));
    for (const char* name : {"t", "u"}) types_.push_back(tx.type(name));
    key_ = tx.key("k");
    other_key_ = tx.key("other");
    plain_ = *tx.writer.create_index(false, labels_[0].value(), key_, false);
    unique_ = *tx.writer.create_index(false, labels_[1].value(), key_, true);
    edge_unique_ = *tx.writer.create_index(true, types_[1].value(), key_, true);
    tx.commit();
  }

  void run(int transactions) {
    for (int i = 0; i < transactions; ++i) {
      transact();
      if (pick(8) == 0) graph_.checkpoint();
      if (pick(8) == 0) {
        graph_.reopen_and_replay();
        ahead_.clear();  // reads of a store that is closed
      }
      if (i % 10 == 0) check();
    }
    check();
  }

 private:
  uint64_t pick(uint64_t limit) { return random_() % limit; }

  void check() {
    check_same(graph_.view(), committed_);
    const auto problems = graph_.problems();
    CHECK(problems == std::vector<std::string>());
    for (int64_t value = 0; value < kValues; ++value) check_indexes(value);
  }

  void check_indexes(int64_t value) {
    for (const auto& [index, label] : {std::pair(plain_, labels_[0]), {unique_, labels_[1]}}) {
      std::vector<NodeId> found, wanted;
      REQUIRE(graph_.view().find_nodes(index, {value}, found).ok());
      for (const auto& [id, node] : committed_.nodes) {
        if (has(node.labels, label) && value_of(node.properties) == value) wanted.push_back(id);
      }
      CHECK(found == wanted);
    }
  }

  static bool has(const std::vector<LabelId>& labels, LabelId label) {
    return std::binary_search(labels.begin(), labels.end(), label);
  }
  std::optional<int64_t> value_of(const Properties& properties) const {
    const PropertyValue* value = find_property(properties, key_);
    if (value == nullptr) return std::nullopt;
    return std::get<int64_t>(value->value);
  }

  void transact() {
    GraphFixture::Transaction tx(graph_);
    model_ = committed_;
    std::vector<std::pair<uint64_t, GraphModel>> marks;
    for (uint64_t i = pick(60); i > 0; --i) {
      if (pick(6) == 0) marks.emplace_back(tx.writer.mark(), model_);
      if (pick(12) == 0 && !marks.empty()) {
        const size_t to = pick(marks.size());
        tx.writer.rollback_to(marks[to].first);
        model_ = marks[to].second;
        marks.resize(to + 1);
      }
      operate(tx.writer);
    }
    if (pick(20) == 0) check_same(tx.writer.view(), model_);
    if (pick(5) == 0) return;
    tx.commit();
    committed_ = model_;
  }

  std::vector<LabelId> random_labels() {
    std::vector<LabelId> labels;
    for (const LabelId label : labels_) {
      if (pick(2) == 0) labels.push_back(label);
    }
    return labels;
  }
  Properties random_values() {
    Properties properties;
    if (pick(2) == 0)
      properties.emplace_back(key_, PropertyValue{static_cast<int64_t>(pick(kValues))});
    if (pick(4) == 0)
      properties.emplace_back(other_key_, PropertyValue{std::string(pick(50), 'p')});
    return properties;
  }
  NodeId some_node() {
    if (model_.nodes.empty() || pick(20) == 0) return NodeId(1 + pick(500));
    // Mostly a few hubs, so that blocks fill and are sealed.
    const size_t range =
        pick(3) == 0 ? model_.nodes.size() : std::min<size_t>(3, model_.nodes.size());
    return std::next(model_.nodes.begin(), static_cast<std::ptrdiff_t>(pick(range)))->first;
  }
  EdgeId some_edge() {
    if (model_.edges.empty() || pick(20) == 0) return EdgeId(1 + pick(5000));
    return std::next(model_.edges.begin(), static_cast<std::ptrdiff_t>(pick(model_.edges.size())))
        ->first;
  }

  bool node_value_taken(const Node& node) const {
    const auto value = value_of(node.properties);
    if (!value || !has(node.labels, labels_[1])) return false;
    return std::any_of(model_.nodes.begin(), model_.nodes.end(), [&](const auto& item) {
      return item.first != node.id && has(item.second.labels, labels_[1]) &&
             value_of(item.second.properties) == value;
    });
  }
  bool edge_value_taken(const Edge& edge) const {
    const auto value = value_of(edge.properties);
    if (!value || edge.type != types_[1]) return false;
    return std::any_of(model_.edges.begin(), model_.edges.end(), [&](const auto& item) {
      return item.first != edge.id && item.second.type == types_[1] &&
             value_of(item.second.properties) == value;
    });
  }

  void operate(GraphWriter& writer) {
    const uint64_t kind = pick(20);
    if (kind < 3) return create_node(writer);
    if (kind < 5) return update_node(writer);
    if (kind < 6) return delete_node(writer);
    if (kind < 15) return create_edge(writer);
    if (kind < 17) return update_edge(writer);
    delete_edge(writer);
  }
  void create_node(GraphWriter& writer) {
    Node node{NodeId(), random_labels(), random_values()};
    const auto id = writer.create_node(node.labels, node.properties);
    REQUIRE(id.ok() != node_value_taken(node));
    if (!id.ok()) return;
    node.id = *id;
    model_.nodes[*id] = node;
  }
  void update_node(GraphWriter& writer) {
    const Node node{some_node(), random_labels(), random_values()};
    const Status status = writer.update_node(node.id, node.labels, node.properties);
    if (!model_.nodes.contains(node.id)) {
      REQUIRE(status.code() == StatusCode::kNotFound);
      return;
    }
    REQUIRE(status.ok() != node_value_taken(node));
    if (status.ok()) model_.nodes[node.id] = node;
  }
  void delete_node(GraphWriter& writer) {
    const NodeId id = pick(3) == 0 ? some_node() : NodeId(1 + pick(500));
    const DeleteRule rule = pick(2) == 0 ? DeleteRule::kDetach : DeleteRule::kRestrict;
    const auto edges = model_.edges_of(id);
    const Status status = writer.delete_node(id, rule);
    if (!model_.nodes.contains(id)) {
      REQUIRE(status.code() == StatusCode::kNotFound);
    } else if (rule == DeleteRule::kRestrict && !edges.empty()) {
      REQUIRE(status.code() == StatusCode::kConstraint);
      CHECK(status.message().find(" " + std::to_string(edges.size()) + " edge") !=
            std::string::npos);
    } else {
      REQUIRE_MESSAGE(status.ok(), status.message());
      for (const EdgeId edge : edges) model_.edges.erase(edge);
      model_.nodes.erase(id);
    }
  }
  void create_edge(GraphWriter& writer) {
    Edge edge{EdgeId(), some_node(), types_[pick(4) == 0 ? 1 : 0], some_node(), random_values()};
    // What was read ahead may be of any earlier version, or missing.
    const auto key = std::tuple(edge.source, edge.type, edge.target);
    const auto ahead = ahead_.find(key);
    const auto id = writer.create_edge(edge.source, edge.type, edge.target, edge.properties,
                                       ahead == ahead_.end() ? nullptr : &ahead->second);
    if (pick(3) > 0) {
      auto read = read_edge_ahead(*graph_.newest, edge.source, edge.type, edge.target);
      REQUIRE(read.has_value());
      ahead_.insert_or_assign(key, std::move(*read));
    }
    const bool ends = model_.nodes.contains(edge.source) && model_.nodes.contains(edge.target);
    REQUIRE(id.ok() == (ends && !edge_value_taken(edge)));
    if (!id.ok()) return;
    edge.id = *id;
    CHECK_FALSE(model_.edges.contains(*id));
    model_.edges[*id] = edge;
  }
  void update_edge(GraphWriter& writer) {
    const EdgeId id = some_edge();
    const Properties properties = random_values();
    const Status status = writer.update_edge(id, properties);
    const auto found = model_.edges.find(id);
    if (found == model_.edges.end()) {
      REQUIRE(status.code() == StatusCode::kNotFound);
      return;
    }
    Edge edge = found->second;
    edge.properties = properties;
    REQUIRE(status.ok() != edge_value_taken(edge));
    if (status.ok()) found->second = edge;
  }
  void delete_edge(GraphWriter& writer) {
    const EdgeId id = some_edge();
    const Status status = writer.delete_edge(id);
    REQUIRE(status.ok() == model_.edges.contains(id));
    model_.edges.erase(id);
  }

  std::mt19937_64 random_;
  std::map<std::tuple<NodeId, TypeId, NodeId>, EdgeAhead> ahead_;
  GraphFixture graph_;
  GraphModel committed_, model_;
  std::vector<LabelId> labels_;
  std::vector<TypeId> types_;
  KeyId key_, other_key_;
  IndexId plain_, unique_, edge_unique_;
};

}  // namespace

TEST_CASE("random operations give what the model gives") {
  for (uint64_t seed = 1; seed <= 4; ++seed) RandomRun(seed).run(300);
}
