#include "cli/table_target.h"

#include <fmt/format.h>

#include <array>

namespace braid::cli {

Outcome<bool> table_exists(const Session& session, std::string_view name) {
  bool exists = false;
  const std::array<std::string_view, 1> names = {name};
  Done done = session.query(
      "SELECT 1 FROM sqlite_schema WHERE type IN ('table','view') AND name = ?1 COLLATE NOCASE",
      names, [&exists](braid_statement*) { exists = true; });
  if (done.has_value()) return *done;
  return exists;
}

Done TableTarget::plan(std::vector<ImportColumn>* columns) {
  Outcome<bool> exists = table_exists(session_, arguments_.name);
  if (!exists.ok()) return exists.failure();
  exists_ = *exists;
  if (exists_) return plan_existing(columns);
  return std::nullopt;
}

Done TableTarget::plan_existing(std::vector<ImportColumn>* columns) const {
  Outcome<PreparedStatement> select =
      session_.prepare("SELECT * FROM " + quote_identifier(arguments_.name) + " LIMIT 0");
  if (!select.ok()) return select.failure();
  std::vector<ImportColumn> known;
  for (int32_t i = 0; i < braid_column_count(select->handle.get()); ++i) {
    known.push_back(
        {.name = braid_column_name(select->handle.get(), i),
         .type = column_type_of_declaration(braid_column_declared_type(select->handle.get(), i))});
  }
  for (ImportColumn& column : *columns) {
    const std::optional<size_t> index = find_column(known, column.name);
    if (!index.has_value()) {
      return Failure{fmt::format("line 1: the table {} has no column \"{}\"; it has {}",
                                 arguments_.name, column.name, column_names(known))};
    }
    if (column.type.has_value()) continue;
    column.type = known[*index].type;
    column.fixed = true;
  }
  return std::nullopt;
}

Done TableTarget::create(const std::vector<ImportColumn>& columns) {
  std::string definitions;
  for (const ImportColumn& column : columns) {
    if (!definitions.empty()) definitions += ", ";
    definitions += fmt::format("{} {}", quote_identifier(column.name),
                               column_type_row(*column.type).table_type);
  }
  notes_ = fmt::format("created the table {} ({})", arguments_.name, definitions);
  return session_.run(
      fmt::format("CREATE TABLE {} ({})", quote_identifier(arguments_.name), definitions));
}

Done TableTarget::begin(const std::vector<ImportColumn>& columns) {
  if (!exists_) CLI_TRY(create(columns));
  std::string names;
  std::string places;
  for (const ImportColumn& column : columns) {
    if (!names.empty()) names += ", ";
    names += quote_identifier(column.name);
    places += places.empty() ? "?" : ", ?";
  }
  Outcome<PreparedStatement> insert = session_.prepare(fmt::format(
      "INSERT INTO {} ({}) VALUES ({})", quote_identifier(arguments_.name), names, places));
  if (!insert.ok()) return insert.failure();
  insert_ = std::move(insert->handle);
  return std::nullopt;
}

int32_t TableTarget::bind(int32_t index, const ImportValue& value) const {
  braid_statement* statement = insert_.get();
  if (value.null) return braid_bind_null(statement, index);
  switch (value.type) {
    case ColumnType::kInteger:
    case ColumnType::kBoolean:
      return braid_bind_int64(statement, index, value.integer);
    case ColumnType::kDouble:
      return braid_bind_double(statement, index, value.real);
    case ColumnType::kText:
    case ColumnType::kTimestamp:
    case ColumnType::kJson:
    case ColumnType::kAny:
      return braid_bind_text(statement, index, value.text.data(),
                             static_cast<int64_t>(value.text.size()));
  }
  return BRAID_INTERNAL;
}

Done TableTarget::add(std::span<const ImportValue> values, int64_t) {
  for (size_t i = 0; i < values.size(); ++i) {
    CLI_TRY(session_.check(bind(static_cast<int32_t>(i) + 1, values[i])));
  }
  int32_t code = BRAID_ROW;
  while (code == BRAID_ROW) code = braid_statement_step(insert_.get());
  // The message is read before reset, which is a call of its own.
  if (code != BRAID_DONE) return session_.failure(code);
  return session_.check(braid_statement_reset(insert_.get()));
}

}  // namespace braid::cli
