// The archive: a backup is brought forward to any commit after it, or it is said by name why not and how far it goes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/archive.h"
#include "engine/copy_mark.h"
#include "tests/support/database.h"
#include "tests/support/directory_copy.h"
#include "tests/support/fault_hook.h"
#include "tests/support/file_record.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;
namespace fs = std::filesystem;

namespace {

/// Nothing happens by itself, so that each step is one commit.
const std::string kOptions = "archive=on;archive_interval_ms=86400000;maintenance_interval_ms=0";
/// Small bounds, so that tails are sealed, logs trimmed, chunks merged and the WAL used again.
const std::string kBusyOptions =
    "archive=on;archive_interval_ms=20;maintenance_interval_ms=0;tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=65536;graph_buffer_bytes=1048576";

struct Target {
  uint64_t lsn = 0;
  int64_t time_us = 0;
  std::string archive;
};

/// A database made of a backup and an archive.
class Restored : public TestDatabase {
 public:
  Restored(const std::string& source, const std::string& destination, const Target& target) : Restored(make(source, destination, target)) {}

 private:
  explicit Restored(std::pair<braid_database*, int32_t> made) : TestDatabase(made.first, made.second) {}
  static std::pair<braid_database*, int32_t> make(const std::string& source, const std::string& destination, const Target& target) {
    braid_restore_options options{};
    options.size_bytes = sizeof options;
    options.open_options = "maintenance_interval_ms=0;archive=off";
    options.archive = target.archive.empty() ? nullptr : target.archive.c_str();
    options.to_lsn = target.lsn;
    options.to_time_us = target.time_us;
    braid_database* handle = nullptr;
    const int32_t code = braid_restore(source.c_str(), destination.c_str(), &options, nullptr, nullptr, &handle);
    return {handle, code};
  }
};

int32_t backup(TestDatabase& database, const std::string& destination, uint32_t flags = 0) {
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  options.flags = flags | BRAID_COPY_ALL;
  return braid_backup(database.get(), destination.c_str(), &options, nullptr, nullptr, nullptr);
}

/// A table, and a backup of it.
void make_backed_up(TestDatabase& database, const TempDir& temp) {
  REQUIRE(TestConnection(database).run("CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT)") == BRAID_OK);
  REQUIRE(backup(database, temp / "backup") == BRAID_OK);
}

uint64_t lsn_of(TestDatabase& database) { return static_cast<uint64_t>(database.figure("lsn")); }

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Everything that is there, in all three models.
std::string state_of_models(TestDatabase& database) {
  TestConnection connection(database);
  std::string out;
  for (const char* sql : {"SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '\\_braid%' ESCAPE '\\' ORDER BY name", "SELECT * FROM item ORDER BY id",
                          "SELECT id, labels, properties FROM graph_nodes ORDER BY id", "SELECT id, src, type, dst, properties FROM graph_edges ORDER BY id",
                          "SELECT time, sensor, value, note FROM point WHERE sensor <> 'bulk' ORDER BY time, sensor",
                          "SELECT count(*), sum(value), max(time) FROM point WHERE sensor = 'bulk'"})
    out += connection.rows(sql) + "\n";
  return out;
}

struct Commit {
  std::string state;
  int64_t after_us = 0;  // a time after it and before the next
};

/// A history of commits that change rows, graph and series in every way, with what was there after each.
class History {
 public:
  explicit History(const std::string& directory, const std::string& options = kOptions) : database_(directory, options) {
    REQUIRE_MESSAGE(database_.ok(), database_.message());
    step("CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT)");
    step("CREATE VIRTUAL TABLE point USING hypertable(time TIMESTAMP, sensor TEXT TAG, value DOUBLE, note TEXT, chunk_interval='1 minute')");
    step("SELECT graph_create_index('Bus', 'number', 1)");
  }

  TestDatabase& database() { return database_; }
  const std::map<uint64_t, Commit>& commits() const { return commits_; }

