// A graph: loading it, one durable edge, one hop from the store, and hops, paths and algorithms on a projection.
//
// Two graphs, one after the other: RMAT, whose hubs lead everywhere within three hops, and assets, a deep tree with links across
// (graph_data.h). Braid stands beside the peers of graph_peers.h, all asked the same; answers are compared.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>

#include "bench/entity.h"
#include "bench/graph_braid.h"
#include "bench/graph_data.h"
#include "bench/graph_peers.h"
#include "bench/harness.h"

namespace bench {
namespace {

/// Peers that take milliseconds for a question are asked the first ones only, and so are the others for a comparison.
constexpr size_t kFirstStarts = 20;
constexpr size_t kFirstPaths = 10;
const std::string kFirst = "_first";

struct NodePeer {
  const char* subject;
  const char* module;
};
constexpr NodePeer kNodePeers[] = {{"kuzu", "kuzu"}, {"ladybug", "@ladybugdb/core"}};

using AnswerList = std::vector<int64_t>;

/// What was answered first to each question, for the others to answer the same.
class Answers {
 public:
  /// Compares as many answers as both gave.
  void check(const std::string& metric, std::string_view subject, const AnswerList& answers) {
    const auto [known, is_new] = first_.try_emplace(metric, First{std::string(subject), answers});
    const auto& [other, expected] = known->second;
    for (size_t i = 0; i < std::min(answers.size(), expected.size()); ++i) {
      if (answers[i] == expected[i]) continue;
      fail(fmt::format("{}, question {}: {} answers {}, and {} {}", metric, i, other, expected[i], subject, answers[i]));
    }
  }

 private:
  struct First {
    std::string subject;
    AnswerList answers;
  };
  std::map<std::string, First> first_;
};

template <typename Work>
double seconds_of(Work&& work) {
  const double start = now_seconds();
  work();
  return now_seconds() - start;
}

/// What a pass over questions takes and answers.
struct Pass {
  double seconds = 0;
  AnswerList answers;
};

/// Asks each question by itself: reading the clock keeps the processor from working on several at once, which a caller who waits for each
/// answer would not see.
template <typename Question>
Pass ask_one_by_one(size_t count, Question question) {
  Pass pass{0, AnswerList(count)};
  for (size_t i = 0; i < count; ++i) pass.seconds += seconds_of([&] { pass.answers[i] = question(i); });
  return pass;
}

/// The mean of passes. The first one warms up, unless it takes so long that it need not be repeated.
Pass mean_pass(const std::function<Pass()>& ask) {
  constexpr double kLongPass = 0.5;
  constexpr double kMeasured = 0.1;
  Pass first = ask();
  if (first.seconds >= kLongPass) return first;
  double seconds = 0;
  int passes = 0;
  for (; seconds < kMeasured; ++passes) seconds += ask().seconds;
  return {seconds / passes, std::move(first.answers)};
}

/// Median milliseconds of a few runs after one.
double run_milliseconds(const std::function<void()>& work) {
  constexpr int kRuns = 3;
  work();
  std::vector<double> samples;
  for (int i = 0; i < kRuns; ++i) samples.push_back(1e3 * seconds_of(work));
  return median(samples);
}

/// One round on one graph, with every store loaded anew.
class GraphRound {
 public:
  GraphRound(const Arguments& arguments, const GraphData& data, const std::vector<NodePeer>& node_peers, Report& report, Disk& disk)
      : arguments_(arguments), data_(data), node_peers_(node_peers), report_(report), disk_(disk), directory_(arguments.directory) {}

  void run() {
    load();
    measure_store();
    project();
    measure_hops();
    measure_paths();
    measure_sql();
    measure_algorithms();
    hand_.reset(), boost_.reset(), igraph_.reset();
    measure_node_peers();
    // Last, because it changes the graph.
    measure_after_commit();
    measure_durable();
  }

 private:
  void add(const std::string& metric, std::string_view subject, double value, std::string_view unit, DiskState state = {}) {
    report_.add(data_.name + "_" + metric, subject, value, unit, state);
  }

