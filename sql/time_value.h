// A time given as an SQL value.
#pragma once

#include <sqlite3.h>

#include <string_view>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// Collation of the time column of every hypertable: compares instants.
inline constexpr const char* kTimeCollation = "braid_time";

/// The time that a value means: text in any accepted form, or integer microseconds. `what` names it in the error.
Result<Timestamp> time_of(sqlite3_value* value, std::string_view what);

/// The same for a value compared with a time column. The column's affinity may have made an integer text (`time IN (0, 1)`), so text of
/// digits alone is microseconds here, as it is to the collation.
Result<Timestamp> compared_time_of(sqlite3_value* value, std::string_view what);

}  // namespace braid
