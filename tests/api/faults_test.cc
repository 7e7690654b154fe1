// Failing writes and syncs, one after the other, under a whole database (invariant 8). What is
// acknowledged is there after reopening; what was refused is not; what is unknown is there in all
// three models or in none.
#include <doctest/doctest.h>

#include <cerrno>

#include "tests/support/database.h"
#include "tests/support/fault_hook.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

const std::vector<FileOperation> kWrites = {FileOperation::kWrite};
const std::vector<FileOperation> kSyncs = {FileOperation::kSync};

/// A database under a hook, with three acknowledged operations of writer 0.
struct Fixture {
  explicit Fixture(const std::string& options = "") : options(options) {
    open();
    REQUIRE(Operations::create(*connection, 2) == BRAID_OK);
    for (int i = 1; i <= 3; ++i) REQUIRE(run(i) == BRAID_OK);
  }
  void open() {
    database = std::make_unique<TestDatabase>(directory / "db", options, &hook);
    REQUIRE(database->message() == "");
    connection = std::make_unique<TestConnection>(*database);
  }
  void close() {
    connection = nullptr;
    database = nullptr;
  }
  int32_t run(int64_t sequence) {
    const int32_t code = Operations::run(*connection, 0, sequence);
    if (code == BRAID_OK) acknowledged.insert({0, sequence});
    return code;
  }
  /// Opens without faults and checks that everything acknowledged is there and that the models
  /// agree.
  Operations::Set reopen_and_verify() {
    close();
    hook.disarm();
    open();
    return verify();
  }
  Operations::Set verify() {
    std::string problems;
    const auto found = Operations::verify(*connection, acknowledged, problems);
    CHECK(problems == "");
    CHECK(database->check() == "");
    return found;
  }

  TempDir directory;
  FaultHook hook;
  std::string options;
  Operations::Set acknowledged;
  std::unique_ptr<TestDatabase> database;
  std::unique_ptr<TestConnection> connection;
};

}  // namespace

TEST_CASE(
    "a failed sync at COMMIT has an unknown outcome, refuses later writes, lets reads go on, and "
    "reopening decides") {
  Fixture f;
  f.hook.arm({.operations = kSyncs, .file = FileKind::kWal, .error = EIO, .times = 1});
  CHECK(f.run(4) == BRAID_UNKNOWN_OUTCOME);
  CHECK(f.connection->error().find("reopened") != std::string::npos);
  CHECK(f.hook.failed() == 1);
  CHECK(f.database->figure("poisoned") == 1);

  CHECK(f.run(5) == BRAID_READ_ONLY);
  CHECK(f.connection->error().find("sync") != std::string::npos);
  CHECK(braid_node_create(f.connection->get(), nullptr, nullptr, nullptr) == BRAID_READ_ONLY);
  {
    TestBatch batch(*f.database);
    REQUIRE(batch.execute(Operations::row_sql(0, 6)) == BRAID_OK);
    CHECK(batch.commit() == BRAID_READ_ONLY);
  }
  CHECK(braid_checkpoint(f.database->get()) == BRAID_READ_ONLY);
  // A sync is never tried again, by whomever.
  CHECK(f.hook.matched() == 1);

  std::string problems;
  CHECK(Operations::verify(*f.connection, f.acknowledged, problems).size() == 3);
  CHECK(problems == "");
  CHECK(TestConnection(*f.database).rows("SELECT count(*) FROM graph_edges") == "3");
  const auto found = f.reopen_and_verify();
  CHECK((found.size() == 3 || found.size() == 4));
  CHECK(f.run(7) == BRAID_OK);
  f.reopen_and_verify();
}

TEST_CASE("a failed write at COMMIT other than a full disk has an unknown outcome too") {
  Fixture f;
  f.hook.arm({.operations = kWrites, .file = FileKind::kWal, .error = EIO, .times = 1});
  CHECK(f.run(4) == BRAID_UNKNOWN_OUTCOME);
  CHECK(f.run(5) == BRAID_READ_ONLY);
  f.reopen_and_verify();
  CHECK(f.run(6) == BRAID_OK);
  f.reopen_and_verify();
}

