// Opening, creating and closing a whole database.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "engine/coding.h"
#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/other_process.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A closed database with ten operations, whose WAL is gone because everything in it is in rows.db.
void make_database(const std::string& path) {
  TestDatabase database(path);
  REQUIRE(database.ok());
  TestConnection connection(database);
  REQUIRE(Operations::create(connection, 1) == BRAID_OK);
  for (int i = 1; i <= 10; ++i) REQUIRE(Operations::run(connection, 0, i) == BRAID_OK);
}

}  // namespace

TEST_CASE(
    "a database opened by another process is busy, naming that process, and can be opened when it "
    "is gone") {
  const TempDir temp;
  std::unique_ptr<TestDatabase> held;
  OtherProcess other([&] {
    held = std::make_unique<TestDatabase>(temp / "db");
    return held->ok();
  });
  REQUIRE(other.succeeded());
  {
    const TestDatabase refused(temp / "db");
    CHECK(refused.code() == BRAID_BUSY);
    CHECK(refused.message().find("in use by process " + std::to_string(other.pid())) !=
          std::string::npos);
  }
  other.release();
  CHECK(TestDatabase(temp / "db").ok());
}

TEST_CASE("an absent and an empty directory become a database") {
  const TempDir temp;
  CHECK(TestDatabase(temp / "absent").ok());
  std::filesystem::create_directory(temp / "empty");
  CHECK(TestDatabase(temp / "empty").ok());
  CHECK(TestDatabase(temp / "no/such/parent").code() == BRAID_IO);
}

TEST_CASE("a directory with foreign files is refused by name and nothing in it changes") {
  const TempDir temp;
  put(temp / "thesis.tex", "text");
  const TestDatabase refused(temp.path());
  CHECK(refused.code() == BRAID_INVALID_ARGUMENT);
  CHECK(refused.message().find("thesis.tex") != std::string::npos);
  CHECK(text_of(temp / "thesis.tex") == "text");
  CHECK(std::distance(std::filesystem::directory_iterator(temp.path()), {}) == 1);
}

TEST_CASE("a newer format is refused by number and left alone") {
  const TempDir temp;
  make_database(temp / "db");
  std::string format = text_of(temp / "db/FORMAT");
  format.replace(0, format.find('\n'), "braid 99");
  put(temp / "db/FORMAT", format);
  const TestDatabase refused(temp / "db");
  CHECK(refused.code() == BRAID_VERSION);
  CHECK(refused.message().find("format 99") != std::string::npos);
  CHECK(text_of(temp / "db/FORMAT") == format);
}

TEST_CASE("a creation that crashed half way is begun again") {
  const TempDir temp;
  make_database(temp / "db");
  std::string format = text_of(temp / "db/FORMAT");
  format.replace(format.find("state ready"), 11, "state creating");
  put(temp / "db/FORMAT", format);
  TestDatabase database(temp / "db");
  REQUIRE(database.ok());
  TestConnection connection(database);
  CHECK_FALSE(Operations::exists(connection));
  CHECK(database.check().empty());
}

TEST_CASE(
    "a missing, empty or cut rows.db is damage that is named, and is never replaced by a new one") {
  for (const auto size : {-1, 0, 100, 4096, 5000}) {
    const TempDir temp;
    make_database(temp / "db");
    const std::string rows = temp / "db/rows.db";
    const std::string wal = text_of(rows + "-wal");
    if (size < 0)
      std::filesystem::remove(rows);
    else
      std::filesystem::resize_file(rows, static_cast<uintmax_t>(size));
    CAPTURE(size);
    if (size > 0) std::filesystem::remove(rows + "-wal");
    const TestDatabase refused(temp / "db");
    CHECK(refused.code() == BRAID_CORRUPT);
    CAPTURE(refused.message());
    CHECK(refused.message().find("rows.db") != std::string::npos);
    if (size <= 0) CHECK(text_of(rows + "-wal") == wal);
    CHECK(std::filesystem::exists(rows) == (size >= 0));
  }
}

TEST_CASE(
    "a flipped byte in any page of rows.db that is in use is damage, found by opening or by a "
    "check") {
  const TempDir temp;
  make_database(temp / "db");
  const std::string rows = temp / "db/rows.db";
  std::filesystem::remove(rows + "-wal");
  std::filesystem::remove(rows + "-shm");
  const std::string good = text_of(rows);
  // SQLite's header has the number of free pages there, big-endian.
  constexpr size_t kFreePagesAt = 36;
  const int64_t free_pages = load_big_endian<uint32_t>(good.data() + kFreePagesAt);
  int64_t damaged_pages = 0;
  for (size_t page = 0; page < good.size() / 4096; ++page) {
    std::string bad = good;
    bad[page * 4096 + 2000] = static_cast<char>(bad[page * 4096 + 2000] ^ 1);
    put(rows, bad);
    std::filesystem::remove(rows + "-wal");
    put(temp / "db/LOCK", "");  // as closing leaves it
    TestDatabase database(temp / "db");
    CAPTURE(page);
    CAPTURE(database.message());
    if (!database.ok()) CHECK(database.code() == BRAID_CORRUPT);
    if (!database.ok())
      CHECK(database.message().find("rows.db: a page has the wrong checksum") != std::string::npos);
    const std::string problems = database.ok() ? database.check() : database.message();
    damaged_pages += problems.find("rows.db") != std::string::npos ? 1 : 0;
  }
  // A free page that lists others is read too; one that is listed is not.
  CHECK(damaged_pages >= static_cast<int64_t>(good.size() / 4096) - free_pages);
}

