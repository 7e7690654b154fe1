// Disk that is not used any more goes back: pages of rows.db that the log or deleted rows leave, and the WAL.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/support/database.h"
#include "tests/support/fault_hook.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr uint64_t kMegabyte = 1 << 20;

uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

/// rows.db with its WAL.
struct RowsFiles {
  explicit RowsFiles(const TempDir& temp) : path(temp / "db/rows.db") {}
  uint64_t rows() const { return size_of(path); }
  uint64_t wal() const { return size_of(path + "-wal"); }
  const std::string path;
};

/// Each point has a value that no other has.
std::string points_sql(int64_t first, int64_t count) {
  return fmt::format(
      "WITH RECURSIVE n(i) AS (SELECT {0} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {0} + {1}) "
      "INSERT INTO cpu SELECT i * 1000, 'h', (i * 7919 % 1000003) / 1000003.0 FROM n",
      first, count);
}

struct Fixture {
  explicit Fixture(std::string options = "") : options(std::move(options)) {
    open();
    REQUIRE(connection->run("CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE);"
                            "CREATE TABLE kept(id INTEGER PRIMARY KEY, bytes); CREATE TABLE gone(id INTEGER PRIMARY KEY, bytes);") == BRAID_OK);
  }
  void open() {
    database = std::make_unique<TestDatabase>(temp / "db", options, &hook);
    REQUIRE(database->message() == "");
    connection = std::make_unique<TestConnection>(*database);
  }
  void close() {
    connection = nullptr;
    database = nullptr;
  }
  void append(int64_t first, int64_t count) { REQUIRE(connection->run(points_sql(first, count)) == BRAID_OK); }
  /// Rows of two tables, page by page in turn, so that the free pages of one lie between those of the other.
  void fill(int64_t rows) {
    REQUIRE(connection->run("BEGIN IMMEDIATE") == BRAID_OK);
    for (int64_t i = 0; i < rows; ++i)
      REQUIRE(connection->run(fmt::format("INSERT INTO kept VALUES({0}, zeroblob(3000)); INSERT INTO gone VALUES({0}, zeroblob(3000));", i)) == BRAID_OK);
    REQUIRE(connection->run("COMMIT") == BRAID_OK);
  }

  const std::string options;
  TempDir temp;
  FaultHook hook;
  RowsFiles files{temp};
  std::unique_ptr<TestDatabase> database;
  std::unique_ptr<TestConnection> connection;
};

/// Does something once while a chunk file is written.
class WhileSealing final : public FileHook {
 public:
  FileAnswer before(const FileRequest& request) noexcept override {
    if (request.operation == FileOperation::kWrite && file_kind(request.path) == FileKind::kChunk && armed_.exchange(false)) work_();
    return {};
  }
  void arm(std::function<void()> work) {
    work_ = std::move(work);
    armed_ = true;
  }

 private:
  std::function<void()> work_;
  std::atomic<bool> armed_{false};
};

/// What a SQLite that knows nothing of Braid says of a closed database.
std::string ask_sqlite(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  std::string out;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    const auto add = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) += values[0] == nullptr ? "NULL" : values[0];
      return 0;
    };
    sqlite3_exec(db, sql, add, &out, nullptr);
  }
  sqlite3_close(db);
  return out;
}

}  // namespace

TEST_CASE("a closed database keeps neither the pages of its trimmed log nor its WAL, and any SQLite reads it") {
  Fixture f("tail_bytes_max=1048576;log_soft_bytes=1048576");
  for (int64_t i = 0; i < 20; ++i) f.append(i * 20'000, 20'000);
  CHECK(f.files.rows() + f.files.wal() > 2 * kMegabyte);
  f.close();
  CHECK(f.files.rows() < kMegabyte / 2);
  CHECK(f.files.wal() == 0);
  CHECK(ask_sqlite(f.files.path, "PRAGMA integrity_check") == "ok");
  CHECK(ask_sqlite(f.files.path, "SELECT count(*) FROM kept") == "0");
  f.open();
  CHECK(f.connection->rows("SELECT count(*) FROM cpu") == "400000");
  CHECK(f.database->check() == "");
}

