#include "graph/projection_patch.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/coding.h"
#include "graph/edge_run.h"
#include "graph/removal_run.h"

namespace braid {

namespace {

using Kind = ShapeChange::Kind;

bool is_many(const std::vector<ShapeChange>& changes) { return !changes.empty() && changes.back().kind == Kind::kMany; }

bool append_created(const EdgeChange& change, std::vector<ShapeChange>& out) {
  const auto decoded = DecodedEdgeRun::decode(change.type, change.id, change.properties);
  if (!decoded.ok()) return false;
  const EdgeRun run = decoded->run();
  for (size_t i = 0; i < run.size(); ++i) {
    out.push_back({Kind::kEdgeAdded, false, run.id(i).value(), run.sources[i], run.targets[i], run.type});
  }
  return true;
}

bool append_removed(const EdgeChange& change, std::vector<ShapeChange>& out) {
  const auto decoded = DecodedRemovalRun::decode(change.type, change.properties);
  if (!decoded.ok()) return false;
  const RemovalRun run = decoded->run();
  for (size_t i = 0; i < run.size(); ++i) {
    const NodeId source = run.outgoing ? run.node : run.neighbors[i];
    const NodeId target = run.outgoing ? run.neighbors[i] : run.node;
    out.push_back({Kind::kEdgeRemoved, false, run.edges[i].value(), source, target, run.type});
  }
  return true;
}

void append_run(const EdgeChange& change, std::vector<ShapeChange>& out) {
  // Either run begins with its count, so that a long one need not be decoded.
  uint64_t count;
  const bool few = ByteReader(change.properties).varint(count) && count <= kShapeChangesMax - std::min(out.size(), kShapeChangesMax);
  if (few && (change.kind == ChangeKind::kRun ? append_created(change, out) : append_removed(change, out))) return;
  out = {{.kind = Kind::kMany}};
}

}  // namespace

void append_shape(const GraphChanges& changes, std::vector<ShapeChange>& out) {
  if (is_many(out)) return;
  for (const NodeChange& node : changes.nodes) {
    if (node.kind == ChangeKind::kIndexOnly) continue;
    const bool labels = !node.labels_added.empty() || !node.labels_removed.empty();
    out.push_back({node.kind == ChangeKind::kRemove ? Kind::kNodeRemoved : Kind::kNodePut, labels, node.id.value(), {}, {}, {}});
  }
  for (const EdgeChange& edge : changes.edges) {
    if (edge.kind == ChangeKind::kIndexOnly) continue;
    if (edge.kind == ChangeKind::kRun || edge.kind == ChangeKind::kRemovalRun) {
      append_run(edge, out);
      if (is_many(out)) return;
      continue;
    }
    const Kind kind = edge.kind == ChangeKind::kRemove ? Kind::kEdgeRemoved : edge.created ? Kind::kEdgeAdded : Kind::kEdgeChanged;
    out.push_back({kind, false, edge.id.value(), edge.source, edge.target, edge.type});
  }
}

void ShapeJournal::add(uint64_t sequence, const std::vector<ShapeChange>& changes) {
  if (is_many(changes)) {
    publishes_.clear();
    count_ = 0;
    return;
  }
  publishes_.push_back({sequence, changes});
  count_ += changes.size() + 1;
  while (count_ > kShapeChangesMax) {
    count_ -= publishes_.front().changes.size() + 1;
    publishes_.pop_front();
  }
}

bool ShapeJournal::reaches(uint64_t from, uint64_t to) const {
  if (from == to) return true;
  return !publishes_.empty() && publishes_.front().sequence <= from + 1 && publishes_.back().sequence >= to;
}

std::optional<std::vector<ShapeChange>> ShapeJournal::between(uint64_t from, uint64_t to) const {
  if (!reaches(from, to)) return std::nullopt;
  std::vector<ShapeChange> out;
  for (const Publish& publish : publishes_)
    if (publish.sequence > from && publish.sequence <= to) out.insert(out.end(), publish.changes.begin(), publish.changes.end());
  return out;
}

class ProjectionPatcher {
 public:
  ProjectionPatcher(const Projection& old, const GraphView& view, Projection* owned)
      : old_(old), view_(view), owned_(owned), patched_(new Projection()) {
    patched_->spec_ = old.spec_;
    patched_->nodes_ = old.nodes_;
    patched_->vertex_of_id_ = old.vertex_of_id_;
    patched_->has_negative_weight_ = old.has_negative_weight_;
    patched_->memory_ = old.memory_.fresh();
  }

