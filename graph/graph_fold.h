// How a change changes a family: written once, used when a transaction stages and when the log is
// replayed, so that the live and the recovered state cannot differ.
//
// Invariant 3: folding a change into one family reads and writes that family alone.
#pragma once

#include "engine/commit_record.h"
#include "engine/result.h"
#include "graph/edge_run.h"
#include "graph/graph_overlay.h"
#include "graph/key_format.h"
#include "graph/removal_run.h"

namespace braid {

/// Both are called inside an operation of `state`. kCorrupt when the family's bytes are damaged or
/// contradict the change.
Status fold_change(Family family, const NodeChange& change, GraphOverlay& state);
Status fold_change(Family family, const EdgeChange& change, GraphOverlay& state);
/// The same for a run of edges that is at hand.
Status fold_run(Family family, const EdgeRun& run, GraphOverlay& state);
Status fold_run(Family family, const RemovalRun& run, GraphOverlay& state);

}  // namespace braid
