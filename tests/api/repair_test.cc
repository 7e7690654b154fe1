// Repairing a database whose files are damaged: nothing that can be read is lost, and nothing is there that was not.
//
// BRAID_REPAIRS=0: every page of rows.db, and every 512 bytes of the other files; else so many of each.
#include <doctest/doctest.h>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>

#include "api/repair.h"
#include "tests/support/database.h"
#include "tests/support/directory_copy.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr const char* kOptions = "tail_bytes_max=65536;graph_buffer_bytes=1048576;maintenance_interval_ms=0";
/// Nothing passes a bound, so that nothing is written in the background.
constexpr const char* kQuietOptions = "maintenance_interval_ms=0";
constexpr int kNumbers = 600;

const char* const kReads[] = {
    "SELECT * FROM item",
    "SELECT a, b, c FROM pair",
    "SELECT * FROM wide",
    "SELECT * FROM hosts",
    "SELECT id, labels, CASE WHEN labels LIKE '%Host%' THEN json_extract(properties, '$.name') ELSE properties END FROM graph_nodes",
    "SELECT id, src, type, dst, properties FROM graph_edges",
    "SELECT * FROM reading",
};

/// Rows of all models; of a table that is gone none.
using Model = std::vector<std::set<std::string>>;

Model model_of(TestDatabase& database) {
  TestConnection connection(database);
  Model model;
  for (const char* const sql : kReads) {
    std::set<std::string>& rows = model.emplace_back();
    braid_statement* statement = nullptr;
    if (braid_prepare(connection.get(), sql, BRAID_NUL_TERMINATED, &statement, nullptr) != BRAID_OK) continue;
    while (braid_statement_step(statement) == BRAID_ROW) {
      std::string row;
      for (int32_t i = 0; i < braid_column_count(statement); ++i) row += std::string(braid_column_text(statement, i, nullptr)) + "|";
      rows.insert(row);
    }
    braid_statement_close(statement);
  }
  return model;
}

void fill(TestConnection& connection, int from, int limit) {
  std::string sql = "BEGIN IMMEDIATE;";
  for (int i = from; i < limit; ++i)
    sql += fmt::format(
        "INSERT INTO item(note) VALUES('note {0}');"
        "INSERT INTO pair VALUES({0}, 'B{0}', {0}.5);"
        "INSERT INTO hosts VALUES('h{0}', {0});"
        "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Site\"]', '{{\"number\":{0},\"text\":\"site {0}\"}}');"
        "INSERT INTO graph_edges(src, type, dst, properties) SELECT graph_node('Site', 'number', {0}), 'NEXT', graph_node('Site', 'number', {1}), "
        "'{{\"number\":{0}}}';"
        "INSERT INTO reading VALUES({2}, 'a', {0}, {0}.25), ({3}, 'b', {0}, {0}.5);",
        i, std::max(1, i / 2), i * 1'000'000, i * 1'000'000 + 1);
  REQUIRE_MESSAGE(connection.run(sql + "COMMIT;") == BRAID_OK, connection.error());
}