  void step(const std::string& sql) {
    {
      TestConnection connection(database_);
      REQUIRE_MESSAGE(connection.run(sql) == BRAID_OK, sql << ": " << connection.error());
    }
    note();
  }
  void checkpoint() {
    REQUIRE_MESSAGE(braid_checkpoint(database_.get()) == BRAID_OK, braid_database_error(database_.get()));
    note();
  }
  /// One of the ways to change something; `number` tells it from others of its kind.
  void change(int number) {
    const int n = number / 8;
    switch (number % 8) {
      case 0: return step(fmt::format("INSERT INTO item VALUES({}, hex(zeroblob({})))", n, 100 + n * 700));
      case 1: return step(fmt::format("INSERT INTO graph_nodes(labels, properties) VALUES('[\"Bus\"]', '{{\"number\":{}}}')", n));
      case 2: return step(fmt::format("INSERT INTO point(time, sensor, value, note) VALUES({0}, 'a', {1}, 'n'), ({0} + 7000000, 'b', {1}, NULL)", n * 20'000'000, n));
      case 3: return step(fmt::format("INSERT INTO graph_edges(src, type, dst) VALUES(graph_node('Bus', 'number', 0), 'LINE', graph_node('Bus', 'number', {}))", n));
      case 4:
        return step(fmt::format("BEGIN; INSERT INTO item VALUES({0}, 'all'); UPDATE item SET text = 'new' WHERE id = {1};"
                                "INSERT INTO point(time, sensor, value, note) VALUES({2}, 'c', 1.5, 'all');"
                                "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Line\"]', '{{\"of\":{1}}}'); COMMIT",
                                1000 + n, n, n * 1000));
      case 5: return n % 2 == 0 ? step(fmt::format("DELETE FROM item WHERE id = {}", n)) : step(fmt::format("CREATE INDEX item_{0} ON item(text, {0})", n));
      case 6:
        if (n % 2 == 0) {
          // So many that they are sealed.
          step(fmt::format("WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 9999) "
                           "INSERT INTO point(time, sensor, value) SELECT {} + n * 1000, 'bulk', n FROM i",
                           n * 5'000'000));
          return checkpoint();
        }
        return step(fmt::format("DELETE FROM point WHERE sensor = 'b' AND time <= {}", n * 20'000'000));
      case 7: return step(fmt::format("BEGIN; DELETE FROM graph_edges WHERE id = (SELECT min(id) FROM graph_edges) AND {} % 2 = 0; UPDATE item SET text = 'seven'; COMMIT", n));
    }
  }

 private:
  void note() {
    const uint64_t lsn = lsn_of(database_);
    const Commit commit{state_of_models(database_), now_us()};
    // What a checkpoint commits changes nothing of what is seen.
    for (uint64_t at = noted_ + 1; at <= lsn; ++at) commits_[at] = commit;
    noted_ = lsn;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

  TestDatabase database_;
  uint64_t noted_ = 0;
  std::map<uint64_t, Commit> commits_;
};

/// "" when the backup, brought forward, is what it was then and nothing is wrong with it.
std::string difference(const TempDir& temp, const std::string& source, const Target& target, const std::string& expected) {
  std::string out;
  {
    Restored copy(source, temp / "copy", target);
    if (!copy.ok()) return copy.message();
    const std::string found = state_of_models(copy);
    if (found != expected) out = fmt::format("found {}\nexpected {}\n", found, expected);
  }
  fs::remove_all(temp / "copy");
  return out;
}

std::vector<std::string> segments_of(const std::string& archive) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(archive))
    if (entry.path().extension() == ".segment") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

void flip_byte(const std::string& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 0x41));
}

struct Refusal {
  int32_t code = BRAID_OK;
  std::string why;
};

/// The refusal of a restore, which leaves nothing.
Refusal refusal(const TempDir& temp, const std::string& source, const Target& target) {
  Refusal out;
  {
    const Restored copy(source, temp / "refused", target);
    out = {copy.code(), copy.message()};
  }
  CHECK_FALSE(fs::exists(temp / "refused"));
  fs::remove_all(temp / "refused");
  return out;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Fails what is done to paths that hold a text.
class PathFault final : public FileHook {
 public:
  explicit PathFault(std::string part) : part_(std::move(part)) {}
  FileAnswer before(const FileRequest& request) noexcept override {
    const bool writes = request.operation != FileOperation::kRead && request.operation != FileOperation::kOpen && request.operation != FileOperation::kMakeDirectory;
    return fails && writes && request.path.find(part_) != std::string_view::npos ? FileAnswer{.error = ENOSPC} : FileAnswer{};
  }
  std::atomic<bool> fails{false};

 private:
  const std::string part_;
};

}  // namespace

