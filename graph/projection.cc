#include "graph/projection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/long_call.h"
#include "graph/adjacency_block.h"
#include "graph/edge_block.h"
#include "graph/family_reader.h"
#include "graph/property.h"
#include "graph/two_threads.h"

namespace braid {
namespace {

/// A table by id is worth its memory when at least one in so many ids is in use.
constexpr uint64_t kDenseIds = 4;
constexpr uint64_t kCheckEvery = 4096;

template <typename T>
uint64_t bytes_of(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

}  // namespace

Result<double> edge_weight(EdgeId id, const Properties& properties, KeyId key) {
  if (const std::optional<double> weight = weight_under(properties, key)) return *weight;
  return Status(StatusCode::kInvalidArgument,
                fmt::format("the weight of edge {} is no number but {}", id.value(), value_to_json(*find_property(properties, key))));
}

class ProjectionBuilder {
 public:
  /// `edges_most`: how many there are at most.
  ProjectionBuilder(const FamilyReader& reader, uint64_t edges_most, const ProjectionSpec& spec, const ProjectionLimits& limits)
      : reader_(reader), edges_most_(edges_most), limits_(limits), built_(new Projection()) {
    built_->spec_ = spec;
    built_->memory_ = MemoryShare(limits.memory, MemoryUse::kProjections);
  }

  Result<std::shared_ptr<const Projection>> run() {
    BRAID_TRY(spec().labels.empty() ? read_all_nodes() : read_labelled_nodes());
    built_->nodes_.shrink_to_fit();
    built_->number_vertices();
    // Before it is taken, as it will be: while it is built the edges are there a second time, in pieces.
    BRAID_TRY(built_->memory_.grow_to(projection_bytes(built_->nodes_.size(), edges_likely(), spec())));
    reserve_edges();
    BRAID_TRY(read_edges());
    if (spec().weight) BRAID_TRY(read_weights());
    switch (spec().orientation) {
      case Orientation::kNatural: built_->in_ = transposed(built_->out_, nullptr); break;
      case Orientation::kReverse: reverse(); break;
      case Orientation::kUndirected:
        if (2 * built_->edge_count_ > kProjectionEntriesMax) return too_many_entries();
        double_up();
        break;
    }
    BRAID_TRY(check_bounds());
    built_->memory_.set(built_->memory_bytes());
    return std::shared_ptr<const Projection>(std::move(built_));
  }

 private:
  const ProjectionSpec& spec() const { return built_->spec_; }

  /// `more_bytes`: held beside what is built, and reserved in `share`, which is one thread's.
  Status check_part(uint64_t more_bytes, MemoryShare& share) const {
    BRAID_TRY(check_bounds(more_bytes));
    return share.grow_to(more_bytes);
  }
  Status check_bounds(uint64_t more_bytes = 0) const {
    if (limits_.cancel != nullptr && limits_.cancel->load(std::memory_order_relaxed)) {
      return Status(StatusCode::kInterrupted, "building the projection was cancelled");
    }
    BRAID_TRY(LongCall::check());
    if (built_->memory_bytes() + more_bytes <= limits_.bytes_max) return {};
    return Status(StatusCode::kLimit, fmt::format("the projection takes more than the {} bytes that projection_bytes_max allows",
                                                  limits_.bytes_max));
  }
  /// Asked at each step of a walk.
  Status check_sometimes() {
    if (++steps_ % kCheckEvery != 0) return {};
    BRAID_TRY(check_bounds());
    return built_->memory_.grow_to(built_->memory_bytes());
  }

  template <typename Visit>
  Status walk(Family family, const std::string& prefix, Visit&& visit) {
    FamilyCursor cursor(reader_, family, prefix);
    for (cursor.seek(prefix); cursor.valid(); cursor.next()) {
      BRAID_TRY(visit(cursor.key(), cursor.bytes()));
      BRAID_TRY(check_sometimes());
    }
    return cursor.status();
  }

  Status read_all_nodes() {
    const GraphCounters& counters = reader_.base().counters();
    if (reader_.overlay() == nullptr && counters.gapless_limit() == counters.next_node) {
      const uint64_t count = counters.next_node.value() - 1;
      if (count >= kNoVertex) return too_many_nodes();
      built_->nodes_.resize(count);
      std::iota(built_->nodes_.begin(), built_->nodes_.end(), uint64_t{1});
      return {};
    }
    return walk(Family::kNode, "", [this](std::string_view key, std::string_view) -> Status {
      NodeId id;
      if (!parse_node_key(key, id)) return damaged(Family::kNode, key, "the key is damaged");
      return add_node(id);
    });
  }

