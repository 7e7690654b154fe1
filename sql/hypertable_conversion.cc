// create_hypertable('cpu', 'time' [, chunk_time_interval [, if_not_exists [, migrate_data]]]): an ordinary table becomes a hypertable, with its
// rows, in one transaction.
//
// Tags are the columns whose declared type ends in TAG, or else the columns of the primary key beside the time. What a hypertable would not
// keep of the table (constraints, defaults, triggers, indexes) is refused by name, so that nothing is lost in silence.
#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/hypertable_columns.h"
#include "sql/select_core.h"
#include "sql/sql_tokens.h"
#include "sql/tag_references.h"
#include "sql/time_text.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

constexpr const char* kNewTable = "_braid_converted";
/// Rows between two looks at the limits on a transaction.
constexpr uint64_t kRowsBetweenChecks = 4096;

struct Conversion {
  std::string table;
  std::string time_column;
  std::string interval;  ///< as a setting of the hypertable; empty: its default
  bool migrate = true;
};

struct TableColumn {
  std::string name;
  std::string type;  ///< without lengths in parentheses, and without TAG
  bool tag = false;
  bool not_null = false;
  bool has_default = false;
  bool generated = false;
  int key_place = 0;  ///< in the primary key, from 1; 0: not in it
  std::optional<TagReference> reference;  ///< of a FOREIGN KEY
};

Status refusal(const std::string& table, std::string_view why) {
  return Status(StatusCode::kInvalidArgument, fmt::format("create_hypertable: table '{}' {}", table, why));
}

/// "VARCHAR(20) TAG" is VARCHAR, a tag.
void set_type(TableColumn& column, std::string_view declared) {
  int depth = 0;
  for (const char letter : declared) {
    depth += letter == '(' ? 1 : 0;
    if (depth == 0) column.type += letter;
    depth -= letter == ')' ? 1 : 0;
  }
  const auto trim = [&] {
    while (!column.type.empty() && column.type.back() == ' ') column.type.pop_back();
  };
  trim();
  const size_t blank = column.type.rfind(' ');
  const size_t last = blank == std::string::npos ? 0 : blank + 1;
  column.tag = same_sql_name(std::string_view(column.type).substr(last), "TAG");
  if (column.tag) column.type.resize(last);
  trim();
}

/// Does the name stand anywhere in the text, also in a string or a comment?
bool has_name(std::string_view text, std::string_view name) {
  const auto alike = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)); };
  const auto goes_on = [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_'; };
  for (auto from = text.begin();; ++from) {
    from = std::search(from, text.end(), name.begin(), name.end(), alike);
    if (from == text.end()) return false;
    const auto limit = from + static_cast<ptrdiff_t>(name.size());
    if ((from == text.begin() || !goes_on(from[-1])) && (limit == text.end() || !goes_on(*limit))) return true;
  }
}

/// The table that is there, as SQLite knows it.
class OrdinaryTable {
 public:
  static Result<OrdinaryTable> read(Connection& connection, const std::string& name);

  const std::string& name() const { return name_; }
  const std::vector<TableColumn>& columns() const { return columns_; }
  bool has_key() const {
    return std::any_of(columns_.begin(), columns_.end(), [](const TableColumn& column) { return column.key_place > 0; });
  }
  /// What the primary key says of a second row of its values, after `check`; without a key the later row wins.
  ConflictPolicy on_conflict() const { return has_key() ? on_conflict_ : ConflictPolicy::kReplace; }
  /// Is there anything that a hypertable could not keep? The error names the first, and what to do.
  Status check(const std::string& time_column);

 private:
  OrdinaryTable(Connection& connection, std::string name) : connection_(connection), name_(std::move(name)) {}
  Status read_columns();
  Status check_columns(const std::string& time_column);
  Status check_text();
  Status read_conflict_clause(const SqlTokens& tokens, size_t on);
  bool says_not_null(const std::string& column) const;
  Status check_indexes();
  Status check_foreign_keys();
  Status read_foreign_keys();
  Status check_others();
  /// The first column of the first row, if there is one; ?1 is the table's name, ?2 another text.
  Result<std::optional<std::string>> first(const char* sql, std::string_view second = {});

