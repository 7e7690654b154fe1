#include "engine/page_vfs.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "engine/sqlite_handle.h"
#include "tests/support/fault_hook.h"
#include "tests/support/file_record.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kPageBytes = 4096;

/// rows.db as the engine opens it, with a table of 200 rows that fills several pages.
struct Fixture {
  explicit Fixture(FileHook* hook = nullptr) : env(hook), vfs(env) {}

  SqliteHandle open() {
    sqlite3* db = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE;
    sqlite3_open_v2(path().c_str(), &db, flags, vfs.name().c_str());
    SqliteHandle handle(db);
    int reserved = kPageReservedBytes;
    sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    return handle;
  }
  void fill() {
    const SqliteHandle db = open();
    REQUIRE(
        sqlite_run(db.get(),
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER "
                   "PRIMARY KEY, text TEXT);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
                   "INSERT INTO t SELECT i, hex(zeroblob(100)) FROM n;"
                   "PRAGMA wal_checkpoint(TRUNCATE)")
            .ok());
  }
  Status read_all() {
    const SqliteHandle db = open();
    return sqlite_run(db.get(), "SELECT sum(length(text)) FROM t");
  }
  std::string path() const { return directory / "rows.db"; }
  std::string bytes() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void set_bytes(const std::string& bytes) const {
    std::ofstream(path(), std::ios::binary) << bytes;
  }

  TempDir directory;
  Env env;
  PageVfs vfs;
};

}  // namespace

TEST_CASE("every page written carries the checksum of its bytes and number") {
  Fixture f;
  f.fill();
  const std::string bytes = f.bytes();
  REQUIRE(bytes.size() % kPageBytes == 0);
  REQUIRE(bytes.size() / kPageBytes > 5);
  CHECK(bytes[20] == kPageReservedBytes);
  for (size_t page = 0; page < bytes.size() / kPageBytes; ++page) {
    uint64_t stored = 0;
    for (int i = 7; i >= 0; --i)
      stored = stored << 8 |
               static_cast<uint8_t>(bytes[(page + 1) * kPageBytes - 8 + static_cast<size_t>(i)]);
    CHECK(stored == page_checksum(bytes.data() + page * kPageBytes, kPageBytes, page + 1));
  }
}

