#include "cli/sql_names.h"

#include <array>

namespace braid::cli {

namespace {

constexpr std::array kKeywords = std::to_array<std::string_view>(
    {"ADD",        "ALL",       "ALTER",     "ANALYZE",      "AND",       "AS",        "ASC",      "AUTOINCREMENT", "BEGIN",     "BETWEEN",
     "BY",         "CASCADE",   "CASE",      "CAST",         "CHECK",     "COLLATE",   "COLUMN",   "COMMIT",        "CONFLICT",  "CONSTRAINT",
     "CREATE",     "CROSS",     "CURRENT_TIMESTAMP", "DEFAULT", "DEFERRED", "DELETE",  "DESC",     "DISTINCT",      "DO",        "DROP",
     "EACH",       "ELSE",      "END",       "ESCAPE",       "EXCEPT",    "EXCLUDE",   "EXISTS",   "EXPLAIN",       "FILTER",    "FIRST",
     "FOLLOWING",  "FOR",       "FOREIGN",   "FROM",         "FULL",      "GENERATED", "GLOB",     "GROUP",         "HAVING",    "IF",
     "IGNORE",     "IMMEDIATE", "IN",        "INDEX",        "INNER",     "INSERT",    "INSTEAD",  "INTERSECT",     "INTO",      "IS",
     "ISNULL",     "JOIN",      "KEY",       "LAST",         "LEFT",      "LIKE",      "LIMIT",    "MATERIALIZED",  "NATURAL",   "NOT",
     "NOTHING",    "NOTNULL",   "NULL",      "NULLS",        "OFFSET",    "ON",        "OR",       "ORDER",         "OUTER",     "OVER",
     "PARTITION",  "PLAN",      "PRAGMA",    "PRECEDING",    "PRIMARY",   "QUERY",     "RANGE",    "RECURSIVE",     "REFERENCES", "REINDEX",
     "RELEASE",    "RENAME",    "REPLACE",   "RESTRICT",     "RETURNING", "RIGHT",     "ROLLBACK", "ROW",           "ROWS",      "SAVEPOINT",
     "SELECT",     "SET",       "STRICT",    "TABLE",        "TEMP",      "THEN",      "TO",       "TRANSACTION",   "TRIGGER",   "UNBOUNDED",
     "UNION",      "UNIQUE",    "UPDATE",    "USING",        "VALUES",    "VIEW",      "VIRTUAL",  "WHEN",          "WHERE",     "WINDOW",
     "WITH",       "WITHOUT"});

constexpr std::array<std::string_view, 2> kGraphTables = {"graph_nodes", "graph_edges"};

// A completion that fails is only a completion less.
void gather(const Session& session, std::string_view sql, std::vector<std::string>* names) {
  static_cast<void>(session.query(sql, {}, [names](braid_statement* row) { names->emplace_back(column_text(row, 0)); }));
}

}  // namespace

std::span<const std::string_view> sql_keywords() { return kKeywords; }

SqlNames read_sql_names(const Session& session) {
  SqlNames names;
  gather(session,
         "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND substr(lower(name), 1, 7) NOT IN ('_braid_', 'sqlite_') "
         "AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')",
         &names.tables);
  names.tables.insert(names.tables.end(), kGraphTables.begin(), kGraphTables.end());
  gather(session, "SELECT name FROM pragma_module_list WHERE name NOT LIKE 'pragma\\_%' ESCAPE '\\' AND name NOT LIKE '\\_%' ESCAPE '\\'",
         &names.table_functions);
  gather(session, "SELECT DISTINCT name FROM pragma_function_list WHERE name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE '%>%'",
         &names.functions);
  for (const std::string& table : names.tables) {
    const std::array<std::string_view, 1> texts = {table};
    std::vector<std::string>& columns = names.columns[table];
    static_cast<void>(session.query("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1", texts,
                                    [&columns](braid_statement* row) { columns.emplace_back(column_text(row, 0)); }));
  }
  return names;
}

}  // namespace braid::cli
