#include "graph/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "graph/disjoint_sets.h"

namespace braid {

namespace {

/// One connected part of what is laid out, with vertices of its own numbering.
struct Component {
  std::vector<Vertex> vertices;  // its vertex i is the graph's vertices[i]
  std::vector<LayoutEdge> edges;
  std::vector<LayoutPoint> points;
  std::vector<uint32_t> layers;
  double width = 0;
  double height = 0;
};

std::vector<Component> components_of(Vertex count, std::span<const LayoutEdge> edges) {
  DisjointSets sets(count);
  for (const LayoutEdge& edge : edges) sets.join(edge.source, edge.target);
  std::vector<Component> components;
  std::vector<uint32_t> number(count);  // of the component, by its root
  std::vector<Vertex> place(count);     // within the component
  for (Vertex vertex = 0; vertex < count; ++vertex) {
    const Vertex root = sets.find(vertex);
    if (root == vertex) {
      number[root] = static_cast<uint32_t>(components.size());
      components.emplace_back();
    }
    Component& component = components[number[root]];
    place[vertex] = static_cast<Vertex>(component.vertices.size());
    component.vertices.push_back(vertex);
  }
  for (const LayoutEdge& edge : edges) {
    if (edge.source == edge.target) continue;
    components[number[sets.find(edge.source)]].edges.push_back(
        {place[edge.source], place[edge.target]});
  }
  return components;
}

/// True when no path leads back to where it began.
bool is_acyclic(const Component& component) {
  const size_t count = component.vertices.size();
  std::vector<std::vector<Vertex>> out(count);
  std::vector<size_t> before(count);
  for (const LayoutEdge& edge : component.edges) {
    out[edge.source].push_back(edge.target);
    ++before[edge.target];
  }
  std::vector<Vertex> ready;
  for (Vertex vertex = 0; vertex < count; ++vertex)
    if (before[vertex] == 0) ready.push_back(vertex);
  size_t done = 0;
  while (!ready.empty()) {
    const Vertex vertex = ready.back();
    ready.pop_back();
    ++done;
    for (const Vertex next : out[vertex])
      if (--before[next] == 0) ready.push_back(next);
  }
  return done == count;
}

/// A hierarchy reads best from the top, unless it is so broad that its layers become long lines.
Status place_auto(Component& component, const LayoutOptions& options, Pace& pace) {
  const auto count = static_cast<Vertex>(component.vertices.size());
  const double vertices = count;
  const bool sparse = static_cast<double>(component.edges.size()) <= 1.25 * vertices;
  if (sparse && is_acyclic(component)) {
    BRAID_TRY(
        lay_out_layers(count, component.edges, options, pace, component.points, component.layers));
    std::vector<size_t> widths(count);
    for (const uint32_t layer : component.layers) ++widths[layer];
    const size_t widest = *std::max_element(widths.begin(), widths.end());
    if (static_cast<double>(widest) <= std::max(6.0, 2.2 * std::sqrt(vertices))) return {};
    component.layers.clear();
  }
  return lay_out_spring(count, component.edges, options, pace, component.points);
}

/// Around a circle in the order of a depth first walk, so that neighbours are often beside each
/// other.
void place_circle(Component& component) {
  const size_t count = component.vertices.size();
  std::vector<std::vector<Vertex>> neighbors(count);
  for (const LayoutEdge& edge : component.edges) {
    neighbors[edge.source].push_back(edge.target);
    neighbors[edge.target].push_back(edge.source);
  }
  std::vector<Vertex> order;
  std::vector<bool> seen(count);
  std::vector<Vertex> stack{0};
  while (!stack.empty()) {
    const Vertex vertex = stack.back();
    stack.pop_back();
    if (seen[vertex]) continue;
    seen[vertex] = true;
    order.push_back(vertex);
    for (auto next = neighbors[vertex].rbegin(); next != neighbors[vertex].rend(); ++next)
      if (!seen[*next]) stack.push_back(*next);
  }
  const double radius = static_cast<double>(count) / (2 * std::numbers::pi);
  component.points.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const double angle =
        2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count) -
        std::numbers::pi / 2;
    component.points[order[i]] = {radius * std::cos(angle), radius * std::sin(angle)};
  }
}