/// All models with what tables may have, closed; the last commits are in the WAL alone where `unclean`.
Model make_database(const TempDir& temp, bool unclean) {
  const std::string path = temp / "made";
  {
    TestDatabase database(path, kOptions);
    TestConnection connection(database);
    REQUIRE_MESSAGE(connection.run("CREATE TABLE item(number INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT UNIQUE);"
                                   "CREATE TABLE pair(a INTEGER, b TEXT COLLATE NOCASE, c REAL, d AS (a + 1), PRIMARY KEY(b, a DESC)) WITHOUT ROWID;"
                                   "CREATE TABLE wide(data TEXT CHECK(length(data) > 10)); CREATE INDEX wide_length ON wide(length(data));"
                                   "CREATE VIEW notes AS SELECT note FROM item;"
                                   "CREATE TABLE hosts(name TEXT PRIMARY KEY, number INTEGER);"
                                   "CREATE TRIGGER no_bad BEFORE INSERT ON item WHEN new.note = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END;"
                                   "CREATE VIRTUAL TABLE reading USING hypertable(time TIMESTAMP, site TEXT TAG, number BIGINT, value DOUBLE, "
                                   "chunk_interval='2 minutes');"
                                   "SELECT graph_create_index('Site', 'number', 1); SELECT graph_bind('Host', 'hosts', 'name');") == BRAID_OK,
                    connection.error());
    fill(connection, 1, kNumbers / 2);
    REQUIRE(connection.run("ALTER TABLE item ADD COLUMN later TEXT DEFAULT 'added'; INSERT INTO graph_nodes(labels, properties) VALUES('[\"Gone\"]', '{}'); DELETE FROM graph_nodes WHERE id = (SELECT max(id) FROM graph_nodes); DELETE FROM item WHERE number = 7;"
                           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8) INSERT INTO wide SELECT hex(randomblob(900 * i)) FROM n") ==
            BRAID_OK);
  }
  Model model;
  {
    TestDatabase database(path, unclean ? kQuietOptions : kOptions);
    TestConnection connection(database);
    fill(connection, kNumbers / 2, kNumbers);
    model = model_of(database);
    // As a kill leaves it.
    if (unclean) copy_open_directory(path, temp / "db");
  }
  if (!unclean) std::filesystem::rename(path, temp / "db");
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  for (const auto& rows : model) REQUIRE_FALSE(rows.empty());
  return model;
}

struct Repaired {
  Repaired(const std::string& source, const std::string& destination) {
    const auto visit = [](void* context, const char* line) { *static_cast<std::string*>(context) += std::string(line) + "\n"; };
    braid_database* handle = nullptr;
    const int32_t code = braid_repair(source.c_str(), destination.c_str(), visit, &lost, &handle);
    database = std::make_unique<TestDatabase>(handle, code);
  }
  std::unique_ptr<TestDatabase> database;
  std::string lost;
};

void flip(const std::string& path, uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x5a));
}

/// LOCK as a killed process leaves it, in a copy.
void lock_as_left(const std::string& directory) {
  std::ofstream lock(directory + "/LOCK");
  struct stat status;
  REQUIRE(::stat((directory + "/LOCK").c_str(), &status) == 0);
  lock << "1\nfile " << status.st_ino << "\n";
}

size_t samples() {
  const char* const chosen = std::getenv("BRAID_REPAIRS");
  return chosen == nullptr ? 12 : static_cast<size_t>(std::atoi(chosen));
}

/// `count` places spread over `limit`, all of them when it is 0.
std::vector<uint64_t> places(uint64_t limit, size_t count) {
  std::vector<uint64_t> out;
  const uint64_t step = count == 0 ? 1 : std::max<uint64_t>(1, limit / count);
  for (uint64_t at = 0; at < limit; at += step) out.push_back(at);
  return out;
}

/// How many may be lost of each read.
struct Bounds {
  size_t rows = 0;
  size_t graph = 0;
  size_t points = 0;
};
constexpr size_t kAny = SIZE_MAX;

/// Repairs a damaged copy and compares: nothing may be there that was not.
void repair_and_compare(const TempDir& temp, const Model& model, const std::function<void(const std::string&)>& damage, const Bounds& bounds) {
  const TempDir work(memory_directory());
  std::filesystem::copy(temp / "db", work / "db", std::filesystem::copy_options::recursive);
  damage(work / "db");
  Repaired repaired(work / "db", work / "new");
  REQUIRE_MESSAGE(repaired.database->ok(), repaired.database->message() << "\n" << repaired.lost);
  CHECK(repaired.database->check() == "");
  const Model found = model_of(*repaired.database);
  for (size_t i = 0; i < model.size(); ++i) {
    CAPTURE(kReads[i]);
    // Names that are lost are others now.
    if (repaired.lost.find("catalog: the name") != std::string::npos && std::string(kReads[i]).find("graph_") != std::string::npos) continue;
    std::vector<std::string> invented, missing;
    std::set_difference(found[i].begin(), found[i].end(), model[i].begin(), model[i].end(), std::back_inserter(invented));
    std::set_difference(model[i].begin(), model[i].end(), found[i].begin(), found[i].end(), std::back_inserter(missing));
    // A deletion may be lost too, and is told then.
    if (repaired.lost.find("may be there again") != std::string::npos)
      std::erase_if(invented, [](const std::string& row) { return row.find("[\"Gone\"]") != std::string::npos; });
    CHECK_MESSAGE(invented.empty(), invented.size() << " invented, the first: " << invented.front() << "\n" << repaired.lost);
    const std::string read = kReads[i];
    const size_t bound = read.find("graph_") != std::string::npos ? bounds.graph : read.find("reading") != std::string::npos ? bounds.points : bounds.rows;
    CHECK_MESSAGE(missing.size() <= bound, missing.size() << " lost\n" << repaired.lost);
    if (!missing.empty()) CHECK(repaired.lost != "");
  }
  // It goes on.
  TestConnection connection(*repaired.database);
  CHECK_MESSAGE(connection.run("CREATE TABLE further(a); INSERT INTO further VALUES(1); INSERT INTO graph_nodes(labels, properties) VALUES('[\"New\"]', '{}')") ==
                    BRAID_OK,
                connection.error());
}

}  // namespace

