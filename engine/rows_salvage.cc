#include "engine/rows_salvage.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "engine/commit_log.h"
#include "engine/long_call.h"
#include "engine/page_vfs.h"
#include "engine/row_reader.h"
#include "engine/sqlite_handle.h"

namespace braid {

namespace {

/// A row of the schema.
struct SchemaObject {
  std::string type, name, table, sql;
  uint32_t root = 0;
};

/// Where a new database has its own tables, and where they stay: only the roots above that of a dropped table move.
constexpr std::pair<const char*, uint32_t> kOwnRoots[] = {{"_braid_log", 3},  {"_braid_name", 4},     {"_braid_series", 5}, {"_braid_object", 6},
                                                          {"_braid_meta", 7}, {"_braid_scenario", 8}, {"_braid_dirty", 9}};

bool is_own(std::string_view name) {
  return std::any_of(std::begin(kOwnRoots), std::end(kOwnRoots), [&](const auto& own) { return name == own.first; });
}

/// Where the values of a record go.
struct Columns {
  std::vector<std::string> names;    ///< as they are stored; "" for one that cannot be written
  std::optional<size_t> key;         ///< the one that is the rowid
  std::string rowid;                 ///< a name of the rowid that no column has; "" when there is none
};

Result<bool> is_without_rowid(sqlite3* db, std::string_view table) {
  BRAID_ASSIGN(auto row, sqlite_prepare(db, "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1"));
  row.bind_text(1, table);
  BRAID_ASSIGN(const bool found, row.step());
  return found && row.integer(0) != 0;
}

Result<Columns> columns_of(sqlite3* db, const std::string& table) {
  struct Column {
    std::string name;
    bool integer = false, generated = false, kept = false;
    int64_t key = 0;
  };
  std::vector<Column> all;
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT name, upper(type) = 'INTEGER', pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid"));
  rows.bind_text(1, table);
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) break;
    constexpr int64_t kVirtual = 2;
    constexpr int64_t kStored = 3;
    if (rows.integer(3) != kVirtual) all.push_back({std::string(rows.bytes(0)), rows.integer(1) != 0, rows.integer(3) == kStored, false, rows.integer(2)});
  }
  BRAID_ASSIGN(const bool without_rowid, is_without_rowid(db, table));
  const auto keys = std::count_if(all.begin(), all.end(), [](const Column& one) { return one.key > 0; });
  // Without a rowid the key comes first.
  if (without_rowid)
    std::stable_sort(all.begin(), all.end(), [](const Column& a, const Column& b) {
      return (a.key > 0 ? a.key : INT64_MAX) < (b.key > 0 ? b.key : INT64_MAX);
    });
  Columns columns;
  for (const Column& one : all) {
    if (!without_rowid && keys == 1 && one.key > 0 && one.integer) columns.key = columns.names.size();
    columns.names.push_back(one.generated ? "" : quote_identifier(one.name));
  }
  if (without_rowid || columns.key.has_value()) return columns;
  for (const char* const name : {"rowid", "_rowid_", "oid"}) {
    const bool taken = std::any_of(all.begin(), all.end(), [&](const Column& one) { return sqlite3_stricmp(one.name.c_str(), name) == 0; });
    if (!taken) columns.rowid = name;
  }
  return columns;
}

void bind(sqlite3_stmt* statement, int index, const StoredValue& value) {
  switch (value.kind) {
    case StoredValue::Kind::kNull: sqlite3_bind_null(statement, index); return;
    case StoredValue::Kind::kInteger: sqlite3_bind_int64(statement, index, value.integer); return;
    case StoredValue::Kind::kReal: sqlite3_bind_double(statement, index, value.real); return;
    case StoredValue::Kind::kText: sqlite3_bind_text64(statement, index, value.bytes.data(), value.bytes.size(), SQLITE_STATIC, SQLITE_UTF8); return;
    case StoredValue::Kind::kBlob: sqlite3_bind_blob64(statement, index, value.bytes.data(), value.bytes.size(), SQLITE_STATIC); return;
  }
}

/// Writes rows of one table. A record is shorter than the table where columns were added since: they then have their defaults.
class TableWriter {
 public:
  TableWriter(sqlite3* db, std::string table, Columns columns) : db_(db), table_(std::move(table)), columns_(std::move(columns)) {}

  /// False when the row cannot be in this table.
  Result<bool> write(const StoredRow& row) {
    const size_t count = std::min(row.values.size(), columns_.names.size());
    BRAID_ASSIGN(SqliteStatement* const insert, statement(count));
    int index = 0;
    if (!columns_.rowid.empty()) sqlite3_bind_int64(insert->get(), ++index, row.rowid);
    for (size_t i = 0; i < count; ++i) {
      if (columns_.names[i].empty()) continue;
      if (columns_.key == i)
        sqlite3_bind_int64(insert->get(), ++index, row.rowid);
      else
        bind(insert->get(), ++index, row.values[i]);
    }
    const Status done = insert->run();
    if (done.code() == StatusCode::kConstraint) return false;
    BRAID_TRY(done);
    return sqlite3_changes(db_) > 0;
  }

