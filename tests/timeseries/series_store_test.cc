#include "timeseries/series_store.h"

#include <doctest/doctest.h>

#include <bit>
#include <filesystem>
#include <cmath>
#include <fstream>
#include <map>
#include <random>

#include "tests/timeseries/series_harness.h"
#include "timeseries/chunk_format.h"
#include "timeseries/chunk_writer.h"

namespace braid {
namespace {

size_t chunk_files(const SeriesHarness& harness) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(harness.chunks_path())) {
    if (entry.path().extension() == ".chunk") ++count;
  }
  return count;
}

/// Fails every file operation of one kind while it is told to.
class FailingHook final : public FileHook {
 public:
  FileAnswer before(const FileRequest& request) noexcept override {
    return {.error = failing && request.operation == kind ? 28 : 0};
  }
  bool failing = false;
  FileOperation kind = FileOperation::kSync;
};

TEST_CASE("points survive a reopen by replay") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "b", 5, 1.5);
  harness.add(table, "a", 4, 2.5);
  harness.add(table, "b", 3, 3.5);
  const auto before = harness.points(table);
  REQUIRE(before.size() == 3);
  harness.reopen();
  CHECK(harness.points(table) == before);
}

TEST_CASE("a sealed tail reads the same, also after a reopen") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  {
    auto transaction = harness.begin();
    for (int64_t time = -2500; time < 2500; ++time)
      harness.add(*transaction, table, "a", time, 0.25 * double(time));
    for (int64_t time = 10; time < 30; ++time) harness.add(*transaction, table, "b", time, 7);
    harness.commit(*transaction);
  }
  const auto before = harness.points(table);
  REQUIRE(before.size() == 5020);
  REQUIRE(harness.checkpoint());
  CHECK(harness.figure("tail_rows") == 0);
  CHECK(harness.figure("tail_bytes") == 0);
  CHECK(harness.figure("chunk_files") == 6);
  CHECK(harness.figure("rows_sealed") == 5020);
  CHECK(harness.points(table) == before);
  CHECK(harness.problems().empty());
  CHECK(harness.store().durable_marker() == Lsn(harness.lsn().value() - 1));
  harness.reopen();
  CHECK(harness.points(table) == before);
  CHECK(harness.problems().empty());
}

TEST_CASE("late and replaced points win over sealed ones, and stay after they are sealed too") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  for (int64_t time = 0; time < 40; time += 2) harness.add(table, "a", time, 1);
  REQUIRE(harness.checkpoint());
  harness.add(table, "a", 10, 2);
  harness.add(table, "a", 11, 3);
  const auto check = [&] {
    const auto points = harness.points(table);
    REQUIRE(points.size() == 21);
    CHECK(points[5].fields[0] == "2.000000");
    CHECK(points[6].time == 11);
    CHECK(points[7].fields[0] == "1.000000");
  };
  check();
  REQUIRE(harness.checkpoint());
  CHECK(harness.figure("chunk_files") == 2);
  check();
  harness.reopen();
  check();
}

TEST_CASE("an older view reads on while its tail is sealed and newer points arrive") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  const auto old_view = harness.view();
  harness.add(table, "a", 2, 2);
  REQUIRE(harness.checkpoint());
  harness.add(table, "a", 1, 9);
  SeriesScan scan(old_view, nullptr, table, {});
  const auto points = read_all(scan, table);
  REQUIRE(points.size() == 1);
  CHECK(points[0].fields[0] == "1.000000");
}

TEST_CASE("a small tail is logged again, and points logged meanwhile win over it at replay") {
  SeriesHarness harness({.relog_rows_max = 100});
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  harness.add(table, "a", 2, 1);
  harness.begin_checkpoint();
  harness.add(table, "a", 2, 2);
  REQUIRE(harness.finish_checkpoint());
  CHECK(harness.figure("chunk_files") == 0);
  const auto before = harness.points(table);
  REQUIRE(before.size() == 2);
  CHECK(before[1].fields[0] == "2.000000");
  harness.reopen();
  CHECK(harness.points(table) == before);
  harness.add(table, "a", 3, 3);
  REQUIRE(harness.checkpoint());
  harness.reopen();
  CHECK(harness.points(table).size() == 3);
  CHECK(harness.points(table)[1].fields[0] == "2.000000");
}