TEST_CASE("the repair of a sound database loses nothing, after a kill neither") {
  for (const bool unclean : {false, true}) {
    CAPTURE(unclean);
    const TempDir temp(memory_directory());
    const Model model = make_database(temp, unclean);
    Repaired repaired(temp / "db", temp / "new");
    REQUIRE_MESSAGE(repaired.database->ok(), repaired.database->message());
    CHECK(repaired.lost == "");
    CHECK(model_of(*repaired.database) == model);
    CHECK(repaired.database->check() == "");
  }
}

// The families of a graph that was never flushed hold nothing, no marker either, which was taken for the loss of their markers.
TEST_CASE("the repair of a database without a checkpoint loses nothing, nor does that of one without a commit") {
  for (const char* const sql : {"", "CREATE TABLE item(number INTEGER PRIMARY KEY, note TEXT); INSERT INTO item VALUES(1, 'one');"
                                    "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Site\"]', '{}')"}) {
    CAPTURE(sql);
    const TempDir temp(memory_directory());
    Model model;
    {
      TestDatabase database(temp / "db", kOptions);
      REQUIRE(TestConnection(database).run(sql) == BRAID_OK);
      model = model_of(database);
      copy_open_directory(temp / "db", temp / "killed");
    }
    for (const char* const source : {"killed", "db"}) {
      CAPTURE(source);
      const Repaired repaired(temp / source, temp / (std::string(source) + "-new"));
      REQUIRE_MESSAGE(repaired.database->ok(), repaired.database->message());
      CHECK(repaired.lost == "");
      CHECK(model_of(*repaired.database) == model);
      CHECK(repaired.database->check() == "");
    }
  }
}

TEST_CASE("an empty graph whose log does not begin with the first commit was lost") {
  const TempDir temp(memory_directory());
  make_database(temp, false);
  {
    const TempDir fresh(memory_directory());
    TestDatabase(fresh / "db", kOptions).close();
    std::filesystem::remove_all(temp / "db/graph");
    std::filesystem::copy(fresh / "db/graph", temp / "db/graph", std::filesystem::copy_options::recursive);
  }
  const Repaired repaired(temp / "db", temp / "new");
  REQUIRE_MESSAGE(repaired.database->ok(), repaired.database->message());
  CHECK(repaired.lost.find("graph: the marker of node is lost") != std::string::npos);
}

TEST_CASE("a damaged page of rows costs the rows in it") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  const uint64_t pages = std::filesystem::file_size(temp / "db/rows.db") / 4096;
  for (const uint64_t page : places(pages, samples())) {
    CAPTURE(page);
    // Where the schema or the catalog is hit, whole tables may go, and are told.
    const bool own = page < 9;
    repair_and_compare(temp, model, [&](const std::string& db) { flip(db + "/rows.db", page * 4096 + 2000); }, own ? Bounds{kAny, kAny, kAny} : Bounds{.rows = 250, .points = kAny});
  }
}