  Connection& connection_;
  std::string name_;
  std::string sql_;
  std::vector<TableColumn> columns_;
  ConflictPolicy on_conflict_ = ConflictPolicy::kError;
};

Result<OrdinaryTable> OrdinaryTable::read(Connection& connection, const std::string& name) {
  OrdinaryTable table(connection, name);
  BRAID_ASSIGN(auto row, sqlite_prepare(connection.db(), "SELECT name, type, sql FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE"));
  row.bind_text(1, name);
  BRAID_ASSIGN(const bool found, row.step());
  if (!found) return Status(StatusCode::kNotFound, fmt::format("create_hypertable: there is no table '{}'", name));
  table.name_ = row.bytes(0);
  table.sql_ = row.bytes(2);
  if (row.bytes(1) != "table" || row.bytes(2).empty()) return refusal(name, fmt::format("is a {}, not a table of rows", row.bytes(1)));
  const auto tokens = SqlTokens::of(table.sql_);
  if (tokens && tokens->is_word(1, "VIRTUAL")) return refusal(name, "is a virtual table, not a table of rows");
  BRAID_TRY(table.read_columns());
  return table;
}

Status OrdinaryTable::read_columns() {
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden FROM pragma_table_xinfo(?1)"));
  rows.bind_text(1, name_);
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    TableColumn column;
    column.name = rows.bytes(0);
    set_type(column, rows.bytes(1));
    column.not_null = rows.integer(2) != 0;
    column.has_default = rows.integer(3) != 0;
    column.key_place = static_cast<int>(rows.integer(4));
    column.generated = rows.integer(5) != 0;
    columns_.push_back(std::move(column));
  }
}

Result<std::optional<std::string>> OrdinaryTable::first(const char* sql, std::string_view second) {
  BRAID_ASSIGN(auto row, sqlite_prepare(connection_.db(), sql));
  row.bind_text(1, name_);
  if (sqlite3_bind_parameter_count(row.get()) > 1) row.bind_text(2, second);
  BRAID_ASSIGN(const bool found, row.step());
  return found ? std::optional(std::string(row.bytes(0))) : std::nullopt;
}

Status OrdinaryTable::check(const std::string& time_column) {
  BRAID_TRY(read_foreign_keys());
  BRAID_TRY(check_columns(time_column));
  BRAID_TRY(check_text());
  BRAID_TRY(check_indexes());
  BRAID_TRY(check_foreign_keys());
  return check_others();
}

Status OrdinaryTable::check_columns(const std::string& time_column) {
  for (const TableColumn& column : columns_) {
    if (column.generated) return refusal(name_, fmt::format("has the generated column '{}'; leave it out, and compute it in a view", column.name));
    if (column.has_default)
      return refusal(name_, fmt::format("has a DEFAULT on column '{}', which a hypertable cannot keep; give the value with each INSERT", column.name));
    const bool time = same_sql_name(column.name, time_column);
    // A primary key of WITHOUT ROWID and STRICT tables has no NULL without saying so: its text is looked at.
    if (column.not_null && !time && (column.key_place == 0 || says_not_null(column.name)))
      return refusal(name_, fmt::format("has NOT NULL on column '{}', which a hypertable cannot keep; create the table without it", column.name));
    const char* collation = nullptr;
    sqlite3_table_column_metadata(connection_.db(), "main", name_.c_str(), column.name.c_str(), nullptr, &collation, nullptr, nullptr, nullptr);
    if (collation != nullptr && !same_sql_name(collation, "BINARY"))
      return refusal(name_, fmt::format("has COLLATE {} on column '{}', which a hypertable cannot keep; use it in the queries", collation, column.name));
  }
  return {};
}