TEST_CASE("a backup is brought forward to every commit after it, in all three models, and to times between") {
  const TempDir temp;
  std::map<uint64_t, Commit> commits;
  uint64_t of_backup = 0;
  {
    History history(temp / "db");
    for (int i = 0; i < 16; ++i) history.change(i);
    of_backup = lsn_of(history.database());
    REQUIRE(backup(history.database(), temp / "backup") == BRAID_OK);
    for (int i = 16; i < 48; ++i) history.change(i);
    commits = history.commits();
  }
  const uint64_t last = commits.rbegin()->first;
  for (uint64_t lsn = of_backup; lsn <= last; ++lsn) {
    CAPTURE(lsn);
    CHECK(difference(temp, temp / "backup", {.lsn = lsn}, commits[lsn].state) == "");
  }
  for (uint64_t lsn = of_backup; lsn < last; lsn += 7) {
    CAPTURE(lsn);
    CHECK(difference(temp, temp / "backup", {.time_us = commits[lsn].after_us}, commits[lsn].state) == "");
  }
  CHECK(difference(temp, temp / "backup", {.archive = temp / "db/archive"}, commits[last].state) == "");

  const Refusal before = refusal(temp, temp / "backup", {.lsn = of_backup - 1});
  CHECK(before.code == BRAID_INVALID_ARGUMENT);
  CHECK(has(before.why, fmt::format("is of commit {}: give an earlier backup", of_backup)));
  const Refusal past = refusal(temp, temp / "backup", {.lsn = 1'000'000});
  CHECK(past.code == BRAID_NOT_FOUND);
  CHECK(has(past.why, "commit 1000000 is not in it"));
  const Refusal early = refusal(temp, temp / "backup", {.time_us = commits[of_backup - 1].after_us - 1'000'000});
  CHECK(early.code == BRAID_INVALID_ARGUMENT);
  CHECK(has(early.why, "give an earlier backup"));
  const Refusal late = refusal(temp, temp / "backup", {.time_us = now_us() + 3'600'000'000});
  CHECK(late.code == BRAID_NOT_FOUND);
  CHECK(has(late.why, "what was committed later is not in it"));
  CHECK(refusal(temp, temp / "backup", {.lsn = last, .time_us = 1}).code == BRAID_INVALID_ARGUMENT);
  CHECK(refusal(temp, temp / "backup", {.lsn = last, .archive = temp / "nowhere"}).code == BRAID_IO);
}

TEST_CASE("a commit that leaves the end of rows.db free is brought forward too") {
  const TempDir temp;
  uint64_t lsn = 0;
  {
    TestDatabase database(temp / "db", kOptions);
    make_backed_up(database, temp);
    // All that it has made is free at its end.
    REQUIRE(TestConnection(database).run("BEGIN; INSERT INTO item VALUES(1, hex(zeroblob(200000))), (2, 'two'); DELETE FROM item WHERE id = 1; COMMIT") == BRAID_OK);
    lsn = lsn_of(database);
  }
  Restored copy(temp / "backup", temp / "copy", {.lsn = lsn, .archive = temp / "db/archive"});
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).rows("SELECT id, text FROM item") == "2|two");
  CHECK(copy.check() == "");
}

TEST_CASE("a stop at any moment leaves nothing out of the archive") {
  const TempDir temp;
  std::map<uint64_t, Commit> commits;
  {
    History history(temp / "db", kOptions + ";wal_soft_bytes=65536;log_soft_bytes=65536");
    for (int i = 0; i < 8; ++i) history.change(i);
    REQUIRE(backup(history.database(), temp / "backup") == BRAID_OK);
    for (int i = 8; i < 30; ++i) history.change(i);
    commits = history.commits();
    copy_open_directory(temp / "db", temp / "stopped");
  }
  fs::remove(temp / "stopped/LOCK");
  // As with a stop while a segment is written.
  std::ofstream(temp / "stopped/archive/commits.new") << "half";
  const uint64_t last = commits.rbegin()->first;
  {
    // What it was opened with is kept.
    TestDatabase again(temp / "stopped", "archive_interval_ms=86400000;maintenance_interval_ms=0");
    REQUIRE_MESSAGE(again.ok(), again.message());
    CHECK(again.figure("archive_to") >= static_cast<int64_t>(last));
    CHECK(again.figure("archive_from") < 10);
    TestConnection connection(again);
    REQUIRE(connection.run("INSERT INTO item VALUES(5000, 'after the stop')") == BRAID_OK);
  }
  CHECK_FALSE(fs::exists(temp / "stopped/archive/commits.new"));
  const std::string archive = temp / "stopped/archive";
  for (uint64_t lsn = last - 6; lsn <= last; ++lsn) CHECK(difference(temp, temp / "backup", {.lsn = lsn, .archive = archive}, commits[lsn].state) == "");
  Restored copy(temp / "backup", temp / "end", {.archive = archive});
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).rows("SELECT text FROM item WHERE id = 5000") == "after the stop");
}

