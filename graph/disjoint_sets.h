// Sets of vertices that are joined and never parted. A set is named by its smallest vertex.
// Source: Tarjan, "Efficiency of a good but not linear set union algorithm" (1975), with path halving.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "graph/projection.h"

namespace braid {

/// Threads: one.
class DisjointSets {
 public:
  explicit DisjointSets(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), Vertex{0}); }
  Vertex find(Vertex vertex) {
    while (parent_[vertex] != vertex) vertex = parent_[vertex] = parent_[parent_[vertex]];
    return vertex;
  }
  /// False when they were in one set already.
  bool join(Vertex a, Vertex b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }

 private:
  std::vector<Vertex> parent_;
};

}  // namespace braid
