#include "bench/graph_peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/pending/disjoint_sets.hpp>
#include <boost/property_map/property_map.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "bench/harness.h"

namespace bench {

TopRank top_of(const std::vector<double>& ranks) {
  const auto top = std::max_element(ranks.begin(), ranks.end());
  return {static_cast<uint32_t>(top - ranks.begin()), *top};
}

// --- SQLite ------------------------------------------------------------------------------------

SqliteGraph::SqliteGraph(const std::string& path)
    : file_(path, {.cache_bytes = kStoreCacheBytes}) {
  file_.execute("CREATE TABLE edges(source INTEGER, target INTEGER, PRIMARY KEY(source, target)) WITHOUT ROWID");
  insert_ = std::make_unique<SqliteStatement>(file_.handle(), "INSERT INTO edges VALUES(?, ?)");
}

void SqliteGraph::load(const GraphData& data) {
  std::vector<EdgePair> sorted = data.edges;
  std::sort(sorted.begin(), sorted.end());
  begin();
  for (const EdgePair& edge : sorted) add(edge);
  file_.execute("CREATE INDEX back ON edges(target, source)");
  commit();
  neighbors_ = std::make_unique<SqliteStatement>(file_.handle(), "SELECT target FROM edges WHERE source = ?");
  hops_ = std::make_unique<SqliteStatement>(
      file_.handle(),
      "WITH RECURSIVE near(vertex, depth) AS (VALUES(?1, 0) UNION SELECT target, depth + 1 FROM near JOIN edges ON source = vertex WHERE depth < ?2)"
      " SELECT count(DISTINCT vertex) FROM near WHERE vertex <> ?1");
}

void SqliteGraph::add(const EdgePair& edge) {
  insert_->bind(1, int64_t{edge.source});
  insert_->bind(2, int64_t{edge.target});
  insert_->run();
}

int64_t SqliteGraph::neighbors(uint32_t vertex) {
  int64_t count = 0;
  neighbors_->bind(1, int64_t{vertex});
  while (neighbors_->row()) ++count;
  neighbors_->reset();
  return count;
}

int64_t SqliteGraph::hops(uint32_t start, uint32_t hops) {
  hops_->bind(1, int64_t{start});
  hops_->bind(2, int64_t{hops});
  hops_->row();
  const int64_t count = hops_->int64(0);
  hops_->reset();
  return count;
}

// --- By hand -----------------------------------------------------------------------------------

HandGraph::HandGraph(const GraphData& data)
    : out_(make_rows(data, false)), in_(make_rows(data, true)) {
  for (Side& side : sides_) {
    side.marks.resize(data.vertex_count);
    side.queue.resize(data.vertex_count);
  }
}

HandGraph::Rows HandGraph::make_rows(const GraphData& data, bool backward) {
  Rows rows{std::vector<uint32_t>(data.vertex_count + 1), std::vector<uint32_t>(data.edges.size())};
  for (const EdgePair& edge : data.edges) ++rows.offsets[(backward ? edge.target : edge.source) + 1];
  for (uint32_t vertex = 0; vertex < data.vertex_count; ++vertex) rows.offsets[vertex + 1] += rows.offsets[vertex];
  std::vector<uint32_t> places = rows.offsets;
  for (const EdgePair& edge : data.edges) {
    const auto [source, target] = backward ? EdgePair{edge.target, edge.source} : edge;
    rows.targets[places[source]++] = target;
  }
  return rows;
}

int64_t HandGraph::hops(uint32_t start, uint32_t hops) {
  uint32_t* const marks = sides_[0].marks.data();
  uint32_t* const queue = sides_[0].queue.data();
  const uint32_t walk = ++walk_;
  size_t next = 0, end = 1;
  queue[0] = start;
  marks[start] = walk;
  for (uint32_t depth = 0; depth < hops; ++depth) {
    for (const size_t level_end = end; next < level_end; ++next) {
      for (uint32_t entry = out_.offsets[queue[next]]; entry < out_.offsets[queue[next] + 1]; ++entry) {
        const uint32_t target = out_.targets[entry];
        if (marks[target] == walk) continue;
        marks[target] = walk;
        queue[end++] = target;
      }
    }
  }
  return static_cast<int64_t>(end) - 1;
}

void HandGraph::start(Side& side, uint32_t vertex) {
  side.queue[0] = vertex;
  side.marks[vertex] = walk_;
  side.level = 0;
  side.end = 1;
  side.depth = 0;
}

bool HandGraph::expand(Side& mine, const Side& other, const Rows& rows, const Rows* more) {
  size_t end = mine.end;
  const auto take = [&](const Rows& entries, uint32_t vertex) {
    for (uint32_t entry = entries.offsets[vertex]; entry < entries.offsets[vertex + 1]; ++entry) {
      const uint32_t target = entries.targets[entry];
      if (mine.marks[target] == walk_) continue;
      if (other.marks[target] == walk_) return true;
      mine.marks[target] = walk_;
      mine.queue[end++] = target;
    }
    return false;
  };
  for (size_t next = mine.level; next < mine.end; ++next) {
    if (take(rows, mine.queue[next])) return true;
    if (more != nullptr && take(*more, mine.queue[next])) return true;
  }
  mine.level = mine.end;
  mine.end = end;
  ++mine.depth;
  return false;
}

int64_t HandGraph::path(EdgePair ends, bool both_ways) {
  ++walk_;
  auto& [ahead, back] = sides_;
  start(ahead, ends.source);
  start(back, ends.target);
  while (ahead.level < ahead.end && back.level < back.end) {
    const bool forward = ahead.end - ahead.level <= back.end - back.level;
    const bool met = forward ? expand(ahead, back, out_, both_ways ? &in_ : nullptr) : expand(back, ahead, in_, both_ways ? &out_ : nullptr);
    if (met) return ahead.depth + back.depth + 1;
  }
  return kNoPath;
}

// --- Boost -------------------------------------------------------------------------------------

BoostGraph::BoostGraph(const GraphData& data)
    : out_(make_rows(data, false)),
      searched_(make_rows(data, data.both_ways)),
      depths_(data.vertex_count),
      parents_(data.vertex_count),
      ranks_(data.vertex_count) {}

BoostGraph::Rows BoostGraph::make_rows(const GraphData& data, bool both_ways) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (const EdgePair& edge : data.edges) {
    pairs.emplace_back(edge.source, edge.target);
    if (both_ways) pairs.emplace_back(edge.target, edge.source);
  }
  return {boost::edges_are_unsorted_multi_pass, pairs.begin(), pairs.end(), data.vertex_count};
}