TEST_CASE("what a stop has left in the archive is durable before the WAL is let go") {
  const TempDir temp;
  { History history(temp / "db"); }
  FileRecord record(temp / "db");
  {
    const TestDatabase again(temp / "db", kOptions, &record);
    REQUIRE_MESSAGE(again.ok(), again.message());
  }
  const auto syncs = [](const RecordedOperation& one) { return one.operation == FileOperation::kSyncDirectory && one.path == "db/archive"; };
  const auto lets_go = [](const RecordedOperation& one) {
    return one.path == "db/rows.db-wal" &&
           (one.operation == FileOperation::kTruncate || one.operation == FileOperation::kRemove || one.operation == FileOperation::kWrite);
  };
  const auto& done = record.operations();
  const auto first = std::find_if(done.begin(), done.end(), syncs);
  REQUIRE(first != done.end());
  CHECK(std::none_of(done.begin(), first, lets_go));
}

TEST_CASE("a commit that is neither in the archive nor in the WAL is noticed, whatever the WAL begins with") {
  const TempDir temp;
  uint64_t lsn = 0;
  {
    TestDatabase database(temp / "db", kOptions);
    make_backed_up(database, temp);
    REQUIRE(TestConnection(database).run("INSERT INTO item VALUES(1, 'one')") == BRAID_OK);
  }
  fs::remove(segments_of(temp / "db/archive").back());
  // What opens it takes this for an unclean stop, and begins the WAL with a transaction of its own.
  std::ofstream(temp / "db/rows.db-wal", std::ios::binary) << std::string(1 << 20, '\0');
  {
    TestDatabase again(temp / "db", "archive_interval_ms=86400000;maintenance_interval_ms=0");
    REQUIRE_MESSAGE(again.ok(), again.message());
    lsn = lsn_of(again);
    CHECK(again.figure("archive_from") == static_cast<int64_t>(lsn));
  }
  const Refusal refused = refusal(temp, temp / "backup", {.lsn = lsn, .archive = temp / "db/archive"});
  CHECK(refused.code == BRAID_NOT_FOUND);
}

TEST_CASE("a chunk that was kept for a commit which was lost is not taken for a later one's") {
  const TempDir temp;
  uint64_t lsn = 0;
  {
    History history(temp / "db");
    lsn = lsn_of(history.database());
  }
  const auto stale = [&](uint64_t before) { return temp / "db/archive/chunks" + "/" + archived_chunk_name(Lsn(before), "000000000000002a.chunk"); };
  for (const uint64_t before : {lsn - 1, lsn + 10}) std::ofstream(stale(before)) << "not of this history";
  const TestDatabase again(temp / "db", kOptions);
  REQUIRE_MESSAGE(again.ok(), again.message());
  CHECK(fs::exists(stale(lsn - 1)));
  CHECK_FALSE(fs::exists(stale(lsn + 10)));
}

