#include "cli/result_row.h"

#include "cli/session.h"

namespace braid::cli {

std::vector<std::string> column_names(braid_statement* statement) {
  std::vector<std::string> names;
  const int32_t count = braid_column_count(statement);
  for (int32_t i = 0; i < count; ++i) names.emplace_back(braid_column_name(statement, i));
  return names;
}

Cell cell_of(braid_statement* statement, int32_t column) {
  Cell cell{.type = braid_column_type(statement, column)};
  int64_t size = 0;
  switch (cell.type) {
    case BRAID_TYPE_INT64:
      cell.integer = braid_column_int64(statement, column);
      break;
    case BRAID_TYPE_DOUBLE:
      cell.real = braid_column_double(statement, column);
      break;
    case BRAID_TYPE_TEXT:
      cell.text = column_text(statement, column);
      break;
    case BRAID_TYPE_BLOB: {
      const void* bytes = braid_column_blob(statement, column, &size);
      // Safety: the bytes are borrowed until the next step, and the row is written before it.
      if (bytes != nullptr)
        cell.text = {static_cast<const char*>(bytes), static_cast<size_t>(size)};
      break;
    }
    default:
      break;
  }
  return cell;
}

void read_cells(braid_statement* statement, std::vector<Cell>* cells) {
  for (size_t i = 0; i < cells->size(); ++i) {
    (*cells)[i] = cell_of(statement, static_cast<int32_t>(i));
  }
}

}  // namespace braid::cli