TEST_CASE("what lies below a damaged page of a tree's inside is found") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  std::ifstream in(temp / "db/rows.db", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  int inside = 0;
  for (uint64_t page = 9; page < bytes.size() / 4096; ++page) {
    if (bytes[page * 4096] != 5) continue;  // an inner page of a table
    CAPTURE(page);
    ++inside;
    repair_and_compare(temp, model, [&](const std::string& db) { flip(db + "/rows.db", page * 4096 + 2000); }, {});
  }
  CHECK(inside > 0);
}

// Its last commit was lost without a word, as was a WAL of which nothing is left; whether the test met either hung on work in the background.
TEST_CASE("damage of the WAL costs the commits from there on") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, true);
  const uint64_t size = std::filesystem::file_size(temp / "db/rows.db-wal");
  std::vector<uint64_t> all = places(size, 6);
  all.push_back(size - 1);
  for (const uint64_t at : all) {
    CAPTURE(at);
    repair_and_compare(temp, model, [&](const std::string& db) { flip(db + "/rows.db-wal", at); }, {kAny, kAny, kAny});
  }
  repair_and_compare(temp, model, [&](const std::string& db) { std::filesystem::remove(db + "/rows.db-wal"); }, {kAny, kAny, kAny});
  std::filesystem::remove(temp / "db/rows.db-wal");
  lock_as_left(temp / "db");
  for (const char* const options : {"", "read_only=1"}) {
    const TestDatabase gone(temp / "db", options);
    CHECK(gone.code() == BRAID_CORRUPT);
    CHECK(gone.message().find("rows.db-wal is missing, and the database was not closed") != std::string::npos);
  }
}

TEST_CASE("a database that was closed is opened without its WAL, and a kill of that opening is no loss") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  std::filesystem::remove(temp / "db/rows.db-wal");
  {
    TestDatabase database(temp / "db", kQuietOptions);
    CHECK(model_of(database) == model);
    copy_open_directory(temp / "db", temp / "killed");
    lock_as_left(temp / "killed");
  }
  TestDatabase again(temp / "killed", kOptions);
  CHECK(again.message() == "");
  CHECK(model_of(again) == model);
}

TEST_CASE("damage of the graph costs what is in the damaged blocks, and no rows or points") {
  const TempDir temp(memory_directory());
  for (const bool unclean : {false, true}) {
    CAPTURE(unclean);
    std::filesystem::remove_all(temp / "db");
    const Model model = make_database(temp, unclean);
    std::vector<std::pair<std::string, uint64_t>> all;
    for (const auto& entry : std::filesystem::directory_iterator(temp / "db/graph"))
      if (const std::string name = entry.path().filename(); name.ends_with(".sst") || name.starts_with("MANIFEST"))
        for (const uint64_t at : places(entry.file_size() / 512, samples() / 4)) all.emplace_back("/graph/" + name, at * 512 + 40);
    for (const auto& place : all) {
      const auto& name = place.first;
      const uint64_t at = place.second;
      CAPTURE(name);
      CAPTURE(at);
      const auto damage = [&, file = name, offset = at](const std::string& db) {
        if (offset < std::filesystem::file_size(db + file)) flip(db + file, offset);
      };
      repair_and_compare(temp, model, damage, {.graph = kAny});
    }
    repair_and_compare(temp, model, [](const std::string& db) { std::filesystem::remove(db + "/graph/CURRENT"); }, {});
    repair_and_compare(temp, model, [](const std::string& db) { std::filesystem::remove_all(db + "/graph"); }, {.graph = kAny});
  }
}

/// Copies a directory, as a kill would leave it, when an operation of a kind first reaches a file that is named so.
class CopyAt final : public FileHook {
 public:
  CopyAt(std::string from, std::string to, FileOperation operation, std::string name)
      : from_(std::move(from)), to_(std::move(to)), operation_(operation), name_(std::move(name)) {}
  FileAnswer before(const FileRequest& request) noexcept override {
    const std::lock_guard lock(mutex_);
    if (done_ || request.operation != operation_ || !request.path.starts_with(from_) || !request.path.ends_with(name_) ||
        !std::filesystem::exists(from_ + "/FORMAT"))
      return {};
    done_ = true;
    std::error_code failed;
    copy_without_sockets(from_, to_, failed);
    copied_ = !failed;
    return {};
  }
  bool copied() const { return copied_; }

