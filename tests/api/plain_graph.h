// A graph as plain maps, with an undo list: what a database must behave as, whatever path changes it.
//
// Invariant: `nodes`, `edges`, adjacency and index entries change in `put_node` and `put_edge` only, which note what was there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace braid {

enum PlainLabel : uint8_t { kLabelA = 1, kLabelB = 2, kLabelPump = 4, kLabelValve = 8, kLabelC = 16 };

/// A node of the label Pump or Valve is a row of the table of that name, with a key and perhaps a name.
struct PlainNode {
  uint8_t labels = 0;
  std::optional<int64_t> key;
  std::optional<int64_t> note;  ///< how many letters it has
  int64_t row = 0;
  std::optional<int64_t> row_name;

  bool is_row() const { return (labels & (kLabelPump | kLabelValve)) != 0; }
};

struct PlainEdge {
  int64_t source = 0;
  size_t type = 0;
  int64_t target = 0;
  std::optional<int64_t> key;
  std::optional<int64_t> weight;
};

/// By key: of nodes A (plain), of nodes B (unique), of the rows of both tables (unique), and of edges of one type (unique).
enum class PlainIndex : uint8_t { kA, kB, kPump, kValve, kEdge };

class PlainGraph {
 public:
  static constexpr size_t kKeyedType = 1;  ///< the edge type whose keys are unique
  using Ids = std::set<int64_t>;

  const std::map<int64_t, PlainNode>& nodes() const { return nodes_; }
  const std::map<int64_t, PlainEdge>& edges() const { return edges_; }
  /// Edge ids, a loop in both.
  const Ids& out(int64_t node) const { return ids_of(out_, node); }
  const Ids& in(int64_t node) const { return ids_of(in_, node); }
  Ids edges_of(int64_t node) const {
    Ids all = out(node);
    all.insert(in(node).begin(), in(node).end());
    return all;
  }
  const Ids& find(PlainIndex index, int64_t key) const { return ids_of(entries_, std::pair(index, key)); }

  /// Whether another node or edge has a value that must be unique.
  bool is_taken(int64_t id, const PlainNode& node) const {
    for (const auto& [index, key] : entries_of(node))
      if (index != PlainIndex::kA && has_other(find(index, key), id)) return true;
    return false;
  }
  bool is_taken(int64_t id, const PlainEdge& edge) const {
    for (const auto& [index, key] : entries_of(edge))
      if (has_other(find(index, key), id)) return true;
    return false;
  }

  /// Nothing removes it; its edges are gone already.
  void put_node(int64_t id, std::optional<PlainNode> node) { undo_.push_back({false, id, exchange_node(id, std::move(node)), {}}); }
  void put_edge(int64_t id, std::optional<PlainEdge> edge) { undo_.push_back({true, id, {}, exchange_edge(id, std::move(edge))}); }
  void remove_with_edges(int64_t id) {
    for (const int64_t edge : edges_of(id)) put_edge(edge, std::nullopt);
    put_node(id, std::nullopt);
  }

  size_t mark() const { return undo_.size(); }
  void undo_to(size_t mark) {
    for (; undo_.size() > mark; undo_.pop_back()) {
      Change& last = undo_.back();
      if (last.is_edge)
        exchange_edge(last.id, std::move(last.edge));
      else
        exchange_node(last.id, std::move(last.node));
    }
  }
  /// What was changed stays.
  void commit() { undo_.clear(); }

 private:
  struct Change {
    bool is_edge;
    int64_t id;
    std::optional<PlainNode> node;  // as it was
    std::optional<PlainEdge> edge;
  };
  using Entry = std::pair<PlainIndex, int64_t>;

  template <typename Map, typename Key>
  static const Ids& ids_of(const Map& map, const Key& key) {
    static const Ids kNone;
    const auto found = map.find(key);
    return found == map.end() ? kNone : found->second;
  }
  static bool has_other(const Ids& ids, int64_t id) { return ids.size() > ids.count(id); }

  static std::vector<Entry> entries_of(const PlainNode& node) {
    std::vector<Entry> entries;
    if (node.key && (node.labels & kLabelA) != 0) entries.emplace_back(PlainIndex::kA, *node.key);
    if (node.key && (node.labels & kLabelB) != 0) entries.emplace_back(PlainIndex::kB, *node.key);
    if ((node.labels & kLabelPump) != 0) entries.emplace_back(PlainIndex::kPump, node.row);
    if ((node.labels & kLabelValve) != 0) entries.emplace_back(PlainIndex::kValve, node.row);
    return entries;
  }
  static std::vector<Entry> entries_of(const PlainEdge& edge) {
    if (!edge.key || edge.type != kKeyedType) return {};
    return {{PlainIndex::kEdge, *edge.key}};
  }

  template <typename Map, typename Key>
  static void link(Map& map, const Key& key, int64_t id) {
    map[key].insert(id);
  }
  template <typename Map, typename Key>
  static void unlink(Map& map, const Key& key, int64_t id) {
    const auto found = map.find(key);
    found->second.erase(id);
    if (found->second.empty()) map.erase(found);
  }

  std::optional<PlainNode> exchange_node(int64_t id, std::optional<PlainNode> node) {
    std::optional<PlainNode> before;
    if (const auto found = nodes_.find(id); found != nodes_.end()) {
      for (const Entry& entry : entries_of(found->second)) unlink(entries_, entry, id);
      before = found->second;
      nodes_.erase(found);
    }
    if (!node) return before;
    for (const Entry& entry : entries_of(*node)) link(entries_, entry, id);
    nodes_.emplace(id, *node);
    return before;
  }
  std::optional<PlainEdge> exchange_edge(int64_t id, std::optional<PlainEdge> edge) {
    std::optional<PlainEdge> before;
    if (const auto found = edges_.find(id); found != edges_.end()) {
      before = found->second;
      for (const Entry& entry : entries_of(*before)) unlink(entries_, entry, id);
      unlink(out_, before->source, id);
      unlink(in_, before->target, id);
      edges_.erase(found);
    }
    if (!edge) return before;
    for (const Entry& entry : entries_of(*edge)) link(entries_, entry, id);
    link(out_, edge->source, id);
    link(in_, edge->target, id);
    edges_.emplace(id, *edge);
    return before;
  }

  std::map<int64_t, PlainNode> nodes_;
  std::map<int64_t, PlainEdge> edges_;
  std::map<int64_t, Ids> out_;
  std::map<int64_t, Ids> in_;
  std::map<Entry, Ids> entries_;
  std::vector<Change> undo_;
};

}  // namespace braid
