#include "graph/graph_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/adjacency_block.h"
#include "graph/edge_block.h"
#include "engine/long_call.h"
#include "graph/family_reader.h"
#include "graph/graph_read.h"
#include "graph/hierarchy.h"
#include "graph/node_format.h"
#include "graph/projection_cache.h"

namespace braid {
namespace {

/// Keys that are walked between two questions whether to go on.
constexpr uint64_t kKeysPerQuestion = 1024;

/// Where an edge is listed at one of its ends.
struct ListedEdge {
  Family family;
  NodeId node;
  TypeId type;
  EdgeId edge;
  NodeId neighbor;
};

/// Tells with near certainty whether two walks in different order met the same entries: a count and
/// two sums of mixed bits.
class EntryDigest {
 public:
  void add(NodeId node, TypeId type, EdgeId edge, NodeId neighbor) {
    uint64_t bits = mix(node.value() + kStep);
    bits = mix(bits ^ type.value());
    bits = mix(bits ^ edge.value());
    bits = mix(bits ^ neighbor.value());
    ++count_;
    sum_ += bits;
    other_sum_ += mix(bits + kStep);
  }
  bool operator==(const EntryDigest&) const = default;

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  /// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", figure 16.
  static uint64_t mix(uint64_t bits) {
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
  }

  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t other_sum_ = 0;
};

class GraphChecker {
 public:
  GraphChecker(const GraphStoreView& view, std::vector<std::string>& problems)
      : view_(view), reader_(view, nullptr), problems_(problems), start_(problems.size()) {}

  Status run() {
    // The parts are about as long as their families usually are.
    LongCall::in_part(0, 0.2, [this] {
      walk(Family::kNode, [this](auto key, auto bytes) { return check_node(key, bytes); });
      check_gap(view_.counters().gapless_limit());
    });
    LongCall::in_part(0.2, 0.1, [this] { walk(Family::kLabel, [this](auto key, auto) { return check_label(key); }); });
    LongCall::in_part(0.3, 0.5, [this] { check_edges(); });
    LongCall::in_part(0.8, 0.1, [this] { walk(Family::kIndex, [this](auto key, auto) { return check_index_key(key); }); });
    LongCall::in_part(0.9, 0.1, [this] {
      if (lists_sound_) check_hierarchies();
    });
    if (stopped_.ok()) stopped_ = LongCall::check(1);
    if (stopped_.ok() && full()) problems_.push_back("graph: more problems are not listed");
    return stopped_;
  }

 private:
  /// The list of edges whose blocks are being walked; the head comes first by key.
  struct List {
    AdjacencyKey key;
    uint64_t count = 0;
    uint64_t total = 0;  // by the head
    std::optional<EdgeId> head_first;
    EdgeId last;  // of the sealed blocks so far
  };

  /// Nothing more is to be said.
  bool full() const { return !stopped_.ok() || problems_.size() - start_ >= kGraphProblemsMax; }
  template <typename... Arguments>
  void problem(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (!full()) {
      problems_.push_back("graph: " + fmt::format(format, std::forward<Arguments>(arguments)...));
    }
  }
  /// Lists a failed read and goes on.
  void problem_of(const Status& status) {
    if (!status.ok() && !full()) problems_.push_back(status.message());
  }
  template <typename T>
  std::optional<T> value_or_problem(Result<T> result) {
    problem_of(result.status());
    return result.ok() ? std::optional<T>(result.take()) : std::nullopt;
  }

  template <typename Check>
  void walk(Family family, Check&& check) {
    FamilyCursor cursor(reader_, family, "");
    for (cursor.seek(""); cursor.valid() && !full(); cursor.next()) {
      if (++keys_ % kKeysPerQuestion == 0) stopped_ = LongCall::check();
      problem_of(check(cursor.key(), cursor.bytes()));
    }
    problem_of(cursor.status());
  }

  std::string label_text(LabelId label) const {
    return fmt::format("label \"{}\"", view_.catalog().name(NameKind::kLabel, label.value()));
  }
  std::string type_text(TypeId type) const {
    return fmt::format("type \"{}\"", view_.catalog().name(NameKind::kEdgeType, type.value()));
  }
  bool has(Family family, const std::string& key) {
    FoundBytes bytes;
    problem_of(reader_.get(family, key, bytes));
    return bytes.found();
  }
  bool in_index(const IndexDefinition& index, uint64_t id, const Properties& properties) {
    const PropertyValue* value = find_property(properties, index.key);
    if (value == nullptr) return true;
    const Result<std::string> encoded = encode_index_value(*value);
    return encoded.ok() && has(Family::kIndex, index_key(index.id, *encoded, id));
  }

