// What is chosen of a graph, read row by row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/graph_arguments.h"
#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// Borrows its texts.
struct GraphNode {
  int64_t id = 0;
  std::string_view labels;      ///< a JSON array
  std::string_view properties;  ///< a JSON object
};

/// Borrows its texts.
struct GraphEdge {
  int64_t id = 0;
  int64_t source = 0;
  int64_t target = 0;
  std::string_view type;
  std::string_view properties;  ///< a JSON object
};

/// Made and used inside one transaction, so that every reading is of one snapshot. The whole graph
/// is not kept; of another choice the ids are.
class GraphSelection {
 public:
  /// `nodes_max` bounds the nodes, if it is given; a failure says what to do about it.
  static Outcome<GraphSelection> choose(const Session& session, const GraphArguments& arguments,
                                        std::optional<int64_t> nodes_max);

  /// Calls `visit` with each node, in the order of the ids, until it fails. May be called again.
  Done visit_nodes(const std::function<Done(const GraphNode&)>& visit) const;
  /// The same with each edge, whose ends are among the nodes.
  Done visit_edges(const std::function<Done(const GraphEdge&)>& visit) const;

  /// Where a neighbourhood starts; none for another choice.
  const std::vector<int64_t>& starts() const { return starts_; }

 private:
  GraphSelection(const Session& session, const GraphArguments& arguments,
                 std::optional<int64_t> nodes_max);

  Done choose_from();
  Done choose_labels();
  Done choose_query();
  Done add_ends_of_edges();
  Done step_out(std::vector<int64_t>* frontier, braid_statement* neighbors);
  Done check_count(size_t count) const;
  bool has(int64_t node) const;
  Done visit_each(std::string_view sql, const std::vector<int64_t>& ids,
                  const std::function<Done(braid_statement*)>& visit) const;

  const Session* session_;
  const GraphArguments* arguments_;
  const std::optional<int64_t> nodes_max_;
  const std::string types_;  ///< a JSON array; "" for all
  bool whole_ = false;
  bool edges_named_ = false;    ///< edges_ says which edges; else those among the nodes
  std::vector<int64_t> nodes_;  ///< ascending; unused for the whole graph
  std::vector<int64_t> edges_;  ///< ascending
  std::vector<int64_t> starts_;
};

}  // namespace braid::cli