  /// Keeps the mean time of a question.
  void ask_all(const std::string& metric, std::string_view subject, const std::function<Pass()>& ask) {
    if (!arguments_.selected(subject)) return;
    const Pass pass = mean_pass(ask);
    add(metric, subject, 1e6 * pass.seconds / static_cast<double>(pass.answers.size()), "us");
    answers_.check(metric, subject, pass.answers);
  }

  /// `question(i)` answers number i.
  template <typename Question>
  void ask(const std::string& metric, std::string_view subject, size_t count, Question question) {
    ask_all(metric, subject, [count, question] { return ask_one_by_one(count, question); });
  }

  double edges_per_second(double seconds) const { return static_cast<double>(data_.edges.size()) / seconds; }

  void load() {
    if (arguments_.selected("braid")) {
      braid_ = std::make_unique<BraidGraph>(directory_.entry("braid"));
      const BraidLoadSeconds seconds = braid_->load(data_);
      add("load", "braid", edges_per_second(seconds.edges), "edges/s");
      add("load_nodes", "braid", data_.vertex_count / seconds.nodes, "nodes/s");
      add("checkpoint", "braid", 1e3 * seconds.checkpoint, "ms");
    }
    if (arguments_.selected("sqlite")) {
      sqlite_ = std::make_unique<SqliteGraph>(directory_.entry("sqlite.db"));
      add("load", "sqlite", edges_per_second(seconds_of([&] { sqlite_->load(data_); })), "edges/s");
    }
  }

  void measure_store() {
    const size_t count = data_.starts.size();
    if (braid_) braid_->hold();
    ask("store_hop_1", "braid", count, [this](size_t i) { return braid_->neighbors(data_.starts[i]); });
    if (braid_) braid_->release();
    if (sqlite_) sqlite_->begin();
    ask("store_hop_1", "sqlite", count, [this](size_t i) { return sqlite_->neighbors(data_.starts[i]); });
    if (sqlite_) sqlite_->commit();
  }

  /// The rows of all, from what each has.
  void project() {
    if (braid_) {
      add("project", "braid", edges_per_second(seconds_of([&] { braid_->project(); })), "edges/s");
      const ProjectionSize size = braid_->projection_size();
      constexpr double kNodeBytes = 32;
      const double bytes = static_cast<double>(size.bytes) - kNodeBytes * static_cast<double>(size.nodes);
      add("project_edge_bytes", "braid", bytes / static_cast<double>(size.edges), "bytes");
      braid_->name_projections();
    }
    const auto build = [this](std::string_view subject, auto& graph) {
      using Graph = typename std::remove_reference_t<decltype(graph)>::element_type;
      if (!arguments_.selected(subject)) return;
      const double seconds = seconds_of([&] { graph = std::make_unique<Graph>(data_); });
      add("project", subject, edges_per_second(seconds), "edges/s");
    };
    build("hand", hand_);
    build("igraph", igraph_);
    // It has other rows than the others, so the time says nothing.
    if (arguments_.selected("boost")) boost_ = std::make_unique<BoostGraph>(data_);
  }

  void measure_hops() {
    if (braid_) braid_->hold();
    for (uint32_t hops = 1; hops <= data_.hop_counts.size(); ++hops) {
      const size_t count = data_.hop_counts[hops - 1];
      const std::string metric = fmt::format("hop_{}", hops);
      const auto by_braid = [this, hops](size_t i) { return braid_->hops(data_.starts[i], hops); };
      ask(metric, "hand", count, [this, hops](size_t i) { return hand_->hops(data_.starts[i], hops); });
      ask(metric, "braid", count, by_braid);
      const std::vector<uint32_t> starts(data_.starts.begin(), data_.starts.begin() + static_cast<ptrdiff_t>(count));
      ask_all(metric, "igraph", [this, starts, hops] {
        Pass pass;
        pass.seconds = seconds_of([&] { pass.answers = igraph_->hops(starts, hops); });
        return pass;
      });
      ask(metric + kFirst, "braid", kFirstStarts, by_braid);
    }
    if (braid_) braid_->release();
  }