  Status check_node(std::string_view key, std::string_view bytes) {
    Node node;
    if (!parse_node_key(key, node.id)) return damaged(Family::kNode, key, "the key is damaged");
    if (const Status status = decode_node(bytes, node); !status.ok()) {
      problem("node {}: {}", node.id.value(), status.message());
      return {};
    }
    check_gap(node.id);
    if (node.id >= view_.counters().next_node) {
      problem("node {} is not below the next id {}", node.id.value(),
              view_.counters().next_node.value());
    }
    for (const LabelId label : node.labels) {
      if (!has(Family::kLabel, label_key(label, node.id))) {
        problem("node {} has {}, which does not list it", node.id.value(), label_text(label));
      }
    }
    for (const auto& [id, index] : view_.state().indexes) {
      const bool covered =
          !index.on_edges &&
          std::binary_search(node.labels.begin(), node.labels.end(), LabelId(index.scope));
      if (covered && !in_index(index, node.id.value(), node.properties)) {
        problem("node {} is missing in index {}", node.id.value(), id.value());
      }
    }
    return {};
  }

  /// Ids without gaps, on which readers rely.
  void check_gap(NodeId id) {
    for (; next_node_ < std::min(id, view_.counters().gapless_limit()) && !full(); next_node_ = next_node_.next()) {
      problem("node {} is missing, and no removal is noted of it or of one before it", next_node_.value());
    }
    next_node_ = std::max(next_node_, id.next());
  }

  Status check_label(std::string_view key) {
    LabelId label;
    NodeId id;
    if (!parse_label_key(key, label, id)) {
      return damaged(Family::kLabel, key, "the key is damaged");
    }
    const auto node = value_or_problem(read_node(reader_, id));
    if (!node) return {};
    if (!*node) {
      problem("{} lists node {}, which does not exist", label_text(label), id.value());
    } else if (!std::binary_search((*node)->labels.begin(), (*node)->labels.end(), label)) {
      problem("{} lists node {}, which does not have it", label_text(label), id.value());
    }
    return {};
  }

  /// Edges and lists are walked in their own order first and compared as a whole. Only when they
  /// disagree is every edge looked up in both lists, and every entry among the edges, to name what
  /// is wrong.
  void check_edges() {
    auto walk_all = [this] {
      walk(Family::kEdge, [this](auto key, auto bytes) { return check_edge_block(key, bytes); });
      check_adjacency(Family::kOut);
      check_adjacency(Family::kIn);
    };
    walk_all();
    if (out_of_edges_ == out_of_lists_ && in_of_edges_ == in_of_lists_ && lists_sound_) return;
    by_entry_ = true;
    walk_all();
  }

  Status check_edge_block(std::string_view key, std::string_view bytes) {
    EdgeId first;
    if (!parse_edge_block_key(key, first)) {
      return damaged(Family::kEdge, key, "the key is damaged");
    }
    const bool sound =
        !bytes.empty() &&
        visit_edge_block(bytes, [&](unsigned slot, const EdgeRow& row, std::string_view) {
          const EdgeId id(first.value() + slot);
          by_entry_ ? check_ends(id, row) : check_edge(id, row);
          return !full();
        });
    if (sound || by_entry_) return {};
    return damaged(Family::kEdge, key, "the edge block is damaged");
  }

  void check_edge(EdgeId id, const EdgeRow& row) {
    out_of_edges_.add(row.source, row.type, id, row.target);
    in_of_edges_.add(row.target, row.type, id, row.source);
    if (id >= view_.counters().next_edge) {
      problem("edge {} is not below the next id {}", id.value(),
              view_.counters().next_edge.value());
    }
    const Result<Properties> properties = decode_properties(row.properties);
    if (!properties.ok()) {
      problem("edge {}: {}", id.value(), properties.status().message());
      return;
    }
    for (const auto& [index_id, index] : view_.state().indexes) {
      const bool covered = index.on_edges && index.scope == row.type.value();
      if (covered && !in_index(index, id.value(), *properties)) {
        problem("edge {} is missing in index {}", id.value(), index_id.value());
      }
    }
  }