TEST_CASE("any SQLite reads the rows of a closed database") {
  Fixture f;
  f.fill();
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open_v2(f.path().c_str(), &raw, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  const SqliteHandle db(raw);
  auto statement = sqlite_prepare(db.get(), "SELECT count(*) FROM t");
  REQUIRE(statement.ok());
  REQUIRE(*statement->step());
  CHECK(statement->integer(0) == 200);
}

TEST_CASE("one flipped bit anywhere in a page is damage when the page is read") {
  Fixture f;
  f.fill();
  const std::string good = f.bytes();
  REQUIRE(f.read_all().ok());
  for (size_t page = 0; page < good.size() / kPageBytes; ++page) {
    for (const size_t offset : {size_t{100}, size_t{1000}, size_t{kPageBytes - 9},
                                size_t{kPageBytes - 8}, size_t{kPageBytes - 1}}) {
      std::string bad = good;
      bad[page * kPageBytes + offset] = static_cast<char>(bad[page * kPageBytes + offset] ^ 0x10);
      f.set_bytes(bad);
      CAPTURE(page);
      CAPTURE(offset);
      CHECK(f.read_all().code() == StatusCode::kCorrupt);
    }
  }
}

TEST_CASE("one flipped bit anywhere in the header of the file is damage") {
  Fixture f;
  f.fill();
  const std::string good = f.bytes();
  for (size_t bit = 0; bit < 100 * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    f.set_bytes(bad);
    CAPTURE(bit / 8);
    CAPTURE(bit % 8);
    CHECK(f.read_all().code() == StatusCode::kCorrupt);
  }
}

TEST_CASE("a page in the place of another is damage") {
  Fixture f;
  f.fill();
  std::string bytes = f.bytes();
  const size_t last = bytes.size() / kPageBytes - 1;
  bytes.replace(last * kPageBytes, kPageBytes, bytes.substr((last - 1) * kPageBytes, kPageBytes));
  f.set_bytes(bytes);
  CHECK(f.read_all().code() == StatusCode::kCorrupt);
}

TEST_CASE("a page of zeros passes the checksum and is judged by SQLite") {
  Fixture f;
  f.fill();
  std::string bytes = f.bytes();
  const size_t last = bytes.size() / kPageBytes - 1;
  bytes.replace(last * kPageBytes, kPageBytes, std::string(kPageBytes, '\0'));
  f.set_bytes(bytes);
  // A b-tree page of zeros is no b-tree page.
  CHECK(f.read_all().code() == StatusCode::kCorrupt);
}

TEST_CASE("a file cut within a page is damage or shorter, never a crash") {
  Fixture f;
  f.fill();
  const std::string good = f.bytes();
  for (const size_t size : {size_t{1}, size_t{99}, size_t{100}, size_t{4095}, size_t{4096},
                            size_t{5000}, good.size() - 1}) {
    f.set_bytes(good.substr(0, size));
    CAPTURE(size);
    CHECK_FALSE(f.read_all().ok());
  }
}

TEST_CASE("the WAL grows by whole steps and keeps its size") {
  Fixture f;
  const SqliteHandle db = f.open();
  REQUIRE(sqlite_run(db.get(),
                     "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x)")
              .ok());
  const auto wal_size = [&] { return std::filesystem::file_size(f.path() + "-wal"); };
  const auto before = wal_size();
  CHECK(before == 1 << 20);
  REQUIRE(sqlite_run(db.get(), "INSERT INTO t VALUES(1)").ok());
  CHECK(wal_size() == before);
  REQUIRE(sqlite_run(db.get(), "INSERT INTO t VALUES(zeroblob(2000000))").ok());
  CHECK(wal_size() == 2 << 20);
}

// The truncation may be lost and later writes not: zeros in the frames of the WAL before would leave a part of them to be replayed over what is newer.
TEST_CASE("a WAL that was truncated grows behind a header that is durable") {
  const TempDir directory;
  FileRecord record(directory.path() + "/db");
  Fixture f(&record);
  f.fill();
  const size_t start = record.position();
  REQUIRE(sqlite_run(f.open().get(), "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(1000, 'x')").ok());
  bool header = false, synced = false, grown = false;
  for (size_t i = start; i < record.operations().size(); ++i) {
    const RecordedOperation& one = record.operations()[i];
    if (!one.path.ends_with("-wal")) continue;
    if (one.operation == FileOperation::kSync) synced = header;
    if (one.operation != FileOperation::kWrite) continue;
    if (one.offset == 0 && one.bytes.size() <= 32)
      header = true;
    else
      CHECK(synced);
    grown |= one.offset >= 1 << 19;
  }
  CHECK(grown);
}

TEST_CASE("commits in a WAL that was grown with zeros survive without a checkpoint") {
  Fixture f;
  {
    const SqliteHandle db = f.open();
    REQUIRE(sqlite_run(db.get(), "PRAGMA journal_mode=WAL; CREATE TABLE t(text)").ok());
    for (int i = 0; i < 10; ++i) REQUIRE(sqlite_run(db.get(), "INSERT INTO t VALUES('x')").ok());
    int on = 1;
    sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &on);
  }
  const SqliteHandle db = f.open();
  auto statement = sqlite_prepare(db.get(), "SELECT count(*) FROM t");
  REQUIRE(statement.ok());
  REQUIRE(*statement->step());
  CHECK(statement->integer(0) == 10);
}

