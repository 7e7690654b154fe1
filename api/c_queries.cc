// The C API: questions to graph and series whose answer is a statement: expansions, rollups, last points, projections.
#include <fmt/format.h>

#include <algorithm>

#include "api/c_guard.h"
#include "api/graph_argument.h"
#include "api/remote_query.h"
#include "api/struct_argument.h"
#include "sql/algorithm_access.h"

using namespace braid;

namespace {

/// SQL under construction, with values in the place of its parameters.
class Query {
 public:
  explicit Query(std::string sql) : sql_(std::move(sql)) {}
  void append(std::string_view text) { sql_ += text; }
  /// "WHERE name = ?1", then "AND name = ?2".
  void where(std::string_view name, std::string_view comparison, PropertyValue value) {
    values_.push_back(std::move(value));
    sql_ += fmt::format(" {} {} {} ?{}", values_.size() == 1 ? "WHERE" : "AND", name, comparison, values_.size());
  }
  void where_text(std::string_view name, const char* text) {
    if (text != nullptr) where(name, "=", {std::string(text)});
  }

  Status prepare(ConnectionState& state, const std::shared_ptr<ConnectionState>& shared, braid_statement** statement) const {
    size_t used = 0;
    BRAID_ASSIGN(auto made, state.connection->prepare(sql_, used));
    for (size_t i = 0; i < values_.size(); ++i) bind_value(made->get(), static_cast<int>(i) + 1, values_[i]);
    *statement = make_statement(shared, std::move(made)).release();
    return {};
  }

 private:
  std::string sql_;
  std::vector<PropertyValue> values_;
};

/// A question in the words that the process is sent that keeps the connection.
struct Asked {
  Operation operation;
  std::vector<Value> values;
};

/// `ask` gives an Asked, `body` a Query.
template <typename Ask, typename Body>
int32_t query_call(braid_connection* connection, braid_statement** statement, Ask ask, Body body) {
  if (statement != nullptr) *statement = nullptr;
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(statement);
    if (is_remote(connection)) {
      BRAID_ASSIGN(Asked asked, ask());
      return query_there(connection->state, asked.operation, std::move(asked.values), statement);
    }
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    BRAID_ASSIGN(const Query query, body(*open));
    return query.prepare(*connection->state, connection->state, statement);
  });
}

/// Runs a function of SQL, which answers one value that nobody needs.
Status run_function(Connection& connection, const char* sql, std::span<const PropertyValue> values) {
  size_t used = 0;
  BRAID_ASSIGN(const auto statement, connection.prepare(sql, used));
  for (size_t i = 0; i < values.size(); ++i) bind_value(statement->get(), static_cast<int>(i) + 1, values[i]);
  for (bool more = true; more;) {
    BRAID_ASSIGN(more, statement->step());
  }
  return {};
}

PropertyValue text_or_null(const char* text) { return text == nullptr ? PropertyValue() : PropertyValue{std::string(text)}; }

const char* direction_word(Direction direction) {
  switch (direction) {
    case Direction::kOut: return "out";
    case Direction::kIn: return "in";
    case Direction::kBoth: return "both";
  }
  return "";
}

Result<Query> expansion(int64_t start, const braid_expand_options& options) {
  BRAID_ASSIGN(const NodeId node, node_argument(start, "start"));
  BRAID_ASSIGN(const Direction along, direction_argument(options.direction == 0 ? BRAID_OUT : options.direction));
  if (options.hops_min < 0 || options.hops_max < 0) return Status(StatusCode::kInvalidArgument, "hops_min and hops_max: expected a number from 0");
  if (options.hops_max > 0 && options.hops_min > options.hops_max)
    return Status(StatusCode::kInvalidArgument, fmt::format("hops_min {} is above hops_max {}", options.hops_min, options.hops_max));
  if (options.limit < 0) return Status(StatusCode::kInvalidArgument, "limit: expected a number from 0");
  Query query("SELECT node, depth, via_edge, previous FROM graph_hops");
  query.where("start", "=", {static_cast<int64_t>(node.value())});
  query.where("hops", "=", options.hops_max == 0 ? PropertyValue() : PropertyValue{int64_t{options.hops_max}});
  query.where("along", "=", {std::string(direction_word(along))});
  query.where_text("of_type", options.types);
  query.where_text("node_filter", options.node_filter);
  query.where_text("edge_filter", options.edge_filter);
  query.where("depth", ">=", {int64_t{options.hops_min}});
  if (options.limit > 0) query.append(fmt::format(" LIMIT {}", options.limit));
  return query;
}

Result<Query> rollup(const char* hypertable, const braid_rollup_options& options) {
  BRAID_NOT_NULL(hypertable);
  if (options.width == nullptr) return null_argument("width");
  const bool all = options.start == 0 && options.limit == 0;
  if (options.limit < options.start) return Status(StatusCode::kInvalidArgument, fmt::format("limit {} is before start {}", options.limit, options.start));
  Query query("SELECT bucket, tags, field, count, sum, avg, min, max, first, last FROM rollup");
  query.where("hypertable", "=", {std::string(hypertable)});
  query.where("width", "=", {std::string(options.width)});
  if (!all && options.start != INT64_MIN) query.where("since", "=", {options.start});
  if (!all && options.limit != INT64_MAX) query.where("until", "=", {options.limit});
  query.where_text("only_tags", options.tags);
  query.where_text("only_fields", options.fields);
  query.where_text("timezone", options.timezone);
  return query;
}

