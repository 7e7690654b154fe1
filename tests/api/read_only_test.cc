// read_only=1: nothing at all is written, and what would need to be is said.
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/support/database.h"
#include "tests/support/directory_copy.h"
#include "tests/support/operations.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

/// Refuses what changes anything, and counts it.
class NoWrites final : public FileHook {
 public:
  FileAnswer before(const FileRequest& request) noexcept override {
    switch (request.operation) {
      case FileOperation::kRead:
      case FileOperation::kClose: return {};
      case FileOperation::kOpen:
        if (!request.creates && !request.empties) return {};
        break;
      default: break;
    }
    ++refused;
    return {.error = EROFS};
  }
  std::atomic<int> refused{0};
};

/// Names, sizes and times of change of all that is there.
constexpr const char* kReadOnly = "read_only=1";

void make(const std::string& path) {
  TestDatabase database(path);
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  REQUIRE(Operations::create(connection, 2) == BRAID_OK);
  for (int i = 1; i <= 5; ++i) REQUIRE(Operations::run(connection, 0, i) == BRAID_OK);
}

Operations::Set five() { return {{0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}}; }

void check_reads(TestDatabase& database) {
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  REQUIRE(connection.code() == BRAID_OK);
  std::string problems;
  CHECK(Operations::verify(connection, five(), problems) == five());
  CHECK(problems == "");
  CHECK(database.check() == "");
  for (const char* sql : {"INSERT INTO operation VALUES(9, 9)", "CREATE TABLE t(x)", "INSERT INTO graph_nodes(labels) VALUES('[]')", "BEGIN IMMEDIATE", "DELETE FROM point",
                          "SELECT hypertable_compact('point')"}) {
    CAPTURE(sql);
    CHECK(connection.run(sql) == BRAID_READ_ONLY);
    CHECK(connection.error().find("read_only") != std::string::npos);
  }
  TestBatch batch(database);
  REQUIRE(batch.execute("INSERT INTO operation VALUES(9, 9)") == BRAID_OK);
  CHECK(batch.commit() == BRAID_READ_ONLY);
  CHECK(braid_checkpoint(database.get()) == BRAID_READ_ONLY);
  CHECK(database.figure("poisoned") == 0);
  CHECK(database.close() == BRAID_OK);
}

}  // namespace

TEST_CASE("a closed database is read without a single write, whatever is tried") {
  TempDir directory;
  make(directory / "db");
  const auto before = state_of(directory.path());
  NoWrites hook;
  {
    TestDatabase database(directory / "db", kReadOnly, &hook);
    check_reads(database);
  }
  CHECK(hook.refused == 0);
  CHECK(state_of(directory.path()) == before);
  TestDatabase writing(directory / "db");
  CHECK(writing.message() == "");
}

TEST_CASE("a database on a file system that is read-only is read") {
  SmallDisk disk("64m");
  if (!disk.mounted()) {
    MESSAGE("this process may not mount a file system; the other cases use the fault layer");
    return;
  }
  make(disk / "db");
  REQUIRE(disk.set_read_only(true));
  {
    TestDatabase database(disk / "db", kReadOnly);
    check_reads(database);
  }
  TestDatabase writing(disk / "db");
  CHECK(writing.code() == BRAID_IO);
  CHECK(writing.message().find("Read-only file system") != std::string::npos);
  REQUIRE(disk.set_read_only(false));
}

TEST_CASE("after an unclean stop a read-only opening says what is needed and changes nothing") {
  TempDir directory;
  make(directory / "made");
  {
    // What a stop at this moment would leave: nobody writes meanwhile.
    TestDatabase left_open(directory / "made", "maintenance_interval_ms=0");
    TestConnection connection(left_open);
    REQUIRE(Operations::run(connection, 0, 6) == BRAID_OK);
    copy_open_directory(directory / "made", directory / "db");
    std::ofstream(directory / "db/LOCK", std::ios::trunc);
  }
  const auto before = state_of(directory.path());
  NoWrites hook;
  {
    TestDatabase database(directory / "db", kReadOnly, &hook);
    CHECK(database.code() == BRAID_READ_ONLY);
    CHECK(database.message().find("rows.db-wal") != std::string::npos);
    CHECK(database.message().find("without read_only=1") != std::string::npos);
  }
  CHECK(hook.refused == 0);
  CHECK(state_of(directory.path()) == before);
  {
    TestDatabase database(directory / "db");
    CHECK(database.message() == "");
  }
  TestDatabase database(directory / "db", kReadOnly);
  CHECK(database.message() == "");
  TestConnection connection(database);
  CHECK(connection.number("SELECT count(*) FROM operation") == 6);
}

TEST_CASE("several may read a database at one time, and no writer comes meanwhile") {
  TempDir directory;
  make(directory / "db");
  TestDatabase first(directory / "db", kReadOnly), second(directory / "db", kReadOnly);
  CHECK(first.message() == "");
  CHECK(second.message() == "");
  TestDatabase writing(directory / "db");
  CHECK(writing.code() == BRAID_BUSY);
  CHECK(writing.message().find("reads it") != std::string::npos);
  first.close();
  second.close();
  TestDatabase again(directory / "db");
  CHECK(again.message() == "");
  TestDatabase reading(directory / "db", kReadOnly);
  CHECK(reading.code() == BRAID_BUSY);
  CHECK(reading.message().find("in use by process") != std::string::npos);
}

TEST_CASE("nothing is created where there is nothing") {
  TempDir directory;
  TestDatabase database(directory / "db", kReadOnly);
  CHECK(!database.ok());
  CHECK(!std::filesystem::exists(directory / "db"));
  std::filesystem::create_directory(directory / "empty");
  TestDatabase empty(directory / "empty", kReadOnly);
  CHECK(empty.code() == BRAID_NOT_FOUND);
  CHECK(std::filesystem::is_empty(directory / "empty"));
}
