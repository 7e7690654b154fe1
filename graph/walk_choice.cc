#include "graph/walk_choice.h"

#include <fmt/format.h>

#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"

namespace braid {
namespace {

/// Walks that end sooner never ask: they take less than looking for a projection.
constexpr uint64_t kShortWalkNodes = 64;
/// Building a projection reads so many edges in the time in which a walk reads the steps of one node from the store.
constexpr uint64_t kEdgesPerNode = 64;
/// Of the memory for projections, what one that nobody asked for may take.
constexpr uint64_t kMemoryShare = 2;

bool may_project(const GraphView& view, const TraversalOptions& options) {
  return options.way != WalkWay::kStore && !options.steps.filters() && !view.has_changes();
}

}  // namespace

WalkChoice::WalkChoice(const GraphView& view, const ProjectionSpec& spec, const TraversalOptions& options, WalkReport& report)
    : view_(view),
      spec_(spec),
      options_(options),
      report_(report),
      may_project_(may_project(view, options)),
      next_question_(options.way == WalkWay::kProjection ? 0 : kShortWalkNodes) {
  report_ = {};
  report_.why = may_project_ || options.way == WalkWay::kStore ? "a short walk"
                : options.steps.filters()                      ? "properties are asked for"
                                                               : "the transaction has changed the graph";
  if (options.way == WalkWay::kStore) report_.why = "asked for";
}

WalkChoice::~WalkChoice() {
  if (may_project_ && !report_.on_projection && report_.nodes_expanded >= kShortWalkNodes)
    view_.base().projections().note_walk(spec_, report_.nodes_expanded);
}

Result<std::shared_ptr<const Projection>> WalkChoice::next() {
  const uint64_t expanded = report_.nodes_expanded++;
  if (!may_project_ || expanded < next_question_) return std::shared_ptr<const Projection>();
  if (options_.way == WalkWay::kProjection) return switched("asked for");
  next_question_ = 2 * std::max(expanded, kShortWalkNodes);
  if (view_.base().projections().is_near(view_, spec_)) return switched("a projection is kept");
  if (pays(expanded)) return switched("such walks have read more than building a projection takes");
  report_.why = "building a projection does not pay yet";
  return std::shared_ptr<const Projection>();
}

bool WalkChoice::pays(uint64_t nodes_expanded) const {
  const ProjectionCache& projections = view_.base().projections();
  const uint64_t edges = view_.base().counters().next_edge.value() - 1;  // at most
  const uint64_t nodes = view_.base().counters().next_node.value() - 1;
  if (projection_bytes(nodes, edges, spec_) > projections.bytes_max() / kMemoryShare) return false;
  return (projections.walked(spec_) + nodes_expanded) * kEdgesPerNode >= edges + nodes;
}

Result<std::shared_ptr<const Projection>> WalkChoice::switched(std::string why) {
  BRAID_ASSIGN(auto projection, view_.base().projections().get(view_, spec_, options_.cancel));
  report_.on_projection = true;
  report_.why = std::move(why);
  return projection;
}

}  // namespace braid
