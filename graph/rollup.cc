#include "graph/rollup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "graph/hierarchy.h"
#include "graph/pace.h"

namespace braid {
namespace {

/// Whole numbers and doubles by their exact values: a long double has 64 bits for the digits where int64 is compared with double.
bool less(const Number& a, const Number& b) {
  if (a.index() == b.index()) return a < b;
  const auto exact = [](const Number& number) {
    return std::visit([](auto value) { return static_cast<long double>(value); }, number);
  };
  return exact(a) < exact(b);
}

/// The places of a part that several ways may lead to, and those above them, top down; children within it.
struct Core {
  std::vector<Vertex> places;
  Adjacency children;  // by index in `places`
  std::vector<Vertex> forks;  // indexes of those with several children
};

/// Parents before children.
Result<std::vector<Vertex>> top_down(const Adjacency& children, std::vector<uint32_t> parents_left, Pace& pace) {
  std::vector<Vertex> order;
  for (Vertex place = 0; place < parents_left.size(); ++place) {
    if (parents_left[place] == 0) order.push_back(place);
  }
  for (size_t next = 0; next < order.size(); ++next) {
    const auto below = children.of(order[next]);
    BRAID_TRY(pace.step(1 + below.size()));
    for (const Vertex child : below) {
      if (--parents_left[child] == 0) order.push_back(child);
    }
  }
  if (order.size() < parents_left.size()) return Status(StatusCode::kCorrupt, "graph: the edges of a hierarchy have a cycle");
  return order;
}

/// Adds the totals of each tree that hangs on a node to the node; what is left is the core.
Result<Core> fold_trees(const Adjacency& children, const std::vector<uint32_t>& parent_counts, const std::vector<Vertex>& order,
                        std::vector<Totals>& totals, Pace& pace) {
  constexpr uint32_t kOutside = UINT32_MAX;
  constexpr uint32_t kInCore = kOutside - 1;  // not numbered yet
  std::vector<uint32_t> index(order.size(), kOutside);
  for (auto place = order.rbegin(); place != order.rend(); ++place) {
    const auto below = children.of(*place);
    BRAID_TRY(pace.step(1 + below.size()));
    if (parent_counts[*place] > 1) index[*place] = kInCore;
    for (const Vertex child : below) {
      if (index[child] == kInCore) {
        index[*place] = kInCore;
      } else {
        totals[*place].merge(totals[child]);
      }
    }
  }
  Core core;
  for (const Vertex place : order) {
    if (index[place] != kInCore) continue;
    index[place] = static_cast<uint32_t>(core.places.size());
    core.places.push_back(place);
  }
  core.children.offsets.push_back(0);
  for (const Vertex place : core.places) {
    const auto below = children.of(place);
    BRAID_TRY(pace.step(1 + below.size()));
    for (const Vertex child : below) {
      if (index[child] != kOutside) core.children.targets.push_back(index[child]);
    }
    core.children.offsets.push_back(core.children.targets.size());
    const auto here = static_cast<Vertex>(core.children.offsets.size() - 2);
    if (core.children.degree(here) > 1) core.forks.push_back(here);
  }
  return core;
}

constexpr size_t kForksAtOnce = 64;

/// Sums up what each of at most 64 forks reaches: bit f of a word says that fork f reaches the node. `reach` is zero before and after.
Status total_forks(const Core& core, std::span<const Vertex> forks, const std::vector<Totals>& folded, std::vector<uint64_t>& reach,
                   std::vector<Totals>& totals, Pace& pace) {
  std::array<Totals, kForksAtOnce> sums;
  for (size_t fork = 0; fork < forks.size(); ++fork) reach[forks[fork]] |= uint64_t{1} << fork;
  for (Vertex index = forks.front(); index < reach.size(); ++index) {
    const uint64_t reached_by = reach[index];
    BRAID_TRY(pace.step(1));
    if (reached_by == 0) continue;
    reach[index] = 0;
    for (uint64_t left = reached_by; left != 0; left &= left - 1) {
      sums[static_cast<size_t>(std::countr_zero(left))].merge(folded[index]);
    }
    for (const Vertex child : core.children.of(index)) reach[child] |= reached_by;
    BRAID_TRY(pace.step(static_cast<uint64_t>(std::popcount(reached_by)) + core.children.degree(index)));
  }
  for (size_t fork = 0; fork < forks.size(); ++fork) totals[core.places[forks[fork]]] = sums[fork];
  return {};
}

Status total_core(const Core& core, std::vector<Totals>& totals, Pace& pace) {
  std::vector<Totals> folded;
  for (const Vertex place : core.places) folded.push_back(totals[place]);
  std::vector<uint64_t> reach(core.places.size(), 0);
  const std::span<const Vertex> forks = core.forks;
  for (size_t first = 0; first < forks.size(); first += kForksAtOnce) {
    const auto some = forks.subspan(first, std::min(kForksAtOnce, forks.size() - first));
    BRAID_TRY(total_forks(core, some, folded, reach, totals, pace));
  }
  for (size_t index = core.places.size(); index-- > 0;) {
    BRAID_TRY(pace.step(1));
    const auto below = core.children.of(static_cast<Vertex>(index));
    if (below.size() == 1) totals[core.places[index]].merge(totals[core.places[below.front()]]);
  }
  return {};
}

}  // namespace

Totals::Totals(int64_t count, Number sum, Number least, Number greatest) : count_(count), least_(least), greatest_(greatest) {
  if (const auto* whole = std::get_if<int64_t>(&sum)) {
    whole_ = *whole;
  } else {
    real_ = std::get<double>(sum);
    is_real_ = true;
  }
}

void Totals::merge(const Totals& other) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  count_ += other.count_;
  real_ += other.real_;
  is_real_ |= other.is_real_;
  int64_t whole = 0;
  if (__builtin_add_overflow(whole_, other.whole_, &whole)) {
    real_ += static_cast<double>(whole_);
    is_real_ = true;
    whole = other.whole_;
  }
  whole_ = whole;
  if (less(other.least_, least_)) least_ = other.least_;
  if (less(greatest_, other.greatest_)) greatest_ = other.greatest_;
}

