// What a database holds in all three models, in plain maps: what the campaign of random operations compares with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/database.h"

namespace braid {

struct PlainModel {
  struct Row {
    std::string name;
    std::optional<int64_t> value;
    int64_t node = 0;  ///< of the graph, which the row is
  };
  struct Edge {
    int64_t source = 0;
    int64_t target = 0;
    std::string type;
    int64_t weight = 0;
  };
  using Point = std::vector<std::optional<int64_t>>;  ///< by field

  std::map<int64_t, Row> rows;
  std::map<int64_t, std::optional<int64_t>> nodes;  ///< those that are no rows, and their property x
  std::map<int64_t, Edge> edges;
  std::map<std::pair<std::string, int64_t>, Point> points;  ///< by host and second
  std::vector<std::string> fields = {"f1", "f2"};
  int row_columns = 0;  ///< added to the table since it was made

  bool has_node(int64_t id) const;
  bool has_edges(int64_t node) const;
  void remove_edges(int64_t node);

  /// All of it, as `content_of` gives that of a database.
  std::string text() const;
};

/// What the connection sees: rows, nodes, edges and points, in order; `model` says which columns and fields there are.
std::string content_of(TestConnection& connection, const PlainModel& model);

}  // namespace braid