TEST_CASE("a checkpoint that is given up leaves no file and loses no point") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  harness.add(table, "a", 5001, 1);
  const auto before = harness.points(table);
  REQUIRE(harness.checkpoint(false));
  CHECK(chunk_files(harness) == 0);
  CHECK(harness.points(table) == before);
  harness.add(table, "a", 2, 1);
  REQUIRE(harness.checkpoint());
  CHECK(chunk_files(harness) == 2);
  CHECK(harness.points(table).size() == 3);
}

TEST_CASE(
    "a failed file operation during a seal leaves the points unsealed and removes the files") {
  for (const FileOperation kind : {FileOperation::kOpen, FileOperation::kWrite,
                                   FileOperation::kSync, FileOperation::kSyncDirectory}) {
    FailingHook hook;
    SeriesHarness harness({.relog_rows_max = 0}, &hook);
    const auto table = harness.create_table();
    harness.add(table, "a", 1, 1);
    harness.add(table, "a", 5001, 1);
    hook.kind = kind;
    hook.failing = true;
    CHECK_FALSE(harness.checkpoint());
    hook.failing = false;
    CHECK(chunk_files(harness) == 0);
    CHECK(harness.points(table).size() == 2);
    CHECK(harness.checkpoint());
    CHECK(harness.points(table).size() == 2);
  }
}

TEST_CASE("dropped chunks hide their points at once, and their files go with the last view") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  for (int64_t time = 0; time < 3000; time += 100) harness.add(table, "a", time, 1);
  REQUIRE(harness.checkpoint());
  harness.add(table, "a", 50, 1);
  harness.add(table, "a", 2050, 1);
  REQUIRE(chunk_files(harness) == 3);
  auto old_view = harness.view();
  {
    auto transaction = harness.begin();
    const auto dropped = transaction->writer().drop_chunks(table, Timestamp(2500));
    REQUIRE(dropped.ok());
    CHECK(*dropped == 2);
    SeriesScan own(transaction->writer().base(), transaction->writer().overlay(), table, {});
    CHECK(read_all(own, table).size() == 11);
    harness.commit(*transaction);
  }
  CHECK(harness.points(table).size() == 11);
  CHECK(harness.points(table).front().time == 2000);
  CHECK(chunk_files(harness) == 3);
  SeriesScan old_scan(old_view, nullptr, table, {});
  CHECK(read_all(old_scan, table).size() == 32);
  { SeriesScan released = std::move(old_scan); }
  old_view.reset();
  CHECK(chunk_files(harness) == 1);
  harness.add(table, "a", 60, 4);
  CHECK(harness.points(table).size() == 12);
  harness.reopen();
  CHECK(harness.points(table).size() == 12);
  REQUIRE(harness.checkpoint());
  CHECK(harness.points(table).size() == 12);
}

TEST_CASE("what is dropped while its chunk is being written stays dropped") {
  for (const bool whole_table : {false, true}) {
    SeriesHarness harness;
    const auto table = harness.create_table();
    harness.add(table, "a", 1, 1);
    harness.add(table, "a", 5001, 1);
    harness.begin_checkpoint();
    {
      auto transaction = harness.begin();
      if (whole_table) {
        REQUIRE(transaction->writer().drop_hypertable(table).ok());
        transaction->catalog.remove_hypertable(table.id);
      } else {
        REQUIRE(transaction->writer().drop_chunks(table, Timestamp(1000)).ok());
      }
      harness.commit(*transaction);
    }
    REQUIRE(harness.finish_checkpoint());
    CHECK(harness.points(table).size() == (whole_table ? 0 : 1));
    CHECK(chunk_files(harness) == (whole_table ? 0 : 1));
    harness.reopen();
    CHECK(harness.points(table).size() == (whole_table ? 0 : 1));
    CHECK(harness.problems().empty());
  }
}