TEST_CASE("of archives that begin with the same commit the one with commits is taken") {
  const TempDir temp;
  const std::string off = "archive=off;maintenance_interval_ms=0";
  {
    TestDatabase database(temp / "db", kOptions);
    REQUIRE(TestConnection(database).run("CREATE TABLE item(id INTEGER PRIMARY KEY)") == BRAID_OK);
  }
  for (int i = 0; i < 6; ++i) {
    { REQUIRE(TestDatabase(temp / "db", off).ok()); }
    TestDatabase empty(temp / "db", kOptions);
    REQUIRE(empty.ok());
    if (i == 0) REQUIRE(backup(empty, temp / "backup") == BRAID_OK);
  }
  { REQUIRE(TestDatabase(temp / "db", off).ok()); }
  uint64_t lsn = 0;
  {
    TestDatabase last(temp / "db", kOptions);
    REQUIRE(TestConnection(last).run("INSERT INTO item VALUES(1)") == BRAID_OK);
    lsn = lsn_of(last);
  }
  Restored copy(temp / "backup", temp / "copy", {.lsn = lsn, .archive = temp / "db/archive"});
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).rows("SELECT id FROM item") == "1");
}

TEST_CASE("a restore has an epoch of its own, and goes on by itself") {
  const TempDir temp;
  uint64_t lsn = 0;
  {
    History history(temp / "db");
    REQUIRE(backup(history.database(), temp / "backup") == BRAID_OK);
    for (int i = 0; i < 8; ++i) history.change(i);
    lsn = lsn_of(history.database());
  }
  {
    Restored copy(temp / "backup", temp / "copy", {.lsn = lsn - 2});
    REQUIRE_MESSAGE(copy.ok(), copy.message());
    TestConnection connection(copy);
    CHECK(connection.run("INSERT INTO item VALUES(77, 'another history')") == BRAID_OK);
    CHECK(braid_checkpoint(copy.get()) == BRAID_OK);
    CHECK(copy.check() == "");
  }
  Env env;
  const auto first = read_format(env, temp / "db");
  const auto second = read_format(env, temp / "copy");
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(second->uuid == first->uuid);
  CHECK(second->epoch > first->epoch);
  // A backup of the new history is not brought forward by the archive of the old one.
  {
    TestDatabase copy(temp / "copy", kOptions);
    REQUIRE(copy.ok());
    CHECK(copy.figure("archive_from") == copy.figure("lsn"));
    REQUIRE(backup(copy, temp / "second") == BRAID_OK);
  }
  const Refusal refused = refusal(temp, temp / "second", {.lsn = lsn, .archive = temp / "db/archive"});
  CHECK(refused.code == BRAID_NOT_FOUND);
  CHECK(has(refused.why, "a history of its own"));
}

TEST_CASE("what is missing or damaged is told by name, with the last commit that can be restored") {
  const TempDir temp;
  {
    History history(temp / "db");
    REQUIRE(backup(history.database(), temp / "backup") == BRAID_OK);
    for (int i = 0; i < 32; ++i) {
      history.change(i);
      if (i % 8 == 7) history.checkpoint();
    }
  }
  const std::string archive = temp / "db/archive";
  const auto segments = segments_of(archive);
  REQUIRE(segments.size() >= 3);
  const std::string& middle = segments[segments.size() / 2];
  const uint64_t first = std::stoull(fs::path(middle).filename().string());
  const auto last = [&] {
    Restored copy(temp / "backup", temp / "whole", {.archive = archive});
    REQUIRE_MESSAGE(copy.ok(), copy.message());
    TestConnection connection(copy);
    return static_cast<uint64_t>(copy.figure("lsn"));
  }();
  const std::string kept = temp / "kept.segment";
  fs::copy_file(middle, kept);

  fs::remove(middle);
  const Refusal missing = refusal(temp, temp / "backup", {.lsn = last});
  CHECK(missing.code == BRAID_NOT_FOUND);
  CHECK_MESSAGE(has(missing.why, "are missing"), missing.why);
  CHECK_MESSAGE(has(missing.why, fmt::format("the last commit that can be restored is {}", first - 1)), missing.why);
  CHECK(Restored(temp / "backup", temp / "before", {.lsn = first - 1}).ok());
  fs::copy_file(kept, middle);

  const auto size = static_cast<std::streamoff>(fs::file_size(middle));
  for (const std::streamoff at : {std::streamoff{3}, std::streamoff{20}, std::streamoff{90}, size / 3, size / 2, size - 100, size - 30, size - 1}) {
    CAPTURE(at);
    flip_byte(middle, at);
    const Refusal refused = refusal(temp, temp / "backup", {.lsn = last});
    CHECK(refused.code == BRAID_CORRUPT);
    CHECK_MESSAGE(has(refused.why, middle), refused.why);
    CHECK_MESSAGE(has(refused.why, "the last commit that can be restored is"), refused.why);
    flip_byte(middle, at);
  }
  for (const std::streamoff left : {std::streamoff{0}, std::streamoff{50}, size / 2, size - 1}) {
    CAPTURE(left);
    fs::resize_file(middle, static_cast<uintmax_t>(left));
    const Refusal refused = refusal(temp, temp / "backup", {.lsn = last});
    CHECK(refused.code == BRAID_CORRUPT);
    CHECK_MESSAGE(has(refused.why, middle), refused.why);
    fs::copy_file(kept, middle, fs::copy_options::overwrite_existing);
  }
  // A segment under another one's name.
  fs::copy_file(segments.front(), middle, fs::copy_options::overwrite_existing);
  CHECK(refusal(temp, temp / "backup", {.lsn = last}).code == BRAID_CORRUPT);
  fs::copy_file(kept, middle, fs::copy_options::overwrite_existing);

  // A chunk that was made since the backup.
  bool found = false;
  for (const auto& entry : fs::directory_iterator(archive + "/chunks")) {
    found = true;
    fs::rename(entry.path(), temp / "chunk");
    const Refusal refused = refusal(temp, temp / "backup", {.lsn = last});
    CHECK(refused.code == BRAID_CORRUPT);
    CHECK(has(refused.why, "needs the chunk"));
    fs::rename(temp / "chunk", entry.path());
    break;
  }
  CHECK(found);
  CHECK(Restored(temp / "backup", temp / "again", {.lsn = last}).ok());

  // Of another database.
  {
    History other(temp / "other");
    other.change(0);
  }
  const Refusal foreign = refusal(temp, temp / "backup", {.lsn = last, .archive = temp / "other/archive"});
  CHECK(foreign.code == BRAID_NOT_FOUND);
  CHECK(has(foreign.why, "it is of the database"));
}

