// The allow-list for users' SQL. It also learns what a statement is: transaction control, DDL, a reader of graph or points.
//
// Defensive mode alone would let `PRAGMA synchronous=OFF` through, so what is not listed here is refused.
#include <sqlite3.h>

#include <string_view>

#include <fmt/format.h>

#include "engine/caught.h"
#include "engine/sqlite_handle.h"
#include "sql/connection.h"
#include "sql/hypertable_columns.h"
#include "sql/latest_conditions.h"
#include "sql/sql_tokens.h"

namespace braid {

namespace {

using Control = StatementTraits::Control;

enum class PragmaUse : uint8_t { kAny, kReadOnly };
struct PragmaRow {
  std::string_view name;
  PragmaUse use;
};
constexpr PragmaRow kPragmas[] = {
    {"application_id", PragmaUse::kAny},       {"collation_list", PragmaUse::kReadOnly},
    {"compile_options", PragmaUse::kReadOnly}, {"data_version", PragmaUse::kReadOnly},
    {"database_list", PragmaUse::kReadOnly},   {"defer_foreign_keys", PragmaUse::kAny},
    {"encoding", PragmaUse::kReadOnly},        {"foreign_key_check", PragmaUse::kAny},
    {"foreign_key_list", PragmaUse::kAny},     {"foreign_keys", PragmaUse::kReadOnly},
    {"freelist_count", PragmaUse::kReadOnly},  {"function_list", PragmaUse::kReadOnly},
    {"index_info", PragmaUse::kAny},           {"index_list", PragmaUse::kAny},
    {"index_xinfo", PragmaUse::kAny},          {"integrity_check", PragmaUse::kAny},
    {"journal_mode", PragmaUse::kReadOnly},    {"module_list", PragmaUse::kReadOnly},
    {"page_count", PragmaUse::kReadOnly},      {"page_size", PragmaUse::kReadOnly},
    {"pragma_list", PragmaUse::kReadOnly},     {"quick_check", PragmaUse::kAny},
    {"schema_version", PragmaUse::kReadOnly},  {"synchronous", PragmaUse::kReadOnly},
    {"table_info", PragmaUse::kAny},           {"table_list", PragmaUse::kAny},
    {"table_xinfo", PragmaUse::kAny},          {"user_version", PragmaUse::kAny},
};

constexpr std::string_view kCreatableModules[] = {"hypertable", "fts5", "fts5vocab", "rtree", "rtree_i32", "geopoly"};
constexpr std::string_view kDeniedFunctions[] = {"load_extension", "fts3_tokenizer", "writefile", "readfile", "edit"};
/// Functions that change what there is, not what is in it.
constexpr std::string_view kAdministrativeFunctions[] = {"graph_bind",       "graph_unbind",          "graph_create_index", "graph_create_edge_index",
                                                         "graph_drop_index", "graph_drop_edge_index", "graph_hierarchy",    "graph_hierarchy_drop",
                                                         "create_hypertable", "create_continuous_aggregate", "drop_continuous_aggregate",
                                                         "hypertable_alter", "braid_durability", "braid_sync"};
/// Functions that write the graph or the series, so that their statement takes the writer slot.
constexpr std::string_view kWritingFunctions[] = {"graph_bind",         "graph_unbind",      "graph_link",
                                                  "graph_create_index", "graph_create_edge_index", "graph_drop_index",
                                                  "graph_drop_edge_index", "graph_delete",   "graph_write",  "drop_chunks",
                                                  "graph_hierarchy",    "graph_hierarchy_drop", "graph_scenario",
                                                  "graph_scenario_add_node", "graph_scenario_remove_node", "graph_scenario_add_edge",
                                                  "graph_scenario_remove_edge", "graph_scenario_set", "graph_scenario_undo",
                                                  "graph_scenario_drop", "graph_scenario_keep", "load_advance", "load_finish",
                                                  "delete_points", "hypertable_alter", "create_hypertable", "create_continuous_aggregate",
                                                  "drop_continuous_aggregate", "refresh_continuous_aggregate", "add_retention_policy",
                                                  "add_size_retention_policy", "remove_retention_policy", "add_compression_policy",
                                                  "remove_compression_policy", "add_continuous_aggregate_policy",
                                                  "remove_continuous_aggregate_policy"};
/// What looks at or changes how the database is kept, for who runs it.
constexpr std::string_view kFunctionsOfHosts[] = {"sqlite_compileoption_get", "sqlite_compileoption_used", "fts5", "drop_chunks", "hypertable_compact",
                                                  "refresh_continuous_aggregate", "add_retention_policy", "add_size_retention_policy",
                                                  "remove_retention_policy", "add_compression_policy", "remove_compression_policy",
                                                  "add_continuous_aggregate_policy", "remove_continuous_aggregate_policy", "graph_project",
                                                  "graph_project_drop", "run_maintenance", "series_fast_path", "hypertable_size", "load_position",
                                                  "load_advance", "load_finish",
                                                  // Of fts5, which asks nobody how long it may take.
                                                  "snippet", "highlight"};
/// Tables that tell how the database is kept, or what else the connection runs.
constexpr std::string_view kTablesOfHosts[] = {"dbstat", "sqlite_dbpage", "sqlite_stmt", "bytecode", "tables_used", "maintenance_policies", "show_chunks",
                                               "chunks_detailed_size", "hypertable_detailed_size", "hypertables", "continuous_aggregates", "graph_walks",
                                               "graph_projections", "series_reads", "load_positions"};
/// Functions whose answers differ from row to row.
constexpr std::string_view kUnsteadyFunctions[] = {"random", "randomblob", "gen_random_uuid", "changes", "total_changes", "last_insert_rowid"};
/// What reads the catalog at the snapshot, beside all that is named graph_….
constexpr std::string_view kReadingNames[] = {"load_position", "load_advance", "load_finish", "load_positions", "asof", "asof_value", "hypertable_compact", "show_chunks",
                                              "hypertable_size", "hypertable_detailed_size", "chunks_detailed_size", "hypertables",
                                              "maintenance_policies", "continuous_aggregates", "hypertable_rollup", "rollup"};

bool starts(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same_sql_name(text.substr(0, prefix.size()), prefix);
}
template <size_t N>
bool listed(const std::string_view (&list)[N], std::string_view name) {
  for (const std::string_view item : list)
    if (same_sql_name(item, name)) return true;
  return false;
}

bool is_ours(std::string_view name) { return starts(name, "_braid_"); }

class Authorizer {
 public:
  Authorizer(Connection& connection, StatementTraits& traits, std::string_view first, std::string_view second,
             std::string_view schema, std::string_view trigger)
      : connection_(connection), traits_(traits), first_(first), second_(second), schema_(schema), trigger_(trigger) {}