TEST_CASE("stray files of this database are deleted at open, all others are put aside") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  REQUIRE(harness.checkpoint());
  const auto write = [&](uint64_t id, const DatabaseIdentity& identity) {
    const ChunkHeader header{identity.uuid, identity.epoch, ChunkId(id), table.id};
    auto writer = ChunkWriter::create(
        harness.env(), harness.chunks_path() + "/" + chunk_file_name(ChunkId(id)), header, {});
    REQUIRE(writer.ok());
    REQUIRE((*writer)->finish().ok());
  };
  write(50, kTestIdentity);
  write(51, {"ffffffff-89ab-cdef-0123-456789abcdef", 7});
  write(52, {kTestIdentity.uuid, 8});
  std::ofstream(harness.chunks_path() + "/notes.txt") << "mine";
  std::ofstream(harness.chunks_path() + "/" + chunk_file_name(ChunkId(53))) << "not a chunk";
  harness.reopen();
  CHECK(chunk_files(harness) == 1);
  const std::string aside = harness.chunks_path() + "/quarantine/";
  CHECK_FALSE(harness.env().exists(aside + chunk_file_name(ChunkId(50))));
  CHECK(harness.env().exists(aside + chunk_file_name(ChunkId(51))));
  CHECK(harness.env().exists(aside + chunk_file_name(ChunkId(52))));
  CHECK(harness.env().exists(aside + chunk_file_name(ChunkId(53))));
  CHECK(harness.env().exists(aside + "notes.txt"));
  harness.add(table, "a", 2, 1);
  REQUIRE(harness.checkpoint());
  CHECK(harness.state().chunks.rbegin()->first.value() > 53);
}

TEST_CASE("a missing chunk file is named by check and by a scan") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  REQUIRE(harness.checkpoint());
  const std::string name = chunk_file_name(harness.state().chunks.begin()->first);
  REQUIRE(std::filesystem::remove(harness.chunks_path() + "/" + name));
  harness.reopen();
  REQUIRE(harness.problems().size() == 1);
  CHECK(harness.problems()[0].find(name) != std::string::npos);
  SeriesScan scan = harness.scan(table);
  const auto more = scan.next();
  CHECK(more.status().code() == StatusCode::kCorrupt);
  CHECK(more.status().message().find(name) != std::string::npos);
}

TEST_CASE("commits are refused while the tail is over its limit") {
  SeriesHarness harness({.tail_bytes_max = 1, .tail_bytes_limit = 1000, .relog_rows_max = 0});
  const auto table = harness.create_table();
  CHECK(harness.store().admit().ok());
  CHECK_FALSE(tail_is_full(harness.store()));
  harness.add(table, "a", 1, 1);
  CHECK(tail_is_full(harness.store()));
  CHECK(tail_bytes(harness.store()) > 0);
  for (int64_t time = 0; time < 100; ++time) harness.add(table, "a", time, 1);
  CHECK(harness.store().admit().code() == StatusCode::kLimit);
  REQUIRE(harness.checkpoint());
  CHECK(harness.store().admit().ok());
}

// The model: for each host, its points by time. Every operation is done to both.
using Model = std::map<std::string, std::map<int64_t, double>>;
constexpr double kNull = -1;  // in the model only

class RandomRun {
 public:
  RandomRun(uint64_t seed, ConflictPolicy policy)
      : random_(seed), policy_(policy), harness_({.relog_rows_max = seed % 3 * 20}) {
    table_ = harness_.create_table(policy);
  }

  void step() {
    switch (random_() % 13) {
      case 12: {
        const auto meanwhile = [this] {
          if (random_() % 2 == 0) transaction();
          if (random_() % 3 == 0) harness_.checkpoint();
        };
        const auto whole = random_() % 3 == 0 ? std::nullopt : std::optional(table_.id);
        harness_.compact(whole, random_() % 4 != 0, meanwhile);
        break;
      }
      case 0:
        harness_.checkpoint(random_() % 3 != 0);
        break;
      case 1:
        harness_.reopen();
        break;
      case 2: {  // a checkpoint with a transaction in its midst
        harness_.begin_checkpoint();
        transaction();
        harness_.finish_checkpoint(random_() % 3 != 0);
        break;
      }
      default:
        transaction();
    }
    compare();
  }

