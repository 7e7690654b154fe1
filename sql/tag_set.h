// tag_set(value) and tag_list(value, …): values that a tag is compared with, as bytes in one value. Each is kept as a text tag and, where a
// whole number equals it, as an integer tag.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/column_data.h"
#include "engine/result.h"
#include "sql/connection.h"

namespace braid {

/// The values as tags of a type. kInvalidArgument for bytes that neither function made.
Result<std::vector<std::optional<std::string>>> read_tag_set(std::string_view bytes, FieldType type);

Status register_tag_sets(Connection& connection);

}  // namespace braid
