// Edges of one type created together, and their bytes in a commit record.
//
// Layout (docs/log_format.md): the count, whether they have properties, then per edge the zigzag varint deltas of source and target to
// those of the edge before, and the encoded properties with their length.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// Edge i is `first` + i, from sources[i] to targets[i]. Borrows its parts.
struct EdgeRun {
  TypeId type;
  EdgeId first;
  std::span<const NodeId> sources;
  std::span<const NodeId> targets;                ///< as many
  std::span<const std::string_view> properties;   ///< encoded; as many, or none: no edge has any

  size_t size() const { return sources.size(); }
  EdgeId id(size_t index) const { return EdgeId(first.value() + index); }
  std::string_view properties_of(size_t index) const { return properties.empty() ? no_properties() : properties[index]; }

 private:
  /// The encoding of none.
  static std::string_view no_properties();
};

std::string encode_edge_run(const EdgeRun& run);

/// A run with its parts; properties are borrowed from the bytes.
class DecodedEdgeRun {
 public:
  /// kCorrupt for bytes that are no run.
  static Result<DecodedEdgeRun> decode(TypeId type, EdgeId first, std::string_view bytes);
  EdgeRun run() const { return {type_, first_, sources_, targets_, properties_}; }

 private:
  TypeId type_;
  EdgeId first_;
  std::vector<NodeId> sources_;
  std::vector<NodeId> targets_;
  std::vector<std::string_view> properties_;
};

/// The order of the places of `nodes` in which the nodes ascend; equal ones stay in order. At most 2^32 - 1 places.
std::vector<uint32_t> order_by_node(std::span<const NodeId> nodes);

}  // namespace braid
