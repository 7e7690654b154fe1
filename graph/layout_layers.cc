// Layers: cycles are opened, vertices get layers, edges that pass a layer get a place in it, the
// order within layers is chosen for few crossings, and then the places along the layers for short
// edges.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "graph/layout.h"

namespace braid {

namespace {

using Lists = std::vector<std::vector<uint32_t>>;

/// The edges without parallel ones, turned so that none closes a cycle.
class Acyclic {
 public:
  Acyclic(Vertex count, std::span<const LayoutEdge> edges)
      : out(count), in(count), state_(count, kNew) {
    Lists all(count);
    std::vector<size_t> before(count);
    for (const LayoutEdge& edge : edges) {
      all[edge.source].push_back(edge.target);
      ++before[edge.target];
    }
    // What nothing leads to is a better start than any place in a cycle.
    for (Vertex vertex = 0; vertex < count; ++vertex)
      if (before[vertex] == 0) walk(vertex, all);
    for (Vertex vertex = 0; vertex < count; ++vertex)
      if (state_[vertex] == kNew) walk(vertex, all);
    for (Vertex vertex = 0; vertex < count; ++vertex) {
      auto& list = out[vertex];
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
      for (const Vertex target : list) in[target].push_back(vertex);
    }
    std::reverse(finished_.begin(), finished_.end());
  }

  /// Sources before targets.
  const std::vector<Vertex>& order() const { return finished_; }

  Lists out;
  Lists in;

 private:
  enum State : uint8_t { kNew, kOpen, kDone };

  void walk(Vertex start, const Lists& all) {
    struct Frame {
      Vertex vertex;
      size_t next;
    };
    std::vector<Frame> stack{{start, 0}};
    state_[start] = kOpen;
    while (!stack.empty()) {
      Frame& top = stack.back();
      const Vertex vertex = top.vertex;
      if (top.next == all[vertex].size()) {
        state_[vertex] = kDone;
        finished_.push_back(vertex);
        stack.pop_back();
        continue;
      }
      const Vertex target = all[vertex][top.next++];
      // An edge back into the open path would close a cycle.
      if (state_[target] == kOpen) {
        out[target].push_back(vertex);
        continue;
      }
      out[vertex].push_back(target);
      if (state_[target] != kNew) continue;
      state_[target] = kOpen;
      stack.push_back({target, 0});
    }
  }

  std::vector<State> state_;
  std::vector<Vertex> finished_;
};

/// Each vertex below all that lead to it, and no higher than what it leads to needs.
std::vector<uint32_t> choose_layers(const Acyclic& graph) {
  std::vector<uint32_t> layers(graph.out.size());
  for (const Vertex vertex : graph.order())
    for (const Vertex target : graph.out[vertex])
      layers[target] = std::max(layers[target], layers[vertex] + 1);
  for (auto vertex = graph.order().rbegin(); vertex != graph.order().rend(); ++vertex) {
    const auto& out = graph.out[*vertex];
    if (out.size() <= graph.in[*vertex].size()) continue;
    uint32_t nearest = UINT32_MAX;
    for (const Vertex target : out) nearest = std::min(nearest, layers[target]);
    layers[*vertex] = nearest - 1;
  }
  return layers;
}

/// Vertices, then the places where edges pass a layer; all links are between neighbouring layers.
class Places {
 public:
  Places(const Acyclic& graph, const std::vector<uint32_t>& layers)
      : layer(layers), vertex_count_(layers.size()) {
    up.resize(vertex_count_);
    down.resize(vertex_count_);
    for (Vertex vertex = 0; vertex < vertex_count_; ++vertex)
      for (const Vertex target : graph.out[vertex]) link(vertex, target);
    rows.resize(*std::max_element(layer.begin(), layer.end()) + 1);
    // Depth first, so that what belongs together begins together.
    std::vector<bool> seen(layer.size());
    std::vector<uint32_t> stack;
    for (auto start = graph.order().rbegin(); start != graph.order().rend(); ++start) {
      if (!up[*start].empty()) continue;
      stack.push_back(*start);
      while (!stack.empty()) {
        const uint32_t place = stack.back();
        stack.pop_back();
        if (seen[place]) continue;
        seen[place] = true;
        rows[layer[place]].push_back(place);
        for (auto next = down[place].rbegin(); next != down[place].rend(); ++next)
          if (!seen[*next]) stack.push_back(*next);
      }
    }
  }

