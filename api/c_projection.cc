// The C API: projections and algorithms.
#include <algorithm>
#include <chrono>

#include "api/c_guard.h"
#include "api/graph_argument.h"
#include "api/remote_path.h"
#include "api/remote_query.h"
#include "sql/algorithm_access.h"

using namespace braid;

namespace {

Result<Vertex> vertex_argument(const Projection& graph, int64_t node, std::string_view name) {
  BRAID_ASSIGN(const NodeId id, node_argument(node, name));
  if (const auto vertex = graph.vertex(id)) return *vertex;
  return Status(StatusCode::kNotFound, std::string(name) + ": node " + std::to_string(node) + " is not in the projection");
}

int64_t node_of(const Projection& graph, Vertex vertex) { return static_cast<int64_t>(graph.node(vertex).value()); }

template <typename Body>
int32_t walk_call(braid_projection* projection, Body body) {
  return guard(projection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, open_connection(*projection->state));
    return body(*projection->walk, open->start_walk());
  });
}

}  // namespace

int32_t braid_projection::finish(const Status& status) {
  if (status.ok()) return BRAID_OK;
  state->error = status.message();
  state->error_offset = -1;
  return static_cast<int32_t>(status.code());
}

extern "C" {

int32_t braid_projection_open(braid_connection* connection, const char* name, braid_projection** projection) {
  if (is_remote(connection) && projection != nullptr) {
    auto made = std::unique_ptr<braid_projection>(new (std::nothrow) braid_projection{connection->state, std::nullopt});
    if (made == nullptr) return BRAID_OUT_OF_MEMORY;
    int64_t handle = 0;
    const int32_t code = remote_call(connection, Operation::kProjectionOpen, {Value::text_or_null(name)}, {&handle});
    made->remote_handle = static_cast<uint64_t>(handle);
    *projection = code == BRAID_OK ? made.release() : nullptr;
    return code;
  }
  if (projection != nullptr) *projection = nullptr;
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(projection);
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    return open->read([&]() -> Status {
      BRAID_ASSIGN(auto graph, open_projection(*open, optional_argument(name)));
      *projection = new braid_projection{connection->state, ProjectionWalk(std::move(graph))};
      return {};
    });
  });
}

void braid_projection_close(braid_projection* projection) {
  if (is_remote(projection) && !forked()) remote_call(projection, Operation::kProjectionClose, {}, {}, projection->remote_handle);
  if (!forked()) delete projection;
}

int32_t braid_projection_size(braid_projection* projection, int64_t* nodes, int64_t* edges, int64_t* bytes) {
  if (is_remote(projection)) return remote_call(projection, Operation::kProjectionSize, {}, {nodes, edges, bytes}, projection->remote_handle);
  return guard(projection, [&]() -> Status {
    if (!projection->walk) return Status(StatusCode::kMisuse, "the connection is closed");
    const Projection& graph = projection->walk->graph();
    if (nodes != nullptr) *nodes = graph.vertex_count();
    if (edges != nullptr) *edges = static_cast<int64_t>(graph.edge_count());
    if (bytes != nullptr) *bytes = static_cast<int64_t>(graph.memory_bytes());
    return {};
  });
}

int32_t braid_projection_hops(braid_projection* projection, int64_t start, uint32_t hops, int32_t direction, int64_t* nodes,
                              size_t capacity, size_t* count) {
  if (is_remote(projection)) {
    return guard(projection, [&]() -> Status {
      BRAID_NOT_NULL(count);
      *count = 0;
      if (nodes == nullptr && capacity > 0) return null_argument("nodes");
      BRAID_ASSIGN(const Message answer, projection->state->remote->call(Operation::kProjectionHops,
                                                                         {Value::number(start), Value::number(hops), Value::number(direction),
                                                                          Value::number(static_cast<int64_t>(capacity))},
                                                                         projection->remote_handle));
      if (answer.values.size() != 2) return Status(StatusCode::kInternal, "the host's answer lacks a value");
      *count = static_cast<size_t>(answer.values[0].integer);
      const auto reached = array_of<int64_t>(answer.values[1]);
      std::copy_n(reached.begin(), std::min(reached.size(), capacity), nodes);
      return {};
    });
  }
  return walk_call(projection, [&](ProjectionWalk& walk, const AlgorithmContext& context) -> Status {
    BRAID_NOT_NULL(count);
    *count = 0;
    if (nodes == nullptr && capacity > 0) return null_argument("nodes");
    BRAID_ASSIGN(const Direction along, direction_argument(direction));
    BRAID_ASSIGN(const Vertex vertex, vertex_argument(walk.graph(), start, "start"));
    BRAID_ASSIGN(const auto reached, walk.hops(vertex, hops, along, context));
    *count = reached.size() - 1;
    for (size_t i = 0; i < std::min(*count, capacity); ++i) nodes[i] = node_of(walk.graph(), reached[i + 1]);
    return {};
  });
}

