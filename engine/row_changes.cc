#include "engine/row_changes.h"

#include <bit>

#include "engine/coding.h"

namespace braid {

void append_cell(std::string& out, const RowCell& cell) {
  out += static_cast<char>(cell.type);
  switch (cell.type) {
    case RowCell::Type::kNull:
    case RowCell::Type::kUnknown:
      return;
    case RowCell::Type::kInteger:
      append_fixed(out, static_cast<uint64_t>(cell.integer));
      return;
    case RowCell::Type::kReal:
      append_fixed(out, std::bit_cast<uint64_t>(cell.real));
      return;
    case RowCell::Type::kText:
    case RowCell::Type::kBlob:
      append_fixed(out, static_cast<uint64_t>(cell.bytes.size()));
      out += cell.bytes;
      return;
  }
}

RowCell take_cell(std::string_view bytes, size_t& at) {
  RowCell cell;
  cell.type = static_cast<RowCell::Type>(bytes[at++]);
  if (cell.type == RowCell::Type::kNull || cell.type == RowCell::Type::kUnknown) return cell;
  const auto number = load_fixed<uint64_t>(bytes.data() + at);
  at += sizeof number;
  switch (cell.type) {
    case RowCell::Type::kNull:
    case RowCell::Type::kUnknown:
      break;
    case RowCell::Type::kInteger:
      cell.integer = static_cast<int64_t>(number);
      break;
    case RowCell::Type::kReal:
      cell.real = std::bit_cast<double>(number);
      break;
    case RowCell::Type::kText:
    case RowCell::Type::kBlob:
      cell.bytes = bytes.substr(at, number);
      at += number;
      break;
  }
  return cell;
}

uint64_t RowChanges::bytes() const {
  uint64_t size = cells.size() + events.size() * sizeof(RowEvent) + tables.size() * sizeof(tables[0]);
  for (const SchemaChange& change : schema) {
    size += sizeof change + change.name.size() + change.table.size() + change.was.size() + change.sql.size();
    for (const std::string& column : change.columns) size += sizeof column + column.size();
  }
  return size;
}

}  // namespace braid