Status place(Component& component, const LayoutOptions& options, Pace& pace) {
  const auto count = static_cast<Vertex>(component.vertices.size());
  if (count == 1) {
    component.points.resize(1);
    return {};
  }
  switch (options.method) {
    case LayoutMethod::kAuto:
      return place_auto(component, options, pace);
    case LayoutMethod::kSpring:
      return lay_out_spring(count, component.edges, options, pace, component.points);
    case LayoutMethod::kCircle:
      place_circle(component);
      return {};
    case LayoutMethod::kLayers:
      return lay_out_layers(count, component.edges, options, pace, component.points,
                            component.layers);
  }
  return {};
}

/// Moves a component so that its upper left corner is (0, 0).
void move_to_origin(Component& component) {
  LayoutPoint least = component.points.front(), most = component.points.front();
  for (const LayoutPoint& point : component.points) {
    least = {std::min(least.x, point.x), std::min(least.y, point.y)};
    most = {std::max(most.x, point.x), std::max(most.y, point.y)};
  }
  for (LayoutPoint& point : component.points) point = {point.x - least.x, point.y - least.y};
  component.width = most.x - least.x;
  component.height = most.y - least.y;
}

/// Puts components in rows, the large ones first.
void pack(std::vector<Component>& components) {
  constexpr double kGap = 1;
  constexpr double kShape = 1.5;  // width of the whole by its height
  double area = 0, row_width = 0;
  for (const Component& component : components) {
    area += (component.width + kGap) * (component.height + kGap);
    row_width = std::max(row_width, component.width + kGap);
  }
  row_width = std::max(row_width, std::sqrt(area * kShape));
  std::vector<Component*> order;
  for (Component& component : components) order.push_back(&component);
  std::stable_sort(order.begin(), order.end(), [](const Component* a, const Component* b) {
    return a->vertices.size() > b->vertices.size();
  });
  double x = 0, y = 0, row_height = 0;
  for (Component* component : order) {
    if (x > 0 && x + component->width + kGap > row_width) {
      x = 0;
      y += row_height + kGap;
      row_height = 0;
    }
    for (LayoutPoint& point : component->points) point = {point.x + x, point.y + y};
    x += component->width + kGap;
    row_height = std::max(row_height, component->height);
  }
}

}  // namespace

std::optional<LayoutMethod> layout_method_named(std::string_view name) {
  std::string_view left = kLayoutMethods;
  for (uint8_t method = 0; !left.empty(); ++method) {
    const size_t end = std::min(left.find('|'), left.size());
    if (left.substr(0, end) == name) return static_cast<LayoutMethod>(method);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return std::nullopt;
}

Status lay_out(Vertex count, std::span<const LayoutEdge> edges, const LayoutOptions& options,
               const AlgorithmContext& context, Layout& out) {
  out = Layout();
  out.points.resize(count);
  if (count == 0) return {};
  Pace pace(context);
  BRAID_TRY(context.check());
  std::vector<Component> components = components_of(count, edges);
  // One method for all of the picture is what a reader expects of layers.
  bool layered = true;
  uint64_t placed = 0;
  for (Component& component : components) {
    pace.set_done(static_cast<double>(placed), count);
    BRAID_TRY(pace.step(component.vertices.size()));
    BRAID_TRY(place(component, options, pace));
    placed += component.vertices.size();
    move_to_origin(component);
    layered = layered && (component.vertices.size() == 1 || !component.layers.empty());
  }
  pack(components);
  if (layered) out.layers.resize(count);
  for (const Component& component : components) {
    for (size_t i = 0; i < component.vertices.size(); ++i)
      out.points[component.vertices[i]] = component.points[i];
    if (!layered) continue;
    for (size_t i = 0; i < component.layers.size(); ++i)
      out.layers[component.vertices[i]] = component.layers[i];
  }
  return {};
}

}  // namespace braid
