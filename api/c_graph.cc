// The C API: the graph.
#include <algorithm>

#include "api/c_guard.h"
#include "api/graph_argument.h"
#include "api/remote_path.h"
#include "graph/traversal.h"
#include "sql/graph_access.h"

using namespace braid;

namespace {

template <typename Body>
int32_t graph_write(braid_connection* connection, Body body, Connection::Steps steps = Connection::Steps::kOne) {
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    return open->write([&]() -> Status { return body(*open); }, steps);
  });
}

template <typename Body>
int32_t graph_read(braid_connection* connection, Body body) {
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    return open->read([&]() -> Status { return body(*open); });
  });
}

/// Texts that a read lends: labels, type and properties, each where it is wanted.
struct LentTexts {
  const char** labels;
  const char** type;
  const char** properties;
};

/// Labels and properties of a node; or source, type, target and properties of an edge.
int32_t remote_read(braid_connection* connection, Operation operation, int64_t id, int64_t* source, int64_t* target, LentTexts texts) {
  return guard(connection, [&]() -> Status {
    ConnectionState& state = *connection->state;
    BRAID_ASSIGN(const Message answer, state.remote->call(operation, {Value::number(id)}));
    const bool node = operation == Operation::kNodeRead;
    if (answer.values.size() != (node ? 2 : 4)) return Status(StatusCode::kInternal, "the host's answer lacks a value");
    (node ? state.labels : state.type) = answer.values[node ? 0 : 1].bytes;
    state.properties = answer.values.back().bytes;
    if (source != nullptr) *source = answer.values[0].integer;
    if (target != nullptr) *target = answer.values[2].integer;
    if (texts.labels != nullptr) *texts.labels = state.labels.c_str();
    if (texts.type != nullptr) *texts.type = state.type.c_str();
    if (texts.properties != nullptr) *texts.properties = state.properties.c_str();
    return {};
  });
}

int32_t remote_create(braid_connection* connection, Operation operation, std::initializer_list<Value> given, const char* const* properties,
                      size_t count, int64_t* first) {
  return guard(connection, [&]() -> Status {
    // A count that cannot be is told by the host, and nothing is read.
    if (count < 1 || count > UINT32_MAX) properties = nullptr;
    std::vector<Value> values = given;
    values.push_back(Value::number(properties != nullptr ? 1 : 0));
    for (size_t i = 0; properties != nullptr && i < count; ++i) values.push_back(Value::text_or_null(properties[i]));
    return connection->state->remote->call_for_numbers(operation, std::move(values), {first});
  });
}

int32_t remote_neighbors(braid_connection* connection, std::initializer_list<Value> given, braid_neighbor* neighbors, size_t capacity,
                         size_t* count) {
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(count);
    *count = 0;
    if (neighbors == nullptr && capacity > 0) return null_argument("neighbors");
    BRAID_ASSIGN(const Message answer, connection->state->remote->call(Operation::kNeighbors, given));
    const auto found = answer.values.empty() ? std::vector<braid_neighbor>() : array_of<braid_neighbor>(answer.values[0]);
    if (found.size() > capacity) return Status(StatusCode::kInternal, "the host's answer is larger than its place");
    std::copy(found.begin(), found.end(), neighbors);
    *count = found.size();
    return {};
  });
}

Status count_argument(size_t count) {
  if (count >= 1 && count <= UINT32_MAX) return {};
  return Status(StatusCode::kInvalidArgument, "count " + std::to_string(count) + ": expected 1 to 4294967295");
}

std::span<const char* const> properties_argument(const char* const* properties, size_t count) {
  if (properties == nullptr) return {};
  return {properties, count};
}

Status node_exists(const GraphView& view, NodeId id) {
  BRAID_ASSIGN(const bool exists, view.node_exists(id));
  return exists ? Status() : Status(StatusCode::kNotFound, "there is no node " + std::to_string(id.value()));
}

}  // namespace

extern "C" {

int32_t braid_node_create(braid_connection* connection, const char* labels, const char* properties, int64_t* node) {
  if (is_remote(connection))
    return remote_call(connection, Operation::kNodeCreate, {Value::text_or_null(labels), Value::text_or_null(properties)}, {node});
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const NodeId id, create_node(open, optional_argument(labels), optional_argument(properties)));
    if (node != nullptr) *node = static_cast<int64_t>(id.value());
    return {};
  });
}

int32_t braid_node_update(braid_connection* connection, int64_t node, const char* labels, const char* properties) {
  if (is_remote(connection))
    return remote_call(connection, Operation::kNodeUpdate, {Value::number(node), Value::text_or_null(labels), Value::text_or_null(properties)});
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const NodeId id, node_argument(node, "node"));
    return update_node(open, id, optional_argument(labels), optional_argument(properties));
  });
}

int32_t braid_node_delete(braid_connection* connection, int64_t node, int32_t rule) {
  if (is_remote(connection)) return remote_call(connection, Operation::kNodeDelete, {Value::number(node), Value::number(rule)});
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const NodeId id, node_argument(node, "node"));
    if (rule != BRAID_RESTRICT && rule != BRAID_DETACH)
      return Status(StatusCode::kInvalidArgument, "rule: expected BRAID_RESTRICT or BRAID_DETACH");
    return delete_node(open, id, rule == BRAID_DETACH ? DeleteRule::kDetach : DeleteRule::kRestrict);
  });
}