int32_t braid_projection_path(braid_projection* projection, int64_t source, int64_t target, int32_t direction, int64_t* nodes,
                              int64_t* edges, size_t capacity, size_t* count) {
  if (is_remote(projection))
    return remote_path(projection, Operation::kProjectionPath,
                       {Value::number(source), Value::number(target), Value::number(direction), Value::number(static_cast<int64_t>(capacity))},
                       {nodes, edges, capacity, count}, projection->remote_handle);
  return walk_call(projection, [&](ProjectionWalk& walk, const AlgorithmContext& context) -> Status {
    BRAID_NOT_NULL(count);
    *count = 0;
    BRAID_ASSIGN(const Direction along, direction_argument(direction));
    BRAID_ASSIGN(const Vertex from, vertex_argument(walk.graph(), source, "source"));
    BRAID_ASSIGN(const Vertex to, vertex_argument(walk.graph(), target, "target"));
    BRAID_ASSIGN(const auto path, walk.path(from, to, along, context));
    *count = path.size();
    if (*count > capacity) return {};
    for (size_t i = 0; nodes != nullptr && i < path.size(); ++i) nodes[i] = node_of(walk.graph(), path[i]);
    for (size_t i = 1; edges != nullptr && i < path.size(); ++i)
      edges[i - 1] = static_cast<int64_t>(edge_between(walk.graph(), path[i - 1], path[i], along).value());
    return {};
  });
}

int32_t braid_algorithm(braid_connection* connection, const char* algorithm, const char* projection, const char* arguments,
                        braid_statement** statement) {
  if (statement != nullptr) *statement = nullptr;
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(algorithm);
    BRAID_NOT_NULL(statement);
    if (is_remote(connection))
      return query_there(connection->state, Operation::kAlgorithm,
                         {Value::text(algorithm), Value::text_or_null(projection), Value::text_or_null(arguments)}, statement);
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    BRAID_ASSIGN(const AlgorithmRow* row, find_algorithm(algorithm));
    BRAID_ASSIGN(const AlgorithmQuery query, algorithm_query(*row, "*", optional_argument(projection), optional_argument(arguments)));
    size_t used = 0;
    BRAID_ASSIGN(auto made, open->prepare(query.sql, used));
    for (size_t i = 0; i < query.values.size(); ++i) bind_value(made->get(), static_cast<int>(i) + 1, query.values[i]);
    *statement = make_statement(connection->state, std::move(made)).release();
    return {};
  });
}

int32_t braid_algorithm_write(braid_connection* connection, const char* algorithm, const char* projection, const char* arguments,
                              const char* column, const char* property, int64_t* count) {
  if (is_remote(connection))
    return remote_call(connection, Operation::kAlgorithmWrite,
                       {Value::text_or_null(algorithm), Value::text_or_null(projection), Value::text_or_null(arguments), Value::text_or_null(column),
                        Value::text_or_null(property)},
                       {count});
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(algorithm);
    BRAID_NOT_NULL(property);
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    return open->write([&]() -> Status {
      BRAID_ASSIGN(const uint64_t written, write_algorithm(*open, {algorithm, optional_argument(projection), property,
                                                                   optional_argument(column), optional_argument(arguments)}));
      if (count != nullptr) *count = static_cast<int64_t>(written);
      return {};
    }, Connection::Steps::kMany);
  });
}

}  // extern "C"
