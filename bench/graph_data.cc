#include "bench/graph_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>

#include "bench/entity.h"
#include "bench/harness.h"

namespace bench {
namespace {

constexpr size_t kStarts = 20'000;
constexpr size_t kPaths = 1000;

double unit(Random& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

uint32_t vertex_below(Random& random, uint32_t limit) { return static_cast<uint32_t>(random_below(random, limit)); }

/// Numbers that do not follow the structure of the graph, as those of real things do not.
std::vector<uint32_t> permuted(uint32_t count, Random& random) {
  std::vector<uint32_t> vertices(count);
  std::iota(vertices.begin(), vertices.end(), 0);
  std::shuffle(vertices.begin(), vertices.end(), random);
  return vertices;
}

/// Drops parallel edges; the order of arrival is random.
void arrange(std::vector<EdgePair>& edges, Random& random) {
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::shuffle(edges.begin(), edges.end(), random);
}

void choose_questions(GraphData& data, Random& random) {
  std::vector<bool> leaves(data.vertex_count), arrives(data.vertex_count);
  for (const EdgePair& edge : data.edges) leaves[edge.source] = arrives[edge.target] = true;
  const auto vertex = [&] { return vertex_below(random, data.vertex_count); };
  while (data.starts.size() < kStarts) {
    const uint32_t start = vertex();
    if (leaves[start]) data.starts.push_back(start);
  }
  while (data.ends.size() < kPaths) {
    const EdgePair ends{vertex(), vertex()};
    if (leaves[ends.source] && arrives[ends.target] && ends.source != ends.target) data.ends.push_back(ends);
  }
}

}  // namespace

/// Source: Chakrabarti, Zhan, Faloutsos, "R-MAT: a recursive model for graph mining" (2004).
GraphData make_rmat() {
  constexpr int kScale = 17;
  constexpr uint64_t kEdgesPerVertex = 16;
  GraphData data{"rmat", 1u << kScale, false, {20'000, 4'000, 200}, {}, {}, {}};
  Random random(17);
  const std::vector<uint32_t> vertices = permuted(data.vertex_count, random);
  for (uint64_t i = 0; i < data.vertex_count * kEdgesPerVertex; ++i) {
    uint32_t source = 0, target = 0;
    for (int bit = 0; bit < kScale; ++bit) {
      const double place = unit(random);
      source = source << 1 | (place >= 0.76 ? 1 : 0);
      target = target << 1 | ((place >= 0.57 && place < 0.76) || place >= 0.95 ? 1 : 0);
    }
    if (source != target) data.edges.push_back({vertices[source], vertices[target]});
  }
  arrange(data.edges, random);
  choose_questions(data, random);
  return data;
}

GraphData make_assets() {
  constexpr size_t kEdges = 1'000'000;
  GraphData data{"assets", 800'001, true, {20'000, 20'000, 20'000}, {}, {}, {}};
  Random random(5);
  const std::vector<uint32_t> vertices = permuted(data.vertex_count, random);
  for (uint32_t child = 1; child < data.vertex_count; ++child) {
    const uint32_t lowest = child / 8;
    const uint32_t parent = lowest + vertex_below(random, child / 3 - lowest + 1);
    data.edges.push_back({vertices[parent], vertices[child]});
  }
  while (data.edges.size() < kEdges) {
    const EdgePair link{vertex_below(random, data.vertex_count), vertex_below(random, data.vertex_count)};
    if (link.source != link.target) data.edges.push_back(link);
  }
  arrange(data.edges, random);
  choose_questions(data, random);
  return data;
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) fail(path + ": cannot be written");
}

void write_vertices(const GraphData& data, const std::string& path) {
  std::string text;
  for (uint32_t vertex = 0; vertex < data.vertex_count; ++vertex) fmt::format_to(std::back_inserter(text), "{}\n", vertex);
  write_file(path, text);
}

void write_edges(const GraphData& data, const std::string& path) {
  std::string text;
  for (const EdgePair& edge : data.edges) fmt::format_to(std::back_inserter(text), "{},{}\n", edge.source, edge.target);
  write_file(path, text);
}

}  // namespace bench
