// The text of a double, as SQLite's CAST AS TEXT gives it: "1.0", "Inf", 15 digits.
#pragma once

#include <string>

namespace braid {

/// `value` is not NaN, which SQL knows as NULL.
std::string real_text(double value);

}  // namespace braid
