#include "graph/projection_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/pace.h"

namespace braid {
namespace {

constexpr uint64_t kNoEntry = UINT64_MAX;

Status too_many_nodes(uint64_t nodes_max) {
  return Status(StatusCode::kLimit, fmt::format("the traversal reaches more than {} nodes, as traversal_nodes_max allows", nodes_max));
}

/// Loads what will be asked of a vertex a little later, while there is other work.
void fetch_ahead(const Adjacency& adjacency, Vertex vertex) { __builtin_prefetch(adjacency.offsets.data() + vertex); }

}  // namespace

ProjectionWalk::ProjectionWalk(std::shared_ptr<const Projection> projection)
    : graph_(std::move(projection)) {}

ProjectionWalk::Steps ProjectionWalk::steps(Direction direction) const {
  // Undirected projections have every step in one list.
  if (!graph_->directed()) return {&graph_->out(), nullptr};
  switch (direction) {
    case Direction::kOut:
      return {&graph_->out(), nullptr};
    case Direction::kIn:
      return {&graph_->in(), nullptr};
    case Direction::kBoth:
      break;
  }
  return {&graph_->out(), &graph_->in()};
}

uint32_t ProjectionWalk::next_walk() {
  if (++walk_ != 0) return walk_;
  // The numbers have gone round: old ones must not look new.
  std::fill(seen_.begin(), seen_.end(), 0);
  for (Side& side : sides_) std::fill(side.visits.begin(), side.visits.end(), Visit());
  return walk_ = 1;
}

Result<std::span<const Vertex>> ProjectionWalk::hops(Vertex start, uint32_t hops, Direction direction,
                                                     const AlgorithmContext& context) {
  if (seen_.empty()) {
    seen_.resize(graph_->vertex_count());
    queue_.resize(graph_->vertex_count());
  }
  const uint32_t walk = next_walk();
  const auto [first, second] = steps(direction);
  Vertex* const queue = queue_.data();
  uint32_t* const seen = seen_.data();
  size_t end = 1;
  queue[0] = start;
  seen[start] = walk;
  bool goes_on = false;  // beyond this level
  const auto take = [&](const Adjacency& adjacency, Vertex vertex) {
    for (const Vertex target : adjacency.of(vertex)) {
      if (seen[target] == walk) continue;
      seen[target] = walk;
      queue[end++] = target;
      if (goes_on) fetch_ahead(adjacency, target);
    }
  };
  Pace pace(context);
  size_t next = 0;
  for (uint32_t depth = 0; depth < hops && next < end; ++depth) {
    goes_on = depth + 1 < hops;
    for (const size_t level_end = end; next < level_end; ++next) {
      const Vertex vertex = queue[next];
      take(*first, vertex);
      if (second != nullptr) take(*second, vertex);
      BRAID_TRY(pace.step(first->degree(vertex) + 1));
      if (end <= context.rows_max) continue;
      return too_many_nodes(context.rows_max);
    }
  }
  return std::span<const Vertex>(queue, end);
}

void ProjectionWalk::start(Side& side, Vertex vertex, const Steps& steps) {
  if (side.visits.empty()) {
    side.visits.resize(graph_->vertex_count());
    side.queue.resize(graph_->vertex_count());
  }
  side.queue[0] = vertex;
  side.level = 0;
  side.end = 1;
  side.entries = steps.first->degree(vertex);
  side.visits[vertex] = {walk_, vertex};
}

/// Levels are whole on both sides, so that the first meeting is as short as any.
Result<std::optional<Vertex>> ProjectionWalk::expand(Side& mine, const Side& other, const Steps& steps, const AlgorithmContext& context) {
  Visit* const visits = mine.visits.data();
  size_t end = mine.end;
  uint64_t entries = 0;
  Vertex meeting = 0;
  const auto take = [&](const Adjacency& adjacency, Vertex vertex) {
    for (const Vertex target : adjacency.of(vertex)) {
      if (visits[target].walk == walk_) continue;
      visits[target] = {walk_, vertex};
      if (other.visits[target].walk == walk_) {
        meeting = target;
        return true;
      }
      mine.queue[end++] = target;
      entries += adjacency.degree(target);
    }
    return false;
  };
  Pace pace(context);
  for (size_t next = mine.level; next < mine.end; ++next) {
    const Vertex vertex = mine.queue[next];
    if (take(*steps.first, vertex)) return std::optional(meeting);
    if (steps.second != nullptr && take(*steps.second, vertex)) return std::optional(meeting);
    BRAID_TRY(pace.step(steps.first->degree(vertex) + 1));
  }
  mine.level = mine.end;
  mine.end = end;
  mine.entries = entries;
  return std::optional<Vertex>();
}

Result<std::span<const Vertex>> ProjectionWalk::path(Vertex source, Vertex target, Direction direction,
                                                     const AlgorithmContext& context) {
  next_walk();
  path_.clear();
  if (source == target) {
    path_ = {source};
    return std::span<const Vertex>(path_);
  }
  const Steps forward = steps(direction);
  const Steps backward = steps(direction == Direction::kOut ? Direction::kIn : direction == Direction::kIn ? Direction::kOut : direction);
  start(sides_[0], source, forward);
  start(sides_[1], target, backward);
  while (sides_[0].level < sides_[0].end && sides_[1].level < sides_[1].end) {
    BRAID_TRY(context.check());
    const bool ahead = sides_[0].entries <= sides_[1].entries;
    BRAID_ASSIGN(const auto meeting,
                 ahead ? expand(sides_[0], sides_[1], forward, context) : expand(sides_[1], sides_[0], backward, context));
    if (meeting) return joined(source, target, *meeting);
  }
  return std::span<const Vertex>();
}

std::span<const Vertex> ProjectionWalk::joined(Vertex source, Vertex target, Vertex meeting) {
  for (Vertex vertex = meeting; vertex != source; vertex = sides_[0].visits[vertex].parent) path_.push_back(vertex);
  path_.push_back(source);
  std::reverse(path_.begin(), path_.end());
  for (Vertex vertex = meeting; vertex != target;) path_.push_back(vertex = sides_[1].visits[vertex].parent);
  return path_;
}

Status trace_hops(const Projection& graph, Vertex start, uint32_t hops, const AlgorithmContext& context,
                  const std::function<void(const TracedVertex&)>& visit) {
  constexpr uint32_t kUnseen = UINT32_MAX;
  std::vector<uint32_t> places(graph.vertex_count(), kUnseen);  // in `reached`
  std::vector<TracedVertex> reached = {{start, 0, EdgeId(), start}};
  places[start] = 0;
  Pace pace(context);
  for (size_t next = 0; next < reached.size() && reached[next].depth < hops; ++next) {
    const TracedVertex from = reached[next];
    for (uint64_t entry = graph.out().offsets[from.vertex]; entry < graph.out().offsets[from.vertex + 1]; ++entry) {
      const Vertex target = graph.out().targets[entry];
      if (places[target] == kUnseen) {
        places[target] = static_cast<uint32_t>(reached.size());
        reached.push_back({target, from.depth + 1, graph.edge(entry), from.vertex});
        continue;
      }
      TracedVertex& other = reached[places[target]];
      if (other.depth != from.depth + 1 || other.via <= graph.edge(entry)) continue;
      other.via = graph.edge(entry);
      other.previous = from.vertex;
    }
    BRAID_TRY(pace.step(graph.out().degree(from.vertex) + 1));
    if (reached.size() <= context.rows_max) continue;
    return too_many_nodes(context.rows_max);
  }
  for (const TracedVertex& vertex : reached) visit(vertex);
  return {};
}

uint64_t entry_between(const Projection& graph, Vertex source, Vertex target) {
  std::optional<uint64_t> least;
  for (uint64_t entry = graph.out().offsets[source]; entry < graph.out().offsets[source + 1]; ++entry) {
    if (graph.out().targets[entry] != target) continue;
    if (!least || graph.edge(entry) < graph.edge(*least)) least = entry;
  }
  return least.value_or(kNoEntry);
}

EdgeId edge_between(const Projection& graph, Vertex from, Vertex to, Direction direction) {
  const bool undirected = !graph.directed();
  const uint64_t forward = undirected || direction != Direction::kIn ? entry_between(graph, from, to) : kNoEntry;
  const uint64_t backward = !undirected && direction != Direction::kOut ? entry_between(graph, to, from) : kNoEntry;
  if (backward == kNoEntry) return graph.edge(forward);
  return forward == kNoEntry ? graph.edge(backward) : std::min(graph.edge(forward), graph.edge(backward));
}

}  // namespace braid