/// Records depth and parent, as Braid answers them.
Search BoostGraph::search(uint32_t start) {
  constexpr uint32_t kUnreached = std::numeric_limits<uint32_t>::max();
  std::fill(depths_.begin(), depths_.end(), kUnreached);
  depths_[start] = 0;
  const auto recorded = std::make_pair(boost::record_distances(depths_.data(), boost::on_tree_edge()),
                                       boost::record_predecessors(parents_.data(), boost::on_tree_edge()));
  boost::breadth_first_search(searched_, start, boost::visitor(boost::make_bfs_visitor(recorded)));
  Search found;
  for (const uint32_t depth : depths_) {
    if (depth == kUnreached) continue;
    ++found.reached;
    found.depths += depth;
  }
  return found;
}

/// Union and find, which takes half the time of Boost's connected_components on edges both ways.
uint64_t BoostGraph::components() {
  std::vector<uint32_t> ranks(num_vertices(out_)), parents(num_vertices(out_));
  const boost::typed_identity_property_map<uint32_t> by_vertex;
  boost::disjoint_sets sets(boost::make_iterator_property_map(ranks.data(), by_vertex), boost::make_iterator_property_map(parents.data(), by_vertex));
  for (uint32_t vertex = 0; vertex < num_vertices(out_); ++vertex) sets.make_set(vertex);
  for (uint32_t vertex = 0; vertex < num_vertices(out_); ++vertex) {
    for (auto [next, end] = adjacent_vertices(vertex, out_); next != end; ++next) sets.union_set(vertex, *next);
  }
  uint64_t count = 0;
  for (uint32_t vertex = 0; vertex < num_vertices(out_); ++vertex) count += sets.find_set(vertex) == vertex ? 1 : 0;
  return count;
}