  void measure_paths() {
    if (braid_) braid_->hold();
    const auto by_braid = [this](size_t i) { return braid_->path(data_.ends[i]); };
    ask("path", "hand", data_.ends.size(), [this](size_t i) { return hand_->path(data_.ends[i], data_.both_ways); });
    ask("path", "braid", data_.ends.size(), by_braid);
    ask("path" + kFirst, "braid", kFirstPaths, by_braid);
    ask("path" + kFirst, "igraph", kFirstPaths, [this](size_t i) { return igraph_->path(data_.ends[i]); });
    if (braid_) braid_->release();
  }

  /// What the C API's walks take in SQL, where statements choose the projection by themselves.
  void measure_sql() {
    if (braid_) braid_->hold();
    if (sqlite_) sqlite_->begin();
    ask("sql_neighbors", "braid", data_.starts.size(), [this](size_t i) { return braid_->sql_neighbors(data_.starts[i]); });
    ask("sql_neighbors", "sqlite", data_.starts.size(), [this](size_t i) { return sqlite_->neighbors(data_.starts[i]); });
    for (uint32_t hops = 1; hops <= data_.hop_counts.size(); ++hops) {
      const std::string metric = fmt::format("sql_hop_{}{}", hops, kFirst);
      ask(metric, "braid", kFirstStarts, [this, hops](size_t i) { return braid_->sql_hops(data_.starts[i], hops); });
      ask(metric, "sqlite", kFirstStarts, [this, hops](size_t i) { return sqlite_->hops(data_.starts[i], hops); });
    }
    ask("sql_path", "braid", data_.ends.size(), [this](size_t i) { return braid_->sql_path(data_.ends[i]); });
    if (sqlite_) sqlite_->commit();
    if (braid_) braid_->release();
  }

  BraidAlgorithm search() const { return {"bfs", kSearched, fmt::format(R"({{"source": {}}})", braid_->node(data_.starts[0]))}; }

  /// Keeps the time of a run, and compares what `answer` gives after it.
  void run_algorithm(const std::string& metric, std::string_view subject, const std::function<void()>& work,
                     const std::function<AnswerList()>& answer) {
    if (!arguments_.selected(subject)) return;
    add(metric, subject, run_milliseconds(work), "ms");
    answers_.check(metric, subject, answer());
  }

  static AnswerList list(const Search& search) { return {static_cast<int64_t>(search.reached), static_cast<int64_t>(search.depths)}; }
  static AnswerList list(uint64_t count) { return {static_cast<int64_t>(count)}; }

  void measure_algorithms() {
    measure_search();
    measure_components();
    measure_pagerank();
  }

  void measure_search() {
    const uint32_t start = data_.starts[0];
    Search found;
    run_algorithm("bfs", "boost", [&] { found = boost_->search(start); }, [&] { return list(found); });
    run_algorithm("bfs", "braid", [&] { braid_->run(search()); }, [&] {
      found = {};
      braid_->run(search(), [&](braid_statement* row) {
        ++found.reached;
        found.depths += static_cast<uint64_t>(braid_column_int64(row, 1));
      });
      return list(found);
    });
    run_algorithm("bfs", "igraph", [&] { found = igraph_->search(start); }, [&] { return list(found); });
    int64_t rows = 0;
    run_algorithm("sql_bfs", "braid", [&] { rows = braid_->sql_rows(fmt::format("graph_bfs('searched', {})", braid_->node(start))); },
                  [&] { return AnswerList{rows}; });
  }

