// What the benchmark `graph` measures Braid against: an edge table in SQLite, compressed sparse rows written by hand, Boost.Graph, igraph, and
// graph databases that are called from node.
//
// Each answers the same questions in the same numbers. Failures end the benchmark. Threads: one at a time.
#pragma once

#include <igraph.h>

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/graph_data.h"
#include "bench/sqlite_peer.h"

namespace bench {

constexpr int64_t kStoreCacheBytes = 256 << 20;
constexpr int kPagerankIterations = 20;
constexpr double kDamping = 0.85;

/// The length of a path that there is not.
constexpr int64_t kNoPath = -1;

/// What a search from one vertex over the whole graph found.
struct Search {
  uint64_t reached = 0;  ///< with the start
  uint64_t depths = 0;   ///< their sum
};

struct TopRank {
  uint32_t vertex = 0;
  double rank = 0;
};
TopRank top_of(const std::vector<double>& ranks);

/// A table clustered by source, and an index by target.
class SqliteGraph {
 public:
  explicit SqliteGraph(const std::string& path);

  /// In sorted order and one transaction; the index is made afterwards, which is the fastest way.
  void load(const GraphData& data);
  void begin() { file_.execute("BEGIN"); }
  void commit() { file_.execute("COMMIT"); }
  void add(const EdgePair& edge);
  /// Reads what is one step away.
  int64_t neighbors(uint32_t vertex);
  /// Counts what is within `hops`, without the start.
  int64_t hops(uint32_t start, uint32_t hops);

 private:
  SqliteFile file_;
  std::unique_ptr<SqliteStatement> insert_, neighbors_, hops_;
};

/// Compressed sparse rows and marks, both ways: the least that the work takes.
class HandGraph {
 public:
  explicit HandGraph(const GraphData& data);

  int64_t hops(uint32_t start, uint32_t hops);
  /// Level by level from both ends, the smaller level first. `both_ways` as in GraphData.
  int64_t path(EdgePair ends, bool both_ways);

 private:
  struct Rows {
    std::vector<uint32_t> offsets, targets;
  };
  struct Side {
    std::vector<uint32_t> marks, queue;
    size_t level = 0, end = 0;  // where the last level is in the queue
    int64_t depth = 0;
  };
  static Rows make_rows(const GraphData& data, bool backward);
  void start(Side& side, uint32_t vertex);
  /// Goes one level on; whether it met the other side.
  bool expand(Side& mine, const Side& other, const Rows& rows, const Rows* more);

  const Rows out_, in_;
  uint32_t walk_ = 0;  // the mark of this walk
  Side sides_[2];
};

class BoostGraph {
 public:
  explicit BoostGraph(const GraphData& data);

  Search search(uint32_t start);
  uint64_t components();
  const std::vector<double>& pagerank();

 private:
  using Rows = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property, boost::no_property, uint32_t, uint32_t>;
  static Rows make_rows(const GraphData& data, bool both_ways);

  const Rows out_;
  const Rows searched_;  // with every edge both ways where searches go so
  std::vector<uint32_t> depths_, parents_;
  std::vector<double> ranks_;
};

class IgraphGraph {
 public:
  explicit IgraphGraph(const GraphData& data);
  ~IgraphGraph();
  IgraphGraph(const IgraphGraph&) = delete;
  IgraphGraph& operator=(const IgraphGraph&) = delete;

  /// All starts in one call, for igraph clears its marks for each call.
  std::vector<int64_t> hops(const std::vector<uint32_t>& starts, uint32_t hops);
  int64_t path(EdgePair ends);
  Search search(uint32_t start);
  uint64_t components();
  /// Solved by PRPACK, which does not iterate as often as others.
  TopRank pagerank();

 private:
  const igraph_neimode_t mode_;  // of paths and searches
  igraph_t graph_;
};

/// A figure that a script gives back, and what it answered to each question.
struct NodeFigure {
  std::string metric;
  double value = 0;
  std::string unit;
  std::vector<int64_t> answers;
};

/// What a database that is called from node is asked: the first so many starts and paths.
struct NodeJob {
  std::string_view module;  ///< as npm names it
  std::string directory;    ///< has the files; the database is made here
  size_t starts = 0;
  size_t paths = 0;
};

/// Empty when node finds the module; else what to do.
std::string why_no_module(std::string_view module);
/// Runs graph_kuzu.mjs. The files of `data` are those of `write_graph_files`.
std::vector<NodeFigure> run_in_node(const NodeJob& job, const GraphData& data);
void write_graph_files(const GraphData& data, const std::string& directory);

}  // namespace bench