/// Does the column's own definition hold the words?
bool OrdinaryTable::says_not_null(const std::string& column) const {
  const auto tokens = SqlTokens::of(sql_);
  size_t open = 0;
  while (tokens && open < tokens->size() && !tokens->is_operator(open, "(")) ++open;
  if (!tokens || open == tokens->size()) return true;
  for (const TokenRange& part : split_at_commas(*tokens, {open + 1, (*tokens)[open].partner})) {
    if (part.empty() || !tokens->names(part.start, column)) continue;
    for (size_t at = part.start + 1; at + 1 < part.limit; ++at)
      if (tokens->is_word(at, "NOT") && tokens->is_word(at + 1, "NULL")) return true;
    return false;
  }
  return false;
}

/// ON CONFLICT of the primary key, or of NOT NULL; that of UNIQUE and CHECK goes with them.
Status OrdinaryTable::read_conflict_clause(const SqlTokens& tokens, size_t on) {
  const bool replaces = tokens.is_word(on + 2, "REPLACE"), ignores = tokens.is_word(on + 2, "IGNORE");
  if (tokens.is_word(on - 1, "NULL")) {
    if (!replaces && !ignores) return {};
    return refusal(name_, fmt::format("has NOT NULL {}, which a hypertable cannot keep; a point without a time is an error", tokens.span(on, on + 3)));
  }
  on_conflict_ = replaces ? ConflictPolicy::kReplace : ignores ? ConflictPolicy::kIgnore : ConflictPolicy::kError;
  return {};
}

/// What the schema's tables do not tell stands in the text of CREATE TABLE. Both are reserved words, so no name can be one.
Status OrdinaryTable::check_text() {
  const auto tokens = SqlTokens::of(sql_);
  if (!tokens) return refusal(name_, "has a definition that cannot be read");
  for (size_t at = 0; at < tokens->size(); ++at) {
    if (tokens->is_word(at, "AUTOINCREMENT")) return refusal(name_, "numbers its rows with AUTOINCREMENT, which a hypertable cannot keep");
    if (tokens->is_word(at, "ON") && tokens->is_word(at + 1, "CONFLICT")) BRAID_TRY(read_conflict_clause(*tokens, at));
    if (!tokens->is_word(at, "CHECK") || !tokens->is_operator(at + 1, "(")) continue;
    const bool named = at >= 2 && tokens->is_word(at - 2, "CONSTRAINT");
    return refusal(name_, fmt::format("has the constraint {}{}, which a hypertable cannot keep; check it where the points come from",
                                      named ? "'" + tokens->name(at - 1) + "' " : "", tokens->span(at, (*tokens)[at + 1].partner + 1)));
  }
  return {};
}

Status OrdinaryTable::check_indexes() {
  BRAID_ASSIGN(const auto unique, first("SELECT group_concat(c.name, ', ') FROM pragma_index_list(?1) i, pragma_index_info(i.name) c "
                                        "WHERE i.origin = 'u' GROUP BY i.name LIMIT 1"));
  if (unique) return refusal(name_, fmt::format("has UNIQUE ({}), which a hypertable cannot keep: its points are unique by tags and time", *unique));
  BRAID_ASSIGN(const auto index, first("SELECT name FROM pragma_index_list(?1) WHERE origin = 'c' LIMIT 1"));
  if (index) return refusal(name_, fmt::format("has the index '{}'; drop it: a hypertable is ordered by its tags and time, and needs none", *index));
  return {};
}