  Status read_labelled_nodes() {
    for (const LabelId wanted : spec().labels) {
      BRAID_TRY(walk(Family::kLabel, label_prefix(wanted), [this](std::string_view key, std::string_view) -> Status {
        LabelId label;
        NodeId id;
        if (!parse_label_key(key, label, id)) return damaged(Family::kLabel, key, "the key is damaged");
        return add_node(id);
      }));
    }
    std::vector<uint64_t>& nodes = built_->nodes_;
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    return {};
  }

  static Status too_many_nodes() { return Status(StatusCode::kLimit, fmt::format("a projection has at most {} nodes", kNoVertex)); }

  Status add_node(NodeId id) {
    if (built_->nodes_.size() >= kNoVertex) return too_many_nodes();
    built_->nodes_.push_back(id.value());
    return {};
  }

  /// Growing would copy the edges, and leave room that nobody uses.
  void reserve_edges() {
    const bool wants_all = spec().labels.empty() && spec().types.empty();
    if (!wants_all || projection_bytes(built_->nodes_.size(), edges_most_, spec()) > limits_.bytes_max) return;
    built_->out_.targets.reserve(edges_most_);
    built_->edges_.reserve(edges_most_);
  }

  /// All edges, where they are wanted; else they are counted as they come.
  uint64_t edges_likely() const { return spec().labels.empty() && spec().types.empty() ? edges_most_ : 0; }

  bool wants(TypeId type) const {
    return spec().types.empty() || std::binary_search(spec().types.begin(), spec().types.end(), type);
  }

  /// Edges of the vertices from `first` to below `limit`, by vertex.
  struct EdgePart {
    Vertex first = 0;
    Vertex limit = 0;
    std::vector<uint32_t> ends{};  // by vertex: where its entries end
    std::vector<Vertex> targets{};
    std::vector<uint64_t> edges{};
    MemoryShare memory{};
    Status status{};
  };

  /// The family is in the order of the nodes, and so of the vertices.
  void read_part(EdgePart& part) const {
    part.memory = MemoryShare(limits_.memory, MemoryUse::kProjections);
    part.ends.reserve(part.limit - part.first);
    if (part.first < part.limit) part.status = read_lists(part);
    part.ends.resize(part.limit - part.first, static_cast<uint32_t>(part.targets.size()));
  }

  Status read_lists(EdgePart& part) const {
    const NodeId last = built_->node(part.limit - 1);
    FamilyCursor cursor(reader_, Family::kOut, "");
    uint64_t steps = 0;
    for (cursor.seek(node_key(built_->node(part.first))); cursor.valid(); cursor.next()) {
      AdjacencyKey parsed;
      if (!parse_adjacency_key(cursor.key(), parsed)) return damaged(Family::kOut, cursor.key(), "the key is damaged");
      if (parsed.node > last) break;
      if (wants(parsed.type)) BRAID_TRY(add_list(parsed, cursor.key(), cursor.bytes(), part));
      if (++steps % kCheckEvery == 0) BRAID_TRY(check_part(bytes_of(part.ends) + bytes_of(part.targets) + bytes_of(part.edges), part.memory));
    }
    return cursor.status();
  }

  Status add_list(const AdjacencyKey& list, std::string_view key, std::string_view bytes, EdgePart& part) const {
    const auto vertex = built_->vertex(list.node);
    if (!vertex) return {};
    part.ends.resize(*vertex - part.first, static_cast<uint32_t>(part.targets.size()));
    const bool sound = visit_adjacency_block(bytes, [&](EdgeId edge, NodeId neighbor) {
      if (const auto target = built_->vertex(neighbor)) {
        part.targets.push_back(*target);
        part.edges.push_back(edge.value());
      }
      return true;
    });
    if (!sound) return damaged(Family::kOut, key, "the adjacency block is damaged");
    return part.targets.size() > kProjectionEntriesMax ? too_many_entries() : Status();
  }

  static Status too_many_entries() {
    return Status(StatusCode::kLimit, fmt::format("a projection has at most {} entries", kProjectionEntriesMax));
  }

  /// In two threads where that pays. What is staged is read in one.
  Status read_edges() {
    constexpr Vertex kWorthAThread = 50'000;
    const Vertex count = built_->vertex_count();
    const bool in_two = reader_.overlay() == nullptr && count >= kWorthAThread && has_second_processor();
    EdgePart own{.first = 0, .limit = in_two ? count / 2 : count}, other{.first = own.limit, .limit = count};
    own.targets.swap(built_->out_.targets);
    own.edges.swap(built_->edges_);
    if (in_two) {
      in_two_threads([&] { read_part(own); }, [&] { read_part(other); });
    } else {
      read_part(own);
    }
    BRAID_TRY(own.status);
    BRAID_TRY(other.status);
    return join(own, other);
  }

