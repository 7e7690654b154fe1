// Backups of a database that is written meanwhile, and what is made of them.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "engine/copy_mark.h"
#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

/// Small bounds, so that tails are sealed, logs trimmed, chunks merged and the WAL copied while a backup is made.
constexpr const char* kOptions =
    "tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=65536;graph_buffer_bytes=1048576;maintenance_interval_ms=0";
constexpr int kWriters = 3;

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

void flip_byte(const std::string& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 0x41));
}

/// The size of all files below `directory` that have another name too.
uint64_t bytes_of_second_names(const std::string& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file() && entry.hard_link_count() > 1) bytes += entry.file_size();
  return bytes;
}

int32_t backup(TestDatabase& database, const std::string& destination, const braid_backup_options* options = nullptr,
               braid_backup_report* report = nullptr) {
  return braid_backup(database.get(), destination.c_str(), options, nullptr, nullptr, report);
}

/// A database made of a backup.
class Restored : public TestDatabase {
 public:
  Restored(const std::string& source, const std::string& destination) : Restored(make(source, destination)) {}

 private:
  explicit Restored(std::pair<braid_database*, int32_t> made) : TestDatabase(made.first, made.second) {}
  static std::pair<braid_database*, int32_t> make(const std::string& source, const std::string& destination) {
    braid_restore_options options{};
    options.size_bytes = sizeof options;
    options.open_options = kOptions;
    braid_database* handle = nullptr;
    const int32_t code = braid_restore(source.c_str(), destination.c_str(), &options, nullptr, nullptr, &handle);
    return {handle, code};
  }
};

/// Writers whose operations are known by their LSN.
class Writers {
 public:
  explicit Writers(TestDatabase& database) : database_(database) {
    TestConnection connection(database);
    REQUIRE(Operations::create(connection, kWriters) == BRAID_OK);
  }
  ~Writers() { stop(); }

  void start() {
    stop_ = false;
    for (int i = 0; i < kWriters; ++i) threads_.emplace_back([this, i] { write(i); });
  }
  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  /// One more operation of each writer.
  void once() {
    for (int i = 0; i < kWriters; ++i) write_one(i);
  }
  Operations::Set at(uint64_t lsn) {
    const std::lock_guard lock(mutex_);
    Operations::Set out;
    for (const auto& [at, one] : by_lsn_)
      if (at <= lsn) out.insert(one);
    return out;
  }
  bool failed() const { return failed_; }

 private:
  void write(int writer) {
    while (!stop_ && !failed_) write_one(writer);
  }
  void write_one(int writer) {
    const int64_t sequence = ++next_[writer];
    TestBatch batch(database_);
    for (const std::string& sql : {Operations::row_sql(writer, sequence), Operations::total_sql(writer), Operations::edge_sql(writer, sequence),
                                   Operations::points_sql(writer, sequence)})
      if (batch.execute(sql) != BRAID_OK) failed_ = true;
    uint64_t lsn = 0;
    if (batch.commit(&lsn) != BRAID_OK) failed_ = true;
    const std::lock_guard lock(mutex_);
    by_lsn_.emplace(lsn, std::pair(writer, sequence));
  }

  TestDatabase& database_;
  std::atomic<bool> stop_{false}, failed_{false};
  std::mutex mutex_;
  std::multimap<uint64_t, std::pair<int, int64_t>> by_lsn_;
  int64_t next_[kWriters] = {};
  std::vector<std::thread> threads_;
};

/// "" when the database holds exactly these operations and nothing is wrong with it.
std::string difference(TestDatabase& database, const Operations::Set& expected) {
  TestConnection connection(database);
  std::string problems;
  const Operations::Set found = Operations::verify(connection, expected, problems);
  if (found != expected) problems += fmt::format("{} operations, expected {}\n", found.size(), expected.size());
  return problems + database.check();
}

uint64_t epoch_of(const std::string& path) {
  Env env;
  const auto format = read_format(env, path);
  REQUIRE(format.ok());
  return format->epoch;
}