TEST_CASE("a query that meets a page with the wrong checksum says so, and others go on") {
  const TempDir temp;
  {
    TestDatabase database(temp / "db");
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE big(x); INSERT INTO big "
                           "VALUES(replace(hex(zeroblob(10000)), '00', 'marked')); CREATE TABLE "
                           "small(x); INSERT INTO small VALUES(1)") == BRAID_OK);
  }
  const std::string rows = temp / "db/rows.db";
  std::filesystem::remove(rows + "-wal");
  std::string bytes = text_of(rows);
  bytes[bytes.rfind("markedmarked")] = 'M';
  put(rows, bytes);
  TestDatabase database(temp / "db");
  REQUIRE(database.ok());
  TestConnection connection(database);
  const std::string answer = connection.rows("SELECT sum(length(x)), max(x) FROM big");
  CHECK(answer.starts_with("error 9"));
  CHECK(answer.find("checksum") != std::string::npos);
  CHECK(connection.rows("SELECT x FROM small") == "1");
  CHECK(database.check() != "");
}

TEST_CASE("the last handle closes the database, in whatever order handles go") {
  const TempDir temp;
  braid_database* database = nullptr;
  REQUIRE(braid_open((temp / "db").c_str(), nullptr, &database) == BRAID_OK);
  braid_connection* connection = nullptr;
  REQUIRE(braid_connect(database, &connection) == BRAID_OK);
  REQUIRE(braid_execute(connection, "CREATE TABLE t(x); INSERT INTO t VALUES(1)", -1) == BRAID_OK);
  CHECK(braid_close(database) == BRAID_OK);
  CHECK(TestDatabase(temp / "db").code() == BRAID_BUSY);
  CHECK(braid_execute(connection, "INSERT INTO t VALUES(2)", -1) == BRAID_OK);
  braid_disconnect(connection);
  TestDatabase again(temp / "db");
  REQUIRE(again.ok());
  TestConnection reader(again);
  CHECK(reader.rows("SELECT count(*) FROM t") == "2");
}

TEST_CASE("what was committed is there after closing and after a reopening without a checkpoint") {
  const TempDir temp;
  make_database(temp / "db");
  for (int round = 0; round < 3; ++round) {
    TestDatabase database(temp / "db");
    REQUIRE(database.ok());
    TestConnection connection(database);
    std::string problems;
    CHECK(Operations::verify(connection, {}, problems).size() == 10);
    CHECK(problems == "");
    CHECK(database.check() == "");
  }
}

TEST_CASE("two databases in one process do not meet") {
  const TempDir temp;
  TestDatabase a(temp / "a");
  TestDatabase b(temp / "b");
  TestConnection on_a(a);
  TestConnection on_b(b);
  REQUIRE(Operations::create(on_a, 1) == BRAID_OK);
  REQUIRE(Operations::create(on_b, 1) == BRAID_OK);
  REQUIRE(Operations::run(on_a, 0, 1) == BRAID_OK);
  std::string problems;
  CHECK(Operations::verify(on_a, {{0, 1}}, problems).size() == 1);
  CHECK(Operations::verify(on_b, {}, problems).empty());
  CHECK(problems == "");
}

// Opening a directory whose FORMAT was gone made a new database there, over the old one.
TEST_CASE("a database without its FORMAT is refused, and whole again with it") {
  TempDir temp;
  const std::string path = temp / "db";
  {
    TestDatabase database(path);
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE t(x); INSERT INTO t VALUES(1)") == BRAID_OK);
  }
  std::filesystem::rename(path + "/FORMAT", path + "/kept");
  TestDatabase refused(path);
  CHECK(refused.code() == BRAID_CORRUPT);
  CHECK(refused.message().find("FORMAT is missing") != std::string::npos);
  refused.close();
  std::filesystem::rename(path + "/kept", path + "/FORMAT");
  TestDatabase again(path);
  REQUIRE(again.message() == "");
  CHECK(TestConnection(again).rows("SELECT x FROM t") == "1");
}

TEST_CASE("the rows of another database are refused") {
  TempDir temp;
  for (const char* name : {"one", "other"}) {
    TestDatabase database(temp / name);
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE t(x)") == BRAID_OK);
  }
  std::filesystem::copy_file(temp / "other/rows.db", temp / "one/rows.db", std::filesystem::copy_options::overwrite_existing);
  TestDatabase refused(temp / "one");
  CHECK(refused.code() == BRAID_CORRUPT);
  CHECK(refused.message().find("of another database") != std::string::npos);
}

TEST_CASE("a database opened by a relative path stays the same when the working directory changes") {
  const TempDir temp;
  const std::filesystem::path before = std::filesystem::current_path();
  for (const char* directory : {"a", "b"}) {
    std::filesystem::create_directory(temp / directory);
    std::filesystem::current_path(temp / directory);
    make_database("db");
  }
  {
    std::filesystem::current_path(temp / "a");
    TestDatabase database("db");
    TestDatabase served("db", "remote=only");
    std::filesystem::current_path(temp / "b");
    for (TestDatabase* one : {&database, &served}) {
      REQUIRE(one->ok());
      TestConnection connection(*one);
      CHECK(Operations::run(connection, 0, connection.number("SELECT max(sequence) + 1 FROM operation")) == BRAID_OK);
      CHECK(one->check() == "");
    }
    CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  }
  std::filesystem::current_path(before);
  for (const auto& [directory, operations] : {std::pair("a", 12), std::pair("b", 10)}) {
    TestDatabase database(temp / directory + "/db");
    REQUIRE(database.ok());
    TestConnection connection(database);
    CHECK(connection.number("SELECT count(*) FROM operation") == operations);
    CHECK(database.check() == "");
  }
}