/// Those that a tag can keep: of one column each.
Status OrdinaryTable::read_foreign_keys() {
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), "SELECT \"from\", \"table\", ifnull(\"to\", (SELECT name FROM pragma_table_info(f.\"table\") WHERE pk = 1)), "
                                                           "on_delete, on_update, (SELECT count(*) FROM pragma_foreign_key_list(?1) g WHERE g.id = f.id) "
                                                           "FROM pragma_foreign_key_list(?1) f"));
  rows.bind_text(1, name_);
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const std::string from(rows.bytes(0)), to(rows.bytes(1)), on_delete(rows.bytes(3)), on_update(rows.bytes(4));
    const auto refuse = [&](std::string_view why) { return refusal(name_, fmt::format("has FOREIGN KEY ({}) REFERENCES {} {}; create the table without it", from, to, why)); };
    const bool erases = on_delete == "CASCADE";
    if (rows.integer(5) != 1) return refuse("of several columns, which a hypertable cannot keep");
    if (!erases && on_delete != "RESTRICT" && on_delete != "NO ACTION") return refuse(fmt::format("ON DELETE {}, which a hypertable cannot keep", on_delete));
    if (on_update != "RESTRICT" && on_update != "NO ACTION") return refuse(fmt::format("ON UPDATE {}, which a hypertable cannot keep", on_update));
    const auto column = std::find_if(columns_.begin(), columns_.end(), [&](const TableColumn& one) { return same_sql_name(one.name, from); });
    if (column == columns_.end() || column->reference) return refuse("beside another one");
    column->reference = TagReference{0, to, std::string(rows.bytes(2)), erases ? ReferenceRule::kErase : ReferenceRule::kRestrict};
  }
}

Status OrdinaryTable::check_foreign_keys() {
  for (const TableColumn& column : columns_) {
    if (column.reference && !column.tag && column.key_place == 0)
      return refusal(name_, fmt::format("has a FOREIGN KEY on column '{}', which is no tag; create the table without it", column.name));
  }
  BRAID_ASSIGN(const auto other, first("SELECT m.name FROM main.sqlite_schema m, pragma_foreign_key_list(m.name) f "
                                       "WHERE m.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE LIMIT 1"));
  if (other) return refusal(name_, fmt::format("is named by a foreign key of table '{}'; rows cannot refer to points", *other));
  return {};
}

/// Triggers and views, also those on other tables that name this one, and the label that it is bound to.
Status OrdinaryTable::check_others() {
  if (connection_.catalog_state().binding_of_table(name_) != nullptr)
    return refusal(name_, "is bound to a label of the graph; call graph_unbind first");
  if (const auto reference = connection_.catalog_state().reference_to_table(name_))
    return refusal(name_, fmt::format("is referred to by a tag of hypertable '{}'", reference->first->name));
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), "SELECT type, name, sql, tbl_name = ?1 COLLATE NOCASE FROM main.sqlite_schema "
                                                           "WHERE type IN ('trigger', 'view') ORDER BY type, name"));
  rows.bind_text(1, name_);
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const auto tokens = SqlTokens::of(rows.bytes(2));
    // A trigger's text goes on after its first semicolon, where the tokens end, so it is looked through as text.
    bool names = rows.integer(3) != 0;
    for (size_t at = 0; tokens && at < tokens->size(); ++at) names |= tokens->names(at, name_);
    if (rows.bytes(0) == "trigger") names |= has_name(rows.bytes(2), name_);
    if (!names) continue;
    const bool trigger = rows.bytes(0) == "trigger";
    return refusal(name_, fmt::format("is used by the {} '{}'; drop it{}", rows.bytes(0), rows.bytes(1),
                                      trigger ? ": points fire no triggers" : ", and create it again afterwards"));
  }
}

// ---- From columns to a hypertable ----------------------------------------------------------------------------------------

class Converter {
 public:
  Converter(Connection& connection, const Conversion& wanted, OrdinaryTable table)
      : connection_(connection), wanted_(wanted), table_(std::move(table)) {}

  Status run() {
    BRAID_TRY(choose_tags());
    BRAID_TRY(table_.check(wanted_.time_column));
    BRAID_TRY(check_rows());
    sqlite3* db = connection_.db();
    BRAID_TRY(in_own_name(connection_.reported_or(sqlite_run(db, create_text()))).within(fmt::format("create_hypertable: table '{}'", table_.name())));
    BRAID_TRY(move_rows());
    return take_place();
  }