/// Fails one operation on a path that holds a text.
class PathFault final : public FileHook {
 public:
  explicit PathFault(std::string part) : part_(std::move(part)) {}
  FileAnswer before(const FileRequest& request) noexcept override {
    if (request.operation == FileOperation::kRead || (request.path.find(part_) == std::string_view::npos && request.to.find(part_) == std::string_view::npos))
      return {};
    return ++seen_ == nth_ ? FileAnswer{.error = error_} : FileAnswer{};
  }
  void arm(uint64_t nth, int error) {
    seen_ = 0;
    error_ = error;
    nth_ = nth;
  }
  uint64_t seen() const { return seen_; }

 private:
  const std::string part_;
  std::atomic<uint64_t> seen_{0}, nth_{0};
  std::atomic<int> error_{0};
};

}  // namespace

TEST_CASE("each backup made while writers write is the database at its commit") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  REQUIRE(database.ok());
  Writers writers(database);
  writers.start();
  std::vector<uint64_t> lsns;
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    if (i == 3) REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    braid_backup_report report{};
    report.size_bytes = sizeof report;
    braid_backup_options options{};
    options.size_bytes = sizeof options;
    options.flags = i % 2 == 0 ? 0 : BRAID_COPY_ALL;
    const std::string base = temp / ("backup" + std::to_string(i - 1));
    options.base = i % 3 == 2 ? base.c_str() : nullptr;
    REQUIRE_MESSAGE(backup(database, temp / ("backup" + std::to_string(i)), &options, &report) == BRAID_OK, braid_database_error(database.get()));
    CHECK(report.writers_held_us < 1'000'000);
    lsns.push_back(report.lsn);
  }
  writers.stop();
  CHECK_FALSE(writers.failed());
  for (size_t i = 0; i < lsns.size(); ++i) {
    CAPTURE(i);
    Restored copy(temp / ("backup" + std::to_string(i)), temp / "copy");
    REQUIRE_MESSAGE(copy.code() == BRAID_OK, copy.message());
    CHECK(difference(copy, writers.at(lsns[i])) == "");
    // It goes on by itself.
    {
      TestConnection connection(copy);
      CHECK(Operations::run(connection, 0, 1'000'000) == BRAID_OK);
    }
    CHECK(braid_checkpoint(copy.get()) == BRAID_OK);
    CHECK(copy.check() == "");
    copy.close();
    std::filesystem::remove_all(temp / "copy");
  }
  CHECK(difference(database, writers.at(UINT64_MAX)) == "");
}

TEST_CASE("a backup keeps to its rate, tells how far it is, and lets writers write meanwhile") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  Writers writers(database);
  for (int i = 0; i < 200; ++i) writers.once();
  struct Told {
    uint64_t done = 0, all = 0;
    bool falls = false;
    std::atomic<bool> called{false}, written{false};
  } told;
  const auto tell = [](void* context, uint64_t done, uint64_t all) -> int32_t {
    auto& out = *static_cast<Told*>(context);
    out.falls |= done < out.done || done > all;
    out.done = done;
    out.all = all;
    // The backup waits in its middle until the writers have written.
    out.called = true;
    out.called.notify_all();
    out.written.wait(false);
    return 0;
  };
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  options.flags = BRAID_COPY_ALL;
  options.bytes_per_second = 400'000;
  braid_backup_report report{};
  report.size_bytes = sizeof report;
  const auto start = std::chrono::steady_clock::now();
  int32_t code = -1;
  std::thread thread([&] {
    code = braid_backup(database.get(), (temp / "backup").c_str(), &options, tell, &told, &report);
    told.called = true;
    told.called.notify_all();
  });
  told.called.wait(false);
  for (int i = 0; i < 20; ++i) writers.once();
  told.written = true;
  told.written.notify_all();
  thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(code == BRAID_OK);
  CHECK_FALSE(writers.failed());
  CHECK_FALSE(told.falls);
  CHECK(told.done == told.all);
  CHECK(report.bytes_linked == 0);
  CHECK(seconds > 0.9 * static_cast<double>(report.bytes_written) / 400'000);
  Restored copy(temp / "backup", temp / "copy");
  CHECK(difference(copy, writers.at(report.lsn)) == "");
}