  int decide(int action) {
    if (connection_.restricted() && !allowed_to_strangers(action))
      return refuse(fmt::format("the connection is restricted: its SQL may not do this (action {} of SQLite, '{}', '{}')", action, first_, second_));
    traits_.grows_rows |= grows(action);
    switch (action) {
      case SQLITE_CREATE_TEMP_TABLE:
      case SQLITE_CREATE_TEMP_VIEW: traits_.is_temporary = true; return new_table();
      case SQLITE_CREATE_TEMP_INDEX:
      case SQLITE_CREATE_TEMP_TRIGGER:
      case SQLITE_DROP_TEMP_INDEX:
      case SQLITE_DROP_TEMP_TABLE:
      case SQLITE_DROP_TEMP_TRIGGER:
      case SQLITE_DROP_TEMP_VIEW: traits_.is_temporary = true; return schema();
      case SQLITE_CREATE_TABLE:
      case SQLITE_CREATE_VIEW: return new_table();
      case SQLITE_CREATE_TRIGGER: traits_.trigger_table = second_; return schema();
      case SQLITE_CREATE_INDEX:
      case SQLITE_DROP_INDEX:
      case SQLITE_DROP_TRIGGER:
      case SQLITE_DROP_VIEW:
      case SQLITE_DROP_VTABLE:
      case SQLITE_REINDEX: return schema();
      // ANALYZE without a name comes here for our tables too, and harms none.
      case SQLITE_ANALYZE: traits_.changes_schema = true; return SQLITE_OK;
      case SQLITE_DROP_TABLE:
        if (bound(first_)) return refuse_bound("dropped", first_);
        return catalog().reference_to_table(first_) ? refuse_referenced("dropped", first_) : schema();
      case SQLITE_ALTER_TABLE: return alter();
      case SQLITE_CREATE_VTABLE:
        if (!listed(kCreatableModules, second_)) return refuse(fmt::format("virtual tables of module '{}' are not allowed", second_));
        return new_table();
      case SQLITE_ATTACH:
      case SQLITE_DETACH: return refuse("ATTACH, DETACH and VACUUM are not allowed: a database is one directory");
      case SQLITE_PRAGMA: return pragma();
      case SQLITE_FUNCTION: return function();
      case SQLITE_TRANSACTION: return transaction();
      case SQLITE_SAVEPOINT: return savepoint();
      case SQLITE_READ: return read();
      case SQLITE_INSERT: traits_.inserts_graph |= trigger_.empty() && (same_sql_name(first_, "graph_nodes") || same_sql_name(first_, "graph_edges")); return write();
      case SQLITE_DELETE:
        if (trigger_.empty()) traits_.deletes_from = first_;
        traits_.may_see_keys |= !trigger_.empty();
        return write();
      case SQLITE_UPDATE: traits_.may_see_keys = true; return update();
      case SQLITE_SELECT:
      case SQLITE_RECURSIVE: traits_.may_see_keys = true; return SQLITE_OK;
      default: return refuse(fmt::format("action {} is not allowed", action));
    }
  }