  void measure_components() {
    const BraidAlgorithm algorithm{"wcc", kSearched, "{}"};
    uint64_t count = 0;
    run_algorithm("wcc", "boost", [&] { count = boost_->components(); }, [&] { return list(count); });
    run_algorithm("wcc", "braid", [&] { braid_->run(algorithm); }, [&] {
      std::vector<int64_t> components;
      braid_->run(algorithm, [&](braid_statement* row) { components.push_back(braid_column_int64(row, 1)); });
      std::sort(components.begin(), components.end());
      return list(static_cast<uint64_t>(std::unique(components.begin(), components.end()) - components.begin()));
    });
    run_algorithm("wcc", "igraph", [&] { count = igraph_->components(); }, [&] { return list(count); });
    int64_t rows = 0;
    run_algorithm("sql_wcc", "braid", [&] { rows = braid_->sql_rows("graph_wcc('searched')"); }, [&] { return AnswerList{rows}; });
  }

  void measure_pagerank() {
    const BraidAlgorithm algorithm{"pagerank", kDirected,
                                   fmt::format(R"({{"iterations": {}, "damping": {}, "tolerance": 0}})", kPagerankIterations, kDamping)};
    std::optional<TopRank> expected;
    TopRank top;
    const auto answer = [&] {
      if (!expected) expected = top;
      // igraph's ranks are those of no number of iterations.
      return AnswerList{top.vertex};
    };
    run_algorithm("pagerank", "boost", [&] { top = top_of(boost_->pagerank()); }, answer);
    run_algorithm("pagerank", "braid", [&] { braid_->run(algorithm); }, [&] {
      top = {};
      braid_->run(algorithm, [&](braid_statement* row) {
        const double rank = braid_column_double(row, 1);
        if (rank > top.rank) top = {braid_->vertex(braid_column_int64(row, 0)), rank};
      });
      if (expected && std::abs(top.rank - expected->rank) > 1e-9 * expected->rank) {
        fail(fmt::format("pagerank: braid answers {}, and boost {}", top.rank, expected->rank));
      }
      return answer();
    });
    run_algorithm("pagerank", "igraph", [&] { top = igraph_->pagerank(); }, answer);
    int64_t rows = 0;
    run_algorithm("sql_pagerank", "braid",
                  [&] { rows = braid_->sql_rows(fmt::format("graph_pagerank('directed') WHERE iterations = {}", kPagerankIterations)); },
                  [&] { return AnswerList{rows}; });
  }

  void measure_node_peers() {
    for (const NodePeer& peer : node_peers_) {
      const std::string place = directory_.entry(peer.subject);
      std::filesystem::create_directory(place);
      write_graph_files(data_, place);
      const NodeJob job{peer.module, place, kFirstStarts, kFirstPaths};
      for (const NodeFigure& figure : run_in_node(job, data_)) {
        const std::string metric = figure.answers.empty() ? figure.metric : figure.metric + kFirst;
        add(metric, peer.subject, figure.value, figure.unit);
        if (!figure.answers.empty()) answers_.check(metric, peer.subject, figure.answers);
      }
    }
  }

  EdgePair new_edge() {
    return {static_cast<uint32_t>(random_below(random_, data_.vertex_count)), static_cast<uint32_t>(random_below(random_, data_.vertex_count))};
  }

  /// A query on a warm projection before and after a commit that adds an edge, and the projection alone.
  void measure_after_commit() {
    if (!braid_) return;
    constexpr int kCommits = 5;
    std::vector<double> before, after, open;
    const auto search_milliseconds = [&] { return 1e3 * seconds_of([&] { braid_->run(search()); }); };
    for (int i = 0; i < kCommits; ++i) {
      search_milliseconds();
      before.push_back(search_milliseconds());
      braid_->add(new_edge());
      after.push_back(search_milliseconds());
      braid_->project();
      braid_->add(new_edge());
      open.push_back(1e3 * seconds_of([&] { braid_->project(); }));
    }
    add("bfs_warm", "braid", median(before), "ms");
    add("bfs_after_commit", "braid", median(after), "ms");
    add("open_after_commit", "braid", median(open), "ms");
  }

