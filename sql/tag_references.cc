#include "sql/tag_references.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/series_choice.h"
#include "sql/series_conditions.h"
#include "sql/sql_tokens.h"
#include "sql/trigger_table.h"
#include "sql/virtual_table.h"
#include "timeseries/last_points.h"

namespace braid {

namespace {

struct RuleRow {
  std::string_view name;
  ReferenceRule rule;
};
constexpr RuleRow kRules[] = {{"RESTRICT", ReferenceRule::kRestrict}, {"KEEP", ReferenceRule::kKeep}, {"ERASE", ReferenceRule::kErase}};

constexpr std::string_view kReferenceEvents[] = {"delete", "update"};

std::string trigger_name(HypertableId table, size_t tag, std::string_view event) {
  return quote_identifier(fmt::format("_braid_ref_{}_{}_{}", table.value(), tag, event));
}

/// They write (hypertable, tag, event, old value) into `_braid_referenced`, whose xUpdate does the work.
std::string trigger_sql(HypertableId table, const TagReference& reference) {
  const std::string column = quote_identifier(reference.column);
  const auto body = [&](std::string_view event) {
    return fmt::format(" BEGIN INSERT INTO _braid_referenced VALUES({}, {}, '{}', OLD.{}); END;", table.value(), reference.tag, event, column);
  };
  const std::string on = quote_identifier(reference.table);
  return fmt::format("CREATE TRIGGER {} AFTER DELETE ON {}{}", trigger_name(table, reference.tag, "delete"), on, body("delete")) +
         fmt::format("CREATE TRIGGER {} AFTER UPDATE OF {} ON {} WHEN CAST(OLD.{} AS BLOB) IS NOT CAST(NEW.{} AS BLOB){}",
                     trigger_name(table, reference.tag, "update"), column, on, column, column, body("update"));
}

Result<bool> has_points(Connection& connection, const HypertableDefinition& table, std::vector<SeriesId> series) {
  LastPoints points(connection.series_view(), connection.series_overlay(), table, std::move(series), std::vector<bool>(table.fields.size(), false),
                    Timestamp(INT64_MAX));
  return points.next();
}

/// A row to which a tag refers is gone, or has another value now.
Status leave_row(Connection& connection, HypertableId id, size_t tag, std::string_view event, sqlite3_value* value) {
  const auto found = connection.catalog_state().hypertables.find(id);
  if (found == connection.catalog_state().hypertables.end())
    return Status(StatusCode::kCorrupt, fmt::format("a trigger belongs to hypertable {}, which is not there", id.value()));
  const HypertableDefinition table = found->second;  // erasing changes the catalog that it stands in
  const auto reference = std::find_if(table.references.begin(), table.references.end(), [&](const TagReference& one) { return one.tag == tag; });
  if (reference == table.references.end()) return Status(StatusCode::kCorrupt, fmt::format("hypertable '{}' has no reference of tag {}", table.name, tag));
  SeriesWriter& writer = connection.series_writer();
  writer.forget_references();
  const std::string text(text_of(value));
  auto wanted = equal_tag(value, table.tag_type(tag));
  if (!wanted) return {};
  std::vector<TagChoice> choices(table.tags.size());
  choices[tag].require(std::move(wanted));
  BRAID_ASSIGN(auto series, choose_series(connection, table, choices));
  if (!series || series->empty()) return {};
  BRAID_ASSIGN(const bool any, has_points(connection, table, *series));
  if (!any) return {};
  if (event == "delete" && reference->on_delete == ReferenceRule::kErase) return writer.remove_range(table, TimeRange{}, std::move(*series));
  return Status(StatusCode::kConstraint, fmt::format("the row of '{}' with {} = '{}' cannot be {}: hypertable '{}' has points whose tag '{}' refers to it",
                                                     reference->table, reference->column, text, event == "delete" ? "deleted" : "given another value",
                                                     table.name, table.tags[tag]));
}

class ReferencedTable final : public TriggerTable {
 public:
  explicit ReferencedTable(Connection& made_on) : TriggerTable(made_on, "_braid_referenced") {}