TEST_CASE("without the archive for a while, commits are missing, and a backup from then on is brought forward") {
  const TempDir temp;
  uint64_t last = 0;
  {
    History history(temp / "db");
    REQUIRE(backup(history.database(), temp / "before") == BRAID_OK);
    history.change(0);
    last = lsn_of(history.database());
  }
  {
    TestDatabase off(temp / "db", "archive=off;maintenance_interval_ms=0");
    CHECK(off.figure("archive_to") == -1);
    CHECK(TestConnection(off).run("INSERT INTO item VALUES(600, 'not archived')") == BRAID_OK);
  }
  {
    TestDatabase kept(temp / "db", "maintenance_interval_ms=0");
    CHECK(kept.figure("archive_to") == -1);
  }
  {
    TestDatabase on(temp / "db", kOptions);
    REQUIRE(on.ok());
    CHECK(on.figure("archive_from") == on.figure("lsn"));
    REQUIRE(backup(on, temp / "after") == BRAID_OK);
    CHECK(TestConnection(on).run("INSERT INTO item VALUES(601, 'archived')") == BRAID_OK);
  }
  const Refusal refused = refusal(temp, temp / "before", {.lsn = last + 2});
  CHECK(refused.code == BRAID_NOT_FOUND);
  CHECK_MESSAGE(has(refused.why, "ends at commit"), refused.why);
  Restored copy(temp / "after", temp / "copy", {.archive = temp / "db/archive"});
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).rows("SELECT id FROM item WHERE id >= 600 ORDER BY id") == "600;601");
}