 private:
  /// What a stranger's SQL may do: read, and change rows, nodes, edges and points unless it may only read. No settings, no schema, no administration.
  bool allowed_to_strangers(int action) const {
    // A virtual table declares its columns where it is first used: that looks like the making of a table x. SQLite itself lets nobody write
    // sqlite_master.
    const bool declares = connection_.preparing() == nullptr || !statement_begins_with(connection_.preparing_sql(), "CREATE");
    if (declares && (action == SQLITE_CREATE_TABLE || action == SQLITE_INSERT || action == SQLITE_UPDATE) && (same_sql_name(first_, "x") || same_sql_name(first_, "sqlite_master"))) return true;
    switch (action) {
      case SQLITE_SELECT:
      case SQLITE_READ:
      case SQLITE_RECURSIVE: return !listed(kTablesOfHosts, first_);
      case SQLITE_FUNCTION:
        return !listed(kAdministrativeFunctions, second_) && !listed(kFunctionsOfHosts, second_) &&
               !(connection_.restricted_to_reading() && listed(kWritingFunctions, second_));
      case SQLITE_INSERT:
      case SQLITE_UPDATE:
      case SQLITE_DELETE: return !connection_.restricted_to_reading() && !starts(first_, "sqlite_");
      case SQLITE_TRANSACTION:
      case SQLITE_SAVEPOINT: return true;
      // SQLite asks so about the tables that a statement over fts5 or rtree reads; a value would be a setting.
      case SQLITE_PRAGMA: return second_.empty() && same_sql_name(first_, "data_version");
      default: return false;
    }
  }

  /// SQLite's own tables change whenever the schema does, also when something is dropped.
  bool grows(int action) const {
    switch (action) {
      case SQLITE_INSERT:
      case SQLITE_UPDATE: return !starts(first_, "sqlite_") && !is_ours(first_);
      case SQLITE_CREATE_TABLE:
      case SQLITE_CREATE_INDEX:
      case SQLITE_CREATE_VTABLE:
      case SQLITE_ALTER_TABLE: return true;
      default: return false;
    }
  }