TEST_CASE("a backup that is interrupted leaves nothing") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  Writers writers(database);
  for (int i = 0; i < 50; ++i) writers.once();
  for (const bool empty_before : {false, true}) {
    if (empty_before) std::filesystem::create_directory(temp / "backup");
    int left = 3;
    const auto stop = [](void* context, uint64_t, uint64_t) -> int32_t { return --*static_cast<int*>(context) == 0; };
    CHECK(braid_backup(database.get(), (temp / "backup").c_str(), nullptr, stop, &left, nullptr) == BRAID_INTERRUPTED);
    CHECK(std::filesystem::exists(temp / "backup") == empty_before);
    if (empty_before) CHECK(std::filesystem::is_empty(temp / "backup"));
  }
  CHECK(backup(database, temp / "backup") == BRAID_OK);
}

TEST_CASE("a destination that is not free is refused, and stays as it is") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  REQUIRE(database.ok());
  std::filesystem::create_directory(temp / "full");
  put(temp / "full/notes.txt", "mine");
  put(temp / "file", "mine");
  std::filesystem::create_directory_symlink(temp / "db", temp / "link");
  for (const char* name : {"full", "file", "db", "db/inside", "db/graph/inside", "link/inside", "", "absent/inside"}) {
    CAPTURE(name);
    const int32_t code = backup(database, temp / name);
    CHECK(code == (std::string(name) == "absent/inside" ? BRAID_IO : BRAID_INVALID_ARGUMENT));
    CHECK(std::string(braid_database_error(database.get())).find(temp.path()) != std::string::npos);
  }
  CHECK(backup(database, "") == BRAID_INVALID_ARGUMENT);
  CHECK(text_of(temp / "full/notes.txt") == "mine");
  CHECK(text_of(temp / "file") == "mine");
  CHECK(std::filesystem::directory_iterator(temp / "full") != std::filesystem::directory_iterator());
  CHECK_FALSE(std::filesystem::exists(temp / "full/LOCK"));
  REQUIRE(backup(database, temp / "backup") == BRAID_OK);
  CHECK(backup(database, temp / "backup") == BRAID_INVALID_ARGUMENT);
  CHECK(database.check() == "");
}

TEST_CASE("what is unfinished is no database, no backup and no base, and is made again") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  Writers writers(database);
  writers.once();
  REQUIRE(backup(database, temp / "backup") == BRAID_OK);
  std::filesystem::rename(temp / "backup/FORMAT", temp / "backup/COPYING");
  put(temp / "backup/left", "over");
  {
    const TestDatabase refused(temp / "backup");
    CHECK(refused.code() == BRAID_INVALID_ARGUMENT);
    CHECK(refused.message().find("not finished") != std::string::npos);
  }
  CHECK(Restored(temp / "backup", temp / "copy").code() == BRAID_INVALID_ARGUMENT);
  CHECK_FALSE(std::filesystem::exists(temp / "copy"));
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  const std::string base = temp / "backup";
  options.base = base.c_str();
  CHECK(backup(database, temp / "other", &options) == BRAID_INVALID_ARGUMENT);
  options.base = "";
  CHECK(backup(database, temp / "other", &options) == BRAID_INVALID_ARGUMENT);
  CHECK(std::string(braid_database_error(database.get())).find("base") != std::string::npos);
  CHECK(backup(database, temp / "backup") == BRAID_OK);
  CHECK_FALSE(std::filesystem::exists(temp / "backup/left"));
  CHECK(Restored(temp / "backup", temp / "copy").code() == BRAID_OK);
}