  Status join(EdgePart& own, EdgePart& other) {
    if (own.targets.size() + other.targets.size() > kProjectionEntriesMax) return too_many_entries();
    std::vector<uint32_t>& offsets = built_->out_.offsets;
    offsets.reserve(built_->nodes_.size() + 1);
    offsets.push_back(0);
    offsets.insert(offsets.end(), own.ends.begin(), own.ends.end());
    const uint32_t before = offsets.back();
    for (const uint32_t end : other.ends) offsets.push_back(before + end);
    own.targets.insert(own.targets.end(), other.targets.begin(), other.targets.end());
    own.edges.insert(own.edges.end(), other.edges.begin(), other.edges.end());
    built_->out_.targets.swap(own.targets);
    built_->edges_.swap(own.edges);
    built_->edge_count_ = built_->out_.targets.size();
    trim(built_->out_.targets);
    trim(built_->edges_);
    return {};
  }

  /// Gives back what was reserved or grown beyond a small part.
  template <typename T>
  static void trim(std::vector<T>& values) {
    constexpr size_t kSmallPart = 64;
    if (values.capacity() - values.size() > values.size() / kSmallPart) values.shrink_to_fit();
  }

  /// Edges are kept by id, so the entries are visited in that order.
  Status read_weights() {
    const std::vector<uint64_t>& edges = built_->edges_;
    built_->weights_.assign(edges.size(), 1.0);
    std::vector<uint64_t> order(edges.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&edges](uint64_t a, uint64_t b) { return edges[a] < edges[b]; });
    auto next = order.begin();
    return walk(Family::kEdge, "", [&](std::string_view key, std::string_view bytes) -> Status {
      EdgeId first;
      if (!parse_edge_block_key(key, first)) return damaged(Family::kEdge, key, "the key is damaged");
      Status status;
      const bool sound = visit_edge_block(bytes, [&](unsigned slot, const EdgeRow& row, std::string_view) {
        const uint64_t id = first.value() + slot;
        while (next != order.end() && edges[*next] < id) ++next;
        if (next == order.end() || edges[*next] != id) return true;
        status = read_weight(EdgeId(id), row, built_->weights_[*next]);
        return status.ok();
      });
      return sound ? status : damaged(Family::kEdge, key, "the edge block is damaged");
    });
  }

  Status read_weight(EdgeId id, const EdgeRow& row, double& weight) {
    BRAID_ASSIGN(const Properties properties, decode_properties(row.properties));
    BRAID_ASSIGN(weight, edge_weight(id, properties, *spec().weight));
    built_->has_negative_weight_ |= weight < 0;
    return {};
  }

  /// `place`, which may be null, receives the entry of `from` that each entry of the result comes from.
  Adjacency transposed(const Adjacency& from, std::vector<uint64_t>* place) const {
    const size_t count = built_->nodes_.size();
    Adjacency to;
    to.offsets.assign(count + 1, 0);
    for (const Vertex target : from.targets) ++to.offsets[target + 1];
    for (size_t i = 0; i < count; ++i) to.offsets[i + 1] += to.offsets[i];
    to.targets.resize(from.targets.size());
    if (place != nullptr) place->resize(from.targets.size());
    std::vector<uint32_t> next(to.offsets.begin(), to.offsets.end() - 1);
    for (size_t vertex = 0; vertex < count; ++vertex) {
      for (uint64_t entry = from.offsets[vertex]; entry < from.offsets[vertex + 1]; ++entry) {
        const uint32_t at = next[from.targets[entry]]++;
        to.targets[at] = static_cast<Vertex>(vertex);
        if (place != nullptr) (*place)[at] = entry;
      }
    }
    return to;
  }

  template <typename T>
  static void reorder(std::vector<T>& values, const std::vector<uint64_t>& place) {
    if (values.empty()) return;
    std::vector<T> moved(place.size());
    for (size_t i = 0; i < place.size(); ++i) moved[i] = values[place[i]];
    values = std::move(moved);
  }

  void reverse() {
    std::vector<uint64_t> place;
    Adjacency reversed = transposed(built_->out_, &place);
    built_->in_ = std::move(built_->out_);
    built_->out_ = std::move(reversed);
    reorder(built_->edges_, place);
    reorder(built_->weights_, place);
  }

  /// Each vertex's own entries, then those of the edges that reach it.
  void double_up() {
    const Adjacency natural = std::move(built_->out_);
    std::vector<uint64_t> back_place;
    const Adjacency back = transposed(natural, &back_place);
    std::vector<uint64_t> place;
    place.reserve(2 * natural.targets.size());
    Adjacency both;
    both.targets.reserve(2 * natural.targets.size());
    both.offsets.reserve(natural.offsets.size());
    both.offsets.push_back(0);
    for (size_t vertex = 0; vertex + 1 < natural.offsets.size(); ++vertex) {
      for (uint64_t entry = natural.offsets[vertex]; entry < natural.offsets[vertex + 1]; ++entry) {
        both.targets.push_back(natural.targets[entry]);
        place.push_back(entry);
      }
      for (uint64_t entry = back.offsets[vertex]; entry < back.offsets[vertex + 1]; ++entry) {
        both.targets.push_back(back.targets[entry]);
        place.push_back(back_place[entry]);
      }
      both.offsets.push_back(both.targets.size());
    }
    built_->out_ = std::move(both);
    reorder(built_->edges_, place);
    reorder(built_->weights_, place);
  }

