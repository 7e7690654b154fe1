// Tags that refer to rows: `host TEXT TAG REFERENCES device(serial) ON DELETE RESTRICT|KEEP|ERASE`. The column holds each value once. A row must be
// there when a transaction first writes points of its series (with KEEP, of a new series); triggers on the table ask, in the transaction that
// deletes or re-keys a row, whether its points are in the way, or erase them. A NULL tag refers to nothing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/catalog.h"
#include "engine/result.h"

namespace braid {

class Connection;

/// Reads "table(column) [ON DELETE rule]", which follows REFERENCES. kInvalidArgument says what was expected.
Result<TagReference> parse_tag_reference(std::string_view text);
/// REFERENCES …, as it is declared.
std::string tag_reference_sql(const TagReference& reference);

/// Spells the tables and columns that tags refer to as the schema does. kNotFound, kInvalidArgument when one is not there or not unique.
Status resolve_tag_references(Connection& connection, HypertableDefinition& table);
Status create_reference_triggers(Connection& connection, const HypertableDefinition& table);
Status drop_reference_triggers(Connection& connection, const HypertableDefinition& table);

/// SeriesWriter::ReferenceCheck.
Status check_tag_references(Connection& connection, const HypertableDefinition& table, std::span<const std::optional<std::string_view>> tags, bool known);

}  // namespace braid
