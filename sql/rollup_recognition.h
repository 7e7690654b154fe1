// Finds the SELECT cores of a statement that a rollup answers, and writes them as queries of hypertable_rollup (sql/rollup_plan.h).
//
//   SELECT item, … FROM hypertable [[AS] alias] [WHERE condition AND …] [GROUP BY key, …] [HAVING …] [ORDER BY …] [LIMIT …]
//
// Items, HAVING and ORDER BY are expressions over aggregates, keys and constants; conditions compare the time, a tag or a field with what does not
// speak of the table. Constants are copied as they are written, so SQLite evaluates them. What is not surely the same is left as it is. In cores
// that no rollup answers, conditions on the last point of a series are written so that they are pushed down (sql/latest_conditions.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/constant_expression.h"

namespace braid {

struct RecognizedStatement {
  std::string sql;
  size_t used = 0;               ///< bytes of the original text that the statement takes
  uint32_t variable_count = 0;   ///< numbers of variables are those of the original
  std::vector<HypertableDefinition> tables;  ///< that the text was written for
};

/// Nothing when nothing in the first statement of `sql` is recognised.
std::optional<RecognizedStatement> recognize_rollups(std::string_view sql, const SchemaLookup& schema);

/// A statement that gives columns of one hypertable; its text is not changed.
struct RecognizedScan {
  HypertableDefinition table;
  std::vector<size_t> columns;  ///< as in ColumnsCore
  size_t constraints = 0;
  std::optional<uint64_t> limit;
};
std::optional<RecognizedScan> recognize_scan(std::string_view sql, const SchemaLookup& schema);

}  // namespace braid
