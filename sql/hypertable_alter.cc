// hypertable_alter(table, action, …): adds, drops, widens and renames columns and changes settings, without rewriting points.
//
// Chunks keep the ids of the fields that they were written with, so only the definition changes: in the catalogue, and in SQLite's schema,
// where the virtual table is dropped and made again without its points being touched.
#include <algorithm>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/aggregate_query.h"
#include "sql/hypertable_columns.h"
#include "sql/sql_tokens.h"
#include "sql/virtual_table.h"
#include "timeseries/field_mapping.h"

namespace braid {

namespace {

using Arguments = std::vector<std::string>;

Status not_found(const HypertableDefinition& table, std::string_view kind, std::string_view name) {
  return Status(StatusCode::kNotFound, fmt::format("hypertable '{}' has no {} '{}'", table.name, kind, name));
}

Result<FieldDefinition*> field_of(HypertableDefinition& table, std::string_view name) {
  const auto field = std::find_if(table.fields.begin(), table.fields.end(), [&](const auto& one) { return same_sql_name(one.name, name); });
  if (field == table.fields.end()) return not_found(table, "field", name);
  return &*field;
}

Status add_field(HypertableDefinition& table, const Arguments& arguments) {
  if (table.next_field == FieldId(UINT16_MAX))
    return Status(StatusCode::kLimit, fmt::format("hypertable '{}' has had {} fields, which is the most", table.name, UINT16_MAX - 1));
  const size_t before = table.fields.size();
  BRAID_TRY(add_column(table, fmt::format("{} {}", quote_identifier(arguments[0]), arguments[1])));
  if (table.fields.size() == before + 1) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("'{}': only fields can be added; tags and time tell points apart", arguments[0]));
}

Status drop_field(HypertableDefinition& table, const Arguments& arguments) {
  BRAID_ASSIGN(const FieldDefinition* field, field_of(table, arguments[0]));
  table.fields.erase(table.fields.begin() + (field - table.fields.data()));
  return {};
}

Status widen_field(HypertableDefinition& table, const Arguments& arguments) {
  BRAID_ASSIGN(FieldDefinition * field, field_of(table, arguments[0]));
  BRAID_ASSIGN(const FieldType type, parse_field_type(arguments[1]));
  if (!can_widen(field->type, type))
    return Status(StatusCode::kInvalidArgument, fmt::format("field '{}' cannot be widened from {} to {}; BOOLEAN can to BIGINT, DOUBLE and TEXT, BIGINT to "
                                                            "DOUBLE and TEXT, DOUBLE and JSON to TEXT",
                                                            field->name, field_type_name(field->type), field_type_name(type)));
  field->was_real = field->type == FieldType::kDouble;
  field->type = type;
  return {};
}

Status rename_column(HypertableDefinition& table, const Arguments& arguments) {
  std::vector<std::string*> names = {&table.time_column};
  for (std::string& tag : table.tags) names.push_back(&tag);
  for (FieldDefinition& field : table.fields) names.push_back(&field.name);
  const auto named = [&](std::string_view name) {
    return std::find_if(names.begin(), names.end(), [&](const std::string* one) { return same_sql_name(*one, name); });
  };
  const auto column = named(arguments[0]);
  if (column == names.end()) return not_found(table, "column", arguments[0]);
  const auto taken = named(arguments[1]);
  if (taken != names.end() && taken != column)
    return Status(StatusCode::kInvalidArgument, fmt::format("hypertable '{}' has a column '{}' already", table.name, **taken));
  **column = arguments[1];
  return {};
}

Status change_setting(HypertableDefinition& table, const Arguments& arguments) { return apply_setting(table, arguments[0], arguments[1]); }

struct Action {
  std::string_view name;
  size_t arguments;
  Status (*apply)(HypertableDefinition&, const Arguments&);
  std::string_view form;
};
constexpr Action kActions[] = {
    {"add", 2, add_field, "'add', 'FIELD', 'TYPE'"},         {"drop", 1, drop_field, "'drop', 'FIELD'"},
    {"widen", 2, widen_field, "'widen', 'FIELD', 'TYPE'"},   {"rename", 2, rename_column, "'rename', 'COLUMN', 'NEW NAME'"},
    {"set", 2, change_setting, "'set', 'SETTING', 'VALUE'"},
};

Status unknown_action(std::string_view name) {
  std::string forms;
  for (const Action& action : kActions) forms += fmt::format("{}hypertable_alter('TABLE', {})", forms.empty() ? "" : "; ", action.form);
  return Status(StatusCode::kInvalidArgument, fmt::format("hypertable_alter: '{}' with these arguments is no change; expected {}", name, forms));
}

/// The table in SQLite's schema, made again from its definition.
Status declare_again(Connection& connection, const HypertableDefinition& table) {
  const Connection::KeepsPoints keeps(connection);
  BRAID_TRY(sqlite_run(connection.db(), fmt::format("DROP TABLE main.{}", quote_identifier(table.name))));
  return sqlite_run(connection.db(), create_hypertable_sql(table));
}

Status alter(Connection& connection, const std::string& name, const Action& action, const Arguments& arguments) {
  const HypertableDefinition* found = connection.catalog_state().hypertable(name);
  if (found == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", name));
  if (connection.series_writer().has_staged(found->id))
    return Status(StatusCode::kMisuse, fmt::format("the transaction has written points of '{}'; commit them before hypertable_alter", found->name));
  HypertableDefinition changed = *found;
  BRAID_TRY(action.apply(changed, arguments).within("hypertable_alter"));
  BRAID_TRY(follow_alteration(connection.session().catalog_writer(), *found, changed).within("hypertable_alter"));
  connection.session().catalog_writer().put_hypertable(changed);
  return declare_again(connection, changed);
}

/// DDL waits until the statement is done.
Status alter_function(Connection& connection, sqlite3_context*, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  const std::string name(text_of(values[0]));
  const std::string_view verb = text_of(values[1]);
  Arguments arguments;
  for (sqlite3_value* value : values.subspan(2)) arguments.emplace_back(text_of(value));
  for (const Action& action : kActions) {
    if (!same_sql_name(action.name, verb) || action.arguments != arguments.size()) continue;
    connection.defer([&connection, name, &action, arguments] { return alter(connection, name, action, arguments); });
    return {};
  }
  return unknown_action(verb);
}

constexpr FunctionRow kAlterFunctions[] = {{"hypertable_alter", 3, 4, alter_function}};

}  // namespace

Status register_hypertable_alter(Connection& connection) { return register_functions(connection, FunctionUse::kDirectOnly, kAlterFunctions); }

}  // namespace braid
