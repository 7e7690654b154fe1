// Whether a walk goes on in the store or starts again on a projection.
#pragma once

#include <memory>

#include "graph/graph_view.h"
#include "graph/projection.h"
#include "graph/traversal.h"

namespace braid {

class WalkChoice {
 public:
  /// `spec` is what a projection for this walk would have. All outlive the choice.
  WalkChoice(const GraphView& view, const ProjectionSpec& spec, const TraversalOptions& options, WalkReport& report);
  /// Remembers what the walk read from the store, for the walks after it.
  ~WalkChoice();
  WalkChoice(const WalkChoice&) = delete;
  WalkChoice& operator=(const WalkChoice&) = delete;

  /// Before the steps of one more node are read from the store: a projection to start again on, or null.
  Result<std::shared_ptr<const Projection>> next();

 private:
  Result<std::shared_ptr<const Projection>> switched(std::string why);
  bool pays(uint64_t nodes_expanded) const;

  const GraphView& view_;
  const ProjectionSpec& spec_;
  const TraversalOptions& options_;
  WalkReport& report_;
  const bool may_project_;
  uint64_t next_question_;
};

}  // namespace braid