/// Boost's own page_rank loses the rank of vertices without out-edges, so this is the same sum on Boost's graph.
const std::vector<double>& BoostGraph::pagerank() {
  const auto count = static_cast<double>(ranks_.size());
  std::vector<double> next(ranks_.size());
  std::fill(ranks_.begin(), ranks_.end(), 1 / count);
  for (int i = 0; i < kPagerankIterations; ++i) {
    std::fill(next.begin(), next.end(), 0.0);
    double lost = 0;
    for (uint32_t vertex = 0; vertex < ranks_.size(); ++vertex) {
      const auto degree = out_degree(vertex, out_);
      if (degree == 0) lost += ranks_[vertex];
      const double share = degree == 0 ? 0 : ranks_[vertex] / static_cast<double>(degree);
      for (auto [edge, end] = adjacent_vertices(vertex, out_); edge != end; ++edge) next[*edge] += share;
    }
    for (double& one : next) one = (1 - kDamping) / count + kDamping * (one + lost / count);
    ranks_.swap(next);
  }
  return ranks_;
}

// --- igraph ------------------------------------------------------------------------------------

namespace {

void check_igraph(igraph_error_t code, std::string_view doing) {
  if (code != IGRAPH_SUCCESS) fail(fmt::format("igraph: {}: {}", doing, igraph_strerror(code)));
}

class IgraphIntegers {
 public:
  explicit IgraphIntegers(size_t size) { check_igraph(igraph_vector_int_init(&values_, static_cast<igraph_integer_t>(size)), "vector"); }
  ~IgraphIntegers() { igraph_vector_int_destroy(&values_); }
  IgraphIntegers(const IgraphIntegers&) = delete;
  IgraphIntegers& operator=(const IgraphIntegers&) = delete;

  igraph_vector_int_t* handle() { return &values_; }
  size_t size() const { return static_cast<size_t>(igraph_vector_int_size(&values_)); }
  igraph_integer_t& operator[](size_t place) { return VECTOR(values_)[place]; }

 private:
  igraph_vector_int_t values_;
};

}  // namespace

IgraphGraph::IgraphGraph(const GraphData& data)
    : mode_(data.both_ways ? IGRAPH_ALL : IGRAPH_OUT) {
  IgraphIntegers edges(2 * data.edges.size());
  for (size_t i = 0; i < data.edges.size(); ++i) {
    edges[2 * i] = data.edges[i].source;
    edges[2 * i + 1] = data.edges[i].target;
  }
  check_igraph(igraph_create(&graph_, edges.handle(), data.vertex_count, IGRAPH_DIRECTED), "create");
}

IgraphGraph::~IgraphGraph() { igraph_destroy(&graph_); }

std::vector<int64_t> IgraphGraph::hops(const std::vector<uint32_t>& starts, uint32_t hops) {
  IgraphIntegers from(starts.size()), sizes(0);
  for (size_t i = 0; i < starts.size(); ++i) from[i] = starts[i];
  check_igraph(igraph_neighborhood_size(&graph_, sizes.handle(), igraph_vss_vector(from.handle()), static_cast<igraph_integer_t>(hops),
                                        IGRAPH_OUT, /*mindist=*/1),
               "neighborhood_size");
  std::vector<int64_t> counts;
  for (size_t i = 0; i < sizes.size(); ++i) counts.push_back(sizes[i]);
  return counts;
}

int64_t IgraphGraph::path(EdgePair ends) {
  IgraphIntegers edges(0), vertices(0);
  // It warns of a path that there is not.
  igraph_set_warning_handler(igraph_warning_handler_ignore);
  check_igraph(igraph_get_shortest_path(&graph_, vertices.handle(), edges.handle(), ends.source, ends.target, mode_), "get_shortest_path");
  return vertices.size() == 0 ? kNoPath : static_cast<int64_t>(edges.size());
}