  const FamilyReader reader_;
  const uint64_t edges_most_;
  const ProjectionLimits limits_;
  std::unique_ptr<Projection> built_;
  uint64_t steps_ = 0;
};

Result<std::shared_ptr<const Projection>> Projection::build(const GraphView& view, const ProjectionSpec& spec,
                                                            const ProjectionLimits& limits) {
  BRAID_ASSIGN(const FamilyReader reader, view.reader());
  const uint64_t edges_most = view.base().counters().next_edge.value() - 1;
  return ProjectionBuilder(reader, edges_most, spec, limits).run();
}

Result<ProjectionSize> estimate_projection(const GraphView& view, const ProjectionSpec& spec) {
  BRAID_ASSIGN(const FamilyReader reader, view.reader());
  ProjectionSize size;
  const auto count_keys = [&](Family family, const std::string& prefix) -> Status {
    FamilyCursor cursor(reader, family, prefix);
    for (cursor.seek(prefix); cursor.valid(); cursor.next()) ++size.nodes;
    return cursor.status();
  };
  if (spec.labels.empty()) BRAID_TRY(count_keys(Family::kNode, ""));
  for (const LabelId label : spec.labels) BRAID_TRY(count_keys(Family::kLabel, label_prefix(label)));
  FamilyCursor cursor(reader, Family::kOut, "");
  for (cursor.seek(""); cursor.valid(); cursor.next()) {
    AdjacencyKey key;
    AdjacencyHeader header;
    if (!parse_adjacency_key(cursor.key(), key) || !read_adjacency_header(cursor.bytes(), header)) {
      return damaged(Family::kOut, cursor.key(), "the adjacency block is damaged");
    }
    if (spec.types.empty() || std::binary_search(spec.types.begin(), spec.types.end(), key.type)) size.edges += header.count;
  }
  BRAID_TRY(cursor.status());
  size.bytes = projection_bytes(size.nodes, size.edges, spec);
  return size;
}

/// A directed one has its targets twice, an undirected one each edge; ids by entry of `out`, weights too.
uint64_t projection_bytes(uint64_t nodes, uint64_t edges, const ProjectionSpec& spec) {
  const bool undirected = spec.orientation == Orientation::kUndirected;
  const uint64_t per_entry = sizeof(Vertex) + sizeof(uint64_t) + (spec.weight ? sizeof(double) : 0);
  const uint64_t per_node = 8 + sizeof(Vertex) + (undirected ? 1 : 2) * sizeof(uint32_t);
  return nodes * per_node + (undirected ? 2 * edges * per_entry : edges * (per_entry + sizeof(Vertex)));
}

std::optional<Vertex> Projection::find_vertex(NodeId node) const {
  if (!vertex_of_id_.empty()) {
    if (node.value() >= vertex_of_id_.size() || vertex_of_id_[node.value()] == kNoVertex) return std::nullopt;
    return vertex_of_id_[node.value()];
  }
  const auto found = std::lower_bound(nodes_.begin(), nodes_.end(), node.value());
  if (found == nodes_.end() || *found != node.value()) return std::nullopt;
  return static_cast<Vertex>(found - nodes_.begin());
}

void Projection::number_vertices() {
  is_gapless_ = !nodes_.empty() && nodes_.back() - nodes_.front() == nodes_.size() - 1;
  first_id_ = nodes_.empty() ? 0 : nodes_.front();
  if (nodes_.empty() || is_gapless_) return;
  if (nodes_.back() / kDenseIds > nodes_.size() + kCheckEvery) return vertex_of_id_.clear();
  size_t first = 0;
  if (!vertex_of_id_.empty()) first = std::upper_bound(nodes_.begin(), nodes_.end(), vertex_of_id_.size() - 1) - nodes_.begin();
  vertex_of_id_.resize(nodes_.back() + 1, kNoVertex);
  for (size_t i = first; i < nodes_.size(); ++i) vertex_of_id_[nodes_[i]] = static_cast<Vertex>(i);
}

uint64_t Projection::memory_bytes() const {
  return bytes_of(nodes_) + bytes_of(vertex_of_id_) + bytes_of(out_.offsets) + bytes_of(out_.targets) + bytes_of(in_.offsets) +
         bytes_of(in_.targets) + bytes_of(edges_) + bytes_of(weights_);
}

}  // namespace braid
