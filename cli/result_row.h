// A statement's row as the cells that results are written from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/output.h"

namespace braid::cli {

std::vector<std::string> column_names(braid_statement* statement);

/// A value of the row that is ready; it borrows its text until the next step.
Cell cell_of(braid_statement* statement, int32_t column);

/// All of them. `cells` is as long as the row.
void read_cells(braid_statement* statement, std::vector<Cell>* cells);

}  // namespace braid::cli
