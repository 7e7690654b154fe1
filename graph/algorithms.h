// The algorithms by subject; graph/algorithms.cc puts them in one table.
#pragma once

#include "graph/algorithm.h"

namespace braid {

std::span<const AlgorithmRow> path_algorithms();
std::span<const AlgorithmRow> centrality_algorithms();
std::span<const AlgorithmRow> community_algorithms();
std::span<const AlgorithmRow> structure_algorithms();
std::span<const AlgorithmRow> spatial_algorithms();

/// kInvalidArgument when there is a negative weight, naming the algorithm that takes those.
Status no_negative_weights(const Projection& graph);

}  // namespace braid