  Result<std::shared_ptr<const Projection>> run(const std::vector<ShapeChange>& changes) {
    for (const ShapeChange& change : changes) {
      if (!take(change)) return std::shared_ptr<const Projection>();
    }
    BRAID_TRY(sort_entries());
    patched_->edge_count_ = old_.edge_count_ + added_edges_.size() - removed_edges_.size();
    if (owned_ != nullptr && added_edges_.size() + removed_edges_.size() <= kFewChanges) {
      change_in_place();
      patched_->memory_.set(patched_->memory_bytes());
      return std::shared_ptr<const Projection>(std::move(patched_));
    }
    patch(old_.out_, out_added_, out_removed_, patched_->out_, &patched_->edges_, &patched_->weights_);
    if (old_.directed()) patch(old_.in_, in_added_, in_removed_, patched_->in_, nullptr, nullptr);
    patched_->memory_.set(patched_->memory_bytes());
    return std::shared_ptr<const Projection>(std::move(patched_));
  }

 private:
  /// What is added to, or removed from, the entries of one vertex.
  struct EntryChange {
    Vertex vertex;
    Vertex target;
    uint64_t edge;
    double weight;
    bool operator<(const EntryChange& other) const { return vertex < other.vertex; }
  };

  const ProjectionSpec& spec() const { return old_.spec_; }
  bool wants(TypeId type) const {
    return spec().types.empty() || std::binary_search(spec().types.begin(), spec().types.end(), type);
  }

  /// False when the projection must be built anew.
  bool take(const ShapeChange& change) {
    using Kind = ShapeChange::Kind;
    switch (change.kind) {
      case Kind::kNodePut: return take_node(NodeId(change.id), change.labels_changed);
      // Vertices behind it would get other numbers.
      case Kind::kMany: return false;
      case Kind::kNodeRemoved: return !patched_->vertex(NodeId(change.id)).has_value();
      case Kind::kEdgeChanged:
        // It goes with its old weight and comes with the new one, which is read when all is known.
        if (!spec().weight || !wants(change.type) || !added_edges_.emplace(change.id, change).second) return true;
        removed_edges_.emplace(change.id, change);
        return true;
      case Kind::kEdgeAdded:
        if (wants(change.type)) added_edges_.emplace(change.id, change);
        return true;
      case Kind::kEdgeRemoved:
        if (wants(change.type) && added_edges_.erase(change.id) == 0) removed_edges_.emplace(change.id, change);
        return true;
    }
    return false;
  }

  bool take_node(NodeId id, bool labels_changed) {
    if (!spec().labels.empty()) return !labels_changed;
    std::vector<uint64_t>& nodes = patched_->nodes_;
    if (patched_->vertex(id)) return true;
    if (!nodes.empty() && id.value() <= nodes.back()) return false;
    if (nodes.size() >= UINT32_MAX - 1) return false;
    nodes.push_back(id.value());
    patched_->number_vertices();
    return true;
  }

  Result<double> weight_of(uint64_t edge) {
    if (!spec().weight) return 1.0;
    BRAID_ASSIGN(const auto found, view_.edge(EdgeId(edge)));
    if (!found) return Status(StatusCode::kCorrupt, "graph: an edge of the journal does not exist");
    BRAID_ASSIGN(const double weight, edge_weight(found->id, found->properties, *spec().weight));
    patched_->has_negative_weight_ |= weight < 0;
    return weight;
  }