Result<Query> last_points(Connection& connection, const char* hypertable, const char* const* tags, size_t count) {
  BRAID_NOT_NULL(hypertable);
  if (tags == nullptr && count > 0) return null_argument("tags");
  std::optional<HypertableDefinition> table;
  const auto newest = connection.engine().versions().newest();
  if (const HypertableDefinition* found = newest->catalog->hypertable(hypertable)) table = *found;
  if (!table) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", hypertable));
  if (count > 0 && count != table->tags.size())
    return Status(StatusCode::kInvalidArgument, fmt::format("{} tags are given, hypertable '{}' has {}", count, table->name, table->tags.size()));
  Query query("SELECT * FROM " + quote_identifier(table->name));
  query.where("latest", "=", {int64_t{1}});
  for (size_t i = 0; i < count; ++i) query.where(quote_identifier(table->tags[i]), "IS", text_or_null(tags[i]));
  return query;
}

}  // namespace

extern "C" {

int32_t braid_expand(braid_connection* connection, int64_t start, const braid_expand_options* options, braid_statement** statement) {
  const auto ask = [&]() -> Result<Asked> {
    BRAID_ASSIGN(const braid_expand_options wanted, struct_argument(options, "options"));
    return Asked{Operation::kExpand,
                 {Value::number(start), Value::number(wanted.direction), Value::number(wanted.hops_min), Value::number(wanted.hops_max),
                  Value::text_or_null(wanted.types), Value::text_or_null(wanted.node_filter), Value::text_or_null(wanted.edge_filter),
                  Value::number(wanted.limit)}};
  };
  return query_call(connection, statement, ask, [&](Connection&) -> Result<Query> {
    BRAID_ASSIGN(const braid_expand_options wanted, struct_argument(options, "options"));
    return expansion(start, wanted);
  });
}

int32_t braid_rollup(braid_connection* connection, const char* hypertable, const braid_rollup_options* options, braid_statement** statement) {
  const auto given = [&]() -> Result<braid_rollup_options> {
    BRAID_NOT_NULL(options);
    return struct_argument(options, "options");
  };
  const auto ask = [&]() -> Result<Asked> {
    BRAID_ASSIGN(const braid_rollup_options wanted, given());
    return Asked{Operation::kRollup,
                 {Value::text_or_null(hypertable), Value::text_or_null(wanted.width), Value::number(wanted.start), Value::number(wanted.limit),
                  Value::text_or_null(wanted.tags), Value::text_or_null(wanted.fields), Value::text_or_null(wanted.timezone)}};
  };
  return query_call(connection, statement, ask, [&](Connection&) -> Result<Query> {
    BRAID_ASSIGN(const braid_rollup_options wanted, given());
    return rollup(hypertable, wanted);
  });
}

int32_t braid_last_points(braid_connection* connection, const char* hypertable, const char* const* tags, size_t count, braid_statement** statement) {
  const auto ask = [&]() -> Result<Asked> {
    Asked asked{Operation::kLastPoints, {Value::text_or_null(hypertable), Value::number(static_cast<int64_t>(count)), Value::number(tags != nullptr ? 1 : 0)}};
    for (size_t i = 0; tags != nullptr && i < count; ++i) asked.values.push_back(Value::text_or_null(tags[i]));
    return asked;
  };
  return query_call(connection, statement, ask, [&](Connection& open) { return last_points(open, hypertable, tags, count); });
}

int32_t braid_projection_create(braid_connection* connection, const char* name, const braid_projection_options* options) {
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(name);
    BRAID_ASSIGN(const braid_projection_options given, struct_argument(options, "options"));
    if (given.orientation < 0 || given.orientation > BRAID_UNDIRECTED)
      return Status(StatusCode::kInvalidArgument, "orientation: expected 0 or one of BRAID_NATURAL, BRAID_REVERSE, BRAID_UNDIRECTED");
    if (is_remote(connection))
      return connection->state->remote->call_for_numbers(Operation::kProjectionCreate,
                                                         {Value::text(name), Value::text_or_null(given.labels), Value::text_or_null(given.types),
                                                          Value::text_or_null(given.weight), Value::number(given.orientation)});
    constexpr const char* kOrientations[] = {"natural", "natural", "reverse", "undirected"};
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    const PropertyValue values[] = {{std::string(name)}, text_or_null(given.labels), text_or_null(given.types), text_or_null(given.weight),
                                    {std::string(kOrientations[given.orientation])}};
    return run_function(*open, "SELECT graph_project(?1, ?2, ?3, ?4, ?5)", values);
  });
}

int32_t braid_projection_drop(braid_connection* connection, const char* name) {
  if (is_remote(connection)) return remote_call(connection, Operation::kProjectionDrop, {Value::text_or_null(name)});
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(name);
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    const PropertyValue values[] = {{std::string(name)}};
    return run_function(*open, "SELECT graph_project_drop(?1)", values);
  });
}

int32_t braid_projections(braid_connection* connection, braid_statement** statement) {
  const auto ask = []() -> Result<Asked> { return Asked{Operation::kProjections, {}}; };
  return query_call(connection, statement, ask, [&](Connection&) -> Result<Query> {
    return Query("SELECT name, labels, types, weight, orientation, nodes, edges, bytes, current FROM graph_projections");
  });
}

}  // extern "C"