 private:
  Status choose_tags() {
    const auto time = std::find_if(table_.columns().begin(), table_.columns().end(),
                                   [&](const TableColumn& column) { return same_sql_name(column.name, wanted_.time_column); });
    if (time == table_.columns().end()) return refusal(table_.name(), fmt::format("has no column '{}'", wanted_.time_column));
    if (time->tag) return refusal(table_.name(), fmt::format("has '{}' declared as a tag; the time column cannot be one", time->name));
    const bool declared = std::any_of(table_.columns().begin(), table_.columns().end(), [](const TableColumn& column) { return column.tag; });
    if (!declared && !table_.has_key())
      return refusal(table_.name(), "does not say which columns name a series: declare them as TEXT TAG or INTEGER TAG, or make them and the time "
                                    "the PRIMARY KEY (the time alone for a single series)");
    if (table_.has_key() && time->key_place == 0)
      return refusal(table_.name(), fmt::format("has a PRIMARY KEY without '{}'; a point is named by its tags and its time", time->name));
    for (const TableColumn& column : table_.columns()) {
      const bool in_key = column.key_place > 0 && &column != &*time;
      if (declared && table_.has_key() && in_key != column.tag)
        return refusal(table_.name(), fmt::format("has '{}' {}; the PRIMARY KEY of a hypertable is its tags and its time", column.name,
                                                  column.tag ? "as a tag outside its PRIMARY KEY" : "in its PRIMARY KEY, and not as a tag"));
      tag_.push_back(column.tag || in_key);
    }
    return {};
  }

  Status check_rows() {
    if (wanted_.migrate) return {};
    BRAID_ASSIGN(auto row, sqlite_prepare(connection_.db(), fmt::format("SELECT 1 FROM main.{} LIMIT 1", quote_identifier(table_.name()))));
    BRAID_ASSIGN(const bool any, row.step());
    return any ? refusal(table_.name(), "is not empty; leave out migrate_data, or give 1, to move its rows") : Status();
  }

  std::string create_text() const {
    std::string sql = fmt::format("CREATE VIRTUAL TABLE main.{} USING hypertable(", kNewTable);
    for (size_t i = 0; i < table_.columns().size(); ++i) {
      const TableColumn& column = table_.columns()[i];
      const bool time = same_sql_name(column.name, wanted_.time_column);
      sql += fmt::format("{} {}{}", quote_identifier(column.name), time ? "TIMESTAMP" : column.type, tag_[i] ? " TAG" : "");
      sql += column.reference ? " " + tag_reference_sql(*column.reference) + ", " : ", ";
    }
    if (!wanted_.interval.empty()) sql += fmt::format("chunk_interval={}, ", quote_text(wanted_.interval));
    // While rows move, two of one point are an error: which of them were to stay?
    return sql + "on_conflict='error')";
  }

  std::string column_list() const {
    std::string list;
    for (const TableColumn& column : table_.columns()) list += (list.empty() ? "" : ", ") + quote_identifier(column.name);
    return list;
  }

  Status move_rows() {
    const std::string columns = column_list();
    std::string places = "?";
    for (size_t i = 1; i < table_.columns().size(); ++i) places += ", ?";
    BRAID_ASSIGN(auto from, sqlite_prepare(connection_.db(), fmt::format("SELECT {} FROM main.{}", columns, quote_identifier(table_.name()))));
    BRAID_ASSIGN(auto to, sqlite_prepare(connection_.db(), fmt::format("INSERT INTO main.{}({}) VALUES({})", kNewTable, columns, places)));
    for (uint64_t row = 1;; ++row) {
      BRAID_ASSIGN(const bool more, from.step());
      if (!more) return {};
      for (int i = 0; i < static_cast<int>(table_.columns().size()); ++i)
        sqlite3_bind_value(to.get(), i + 1, sqlite3_column_value(from.get(), i));
      const Status written = to.run();
      if (!written.ok()) return row_error(written, row);
      if (row % kRowsBetweenChecks != 0) continue;
      BRAID_TRY(connection_.session().check_limits());
      if (connection_.interrupted()) return Status(StatusCode::kInterrupted, "create_hypertable: interrupted");
    }
  }