  Status sort_entries() {
    const auto sides = [this](const ShapeChange& change, double weight, std::vector<EntryChange>& out, std::vector<EntryChange>& in) {
      const auto source = patched_->vertex(change.source), target = patched_->vertex(change.target);
      if (!source || !target) return false;
      const bool reverse = spec().orientation == Orientation::kReverse;
      const EntryChange there{*source, *target, change.id, weight}, back{*target, *source, change.id, weight};
      out.push_back(reverse ? back : there);
      (old_.directed() ? in : out).push_back(reverse ? there : back);
      return true;
    };
    for (auto edge = added_edges_.begin(); edge != added_edges_.end();) {
      BRAID_ASSIGN(const double weight, weight_of(edge->first));
      edge = sides(edge->second, weight, out_added_, in_added_) ? std::next(edge) : added_edges_.erase(edge);
    }
    for (auto edge = removed_edges_.begin(); edge != removed_edges_.end();)
      edge = sides(edge->second, 0, out_removed_, in_removed_) ? std::next(edge) : removed_edges_.erase(edge);
    for (auto* changes : {&out_added_, &out_removed_, &in_added_, &in_removed_}) std::stable_sort(changes->begin(), changes->end());
    return {};
  }

  /// Moves the tail of the matrix once for each entry, which for a few of them is less than copying all of it.
  void change_in_place() {
    patched_->out_ = std::move(owned_->out_);
    patched_->in_ = std::move(owned_->in_);
    patched_->edges_ = std::move(owned_->edges_);
    patched_->weights_ = std::move(owned_->weights_);
    std::vector<double>* weights = spec().weight ? &patched_->weights_ : nullptr;
    for (const EntryChange& change : out_removed_) remove_entry(patched_->out_, change, &patched_->edges_, weights);
    for (const EntryChange& change : in_removed_) remove_entry(patched_->in_, change, nullptr, nullptr);
    for (Adjacency* adjacency : {&patched_->out_, &patched_->in_})
      if (!adjacency->offsets.empty()) adjacency->offsets.resize(patched_->nodes_.size() + 1, adjacency->targets.size());
    for (const EntryChange& change : out_added_) add_entry(patched_->out_, change, &patched_->edges_, weights);
    for (const EntryChange& change : in_added_) add_entry(patched_->in_, change, nullptr, nullptr);
  }

  static void remove_entry(Adjacency& adjacency, const EntryChange& change, std::vector<uint64_t>* edges, std::vector<double>* weights) {
    uint64_t entry = adjacency.offsets[change.vertex];
    while (adjacency.targets[entry] != change.target || (edges != nullptr && (*edges)[entry] != change.edge)) ++entry;
    const auto place = static_cast<std::ptrdiff_t>(entry);
    adjacency.targets.erase(adjacency.targets.begin() + place);
    if (edges != nullptr) edges->erase(edges->begin() + place);
    if (weights != nullptr) weights->erase(weights->begin() + place);
    for (size_t i = change.vertex + size_t{1}; i < adjacency.offsets.size(); ++i) --adjacency.offsets[i];
  }

  static void add_entry(Adjacency& adjacency, const EntryChange& change, std::vector<uint64_t>* edges, std::vector<double>* weights) {
    const auto place = static_cast<std::ptrdiff_t>(adjacency.offsets[change.vertex + size_t{1}]);
    insert_at(adjacency.targets, place, change.target);
    if (edges != nullptr) insert_at(*edges, place, change.edge);
    if (weights != nullptr) insert_at(*weights, place, change.weight);
    for (size_t i = change.vertex + size_t{1}; i < adjacency.offsets.size(); ++i) ++adjacency.offsets[i];
  }

  /// A vector that is full would double.
  template <typename T>
  static void insert_at(std::vector<T>& values, std::ptrdiff_t place, T value) {
    if (values.size() == values.capacity()) values.reserve(values.size() + values.size() / 64 + kFewChanges);
    values.insert(values.begin() + place, value);
  }

