// A new graph of all that can be read of a damaged one.
//
// Nodes (family `node`) and edges (family `edge`) are read past what is damaged; the other families are made from them. What the log has after
// the families is applied. An edge whose end is lost is left out (invariant 7).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "engine/env.h"
#include "engine/result.h"

namespace braid {

/// Told what is lost, a sentence each.
using GraphLossReport = std::function<void(const std::string&)>;

/// The log's rows that there are, ascending.
using RecordSource = std::function<Status(const std::function<Status(Lsn, const CommitRecord&)>& visit)>;

struct GraphSalvage {
  Env& env;
  const Catalog& catalog;
  std::shared_ptr<const CatalogState> state;  // shared: with the views that are made
  CatalogCounters counters;
  Lsn log_begin;  ///< the oldest of `records`
  RecordSource records;
  GraphLossReport lost;
};

/// What a graph's files hold.
struct GraphState {
  std::string damage;     ///< why the families cannot be read from end to end; "": they can
  std::string unwritten;  ///< what the damage is when a family that holds nothing was written ever: when the log does not begin with commit 1
  Lsn lowest;             ///< of the families' markers
  Lsn highest;
};

/// `directory` is a copy, which this may change. `log_begin`: the first commit that can be replayed.
GraphState graph_state(Env& env, const std::string& directory, Lsn log_begin);

/// What was made.
struct SalvagedGraph {
  Lsn lsn;                                    ///< where all its families are
  std::map<NameKind, uint32_t> greatest_ids;  ///< of the names that it uses
};

/// Makes the graph in `target`, an empty directory, of that in `directory`, which is a copy that this may change. Its families are at the
/// commit `at_least`, or a later one.
Result<SalvagedGraph> salvage_graph(const GraphSalvage& salvage, const std::string& directory, const std::string& target, Lsn at_least);

}  // namespace braid
