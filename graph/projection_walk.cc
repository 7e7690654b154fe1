#include "graph/projection_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/check.h"
#include "graph/pace.h"

namespace braid {
namespace {

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

void ProjectionWalk::Side::start(Vertex count, Vertex vertex) {
  if (!seen.is_sized()) {
    seen.reset(count);
    queue.resize(count);
  }
  seen.clear(std::span(queue).first(end));
  seen.add(vertex);
  queue[0] = vertex;
  level = 0;
  end = 1;
}

Result<std::span<const Vertex>> ProjectionWalk::hops(Vertex start, uint32_t hops, Direction direction,
                                                     const AlgorithmContext& context) {
  Side& side = sides_[0];
  side.start(graph_->vertex_count(), start);
  const auto [first, second] = steps(direction);
  Vertex* const queue = side.queue.data();
  bool goes_on = false;  // beyond this level
  uint64_t steps = 0;
  const auto take = [&](const Adjacency& adjacency, Vertex vertex) {
    size_t end = side.end;
    const std::span<const Vertex> targets = adjacency.of(vertex);
    for (const Vertex target : targets) {
      if (!side.seen.add(target)) continue;
      queue[end++] = target;
      if (goes_on) fetch_ahead(adjacency, target);
    }
    side.end = end;
    steps += targets.size() + 1;
  };
  for (uint32_t depth = 0; depth < hops && side.level < side.end; ++depth) {
    goes_on = depth + 1 < hops;
    for (const size_t level_end = side.end; side.level < level_end; ++side.level) {
      const Vertex vertex = queue[side.level];
      take(*first, vertex);
      if (second != nullptr) take(*second, vertex);
      if (steps >= kStepsPerCheck) {
        steps = 0;
        BRAID_TRY(context.check());
      }
      if (side.end > context.rows_max) return too_many_nodes(context.rows_max);
    }
  }
  return std::span<const Vertex>(queue, side.end);
}

bool ProjectionWalk::is_smaller(const Side& ahead, const Steps& forward, const Side& back, const Steps& backward) {
  // Few vertices tell little, as one of them may be a hub; of many, the degrees would take as long as the level.
  constexpr size_t kFewVertices = 32;
  const auto a = ahead.last_level(), b = back.last_level();
  if (a.size() > kFewVertices || b.size() > kFewVertices) return a.size() <= b.size();
  const auto entries = [](std::span<const Vertex> vertices, const Steps& steps) {
    uint64_t sum = 0;
    for (const Vertex vertex : vertices) sum += steps.degree(vertex);
    return sum;
  };
  return entries(a, forward) <= entries(b, backward);
}

/// Levels are whole on both sides, so that the first meeting is as short as any; and it is at the other's last level, for what is before
/// that was left by the other in all directions.
Result<std::optional<std::pair<size_t, size_t>>> ProjectionWalk::expand(Side& mine, const Side& other, const Steps& steps,
                                                                        const AlgorithmContext& context) {
  using Met = std::optional<std::pair<size_t, size_t>>;
  // Levels of many vertices are read some vertices ahead.
  constexpr size_t kOffsetsAhead = 12;
  constexpr size_t kTargetsAhead = 6;
  const size_t level_end = mine.end;
  size_t end = mine.end;
  const auto take = [&](const Adjacency& adjacency, size_t place) -> std::optional<Vertex> {
    for (const Vertex target : adjacency.of(mine.queue[place])) {
      if (!mine.seen.add(target)) continue;
      mine.queue[end] = target;
      mine.parents[end++] = static_cast<uint32_t>(place);
      if (other.seen.has(target)) return target;
    }
    return std::nullopt;
  };
  const auto prefetch = [&](const Adjacency& adjacency, size_t place) {
    if (place + kOffsetsAhead < level_end) fetch_ahead(adjacency, mine.queue[place + kOffsetsAhead]);
    if (place + kTargetsAhead < level_end) __builtin_prefetch(adjacency.of(mine.queue[place + kTargetsAhead]).data());
  };
  uint64_t done = 0;
  for (size_t place = mine.level; place < level_end; ++place) {
    std::optional<Vertex> met;
    for (const Adjacency* adjacency : {steps.first, steps.second}) {
      if (adjacency == nullptr || met) continue;
      prefetch(*adjacency, place);
      met = take(*adjacency, place);
    }
    if (met) {
      mine.end = end;
      const auto last = other.last_level();
      const auto there = std::find(last.begin(), last.end(), *met);
      BRAID_ASSERT(there != last.end());
      return Met({place, other.level + static_cast<size_t>(there - last.begin())});
    }
    done += steps.first->degree(mine.queue[place]) + 1;
    if (done < kStepsPerCheck) continue;
    done = 0;
    mine.end = end;
    BRAID_TRY(context.check());
  }
  mine.level = level_end;
  mine.end = end;
  return Met();
}

Result<std::span<const Vertex>> ProjectionWalk::path(Vertex source, Vertex target, Direction direction,
                                                     const AlgorithmContext& context) {
  path_.clear();
  if (source == target) {
    path_ = {source};
    return std::span<const Vertex>(path_);
  }
  const Steps forward = steps(direction);
  const Steps backward = steps(direction == Direction::kOut ? Direction::kIn : direction == Direction::kIn ? Direction::kOut : direction);
  auto& [ahead, back] = sides_;
  ahead.start(graph_->vertex_count(), source);
  back.start(graph_->vertex_count(), target);
  for (Side* side : {&ahead, &back}) side->parents.resize(graph_->vertex_count());
  while (ahead.level < ahead.end && back.level < back.end) {
    BRAID_TRY(context.check());
    const bool is_ahead = is_smaller(ahead, forward, back, backward);
    BRAID_ASSIGN(const auto met, is_ahead ? expand(ahead, back, forward, context) : expand(back, ahead, backward, context));
    if (met) return joined(is_ahead ? Meeting{met->first, met->second} : Meeting{met->second, met->first});
  }
  return std::span<const Vertex>();
}

std::span<const Vertex> ProjectionWalk::joined(const Meeting& meeting) {
  const auto& [ahead, back] = sides_;
  size_t place = meeting.ahead;
  for (; place != 0; place = ahead.parents[place]) path_.push_back(ahead.queue[place]);
  path_.push_back(ahead.queue[0]);
  std::reverse(path_.begin(), path_.end());
  for (place = meeting.back; place != 0; place = back.parents[place]) path_.push_back(back.queue[place]);
  path_.push_back(back.queue[0]);
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
