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

/// Copies the block without what is in `removed`, with `row` (if any) in its place, which is `slot`.
bool rebuild(std::string& block, uint16_t removed, unsigned slot, const EdgeRow* row) {
  std::string out(sizeof(uint16_t), '\0');
  out.reserve(block.size());
  uint16_t present = 0;
  bool placed = row == nullptr;
  auto place = [&] {
    append_row(out, *row);
    present = static_cast<uint16_t>(present | edge_slot_bit(slot));
    placed = true;
  };
  const bool sound =
      visit_edge_block(block, [&](unsigned other, const EdgeRow&, std::string_view bytes) {
        if (!placed && other >= slot) place();
        if ((removed >> other & 1) != 0) return true;
        out.append(bytes);
        present = static_cast<uint16_t>(present | edge_slot_bit(other));
        return true;
      });
  if (!sound) return false;
  if (!placed) place();
  if (present == 0) {
    block.clear();
    return true;
  }
  store_presence(out, present);
  block = std::move(out);
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
  if (present >> slot != 0) return rebuild(block, edge_slot_bit(slot), slot, &row);
  append_row(block, row);
  store_presence(block, static_cast<uint16_t>(present | edge_slot_bit(slot)));
  return true;
}

bool remove_edge_rows(std::string& block, uint16_t slots) { return rebuild(block, slots, 0, nullptr); }

}  // namespace braid
