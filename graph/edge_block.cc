#include "graph/edge_block.h"

namespace braid {
namespace {

void append_row(std::string& out, const EdgeRow& row) {
  append_varint(out, row.source.value());
  append_varint(out, row.target.value());
  append_varint(out, row.type.value());
  append_text(out, row.properties);
}

void store_presence(std::string& block, uint16_t present) {
  std::string bytes;
  append_fixed(bytes, present);
  block.replace(0, sizeof(present), bytes);
}

/// Copies the block without `slot`, with `row` (if any) in its place.
bool rebuild(std::string& block, unsigned slot, const EdgeRow* row) {
  std::string rows;
  uint16_t present = 0;
  bool placed = row == nullptr;
  auto place = [&] {
    append_row(rows, *row);
    present = static_cast<uint16_t>(present | 1u << slot);
    placed = true;
  };
  const bool sound =
      visit_edge_block(block, [&](unsigned other, const EdgeRow&, std::string_view bytes) {
        if (!placed && other >= slot) place();
        if (other == slot) return true;
        rows.append(bytes);
        present = static_cast<uint16_t>(present | 1u << other);
        return true;
      });
  if (!sound) return false;
  if (!placed) place();
  if (present == 0) {
    block.clear();
    return true;
  }
  std::string bytes;
  append_fixed(bytes, present);
  block = bytes + rows;
  return true;
}

}  // namespace

bool read_edge_row(ByteReader& reader, EdgeRow& out) {
  uint64_t source, target, type;
  if (!reader.varint(source) || !reader.varint(target) || !reader.varint(type)) return false;
  if (type > UINT32_MAX || !reader.text(out.properties)) return false;
  out.source = NodeId(source);
  out.target = NodeId(target);
  out.type = TypeId(static_cast<uint32_t>(type));
  return true;
}

bool find_edge_row(std::string_view block, unsigned slot, EdgeRow& out, bool& found) {
  found = false;
  return visit_edge_block(block, [&](unsigned other, const EdgeRow& row, std::string_view) {
    if (other == slot) {
      out = row;
      found = true;
    }
    return other < slot;
  });
}

bool put_edge_row(std::string& block, unsigned slot, const EdgeRow& row) {
  if (block.empty()) block.assign(sizeof(uint16_t), '\0');
  if (block.size() < sizeof(uint16_t)) return false;
  const auto present = load_fixed<uint16_t>(block.data());
  if (present >> slot != 0) return rebuild(block, slot, &row);
  append_row(block, row);
  store_presence(block, static_cast<uint16_t>(present | 1u << slot));
  return true;
}

bool remove_edge_row(std::string& block, unsigned slot) { return rebuild(block, slot, nullptr); }

}  // namespace braid