  int refuse(std::string why) {
    traits_.refusal = Status(StatusCode::kDenied, std::move(why));
    return SQLITE_DENY;
  }
  int refuse_bound(std::string_view verb, std::string_view table) {
    return refuse(fmt::format("table '{}' is bound to a label of the graph and cannot be {}; call graph_unbind first", table, verb));
  }
  int refuse_referenced(std::string_view verb, std::string_view table) {
    const auto [hypertable, reference] = *catalog().reference_to_table(table);
    return refuse(fmt::format("tag '{}' of hypertable '{}' refers to table '{}', which cannot be {}; drop the hypertable first",
                              hypertable->tags[reference->tag], hypertable->name, table, verb));
  }
  int refuse_ours(std::string_view name) {
    return refuse(fmt::format("'{}' belongs to Braid; names that start with _braid_ cannot be used", name));
  }

  const CatalogState& catalog() {
    if (connection_.session().pinned()) return connection_.catalog_state();
    held_ = connection_.engine().versions().newest();
    return *held_->catalog;
  }
  bool bound(std::string_view table) { return catalog().binding_of_table(table) != nullptr; }

  int schema() {
    traits_.changes_schema = true;
    if (is_ours(first_)) return refuse_ours(first_);
    if (is_ours(second_)) return refuse_ours(second_);
    return SQLITE_OK;
  }

  int new_table() {
    if (connection_.is_built_in_table(first_)) return refuse(fmt::format("'{}' is a table of {}; choose another name", first_, starts(first_, "graph_") ? "the graph" : "Braid"));
    return schema();
  }

  /// ALTER TABLE tells the table only; what it does is in the text.
  int alter() {
    traits_.changes_schema = true;
    if (is_ours(second_)) return refuse_ours(second_);
    const BindingDefinition* binding = catalog().binding_of_table(second_);
    const bool referenced = catalog().reference_to_table(second_).has_value();
    const std::string& sql = connection_.preparing_sql();
    if (contains(sql, "RENAME") && binding != nullptr) return refuse_bound("renamed, nor its columns", second_);
    if (contains(sql, "RENAME") && referenced) return refuse_referenced("renamed, nor its columns", second_);
    if (!contains(sql, "DROP")) return SQLITE_OK;
    if (binding != nullptr && same_sql_name(last_name(sql, binding->key_column), binding->key_column)) return refuse_bound("changed in its key column", second_);
    for (const auto& [id, table] : catalog().hypertables) {
      for (const TagReference& reference : table.references)
        if (same_sql_name(reference.table, second_) && same_sql_name(last_name(sql, reference.column), reference.column)) return refuse_referenced("changed in this column", second_);
    }
    return SQLITE_OK;
  }
  /// The column of ALTER TABLE … DROP COLUMN stands last; what cannot be read for sure (a comment after it) counts as the key.
  static std::string last_name(std::string_view sql, const std::string& key) {
    while (!sql.empty() && (sql.back() == ';' || std::isspace(static_cast<unsigned char>(sql.back())) != 0)) sql.remove_suffix(1);
    if (contains(sql, "--") || contains(sql, "/*")) return key;
    const char close = sql.empty() ? ' ' : sql.back();
    const char open = close == ']' ? '[' : close;
    const bool quoted = close == ']' || close == '"' || close == '`' || close == '\'';
    const size_t start = quoted ? sql.rfind(open, sql.size() - 2) : sql.find_last_of(" \t\r\n\f");
    if (start == std::string_view::npos) return key;
    return std::string(sql.substr(start + 1, sql.size() - start - (quoted ? 2 : 1)));
  }
  static bool contains(std::string_view text, std::string_view word) {
    for (size_t i = 0; i + word.size() <= text.size(); ++i)
      if (same_sql_name(text.substr(i, word.size()), word)) return true;
    return false;
  }

  int pragma() {
    traits_.is_pragma = true;
    if (is_ours(second_)) return refuse_ours(second_);
    for (const PragmaRow& row : kPragmas) {
      if (!same_sql_name(row.name, first_)) continue;
      // Scripts of other programs often begin with it.
      if (same_sql_name(first_, "foreign_keys") && (same_sql_name(second_, "on") || same_sql_name(second_, "1") || same_sql_name(second_, "true") || same_sql_name(second_, "yes"))) return SQLITE_OK;
      if (row.use == PragmaUse::kReadOnly && !second_.empty())
        return refuse(fmt::format("PRAGMA {} can be read but not set: Braid decides it", first_));
      return SQLITE_OK;
    }
    return refuse(fmt::format("PRAGMA {} is not allowed", first_));
  }

