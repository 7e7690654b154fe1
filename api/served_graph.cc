// What a client asks of the graph.
#include <algorithm>

#include "api/served_session.h"

namespace braid {

namespace {

using Session = ServedSession;
using Given = CallArguments;

/// How much an answer has room for before it is known how much there is.
constexpr size_t kFirstCapacity = 4096;

int32_t node_create(Session& session, const Given& given, Reply& reply) {
  int64_t node = 0;
  const int32_t code = braid_node_create(session.connection(), given.text(0), given.text(1), &node);
  reply.add(node);
  return code;
}

int32_t node_find(Session& session, const Given& given, Reply& reply) {
  int64_t node = 0;
  const int32_t code = braid_node_find(session.connection(), given.text(0), given.text(1), given.text(2), &node);
  reply.add(node);
  return code;
}

int32_t node_read(Session& session, const Given& given, Reply& reply) {
  const char* labels = nullptr;
  const char* properties = nullptr;
  const int32_t code = braid_node_read(session.connection(), given.number(0), &labels, &properties);
  reply.add_text_or_null(labels);
  reply.add_text_or_null(properties);
  return code;
}

int32_t edge_create(Session& session, const Given& given, Reply& reply) {
  int64_t edge = 0;
  const int32_t code = braid_edge_create(session.connection(), given.number(0), given.text(1), given.number(2), given.text(3), &edge);
  reply.add(edge);
  return code;
}

/// Labels, how many, are there properties, then those.
int32_t nodes_create(Session& session, const Given& given, Reply& reply) {
  const size_t count = given.size(1);
  const bool described = given.number(2) != 0;
  if (described && !given.holds(3, count)) return reply.refuse_broken();
  const auto properties = given.texts(3, described ? count : 0);
  int64_t first = 0;
  const int32_t code = braid_nodes_create(session.connection(), given.text(0), described ? properties.data() : nullptr, count, &first);
  reply.add(first);
  return code;
}

/// Type, how many, sources, targets, are there properties, then those.
int32_t edges_create(Session& session, const Given& given, Reply& reply) {
  const size_t count = given.size(1);
  const auto sources = array_of<int64_t>(given.value(2)), targets = array_of<int64_t>(given.value(3));
  const bool described = given.number(4) != 0;
  if (described && !given.holds(5, count)) return reply.refuse_broken();
  for (const size_t i : {size_t{2}, size_t{3}})
    if (given.value(i).type == Value::Type::kBlob && given.value(i).bytes.size() / sizeof(int64_t) != count) return reply.refuse_broken();
  const auto properties = given.texts(5, described ? count : 0);
  const int64_t none = 0;
  const auto array = [&](size_t i, const std::vector<int64_t>& values) -> const int64_t* {
    if (given.value(i).type != Value::Type::kBlob) return nullptr;
    return values.empty() ? &none : values.data();
  };
  int64_t first = 0;
  const int32_t code = braid_edges_create(session.connection(), given.text(0), array(2, sources), array(3, targets),
                                          described ? properties.data() : nullptr, count, &first);
  reply.add(first);
  return code;
}

int32_t edge_read(Session& session, const Given& given, Reply& reply) {
  int64_t source = 0, target = 0;
  const char* type = nullptr;
  const char* properties = nullptr;
  const int32_t code = braid_edge_read(session.connection(), given.number(0), &source, &type, &target, &properties);
  reply.add(source);
  reply.add_text_or_null(type);
  reply.add(target);
  reply.add_text_or_null(properties);
  return code;
}

int32_t neighbors(Session& session, const Given& given, Reply& reply) {
  const size_t wanted = given.size(3);
  std::vector<braid_neighbor> found;
  size_t count = 0;
  // The room grows with what is found, not with what is asked for.
  for (size_t capacity = std::min(wanted, kFirstCapacity);; capacity = std::min(wanted, capacity * 4)) {
    found.resize(std::max<size_t>(capacity, 1));
    const int32_t code = braid_neighbors(session.connection(), given.number(0), given.number32(1), given.text(2), found.data(), capacity, &count);
    if (code != BRAID_OK) return code;
    if (count < capacity || capacity == wanted) break;
  }
  reply.add_array(found.data(), count);
  return BRAID_OK;
}

/// Calls `find(capacity)`, which tells how many there are, with as much room as it takes and is wanted.
template <typename Find>
int32_t find_with_room(size_t wanted, const size_t& count, Find find) {
  const size_t first = std::min(wanted, kFirstCapacity);
  const int32_t code = find(first);
  if (code != BRAID_OK || count <= first || first == wanted) return code;
  return find(std::min(wanted, count));
}

/// Nodes and edges of a path, or how many there are when that is more than is wanted.
void add_path(size_t count, size_t wanted, const std::vector<int64_t>& nodes, const std::vector<int64_t>& edges, Reply& reply) {
  const bool fits = count > 0 && count <= wanted;
  reply.add(static_cast<int64_t>(count));
  reply.add_array(nodes.data(), fits ? count : 0);
  reply.add_array(edges.data(), fits ? count - 1 : 0);
}

int32_t shortest_path(Session& session, const Given& given, Reply& reply) {
  const size_t wanted = given.size(5);
  std::vector<int64_t> nodes, edges;
  size_t count = 0;
  double cost = 0;
  const int32_t code = find_with_room(wanted, count, [&](size_t capacity) {
    nodes.resize(capacity + 1);
    edges.resize(capacity + 1);
    return braid_shortest_path(session.connection(), given.number(0), given.number(1), given.number32(2), given.text(3), given.text(4), nodes.data(),
                               edges.data(), capacity, &count, &cost);
  });
  add_path(count, wanted, nodes, edges, reply);
  reply.add_real(cost);
  return code;
}

int32_t type_name(Session& session, const Given& given, Reply& reply) {
  reply.add_text_or_null(braid_type_name(session.connection(), given.number32(0)));
  return BRAID_OK;
}

int32_t algorithm(Session& session, const Given& given, Reply& reply) {
  braid_statement* statement = nullptr;
  const int32_t code = braid_algorithm(session.connection(), given.text(0), given.text(1), given.text(2), &statement);
  return add_statement(session, code, statement, 0, reply);
}

int32_t algorithm_write(Session& session, const Given& given, Reply& reply) {
  int64_t count = 0;
  const int32_t code = braid_algorithm_write(session.connection(), given.text(0), given.text(1), given.text(2), given.text(3), given.text(4), &count);
  reply.add(count);
  return code;
}

int32_t expand(Session& session, const Given& given, Reply& reply) {
  const braid_expand_options options = {sizeof options, given.number32(1), given.number32(2), given.number32(3), given.text(4), given.text(5), given.text(6), given.number(7)};
  braid_statement* statement = nullptr;
  const int32_t code = braid_expand(session.connection(), given.number(0), &options, &statement);
  return add_statement(session, code, statement, 0, reply);
}

int32_t projection_create(Session& session, const Given& given, Reply&) {
  const braid_projection_options options = {sizeof options, given.text(1), given.text(2), given.text(3), given.number32(4)};
  return braid_projection_create(session.connection(), given.text(0), &options);
}

int32_t projections(Session& session, const Given&, Reply& reply) {
  braid_statement* statement = nullptr;
  const int32_t code = braid_projections(session.connection(), &statement);
  return add_statement(session, code, statement, 0, reply);
}

int32_t projection_open(Session& session, const Given& given, Reply& reply) {
  braid_projection* projection = nullptr;
  const int32_t code = braid_projection_open(session.connection(), given.text(0), &projection);
  reply.add(code == BRAID_OK ? static_cast<int64_t>(session.projections.add(projection)) : 0);
  return code;
}

int32_t projection_close(Session& session, const Given& given, Reply&) {
  braid_projection_close(session.projections.take(given.handle()));
  return BRAID_OK;
}

int32_t projection_size(Session& session, const Given& given, Reply& reply) {
  int64_t nodes = 0, edges = 0, bytes = 0;
  const int32_t code = braid_projection_size(session.projections.find(given.handle()), &nodes, &edges, &bytes);
  for (const int64_t figure : {nodes, edges, bytes}) reply.add(figure);
  return code;
}

int32_t projection_hops(Session& session, const Given& given, Reply& reply) {
  const size_t wanted = given.size(3);
  std::vector<int64_t> nodes;
  size_t count = 0;
  const int32_t code = find_with_room(wanted, count, [&](size_t capacity) {
    nodes.resize(capacity + 1);
    return braid_projection_hops(session.projections.find(given.handle()), given.number(0), static_cast<uint32_t>(given.number(1)), given.number32(2),
                                 nodes.data(), capacity, &count);
  });
  reply.add(static_cast<int64_t>(count));
  reply.add_array(nodes.data(), std::min({count, wanted, nodes.size()}));
  return code;
}

int32_t projection_path(Session& session, const Given& given, Reply& reply) {
  const size_t wanted = given.size(3);
  std::vector<int64_t> nodes, edges;
  size_t count = 0;
  const int32_t code = find_with_room(wanted, count, [&](size_t capacity) {
    nodes.resize(capacity + 1);
    edges.resize(capacity + 1);
    return braid_projection_path(session.projections.find(given.handle()), given.number(0), given.number(1), given.number32(2), nodes.data(),
                                 edges.data(), capacity, &count);
  });
  add_path(count, wanted, nodes, edges, reply);
  return code;
}

constexpr ServedCall kGraphCalls[] = {
    {Operation::kNodeCreate, node_create},
    {Operation::kNodeUpdate, [](Session& session, const Given& given,
                                Reply&) { return braid_node_update(session.connection(), given.number(0), given.text(1), given.text(2)); }},
    {Operation::kNodeDelete,
     [](Session& session, const Given& given, Reply&) { return braid_node_delete(session.connection(), given.number(0), given.number32(1)); }},
    {Operation::kNodeFind, node_find},
    {Operation::kNodeRead, node_read},
    {Operation::kEdgeCreate, edge_create},
    {Operation::kNodesCreate, nodes_create},
    {Operation::kEdgesCreate, edges_create},
    {Operation::kEdgeUpdate,
     [](Session& session, const Given& given, Reply&) { return braid_edge_update(session.connection(), given.number(0), given.text(1)); }},
    {Operation::kEdgeDelete, [](Session& session, const Given& given, Reply&) { return braid_edge_delete(session.connection(), given.number(0)); }},
    {Operation::kEdgeRead, edge_read},
    {Operation::kNeighbors, neighbors},
    {Operation::kTypeName, type_name},
    {Operation::kShortestPath, shortest_path},
    {Operation::kAlgorithm, algorithm},
    {Operation::kAlgorithmWrite, algorithm_write},
    {Operation::kExpand, expand},
    {Operation::kProjectionCreate, projection_create},
    {Operation::kProjectionDrop, [](Session& session, const Given& given, Reply&) { return braid_projection_drop(session.connection(), given.text(0)); }},
    {Operation::kProjections, projections},
    {Operation::kProjectionOpen, projection_open},
    {Operation::kProjectionClose, projection_close},
    {Operation::kProjectionSize, projection_size},
    {Operation::kProjectionHops, projection_hops},
    {Operation::kProjectionPath, projection_path},
};

}  // namespace

std::span<const ServedCall> served_graph_calls() { return kGraphCalls; }

}  // namespace braid
