#include "timeseries/run_codec.h"

#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <random>

using namespace braid;

namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint64_t below(uint64_t limit) { return std::uniform_int_distribution<uint64_t>(0, limit - 1)(engine_); }
  int64_t integer() { return static_cast<int64_t>(engine_() >> below(64)); }
  FieldValue value(bool may_be_null) {
    FieldValue out;
    out.is_null = may_be_null && below(3) == 0;
    out.integer = below(2) == 0 ? static_cast<int64_t>(below(2)) : integer();
    const double reals[] = {static_cast<double>(below(100)) / 100, static_cast<double>(integer()), std::numeric_limits<double>::quiet_NaN(), -0.0};
    out.real = reals[below(std::size(reals))];
    text_ = std::string(below(12), static_cast<char>('a' + below(26)));
    out.text = text_;
    return out;
  }

 private:
  std::mt19937_64 engine_;
  std::string text_;
};

SeriesRun random_run(Random& random, HypertableId table, const StoredFields& fields) {
  SeriesRun run{.hypertable = table, .series = SeriesId(1 + random.below(50)), .times = {}, .columns = {}, .fields = fields.ids, .deleted = {}};
  const size_t rows = random.below(4) == 0 ? 1 + random.below(3000) : 1 + random.below(20);
  const bool ordered = random.below(2) == 0;
  for (size_t row = 0; row < rows; ++row) run.times.push_back(ordered ? static_cast<int64_t>(row) * 10'000'000 : random.integer());
  for (const FieldType type : fields.types) {
    ColumnData& column = run.columns.emplace_back();
    column.type = type;
    const bool with_nulls = random.below(2) == 0;
    for (size_t row = 0; row < rows; ++row) {
      FieldValue value = random.value(with_nulls);
      if (type == FieldType::kBool) value.integer &= 1;
      column.push(value);
    }
  }
  if (random.below(3) == 0)
    for (size_t row = 0; row < rows; ++row) run.deleted.push_back(static_cast<uint8_t>(random.below(2)));
  return run;
}

StoredFields random_fields(Random& random) {
  StoredFields fields;
  for (uint64_t i = random.below(5); i > 0; --i) {
    fields.ids.emplace_back(static_cast<uint16_t>(random.below(65536)));
    fields.types.push_back(static_cast<FieldType>(1 + random.below(5)));
  }
  return fields;
}

std::vector<SeriesRun> random_runs(Random& random) {
  const StoredFields fields[] = {random_fields(random), random_fields(random)};
  std::vector<SeriesRun> runs;
  for (uint64_t i = random.below(12); i > 0; --i) {
    const size_t which = random.below(2);
    runs.push_back(random_run(random, HypertableId(static_cast<uint32_t>(7 + which)), fields[which]));
  }
  return runs;
}

std::string encoded(const std::vector<SeriesRun>& runs) {
  std::string bytes;
  RunEncoder encoder(bytes);
  for (const SeriesRun& run : runs) {
    StoredFields fields{run.fields, {}};
    for (const ColumnData& column : run.columns) fields.types.push_back(column.type);
    encoder.add({run.hypertable, run.series, fields}, run.times, run.columns, run.deleted, 0, run.times.size());
  }
  encoder.flush();
  return bytes;
}

/// One row as text that tells every bit: where a run ends and the next begins is the codec's business.
std::string row_text(const SeriesRun& run, size_t row) {
  std::string out = std::to_string(run.hypertable.value()) + " " + std::to_string(run.series.value()) + " " + std::to_string(run.times[row]);
  out += !run.deleted.empty() && run.deleted[row] != 0 ? " deleted" : "";
  for (size_t i = 0; i < run.columns.size(); ++i) {
    const FieldValue value = run.columns[i].value(row);
    out += " " + std::to_string(run.fields[i].value()) + ":" + std::to_string(static_cast<int>(run.columns[i].type)) + "=";
    out += value.is_null ? "null" : std::to_string(value.integer) + "/" + std::to_string(std::bit_cast<int64_t>(value.real)) + "/" + std::string(value.text);
  }
  return out;
}

std::vector<std::string> rows_of(const std::vector<SeriesRun>& runs) {
  std::vector<std::string> out;
  for (const SeriesRun& run : runs)
    for (size_t row = 0; row < run.times.size(); ++row) out.push_back(row_text(run, row));
  return out;
}

