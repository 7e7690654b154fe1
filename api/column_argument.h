// Arrays of a C caller as our columns.
#pragma once

#include <span>
#include <vector>

#include "api/braid.h"
#include "engine/catalog.h"
#include "engine/column_data.h"
#include "engine/result.h"

namespace braid {

/// Copies `columns[count]` with `rows` values each. With `fields` the count and types must be theirs; int64 is taken for a double field.
/// Without (empty), types come from the arrays alone: kDouble, kInt64, kText.
Result<std::vector<ColumnData>> columns_argument(const braid_column* columns, size_t count, size_t rows,
                                                 const std::vector<FieldDefinition>* fields);

/// Copies `tags[count]`; a NULL entry is a NULL tag.
std::vector<std::optional<std::string>> tags_argument(const char* const* tags, size_t count);

}  // namespace braid