 private:
  int64_t any_time() { return static_cast<int64_t>(random_() % 6000) - 3000; }

  void remove_range(SeriesHarness::Transaction& transaction, Model& model) {
    const int64_t start = any_time();
    const int64_t limit = start + static_cast<int64_t>(random_() % 900);
    std::vector<SeriesId> series;
    const bool all = random_() % 2 == 0;
    for (auto& [host, points] : model) {
      if (!all && random_() % 2 == 0) continue;
      if (!all) series.push_back(*transaction.writer().series(table_, {host}));
      points.erase(points.lower_bound(start), points.lower_bound(limit));
    }
    if (!all && series.empty()) return;
    std::sort(series.begin(), series.end());
    REQUIRE(transaction.writer().remove_range(table_, {Timestamp(start), Timestamp(limit)}, series).ok());
  }

  void remove_points(SeriesHarness::Transaction& transaction, Model& model) {
    for (auto& [host, kept] : model) {
      auto& points = kept;  // clang 14 captures no structured binding
      const SeriesId series = *transaction.writer().series(table_, {host});
      const auto remove = [&](int64_t time) {
        const auto removed = transaction.writer().remove(table_, series, Timestamp(time));
        REQUIRE(removed.ok());
        CHECK(*removed == (points.erase(time) > 0));
      };
      remove(any_time());
      const auto known = points.lower_bound(any_time());
      if (known != points.end()) remove(known->first);
    }
  }

  void merge(SeriesHarness::Transaction& transaction, Model& model, const std::string& host, int64_t time) {
    const SeriesId series = *transaction.writer().series(table_, {host});
    const bool keeps = random_() % 2 == 0;
    const double value = static_cast<double>(random_() % 1000);
    const FieldValue fields[] = {keeps ? FieldValue{} : real_value(value), {}, text_value("merged")};
    const auto outcome = transaction.writer().append(table_, series, Timestamp(time), fields, ConflictPolicy::kMerge);
    REQUIRE(outcome.ok());
    const auto known = model[host].find(time);
    CHECK(*outcome == (known == model[host].end() ? AppendOutcome::kAdded : AppendOutcome::kMerged));
    if (!keeps) model[host][time] = value;
    if (keeps && known == model[host].end()) model[host][time] = kNull;
  }

  void write(SeriesHarness::Transaction& transaction, Model& model) {
    if (random_() % 30 == 0) return remove_range(transaction, model);
    if (random_() % 10 == 0) return remove_points(transaction, model);
    if (random_() % 40 == 0) {
      const auto older_than = static_cast<int64_t>(random_() % 6000) - 3000;
      REQUIRE(transaction.writer().drop_chunks(table_, Timestamp(older_than)).ok());
      int64_t limit = older_than - ((older_than % kTestInterval) + kTestInterval) % kTestInterval;
      for (auto& [host, points] : model) points.erase(points.begin(), points.lower_bound(limit));
      return;
    }
    const std::string host(1, static_cast<char>('a' + random_() % 4));
    const int64_t time =
        random_() % 4 != 0 ? next_time_ += 7 : static_cast<int64_t>(random_() % 6000) - 3000;
    if (next_time_ > 3000) next_time_ = -3000;
    if (random_() % 8 == 0) return merge(transaction, model, host, time);
    const auto value = static_cast<double>(random_() % 1000);
    const bool exists = model[host].contains(time);
    const AppendOutcome outcome = harness_.add(transaction, table_, host, time, value);
    if (!exists)
      CHECK(outcome == AppendOutcome::kAdded);
    else
      CHECK(outcome == (policy_ == ConflictPolicy::kIgnore ? AppendOutcome::kIgnored
                                                           : AppendOutcome::kReplaced));
    if (!exists || policy_ == ConflictPolicy::kReplace) model[host][time] = value;
  }