  void check_ends(EdgeId id, const EdgeRow& row) {
    if (!has(Family::kNode, node_key(row.source))) {
      problem("edge {} starts at node {}, which does not exist", id.value(), row.source.value());
    }
    if (!has(Family::kNode, node_key(row.target))) {
      problem("edge {} ends at node {}, which does not exist", id.value(), row.target.value());
    }
    check_listed({Family::kOut, row.source, row.type, id, row.target});
    check_listed({Family::kIn, row.target, row.type, id, row.source});
  }

  void check_listed(const ListedEdge& wanted) {
    const std::string head = head_key(wanted.node, wanted.type);
    FoundBytes head_bytes;
    problem_of(reader_.get(wanted.family, head, head_bytes));
    AdjacencyHeader header;
    bool found = false;
    if (head_bytes.found() && read_adjacency_header(head_bytes.bytes(), header)) {
      if (header.count > 0 && wanted.edge >= header.first) {
        found = block_lists(head_bytes.bytes(), wanted);
      } else if (header.total > header.count) {
        const auto sealed = value_or_problem(reader_.last_at_or_below(
            wanted.family, head, sealed_key(wanted.node, wanted.type, wanted.edge)));
        found = sealed && *sealed && block_lists((*sealed)->second, wanted);
      }
    }
    if (!found) {
      problem("edge {} is missing in family {} of node {}, {}", wanted.edge.value(),
              family_name(wanted.family), wanted.node.value(), type_text(wanted.type));
    }
  }

  static bool block_lists(std::string_view block, const ListedEdge& wanted) {
    bool found = false;
    const bool sound = visit_adjacency_block(block, [&](EdgeId edge, NodeId neighbor) {
      if (edge == wanted.edge) found = neighbor == wanted.neighbor;
      return edge < wanted.edge;
    });
    return sound && found;
  }

  void check_adjacency(Family family) {
    std::optional<List> list;
    walk(family, [&](std::string_view key, std::string_view bytes) {
      Status status = check_block(family, key, bytes, list);
      // What the first walk says of the blocks themselves, the second need not say again.
      if (by_entry_) return Status();
      if (!status.ok()) lists_sound_ = false;
      return status;
    });
    if (list) finish_list(family, *list);
  }

  Status check_block(Family family, std::string_view key, std::string_view bytes,
                     std::optional<List>& list) {
    AdjacencyKey parsed;
    if (!parse_adjacency_key(key, parsed)) return damaged(family, key, "the key is damaged");
    AdjacencyHeader header;
    const bool sound =
        parsed.is_head ? read_head_header(bytes, header) : read_adjacency_header(bytes, header);
    if (!sound) return damaged(family, key, "the adjacency block is damaged");
    if (parsed.is_head) {
      if (list) finish_list(family, *list);
      list.emplace(List{parsed, 0, header.total, {}, {}});
      if (header.count > 0) list->head_first = header.first;
    } else if (!list || list->key.node != parsed.node || list->key.type != parsed.type) {
      return damaged(family, key, "the block has no head");
    } else {
      if (header.count == 0 || header.first < parsed.first || header.first <= list->last) {
        return damaged(family, key, "the block is empty or out of order");
      }
      list->last = header.last;
    }
    return check_entries(family, key, bytes, *list);
  }

  Status check_entries(Family family, std::string_view key, std::string_view bytes, List& list) {
    EntryDigest& digest = family == Family::kOut ? out_of_lists_ : in_of_lists_;
    const bool sound = visit_adjacency_block(bytes, [&](EdgeId edge, NodeId neighbor) {
      ++list.count;
      if (by_entry_) {
        check_entry({family, list.key.node, list.key.type, edge, neighbor});
      } else {
        digest.add(list.key.node, list.key.type, edge, neighbor);
      }
      return !full();
    });
    return sound ? Status() : damaged(family, key, "the adjacency block is damaged");
  }

  void check_entry(const ListedEdge& listed) {
    const auto edge = value_or_problem(read_edge(reader_, listed.edge));
    if (!edge) return;
    const bool out = listed.family == Family::kOut;
    const bool agrees = *edge && (*edge)->type == listed.type &&
                        (*edge)->source == (out ? listed.node : listed.neighbor) &&
                        (*edge)->target == (out ? listed.neighbor : listed.node);
    if (agrees) return;
    problem("family {} of node {}, {}, lists edge {} to node {}, which {}",
            family_name(listed.family), listed.node.value(), type_text(listed.type),
            listed.edge.value(), listed.neighbor.value(),
            *edge ? "has other ends or another type" : "does not exist");
  }