std::optional<Number> Totals::sum() const {
  if (count_ == 0) return std::nullopt;
  return is_real_ ? Number(static_cast<double>(whole_) + real_) : Number(whole_);
}

std::optional<double> Totals::average() const {
  if (count_ == 0) return std::nullopt;
  return (static_cast<double>(whole_) + real_) / static_cast<double>(count_);
}

Result<HierarchyPart> HierarchyPart::of(const Projection& projection, HierarchyDirection direction, std::optional<Vertex> root,
                                        const AlgorithmContext& context) {
  const Adjacency& children = children_of(projection, direction);
  const Adjacency& parents = parents_of(projection, direction);
  Pace pace(context);
  HierarchyPart part;
  part.places_.assign(projection.vertex_count(), kNoPlace);
  std::vector<uint32_t> parent_of(projection.vertex_count(), kNoPlace);  // the last place at which the vertex was met as a child
  const auto enter = [&](Vertex vertex, uint32_t depth) {
    part.places_[vertex] = static_cast<uint32_t>(part.vertices_.size());
    part.vertices_.push_back(vertex);
    part.depths_.push_back(depth);
    part.parent_counts_.push_back(0);
  };
  if (root) enter(*root, 0);
  for (Vertex vertex = 0; !root && vertex < projection.vertex_count(); ++vertex) {
    BRAID_TRY(pace.step(1));
    if (children.degree(vertex) > 0 && parents.degree(vertex) == 0) enter(vertex, 0);
  }
  part.children_.offsets.push_back(0);
  for (uint32_t place = 0; place < part.vertices_.size(); ++place) {
    if (part.vertices_.size() > context.rows_max) {
      return Status(StatusCode::kLimit, fmt::format("the roll-up has more than {} nodes, as traversal_nodes_max allows", context.rows_max));
    }
    const auto below = children.of(part.vertices_[place]);
    BRAID_TRY(pace.step(1 + below.size()));
    for (const Vertex child : below) {
      if (parent_of[child] == place) continue;  // a parallel edge
      parent_of[child] = place;
      if (part.places_[child] == kNoPlace) enter(child, part.depths_[place] + 1);
      part.children_.targets.push_back(part.places_[child]);
      ++part.parent_counts_[part.places_[child]];
    }
    part.children_.offsets.push_back(part.children_.targets.size());
  }
  return part;
}

Result<std::vector<Totals>> HierarchyPart::roll_up(std::vector<Totals> own, const AlgorithmContext& context) const {
  Pace pace(context);
  std::vector<Totals> totals = std::move(own);
  BRAID_ASSIGN(const std::vector<Vertex> order, top_down(children_, parent_counts_, pace));
  BRAID_ASSIGN(const Core core, fold_trees(children_, parent_counts_, order, totals, pace));
  BRAID_TRY(total_core(core, totals, pace));
  return totals;
}

}  // namespace braid
