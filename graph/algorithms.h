// The algorithms by subject; graph/algorithms.cc puts them in one table.
#pragma once

#include <limits>

#include "graph/algorithm.h"

namespace braid {

/// Paths whose lengths differ by less, relative to their length, are equally short: 0.1 + 0.2 is as long as 0.3.
inline constexpr double kTieTolerance = 1e-12;

/// The length of a way to what is not reached.
inline constexpr double kFar = std::numeric_limits<double>::infinity();
/// Bounds of parameters.
inline constexpr double kIterationsMax = 1e6;
inline constexpr double kIntegerMax = 9007199254740992;  // 2^53: a double holds every integer up to it

inline constexpr ResultColumnRow kNodeColumn = {"node", ColumnKind::kNode};
inline ResultColumn integer_column(size_t rows) { return {.integers = std::vector<int64_t>(rows), .reals = {}}; }

std::span<const AlgorithmRow> path_algorithms();
std::span<const AlgorithmRow> centrality_algorithms();
std::span<const AlgorithmRow> community_algorithms();
std::span<const AlgorithmRow> structure_algorithms();
std::span<const AlgorithmRow> layout_algorithms();
std::span<const AlgorithmRow> spatial_algorithms();

/// kInvalidArgument when there is a negative weight, naming the algorithm that takes those.
Status no_negative_weights(const Projection& graph);

}  // namespace braid
