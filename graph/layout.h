// Places for nodes in a picture: near when they are connected, without direction or by layers.
//
// One unit is the distance at which two connected nodes are comfortable; y grows downwards, as in
// pictures. The same input and seed give the same places. Self loops and parallel edges do not
// matter.
#pragma once

#include <span>
#include <vector>

#include "graph/pace.h"

namespace braid {

enum class LayoutMethod : uint8_t {
  kAuto,    ///< kLayers for what looks like a hierarchy, else kSpring
  kSpring,  ///< distances in the picture follow those in the graph
  kCircle,
  kLayers,  ///< edges go down; those that would close a cycle go up
};
/// As words, in the order of the enum: the choices of the parameter `method`.
inline constexpr const char* kLayoutMethods = "auto|spring|circle|layers";
/// None for another word.
std::optional<LayoutMethod> layout_method_named(std::string_view name);

inline constexpr uint32_t kLayoutRoundsDefault = 60;
inline constexpr uint32_t kLayoutRoundsMax = 10'000;
/// kSpring keeps the distance of every two nodes of a component.
inline constexpr Vertex kSpringNodesMax = 2'000;
/// kLayers: nodes, and places where edges pass a layer.
inline constexpr uint64_t kLayerPlacesMax = 200'000;

struct LayoutOptions {
  LayoutMethod method = LayoutMethod::kAuto;
  uint32_t rounds = kLayoutRoundsDefault;
  uint64_t seed = 1;
};

struct LayoutEdge {
  Vertex source;
  Vertex target;
};

struct LayoutPoint {
  double x = 0;
  double y = 0;
};

struct Layout {
  std::vector<LayoutPoint> points;  ///< by vertex
  std::vector<uint32_t> layers;     ///< by vertex, from 0 at the top; empty unless by layers
};

/// Lays out vertices 0 to `count`, each component by itself, the components side by side.
/// Errors: kLimit (kSpringNodesMax, kLayerPlacesMax, deadline); kInterrupted.
Status lay_out(Vertex count, std::span<const LayoutEdge> edges, const LayoutOptions& options,
               const AlgorithmContext& context, Layout& out);

// --- The methods, each for one connected graph of at least two vertices
// -------------------------------------------------------------

/// Zheng, Pawar and Goodman, "Graph drawing by stochastic gradient descent" (2018).
Status lay_out_spring(Vertex count, std::span<const LayoutEdge> edges, const LayoutOptions& options,
                      Pace& pace, std::vector<LayoutPoint>& points);

/// Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures"
/// (1981).
Status lay_out_layers(Vertex count, std::span<const LayoutEdge> edges, const LayoutOptions& options,
                      Pace& pace, std::vector<LayoutPoint>& points, std::vector<uint32_t>& layers);

}  // namespace braid
