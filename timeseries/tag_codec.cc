#include "timeseries/tag_codec.h"

#include "engine/coding.h"

namespace braid {

// Each tag is a varint: 0 for NULL, else the length plus one, followed by the bytes.

std::string encode_tags(const std::vector<std::optional<std::string_view>>& tags) {
  std::string out;
  for (const auto& tag : tags) {
    append_varint(out, tag.has_value() ? tag->size() + 1 : 0);
    if (tag.has_value()) out.append(*tag);
  }
  return out;
}

Result<TagValues> decode_tags(std::string_view bytes) {
  ByteReader in(bytes);
  TagValues tags;
  while (!in.done()) {
    uint64_t length;
    if (!in.varint(length)) return Status(StatusCode::kCorrupt, "series tags: damaged length");
    if (length == 0) {
      tags.emplace_back(std::nullopt);
      continue;
    }
    std::string_view text;
    if (!in.bytes(length - 1, text)) return Status(StatusCode::kCorrupt, "series tags: cut short");
    tags.emplace_back(std::string(text));
  }
  return tags;
}

}  // namespace braid
