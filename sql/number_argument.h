// Numbers given as arguments of functions.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string_view>

#include "engine/result.h"

namespace braid {

/// Nothing for NULL; kInvalidArgument for what is no number. `what` names it in the error.
Result<std::optional<double>> number_of(sqlite3_value* value, std::string_view what);
/// A number from 0 to 1; NULL is an error.
Result<double> fraction_of(sqlite3_value* value, std::string_view what);
/// A whole number between `least` and `most`.
Result<int64_t> whole_number_of(sqlite3_value* value, std::string_view what, int64_t least, int64_t most);

}  // namespace braid