  /// While it is made the table has another name, which says nothing to the user.
  Status in_own_name(const Status& status) const {
    std::string message(status.message());
    for (size_t at = message.find(kNewTable); at != std::string::npos; at = message.find(kNewTable, at + table_.name().size()))
      message.replace(at, std::string_view(kNewTable).size(), table_.name());
    return status.ok() ? status : Status(status.code(), std::move(message));
  }

  Status row_error(const Status& status, uint64_t row) {
    const Status own = in_own_name(connection_.reported_or(status));
    const std::string_view hint = own.code() == StatusCode::kConstraint && own.message().find("a point exists") != std::string::npos
                                ? "; a hypertable keeps one point for the same tags and time: delete the others first, or add a tag"
                                : "";
    return Status(own.code(), fmt::format("create_hypertable: table '{}', row {}: {}{}", table_.name(), row, own.message(), hint));
  }

  /// Gives it the name, and the rule for later points.
  Status take_place() {
    const HypertableDefinition* made = connection_.catalog_state().hypertable(kNewTable);
    if (made == nullptr) return Status(StatusCode::kInternal, "create_hypertable: the table that was made is not there");
    HypertableDefinition definition = *made;
    definition.name = table_.name();
    definition.on_conflict = table_.on_conflict();
    BRAID_TRY(sqlite_run(connection_.db(), fmt::format("DROP TABLE main.{}", quote_identifier(table_.name()))));
    const Connection::KeepsPoints keeps(connection_);
    BRAID_TRY(sqlite_run(connection_.db(), fmt::format("DROP TABLE main.{}", kNewTable)));
    connection_.session().catalog_writer().put_hypertable(definition);
    return sqlite_run(connection_.db(), create_hypertable_sql(definition));
  }

  Connection& connection_;
  const Conversion& wanted_;
  OrdinaryTable table_;
  std::vector<bool> tag_;
};

Result<std::string> interval_setting(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return std::string();
  if (sqlite3_value_type(value) == SQLITE_INTEGER) {
    const int64_t us = sqlite3_value_int64(value);
    return fmt::format("{}.{:06} seconds", us / 1'000'000, us < 0 ? 0 : us % 1'000'000);
  }
  const Status parsed = parse_interval(text_of(value)).status();
  if (!parsed.ok()) return parsed.within("create_hypertable: chunk_time_interval");
  return std::string(text_of(value));
}

bool flag(std::span<sqlite3_value*> values, size_t index, bool otherwise) {
  if (values.size() <= index || sqlite3_value_type(values[index]) == SQLITE_NULL) return otherwise;
  const std::string_view text = text_of(values[index]);
  return same_sql_name(text, "true") || same_sql_name(text, "t") || sqlite3_value_int(values[index]) != 0;
}

Status create_hypertable_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  Conversion wanted{.table = std::string(text_of(values[0])), .time_column = std::string(text_of(values[1])), .interval = {}};
  if (values.size() > 2) {
    BRAID_ASSIGN(wanted.interval, interval_setting(values[2]));
  }
  wanted.migrate = flag(values, 4, true);
  const bool exists = connection.catalog_state().hypertable(wanted.table) != nullptr;
  if (exists && !flag(values, 3, false))
    return Status(StatusCode::kConstraint, fmt::format("create_hypertable: '{}' is a hypertable already", wanted.table));
  result_text(context, fmt::format("(main,{},{})", wanted.table, exists ? "f" : "t"));
  if (exists) return {};
  connection.defer([&connection, wanted]() -> Status {
    BRAID_ASSIGN(auto table, OrdinaryTable::read(connection, wanted.table));
    return Converter(connection, wanted, std::move(table)).run();
  });
  return {};
}

constexpr FunctionRow kConversionFunctions[] = {{"create_hypertable", 2, 5, create_hypertable_function}};

}  // namespace

Status register_hypertable_conversion(Connection& connection) { return register_functions(connection, FunctionUse::kDirectOnly, kConversionFunctions); }

}  // namespace braid