Status read(std::string_view bytes, std::vector<SeriesRun>& out) {
  return read_runs(bytes, [&](const SeriesRun& run) {
    out.push_back(run);
    return Status();
  });
}

}  // namespace

TEST_CASE("random runs come back row by row as they were written") {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const std::vector<SeriesRun> runs = random_runs(random);
    std::vector<SeriesRun> decoded;
    REQUIRE(read(encoded(runs), decoded).ok());
    REQUIRE(rows_of(decoded) == rows_of(runs));
  }
}

TEST_CASE("no runs are no bytes") {
  CHECK(encoded({}).empty());
  std::vector<SeriesRun> decoded;
  CHECK(read({}, decoded).ok());
  CHECK(decoded.empty());
}

TEST_CASE("points of many series at the same times take few bytes") {
  std::vector<SeriesRun> runs;
  for (uint64_t series = 1; series <= 100; ++series) {
    SeriesRun run{.hypertable = HypertableId(1), .series = SeriesId(series), .times = {}, .columns = {}, .fields = {FieldId(1)}, .deleted = {}};
    ColumnData& column = run.columns.emplace_back();
    for (int64_t row = 0; row < 100; ++row) {
      run.times.push_back(row * 10'000'000);
      column.push({.is_null = false, .real = static_cast<double>((row + static_cast<int64_t>(series)) % 100)});
    }
    runs.push_back(std::move(run));
  }
  CHECK(encoded(runs).size() < 10'000 * 4);
}

TEST_CASE("large texts end a block early and come back") {
  SeriesRun run{.hypertable = HypertableId(1), .series = SeriesId(1), .times = {}, .columns = {}, .fields = {FieldId(1)}, .deleted = {}};
  ColumnData& column = run.columns.emplace_back();
  column.type = FieldType::kText;
  std::mt19937_64 random(5);
  for (int64_t row = 0; row < 20; ++row) {
    std::string text(300'000, ' ');
    for (char& c : text) c = static_cast<char>(random());
    run.times.push_back(row);
    column.push({.is_null = false, .text = text});
  }
  std::vector<SeriesRun> decoded;
  REQUIRE(read(encoded({run}), decoded).ok());
  CHECK(decoded.size() > 1);
  CHECK(rows_of(decoded) == rows_of({run}));
}

TEST_CASE("runs that are cut short are damage, except between two blocks") {
  Random random(2);
  for (int i = 0; i < 20; ++i) {
    const std::vector<SeriesRun> runs = random_runs(random);
    const std::vector<std::string> all = rows_of(runs);
    const std::string bytes = encoded(runs);
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 200) {
      std::vector<SeriesRun> decoded;
      const Status status = read(std::string_view(bytes).substr(0, size), decoded);
      const std::vector<std::string> rows = rows_of(decoded);
      if (!status.ok()) CHECK(status.code() == StatusCode::kCorrupt);
      REQUIRE(rows.size() < all.size());
      CHECK(std::equal(rows.begin(), rows.end(), all.begin()));
    }
  }
}

TEST_CASE("changed and random bytes give runs or damage, never a crash") {
  Random random(3);
  for (int i = 0; i < 100; ++i) {
    std::string bytes = encoded(random_runs(random));
    if (i % 4 == 0) bytes.resize(random.below(300));
    if (bytes.empty()) continue;
    for (int j = 0; j < 30; ++j) {
      std::string changed = bytes;
      const size_t changes = i % 4 == 0 ? changed.size() : 1 + random.below(4);
      for (size_t k = 0; k < changes; ++k) changed[random.below(changed.size())] = static_cast<char>(random.below(256));
      std::vector<SeriesRun> decoded;
      const Status status = read(changed, decoded);
      if (!status.ok()) CHECK(status.code() == StatusCode::kCorrupt);
    }
  }
}

TEST_CASE("a visitor that fails ends the reading with its status") {
  Random random(4);
  std::vector<SeriesRun> runs;
  while (runs.size() < 2) runs = random_runs(random);
  int visits = 0;
  const Status status = read_runs(encoded(runs), [&](const SeriesRun&) {
    ++visits;
    return Status(StatusCode::kInterrupted, "enough");
  });
  CHECK(status.code() == StatusCode::kInterrupted);
  CHECK(visits == 1);
}
