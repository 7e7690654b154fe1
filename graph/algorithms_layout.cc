// Layouts of a projection, for pictures.
#include "graph/algorithms.h"
#include "graph/layout.h"
#include "graph/result_rows.h"

namespace braid {
namespace {

Status run_layout(const Projection& graph, const AlgorithmArguments& arguments,
                  const AlgorithmContext& context, AlgorithmResult& out) {
  const LayoutOptions options{*layout_method_named(arguments.text(0)),
                              static_cast<uint32_t>(arguments.integer(1)),
                              static_cast<uint64_t>(arguments.integer(2))};
  Pace pace(context);
  std::vector<LayoutEdge> edges;
  edges.reserve(graph.out().targets.size());
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    BRAID_TRY(pace.step(graph.out().degree(vertex) + 1));
    for (const Vertex target : graph.out().of(vertex)) {
      // An undirected edge has an entry at both of its ends.
      if (graph.directed() || vertex < target) edges.push_back({vertex, target});
    }
  }
  Layout layout;
  BRAID_TRY(lay_out(graph.vertex_count(), edges, options, context, layout));
  ResultRows rows(out, 4, context);
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    const int64_t layer =
        layout.layers.empty() ? ResultColumn::kNoValue : int64_t{layout.layers[vertex]};
    BRAID_TRY(rows.add({int64_t{vertex}, layout.points[vertex].x, layout.points[vertex].y, layer}));
  }
  return {};
}

constexpr ResultColumnRow kLayoutColumns[] = {{"node", ColumnKind::kNode},
                                        {"x", ColumnKind::kReal},
                                        {"y", ColumnKind::kReal},
                                        {"layer", ColumnKind::kInteger}};
constexpr AlgorithmParameter kLayoutParameters[] = {
    {.name = "method", .kind = ParameterKind::kText, .choices = kLayoutMethods},
    {"iterations", ParameterKind::kInteger, false, kLayoutRoundsDefault, 1, kLayoutRoundsMax},
    {"seed", ParameterKind::kInteger, false, 1, 0, 9e15},
};
constexpr AlgorithmRow kLayouts[] = {
    {"layout",
     "Places for a picture: x and y, y growing downwards, connected nodes about 1 apart; the layer "
     "when laid out in layers.",
     kLayoutColumns, kLayoutParameters, "Braid: Zheng, Pawar, Goodman 2018; Sugiyama 1981",
     "O(n (n + m) + iterations n^2); n^2 in memory", run_layout},
};

}  // namespace

std::span<const AlgorithmRow> layout_algorithms() { return kLayouts; }

}  // namespace braid