 private:
  Result<SqliteStatement*> statement(size_t count) {
    const auto known = by_count_.find(count);
    if (known != by_count_.end()) return &known->second;
    std::vector<std::string> names;
    if (!columns_.rowid.empty()) names.push_back(columns_.rowid);
    for (size_t i = 0; i < count; ++i)
      if (!columns_.names[i].empty()) names.push_back(columns_.names[i]);
    std::string marks;
    for (size_t i = 0; i < names.size(); ++i) marks += i == 0 ? "?" : ",?";
    BRAID_ASSIGN(auto made, sqlite_prepare(db_, fmt::format("INSERT OR IGNORE INTO main.{}({}) VALUES({})", quote_identifier(table_),
                                                            fmt::join(names, ","), marks)));
    return &by_count_.emplace(count, std::move(made)).first->second;
  }

  sqlite3* const db_;
  const std::string table_;
  const Columns columns_;
  std::map<size_t, SqliteStatement> by_count_;
};

/// Stands for a function that only a connection of Braid knows: the SQL of a table may name it.
void no_function(sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_null(context); }

class Salvage {
 public:
  Salvage(sqlite3* db, const PageSource& pages, const LossReport& lost) : db_(db), pages_(pages), reader_(pages), lost_(lost) {}

  Status run(std::vector<std::string>& indexes) {
    BRAID_TRY(read_schema());
    for (const auto& [name, root] : kOwnRoots) {
      const bool named = std::any_of(objects_.begin(), objects_.end(), [&, own = name](const SchemaObject& one) { return one.type == "table" && one.name == own; });
      if (!named) BRAID_TRY(copy_table(name, root));
    }
    for (const SchemaObject& one : objects_)
      if (one.type == "table" && one.root > 0) BRAID_TRY(make_table(one));
    for (const SchemaObject& one : objects_)
      if (one.type == "table" && one.name == "sqlite_sequence") BRAID_TRY(copy_sequence(one.root));
    for (const uint32_t root : reader_.unvisited_tables()) BRAID_TRY(copy_unnamed(root));
    for (const SchemaObject& one : objects_)
      if (one.type == "index" && !one.sql.empty() && !one.name.starts_with("sqlite_")) indexes.push_back(one.sql);
    return put_others();
  }

 private:
  Status read_schema() {
    const Status read = reader_.visit(1, [&](const StoredRow& row) -> Status {
      if (row.values.size() < 5) return {};
      const auto text = [&](size_t i) { return std::string(row.values[i].bytes); };
      objects_.push_back({text(0), text(1), text(2), text(4), static_cast<uint32_t>(std::clamp<int64_t>(row.values[3].integer, 0, UINT32_MAX))});
      return {};
    });
    if (reader_.lost_pages().size() + reader_.lost_rows() > 0)
      lost_("rows.db: a part of the schema is damaged: tables that it names are kept as lost_N, their indexes, views and triggers are lost");
    return read;
  }

  Status make_table(const SchemaObject& object) {
    if (object.name.starts_with("sqlite_")) return object.name == "sqlite_sequence" ? Status() : reader_.visit(object.root, [](const StoredRow&) { return Status(); });
    if (is_own(object.name)) return copy_table(object.name, object.root);
    const Status made = execute(object.sql);
    if (made.ok()) return copy_table(object.name, object.root);
    lost_(fmt::format("table \"{}\": it cannot be made again ({})", object.name, made.message()));
    return {};  // its root stays unvisited
  }

  /// Functions that are not known are made up, as they are not called.
  Status execute(const std::string& sql) {
    constexpr int kFunctionsMax = 100;
    constexpr std::string_view kUnknown = "no such function: ";
    for (int tries = 0;; ++tries) {
      const Status done = sqlite_run(db_, sql);
      const size_t at = done.message().rfind(kUnknown);
      if (done.ok() || at == std::string::npos || tries == kFunctionsMax) return done;
      const std::string name = done.message().substr(at + kUnknown.size());
      sqlite3_create_function_v2(db_, name.c_str(), -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr, no_function, nullptr, nullptr, nullptr);
    }
  }

  Status copy_table(const std::string& table, uint32_t root) {
    BRAID_ASSIGN(Columns columns, columns_of(db_, table));
    TableWriter writer(db_, table, std::move(columns));
    uint64_t refused = 0;
    BRAID_TRY(reader_.visit(root, [&](const StoredRow& row) -> Status {
      BRAID_ASSIGN(const bool written, writer.write(row));
      if (!written) ++refused;
      return {};
    }));
    tell_lost_pages(table, root);
    if (reader_.lost_rows() > 0)
      lost_(fmt::format("table \"{}\": {} rows are lost, parts of which lie in damaged pages", table, reader_.lost_rows()));
    if (refused > 0) lost_(fmt::format("table \"{}\": {} rows contradict its rules and are left out", table, refused));
    return {};
  }

