// Taking a hypertable's scan out of a statement: SQLite evaluates the conditions and opens the cursor, which hands over its scan and says that
// there are no rows. For statements that give columns of one hypertable and leave nothing for SQLite to do with a row (recognize_scan).
#pragma once

#include <optional>
#include <string>

#include "timeseries/filtered_scan.h"

namespace braid {

struct ScanRequest {
  std::string table;
  /// Conditions that the cursor must have been given; with fewer, SQLite would have to look at rows, and the cursor keeps its scan.
  size_t constraints = 0;
  std::optional<FilteredScan> scan;
};

}  // namespace braid