  void finish_list(Family family, const List& list) {
    if (full() || by_entry_) return;
    const std::string where = fmt::format("family {} of node {}, {}", family_name(family),
                                          list.key.node.value(), type_text(list.key.type));
    if (list.total != list.count) {
      problem("{} has {} entries and counts {}", where, list.count, list.total);
    }
    if (list.head_first && *list.head_first <= list.last) {
      problem("{} has a head that is not newer than its sealed blocks", where);
    }
    if (!has(Family::kNode, node_key(list.key.node))) {
      problem("{} belongs to a node that does not exist", where);
      lists_sound_ = false;
    }
  }

  Status check_index_key(std::string_view key) {
    IndexKey parsed;
    if (!parse_index_key(key, parsed)) return damaged(Family::kIndex, key, "the key is damaged");
    const auto definition = view_.state().indexes.find(parsed.index);
    if (definition == view_.state().indexes.end()) {
      problem("index {} has entries and no definition", parsed.index.value());
      return {};
    }
    const IndexDefinition& index = definition->second;
    const char* kind = index.on_edges ? "edge" : "node";
    if (!belongs(index, parsed)) {
      problem("index {} lists {} {} under a value that it does not have", parsed.index.value(),
              kind, parsed.id);
    }
    const std::string prefix(key.substr(0, key.size() - 8));
    if (index.unique && prefix == last_index_prefix_) {
      problem("unique index {} lists {} {} under a value of another {}", parsed.index.value(), kind,
              parsed.id, kind);
    }
    last_index_prefix_ = prefix;
    return {};
  }

  bool belongs(const IndexDefinition& index, const IndexKey& key) {
    Properties properties;
    if (index.on_edges) {
      auto edge = value_or_problem(read_edge(reader_, EdgeId(key.id)));
      if (!edge || !*edge || (*edge)->type.value() != index.scope) return false;
      properties = std::move((*edge)->properties);
    } else {
      auto node = value_or_problem(read_node(reader_, NodeId(key.id)));
      if (!node || !*node) return false;
      const auto& labels = (*node)->labels;
      if (!std::binary_search(labels.begin(), labels.end(), LabelId(index.scope))) return false;
      properties = std::move((*node)->properties);
    }
    const PropertyValue* value = find_property(properties, index.key);
    if (value == nullptr) return false;
    const Result<std::string> encoded = encode_index_value(*value);
    return encoded.ok() && *encoded == key.value;
  }

  void check_hierarchies() {
    // Safety: borrowed, without a count; the view outlives the checker.
    const GraphView view(std::shared_ptr<const StoreView>(std::shared_ptr<const StoreView>(), &view_), nullptr);
    for (const auto& [type, hierarchy] : view_.state().hierarchies) {
      const ProjectionSpec spec{.labels = {}, .types = {type}, .weight = std::nullopt, .orientation = Orientation::kNatural};
      const auto projection = view_.projections().get(view, spec, nullptr);
      // One that does not fit in memory cannot be rolled up either.
      if (projection.status().code() == StatusCode::kLimit) continue;
      problem_of(projection.status());
      if (!projection.ok()) continue;
      const auto cycle = value_or_problem(find_cycle(**projection, hierarchy.direction, {}));
      if (cycle && !cycle->empty()) problem("hierarchy of {} has a cycle: {}", type_text(type), cycle_text(*cycle));
    }
  }

  const GraphStoreView& view_;
  const FamilyReader reader_;
  std::vector<std::string>& problems_;
  const size_t start_;
  Status stopped_;  // when the caller wants no more
  uint64_t keys_ = 0;
  std::string last_index_prefix_;
  EntryDigest out_of_edges_, in_of_edges_;  // what the edges say that the lists hold
  EntryDigest out_of_lists_, in_of_lists_;  // what they hold
  bool lists_sound_ = true;
  NodeId next_node_{1};    // to be met
  bool by_entry_ = false;  // the second walk
};

}  // namespace

Status check_graph(const GraphStoreView& view, std::vector<std::string>& problems) {
  return GraphChecker(view, problems).run();
}

}  // namespace braid
