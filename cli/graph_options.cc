#include "cli/graph_options.h"

#include <fmt/format.h>

#include <array>

namespace braid::cli {

namespace {

constexpr const char* kGraphFooter = R"text(
One of --from, --all, --label and --query says what is taken; one of --svg, --graphml, --dot and --json says what it
becomes. A FILE of - is standard output. Everything is read at one snapshot.

  --from     the nodes within --hops of a start, and the edges among them. A start is LABEL.KEY=VALUE or a node's id
  --all      the whole graph
  --label    the nodes with any of the labels, and the edges among them
  --query    what a SELECT with a column "node" or "edge" (ids) names. With edges: they and their ends; with nodes only:
             the edges among them as well

--type narrows the edges in each case. A picture has at most 200 nodes unless --max-nodes says otherwise (up to 1000); what
is larger is refused, not cut. Files for exchange have no such limit; memory does not grow with the graph for --all.
Nodes are named by --caption, else by their name, title or key; colours tell labels and types; point at a node or an edge
to see its properties.

GraphML is what Neo4j, NetworkX, yEd and Gephi read; `braid import` reads it back without loss: values that GraphML has no
type for (lists, maps, bytes, times) are JSON text marked with an attribute of Braid's namespace.

Examples:
  braid graph grid.db --from Bus.id=116 --hops 2 --svg bus.svg
  braid graph grid.db --from Bus.id=1 --type LINE --weight length_km --svg lines.svg
  braid graph grid.db --all --graphml grid.graphml
  braid graph grid.db --label Bus --type LINE --dot - | dot -Tpdf -o grid.pdf
  braid graph grid.db --query "SELECT node, edge FROM graph_shortest_path(5, 9)" --svg path.svg

Exit codes: 0, 1 for an error in the data, the files or the database, 2 for wrong usage.)text";

constexpr int64_t kHopsMax = 1'000;
constexpr int64_t kNodesMax = 1'000'000'000;

}  // namespace

GraphOptions::GraphOptions(CLI::App* app) : app_(app) {
  app->footer(kGraphFooter);
  app->add_option("--from", graph_.from, "a start: its neighbourhood is taken; may be repeated")
      ->type_name("LABEL.KEY=VALUE")
      ->allow_extra_args(false);
  app->add_option("--hops", graph_.hops, "how far from a start; 2 if not given")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, kHopsMax));
  app->add_option("--along", graph_.along, "edges followed from a start: out, in or both; both if not given")
      ->type_name("DIRECTION")
      ->check(CLI::IsMember({"out", "in", "both"}));
  app->add_flag("--all", all_, "the whole graph");
  app->add_option("--label", graph_.labels, "nodes with the label; may be repeated")
      ->type_name("LABEL")
      ->allow_extra_args(false);
  app->add_option("--query", graph_.query, "a SELECT with a column node or edge")
      ->type_name("SELECT");
  app->add_option("--type", graph_.types, "edges of the type only; may be repeated")
      ->type_name("TYPE")
      ->allow_extra_args(false);
  app->add_option("--max-nodes", graph_.nodes_max, "more nodes than this are refused; 200 for a picture if not given")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, kNodesMax));
  app->add_option("--svg", svg_, "draw a picture")->type_name("FILE");
  app->add_option("--graphml", graphml_, "write GraphML")->type_name("FILE");
  app->add_option("--dot", dot_, "write DOT, the language of Graphviz")->type_name("FILE");
  app->add_option("--json", json_, "write {\"nodes\": [...], \"edges\": [...]}")->type_name("FILE");
  app->add_option("--weight", graph_.weight, "picture: property written beside the edges")
      ->type_name("PROPERTY");
  app->add_option("--caption", graph_.caption, "picture, DOT: property that names a node")
      ->type_name("PROPERTY");
  app->add_option("--method", graph_.method, "picture: auto, spring, circle or layers; auto if not given")
      ->type_name("METHOD")
      ->check(CLI::IsMember({"auto", "spring", "circle", "layers"}));
  app->add_option("--seed", graph_.seed, "picture: another number gives another arrangement; 1 if not given")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, INT64_MAX));
}

std::optional<std::string> GraphOptions::take_selection() {
  using Selection = GraphArguments::Selection;
  struct Choice {
    bool given;
    Selection selection;
  };
  const std::array<Choice, 4> choices = {{{!graph_.from.empty(), Selection::kFrom},
                                          {all_, Selection::kAll},
                                          {!graph_.labels.empty(), Selection::kLabels},
                                          {!graph_.query.empty(), Selection::kQuery}}};
  int count = 0;
  for (const Choice& choice : choices) {
    if (!choice.given) continue;
    ++count;
    graph_.selection = choice.selection;
  }
  if (count == 1) return std::nullopt;
  return "say what to take: one of --from LABEL.KEY=VALUE, --all, --label LABEL, --query SELECT";
}

std::optional<std::string> GraphOptions::take_output() {
  using Format = GraphArguments::Format;
  struct Choice {
    const std::string& file;
    Format format;
  };
  const std::array<Choice, 4> choices = {{{svg_, Format::kSvg},
                                          {graphml_, Format::kGraphml},
                                          {dot_, Format::kDot},
                                          {json_, Format::kJson}}};
  int count = 0;
  for (const Choice& choice : choices) {
    if (choice.file.empty()) continue;
    ++count;
    graph_.format = choice.format;
    graph_.file = choice.file;
  }
  if (count == 1) return std::nullopt;
  return "say what to make: one of --svg FILE, --graphml FILE, --dot FILE, --json FILE (- is "
         "standard output)";
}

// An option that belongs to another choice would be ignored silently.
std::optional<std::string> GraphOptions::misplaced_option() const {
  const bool from = graph_.selection == GraphArguments::Selection::kFrom;
  const bool svg = graph_.format == GraphArguments::Format::kSvg;
  const bool dot = graph_.format == GraphArguments::Format::kDot;
  struct Rule {
    const char* option;
    bool fits;
    const char* with;
  };
  const std::array<Rule, 6> rules = {{{"--hops", from, "--from"},
                                      {"--along", from, "--from"},
                                      {"--weight", svg, "--svg"},
                                      {"--method", svg, "--svg"},
                                      {"--seed", svg, "--svg"},
                                      {"--caption", svg || dot, "--svg and --dot"}}};
  for (const Rule& rule : rules) {
    if (!rule.fits && app_->count(rule.option) > 0)
      return fmt::format("{} goes with {} only", rule.option, rule.with);
  }
  return std::nullopt;
}

std::optional<std::string> GraphOptions::take(GraphArguments* graph) {
  if (auto wrong = take_selection()) return wrong;
  if (auto wrong = take_output()) return wrong;
  if (auto wrong = misplaced_option()) return wrong;
  *graph = std::move(graph_);
  return std::nullopt;
}

}  // namespace braid::cli