  void measure_durable() {
    const auto measure = [this](std::string_view subject, const std::function<void()>& one) {
      if (!arguments_.selected(subject)) return;
      uint64_t count = 0;
      double taken = 0;
      const DiskState state = disk_.run_calm([&] {
        count = 0;
        const double start = now_seconds();
        for (; now_seconds() - start < arguments_.seconds; ++count) one();
        taken = now_seconds() - start;
      });
      add("durable_edge", subject, static_cast<double>(count) / taken, "/s", state);
    };
    measure("braid", [this] { braid_->add(new_edge()); });
    // Beyond the vertices that there are, so that none is there twice.
    uint32_t next = data_.vertex_count;
    measure("sqlite", [this, &next] {
      sqlite_->begin();
      sqlite_->add({new_edge().source, next++});
      sqlite_->commit();
    });
  }

  const Arguments& arguments_;
  const GraphData& data_;
  const std::vector<NodePeer>& node_peers_;
  Report& report_;
  Disk& disk_;
  WorkDirectory directory_;
  Answers answers_;
  Random random_{7};
  std::unique_ptr<BraidGraph> braid_;
  std::unique_ptr<SqliteGraph> sqlite_;
  std::unique_ptr<HandGraph> hand_;
  std::unique_ptr<BoostGraph> boost_;
  std::unique_ptr<IgraphGraph> igraph_;
};

void expect_targets(Report& report, const std::string& graph) {
  using enum Bound::Kind;
  const auto named = [&](std::string_view metric) { return fmt::format("{}_{}", graph, metric); };
  const auto absolute = [&](std::string_view metric, Bound bound) { report.expect({named(metric), "braid"}, bound); };
  const auto ratio = [&](std::string_view metric, std::string_view peer, Bound bound) {
    report.expect_ratio({named(metric), "braid"}, {named(metric), peer}, bound);
  };
  absolute("load", {kAtLeast, 2e6});
  ratio("load", "kuzu", {kAtLeast, 1.0});
  ratio("durable_edge", "sqlite", {kAtLeast, 0.9});
  ratio("store_hop_1", "sqlite", {kAtMost, 1.0});
  for (const char* metric : {"hop_1", "hop_2", "hop_3"}) {
    ratio(metric, "hand", {kAtMost, 1.3});
    const std::string first = named(metric + kFirst);
    report.expect_ratio({first, "kuzu"}, {first, "braid"}, {kAtLeast, 20.0});
  }
  ratio("path", "hand", {kAtMost, 1.5});
  for (const char* metric : {"bfs", "wcc", "pagerank"}) ratio(metric, "boost", {kAtMost, 1.1});
  absolute("project", {kAtLeast, 25e6});
  absolute("project_edge_bytes", {kAtMost, 16.0});
  report.expect_ratio({named("bfs_after_commit"), "braid"}, {named("bfs_warm"), "braid"}, {kAtMost, 2.0});
}

/// Those that are chosen and found; the others are told of.
std::vector<NodePeer> find_node_peers(const Arguments& arguments) {
  if (!arguments.node_modules.empty()) setenv("NODE_PATH", arguments.node_modules.c_str(), /*replace=*/1);
  std::vector<NodePeer> found;
  for (const NodePeer& peer : kNodePeers) {
    if (!arguments.selected(peer.subject)) continue;
    const std::string reason = why_no_module(peer.module);
    if (reason.empty()) {
      found.push_back(peer);
    } else {
      fmt::print(stderr, "graph: {} is left out: {}\n", peer.subject, reason);
    }
  }
  return found;
}

int run(int argc, char** argv) {
  const Arguments arguments = parse_arguments(argc, argv, "Graphs of one and two million edges.",
                                              {"braid", "sqlite", "hand", "boost", "igraph", "kuzu", "ladybug"}, {}, /*uses_node=*/true);
  const std::vector<NodePeer> node_peers = find_node_peers(arguments);
  const WorkDirectory directory(arguments.directory);
  Report report("graph");
  Disk disk(directory.path());
  for (const GraphData& data : {make_rmat(), make_assets()}) {
    for (int round = 0; round < arguments.rounds; ++round) GraphRound(arguments, data, node_peers, report, disk).run();
    expect_targets(report, data.name);
  }
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
