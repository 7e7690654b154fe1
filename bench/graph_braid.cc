#include "bench/graph_braid.h"

#include <fmt/format.h>

#include <array>

#include "bench/harness.h"

namespace bench {

constexpr const char* kEdgeType = "T";
constexpr size_t kPathNodes = 256;  // more than any path here has

BraidGraph::BraidGraph(const std::string& path)
    : database_(path, braid_options({{"cache_bytes", kStoreCacheBytes}, {"graph_cache_bytes", kStoreCacheBytes}, {"graph_buffer_bytes", kStoreCacheBytes}})),
      connection_(database_) {}

BraidGraph::~BraidGraph() { braid_projection_close(projection_); }

BraidLoadSeconds BraidGraph::load(const GraphData& data) {
  both_ways_ = data.both_ways;
  neighbors_.resize(data.vertex_count);
  const double start = now_seconds();
  connection_.begin();
  connection_.check(braid_nodes_create(connection_.handle(), nullptr, nullptr, data.vertex_count, &first_node_), "nodes");
  const double nodes = now_seconds();
  std::vector<int64_t> sources, targets;
  for (const EdgePair& edge : data.edges) {
    sources.push_back(node(edge.source));
    targets.push_back(node(edge.target));
  }
  connection_.check(braid_edges_create(connection_.handle(), kEdgeType, sources.data(), targets.data(), nullptr, sources.size(), nullptr), "edges");
  connection_.commit();
  const double edges = now_seconds();
  if (braid_checkpoint(database_.handle()) != BRAID_OK) fail(fmt::format("braid: checkpoint: {}", braid_database_error(database_.handle())));
  return {nodes - start, edges - nodes, now_seconds() - edges};
}

void BraidGraph::add(const EdgePair& edge) {
  int64_t id = 0;
  connection_.begin();
  connection_.check(braid_edge_create(connection_.handle(), node(edge.source), kEdgeType, node(edge.target), nullptr, &id), "edge");
  connection_.commit();
}

void BraidGraph::hold() { connection_.check(braid_begin(connection_.handle(), BRAID_READ), "begin"); }

int64_t BraidGraph::neighbors(uint32_t vertex) {
  size_t count = 0;
  connection_.check(
      braid_neighbors(connection_.handle(), node(vertex), BRAID_OUT, nullptr, neighbors_.data(), neighbors_.size(), &count), "neighbors");
  return static_cast<int64_t>(count);
}

void BraidGraph::project() {
  braid_projection_close(projection_);
  connection_.check(braid_projection_open(connection_.handle(), nullptr, &projection_), "projection");
}

ProjectionSize BraidGraph::projection_size() {
  ProjectionSize size;
  connection_.check(braid_projection_size(projection_, &size.nodes, &size.edges, &size.bytes), "projection size");
  return size;
}

int64_t BraidGraph::hops(uint32_t start, uint32_t hops) {
  size_t count = 0;
  connection_.check(braid_projection_hops(projection_, node(start), hops, BRAID_OUT, nullptr, 0, &count), "hops");
  return static_cast<int64_t>(count);
}

int64_t BraidGraph::path(EdgePair ends) {
  std::array<int64_t, kPathNodes> nodes;
  size_t count = 0;
  connection_.check(braid_projection_path(projection_, node(ends.source), node(ends.target), both_ways_ ? BRAID_BOTH : BRAID_OUT, nodes.data(),
                                          nullptr, nodes.size(), &count),
                    "path");
  return count == 0 ? kNoPath : static_cast<int64_t>(count) - 1;
}

void BraidGraph::name_projections() {
  connection_.execute(fmt::format("SELECT graph_project('{}')", kDirected));
  connection_.execute(fmt::format("SELECT graph_project('{}', NULL, NULL, NULL, '{}')", kSearched, both_ways_ ? "undirected" : "natural"));
}

braid_statement* BraidGraph::prepare(const BraidAlgorithm& algorithm) {
  braid_statement* statement = nullptr;
  connection_.check(
      braid_algorithm(connection_.handle(), algorithm.name, algorithm.projection, algorithm.arguments.c_str(), &statement), algorithm.name);
  return statement;
}

void BraidGraph::run(const BraidAlgorithm& algorithm) {
  braid_statement* const statement = prepare(algorithm);
  if (braid_statement_step(statement) != BRAID_ROW) fail(fmt::format("braid: {}: {}", algorithm.name, braid_connection_error(connection_.handle())));
  braid_statement_close(statement);
}

void BraidGraph::run(const BraidAlgorithm& algorithm, const std::function<void(braid_statement*)>& visit) {
  braid_statement* const statement = prepare(algorithm);
  int32_t code;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) visit(statement);
  if (code != BRAID_DONE) fail(fmt::format("braid: {}: {}", algorithm.name, braid_connection_error(connection_.handle())));
  braid_statement_close(statement);
}

int64_t BraidGraph::sql_neighbors(uint32_t vertex) {
  if (!sql_neighbors_) sql_neighbors_ = std::make_unique<BraidStatement>(connection_, "SELECT node FROM graph_neighbors(?, 'out')");
  int64_t count = 0;
  sql_neighbors_->bind(1, node(vertex));
  while (sql_neighbors_->row()) ++count;
  sql_neighbors_->reset();
  return count;
}

int64_t BraidGraph::sql_hops(uint32_t start, uint32_t hops) {
  if (!sql_hops_) sql_hops_ = std::make_unique<BraidStatement>(connection_, "SELECT count(*) - 1 FROM graph_hops(?, ?, 'out')");
  sql_hops_->bind(1, node(start));
  sql_hops_->bind(2, int64_t{hops});
  sql_hops_->row();
  const int64_t count = sql_hops_->int64(0);
  sql_hops_->reset();
  return count;
}

int64_t BraidGraph::sql_path(EdgePair ends) {
  if (!sql_path_) {
    const std::string sql = fmt::format("SELECT count(*) - 1 FROM graph_shortest_path(?, ?, '{}')", both_ways_ ? "both" : "out");
    sql_path_ = std::make_unique<BraidStatement>(connection_, sql.c_str());
  }
  sql_path_->bind(1, node(ends.source));
  sql_path_->bind(2, node(ends.target));
  sql_path_->row();
  const int64_t length = sql_path_->int64(0);
  sql_path_->reset();
  return length;
}

}  // namespace bench
