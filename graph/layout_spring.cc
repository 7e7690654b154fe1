// Stress: every two vertices are as far apart in the picture as they are in the graph, the near
// ones more strictly. It is lowered pair by pair with steps that become smaller. Boost's
// kamada_kawai_spring_layout has the same aim; it moves one vertex at a time, cannot be interrupted
// inside a pass and gets stuck where pairs in random order do not.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "graph/layout.h"

namespace braid {

namespace {

/// The distance that two vertices want, and how strongly.
struct Pair {
  Vertex a;
  Vertex b;
  float distance;
  float weight;
};

constexpr double kEdgeStrength = 8;

/// Uniform in 0 to 1, the same on every machine, as std::uniform_real_distribution is not.
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

std::vector<std::vector<Vertex>> neighbors_of(Vertex count, std::span<const LayoutEdge> edges) {
  std::vector<std::vector<Vertex>> neighbors(count);
  for (const LayoutEdge& edge : edges) {
    neighbors[edge.source].push_back(edge.target);
    neighbors[edge.target].push_back(edge.source);
  }
  for (auto& list : neighbors) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return neighbors;
}

/// Around a hub edges are longer, so that there is room for what they lead to.
double edge_length(size_t degree_a, size_t degree_b) {
  constexpr double kRoom = 0.12;
  return 1 + kRoom * std::sqrt(static_cast<double>(std::max(degree_a, degree_b)));
}

/// Distances from one vertex: by hops, each as long as the edge that the search took.
void search(const std::vector<std::vector<Vertex>>& neighbors, Vertex start,
            std::vector<double>& distance, std::vector<Vertex>& order) {
  std::fill(distance.begin(), distance.end(), -1.0);
  order.assign(1, start);
  distance[start] = 0;
  for (size_t next = 0; next < order.size(); ++next) {
    const Vertex vertex = order[next];
    for (const Vertex target : neighbors[vertex]) {
      if (distance[target] >= 0) continue;
      distance[target] =
          distance[vertex] + edge_length(neighbors[vertex].size(), neighbors[target].size());
      order.push_back(target);
    }
  }
}

Status all_pairs(Vertex count, std::span<const LayoutEdge> edges, Pace& pace,
                 std::vector<Pair>& pairs) {
  const auto neighbors = neighbors_of(count, edges);
  std::vector<double> distance(count);
  std::vector<Vertex> order;
  pairs.reserve(static_cast<size_t>(count) * (count - 1) / 2);
  for (Vertex a = 0; a < count; ++a) {
    BRAID_TRY(pace.step(count + 2 * edges.size() / count));
    search(neighbors, a, distance, order);
    for (Vertex b = a + 1; b < count; ++b) {
      const double nearness = 1 / (distance[b] * distance[b]);
      // The leaves of a star cannot all be as far from each other as they want: what yields is
      // that, and they stay in a ring.
      const bool connected = std::binary_search(neighbors[a].begin(), neighbors[a].end(), b);
      pairs.push_back({a, b, static_cast<float>(distance[b]),
                       static_cast<float>(nearness * (connected ? kEdgeStrength : 1))});
    }
  }
  return {};
}

void shuffle(std::vector<Pair>& pairs, std::mt19937_64& random) {
  for (size_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[random() % i]);
}

/// Moves both ends of a pair towards the distance that they want.
void relax(const Pair& pair, double rate, std::vector<LayoutPoint>& points) {
  const double wanted = pair.distance;
  const double share = std::min(1.0, rate * pair.weight);
  LayoutPoint& a = points[pair.a];
  LayoutPoint& b = points[pair.b];
  const double x = a.x - b.x, y = a.y - b.y;
  const double apart = std::max(std::hypot(x, y), 1e-9);
  const double step = share * (apart - wanted) / (2 * apart);
  a = {a.x - step * x, a.y - step * y};
  b = {b.x + step * x, b.y + step * y};
}

/// Turns the picture so that it is broad rather than high.
void lay_flat(std::vector<LayoutPoint>& points) {
  const auto count = static_cast<double>(points.size());
  LayoutPoint middle;
  for (const LayoutPoint& point : points)
    middle = {middle.x + point.x / count, middle.y + point.y / count};
  double xx = 0, xy = 0, yy = 0;
  for (const LayoutPoint& point : points) {
    const double x = point.x - middle.x, y = point.y - middle.y;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const double angle = -std::atan2(2 * xy, xx - yy) / 2;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  for (LayoutPoint& point : points) {
    const double x = point.x - middle.x, y = point.y - middle.y;
    point = {cosine * x - sine * y, sine * x + cosine * y};
  }
}

}  // namespace

Status lay_out_spring(Vertex count, std::span<const LayoutEdge> edges, const LayoutOptions& options,
                      Pace& pace, std::vector<LayoutPoint>& points) {
  if (count > kSpringNodesMax) {
    return Status(
        StatusCode::kLimit,
        fmt::format(
            "{} connected nodes are more than the {} that 'spring' lays out; choose fewer, or the "
            "method 'circle' or 'layers'",
            count, kSpringNodesMax));
  }
  std::vector<Pair> pairs;
  BRAID_TRY(all_pairs(count, edges, pace, pairs));
  float farthest = 1;
  for (const Pair& pair : pairs) farthest = std::max(farthest, pair.distance);

  std::mt19937_64 random(options.seed);
  points.resize(count);
  const double spread = std::sqrt(static_cast<double>(count));
  for (LayoutPoint& point : points)
    point.x = spread * uniform(random), point.y = spread * uniform(random);
  // From steps that settle the farthest pair at once down to steps that hardly move the nearest.
  constexpr double kLastRate = 0.05;
  const double first_rate = static_cast<double>(farthest) * farthest;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    const double done =
        options.rounds < 2 ? 0.0 : static_cast<double>(round) / (options.rounds - 1);
    const double rate = first_rate * std::pow(kLastRate / first_rate, done);
    shuffle(pairs, random);
    for (size_t at = 0; at < pairs.size();) {
      const size_t limit = std::min(pairs.size(), at + kStepsPerCheck);
      BRAID_TRY(pace.step(limit - at));
      for (; at < limit; ++at) relax(pairs[at], rate, points);
    }
  }
  lay_flat(points);
  return {};
}

}  // namespace braid