TEST_CASE("a backup with a base writes what has changed, and is whole without the base") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  Writers writers(database);
  for (int i = 0; i < 400; ++i) writers.once();
  REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  options.flags = BRAID_COPY_ALL;
  braid_backup_report first{}, second{};
  first.size_bytes = second.size_bytes = sizeof first;
  REQUIRE(backup(database, temp / "first", &options, &first) == BRAID_OK);
  CHECK(first.bytes_linked == 0);
  writers.once();
  const std::string base = temp / "first";
  options.base = base.c_str();
  REQUIRE(backup(database, temp / "second", &options, &second) == BRAID_OK);
  CHECK(second.bytes_linked > 0);
  CHECK(second.bytes_linked == bytes_of_second_names(temp / "second"));
  std::filesystem::remove_all(temp / "first");
  Restored copy(temp / "second", temp / "copy");
  CHECK(difference(copy, writers.at(second.lsn)) == "");

  TestDatabase other(temp / "other", kOptions);
  options.base = base.c_str();
  CHECK(backup(database, temp / "third", &options) == BRAID_NOT_FOUND);
  const std::string foreign = temp / "other";
  options.base = foreign.c_str();
  CHECK(backup(database, temp / "third", &options) == BRAID_INVALID_ARGUMENT);
  const std::string own = temp / "db";
  options.base = own.c_str();
  CHECK(backup(database, temp / "third", &options) == BRAID_BUSY);
}

TEST_CASE("a backup is read where it is, and stays one") {
  TempDir temp;
  Operations::Set acknowledged;
  {
    TestDatabase database(temp / "db", kOptions);
    TestConnection connection(database);
    REQUIRE(Operations::create(connection, 2) == BRAID_OK);
    for (int i = 1; i <= 3; ++i) REQUIRE(Operations::run(connection, 0, i) == BRAID_OK);
    acknowledged = {{0, 1}, {0, 2}, {0, 3}};
    REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    REQUIRE(backup(database, temp / "whole") == BRAID_OK);
    REQUIRE(Operations::run(connection, 0, 4) == BRAID_OK);
    REQUIRE(backup(database, temp / "behind") == BRAID_OK);
  }
  for (const char* name : {"whole", "behind"}) {
    CAPTURE(std::string(name));
    const bool behind = std::string(name) == "behind";
    const std::string path = temp / name;
    std::map<std::string, std::string> before, after;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file()) before[entry.path()] = text_of(entry.path());
    {
      TestDatabase database(path, "read_only=1");
      CHECK(database.code() == (behind ? BRAID_READ_ONLY : BRAID_OK));
      if (behind) CHECK(database.message().find("is a backup") != std::string::npos);
      if (behind) CHECK(database.message().find("braid check") != std::string::npos);
      if (database.ok()) {
        TestConnection connection(database);
        std::string problems;
        CHECK(Operations::verify(connection, acknowledged, problems) == acknowledged);
        CHECK(problems == "");
        CHECK(database.check() == "");
      }
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file()) after[entry.path()] = text_of(entry.path());
    CHECK(before == after);
    CHECK(Restored(path, temp / (std::string(name) + "-restored")).message() == "");
  }
}

TEST_CASE("a backup that is opened has a history of its own, and so has each copy of it") {
  const TempDir temp;
  Operations::Set before;
  {
    TestDatabase database(temp / "db", kOptions);
    Writers writers(database);
    for (int i = 0; i < 100; ++i) writers.once();
    REQUIRE(backup(database, temp / "backup") == BRAID_OK);
    before = writers.at(UINT64_MAX);
    for (int i = 0; i < 100; ++i) writers.once();
    Restored copy(temp / "backup", temp / "copy");
    CHECK(epoch_of(temp / "copy") > epoch_of(temp / "db"));
    TestDatabase opened(temp / "backup", kOptions);
    REQUIRE(opened.ok());
    CHECK(epoch_of(temp / "backup") > epoch_of(temp / "db"));
    CHECK(epoch_of(temp / "backup") != epoch_of(temp / "copy"));
    CHECK(difference(opened, before) == "");
    CHECK(difference(copy, before) == "");
    // Each goes its way, though they share files.
    for (TestDatabase* one : std::initializer_list<TestDatabase*>{&database, &copy, &opened}) {
      TestConnection connection(*one);
      for (int i = 0; i < 60; ++i) REQUIRE(Operations::run(connection, 0, 2'000'000 + i) == BRAID_OK);
      REQUIRE(connection.run("DELETE FROM point WHERE sequence < 50; DELETE FROM operation WHERE sequence < 50; DELETE FROM graph_edges WHERE "
                             "json_extract(properties, '$.sequence') < 50; UPDATE total SET operations = (SELECT count(*) FROM operation o WHERE "
                             "o.writer = total.writer); SELECT hypertable_compact('point')") == BRAID_OK);
      REQUIRE(braid_checkpoint(one->get()) == BRAID_OK);
    }
    for (TestDatabase* one : std::initializer_list<TestDatabase*>{&database, &copy, &opened}) CHECK(one->check() == "");
  }
  const uint64_t epoch = epoch_of(temp / "backup");
  CHECK(TestDatabase(temp / "backup", kOptions).ok());
  CHECK(epoch_of(temp / "backup") == epoch);
}