  void transaction() {
    auto transaction = harness_.begin();
    Model changed = model_;
    struct Mark {
      uint64_t store;
      uint64_t catalog;
      Model model;
    };
    std::vector<Mark> marks;
    const size_t steps = random_() % 60;
    for (size_t i = 0; i < steps; ++i) {
      if (random_() % 8 == 0)
        marks.push_back({transaction->writer().mark(), transaction->catalog.mark(), changed});
      if (random_() % 12 == 0 && !marks.empty()) {
        transaction->writer().rollback_to(marks.back().store);
        transaction->catalog.rollback_to(marks.back().catalog);
        changed = marks.back().model;
        marks.pop_back();
      }
      write(*transaction, changed);
    }
    SeriesScan own(transaction->writer().base(), transaction->writer().overlay(), table_, {});
    compare(read_all(own, table_), changed, *transaction);
    if (random_() % 6 == 0) return;
    harness_.commit(*transaction);
    model_ = std::move(changed);
  }

  void compare(const std::vector<SeenPoint>& points, const Model& model,
               SeriesHarness::Transaction& transaction) {
    std::map<uint64_t, std::map<int64_t, double>> expected;
    for (const auto& [host, of_host] : model) {
      if (!of_host.empty())
        expected[transaction.writer().series(table_, {host})->value()] = of_host;
    }
    std::vector<std::pair<uint64_t, std::pair<int64_t, std::string>>> want;
    for (const auto& [series, of_series] : expected) {
      for (const auto& [time, value] : of_series)
        want.push_back({series, {time, value == kNull ? "null" : std::to_string(value)}});
    }
    REQUIRE(points.size() == want.size());
    for (size_t i = 0; i < points.size(); ++i) {
      REQUIRE(points[i].series == want[i].first);
      REQUIRE(points[i].time == want[i].second.first);
      REQUIRE(points[i].fields[0] == want[i].second.second);
    }
  }

  void compare() {
    auto transaction = harness_.begin();
    compare(harness_.points(table_), model_, *transaction);
    SeriesScanOptions options;
    options.range = {Timestamp(-1500), Timestamp(1234)};
    auto ascending = harness_.points(table_, options);
    options.descending = true;
    auto descending = harness_.points(table_, options);
    std::stable_sort(descending.begin(), descending.end(),
                     [](const SeenPoint& a, const SeenPoint& b) {
                       return std::pair(a.series, a.time) < std::pair(b.series, b.time);
                     });
    REQUIRE(ascending == descending);
    size_t in_range = 0;
    for (const auto& [host, points] : model_) {
      in_range +=
          static_cast<size_t>(std::distance(points.lower_bound(-1500), points.lower_bound(1234)));
    }
    REQUIRE(ascending.size() == in_range);
    REQUIRE(harness_.problems().empty());
  }

  std::mt19937_64 random_;
  const ConflictPolicy policy_;
  SeriesHarness harness_;
  HypertableDefinition table_;
  Model model_;
  int64_t next_time_ = -3000;
};

TEST_CASE("a compaction leaves one chunk of each interval, without what was deleted") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  for (int round = 0; round < 3; ++round) {
    auto transaction = harness.begin();
    for (int64_t time = round; time < 3000; time += 2) harness.add(*transaction, table, "a", time, round);
    for (int64_t time = 0; time < 3000; time += 100) {
      if (round > 0) REQUIRE(transaction->writer().remove(table, *transaction->writer().series(table, {"a"}), Timestamp(time)).ok());
    }
    harness.commit(*transaction);
    REQUIRE(harness.checkpoint());
  }
  {
    auto transaction = harness.begin();
    REQUIRE(transaction->writer().remove_range(table, {Timestamp(500), Timestamp(700)}, {}).ok());
    harness.commit(*transaction);
  }
  REQUIRE(harness.figure("chunk_files") == 9);
  REQUIRE(harness.state().deletions.size() == 1);
  const auto before = harness.points(table);
  const auto old_view = harness.view();
  CHECK(harness.compact(table.id) == 3);
  CHECK(harness.points(table) == before);
  CHECK(harness.figure("chunk_files") == 3);
  CHECK(chunk_files(harness) == 12);
  SeriesScan old_scan(old_view, nullptr, table, {});
  CHECK(read_all(old_scan, table) == before);
  uint64_t rows = 0;
  for (const auto& [id, chunk] : harness.state().chunks) {
    rows += chunk.rows;
    CHECK(chunk.deleted_rows == 0);
  }
  CHECK(rows == before.size());
  CHECK(harness.compact(table.id) == 0);
  harness.add(table, "a", 1, 1);
  REQUIRE(harness.checkpoint());
  CHECK(harness.state().deletions.empty());
  CHECK(harness.problems().empty());
  harness.reopen();
  CHECK(harness.points(table) == before);
}

