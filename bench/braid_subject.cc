#include "bench/braid_subject.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/harness.h"

namespace bench {

std::string braid_options(const std::vector<std::pair<std::string, int64_t>>& wanted) {
  std::string text;
  braid_option option{};
  option.size_bytes = sizeof(option);
  for (size_t index = 0; braid_option_at(index, &option) == BRAID_OK; ++index) {
    for (const auto& [name, value] : wanted) {
      if (name != option.name) continue;
      const int64_t bounded = std::clamp(value, option.minimum, option.maximum);
      text += fmt::format("{}{}={}", text.empty() ? "" : ";", name, bounded);
    }
  }
  return text;
}

BraidDatabase::BraidDatabase(const std::string& directory, const std::string& options) {
  const int32_t code = braid_open(directory.c_str(), options.c_str(), &database_);
  if (code == BRAID_OK) return;
  fail(fmt::format("braid: open {}: {}", directory,
                   database_ == nullptr ? braid_code_text(code) : braid_database_error(database_)));
}

int64_t BraidDatabase::option(const char* name) {
  int64_t value = 0;
  return braid_option_get(database_, name, &value) == BRAID_OK ? value : 0;
}

namespace {
struct FigureFilter {
  std::string_view part;
  std::map<std::string, int64_t> found;
};
}  // namespace

std::map<std::string, int64_t> BraidDatabase::figures(std::string_view part) {
  FigureFilter filter{part, {}};
  const auto visit = [](void* context, const braid_figure* figure) {
    FigureFilter& wanted = *static_cast<FigureFilter*>(context);
    if (std::string_view(figure->name).find(wanted.part) == std::string_view::npos) return;
    wanted.found[figure->name] = figure->value;
  };
  if (braid_stats(database_, visit, &filter) != BRAID_OK) {
    fail(fmt::format("braid: stats: {}", braid_database_error(database_)));
  }
  return filter.found;
}

BraidConnection::BraidConnection(BraidDatabase& database) {
  if (braid_connect(database.handle(), &connection_) != BRAID_OK) {
    fail(fmt::format("braid: connect: {}", braid_database_error(database.handle())));
  }
}

void BraidConnection::check(int32_t code, std::string_view doing) {
  if (code == BRAID_OK) return;
  fail(fmt::format("braid: {}: {}: {}", doing, braid_code_text(code),
                   braid_connection_error(connection_)));
}

void BraidConnection::execute(std::string_view sql) {
  check(braid_execute(connection_, sql.data(), static_cast<int64_t>(sql.size())), sql);
}

int64_t BraidConnection::query(const char* sql) {
  BraidStatement statement(*this, sql);
  if (!statement.row()) fail(fmt::format("braid: {}: no row", sql));
  return statement.int64(0);
}

BraidStatement::BraidStatement(BraidConnection& connection, const char* sql)
    : connection_(connection) {
  connection.check(
      braid_prepare(connection.handle(), sql, BRAID_NUL_TERMINATED, &statement_, nullptr), sql);
}

void BraidStatement::bind(int32_t index, std::string_view value) {
  connection_.check(
      braid_bind_text(statement_, index, value.data(), static_cast<int64_t>(value.size())), "bind");
}

void BraidStatement::run() {
  while (row()) {
  }
  reset();
}

bool BraidStatement::row() {
  const int32_t code = braid_statement_step(statement_);
  if (code == BRAID_ROW) return true;
  if (code != BRAID_DONE) connection_.check(code, "step");
  return false;
}

void BraidStatement::reset() { connection_.check(braid_statement_reset(statement_), "reset"); }

std::string_view BraidStatement::text(int32_t column) {
  int64_t size = 0;
  const char* bytes = braid_column_text(statement_, column, &size);
  return {bytes, static_cast<size_t>(size)};
}

}  // namespace bench
