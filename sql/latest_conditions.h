// Conditions that are nothing but the hidden column `latest`: WHERE latest, WHERE c.latest IS TRUE. SQLite offers a virtual table comparisons only,
// so they are written as `latest = 1`, which is the same for a column of 0 and 1.
#pragma once

#include <string>
#include <vector>

#include "sql/constant_expression.h"

namespace braid {

/// What a statement that gives `latest` a value is told.
std::string unwritable_latest(std::string_view table);

struct LatestCondition {
  size_t reference_limit = 0;  ///< past the column's name
  size_t limit = 0;            ///< past the condition
  const HypertableDefinition* table = nullptr;
};

/// Those of the core's WHERE that AND joins with all others. `hidden` are names of CTEs, which hide tables.
std::vector<LatestCondition> find_latest_conditions(const SqlTokens& tokens, const SelectCore& core, const SchemaLookup& schema,
                                                    const std::vector<std::string>& hidden);

}  // namespace braid