Search IgraphGraph::search(uint32_t start) {
  IgraphIntegers order(0), levels(0), parents(0);
  check_igraph(igraph_bfs_simple(&graph_, start, mode_, order.handle(), levels.handle(), parents.handle()), "bfs_simple");
  Search found{order.size(), 0};
  for (size_t depth = 0; depth + 1 < levels.size(); ++depth) found.depths += depth * static_cast<uint64_t>(levels[depth + 1] - levels[depth]);
  return found;
}

uint64_t IgraphGraph::components() {
  igraph_integer_t count = 0;
  check_igraph(igraph_connected_components(&graph_, nullptr, nullptr, &count, IGRAPH_WEAK), "connected_components");
  return static_cast<uint64_t>(count);
}

TopRank IgraphGraph::pagerank() {
  igraph_vector_t ranks;
  check_igraph(igraph_vector_init(&ranks, 0), "vector");
  check_igraph(igraph_pagerank(&graph_, IGRAPH_PAGERANK_ALGO_PRPACK, &ranks, nullptr, igraph_vss_all(), IGRAPH_DIRECTED, kDamping, nullptr, nullptr),
               "pagerank");
  const igraph_integer_t top = igraph_vector_which_max(&ranks);
  const TopRank found{static_cast<uint32_t>(top), VECTOR(ranks)[top]};
  igraph_vector_destroy(&ranks);
  return found;
}

// --- Called from node --------------------------------------------------------------------------

namespace {

/// Standard output of a shell command, which must succeed.
std::string output_of(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) fail(command + ": cannot be run");
  std::string output;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), pipe)) output.append(buffer, size);
  if (pclose(pipe) != 0) fail(command + ": failed");
  return output;
}

std::string shell_word(std::string_view word) {
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return text + "'";
}

}  // namespace

std::string why_no_module(std::string_view module) {
  if (std::system("command -v node >/dev/null") != 0) return "there is no node: install nodejs and npm";
  const std::string command = fmt::format("node -e {} 2>/dev/null", shell_word(fmt::format("require.resolve('{}')", module)));
  if (std::system(command.c_str()) == 0) return "";
  return fmt::format("node does not find {0}: npm install --prefix DIR {0}, then --node-modules DIR/node_modules", module);
}

void write_graph_files(const GraphData& data, const std::string& directory) {
  write_vertices(data, directory + "/vertices.csv");
  write_edges(data, directory + "/edges.csv");
}

std::vector<NodeFigure> run_in_node(const NodeJob& job, const GraphData& data) {
  nlohmann::json text;
  text["module"] = job.module;
  text["directory"] = job.directory;
  text["both_ways"] = data.both_ways;
  text["edges"] = data.edges.size();
  text["warm_up"] = {{"start", data.starts.back()}, {"source", data.ends.back().source}, {"target", data.ends.back().target}};
  text["starts"] = std::vector<uint32_t>(data.starts.begin(), data.starts.begin() + static_cast<ptrdiff_t>(job.starts));
  for (size_t i = 0; i < job.paths; ++i) text["paths"].push_back({data.ends[i].source, data.ends[i].target});
  const std::string path = job.directory + "/job.json";
  write_file(path, text.dump());
  std::vector<NodeFigure> figures;
  const std::string output = output_of(fmt::format("node {} {}", shell_word(BENCH_DIRECTORY "/graph_kuzu.mjs"), shell_word(path)));
  for (size_t start = 0, end = 0; (end = output.find('\n', start)) != std::string::npos; start = end + 1) {
    const auto line = nlohmann::json::parse(output.substr(start, end - start), nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) fail(fmt::format("{}: no figure: {}", job.module, output.substr(start, end - start)));
    figures.push_back({line.value("metric", ""), line.value("value", 0.0), line.value("unit", ""), line.value("answers", std::vector<int64_t>())});
  }
  return figures;
}

}  // namespace bench