 private:
  const std::string from_, to_;
  const FileOperation operation_;
  const std::string name_;
  std::mutex mutex_;
  bool done_ = false, copied_ = false;
};

TEST_CASE("what was not checked to its end is opened by nobody, and made again") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  CopyAt repairing(temp / "new", temp / "killed", FileOperation::kOpen, "rows.db-wal");
  const auto lost = [](std::string_view) {};
  REQUIRE(repair(temp / "db", temp / "new", lost, &repairing).ok());
  REQUIRE(repairing.copied());
  {
    TestDatabase database(temp / "db", kOptions);
    REQUIRE(braid_backup(database.get(), (temp / "backup").c_str(), nullptr, nullptr, nullptr, nullptr) == BRAID_OK);
  }
  CopyAt restoring(temp / "copy", temp / "unchecked", FileOperation::kOpen, "rows.db-wal");
  REQUIRE(Database::restore(temp / "backup", temp / "copy", {}, kOptions, {}, &restoring).ok());
  REQUIRE(restoring.copied());
  for (const char* const name : {"killed", "unchecked"}) {
    const TestDatabase refused(temp / name, kOptions);
    CAPTURE(refused.message());
    CHECK(refused.code() == BRAID_INVALID_ARGUMENT);
    CHECK(refused.message().find("not finished") != std::string::npos);
    const TestDatabase read(temp / name, "read_only=1");
    CHECK(read.code() == BRAID_INVALID_ARGUMENT);
  }
  const Repaired again(temp / "db", temp / "killed");
  CHECK(again.lost == "");
  CHECK(model_of(*again.database) == model);
  CHECK(TestDatabase(temp / "new", kOptions).ok());
  CHECK(TestDatabase(temp / "copy", kOptions).ok());
}

TEST_CASE("a MANIFEST that is damaged before what the log can bring back is refused, and no table is removed") {
  const TempDir temp(memory_directory());
  Model model;
  {
    TestDatabase database(temp / "db", kOptions);
    TestConnection connection(database);
    for (int i = 0; i < 3; ++i) {  // so few tables are not merged: every earlier state has its files
      const std::string sql = fmt::format("INSERT INTO graph_nodes(labels, properties) VALUES('[\"N\"]', '{{\"n\":{}}}');", i);
      REQUIRE(connection.run(sql) == BRAID_OK);
      REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    }
    model = model_of(database);
  }
  std::filesystem::path manifest;
  std::set<std::string> tables;
  for (const auto& entry : std::filesystem::directory_iterator(temp / "db/graph")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) manifest = entry.path();
    if (entry.path().extension() == ".sst") tables.insert(entry.path());
  }
  REQUIRE(tables.size() > 1);
  bool refused = false;
  for (const uint64_t at : places(std::filesystem::file_size(manifest), 12)) {
    CAPTURE(at);
    std::filesystem::remove_all(temp / "damaged");
    std::filesystem::remove_all(temp / "new");
    std::filesystem::copy(temp / "db", temp / "damaged", std::filesystem::copy_options::recursive);
    flip(temp / "damaged/graph" / manifest.filename(), at);
    {
      TestDatabase damaged(temp / "damaged", kOptions);
      if (damaged.ok()) continue;
      CHECK(damaged.code() == BRAID_CORRUPT);
      refused |= damaged.message().find("before that the graph was at commit") != std::string::npos;
    }
    for (const std::string& table : tables) CHECK(std::filesystem::exists(temp / "damaged/graph" / std::filesystem::path(table).filename()));
    const Repaired repaired(temp / "damaged", temp / "new");
    REQUIRE_MESSAGE(repaired.database->ok(), repaired.database->message() << "\n" << repaired.lost);
    CHECK(model_of(*repaired.database) == model);
  }
  CHECK(refused);
}