  void tell_lost_pages(const std::string& table, uint32_t root) {
    uint64_t cut_off = 0;
    for (const uint32_t page : reader_.lost_pages()) {
      if (pages_.is_cut_off(page))
        ++cut_off;
      else
        lost_(fmt::format("table \"{}\": page {} of rows.db is damaged; the rows in it are lost", table, page));
    }
    if (cut_off == 0) return;
    const bool root_too = pages_.is_cut_off(root);
    lost_(fmt::format("table \"{}\": {} of its pages are in the part of rows.db that was cut off, {}; the rows in them are lost", table, cut_off,
                      root_too ? "the first among them" : "not the first"));
  }

  Status copy_sequence(uint32_t root) {
    const bool there = sqlite_run(db_, "DELETE FROM sqlite_sequence").ok();
    return there ? copy_table("sqlite_sequence", root) : reader_.visit(root, [](const StoredRow&) { return Status(); });
  }

  /// Rows of a table whose name and columns are not known.
  Status copy_unnamed(uint32_t root) {
    size_t width = 0;
    uint64_t rows = 0;
    BRAID_TRY(reader_.visit(root, [&](const StoredRow& row) {
      width = std::max(width, row.values.size());
      ++rows;
      return Status();
    }));
    if (rows == 0 || width == 0) return {};
    const std::string table = fmt::format("lost_{}", root);
    Columns columns;
    columns.rowid = "rowid";
    std::vector<std::string> names;
    for (size_t i = 0; i < width; ++i) names.push_back(fmt::format("c{}", i));
    columns.names = names;
    BRAID_TRY(sqlite_run(db_, fmt::format("CREATE TABLE {}({})", table, fmt::join(names, ","))));
    TableWriter writer(db_, table, std::move(columns));
    BRAID_TRY(reader_.visit(root, [&](const StoredRow& row) { return writer.write(row).status(); }));
    lost_(fmt::format("rows.db: the schema does not name a table of {} rows; they are in table {}", rows, table));
    return {};
  }

  Status put_others() {
    BRAID_TRY(sqlite_run(db_, "PRAGMA writable_schema=ON"));
    BRAID_ASSIGN(auto put, sqlite_prepare(db_, "INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) VALUES(?1, ?2, ?3, 0, ?4)"));
    for (const SchemaObject& one : objects_) {
      if (one.type == "index" || one.root != 0 || one.sql.empty()) continue;
      put.bind_text(1, one.type).bind_text(2, one.name).bind_text(3, one.table).bind_text(4, one.sql);
      BRAID_TRY(put.run());
    }
    return sqlite_run(db_, "PRAGMA writable_schema=OFF");
  }

  sqlite3* const db_;
  const PageSource& pages_;
  RowReader reader_;
  const LossReport& lost_;
  std::vector<SchemaObject> objects_;
};

}  // namespace

Result<bool> is_whole(const PageSource& pages) {
  constexpr uint32_t kPagesPerQuestion = 256;
  std::string page;
  for (uint32_t number = 1; number <= pages.count(); ++number) {
    if (number % kPagesPerQuestion == 0) BRAID_TRY(LongCall::check(static_cast<double>(number) / pages.count()));
    if (number != kLockPage && !pages.read(number, page)) return false;
  }
  return pages.problems().empty() && pages.count() > 0;
}

Status salvage_rows(Env& env, const PageSource& pages, const std::string& path, const LossReport& lost, std::vector<std::string>& indexes) {
  for (const std::string& problem : pages.problems()) lost(problem);
  const PageVfs vfs(env);
  {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                     vfs.name().c_str());
    const SqliteHandle db(raw);
    if (code != SQLITE_OK) return sqlite_status(raw, code, path);
    int reserved = kPageReservedBytes;
    sqlite3_file_control(raw, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    BRAID_TRY(sqlite_run(raw, "PRAGMA auto_vacuum=FULL;PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA ignore_check_constraints=ON;"
                              "PRAGMA foreign_keys=OFF"));
    BRAID_TRY(create_log_tables(raw));
    BRAID_TRY(sqlite_run(raw, "BEGIN;DELETE FROM _braid_log"));
    Salvage salvage(raw, pages, lost);
    BRAID_TRY(salvage.run(indexes));
    BRAID_TRY(sqlite_run(raw, "COMMIT;PRAGMA journal_mode=WAL"));
  }
  return env.sync_file(path);
}

}  // namespace braid