TEST_CASE("a range deleted while chunks are sealed or merged hides their points") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  const auto remove = [&](int64_t start, int64_t limit) {
    auto transaction = harness.begin();
    REQUIRE(transaction->writer().remove_range(table, {Timestamp(start), Timestamp(limit)}, {}).ok());
    harness.commit(*transaction);
  };
  for (int64_t time = 0; time < 100; ++time) harness.add(table, "a", time, 1);
  harness.begin_checkpoint();
  remove(0, 10);
  harness.add(table, "a", 5, 2);
  REQUIRE(harness.finish_checkpoint());
  CHECK(harness.points(table).size() == 91);
  REQUIRE(harness.checkpoint());
  CHECK(harness.points(table).size() == 91);
  int64_t next = 20;
  const auto remove_once = [&] {
    if (next == 20) remove(next, next + 10);
    next = 0;
  };
  CHECK(harness.compact(table.id, true, remove_once) == 2);
  CHECK(harness.points(table).size() == 81);
  harness.reopen();
  CHECK(harness.points(table).size() == 81);
  CHECK(harness.points(table)[0].time == 5);
}

TEST_CASE("a compaction whose chunks are dropped meanwhile is given up") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  for (int round = 0; round < 2; ++round) {
    harness.add(table, "a", round, 1);
    REQUIRE(harness.checkpoint());
  }
  const auto drop = [&] {
    auto transaction = harness.begin();
    REQUIRE(*transaction->writer().drop_chunks(table, Timestamp(5000)) == 2);
    harness.commit(*transaction);
  };
  CHECK(harness.compact(table.id, true, drop) == 0);
  CHECK(harness.points(table).empty());
  CHECK(chunk_files(harness) == 0);
}

TEST_CASE("small chunks are merged by themselves, large ones stay as they are") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  {
    auto transaction = harness.begin();
    std::mt19937_64 random(1);
    for (int64_t time = 0; time < 1000; ++time)
      harness.add(*transaction, table, "a", time, std::bit_cast<double>(random() >> 2));
    harness.commit(*transaction);
  }
  REQUIRE(harness.checkpoint());
  const ChunkId large = harness.state().chunks.begin()->first;
  for (int64_t time = 0; time < 4; ++time) {
    CHECK(harness.compact(std::nullopt) == 0);
    harness.add(table, "a", time, 5);
    REQUIRE(harness.checkpoint());
  }
  const auto before = harness.points(table);
  CHECK(harness.compact(std::nullopt) == 1);
  CHECK(harness.state().chunks.size() == 2);
  CHECK(harness.state().chunks.contains(large));
  CHECK(harness.points(table) == before);
}

TEST_CASE("random operations leave the same points as a map") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    RandomRun run(seed, seed % 2 == 0 ? ConflictPolicy::kIgnore : ConflictPolicy::kReplace);
    for (int i = 0; i < 80; ++i) run.step();
  }
}

}  // namespace

// A tail of few rows that took more memory than a checkpoint waits for was logged again by every checkpoint, and each commit asked for one.
TEST_CASE("a tail of few rows is sealed where it takes much of the memory, and logged again where it does not") {
  for (const uint64_t tail_bytes_max : {uint64_t{1} << 26, uint64_t{1} << 14}) {
    SeriesHarness harness({.tail_bytes_max = tail_bytes_max, .relog_rows_max = 100});
    const auto table = harness.create_table();
    for (int64_t time = 0; time < 60; ++time) harness.add(table, "a", time, 1);
    const auto points = harness.points(table);
    REQUIRE(harness.checkpoint());
    CHECK(harness.figure("tail_rows") == (tail_bytes_max > (uint64_t{1} << 20) ? 60 : 0));
    CHECK(harness.points(table) == points);
    harness.reopen();
    CHECK(harness.points(table) == points);
  }
}

}  // namespace braid
