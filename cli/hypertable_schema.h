// The columns of a hypertable, read from the text that created it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/column_type.h"

namespace braid::cli {

struct HypertableColumn {
  enum class Role : uint8_t { kTime, kTag, kField };
  std::string name;
  ColumnType type = ColumnType::kText;
  Role role = Role::kField;
};

/// Reads "CREATE VIRTUAL TABLE name USING hypertable(...)". None when the text does not create a
/// hypertable or has a type that is not in the table of types.
std::optional<std::vector<HypertableColumn>> read_hypertable_schema(std::string_view sql);

}  // namespace braid::cli
