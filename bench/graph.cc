// A graph: loading it, one durable edge, one hop from the store, and algorithms on a projection.
//
// Beside Braid: an edge table in SQLite with an index each way, and Boost's algorithms on its own compressed sparse row graph. The graph is an
// RMAT graph of scale 17 (Graph500's probabilities, vertices permuted, no loops, no parallel edges), the same for all; answers are compared.
#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/connected_components.hpp>
#include <numeric>
#include <vector>

#include "bench/braid_subject.h"
#include "bench/entity.h"
#include "bench/harness.h"
#include "bench/sqlite_peer.h"

namespace bench {
namespace {

constexpr int kScale = 17;
constexpr uint32_t kVertexCount = 1u << kScale;
constexpr uint64_t kEdgesPerVertex = 16;
constexpr size_t kEdgesPerTransaction = 200'000;
constexpr size_t kHops = 20'000;
constexpr int64_t kCacheBytes = 256 << 20;
constexpr int kPageRankIterations = 20;
constexpr double kDamping = 0.85;

struct EdgePair {
  uint32_t source;
  uint32_t target;
  auto operator<=>(const EdgePair&) const = default;
};

double unit(Random& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

/// Source: Chakrabarti, Zhan, Faloutsos, "R-MAT: a recursive model for graph mining" (2004).
std::vector<EdgePair> make_edges() {
  Random random(17);
  std::vector<uint32_t> vertices(kVertexCount);
  std::iota(vertices.begin(), vertices.end(), 0);
  std::shuffle(vertices.begin(), vertices.end(), random);
  std::vector<EdgePair> edges;
  for (uint64_t i = 0; i < kVertexCount * kEdgesPerVertex; ++i) {
    uint32_t source = 0, target = 0;
    for (int bit = 0; bit < kScale; ++bit) {
      const double place = unit(random);
      source = source << 1 | (place >= 0.76 ? 1 : 0);
      target = target << 1 | ((place >= 0.57 && place < 0.76) || place >= 0.95 ? 1 : 0);
    }
    if (source != target) edges.push_back({vertices[source], vertices[target]});
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::shuffle(edges.begin(), edges.end(), random);
  return edges;
}

template <typename Work>
double seconds_of(Work&& work) {
  const double start = now_seconds();
  work();
  return now_seconds() - start;
}

std::vector<uint32_t> make_starts(const std::vector<EdgePair>& edges) {
  Random random(99);
  std::vector<uint32_t> starts;
  for (size_t i = 0; i < kHops; ++i) starts.push_back(edges[random() % edges.size()].source);
  return starts;
}

/// The graph in Braid, loaded by the constructor.
class Braid {
 public:
  Braid(const std::string& path, const std::vector<EdgePair>& edges, Report& report)
      : database_(path, braid_options({{"cache_bytes", kCacheBytes}, {"graph_cache_bytes", kCacheBytes}, {"graph_buffer_bytes", kCacheBytes}})),
        connection_(database_) {
    const double seconds = seconds_of([&] {
      connection_.begin();
      for (uint32_t i = 0; i < kVertexCount; ++i) {
        int64_t node = 0;
        connection_.check(braid_node_create(connection_.handle(), nullptr, nullptr, &node), "node");
        nodes_.push_back(node);
      }
      connection_.commit();
    });
    fmt::print(stderr, "nodes {}\n", seconds);
    const double seconds2 = seconds_of([&] {
      std::vector<int64_t> s, t;
      for (const auto& e : edges) s.push_back(nodes_[e.source]), t.push_back(nodes_[e.target]);
      int64_t first;
      connection_.begin();
      double a = now_seconds();
      connection_.check(braid_edges_create(connection_.handle(), "T", s.data(), t.data(), nullptr, s.size(), &first), "edges");
      double b = now_seconds();
      connection_.commit();
      fmt::print(stderr, "stage {} commit {}\n", b - a, now_seconds() - b);
    });
    report.add("load", "braid", static_cast<double>(edges.size()) / seconds2, "edges/s");
    if (braid_checkpoint(database_.handle()) != BRAID_OK) fail("braid: checkpoint");
  }

  void add(const EdgePair& edge) {
    int64_t id = 0;
    connection_.check(braid_edge_create(connection_.handle(), nodes_[edge.source], "T", nodes_[edge.target], nullptr, &id), "edge");
  }
  BraidConnection& connection() { return connection_; }
  int64_t node(uint32_t vertex) const { return nodes_[vertex]; }

  uint64_t hop(uint32_t vertex) {
    size_t count = 0;
    connection_.check(braid_neighbors(connection_.handle(), nodes_[vertex], BRAID_OUT, nullptr, neighbors_.data(), neighbors_.size(), &count),
                      "neighbors");
    return count;
  }

 private:
  BraidDatabase database_;
  BraidConnection connection_;
  std::vector<int64_t> nodes_;
  std::vector<braid_neighbor> neighbors_ = std::vector<braid_neighbor>(kVertexCount);
};

class Sqlite {
 public:
  Sqlite(const std::string& path, const std::vector<EdgePair>& edges, Report& report)
      : file_(path, {.cache_bytes = kCacheBytes}) {
    file_.execute("CREATE TABLE edges(source INTEGER, target INTEGER, PRIMARY KEY(source, target)) WITHOUT ROWID;"
                  "CREATE INDEX back ON edges(target, source)");
    insert_ = std::make_unique<SqliteStatement>(file_.handle(), "INSERT INTO edges VALUES(?, ?)");
    hop_ = std::make_unique<SqliteStatement>(file_.handle(), "SELECT target FROM edges WHERE source = ?");
    const double seconds = seconds_of([&] {
      for (size_t start = 0; start < edges.size(); start += kEdgesPerTransaction) {
        file_.execute("BEGIN");
        for (size_t i = start; i < std::min(start + kEdgesPerTransaction, edges.size()); ++i) add(edges[i]);
        file_.execute("COMMIT");
      }
    });
    report.add("load", "sqlite", static_cast<double>(edges.size()) / seconds, "edges/s");
  }
  void add(const EdgePair& edge) {
    insert_->bind(1, int64_t{edge.source});
    insert_->bind(2, int64_t{edge.target});
    insert_->run();
  }
  uint64_t hop(uint32_t vertex) {
    uint64_t count = 0;
    hop_->bind(1, int64_t{vertex});
    while (hop_->row()) ++count;
    hop_->reset();
    return count;
  }
  void begin() { file_.execute("BEGIN"); }
  void commit() { file_.execute("COMMIT"); }

 private:
  SqliteFile file_;
  std::unique_ptr<SqliteStatement> insert_;
  std::unique_ptr<SqliteStatement> hop_;
};

using BoostCsr = boost::compressed_sparse_row_graph<boost::directedS>;

BoostCsr make_boost(const std::vector<EdgePair>& edges, bool both) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (const EdgePair& edge : edges) {
    pairs.emplace_back(edge.source, edge.target);
    if (both) pairs.emplace_back(edge.target, edge.source);
  }
  return {boost::edges_are_unsorted_multi_pass, pairs.begin(), pairs.end(), kVertexCount};
}

uint64_t boost_bfs(const BoostCsr& graph, uint32_t start) {
  uint64_t reached = 0;
  struct Counter : boost::default_bfs_visitor {
    explicit Counter(uint64_t* count) : count(count) {}
    void discover_vertex(size_t, const BoostCsr&) const { ++*count; }
    uint64_t* count;
  };
  boost::breadth_first_search(graph, start, boost::visitor(Counter(&reached)));
  return reached;
}

/// Boost's own page_rank loses the rank of vertices without out-edges, so this is the same sum on Boost's graph.
double boost_pagerank_top(const BoostCsr& graph) {
  std::vector<double> rank(kVertexCount, 1.0 / kVertexCount), next(kVertexCount);
  for (int i = 0; i < kPageRankIterations; ++i) {
    std::fill(next.begin(), next.end(), 0.0);
    double lost = 0;
    for (size_t vertex = 0; vertex < kVertexCount; ++vertex) {
      const auto degree = out_degree(vertex, graph);
      if (degree == 0) lost += rank[vertex];
      const double share = degree == 0 ? 0 : rank[vertex] / static_cast<double>(degree);
      for (auto [edge, end] = out_edges(vertex, graph); edge != end; ++edge) next[target(*edge, graph)] += share;
    }
    for (double& one : next) one = (1 - kDamping) / kVertexCount + kDamping * (one + lost / kVertexCount);
    rank.swap(next);
  }
  return *std::max_element(rank.begin(), rank.end());
}

void compare(std::string_view what, double braid, double peer) {
  if (std::abs(braid - peer) > 1e-9 * std::abs(peer)) fail(fmt::format("{}: braid answers {}, its peer {}", what, braid, peer));
}

double answer(BraidConnection& connection, const std::string& sql) {
  braid_statement* statement = nullptr;
  connection.check(braid_prepare(connection.handle(), sql.c_str(), BRAID_NUL_TERMINATED, &statement, nullptr), "prepare");
  if (braid_statement_step(statement) != BRAID_ROW) fail(fmt::format("braid: {}: {}", sql, braid_connection_error(connection.handle())));
  const double value = braid_column_double(statement, 0);
  braid_statement_close(statement);
  return value;
}

void measure_durable(Report& report, Braid& braid, Sqlite& sqlite, Disk& disk, Random& random, double seconds) {
  const auto run = [&](std::string_view subject, auto&& one) {
    uint64_t count = 0;
    double taken = 0;
    const DiskState state = disk.run_calm([&] {
      count = 0;
      taken = seconds_of([&] {
        const double limit = now_seconds() + seconds;
        for (; now_seconds() < limit; ++count) one();
      });
    });
    report.add("durable_edge", subject, static_cast<double>(count) / taken, "/s", state);
  };
  const auto edge = [&] {
    // Beyond those that were loaded, so that none is there twice.
    return EdgePair{static_cast<uint32_t>(random() % kVertexCount), static_cast<uint32_t>(random() % kVertexCount)};
  };
  run("braid", [&] {
    braid.connection().begin();
    braid.add(edge());
    braid.connection().commit();
  });
  uint32_t next = kVertexCount;
  run("sqlite", [&] {
    sqlite.begin();
    sqlite.add({edge().source, next++});
    sqlite.commit();
  });
}

void measure_hops(Report& report, Braid& braid, Sqlite& sqlite, const std::vector<uint32_t>& starts) {
  const auto run = [&](std::string_view subject, auto& store) {
    uint64_t found = 0;
    const double seconds = seconds_of([&] {
      for (const uint32_t start : starts) found += store.hop(start);
    });
    report.add("hop_1", subject, 1e6 * seconds / static_cast<double>(starts.size()), "us");
    return found;
  };
  braid.connection().check(braid_begin(braid.connection().handle(), BRAID_READ), "begin");
  const uint64_t found = run("braid", braid);
  braid.connection().commit();
  sqlite.begin();
  compare("hop_1", static_cast<double>(found), static_cast<double>(run("sqlite", sqlite)));
  sqlite.commit();
}

void measure_algorithms(Report& report, Braid& braid, const std::vector<EdgePair>& edges, const std::vector<uint32_t>& starts) {
  BraidConnection& connection = braid.connection();
  const double build = seconds_of([&] { connection.execute("SELECT graph_project('all')"); });
  report.add("project", "braid", static_cast<double>(edges.size()) / build, "edges/s");
  report.add("project_bytes", "braid", answer(connection, "SELECT 1.0 * bytes / edges FROM graph_projections"), "bytes/edge");
  const BoostCsr boost = make_boost(edges, false);
  const auto pair = [&](const std::string& metric, const std::string& sql, auto&& peer) {
    double ours = 0, theirs = 0;
    report.add(metric, "braid", 1e3 * seconds_of([&] { ours = answer(connection, sql); }), "ms");
    report.add(metric, "boost", 1e3 * seconds_of([&] { theirs = peer(); }), "ms");
    compare(metric, ours, theirs);
  };
  pair("bfs", fmt::format("SELECT count(*) FROM graph_bfs('all', {})", braid.node(starts[0])),
       [&] { return static_cast<double>(boost_bfs(boost, starts[0])); });
  pair("pagerank", fmt::format("SELECT max(pagerank) FROM graph_pagerank('all') WHERE iterations = {} AND damping = {}", kPageRankIterations, kDamping),
       [&] { return boost_pagerank_top(boost); });
  const BoostCsr both = make_boost(edges, true);
  pair("wcc", "SELECT count(DISTINCT component) FROM graph_wcc('all')", [&] {
    std::vector<uint32_t> component(kVertexCount);
    // On a graph with every edge both ways these are the weak components.
    return static_cast<double>(boost::connected_components(both, component.data()));
  });
  connection.execute("SELECT graph_project_drop('all')");
}

/// A query on a warm projection before and after a commit that adds an edge.
void measure_after_commit(Report& report, Braid& braid, Random& random, uint32_t start) {
  BraidConnection& connection = braid.connection();
  const std::string query = fmt::format("SELECT count(*) FROM graph_bfs('kept', {})", braid.node(start));
  connection.execute("SELECT graph_project('kept')");
  const auto milliseconds = [&] { return 1e3 * seconds_of([&] { answer(connection, query); }); };
  milliseconds();
  report.add("bfs_warm", "braid", milliseconds(), "ms");
  connection.begin();
  braid.add({static_cast<uint32_t>(random() % kVertexCount), static_cast<uint32_t>(random() % kVertexCount)});
  connection.commit();
  report.add("bfs_after_commit", "braid", milliseconds(), "ms");
  connection.execute("SELECT graph_project_drop('kept')");
}

int run(int argc, char** argv) {
  const Arguments arguments = parse_arguments(argc, argv, "A graph of 1.9 million edges.", {"braid", "sqlite", "boost"});
  const WorkDirectory directory(arguments.directory);
  const std::vector<EdgePair> edges = make_edges();
  const std::vector<uint32_t> starts = make_starts(edges);
  Report report("graph");
  Disk disk(directory.path());
  Random random(7);
  Braid braid(directory.entry("braid"), edges, report);
  Sqlite sqlite(directory.entry("sqlite.db"), edges, report);
  for (int round = 0; round < arguments.rounds; ++round) {
    measure_hops(report, braid, sqlite, starts);
    measure_algorithms(report, braid, edges, starts);
  }
  // Last, because it changes the graph.
  for (int round = 0; round < arguments.rounds; ++round) {
    measure_after_commit(report, braid, random, starts[0]);
    measure_durable(report, braid, sqlite, disk, random, arguments.seconds);
  }
  using enum Bound::Kind;
  report.expect({"load", "braid"}, {kAtLeast, 2e6});
  report.expect_ratio({"durable_edge", "braid"}, {"durable_edge", "sqlite"}, {kAtLeast, 0.9});
  report.expect_ratio({"hop_1", "braid"}, {"hop_1", "sqlite"}, {kAtMost, 1.0});
  report.expect({"project", "braid"}, {kAtLeast, 25e6});
  report.expect_ratio({"bfs_after_commit", "braid"}, {"bfs_warm", "braid"}, {kAtMost, 2.0});
  for (const char* metric : {"bfs", "pagerank", "wcc"}) report.expect_ratio({metric, "braid"}, {metric, "boost"}, {kAtMost, 1.1});
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