int32_t braid_node_find(braid_connection* connection, const char* label, const char* property, const char* value, int64_t* node) {
  if (node != nullptr) *node = 0;
  if (is_remote(connection) && node == nullptr) return guard(connection, [] { return null_argument("node"); });
  if (is_remote(connection))
    return remote_call(connection, Operation::kNodeFind, {Value::text_or_null(label), Value::text_or_null(property), Value::text_or_null(value)},
                       {node});
  return graph_read(connection, [&](Connection& open) -> Status {
    BRAID_NOT_NULL(label);
    BRAID_NOT_NULL(property);
    BRAID_NOT_NULL(value);
    BRAID_NOT_NULL(node);
    const auto parsed = value_from_json(value);
    if (!parsed.ok()) return Status(parsed.status().code(), "value: " + parsed.status().message() + "; expected JSON, for example \"pump-7\" (with the quotes) or 12");
    BRAID_ASSIGN(const auto found, find_node(open, label, property, *parsed));
    if (found) *node = static_cast<int64_t>(found->value());
    return {};
  });
}

int32_t braid_node_read(braid_connection* connection, int64_t node, const char** labels, const char** properties) {
  if (is_remote(connection)) return remote_read(connection, Operation::kNodeRead, node, nullptr, nullptr, {labels, nullptr, properties});
  return graph_read(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const NodeId id, node_argument(node, "node"));
    BRAID_ASSIGN(const auto found, open.graph().node(id));
    if (!found) return Status(StatusCode::kNotFound, "there is no node " + std::to_string(node));
    ConnectionState& state = *connection->state;
    state.labels = labels_to_json(open, found->labels);
    BRAID_ASSIGN(state.properties, node_properties_json(open, *found));
    if (labels != nullptr) *labels = state.labels.c_str();
    if (properties != nullptr) *properties = state.properties.c_str();
    return {};
  });
}

int32_t braid_edge_create(braid_connection* connection, int64_t source, const char* type, int64_t target, const char* properties,
                          int64_t* edge) {
  if (is_remote(connection))
    return remote_call(connection, Operation::kEdgeCreate,
                       {Value::number(source), Value::text_or_null(type), Value::number(target), Value::text_or_null(properties)}, {edge});
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_NOT_NULL(type);
    BRAID_ASSIGN(const NodeId from, node_argument(source, "source"));
    BRAID_ASSIGN(const NodeId to, node_argument(target, "target"));
    BRAID_ASSIGN(const EdgeId id, create_edge(open, from, type, to, optional_argument(properties)));
    if (edge != nullptr) *edge = static_cast<int64_t>(id.value());
    return {};
  });
}

int32_t braid_nodes_create(braid_connection* connection, const char* labels, const char* const* properties, size_t count,
                           int64_t* first) {
  if (is_remote(connection))
    return remote_create(connection, Operation::kNodesCreate, {Value::text_or_null(labels), Value::number(static_cast<int64_t>(count))}, properties,
                         count, first);
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_TRY(count_argument(count));
    BRAID_ASSIGN(const NodeId id, create_nodes(open, optional_argument(labels), properties_argument(properties, count), count));
    if (first != nullptr) *first = static_cast<int64_t>(id.value());
    return {};
  }, Connection::Steps::kMany);
}

int32_t braid_edges_create(braid_connection* connection, const char* type, const int64_t* sources, const int64_t* targets,
                           const char* const* properties, size_t count, int64_t* first) {
  if (is_remote(connection))
    return remote_create(
        connection, Operation::kEdgesCreate,
        {Value::text_or_null(type), Value::number(static_cast<int64_t>(count)), Value::array(sources, count), Value::array(targets, count)},
        properties, count, first);
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_NOT_NULL(type);
    BRAID_NOT_NULL(sources);
    BRAID_NOT_NULL(targets);
    BRAID_TRY(count_argument(count));
    std::vector<NodeId> from(count), to(count);
    for (size_t i = 0; i < count; ++i) {
      BRAID_ASSIGN(from[i], node_argument(sources[i], "source"));
      BRAID_ASSIGN(to[i], node_argument(targets[i], "target"));
    }
    BRAID_ASSIGN(const EdgeId id, create_edges(open, type, from, to, properties_argument(properties, count)));
    if (first != nullptr) *first = static_cast<int64_t>(id.value());
    return {};
  }, Connection::Steps::kMany);
}

int32_t braid_edge_update(braid_connection* connection, int64_t edge, const char* properties) {
  if (is_remote(connection)) return remote_call(connection, Operation::kEdgeUpdate, {Value::number(edge), Value::text_or_null(properties)});
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const EdgeId id, edge_argument(edge));
    return update_edge(open, id, optional_argument(properties));
  });
}

