// Edges of one type at one node removed together, and their bytes in a commit record.
//
// Layout (docs/log_format.md): the count, 0 if they leave the node else 1, the node, then per edge the varint delta of its id and the
// zigzag varint delta of its other end to those of the edge before.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// Edge `edges[i]` is between `node` and neighbors[i]. Borrows its parts.
struct RemovalRun {
  TypeId type;
  NodeId node;
  bool outgoing = true;               ///< they leave the node, else they reach it
  std::span<const EdgeId> edges;      ///< in ascending order, each once
  std::span<const NodeId> neighbors;  ///< as many

  size_t size() const { return edges.size(); }
};

std::string encode_removal_run(const RemovalRun& run);

/// A run with its parts.
class DecodedRemovalRun {
 public:
  /// kCorrupt for bytes that are no run.
  static Result<DecodedRemovalRun> decode(TypeId type, std::string_view bytes);
  RemovalRun run() const { return {type_, node_, outgoing_, edges_, neighbors_}; }

 private:
  TypeId type_;
  NodeId node_;
  bool outgoing_ = true;
  std::vector<EdgeId> edges_;
  std::vector<NodeId> neighbors_;
};

}  // namespace braid