TEST_CASE("whatever fails in the destination is told, leaves nothing there, and does not harm the database") {
  const TempDir temp;
  PathFault fault("/backup");
  TestDatabase database(temp / "db", kOptions, &fault);
  REQUIRE(database.ok());
  Writers writers(database);
  for (int i = 0; i < 40; ++i) writers.once();
  REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
  fault.arm(0, 0);
  REQUIRE(backup(database, temp / "backup") == BRAID_OK);
  const uint64_t operations = fault.seen();
  std::filesystem::remove_all(temp / "backup");
  for (uint64_t nth = 1; nth <= operations; ++nth) {
    CAPTURE(nth);
    fault.arm(nth, nth % 2 == 0 ? ENOSPC : EIO);
    const int32_t code = backup(database, temp / "backup");
    if (code == BRAID_OK) {  // SQLite or the lock did without
      std::filesystem::remove_all(temp / "backup");
      continue;
    }
    CHECK((code == BRAID_IO || code == BRAID_FULL));
    CHECK(std::string(braid_database_error(database.get())) != "");
    if (std::filesystem::exists(temp / "backup/COPYING")) CHECK_FALSE(TestDatabase(temp / "backup").ok());
    fault.arm(0, 0);
    writers.once();
  }
  CHECK(operations > 20);
  REQUIRE_MESSAGE(backup(database, temp / "backup") == BRAID_OK, braid_database_error(database.get()));
  CHECK_FALSE(writers.failed());
  CHECK(database.check() == "");
  Restored copy(temp / "backup", temp / "copy");
  CHECK(difference(copy, writers.at(UINT64_MAX)) == "");
}

TEST_CASE("a backup whose LOCK has a text is opened: it has no WAL that could be lost") {
  const TempDir temp;
  {
    TestDatabase database(temp / "db", "");
    REQUIRE(TestConnection(database).run("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(7)") == BRAID_OK);
    REQUIRE(braid_backup(database.get(), (temp / "copy").c_str(), nullptr, nullptr, nullptr, nullptr) == BRAID_OK);
  }
  std::ofstream(temp / "copy/LOCK") << "4711\n";
  TestDatabase copy(temp / "copy", "");
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).rows("SELECT id FROM t") == "7");
}

TEST_CASE("the chunks of a database whose rows.db is of an earlier time stay, so that it can be put back") {
  const TempDir temp;
  const std::string rows = temp / "db/rows.db";
  {
    TestDatabase database(temp / "db", "");
    REQUIRE(TestConnection(database).run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, value DOUBLE)") == BRAID_OK);
  }
  std::filesystem::copy_file(rows, temp / "earlier");
  {
    TestDatabase database(temp / "db", "tail_bytes_max=65536");
    REQUIRE(TestConnection(database).run("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 20000) INSERT INTO m SELECT n, 0.5 FROM i;"
                                         " INSERT INTO graph_nodes(labels) VALUES('[\"A\"]')") == BRAID_OK);
  }
  REQUIRE_FALSE(std::filesystem::is_empty(temp / "db/chunks"));
  std::filesystem::copy_file(rows, temp / "newest");
  std::filesystem::copy_file(temp / "earlier", rows, std::filesystem::copy_options::overwrite_existing);
  {
    TestDatabase wrong(temp / "db", "");
    CHECK(wrong.code() == BRAID_CORRUPT);
    CHECK_MESSAGE(wrong.message().find("not of one moment") != std::string::npos, wrong.message());
  }
  std::filesystem::copy_file(temp / "newest", rows, std::filesystem::copy_options::overwrite_existing);
  TestDatabase right(temp / "db", "");
  REQUIRE_MESSAGE(right.ok(), right.message());
  CHECK(TestConnection(right).rows("SELECT sum(value) FROM m") == "10000.0");
  CHECK(right.check() == "");
}