TEST_CASE("opening and closing a database in which nothing was written writes nothing") {
  Fixture f;
  f.append(0, 20'000);
  f.close();
  f.open();
  f.close();
  f.open();
  const int64_t lsn = f.database->figure("lsn");
  f.close();
  f.open();
  CHECK(f.database->figure("lsn") == lsn);
}

TEST_CASE("braid_checkpoint gives back what is free while the database is open") {
  Fixture f;
  f.append(0, 100'000);
  f.fill(1000);
  REQUIRE(f.connection->run("DELETE FROM gone") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database->get()) == BRAID_OK);
  CHECK(f.files.rows() < 5 * kMegabyte);
  CHECK(f.files.wal() == 0);
  CHECK(f.connection->rows("SELECT count(*), sum(length(bytes)) FROM kept") == "1000|3000000");
  CHECK(f.database->check() == "");
  // Nothing has happened since: there is nothing to write.
  const int64_t lsn = f.database->figure("lsn");
  REQUIRE(braid_checkpoint(f.database->get()) == BRAID_OK);
  CHECK(f.database->figure("lsn") == lsn);
}

TEST_CASE("more pages than one commit moves are given back in steps, each a commit of its own") {
  Fixture f;
  f.fill(10'000);
  REQUIRE(f.connection->run("DELETE FROM gone") == BRAID_OK);
  const int64_t lsn = f.database->figure("lsn");
  REQUIRE(braid_checkpoint(f.database->get()) == BRAID_OK);
  CHECK(f.database->figure("lsn") > lsn + 1);
  CHECK(f.files.rows() < 43 * kMegabyte);
  CHECK(f.connection->rows("SELECT count(*), sum(length(bytes)) FROM kept") == "10000|30000000");
  CHECK(f.database->check() == "");
  f.close();
  CHECK(ask_sqlite(f.files.path, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("while a database runs, free pages up to free_pages_kept_bytes are used again and more go back") {
  // Each append passes both bounds, so that a checkpoint follows it.
  const std::string small = "tail_bytes_max=65536;log_soft_bytes=65536;wal_soft_bytes=65536;";
  for (const bool keeps : {true, false}) {
    Fixture f(small + (keeps ? "free_pages_kept_bytes=67108864" : "free_pages_kept_bytes=0"));
    REQUIRE(f.connection->run("INSERT INTO gone VALUES(1, zeroblob(8000000))") == BRAID_OK);
    const auto is_large = [&] { return f.files.rows() > 7 * kMegabyte; };
    const auto wait = [](auto&& condition) {
      for (int i = 0; i < 500 && !condition(); ++i) sqlite3_sleep(10);
      return condition();
    };
    REQUIRE(wait(is_large));  // the WAL is copied
    REQUIRE(f.connection->run("DELETE FROM gone") == BRAID_OK);
    const int64_t checkpoints = f.database->figure("checkpoints");
    for (int64_t i = 0; i < 5; ++i) f.append(i * 2'000, 2'000);
    REQUIRE(wait([&] { return f.database->figure("checkpoints") > checkpoints; }));
    if (!keeps) wait([&] { return !is_large(); });
    CAPTURE(keeps);
    CHECK(is_large() == keeps);
    CHECK(f.database->check() == "");
  }
}

TEST_CASE("a reader keeps its snapshot while pages are given back, and the file gets shorter once it is done") {
  Fixture f;
  f.fill(1000);
  TestConnection reader(*f.database);
  REQUIRE(reader.run("BEGIN") == BRAID_OK);
  REQUIRE(reader.rows("SELECT count(*) FROM gone") == "1000");
  REQUIRE(f.connection->run("DELETE FROM gone") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database->get()) == BRAID_OK);
  CHECK(f.files.wal() > 0);
  CHECK(reader.rows("SELECT count(*), sum(length(bytes)) FROM gone") == "1000|3000000");
  REQUIRE(reader.run("COMMIT") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database->get()) == BRAID_OK);
  CHECK(f.files.wal() == 0);
  CHECK(f.files.rows() < 5 * kMegabyte);
  CHECK(reader.rows("SELECT count(*) FROM kept") == "1000");
}

// A checkpoint took what was committed while it wrote its files for its own, and the next one then left it in the log.
TEST_CASE("what is committed while a checkpoint writes is sealed by the next one") {
  const TempDir temp;
  WhileSealing hook;
  TestDatabase database(temp / "db", "", &hook);
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE)") == BRAID_OK);
  REQUIRE(connection.run(points_sql(0, 20'000)) == BRAID_OK);
  int32_t beside = BRAID_INTERNAL;
  hook.arm([&] { beside = connection.run(points_sql(20'000, 20'000)); });
  REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
  REQUIRE(beside == BRAID_OK);
  CHECK(database.figure("tail_rows") == 20'000);
  REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
  CHECK(database.figure("tail_rows") == 0);
  CHECK(connection.rows("SELECT count(*) FROM cpu") == "40000");
  CHECK(size_of(temp / "db/rows.db") < kMegabyte / 2);
}

TEST_CASE("a failure at any place while pages are given back loses nothing") {
  constexpr int64_t kRows = 200;
  const std::vector<FileOperation> operations = {FileOperation::kWrite, FileOperation::kSync, FileOperation::kTruncate};
  constexpr uint64_t kPlaces = 10;
  for (const int error : {EIO, ENOSPC}) {
    uint64_t refused = 0;
    uint64_t step = 1;
    for (uint64_t nth = 0, all = 1; nth <= all; nth += step) {
      CAPTURE(nth);
      CAPTURE(error);
      Fixture f;
      f.fill(kRows);
      f.append(0, 500);
      REQUIRE(f.connection->run("DELETE FROM gone WHERE id % 4 != 0") == BRAID_OK);
      // The first turn counts the places.
      f.hook.arm({.operations = operations, .error = error, .nth = nth, .times = nth == 0 ? uint64_t{0} : 1});
      refused += braid_checkpoint(f.database->get()) != BRAID_OK ? 1 : 0;
      if (nth == 0) {
        all = f.hook.matched();
        step = std::max<uint64_t>(1, all / kPlaces);
        REQUIRE(all > kPlaces);
      }
      f.hook.disarm();
      f.close();
      f.open();
      CHECK(f.database->check() == "");
      CHECK(f.connection->rows("SELECT count(*), sum(id) FROM gone") == "50|4900");
      CHECK(f.connection->rows("SELECT count(*), sum(length(bytes)) FROM kept") == "200|600000");
      CHECK(f.connection->rows("SELECT count(*) FROM cpu") == "500");
      f.close();
      CHECK(f.files.rows() < 5 * kMegabyte / 4);
    }
    CHECK(refused > 5);
  }
}
