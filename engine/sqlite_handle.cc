#include "engine/sqlite_handle.h"

#include <fmt/format.h>

#include "engine/memory_budget.h"
#include "engine/page_vfs.h"

namespace braid {

namespace {

struct CodeRow {
  int sqlite;
  StatusCode ours;
};

// Extended codes first: they are looked up before their primary code.
constexpr CodeRow kCodes[] = {
    {SQLITE_BUSY_SNAPSHOT, StatusCode::kConflict},
    {SQLITE_IOERR_DATA, StatusCode::kCorrupt},
    {SQLITE_IOERR_CORRUPTFS, StatusCode::kCorrupt},
    {SQLITE_IOERR_NOMEM, StatusCode::kOutOfMemory},
    {SQLITE_OK, StatusCode::kOk},
    {SQLITE_ERROR, StatusCode::kSql},
    {SQLITE_INTERNAL, StatusCode::kInternal},
    {SQLITE_PERM, StatusCode::kIo},
    {SQLITE_ABORT, StatusCode::kInterrupted},
    {SQLITE_BUSY, StatusCode::kBusy},
    {SQLITE_LOCKED, StatusCode::kBusy},
    {SQLITE_NOMEM, StatusCode::kOutOfMemory},
    {SQLITE_READONLY, StatusCode::kReadOnly},
    {SQLITE_INTERRUPT, StatusCode::kInterrupted},
    {SQLITE_IOERR, StatusCode::kIo},
    {SQLITE_CORRUPT, StatusCode::kCorrupt},
    {SQLITE_FULL, StatusCode::kFull},
    {SQLITE_CANTOPEN, StatusCode::kIo},
    {SQLITE_TOOBIG, StatusCode::kLimit},
    {SQLITE_CONSTRAINT, StatusCode::kConstraint},
    {SQLITE_MISMATCH, StatusCode::kConstraint},
    {SQLITE_MISUSE, StatusCode::kMisuse},
    {SQLITE_AUTH, StatusCode::kDenied},
    {SQLITE_RANGE, StatusCode::kInvalidArgument},
    {SQLITE_NOTADB, StatusCode::kCorrupt},
};

}  // namespace

StatusCode sqlite_code(int code) {
  for (const CodeRow& row : kCodes)
    if (row.sqlite == code) return row.ours;
  for (const CodeRow& row : kCodes)
    if (row.sqlite == (code & 0xff)) return row.ours;
  return StatusCode::kSql;
}

Status sqlite_status(sqlite3* db, int code, std::string_view doing) {
  // A rollback in between clears what the connection says.
  std::string text = db == nullptr || sqlite3_errcode(db) == SQLITE_OK ? sqlite3_errstr(code) : sqlite3_errmsg(db);
  if (code == SQLITE_IOERR_DATA) text = "a page has the wrong checksum; the file is damaged";
  StatusCode ours = sqlite_code(code);
  if (ours == StatusCode::kOutOfMemory) {
    if (auto refusal = MemoryBudget::sqlite_refusal()) {
      ours = StatusCode::kLimit;
      text = std::move(*refusal);
    }
  }
  if ((code & 0xff) == SQLITE_TOOBIG && db != nullptr)
    text += fmt::format("; value_bytes_max, or the connection's restriction, allows {} bytes", sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1));
  const std::string failure = take_file_failure();
  const bool of_files = ours == StatusCode::kIo || ours == StatusCode::kFull;
  if (of_files && !failure.empty()) text += fmt::format(" ({})", failure);
  if (ours == StatusCode::kCorrupt) text = "rows.db: " + text;
  return Status(ours, doing.empty() ? text : std::string(doing) + ": " + text);
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* db = sqlite3_db_handle(statement_);
  const Status status = sqlite_status(db, sqlite3_extended_errcode(db));
  sqlite3_reset(statement_);
  return status;
}

Status SqliteStatement::run() {
  const Result<bool> stepped = step();
  if (!stepped.ok()) return stepped.status();
  sqlite3_reset(statement_);
  return {};
}

Result<SqliteStatement> sqlite_prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return sqlite_status(db, code, sql);
  return SqliteStatement(statement);
}

Status sqlite_run(sqlite3* db, const std::string& sql) {
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : sqlite_status(db, sqlite3_extended_errcode(db), sql);
}

namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out.push_back(quote);
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

}  // namespace

std::string immutable_uri(const std::string& path) {
  std::string out = "file:";
  // What a URI gives another meaning is written in hexadecimal.
  for (const char c : path) out += c == '%' || c == '?' || c == '#' ? fmt::format("%{:02x}", static_cast<unsigned>(c)) : std::string(1, c);
  return out + "?immutable=1";
}

bool same_sql_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
}

std::string quote_identifier(std::string_view name) { return quoted(name, '"'); }
std::string quote_text(std::string_view text) { return quoted(text, '\''); }

}  // namespace braid