  /// Copies the entries of all vertices, in long runs between those that change. `edges` and `weights` go with the entries of `out`.
  void patch(const Adjacency& from, const std::vector<EntryChange>& added, const std::vector<EntryChange>& removed, Adjacency& to,
             std::vector<uint64_t>* edges, std::vector<double>* weights) {
    const size_t size = from.targets.size() + added.size() - removed.size();
    to.targets.reserve(size);
    if (edges != nullptr) edges->reserve(size);
    const bool weighted = weights != nullptr && !old_.weights_.empty();
    // A graph that had no edges had no weights either.
    const bool weighs = weights != nullptr && spec().weight.has_value();
    if (weighs) weights->reserve(size);
    to.offsets.reserve(patched_->nodes_.size() + 1);
    to.offsets.push_back(0);
    const size_t old_count = old_.nodes_.size();
    auto next_added = added.begin();
    auto next_removed = removed.begin();
    const auto copy = [&](uint64_t start, uint64_t limit) {
      to.targets.insert(to.targets.end(), from.targets.begin() + static_cast<std::ptrdiff_t>(start),
                        from.targets.begin() + static_cast<std::ptrdiff_t>(limit));
      if (edges != nullptr)
        edges->insert(edges->end(), old_.edges_.begin() + static_cast<std::ptrdiff_t>(start), old_.edges_.begin() + static_cast<std::ptrdiff_t>(limit));
      if (weighted)
        weights->insert(weights->end(), old_.weights_.begin() + static_cast<std::ptrdiff_t>(start),
                        old_.weights_.begin() + static_cast<std::ptrdiff_t>(limit));
    };
    for (size_t vertex = 0; vertex < patched_->nodes_.size();) {
      // To the next vertex with a change.
      size_t limit = patched_->nodes_.size();
      if (next_added != added.end()) limit = std::min<size_t>(limit, next_added->vertex);
      if (next_removed != removed.end()) limit = std::min<size_t>(limit, next_removed->vertex);
      if (limit > vertex) {
        const size_t old_limit = std::min(limit, old_count);
        const uint64_t shift_to = to.targets.size();
        if (vertex < old_limit) {
          const uint64_t start = from.offsets[vertex];
          copy(start, from.offsets[old_limit]);
          for (size_t i = vertex; i < old_limit; ++i) to.offsets.push_back(from.offsets[i + 1] - start + shift_to);
        }
        for (size_t i = std::max(vertex, old_limit); i < limit; ++i) to.offsets.push_back(to.targets.size());
        vertex = limit;
        continue;
      }
      if (vertex < old_count) {
        std::vector<EntryChange> gone;
        for (; next_removed != removed.end() && next_removed->vertex == vertex; ++next_removed) gone.push_back(*next_removed);
        for (uint64_t entry = from.offsets[vertex]; entry < from.offsets[vertex + 1]; ++entry) {
          const auto same = std::find_if(gone.begin(), gone.end(), [&](const EntryChange& one) {
            return one.target == from.targets[entry] && (edges == nullptr || one.edge == old_.edges_[entry]);
          });
          if (same == gone.end()) {
            copy(entry, entry + 1);
          } else {
            gone.erase(same);
          }
        }
      }
      for (; next_added != added.end() && next_added->vertex == vertex; ++next_added) {
        to.targets.push_back(next_added->target);
        if (edges != nullptr) edges->push_back(next_added->edge);
        if (weighs) weights->push_back(next_added->weight);
      }
      to.offsets.push_back(to.targets.size());
      ++vertex;
    }
  }

  static constexpr size_t kFewChanges = 16;

  const Projection& old_;
  const GraphView& view_;
  Projection* const owned_;
  std::unique_ptr<Projection> patched_;
  std::map<uint64_t, ShapeChange> added_edges_;
  std::map<uint64_t, ShapeChange> removed_edges_;
  std::vector<EntryChange> out_added_, out_removed_, in_added_, in_removed_;
};

Result<std::shared_ptr<const Projection>> patch_projection(const Projection& old, const std::vector<ShapeChange>& changes,
                                                           const GraphView& view, Projection* owned) {
  const bool may_be_too_many = old.out().targets.size() + 2 * changes.size() > kProjectionEntriesMax;
  if (may_be_too_many || changes.size() > 1000 + old.edge_count() / 4) return std::shared_ptr<const Projection>();
  return ProjectionPatcher(old, view, owned).run(changes);
}

}  // namespace braid
