// Projections and algorithms in the users' words, for SQL's functions and the C API.
//
// All functions work on a connection that is pinned.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "graph/algorithm.h"
#include "graph/property.h"
#include "sql/connection.h"

namespace braid {

/// The projection of a name, as the connection sees the graph; null: of the whole graph; with "@" and a scenario's name after it, as that has
/// the graph. kNotFound naming those that there are.
Result<std::shared_ptr<const Projection>> open_projection(Connection& connection, std::optional<std::string_view> name);
Result<std::shared_ptr<const Projection>> build_projection(Connection& connection, const ProjectionSpec& spec);

/// SqliteStatement::step of a statement that reads for the call; where it was interrupted the context says why.
Result<bool> step_within(SqliteStatement& statement, const AlgorithmContext& context);

/// kNotFound for a name that no algorithm has; with or without "graph_" before it.
Result<const AlgorithmRow*> find_algorithm(std::string_view name);

/// A call of an algorithm as SQL with parameters, and their values.
struct AlgorithmQuery {
  std::string sql;
  std::vector<PropertyValue> values;  ///< null, int64, double or text
};
/// `columns` stands after SELECT. `arguments` is a JSON object: {"damping": 0.9}. kInvalidArgument for a parameter that the algorithm does not
/// have, naming those it has.
Result<AlgorithmQuery> algorithm_query(const AlgorithmRow& algorithm, std::string_view columns, std::optional<std::string_view> projection,
                                       std::optional<std::string_view> arguments);
void bind_value(sqlite3_stmt* statement, int index, const PropertyValue& value);

/// Runs an algorithm and keeps one of its columns as a property of the nodes, or of the edges, that it tells about; answers how many.
/// In a write transaction. `column` null: the first that is neither node nor edge.
struct AlgorithmWrite {
  std::string_view algorithm;
  std::optional<std::string_view> projection;
  std::string_view property;
  std::optional<std::string_view> column;
  std::optional<std::string_view> arguments;
};
Result<uint64_t> write_algorithm(Connection& connection, const AlgorithmWrite& write);

}  // namespace braid