TEST_CASE("a damaged source is not taken for a good one") {
  const TempDir temp;
  {
    TestDatabase database(temp / "db", kOptions);
    Writers writers(database);
    for (int i = 0; i < 300; ++i) writers.once();
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE big(a); INSERT INTO big VALUES(randomblob(300000))") == BRAID_OK);
    REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    REQUIRE(backup(database, temp / "good") == BRAID_OK);
  }
  SUBCASE("a page of rows") {
    {
      const TempDir copies;
      std::filesystem::copy(temp / "db", copies / "db", std::filesystem::copy_options::recursive);
      flip_byte(copies / "db/rows.db", static_cast<std::streamoff>(std::filesystem::file_size(copies / "db/rows.db")) - 5000);
      TestDatabase database(copies / "db", kOptions);
      REQUIRE(database.ok());
      CHECK(backup(database, copies / "backup") == BRAID_CORRUPT);
      CHECK_FALSE(std::filesystem::exists(copies / "backup"));
    }
  }
  for (const std::string folder : {"graph", "chunks"}) {
    CAPTURE(folder);
    const TempDir copies;
    std::filesystem::copy(temp / "good", copies / "bad", std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(copies / ("bad/" + folder)))
      if (entry.file_size() > 300 && (folder == "chunks" || entry.path().extension() == ".sst")) flip_byte(entry.path(), 150);
    const Restored bad(copies / "bad", copies / "copy");
    CHECK(bad.code() == BRAID_CORRUPT);
    CHECK_FALSE(TestDatabase(copies / "copy", kOptions).ok());
    CHECK(Restored(temp / "good", copies / "copy").code() == BRAID_OK);
  }
}

TEST_CASE("a restore is refused, interrupted and repeated like a backup") {
  const TempDir temp;
  TestDatabase database(temp / "db", kOptions);
  Writers writers(database);
  for (int i = 0; i < 50; ++i) writers.once();
  REQUIRE(backup(database, temp / "backup") == BRAID_OK);
  CHECK(Restored(temp / "db", temp / "copy").code() == BRAID_BUSY);
  CHECK(Restored(temp / "absent", temp / "copy").code() == BRAID_NOT_FOUND);
  CHECK(Restored(temp / "backup", temp / "backup/inside").code() == BRAID_INVALID_ARGUMENT);
  CHECK(Restored(temp / "backup", temp / "db").code() == BRAID_INVALID_ARGUMENT);
  CHECK_FALSE(std::filesystem::exists(temp / "copy"));
  braid_database* handle = nullptr;
  const auto stop = [](void*, uint64_t, uint64_t) -> int32_t { return 1; };
  CHECK(braid_restore((temp / "backup").c_str(), (temp / "copy").c_str(), nullptr, stop, nullptr, &handle) == BRAID_INTERRUPTED);
  braid_close(handle);
  CHECK_FALSE(std::filesystem::exists(temp / "copy"));
  const std::string before = text_of(temp / "backup/rows.db") + text_of(temp / "backup/FORMAT");
  Restored copy(temp / "backup", temp / "copy");
  CHECK(difference(copy, writers.at(UINT64_MAX)) == "");
  CHECK(text_of(temp / "backup/rows.db") + text_of(temp / "backup/FORMAT") == before);
}
