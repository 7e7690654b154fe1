// The graphs that the benchmark `graph` works on, and what is asked of them.
//
// All comes from fixed seeds, so every subject and every run has the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct EdgePair {
  uint32_t source;
  uint32_t target;
  auto operator<=>(const EdgePair&) const = default;
};

struct GraphData {
  std::string name;
  uint32_t vertex_count;
  /// Whether paths and searches go along edges both ways; hops go along them one way.
  bool both_ways;
  /// How many starts are asked for what is within 1, 2 and 3 hops: as many as take a fraction of a second.
  std::array<size_t, 3> hop_counts;
  std::vector<EdgePair> edges;   // in random order, without loops or parallels
  std::vector<uint32_t> starts;  // of hops: each has an edge out
  std::vector<EdgePair> ends;    // of paths: the source has an edge out, the target one in
};

/// An RMAT graph of scale 17 with Graph500's probabilities and permuted vertices: 1.94 million edges, a few hubs.
GraphData make_rmat();
/// Things within things: a tree of 800,001 nodes, about five children each, and 200,000 links across.
GraphData make_assets();

void write_file(const std::string& path, std::string_view text);
/// Writes one number a line.
void write_vertices(const GraphData& data, const std::string& path);
/// Writes `source,target` lines.
void write_edges(const GraphData& data, const std::string& path);

}  // namespace bench