int32_t braid_edge_delete(braid_connection* connection, int64_t edge) {
  if (is_remote(connection)) return remote_call(connection, Operation::kEdgeDelete, {Value::number(edge)});
  return graph_write(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const EdgeId id, edge_argument(edge));
    return open.graph_writer().delete_edge(id);
  });
}

int32_t braid_edge_read(braid_connection* connection, int64_t edge, int64_t* source, const char** type, int64_t* target,
                        const char** properties) {
  if (is_remote(connection)) return remote_read(connection, Operation::kEdgeRead, edge, source, target, {nullptr, type, properties});
  return graph_read(connection, [&](Connection& open) -> Status {
    BRAID_ASSIGN(const EdgeId id, edge_argument(edge));
    BRAID_ASSIGN(const auto found, open.graph().edge(id));
    if (!found) return Status(StatusCode::kNotFound, "there is no edge " + std::to_string(edge));
    ConnectionState& state = *connection->state;
    state.type = open.name(NameKind::kEdgeType, found->type.value());
    state.properties = edge_properties_json(open, *found);
    if (source != nullptr) *source = static_cast<int64_t>(found->source.value());
    if (target != nullptr) *target = static_cast<int64_t>(found->target.value());
    if (type != nullptr) *type = state.type.c_str();
    if (properties != nullptr) *properties = state.properties.c_str();
    return {};
  });
}

int32_t braid_neighbors(braid_connection* connection, int64_t node, int32_t direction, const char* type, braid_neighbor* neighbors,
                        size_t capacity, size_t* count) {
  if (is_remote(connection))
    return remote_neighbors(connection,
                            {Value::number(node), Value::number(direction), Value::text_or_null(type), Value::number(static_cast<int64_t>(capacity))},
                            neighbors, capacity, count);
  return graph_read(connection, [&](Connection& open) -> Status {
    BRAID_NOT_NULL(count);
    *count = 0;
    if (neighbors == nullptr && capacity > 0) return null_argument("neighbors");
    BRAID_ASSIGN(const NodeId id, node_argument(node, "node"));
    BRAID_ASSIGN(const Direction along, direction_argument(direction));
    const GraphView view = open.graph();
    std::vector<Neighbor> found;
    const std::optional<TypeId> of_type = type == nullptr ? std::nullopt : std::optional(type_for_reading(open, type));
    BRAID_TRY(view.neighbors(id, along, of_type, capacity, found));
    // A node with neighbours exists; only the empty answer needs a look.
    if (found.empty()) BRAID_TRY(node_exists(view, id));
    for (const Neighbor& neighbor : found)
      neighbors[(*count)++] = {static_cast<int64_t>(neighbor.edge.value()), static_cast<int64_t>(neighbor.node.value()),
                               static_cast<int32_t>(neighbor.direction), static_cast<int32_t>(neighbor.type.value())};
    return {};
  });
}

const char* braid_type_name(braid_connection* connection, int32_t type) {
  if (is_remote(connection)) return guard_value<const char*>(nullptr, [&] { return connection->state->remote->lend_type_name(type); });
  return guard_value<const char*>(nullptr, [&]() -> const char* {
    if (connection == nullptr || connection->state->connection == nullptr || type <= 0) return nullptr;
    const std::string& name = connection->state->connection->name(NameKind::kEdgeType, static_cast<uint32_t>(type));
    return name.empty() ? nullptr : name.c_str();
  });
}

int32_t braid_shortest_path(braid_connection* connection, int64_t source, int64_t target, int32_t direction, const char* type,
                            const char* weight, int64_t* nodes, int64_t* edges, size_t capacity, size_t* count, double* cost) {
  if (is_remote(connection))
    return remote_path(connection, Operation::kShortestPath,
                       {Value::number(source), Value::number(target), Value::number(direction), Value::text_or_null(type),
                        Value::text_or_null(weight), Value::number(static_cast<int64_t>(capacity))},
                       {nodes, edges, capacity, count, cost});
  return graph_read(connection, [&](Connection& open) -> Status {
    BRAID_NOT_NULL(count);
    *count = 0;
    BRAID_ASSIGN(const NodeId from, node_argument(source, "source"));
    BRAID_ASSIGN(const NodeId to, node_argument(target, "target"));
    MemoryShare memory = open.new_walk_memory();
    const Connection::WalkMemory counted(open, memory);
    TraversalOptions options = open.traversal_options();
    BRAID_ASSIGN(options.steps.direction, direction_argument(direction));
    if (type != nullptr) options.steps.types = {type_for_reading(open, type)};
    BRAID_ASSIGN(const auto path, find_path(open, from, to, optional_argument(weight), options));
    if (!path) return {};
    *count = path->nodes.size();
    if (cost != nullptr) *cost = path->cost;
    if (*count > capacity) return {};
    for (size_t i = 0; nodes != nullptr && i < path->nodes.size(); ++i) nodes[i] = static_cast<int64_t>(path->nodes[i].value());
    for (size_t i = 0; edges != nullptr && i < path->edges.size(); ++i) edges[i] = static_cast<int64_t>(path->edges[i].value());
    return {};
  });
}

}  // extern "C"