TEST_CASE("a full disk is a clean rollback, and writing works again when there is space") {
  Fixture f;
  f.hook.arm({.operations = kWrites, .file = FileKind::kWal, .error = ENOSPC});
  CHECK(f.run(4) == BRAID_FULL);
  CHECK(f.run(5) == BRAID_FULL);
  CHECK(braid_in_transaction(f.connection->get()) == 0);
  CHECK(f.database->figure("poisoned") == 0);
  CHECK(f.verify().size() == 3);
  f.hook.disarm();
  CHECK(f.run(6) == BRAID_OK);
  CHECK(f.verify().size() == 4);
  CHECK(f.reopen_and_verify().size() == 4);
}

TEST_CASE("a disk that becomes full in the middle of a large commit is a clean rollback too") {
  for (uint64_t nth = 1; nth <= 6; ++nth) {
    CAPTURE(nth);
    Fixture f;
    REQUIRE(f.connection->run("CREATE TABLE large(bytes)") == BRAID_OK);
    f.hook.arm({.operations = kWrites, .file = FileKind::kWal, .error = ENOSPC, .nth = nth});
    CHECK(f.connection->run("INSERT INTO large VALUES(randomblob(1000000))") == BRAID_FULL);
    CHECK(f.hook.failed() > 0);
    CHECK(f.database->figure("poisoned") == 0);
    f.hook.disarm();
    CHECK(f.connection->rows("SELECT count(*) FROM large") == "0");
    CHECK(f.connection->run("INSERT INTO large VALUES(randomblob(1000000))") == BRAID_OK);
    CHECK(f.verify().size() == 3);
    CHECK(f.reopen_and_verify().size() == 3);
    CHECK(f.connection->rows("SELECT sum(length(bytes)) FROM large") == "1000000");
  }
}

TEST_CASE("a batch on a full disk is refused as full, and the next one is committed") {
  Fixture f;
  {
    TestBatch batch(*f.database);
    REQUIRE(batch.execute("INSERT INTO operation VALUES(5, 1)") == BRAID_OK);
    f.hook.arm({.operations = kWrites, .file = FileKind::kWal, .error = ENOSPC});
    CHECK(batch.commit() == BRAID_FULL);
    f.hook.disarm();
    REQUIRE(batch.execute("INSERT INTO total VALUES(5, 0)") == BRAID_OK);
    CHECK(batch.commit() == BRAID_OK);
  }
  CHECK(f.reopen_and_verify().size() == 3);
}

TEST_CASE(
    "a transaction larger than the page cache meets a full disk before COMMIT and is rolled back "
    "in all three models") {
  Fixture f("cache_bytes=65536");
  REQUIRE(braid_begin(f.connection->get(), BRAID_WRITE) == BRAID_OK);
  REQUIRE(f.connection->run(Operations::all_sql(0, 4) + "CREATE TABLE big(x)") == BRAID_OK);
  f.hook.arm({.operations = kWrites, .file = FileKind::kWal, .error = ENOSPC});
  CHECK(f.connection->run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            "INSERT INTO big SELECT zeroblob(1000) FROM n") == BRAID_FULL);
  f.hook.disarm();
  if (braid_in_transaction(f.connection->get()) == 1) braid_rollback(f.connection->get());
  CHECK(f.verify().size() == 3);
  CHECK(f.run(5) == BRAID_OK);
  CHECK(f.reopen_and_verify().size() == 4);
}