 private:
  // values: hypertable, tag, event, old value
  Status insert(std::span<sqlite3_value*> values) override {
    return leave_row(connection, HypertableId(static_cast<uint32_t>(sqlite3_value_int64(values[0]))), static_cast<size_t>(sqlite3_value_int64(values[1])),
                     text_of(values[2]), values[3]);
  }
};

/// The first column of the first row; ?1 and ?2 are names.
Result<std::optional<std::string>> look_up(Connection& connection, const char* sql, std::string_view first, std::string_view second = {}) {
  BRAID_ASSIGN(auto row, sqlite_prepare(connection.db(), sql));
  row.bind_text(1, first);
  if (sqlite3_bind_parameter_count(row.get()) > 1) row.bind_text(2, second);
  BRAID_ASSIGN(const bool found, row.step());
  return found ? std::optional(std::string(row.bytes(0))) : std::nullopt;
}

Status resolve(Connection& connection, const HypertableDefinition& hypertable, TagReference& reference) {
  const auto refuse = [&](StatusCode code, std::string_view why) {
    return Status(code, fmt::format("tag '{}' of '{}' refers to {}({}): {}", hypertable.tags[reference.tag], hypertable.name, reference.table, reference.column, why));
  };
  BRAID_ASSIGN(const auto table, look_up(connection, "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
                                                     "AND name NOT LIKE '\\_braid\\_%' ESCAPE '\\' AND name = ?1 COLLATE NOCASE",
                                         reference.table));
  if (!table) return refuse(StatusCode::kNotFound, "there is no such table of rows");
  reference.table = *table;
  BRAID_ASSIGN(const auto column, look_up(connection, "SELECT name FROM pragma_table_info(?1) WHERE name = ?2 COLLATE NOCASE", reference.table, reference.column));
  if (!column) return refuse(StatusCode::kNotFound, "there is no such column");
  reference.column = *column;
  BRAID_ASSIGN(const auto unique, look_up(connection, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 AND pk = 1 AND (SELECT count(*) FROM pragma_table_info(?1) "
                                                      "WHERE pk > 0) = 1 UNION ALL SELECT 1 FROM pragma_index_list(?1) i WHERE i.\"unique\" AND NOT i.partial AND "
                                                      "(SELECT group_concat(name) = ?2 AND count(*) = 1 FROM pragma_index_info(i.name))",
                                          reference.table, reference.column));
  return unique ? Status() : refuse(StatusCode::kInvalidArgument, "the column is neither the PRIMARY KEY nor UNIQUE");
}

}  // namespace

Result<TagReference> parse_tag_reference(std::string_view text) {
  const auto expected = [&] {
    return Status(StatusCode::kInvalidArgument, fmt::format("REFERENCES {}: expected a table, its column in parentheses, and ON DELETE RESTRICT, KEEP or ERASE, "
                                                            "for example REFERENCES device(serial) ON DELETE KEEP", text));
  };
  const auto tokens = SqlTokens::of(text);
  const bool named = tokens && tokens->is_name(0) && tokens->is_operator(1, "(") && tokens->is_name(2) && tokens->is_operator(3, ")");
  if (!named) return expected();
  TagReference reference;
  reference.table = tokens->name(0);
  reference.column = tokens->name(2);
  if (tokens->size() == 4) return reference;
  if (tokens->size() != 7 || !tokens->is_word(4, "ON") || !tokens->is_word(5, "DELETE")) return expected();
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const RuleRow& row) { return tokens->is_word(6, row.name); });
  if (rule == std::end(kRules)) return expected();
  reference.on_delete = rule->rule;
  return reference;
}

std::string tag_reference_sql(const TagReference& reference) {
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const RuleRow& row) { return row.rule == reference.on_delete; });
  return fmt::format("REFERENCES {}({}) ON DELETE {}", quote_identifier(reference.table), quote_identifier(reference.column), rule->name);
}

Status resolve_tag_references(Connection& connection, HypertableDefinition& table) {
  const Session::Internal internal(connection.session());
  for (TagReference& reference : table.references) BRAID_TRY(resolve(connection, table, reference));
  return {};
}

Status create_reference_triggers(Connection& connection, const HypertableDefinition& table) {
  const Session::Internal internal(connection.session());
  for (const TagReference& reference : table.references) {
    if (reference.on_delete == ReferenceRule::kKeep) continue;
    BRAID_TRY(sqlite_run(connection.db(), trigger_sql(table.id, reference)));
  }
  return {};
}

Status drop_reference_triggers(Connection& connection, const HypertableDefinition& table) {
  const Session::Internal internal(connection.session());
  for (const TagReference& reference : table.references) {
    for (const std::string_view event : kReferenceEvents)
      BRAID_TRY(sqlite_run(connection.db(), "DROP TRIGGER IF EXISTS " + trigger_name(table.id, reference.tag, event)));
  }
  return {};
}

Status check_tag_references(Connection& connection, const HypertableDefinition& table, std::span<const std::optional<std::string_view>> tags, bool known) {
  const Session::Internal internal(connection.session());
  for (const TagReference& reference : table.references) {
    const auto& tag = tags[reference.tag];
    if (!tag || (known && reference.on_delete == ReferenceRule::kKeep)) continue;
    // The index of the column finds the row under the column's collation and type; a tag is its bytes.
    const std::string column = quote_identifier(reference.column);
    BRAID_ASSIGN(SqliteStatement * statement, connection.internal_statement(fmt::format("SELECT 1 FROM main.{} WHERE {} = ?1 AND CAST({} AS TEXT) = ?1 COLLATE BINARY",
                                                                                        quote_identifier(reference.table), column, column)));
    statement->bind_text(1, *tag);
    const auto found = statement->step();
    statement->reset();
    BRAID_TRY(found.status());
    if (*found) continue;
    return Status(StatusCode::kConstraint, fmt::format("hypertable '{}': tag '{}' refers to a row of '{}' with {} = '{}', which is not there", table.name,
                                                       table.tags[reference.tag], reference.table, reference.column, *tag));
  }
  return {};
}

Status register_tag_references(Connection& connection) {
  return register_trigger_table<ReferencedTable>(connection, "_braid_referenced", "hypertable, tag, event, old_value");
}

}  // namespace braid
