#include "graph/removal_run.h"

#include "engine/coding.h"

namespace braid {
namespace {

constexpr uint64_t kRemovalBytesMin = 2;

}  // namespace

std::string encode_removal_run(const RemovalRun& run) {
  std::string out;
  out.reserve(16 + run.size() * 4);
  append_varint(out, run.size());
  append_varint(out, run.outgoing ? 0 : 1);
  append_varint(out, run.node.value());
  uint64_t edge = 0, neighbor = 0;
  for (size_t i = 0; i < run.size(); ++i) {
    append_varint(out, run.edges[i].value() - edge);
    append_varint(out, zigzag(static_cast<int64_t>(run.neighbors[i].value() - neighbor)));
    edge = run.edges[i].value();
    neighbor = run.neighbors[i].value();
  }
  out.shrink_to_fit();
  return out;
}

Result<DecodedRemovalRun> DecodedRemovalRun::decode(TypeId type, std::string_view bytes) {
  const Status damaged(StatusCode::kCorrupt, "the commit record has a damaged run of removed edges");
  ByteReader reader(bytes);
  uint64_t count, incoming, node;
  if (!reader.varint(count) || !reader.varint(incoming) || !reader.varint(node) || incoming > 1) return damaged;
  if (count > reader.remaining() / kRemovalBytesMin) return damaged;
  DecodedRemovalRun out;
  out.type_ = type;
  out.node_ = NodeId(node);
  out.outgoing_ = incoming == 0;
  out.edges_.reserve(count);
  out.neighbors_.reserve(count);
  uint64_t edge = 0, neighbor = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t edge_delta, neighbor_delta;
    if (!reader.varint(edge_delta) || !reader.varint(neighbor_delta)) return damaged;
    if (edge_delta == 0 || edge_delta > UINT64_MAX - edge) return damaged;
    edge += edge_delta;
    neighbor += static_cast<uint64_t>(unzigzag(neighbor_delta));
    out.edges_.emplace_back(edge);
    out.neighbors_.emplace_back(neighbor);
  }
  if (!reader.done()) return damaged;
  return out;
}

}  // namespace braid
