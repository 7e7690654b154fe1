#include "graph/node_format.h"

#include "engine/coding.h"

namespace braid {

std::string encode_node(const std::vector<LabelId>& labels, const Properties& properties) {
  std::string out;
  append_varint(out, labels.size());
  for (const LabelId label : labels) append_varint(out, label.value());
  return out + encode_properties(properties);
}

Status decode_node(std::string_view bytes, Node& out) {
  const Status damaged(StatusCode::kCorrupt, "the node's bytes are damaged");
  ByteReader reader(bytes);
  uint64_t count;
  if (!reader.varint(count) || count > reader.remaining()) return damaged;
  out.labels.clear();
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t label;
    if (!reader.varint(label) || label > UINT32_MAX) return damaged;
    const LabelId id(static_cast<uint32_t>(label));
    if (!out.labels.empty() && id <= out.labels.back()) return damaged;
    out.labels.push_back(id);
  }
  BRAID_ASSIGN(out.properties, decode_properties(bytes.substr(bytes.size() - reader.remaining())));
  return {};
}

}  // namespace braid