TEST_CASE("a table of the graph that cannot be opened is named") {
  TempDir temp;
  make_database(temp, false);
  std::filesystem::path largest;
  uint64_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(temp / "db/graph")) {
    if (entry.path().extension() != ".sst" || entry.file_size() <= size) continue;
    largest = entry.path();
    size = entry.file_size();
  }
  REQUIRE(size > 100);
  flip(largest, size - 4);  // of the number that says what the file is
  const Repaired repaired(temp / "db", temp / "new");
  CAPTURE(repaired.lost);
  CHECK(repaired.database->ok());
  CHECK(repaired.lost.find("table " + largest.filename().string()) != std::string::npos);
}

TEST_CASE("damage of a chunk costs its damaged blocks") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  for (const auto& entry : std::filesystem::directory_iterator(temp / "db/chunks")) {
    const std::string name = "/chunks/" + entry.path().filename().string();
    CAPTURE(name);
    for (const uint64_t at : places(entry.file_size(), samples() / 3))
      repair_and_compare(temp, model, [&](const std::string& db) { flip(db + name, at); }, {.points = kNumbers});
    repair_and_compare(temp, model, [&](const std::string& db) { std::filesystem::remove(db + name); }, {.points = kNumbers});
  }
}

TEST_CASE("files that are gone cost what was in them") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  repair_and_compare(temp, model, [](const std::string& db) { std::filesystem::remove(db + "/FORMAT"); }, {});
  repair_and_compare(temp, model, [](const std::string& db) { std::filesystem::remove_all(db + "/chunks"); }, {.points = kAny});
  repair_and_compare(temp, model, [](const std::string& db) { std::filesystem::resize_file(db + "/rows.db", 50 * 4096 + 17); }, {kAny, kAny, kAny});
  repair_and_compare(temp, model, [](const std::string& db) { std::filesystem::remove(db + "/rows.db"); }, {kAny, kAny, kAny});
}

TEST_CASE("of a rows.db that was cut every table that has lost rows is named") {
  const TempDir temp(memory_directory());
  const Model model = make_database(temp, false);
  const uint64_t pages = std::filesystem::file_size(temp / "db/rows.db") / 4096;
  int named = 0;
  for (const uint64_t kept : {pages - 1, pages * 3 / 4, pages / 2, uint64_t{12}}) {
    CAPTURE(kept);
    const TempDir work(memory_directory());
    std::filesystem::copy(temp / "db", work / "db", std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(work / "db/rows.db", kept * 4096);
    Repaired repaired(work / "db", work / "new");
    REQUIRE_MESSAGE(repaired.database->ok(), repaired.database->message() << "\n" << repaired.lost);
    CAPTURE(repaired.lost);
    CHECK(repaired.lost.find(fmt::format("it was cut: {} of {} pages", pages - kept, pages)) != std::string::npos);
    CHECK(repaired.database->check() == "");
    if (repaired.lost.find("part of the schema") != std::string::npos) continue;
    const Model found = model_of(*repaired.database);
    const char* const tables[] = {"item", "pair", "wide", "hosts"};
    for (size_t i = 0; i < std::size(tables); ++i) {
      if (found[i] == model[i]) continue;
      CHECK(repaired.lost.find(fmt::format("table \"{}\"", tables[i])) != std::string::npos);
      ++named;
    }
  }
  CHECK(named > 0);
}

TEST_CASE("a repair leaves its source as it is, without a LOCK if it has none") {
  const TempDir temp(memory_directory());
  make_database(temp, false);
  std::filesystem::remove(temp / "db/LOCK");
  std::set<std::string> before, after;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(temp / "db")) before.insert(entry.path());
  CHECK(Repaired(temp / "db", temp / "new").database->ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(temp / "db")) after.insert(entry.path());
  CHECK(before == after);
}

TEST_CASE("a repair refuses what it cannot work on") {
  const TempDir temp(memory_directory());
  make_database(temp, false);
  CHECK(Repaired(temp / "absent", temp / "new").database->code() == BRAID_NOT_FOUND);
  CHECK(Repaired(temp / "db", temp / "db/inside").database->code() == BRAID_INVALID_ARGUMENT);
  TestDatabase held(temp / "db", kOptions);
  CHECK(Repaired(temp / "db", temp / "new").database->code() == BRAID_BUSY);
  CHECK_FALSE(std::filesystem::exists(temp / "new"));
}