TEST_CASE("an archive that cannot be written keeps the WAL, then writes are refused by name, and go on once it can be") {
  const TempDir temp;
  PathFault fault("/archive");
  int written = 0;
  {
    TestDatabase database(temp / "db", kOptions + ";wal_soft_bytes=65536;wal_hard_bytes=1048576;busy_timeout_ms=500", &fault);
    REQUIRE_MESSAGE(database.ok(), database.message());
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT)") == BRAID_OK);
    REQUIRE(connection.run("CREATE VIRTUAL TABLE point USING hypertable(time TIMESTAMP, sensor TEXT TAG, value DOUBLE, note TEXT)") == BRAID_OK);
    REQUIRE(backup(database, temp / "backup") == BRAID_OK);
    fault.fails = true;
    while (written < 2000 && connection.run(fmt::format("INSERT INTO item VALUES({}, hex(zeroblob(1000)))", written)) == BRAID_OK) ++written;
    CHECK(written > 20);
    CHECK(written < 2000);
    CHECK_MESSAGE(has(connection.error(), "archive"), connection.error());
    CHECK_MESSAGE(has(connection.error(), "wal_hard_bytes"), connection.error());
    CHECK(database.figure("archive_fails") == 1);
    // Reads go on, on new snapshots too.
    TestConnection reader(database);
    CHECK(reader.number("SELECT count(*) FROM item") == written);
    CHECK(reader.rows("SELECT count(*) FROM point") == "0");
    {
      TestBatch batch(database);
      REQUIRE(batch.execute("INSERT INTO item VALUES(-1, 'refused')") == BRAID_OK);
      CHECK(batch.commit() == BRAID_FULL);
    }
    fault.fails = false;
    CHECK_MESSAGE(connection.run("INSERT INTO item VALUES(9000, 'goes on')") == BRAID_OK, connection.error());
    CHECK(database.figure("archive_fails") == 0);
  }
  Restored copy(temp / "backup", temp / "copy", {.archive = temp / "db/archive"});
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).number("SELECT count(*) FROM item") == written + 1);
}

TEST_CASE("an archive that cannot be begun refuses the opening, and loses nothing") {
  const TempDir temp;
  { TestDatabase database(temp / "db", "maintenance_interval_ms=0"); }
  fs::remove_all(temp / "db/archive");
  fs::create_directory_symlink(temp / "absent", temp / "db/archive");
  {
    const TestDatabase refused(temp / "db", kOptions);
    CHECK(refused.code() == BRAID_IO);
    CHECK_MESSAGE(has(refused.message(), "archive"), refused.message());
  }
  // Once the other disk is there.
  fs::create_directory(temp / "absent");
  TestDatabase database(temp / "db", kOptions);
  CHECK_MESSAGE(database.ok(), database.message());
  CHECK(segments_of(temp / "absent").size() == 1);
}

TEST_CASE("the archive is bounded by its size, and by a backup that prunes it") {
  const TempDir temp;
  {
    TestDatabase database(temp / "db", kOptions + ";archive_bytes_max=1048576");
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT)") == BRAID_OK);
    REQUIRE(connection.run("CREATE VIRTUAL TABLE point USING hypertable(time TIMESTAMP, sensor TEXT TAG, value DOUBLE, note TEXT)") == BRAID_OK);
    for (int i = 0; i < 40; ++i) {
      REQUIRE(connection.run(fmt::format("INSERT INTO item VALUES({}, hex(zeroblob(50000))); INSERT INTO point(time, sensor, value) VALUES({}, 'a', 1)", i, i)) == BRAID_OK);
      REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
      CHECK(database.figure("archive_size") <= 1048576 + 300000);
    }
    CHECK(database.figure("archive_from") > 10);
    const auto before = segments_of(temp / "db/archive").size();
    REQUIRE(backup(database, temp / "backup", BRAID_PRUNE_ARCHIVE) == BRAID_OK);
    CHECK(segments_of(temp / "db/archive").size() < before);
    CHECK(database.figure("archive_from") <= database.figure("lsn"));
    REQUIRE(connection.run("INSERT INTO item VALUES(100, 'after')") == BRAID_OK);
  }
  Restored copy(temp / "backup", temp / "copy", {.archive = temp / "db/archive"});
  REQUIRE_MESSAGE(copy.ok(), copy.message());
  CHECK(TestConnection(copy).rows("SELECT text FROM item WHERE id = 100") == "after");
}