// Each connection remembered how long it had made the WAL, and the one that came second wrote zeros
// over the first one's frames: commits were lost.
TEST_CASE("connections that grow the WAL in turn keep each other's commits") {
  Fixture f;
  const SqliteHandle a = f.open();
  const SqliteHandle b = f.open();
  for (const SqliteHandle* one : {&a, &b})
    REQUIRE(sqlite_run(one->get(), "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0").ok());
  REQUIRE(sqlite_run(a.get(), "CREATE TABLE t(x)").ok());
  REQUIRE(sqlite_run(b.get(), "INSERT INTO t VALUES('b')").ok());
  for (int i = 0; i < 8; ++i)
    for (const SqliteHandle* one : {&a, &b})
      REQUIRE(sqlite_run(one->get(), "INSERT INTO t VALUES(randomblob(300000))").ok());
  const SqliteHandle reader = f.open();
  auto statement = sqlite_prepare(reader.get(), "SELECT count(*), sum(length(x)) FROM t");
  REQUIRE(statement.ok());
  const auto row = statement->step();
  REQUIRE(row.status().message() == "");
  CHECK(statement->integer(0) == 17);
  CHECK(statement->integer(1) == 16 * 300'000 + 1);
  CHECK(sqlite_run(reader.get(), "PRAGMA integrity_check").ok());
}

TEST_CASE("a failed sync poisons, and then every write and sync is refused while reads go on") {
  FaultHook hook;
  Fixture f(&hook);
  f.fill();
  const SqliteHandle db = f.open();
  hook.arm(
      {.operations = {FileOperation::kSync}, .file = FileKind::kWal, .error = EIO, .times = 1});
  CHECK_FALSE(sqlite_run(db.get(), "INSERT INTO t VALUES(1000, 'x')").ok());
  CHECK(hook.failed() == 1);
  CHECK(f.env.poisoned());
  CHECK_FALSE(sqlite_run(db.get(), "INSERT INTO t VALUES(1001, 'x')").ok());
  CHECK(hook.matched() == 1);  // a sync is never tried again
  CHECK(sqlite_run(db.get(), "SELECT count(*) FROM t").ok());
  CHECK(f.env.check_writable().code() == StatusCode::kReadOnly);
  CHECK(f.env.check_writable().message().find("sync") != std::string::npos);
}

TEST_CASE("no space on a write is a clean refusal that does not poison") {
  FaultHook hook;
  Fixture f(&hook);
  f.fill();
  const SqliteHandle db = f.open();
  hook.arm({.operations = {FileOperation::kWrite}, .file = FileKind::kWal, .error = ENOSPC});
  CHECK(sqlite_run(db.get(), "INSERT INTO t VALUES(1000, 'x')").code() == StatusCode::kFull);
  hook.disarm();
  CHECK_FALSE(f.env.poisoned());
  CHECK(sqlite_run(db.get(), "INSERT INTO t VALUES(1000, 'x')").ok());
}

TEST_CASE("a commit is one write to the WAL and one sync") {
  FaultHook hook;
  Fixture f(&hook);
  f.fill();
  const SqliteHandle db = f.open();
  REQUIRE(sqlite_run(db.get(), "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(1000, 'x')").ok());
  const uint64_t writes = hook.count(FileOperation::kWrite, FileKind::kWal);
  const uint64_t syncs = hook.count(FileOperation::kSync, FileKind::kWal);
  REQUIRE(sqlite_run(db.get(), "UPDATE t SET text = 'y' WHERE id IN (1, 100, 200)").ok());
  CHECK(hook.count(FileOperation::kWrite, FileKind::kWal) == writes + 1);
  CHECK(hook.count(FileOperation::kSync, FileKind::kWal) == syncs + 1);
}

// The frames that a rolled-back transaction had spilled were still waiting to be written, and would have gone over those of the commit
// that another connection made in their place.
TEST_CASE("frames of a transaction that was rolled back do not reach the WAL after those of another connection") {
  Fixture f;
  f.fill();
  const SqliteHandle spilling = f.open();
  const SqliteHandle other = f.open();
  REQUIRE(sqlite_run(spilling.get(), "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=2").ok());
  REQUIRE(sqlite_run(other.get(), "PRAGMA wal_autocheckpoint=0").ok());
  for (int round = 0; round < 20; ++round) {
    REQUIRE(sqlite_run(spilling.get(), "BEGIN; UPDATE t SET text = hex(randomblob(100 + id % 7)); ROLLBACK").ok());
    REQUIRE(sqlite_run(other.get(), fmt::format("UPDATE t SET text = '{}' WHERE id % 3 = 0", round).c_str()).ok());
    const SqliteHandle reader = f.open();
    for (const SqliteHandle* one : {&spilling, &other, &reader}) {
      auto statement = sqlite_prepare(one->get(), fmt::format("SELECT count(*) FROM t WHERE text = '{}'", round));
      REQUIRE(statement.ok());
      REQUIRE(*statement->step());
      CHECK(statement->integer(0) == 66);
    }
    REQUIRE(sqlite_run(reader.get(), "PRAGMA integrity_check").ok());
  }
}