  int function() {
    if (listed(kDeniedFunctions, second_) || is_ours(second_)) return refuse(fmt::format("function {} is not allowed", second_));
    if (listed(kWritingFunctions, second_)) traits_.writes_stores = true;
    if (listed(kUnsteadyFunctions, second_)) traits_.may_see_keys = true;
    if (listed(kAdministrativeFunctions, second_)) traits_.administers = true;
    if (starts(second_, "graph_") || listed(kReadingNames, second_)) traits_.reads_stores = true;
    return SQLITE_OK;
  }

  int transaction() {
    traits_.control = same_sql_name(first_, "BEGIN") ? Control::kBegin : same_sql_name(first_, "ROLLBACK") ? Control::kRollback : Control::kCommit;
    return SQLITE_OK;
  }

  int savepoint() {
    traits_.control = same_sql_name(first_, "BEGIN") ? Control::kSavepoint : same_sql_name(first_, "RELEASE") ? Control::kRelease : Control::kRollbackTo;
    traits_.savepoint = second_;
    if (is_ours(second_)) return refuse_ours(second_);
    return SQLITE_OK;
  }

  /// A trigger of a binding is ours and writes our table; nobody else reaches it.
  bool in_our_trigger() const { return is_ours(trigger_); }

  int read() {
    if (is_ours(first_) && !in_our_trigger()) return refuse_ours(first_);
    if (same_sql_name(second_, kPointColumn)) traits_.may_see_keys = true;
    if (starts(first_, "graph_") || listed(kReadingNames, first_) || catalog().hypertable(first_) != nullptr || catalog().aggregate(first_) != nullptr)
      traits_.reads_stores = true;
    return SQLITE_OK;
  }

  int update() {
    const HypertableDefinition* table = same_sql_name(second_, kLatestColumn) && same_sql_name(schema_, "main") ? catalog().hypertable(first_) : nullptr;
    return table != nullptr && has_latest_column(*table) ? refuse(unwritable_latest(table->name)) : write();
  }

  int write() {
    if (is_ours(first_) && !in_our_trigger()) return refuse_ours(first_);
    return SQLITE_OK;
  }

  Connection& connection_;
  StatementTraits& traits_;
  const std::string_view first_;
  const std::string_view second_;
  const std::string_view schema_;
  const std::string_view trigger_;
  std::shared_ptr<const Version> held_;  // shared: keeps the catalog alive while it is looked at
};

int authorize(void* context, int action, const char* first, const char* second, const char* schema, const char* trigger) {
  auto& connection = *static_cast<Connection*>(context);
  if (connection.session().internal()) return SQLITE_OK;
  const auto text = [](const char* value) { return value == nullptr ? std::string_view() : std::string_view(value); };
  // SQLite prepares a statement again after a schema change; what it learned the first time stays.
  StatementTraits scratch;
  StatementTraits& traits = connection.preparing() != nullptr ? *connection.preparing() : scratch;
  int decision = SQLITE_DENY;
  // No exception passes SQLite: the statement that it prepares would be left behind.
  const Status decided = caught([&] {
    decision = Authorizer(connection, traits, text(first), text(second), text(schema), text(trigger)).decide(action);
    return Status();
  });
  if (!decided.ok()) traits.refusal = decided;
  if (decision != SQLITE_OK && connection.preparing() == nullptr) connection.report(scratch.refusal);
  return decision;
}

}  // namespace

Status register_authorizer(Connection& connection) {
  const auto set = [&connection] { sqlite3_set_authorizer(connection.db(), authorize, &connection); };
  set();
  // Whenever it is set SQLite prepares all statements again, those that run not before they are done.
  connection.session().on_capture(set);
  return {};
}

}  // namespace braid