TEST_CASE("commits of one group are restored together, and said to be") {
  const TempDir temp;
  std::vector<uint64_t> lsns(3);
  uint64_t members = 0;
  {
    TestDatabase database(temp / "db", kOptions);
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT)") == BRAID_OK);
    REQUIRE(backup(database, temp / "backup") == BRAID_OK);
    REQUIRE(braid_begin(connection.get(), BRAID_WRITE) == BRAID_OK);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < lsns.size(); ++i)
      threads.emplace_back([&, i] {
        TestBatch batch(database);
        batch.execute(fmt::format("INSERT INTO item VALUES({}, 'member')", i));
        batch.commit(&lsns[i]);
      });
    while (database.figure("writers_waiting") < static_cast<int64_t>(lsns.size())) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(connection.run("INSERT INTO item VALUES(100, 'alone')") == BRAID_OK);
    REQUIRE(braid_commit(connection.get()) == BRAID_OK);
    for (std::thread& thread : threads) thread.join();
    members = static_cast<uint64_t>(database.figure("group_members"));
  }
  std::sort(lsns.begin(), lsns.end());
  REQUIRE(members == lsns.size());
  const auto count = [&](uint64_t lsn) {
    int64_t found = 0;
    {
      Restored copy(temp / "backup", temp / "copy", {.lsn = lsn});
      REQUIRE_MESSAGE(copy.ok(), copy.message());
      found = TestConnection(copy).number("SELECT count(*) FROM item");
    }
    fs::remove_all(temp / "copy");
    return found;
  };
  CHECK(count(lsns.front() - 1) == 1);
  CHECK(count(lsns.back()) == 4);
  const Refusal refused = refusal(temp, temp / "backup", {.lsn = lsns.front()});
  CHECK(refused.code == BRAID_INVALID_ARGUMENT);
  CHECK_MESSAGE(has(refused.why, fmt::format("restore to commit {} or to commit {}", lsns.front() - 1, lsns.back())), refused.why);
}

TEST_CASE("an archive of concurrent writers brings each backup forward, relaxed commits too") {
  for (const char* durability : {"full", "relaxed"}) {
    CAPTURE(durability);
    const TempDir temp;
    constexpr int kWriters = 3;
    std::mutex mutex;
    std::multimap<uint64_t, std::pair<int, int64_t>> by_lsn;
    {
      TestDatabase database(temp / "db", kBusyOptions + ";durability=" + durability);
      REQUIRE(database.ok());
      {
        TestConnection connection(database);
        REQUIRE(Operations::create(connection, kWriters) == BRAID_OK);
      }
      std::atomic<bool> stop{false}, failed{false};
      std::vector<std::thread> threads;
      for (int writer = 0; writer < kWriters; ++writer)
        threads.emplace_back([&, writer] {
          for (int64_t sequence = 1; !stop && !failed; ++sequence) {
            TestBatch batch(database);
            uint64_t lsn = 0;
            for (const std::string& sql : {Operations::row_sql(writer, sequence), Operations::total_sql(writer), Operations::edge_sql(writer, sequence),
                                           Operations::points_sql(writer, sequence)})
              if (batch.execute(sql) != BRAID_OK) failed = true;
            if (batch.commit(&lsn) != BRAID_OK) failed = true;
            const std::lock_guard lock(mutex);
            by_lsn.emplace(lsn, std::pair(writer, sequence));
          }
        });
      const auto written = [&] {
        const std::lock_guard lock(mutex);
        return by_lsn.size();
      };
      while (written() < 100 && !failed) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      REQUIRE(backup(database, temp / "backup") == BRAID_OK);
      for (int i = 0; i < 4; ++i) {
        const size_t until = written() + 100;
        while (written() < until && !failed) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(braid_checkpoint(database.get()) == BRAID_OK);
      }
      stop = true;
      for (std::thread& thread : threads) thread.join();
      CHECK_FALSE(failed);
    }
    const uint64_t last = by_lsn.rbegin()->first;
    for (const uint64_t back : {0, 40, 200}) {
      uint64_t lsn = last - back;
      CAPTURE(lsn);
      auto copy = std::make_optional<Restored>(temp / "backup", temp / "copy", Target{.lsn = lsn});
      // In the middle of a group: its last commit is told.
      while (copy->code() == BRAID_INVALID_ARGUMENT && lsn < last) copy.emplace(temp / "backup", temp / "copy", Target{.lsn = ++lsn});
      REQUIRE_MESSAGE(copy->ok(), copy->message());
      Operations::Set expected;
      for (const auto& [at, one] : by_lsn)
        if (at <= lsn) expected.insert(one);
      TestConnection connection(*copy);
      std::string problems;
      CHECK(Operations::verify(connection, expected, problems) == expected);
      CHECK(problems == "");
      copy.reset();
      fs::remove_all(temp / "copy");
    }
  }
}