TEST_CASE("a flush of the graph that fails in a checkpoint loses nothing, and reopening cures it") {
  for (const auto& [operations, error, code] :
       {std::tuple(kWrites, ENOSPC, BRAID_FULL), std::tuple(kWrites, EIO, BRAID_IO),
        std::tuple(kSyncs, EIO, BRAID_IO)}) {
    Fixture f;
    f.hook.arm({.operations = operations, .file = FileKind::kGraph, .error = error});
    CHECK(braid_checkpoint(f.database->get()) == code);
    CHECK(f.hook.failed() > 0);
    f.hook.disarm();
    // Admission may refuse until the database is reopened; then nothing of the transaction is
    // there.
    f.run(4);
    std::string problems;
    Operations::verify(*f.connection, f.acknowledged, problems);
    CHECK(problems == "");
    CHECK(f.reopen_and_verify() == f.acknowledged);
    CHECK(f.run(5) == BRAID_OK);
    CHECK(braid_checkpoint(f.database->get()) == BRAID_OK);
    f.reopen_and_verify();
  }
}

TEST_CASE(
    "a chunk file that cannot be written leaves the points in the tail, and the next checkpoint "
    "seals them") {
  for (const auto& [operations, error, code] :
       {std::tuple(kWrites, ENOSPC, BRAID_FULL), std::tuple(kWrites, EIO, BRAID_IO),
        std::tuple(kSyncs, EIO, BRAID_IO),
        std::tuple(std::vector{FileOperation::kOpen}, EIO, BRAID_IO),
        std::tuple(std::vector{FileOperation::kSyncDirectory}, EIO, BRAID_IO)}) {
    Fixture f;
    // Small tails are logged again rather than sealed, so there are points enough for a chunk.
    REQUIRE(f.connection->run(
                "CREATE VIRTUAL TABLE many USING hypertable(time TIMESTAMP, v DOUBLE);"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                "INSERT INTO many SELECT i * 1000, i FROM n") == BRAID_OK);
    f.hook.arm({.operations = operations, .file = FileKind::kChunk, .error = error});
    CHECK(braid_checkpoint(f.database->get()) == code);
    CHECK(f.hook.failed() > 0);
    f.hook.disarm();
    CHECK(f.connection->rows("SELECT count(*), sum(v) FROM many") == "20000|200010000.0");
    CHECK(f.run(4) == BRAID_OK);
    f.verify();
    CHECK(braid_checkpoint(f.database->get()) == BRAID_OK);
    CHECK(f.connection->rows("SELECT count(*), sum(v) FROM many") == "20000|200010000.0");
    CHECK(f.reopen_and_verify().size() == 4);
    CHECK(f.connection->rows("SELECT count(*), sum(v) FROM many") == "20000|200010000.0");
  }
}

// Opening a connection could fail before all of it was made, and taking it down again then crashed.
TEST_CASE(
    "a connection that cannot be opened is refused, is not counted, and leaves the others alone") {
  for (const FileOperation operation : {FileOperation::kOpen, FileOperation::kRead}) {
    Fixture f;
    const int64_t connections = f.database->figure("connections");
    f.hook.arm({.operations = {operation}, .error = EIO});
    CHECK(TestConnection(*f.database).code() == BRAID_IO);
    CHECK(f.hook.failed() > 0);
    f.hook.disarm();
    CHECK(f.database->figure("connections") == connections);
    CHECK(TestConnection(*f.database).code() == BRAID_OK);
    CHECK(f.run(4) == BRAID_OK);
    CHECK(f.verify().size() == 4);
  }
}

TEST_CASE("a failing copy of the WAL into rows.db is reported and loses nothing") {
  for (const auto& [operations, error] :
       {std::tuple(kWrites, ENOSPC), std::tuple(kWrites, EIO), std::tuple(kSyncs, EIO)}) {
    Fixture f;
    f.hook.arm({.operations = operations, .file = FileKind::kRows, .error = error});
    CHECK(braid_checkpoint(f.database->get()) != BRAID_OK);
    CHECK(f.hook.failed() > 0);
    f.hook.disarm();
    f.run(4);
    CHECK(f.reopen_and_verify() == f.acknowledged);
  }
}
