#include "engine/row_reader.h"

#include <algorithm>

#include "engine/coding.h"
#include "engine/long_call.h"

namespace braid {

namespace {

// Kinds of b-tree pages.
constexpr uint8_t kInteriorIndex = 2;
constexpr uint8_t kInteriorTable = 5;
constexpr uint8_t kLeafIndex = 10;
constexpr uint8_t kLeafTable = 13;

constexpr uint32_t kMapEntryBytes = 5;
constexpr uint32_t kMapEntries = kUsableBytes / kMapEntryBytes;
constexpr uint64_t kPayloadBytesMax = uint64_t{1} << 31;
constexpr int kDepthMax = 64;

uint16_t big16(std::string_view page, size_t at) { return load_big_endian<uint16_t>(page.data() + at); }
uint32_t big32(std::string_view page, size_t at) { return load_big_endian<uint32_t>(page.data() + at); }

/// The page of the pointer map that tells of `page`, which is above 1.
uint32_t map_page_of(uint32_t page) {
  const uint32_t first = (page - 2) / (kMapEntries + 1) * (kMapEntries + 1) + 2;
  return first == kLockPage ? first + 1 : first;
}

bool is_interior(uint8_t kind) { return kind == kInteriorIndex || kind == kInteriorTable; }
bool is_tree(uint8_t kind) { return is_interior(kind) || kind == kLeafIndex || kind == kLeafTable; }

/// Bytes of the serial types 1 to 6.
constexpr size_t kIntegerBytes[] = {0, 1, 2, 3, 4, 6, 8};

bool take_value(uint64_t type, std::string_view& body, StoredValue& value) {
  value = {};
  size_t size = 0;
  if (type >= 12) {
    value.kind = type % 2 == 0 ? StoredValue::Kind::kBlob : StoredValue::Kind::kText;
    if ((type - 12) / 2 > body.size()) return false;
    size = (type - 12) / 2;
    value.bytes = body.substr(0, size);
  } else if (type == 7) {
    size = 8;
    if (body.size() < size) return false;
    value.kind = StoredValue::Kind::kReal;
    value.real = std::bit_cast<double>(load_big_endian<uint64_t>(body.data()));
  } else if (type == 8 || type == 9) {
    value.kind = StoredValue::Kind::kInteger;
    value.integer = type == 9 ? 1 : 0;
  } else if (type >= 1 && type <= 6) {
    size = kIntegerBytes[type];
    if (body.size() < size) return false;
    value.kind = StoredValue::Kind::kInteger;
    uint64_t bits = (static_cast<uint8_t>(body[0]) & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; ++i) bits = bits << 8 | static_cast<uint8_t>(body[i]);
    value.integer = static_cast<int64_t>(bits);
  } else if (type != 0) {
    return false;
  }
  body.remove_prefix(size);
  return true;
}

/// Where the cells of a page are; empty when the page is none of a b-tree.
std::vector<uint16_t> cells_of(std::string_view page, bool first) {
  const size_t header = first ? 100 : 0;
  const auto kind = static_cast<uint8_t>(page[header]);
  std::vector<uint16_t> cells;
  if (!is_tree(kind)) return cells;
  const size_t start = header + (is_interior(kind) ? 12 : 8);
  const size_t count = big16(page, header + 3);
  for (size_t i = 0; i < count && start + 2 * i + 2 <= kUsableBytes; ++i) {
    const uint16_t at = big16(page, start + 2 * i);
    if (at >= start && at < kUsableBytes) cells.push_back(at);
  }
  return cells;
}

/// The children of an interior page.
std::vector<uint32_t> children_of(std::string_view page, bool first) {
  const size_t header = first ? 100 : 0;
  std::vector<uint32_t> children;
  if (!is_interior(static_cast<uint8_t>(page[header]))) return children;
  for (const uint16_t at : cells_of(page, first))
    if (at + 4U <= kUsableBytes) children.push_back(big32(page, at));
  children.push_back(big32(page, header + 8));
  return children;
}

}  // namespace

RowReader::RowReader(const PageSource& pages) : pages_(pages), places_(size_t{pages.count()} + 1), root_(size_t{pages.count()} + 1) {
  read_pointer_map();
  find_roots();
}

void RowReader::read_pointer_map() {
  std::string map;
  uint32_t map_page = 0;
  bool sound = false;
  for (uint32_t page = 2; page <= pages_.count(); ++page) {
    const uint32_t wanted = map_page_of(page);
    if (wanted != map_page) sound = pages_.read(map_page = wanted, map);
    if (page == wanted || !sound) continue;
    const size_t at = size_t{page - wanted - 1} * kMapEntryBytes;
    if (at + kMapEntryBytes > kUsableBytes) continue;
    const auto kind = static_cast<uint8_t>(map[at]);
    constexpr PageKind kKinds[] = {PageKind::kUnknown,  PageKind::kRoot,     PageKind::kFree,
                                   PageKind::kOverflow, PageKind::kOverflow, PageKind::kChild};
    places_[page] = {kind < std::size(kKinds) ? kKinds[kind] : PageKind::kUnknown, big32(map, at + 1)};
  }
  if (pages_.count() > 0) places_[1].kind = PageKind::kRoot;
}

uint32_t RowReader::root_above(uint32_t page) const {
  for (int depth = 0; depth < kDepthMax; ++depth) {
    if (page == 0 || page > pages_.count()) return 0;
    if (places_[page].kind == PageKind::kRoot) return page;
    if (places_[page].kind != PageKind::kChild) return 0;
    page = places_[page].parent;
  }
  return 0;
}

void RowReader::find_roots() {
  for (uint32_t page = 1; page <= pages_.count(); ++page) root_[page] = root_above(page);
  std::string bytes;
  // What a damaged page of the map does not tell is found by going down.
  for (bool more = true; more;) {
    more = false;
    for (uint32_t page = 1; page <= pages_.count(); ++page) {
      if (root_[page] == 0 || !pages_.read(page, bytes)) continue;
      for (const uint32_t child : children_of(bytes, page == 1)) {
        if (child == 0 || child > pages_.count() || root_[child] != 0 || places_[child].kind != PageKind::kUnknown) continue;
        root_[child] = root_[page];
        more = true;
      }
    }
  }
}

Status RowReader::visit(uint32_t root, const std::function<Status(const StoredRow&)>& visit) {
  lost_pages_.clear();
  lost_rows_ = 0;
  if (root == 0 || root > pages_.count()) return {};
  visited_.push_back(root);
  root_[root] = root;
  std::string page;
  for (uint32_t number = 1; number <= pages_.count(); ++number) {
    if (root_[number] != root) continue;
    BRAID_TRY(LongCall::check());
    if (!pages_.read(number, page)) {
      lost_pages_.push_back(number);
      continue;
    }
    // Where the map does not tell of a root, what is below it is not known yet.
    for (const uint32_t child : children_of(page, number == 1))
      if (child > number && child <= pages_.count() && root_[child] == 0 && places_[child].kind == PageKind::kUnknown) root_[child] = root;
    BRAID_TRY(visit_page(page, number == 1, visit));
  }
  return {};
}

Status RowReader::visit_page(std::string_view page, bool first, const std::function<Status(const StoredRow&)>& visit) {
  const auto kind = static_cast<uint8_t>(page[first ? 100 : 0]);
  if (!is_tree(kind) || kind == kInteriorTable) return {};
  StoredRow row;
  for (const uint16_t at : cells_of(page, first)) {
    if (read_cell(page, at, kind, row)) {
      BRAID_TRY(visit(row));
    } else {
      ++lost_rows_;
    }
  }
  return {};
}

bool RowReader::read_cell(std::string_view page, size_t at, uint8_t kind, StoredRow& row) {
  std::string_view cell = page.substr(0, kUsableBytes).substr(at);
  if (kind == kInteriorIndex) {
    if (cell.size() < 4) return false;
    cell.remove_prefix(4);
  }
  uint64_t payload_bytes = 0;
  uint64_t rowid = 0;
  if (!take_sqlite_varint(cell, payload_bytes) || payload_bytes > kPayloadBytesMax) return false;
  if (kind == kLeafTable && !take_sqlite_varint(cell, rowid)) return false;
  row.rowid = static_cast<int64_t>(rowid);
  return gather(cell, payload_bytes, kind == kLeafTable, payload_) && decode(payload_, row);
}

/// The payload of a cell: what is in its page, and what is in a chain of others.
bool RowReader::gather(std::string_view cell, uint64_t payload_bytes, bool table, std::string& out) const {
  constexpr uint64_t kOverflowBytes = kUsableBytes - 4;
  const uint64_t local_max = table ? kUsableBytes - 35 : (kUsableBytes - 12) * 64 / 255 - 23;
  const uint64_t local_min = (kUsableBytes - 12) * 32 / 255 - 23;
  uint64_t local = payload_bytes;
  if (payload_bytes > local_max) {
    local = local_min + (payload_bytes - local_min) % kOverflowBytes;
    if (local > local_max) local = local_min;
  }
  if (cell.size() < local + (local < payload_bytes ? 4 : 0)) return false;
  if ((payload_bytes - local) / kOverflowBytes > pages_.count()) return false;
  out.assign(cell.substr(0, local));
  uint32_t next = local < payload_bytes ? big32(cell, local) : 0;
  std::string page;
  while (out.size() < payload_bytes) {
    if (next == 0 || next > pages_.count() || places_[next].kind == PageKind::kFree || !pages_.read(next, page)) return false;
    out.append(page, 4, std::min(kOverflowBytes, payload_bytes - out.size()));
    next = big32(page, 0);
  }
  return true;
}

bool RowReader::decode(std::string_view record, StoredRow& row) {
  row.values.clear();
  std::string_view header = record;
  uint64_t header_bytes = 0;
  if (!take_sqlite_varint(header, header_bytes) || header_bytes > record.size() || header_bytes < record.size() - header.size()) return false;
  std::string_view body = record.substr(header_bytes);
  header = header.substr(0, header_bytes - (record.size() - header.size()));
  while (!header.empty()) {
    uint64_t type = 0;
    StoredValue value;
    if (!take_sqlite_varint(header, type) || !take_value(type, body, value)) return false;
    row.values.push_back(value);
  }
  return true;
}

std::vector<uint32_t> RowReader::unvisited_tables() const {
  std::vector<uint32_t> roots;
  std::string bytes;
  for (uint32_t page = 2; page <= pages_.count(); ++page) {
    if (root_[page] != page || std::find(visited_.begin(), visited_.end(), page) != visited_.end()) continue;
    if (!pages_.read(page, bytes)) continue;
    const auto kind = static_cast<uint8_t>(bytes[0]);
    if (kind == kLeafTable || kind == kInteriorTable) roots.push_back(page);
  }
  return roots;
}

}  // namespace braid
