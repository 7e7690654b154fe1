// What a point must be like, whoever writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/catalog.h"
#include "engine/result.h"

namespace braid {

/// kInvalidArgument for a time that no point can have: before the year 0, or the last there is.
Status check_point_times(const HypertableDefinition& table, std::span<const int64_t> times);
/// The value of a tag declared INTEGER; kConstraint for a text that is no whole number.
Result<int64_t> whole_number_tag(const HypertableDefinition& table, size_t tag, std::string_view text);

}  // namespace braid
