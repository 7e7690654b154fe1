// Centralities beside igraph's.
//
// igraph has no Katz centrality in C; algorithms_centrality_test has that.
#include <algorithm>

#include "tests/graph/igraph_graph.h"

using namespace braid;

namespace {

// Sums in another order differ in the last places only; iterations end where their tolerance says.
constexpr double kSums = 1e-9;
constexpr double kIterated = 1e-6;

NamedArguments named_with(const char* algorithm, NamedArguments given) {
  for (const AlgorithmParameter& parameter : algorithm_named(algorithm).parameters) given.try_emplace(parameter.name);
  return given;
}

Answer answer_of(const char* algorithm, const Sample& sample, NamedArguments given = {}) {
  return Answer(algorithm, *sample.graph, named_with(algorithm, std::move(given)));
}

/// Weights are only counted where they are asked for, so that each sample with weights has both answers.
struct Weighting {
  std::string weighted;
  const igraph_vector_t* weights;
};
std::vector<Weighting> weightings(const Sample& sample) {
  std::vector<Weighting> both{{"no", nullptr}};
  if (sample.weighted) both.push_back({"yes", sample.weights.get()});
  return both;
}

/// The dominant eigenvector is the only one where every vertex reaches every other: elsewhere components compete, and two libraries
/// may answer different ones rightly.
bool has_one_component(const Sample& sample) {
  igraph_bool_t connected = false;
  must(igraph_is_connected(sample.reference.get(), &connected, IGRAPH_STRONG));
  return connected && !sample.edges.empty();
}

}  // namespace

TEST_CASE("degrees and sums of weights are igraph's") {
  for_each_sample([](const Sample& sample) {
    const Answer answer = answer_of("degree", sample);
    const auto wanted = [&](igraph_neimode_t mode) {
      IgraphIntegers degrees;
      must(igraph_degree(sample.reference.get(), degrees.get(), igraph_vss_all(), mode, IGRAPH_LOOPS));
      return degrees.values();
    };
    CHECK(answer.integers("in_degree") == wanted(IGRAPH_IN));
    CHECK(answer.integers("out_degree") == wanted(IGRAPH_OUT));
    CHECK(answer.integers("degree") == wanted(IGRAPH_ALL));
    IgraphReals strengths;
    must(igraph_strength(sample.reference.get(), strengths.get(), igraph_vss_all(), IGRAPH_ALL, IGRAPH_LOOPS, sample.weights.get()));
    check_near(answer.reals("weighted_degree"), strengths.values(), kSums);
  });
}

TEST_CASE("closeness is igraph's, times the share that is reached") {
  for_each_sample([](const Sample& sample) {
    for (const auto& [weighted, weights] : weightings(sample)) {
      IgraphReals found;
      IgraphIntegers reached;
      must(igraph_closeness(sample.reference.get(), found.get(), reached.get(), nullptr, igraph_vss_all(), IGRAPH_OUT, weights, true));
      // igraph has what is reached / sum of distances; Wasserman and Faust's has the share of all others as a factor.
      std::vector<double> wanted = found.values();
      const std::vector<int64_t> counts = reached.values();
      for (size_t i = 0; i < wanted.size(); ++i)
        wanted[i] = counts[i] == 0 ? 0 : wanted[i] * static_cast<double>(counts[i]) / (sample.count - 1.0);
      check_near(answer_of("closeness", sample, {{"weighted", weighted}}).reals("closeness"), wanted, kSums);
    }
  });
}

TEST_CASE("harmonic centrality is igraph's") {
  for_each_sample([](const Sample& sample) {
    for (const auto& [weighted, weights] : weightings(sample)) {
      IgraphReals wanted;
      must(igraph_harmonic_centrality(sample.reference.get(), wanted.get(), igraph_vss_all(), IGRAPH_OUT, weights, false));
      check_near(answer_of("harmonic", sample, {{"weighted", weighted}}).reals("harmonic"), wanted.values(), kSums);
    }
  });
}

TEST_CASE("betweenness of nodes is igraph's, parallel edges being paths of their own") {
  for_each_sample([](const Sample& sample) {
    for (const auto& [weighted, weights] : weightings(sample)) {
      IgraphReals found;
      must(igraph_betweenness(sample.reference.get(), found.get(), igraph_vss_all(), sample.directed, weights));
      std::vector<double> wanted = found.values();
      check_near(answer_of("betweenness", sample, {{"weighted", weighted}}).reals("betweenness"), wanted, kSums);
      // Normalized: of all pairs of other nodes.
      const double pairs = (sample.count - 1.0) * (sample.count - 2.0) / (sample.directed ? 1 : 2);
      if (sample.count < 3) continue;
      for (double& score : wanted) score /= pairs;
      check_near(answer_of("betweenness", sample, {{"weighted", weighted}, {"normalized", "yes"}}).reals("betweenness"), wanted, kSums);
    }
  });
}

