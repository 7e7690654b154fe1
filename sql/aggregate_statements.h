// TimescaleDB's statements that SQLite does not know, as calls of Braid's functions:
//
//   CREATE MATERIALIZED VIEW [IF NOT EXISTS] name WITH (timescaledb.continuous [, …]) AS SELECT … [WITH [NO] DATA]
//   DROP MATERIALIZED VIEW [IF EXISTS] name
//   CALL function(…)
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/result.h"

namespace braid {

struct TranslatedStatement {
  std::string sql;
  size_t used = 0;  ///< bytes of the original text
};

/// Nothing for all other statements. kSql for another materialized view, saying what form there is.
Result<std::optional<TranslatedStatement>> translate_statement(std::string_view sql);

}  // namespace braid
