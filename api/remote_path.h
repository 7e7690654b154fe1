// A path that another process found, where the caller wants it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "api/c_guard.h"

namespace braid {

/// As braid_shortest_path takes it.
struct PathPlace {
  int64_t* nodes;
  int64_t* edges;
  size_t capacity;
  size_t* count;
  double* cost = nullptr;
};

template <typename Handle>
int32_t remote_path(Handle* handle, Operation operation, std::initializer_list<Value> values, PathPlace place, uint64_t number = 0) noexcept {
  return guard(handle, [&]() -> Status {
    const auto [nodes, edges, capacity, count, cost] = place;
    BRAID_NOT_NULL(count);
    *count = 0;
    BRAID_ASSIGN(const Message answer, handle->state->remote->call(operation, values, number));
    if (answer.values.size() < 3) return Status(StatusCode::kInternal, "the host's answer lacks a value");
    *count = static_cast<size_t>(answer.values[0].integer);
    if (cost != nullptr && *count > 0) *cost = answer.values.back().real;
    const auto on_nodes = array_of<int64_t>(answer.values[1]), on_edges = array_of<int64_t>(answer.values[2]);
    if (nodes != nullptr) std::copy_n(on_nodes.begin(), std::min(on_nodes.size(), capacity), nodes);
    if (edges != nullptr) std::copy_n(on_edges.begin(), std::min(on_edges.size(), capacity), edges);
    return {};
  });
}

}  // namespace braid
