#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/dump_parts.h"
#include "cli/import_column.h"
#include "cli/result_row.h"
#include "cli/statement_words.h"

namespace braid::cli {

namespace {

/// How the rows of a table are written.
enum class TableKind : uint8_t {
  kRows,          ///< of an ordinary table
  kSearched,      ///< fts5 that keeps its text
  kSearchOfRows,  ///< fts5 over another table: built again from it
  kSearchAlone,   ///< fts5 that keeps no text
  kSpatial,       ///< rtree, geopoly
  kNoRows,        ///< fts5vocab
};

struct Table {
  std::string name;
  std::string sql;
  TableKind kind = TableKind::kRows;
  bool has_rowid = true;
};

/// A word of the statement that begins with `prefix`, whatever its case; white space does not count.
bool has_setting(std::string_view sql, std::string_view prefix) {
  std::string plain;
  for (char c : sql) {
    if (c != ' ' && c != '\t' && c != '\n') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain.find(fmt::format(",{}", prefix)) != std::string::npos ||
         plain.find(fmt::format("({}", prefix)) != std::string::npos;
}

TableKind kind_of(std::string_view sql) {
  const std::string module = module_of_virtual_table(sql);
  if (module.empty()) return TableKind::kRows;
  if (module == "fts5vocab") return TableKind::kNoRows;
  if (module != "fts5") return TableKind::kSpatial;
  if (has_setting(sql, "content=''") || has_setting(sql, "content=\"\"")) return TableKind::kSearchAlone;
  return has_setting(sql, "content=") ? TableKind::kSearchOfRows : TableKind::kSearched;
}

// In the order in which they were made, so that each comes after what its definition needs.
Outcome<std::vector<Table>> tables_of(const Session& session) {
  std::vector<Table> tables;
  CLI_TRY(session.query(
      fmt::format("SELECT s.name, s.sql, l.wr FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.name = s.name "
                  "WHERE l.schema = 'main' AND s.type = 'table' AND l.type IN ('table', 'virtual') "
                  "AND s.name NOT IN (SELECT name FROM hypertables) AND s.name NOT IN (SELECT name FROM continuous_aggregates) "
                  "AND s.name IN (SELECT name FROM sqlite_schema WHERE {}) ORDER BY s.rowid",
                  kIsUsersName),
      {}, [&tables](braid_statement* row) {
        Table& table = tables.emplace_back();
        table.name = column_text(row, 0);
        table.sql = column_text(row, 1);
        table.kind = kind_of(table.sql);
        table.has_rowid = braid_column_int64(row, 2) == 0;
      }));
  return tables;
}

/// The columns that rows are given in: not those that are computed.
Outcome<std::vector<std::string>> columns_of(const Session& session, const Table& table) {
  const std::array<std::string_view, 1> texts = {table.name};
  return texts_of(session, "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid", texts);
}

/// A name by which the number of a row can be given, unless a column is that number already or all
/// three names are taken.
Outcome<std::string> rowid_name(const Session& session, const Table& table, const std::vector<std::string>& columns) {
  const std::array<std::string_view, 1> texts = {table.name};
  if (!table.has_rowid || table.kind == TableKind::kSpatial) return std::string();
  Outcome<int64_t> is_column = integer_of(
      session,
      "SELECT count(*) = 1 AND max(upper(type)) = 'INTEGER' AND NOT EXISTS(SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk') "
      "FROM pragma_table_xinfo(?1) WHERE pk > 0",
      texts);
  if (!is_column.ok()) return is_column.failure();
  if (*is_column != 0) return std::string();
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    const bool taken = std::any_of(columns.begin(), columns.end(), [name](const std::string& column) { return same_name(column, name); });
    if (!taken) return std::string(name);
  }
  return std::string();
}

Done dump_table_rows(const Session& session, const Table& table, DumpScript* script) {
  Outcome<std::vector<std::string>> columns = columns_of(session, table);
  if (!columns.ok()) return columns.failure();
  Outcome<std::string> rowid = rowid_name(session, table, *columns);
  if (!rowid.ok()) return rowid.failure();
  std::string names = *rowid;
  for (const std::string& column : *columns) {
    if (!names.empty()) names += ',';
    names += quote_identifier(column);
  }
  const std::string name = quote_identifier(table.name);
  script->into(fmt::format("INSERT INTO {}({})", name, names));
  return script->rows_of(fmt::format("SELECT {} FROM main.{}", names, name));
}

Done fill_table(const Session& session, const Table& table, DumpScript* script) {
  switch (table.kind) {
    case TableKind::kRows:
    case TableKind::kSearched:
    case TableKind::kSpatial:
      return dump_table_rows(session, table, script);
    case TableKind::kSearchAlone:
      script->warn(fmt::format("the full-text table {} keeps no text, so its rows are not in the script", quote_identifier(table.name)));
      return std::nullopt;
    case TableKind::kSearchOfRows:
    case TableKind::kNoRows:
      break;
  }
  return std::nullopt;
}

// The numbers that AUTOINCREMENT goes on from.
Done dump_sequences(const Session& session, DumpScript* script) {
  Outcome<int64_t> any = integer_of(session, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'");
  if (!any.ok()) return any.failure();
  if (*any == 0) return std::nullopt;
  script->statement("DELETE FROM sqlite_sequence");
  script->into("INSERT INTO sqlite_sequence(name, seq)");
  return script->rows_of(fmt::format("SELECT name, seq FROM sqlite_sequence WHERE {}", kIsUsersName));
}

Done fill_tables(const Session& session, const std::vector<Table>& tables, DumpScript* script) {
  for (const Table& table : tables) CLI_TRY(fill_table(session, table, script));
  return dump_sequences(session, script);
}

Done dump_schema_sql(const Session& session, std::string_view condition, DumpScript* script) {
  return session.query(fmt::format("SELECT sql FROM sqlite_schema WHERE {} AND sql IS NOT NULL AND {} ORDER BY rowid", condition, kIsUsersName), {},
                       [script](braid_statement* row) { script->statement(column_text(row, 0)); });
}

}  // namespace

Outcome<bool> has_foreign_keys(const Session& session) {
  Outcome<int64_t> count = integer_of(
      session, fmt::format("SELECT count(*) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND {}) AS s, pragma_foreign_key_list(s.name)",
                           kIsUsersName));
  if (!count.ok()) return count.failure();
  return *count > 0;
}

Done dump_rows(const Session& session, DumpScript* script) {
  Outcome<std::vector<Table>> tables = tables_of(session);
  if (!tables.ok()) return tables.failure();
  Outcome<bool> foreign_keys = has_foreign_keys(session);
  if (!foreign_keys.ok()) return foreign_keys.failure();
  script->begin();
  // Keys may refer to rows that are yet to come, in one transaction only.
  script->allow_commits(!*foreign_keys);
  if (*foreign_keys) script->statement("PRAGMA defer_foreign_keys=ON");
  const DumpStages& stages = script->stages();
  // An index is made faster of rows that are there, but a key may refer to columns that only an index
  // makes unique.
  const bool indexes_first = *foreign_keys || !stages.fills;
  for (const Table& table : *tables) {
    if (stages.makes) script->statement(table.sql);
  }
  if (stages.makes && indexes_first) CLI_TRY(dump_schema_sql(session, "type = 'index'", script));
  if (stages.fills) CLI_TRY(fill_tables(session, *tables, script));
  if (stages.makes && !indexes_first) CLI_TRY(dump_schema_sql(session, "type = 'index'", script));
  script->commit();
  Outcome<int64_t> analyzed = integer_of(session, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'");
  if (!analyzed.ok()) return analyzed.failure();
  if (stages.finishes && *analyzed > 0) script->statement("ANALYZE");
  return std::nullopt;
}

Done dump_views_and_triggers(const Session& session, DumpScript* script) {
  CLI_TRY(dump_schema_sql(session, "type = 'view'", script));
  // A search may be one of a view, or of a hypertable.
  Outcome<std::vector<Table>> tables = tables_of(session);
  if (!tables.ok()) return tables.failure();
  for (const Table& table : *tables) {
    const std::string name = quote_identifier(table.name);
    if (table.kind == TableKind::kSearchOfRows) script->statement(fmt::format("INSERT INTO {0}({0}) VALUES('rebuild')", name));
  }
  return dump_schema_sql(session, "type = 'trigger'", script);
}

}  // namespace braid::cli
