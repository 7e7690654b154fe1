// The table of limits and settings: name, unit, default, minimum, maximum. Everything that is bounded is bounded here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/result.h"

namespace braid {

enum class OptionId : uint8_t {
#define X(id, name, unit, default_value, minimum, maximum, help) id,
#include "engine/options.def"
#undef X
};

struct OptionRow {
  const char* name;
  const char* unit;  ///< or the names of the values from 0 on, with | between them
  int64_t default_value;
  int64_t minimum;
  int64_t maximum;
  const char* help;
};

/// All options in the order of OptionId.
std::span<const OptionRow> option_table();

/// The values that one database uses. Constant after opening.
class Options {
 public:
  Options();
  /// Parses "name=value;name=value"; kInvalidArgument names the option and its bounds, or lists the names there are.
  static Result<Options> parse(std::string_view text);
  int64_t operator[](OptionId id) const { return values_[static_cast<size_t>(id)]; }
  Status set(std::string_view name, int64_t value);
  /// The value as text: a number, or the name of a value that has one.
  Status set(std::string_view name, std::string_view text);

 private:
  static constexpr size_t kCount = 0
#define X(...) +1
#include "engine/options.def"
#undef X
      ;
  std::array<int64_t, kCount> values_;
};

}  // namespace braid