  size_t count() const { return layer.size(); }
  /// How much room a place takes beside others.
  double width(uint32_t place) const { return place < vertex_count_ ? 1.0 : 0.3; }

  std::vector<uint32_t> layer;  // by place
  Lists up;                     // by place
  Lists down;
  Lists rows;  // by layer, from left to right

 private:
  void link(uint32_t source, uint32_t target) {
    uint32_t last = source;
    for (uint32_t passed = layer[source] + 1; passed < layer[target]; ++passed) {
      const auto place = static_cast<uint32_t>(layer.size());
      layer.push_back(passed);
      up.emplace_back();
      down.emplace_back();
      join(last, place);
      last = place;
    }
    join(last, target);
  }
  void join(uint32_t above, uint32_t below) {
    down[above].push_back(below);
    up[below].push_back(above);
  }

  size_t vertex_count_;
};

uint64_t places_needed(const Acyclic& graph, const std::vector<uint32_t>& layers) {
  uint64_t count = layers.size();
  for (Vertex vertex = 0; vertex < layers.size(); ++vertex)
    for (const Vertex target : graph.out[vertex]) count += layers[target] - layers[vertex] - 1;
  return count;
}

std::vector<uint32_t> positions_of(const Places& places) {
  std::vector<uint32_t> position(places.count());
  for (const auto& row : places.rows)
    for (uint32_t i = 0; i < row.size(); ++i) position[row[i]] = i;
  return position;
}

/// Barth, Jünger and Mutzel, "Simple and efficient bilayer cross counting" (2002).
uint64_t crossings(const Places& places) {
  const std::vector<uint32_t> position = positions_of(places);
  uint64_t total = 0;
  for (size_t layer = 0; layer + 1 < places.rows.size(); ++layer) {
    std::vector<uint64_t> tree(places.rows[layer + 1].size() +
                               1);  // Fenwick's, of how many links end where
    uint64_t linked = 0;
    std::vector<uint32_t> ends;
    for (const uint32_t place : places.rows[layer]) {
      ends.clear();
      for (const uint32_t below : places.down[place]) ends.push_back(position[below]);
      std::sort(ends.begin(), ends.end());
      for (const uint32_t end : ends) {
        uint64_t at_or_before = 0;
        for (uint32_t i = end + 1; i > 0; i &= i - 1) at_or_before += tree[i];
        total += linked - at_or_before;
      }
      for (const uint32_t end : ends)
        for (uint32_t i = end + 1; i < tree.size(); i += i & (~i + 1)) ++tree[i];
      linked += ends.size();
    }
  }
  return total;
}

/// Orders one layer by where its links in a neighbouring layer are on average.
void order_row(std::vector<uint32_t>& row, const Lists& links, std::vector<uint32_t>& position) {
  std::vector<std::pair<double, uint32_t>> wanted;
  for (const uint32_t place : row) {
    double sum = 0;
    for (const uint32_t other : links[place]) sum += position[other];
    wanted.emplace_back(
        links[place].empty() ? position[place] : sum / static_cast<double>(links[place].size()),
        place);
  }
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (uint32_t i = 0; i < row.size(); ++i) position[row[i] = wanted[i].second] = i;
}

Status choose_order(Places& places, Pace& pace) {
  constexpr int kSweeps = 12;
  Lists best = places.rows;
  uint64_t least = crossings(places);
  std::vector<uint32_t> position = positions_of(places);
  for (int sweep = 0; sweep < kSweeps && least > 0; ++sweep) {
    for (size_t i = 1; i < places.rows.size(); ++i) {
      const size_t layer = sweep % 2 == 0 ? i : places.rows.size() - 1 - i;
      BRAID_TRY(pace.step(8 * places.rows[layer].size()));
      order_row(places.rows[layer], sweep % 2 == 0 ? places.up : places.down, position);
    }
    const uint64_t found = crossings(places);
    if (found >= least) continue;
    least = found;
    best = places.rows;
  }
  places.rows = std::move(best);
  return {};
}

/// The places nearest to `wanted` (least squares) that keep the row's order and widths: isotonic
/// regression by pooling adjacent violators.
void settle_row(const Places& places, const std::vector<uint32_t>& row,
                const std::vector<double>& wanted, std::vector<double>& x) {
  struct Pool {
    double mean;
    size_t count;
  };
  std::vector<Pool> pools;
  std::vector<double> offset(row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) offset[i] = offset[i - 1] + (places.width(row[i - 1]) + places.width(row[i])) / 2;
    pools.push_back({wanted[i] - offset[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean > pools.back().mean) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& before = pools.back();
      const auto a = static_cast<double>(before.count), b = static_cast<double>(last.count);
      before = {(before.mean * a + last.mean * b) / (a + b), before.count + last.count};
    }
  }
  size_t i = 0;
  for (const Pool& pool : pools)
    for (size_t left = pool.count; left > 0; --left, ++i) x[row[i]] = pool.mean + offset[i];
}

double mean_of(const std::vector<uint32_t>& links, const std::vector<double>& x, double otherwise) {
  if (links.empty()) return otherwise;
  double sum = 0;
  for (const uint32_t other : links) sum += x[other];
  return sum / static_cast<double>(links.size());
}

Status choose_places(const Places& places, uint32_t rounds, Pace& pace, std::vector<double>& x) {
  x.resize(places.count());
  std::vector<double> wanted;
  for (const auto& row : places.rows) {
    wanted.assign(row.size(), 0);
    settle_row(places, row, wanted, x);
  }
  // Down and up in turn; up last, which puts a parent over the middle of its children.
  for (uint32_t sweep = 0; sweep < 2 * rounds; ++sweep) {
    const bool down = sweep % 2 == 0;
    for (size_t i = 0; i < places.rows.size(); ++i) {
      const auto& row = places.rows[down ? i : places.rows.size() - 1 - i];
      BRAID_TRY(pace.step(4 * row.size()));
      wanted.clear();
      for (const uint32_t place : row)
        wanted.push_back(mean_of(down ? places.up[place] : places.down[place], x, x[place]));
      settle_row(places, row, wanted, x);
    }
  }
  return {};
}

}  // namespace

Status lay_out_layers(Vertex count, std::span<const LayoutEdge> edges, const LayoutOptions& options,
                      Pace& pace, std::vector<LayoutPoint>& points, std::vector<uint32_t>& layers) {
  const Acyclic graph(count, edges);
  layers = choose_layers(graph);
  const uint64_t needed = places_needed(graph, layers);
  if (needed > kLayerPlacesMax) {
    return Status(StatusCode::kLimit, fmt::format("{} nodes and crossings of layers are more than "
                                                  "the {} that 'layers' lays out; choose fewer "
                                                  "nodes, or another method",
                                                  needed, kLayerPlacesMax));
  }
  Places places(graph, layers);
  BRAID_TRY(choose_order(places, pace));
  std::vector<double> x;
  BRAID_TRY(choose_places(places, options.rounds, pace, x));
  points.resize(count);
  for (Vertex vertex = 0; vertex < count; ++vertex)
    points[vertex] = {x[vertex], static_cast<double>(layers[vertex])};
  return {};
}

}  // namespace braid
