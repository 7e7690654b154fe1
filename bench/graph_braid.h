// Braid in the benchmark `graph`. As everywhere in bench/, it is used through braid.h alone.
//
// Failures end the benchmark. Threads: one at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/braid_subject.h"
#include "bench/graph_data.h"
#include "bench/graph_peers.h"

namespace bench {

struct BraidLoadSeconds {
  double nodes;
  double edges;  ///< with the commit, after which nodes and edges are durable
  double checkpoint;
};

struct ProjectionSize {
  int64_t nodes = 0, edges = 0, bytes = 0;
};

/// Names of projections of every edge: in its direction, and as searches go along them.
constexpr const char* kDirected = "directed";
constexpr const char* kSearched = "searched";

struct BraidAlgorithm {
  const char* name;
  const char* projection;
  std::string arguments;  ///< JSON
};

class BraidGraph {
 public:
  explicit BraidGraph(const std::string& path);
  ~BraidGraph();
  BraidGraph(const BraidGraph&) = delete;
  BraidGraph& operator=(const BraidGraph&) = delete;

  /// Nodes and edges in one transaction.
  BraidLoadSeconds load(const GraphData& data);
  /// One durable edge.
  void add(const EdgePair& edge);

  /// One snapshot until `release`.
  void hold();
  void release() { connection_.commit(); }

  /// Reads what is one step away from the store.
  int64_t neighbors(uint32_t vertex);

  /// Opens the projection of the whole graph as it is now, in place of the one that is open.
  void project();
  ProjectionSize projection_size();
  int64_t hops(uint32_t start, uint32_t hops);
  int64_t path(EdgePair ends);

  void name_projections();
  /// Runs an algorithm and reads no more than its first row.
  void run(const BraidAlgorithm& algorithm);
  /// Runs an algorithm and visits all its rows; numbers of nodes are to be given to `vertex`.
  void run(const BraidAlgorithm& algorithm, const std::function<void(braid_statement*)>& visit);
  uint32_t vertex(int64_t node) const { return static_cast<uint32_t>(node - first_node_); }

  /// The same in SQL.
  int64_t sql_neighbors(uint32_t vertex);
  int64_t sql_hops(uint32_t start, uint32_t hops);
  int64_t sql_path(EdgePair ends);
  /// Runs an algorithm and counts its rows.
  int64_t sql_rows(const std::string& call) { return connection_.query(("SELECT count(*) FROM " + call).c_str()); }
  int64_t node(uint32_t vertex) const { return first_node_ + vertex; }

 private:
  braid_statement* prepare(const BraidAlgorithm& algorithm);

  BraidDatabase database_;
  BraidConnection connection_;
  braid_projection* projection_ = nullptr;
  int64_t first_node_ = 0;
  bool both_ways_ = false;
  std::vector<braid_neighbor> neighbors_;  // room for any node's
  std::unique_ptr<BraidStatement> sql_neighbors_, sql_hops_, sql_path_;
};

}  // namespace bench