TEST_CASE("betweenness of edges is igraph's, edge by edge") {
  for_each_sample([](const Sample& sample) {
    for (const auto& [weighted, weights] : weightings(sample)) {
      IgraphReals found;
      must(igraph_edge_betweenness(sample.reference.get(), found.get(), sample.directed, weights));
      const std::vector<double> wanted = found.values();
      const Answer answer = answer_of("edge_betweenness", sample, {{"weighted", weighted}});
      REQUIRE(answer.row_count() == wanted.size());
      std::vector<double> scores(wanted.size(), -1);
      for (size_t row = 0; row < answer.row_count(); ++row)
        scores[static_cast<size_t>(answer.integers("edge")[row] - 1)] = answer.reals("betweenness")[row];
      check_near(scores, wanted, kSums);
    }
  });
}

TEST_CASE("the eigenvector is igraph's where there is one") {
  int compared = 0;
  for_each_sample([&compared](const Sample& sample) {
    // Braid's takes no weights.
    if (sample.weighted || !has_one_component(sample)) return;
    ++compared;
    igraph_arpack_options_t options;
    igraph_arpack_options_init(&options);
    IgraphReals wanted;
    igraph_real_t value = 0;
    must(igraph_eigenvector_centrality(sample.reference.get(), wanted.get(), &value, sample.directed, true, nullptr, &options));
    const Answer answer = answer_of("eigenvector", sample, {{"iterations", int64_t{100'000}}, {"tolerance", 1e-14}});
    check_near(answer.reals("eigenvector"), wanted.values(), kIterated);
  });
  CHECK(compared > 10);
}

TEST_CASE("PageRank is igraph's, for everybody and from one node, with dangling nodes and weights") {
  int dangling = 0;
  for_each_sample([&dangling](const Sample& sample) {
    for (const auto& [weighted, weights] : weightings(sample)) {
      for (const double damping : {0.85, 0.5}) {
        const NamedArguments given{
            {"damping", damping}, {"iterations", int64_t{10'000}}, {"tolerance", 1e-15}, {"weighted", weighted}};
        IgraphReals wanted;
        igraph_real_t value = 0;
        must(igraph_pagerank(sample.reference.get(), IGRAPH_PAGERANK_ALGO_PRPACK, wanted.get(), &value, igraph_vss_all(), sample.directed,
                             damping, weights, nullptr));
        check_near(answer_of("pagerank", sample, given).reals("pagerank"), wanted.values(), kSums);
        for (const Vertex source : some_vertices(sample)) {
          NamedArguments personal = given;
          personal["source"] = source;
          IgraphReals own;
          must(igraph_personalized_pagerank_vs(sample.reference.get(), IGRAPH_PAGERANK_ALGO_PRPACK, own.get(), &value, igraph_vss_all(),
                                               sample.directed, damping, igraph_vss_1(source), weights, nullptr));
          check_near(answer_of("pagerank", sample, personal).reals("pagerank"), own.values(), kSums);
        }
      }
    }
    for (Vertex vertex = 0; vertex < sample.count; ++vertex) dangling += sample.graph->out().degree(vertex) == 0;
  });
  CHECK(dangling > 100);
}

// Where two sets of hubs are equally good, any mixture of them is an answer. So it is checked that Braid's is one: that a step from
// hubs to authorities and back only multiplies it by igraph's eigenvalue.
TEST_CASE("hubs and authorities are an eigenvector for igraph's eigenvalue") {
  int compared = 0, same = 0;
  for_each_sample([&](const Sample& sample) {
    // Of one vertex igraph 0.10.2 answers the eigenvalue 1, whatever its loops.
    if (sample.weighted || sample.edges.empty() || sample.count == 1) return;
    ++compared;
    igraph_arpack_options_t options;
    igraph_arpack_options_init(&options);
    IgraphReals hub, authority;
    igraph_real_t value = 0;
    // igraph's counts an undirected loop once, where Braid's and igraph's own eigenvector count both ends. Steps leave no doubt.
    const IgraphGraph reference(sample.count, sample.steps(), true);
    must(igraph_hub_and_authority_scores(reference.get(), hub.get(), authority.get(), &value, true, nullptr, &options));
    const Answer answer = answer_of("hits", sample, {{"iterations", int64_t{1'000'000}}, {"tolerance", 1e-15}});
    const std::vector<double>& hubs = answer.reals("hub");
    std::vector<double> authorities(sample.count), back(sample.count);
    for (const TestEdge& step : sample.steps()) authorities[step.target] += hubs[step.source];
    for (const TestEdge& step : sample.steps()) back[step.source] += authorities[step.target];
    for (Vertex vertex = 0; vertex < sample.count; ++vertex) {
      CAPTURE(vertex);
      CHECK(is_near(back[vertex] / value, hubs[vertex], kIterated));
    }
    const double most = *std::max_element(authorities.begin(), authorities.end());
    for (double& one : authorities) one /= most;
    check_near(answer.reals("authority"), authorities, kIterated);
    bool all = true;
    for (Vertex vertex = 0; vertex < sample.count; ++vertex) all &= is_near(hubs[vertex], hub.values()[vertex], kIterated);
    same += all;
  });
  CHECK(compared > 10);
  CHECK(same > compared / 2);
}
