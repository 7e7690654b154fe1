// Roll-ups: for each node of a hierarchy the count, sum, least and greatest of the numbers of the node and of all that is below it, in
// which a node that is reached by several ways counts once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "engine/catalog.h"
#include "graph/algorithm.h"

namespace braid {

/// A number as SQL has it: whole ones stay exact.
using Number = std::variant<int64_t, double>;

/// Count, sum, least and greatest of some numbers. The sum is whole while all of them are and it fits, else a double.
class Totals {
 public:
  Totals() = default;
  /// Of numbers that were summed up elsewhere; `count` is at least 1.
  Totals(int64_t count, Number sum, Number least, Number greatest);

  void add(Number number) { merge(Totals(1, number, number, number)); }
  void merge(const Totals& other);

  int64_t count() const { return count_; }
  // None when nothing was counted.
  std::optional<Number> sum() const;
  std::optional<Number> least() const { return count_ == 0 ? std::nullopt : std::optional(least_); }
  std::optional<Number> greatest() const { return count_ == 0 ? std::nullopt : std::optional(greatest_); }
  std::optional<double> average() const;

 private:
  int64_t count_ = 0;
  int64_t whole_ = 0;     // the sum is whole_ + real_
  double real_ = 0;
  bool is_real_ = false;  // a double was among the numbers, or the whole ones do not fit
  Number least_;
  Number greatest_;
};

/// A hierarchy, or what is below one node of it, without parallel edges. A value.
class HierarchyPart {
 public:
  /// From `root`, which is in it without edges too, or all nodes that have an edge. Reads the projection once: O(n + m).
  /// kLimit past context.rows_max nodes.
  static Result<HierarchyPart> of(const Projection& projection, HierarchyDirection direction, std::optional<Vertex> root,
                                  const AlgorithmContext& context);

  size_t size() const { return vertices_.size(); }
  /// The nearest to a root first; what is at a place is the same in all spans.
  std::span<const Vertex> vertices() const { return vertices_; }
  /// Least number of edges from a root.
  std::span<const uint32_t> depths() const { return depths_; }
  /// None for a vertex that is not in the part.
  std::optional<size_t> place(Vertex vertex) const {
    return places_[vertex] == kNoPlace ? std::nullopt : std::optional<size_t>(places_[vertex]);
  }

  /// `own` has the numbers of the node at each place; answers those of the node and of all distinct nodes below it.
  ///
  /// Cost: where each node has one parent, one pass from below, O(n + m). The core, which is the nodes with several parents and what is
  /// above them, has the trees that hang on it folded into it in that pass. A node of the core that has one child in the core takes over
  /// its totals; for those with more, which of them reach what is found for 64 at a time with a word for each node of the core. That is
  /// O(forks / 64 * core), and a step for each pair of a fork and a core node below it. Memory: 24 bytes and one Totals for each node.
  /// kCorrupt when there is a cycle, which a hierarchy never has.
  Result<std::vector<Totals>> roll_up(std::vector<Totals> own, const AlgorithmContext& context) const;

 private:
  static constexpr uint32_t kNoPlace = UINT32_MAX;

  std::vector<Vertex> vertices_;
  std::vector<uint32_t> places_;  // by vertex of the projection
  std::vector<uint32_t> depths_;
  Adjacency children_;                   // by place, each child once
  std::vector<uint32_t> parent_counts_;  // within the part, each parent once
};

}  // namespace braid
