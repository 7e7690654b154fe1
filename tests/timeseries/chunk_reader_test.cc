#include "timeseries/chunk_reader.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/temp_dir.h"
#include "timeseries/chunk_check.h"
#include "timeseries/chunk_writer.h"

namespace braid {
namespace {

const std::string kUuid = "01234567-89ab-cdef-0123-456789abcdef";

HypertableDefinition table_definition() {
  HypertableDefinition table;
  table.id = HypertableId(3);
  table.fields = {{"value", FieldType::kDouble}, {"note", FieldType::kText}};
  table.chunk_interval_us = 1 << 20;
  return table;
}

PointBlock points_from(int64_t first, size_t rows) {
  static const std::string kTexts[] = {"one", "two", "three"};
  PointBlock out;
  out.columns.emplace_back(FieldType::kDouble);
  out.columns.emplace_back(FieldType::kText);
  for (size_t row = 0; row < rows; ++row) {
    out.times.push_back(first + static_cast<int64_t>(row) * 10);
    out.columns[0].reals.push_back(row % 4 == 0 ? 0 : static_cast<double>(row) / 2);
    out.columns[0].nulls.push_back(row % 4 == 0 ? 1 : 0);
    out.columns[1].texts.push_back(kTexts[row % 3]);
  }
  return out;
}

const FieldDefinition kFields[] = {{"value", FieldType::kDouble, FieldId(1)}, {"note", FieldType::kText, FieldId(2)}};

/// Writes series 5 and 9 and returns the chunk's row of the catalogue.
ChunkDefinition write_chunk(Env& env, const std::string& directory, size_t rows) {
  ChunkDefinition chunk;
  chunk.id = ChunkId(17);
  chunk.hypertable = HypertableId(3);
  chunk.interval = {Timestamp(0), Timestamp(1 << 20)};
  auto writer = ChunkWriter::create(env, directory + "/" + chunk_file_name(chunk.id),
                                    {kUuid, 7, chunk.id, chunk.hypertable},
                                    kFields);
  REQUIRE(writer.ok());
  REQUIRE((*writer)->add(SeriesId(5), points_from(0, rows)).ok());
  REQUIRE((*writer)->add(SeriesId(9), points_from(100, 2)).ok());
  const auto written = (*writer)->finish();
  REQUIRE(written.ok());
  chunk.rows = written->rows;
  chunk.size_bytes = written->size_bytes;
  chunk.time_min = Timestamp(written->time_min);
  chunk.time_max = Timestamp(written->time_max);
  return chunk;
}

std::vector<std::string> problems_of(Env& env, const std::string& directory,
                                     const ChunkDefinition& chunk) {
  const auto files = std::make_shared<ChunkFiles>(env, directory, ChunkOwner{kUuid, 7});
  const ChunkHandle handle(files, chunk);
  const HypertableDefinition table = table_definition();
  std::vector<std::string> problems;
  check_chunk(handle, &table, problems);
  return problems;
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("a chunk file gives its blocks back, only the fields asked for") {
  const TempDir directory;
  Env env;
  const ChunkDefinition chunk = write_chunk(env, directory.path(), 2500);
  CHECK(chunk.rows == 2502);
  const auto reader = ChunkReader::open(env, directory / chunk_file_name(chunk.id));
  REQUIRE(reader.ok());
  const auto blocks = (*reader)->blocks_of(SeriesId(5));
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[2].rows == 2500 - 2048);
  CHECK((*reader)->blocks_of(SeriesId(9)).size() == 1);
  CHECK((*reader)->blocks_of(SeriesId(6)).empty());
  PointBlock all;
  REQUIRE((*reader)->read_block(blocks[1], {}, all).ok());
  CHECK(all.times.front() == 10240);
  CHECK(all.columns[0].value(0).is_null);
  CHECK(all.columns[0].value(1).real == 512.5);
  CHECK(all.columns[1].value(1).text == "three");
  PointBlock part;
  REQUIRE((*reader)->read_block(blocks[1], {false, true}, part).ok());
  CHECK(part.columns[0].value(1).is_null);
  CHECK(part.columns[1].value(1).text == "three");
  CHECK(problems_of(env, directory.path(), chunk).empty());
}

TEST_CASE("the footer keeps count, extremes, sum, first and last of each block") {
  const TempDir directory;
  Env env;
  const ChunkDefinition chunk = write_chunk(env, directory.path(), 20);
  const auto reader = ChunkReader::open(env, directory / chunk_file_name(chunk.id));
  REQUIRE(reader.ok());
  const ChunkFooter& footer = (*reader)->footer();
  REQUIRE(footer.blocks[0].has_statistics());
  CHECK_FALSE(footer.blocks[1].has_statistics());
  const ColumnStatistics& kept = footer.statistics[footer.blocks[0].statistics_start];
  CHECK(kept.null_count == 5);
  CHECK(kept.value_count == 15);
  CHECK(std::bit_cast<double>(kept.min) == 0.5);
  CHECK(std::bit_cast<double>(kept.max) == 9.5);
  CHECK(std::bit_cast<double>(kept.first) == 0.5);
  CHECK(std::bit_cast<double>(kept.last) == 9.5);
  CHECK(std::bit_cast<double>(kept.sum_low) == (19 * 20 / 2 - 4 - 8 - 12 - 16) / 2.0);
}

TEST_CASE("a change of any byte of a chunk file is found, and named") {
  const TempDir directory;
  Env env;
  const ChunkDefinition chunk = write_chunk(env, directory.path(), 20);
  const std::string path = directory / chunk_file_name(chunk.id);
  const std::string whole = content(path);
  REQUIRE(whole.size() == chunk.size_bytes);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      std::ofstream(path, std::ios::binary) << damaged;
      const auto problems = problems_of(env, directory.path(), chunk);
      CAPTURE(i);
      REQUIRE_FALSE(problems.empty());
      REQUIRE(problems[0].find(chunk_file_name(chunk.id)) != std::string::npos);
    }
  }
}

TEST_CASE("a chunk file cut anywhere, or longer than it was, is refused") {
  const TempDir directory;
  Env env;
  const ChunkDefinition chunk = write_chunk(env, directory.path(), 20);
  const std::string path = directory / chunk_file_name(chunk.id);
  const std::string whole = content(path);
  for (size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    REQUIRE_FALSE(problems_of(env, directory.path(), chunk).empty());
  }
  std::ofstream(path, std::ios::binary) << whole << whole;
  CHECK_FALSE(problems_of(env, directory.path(), chunk).empty());
}

TEST_CASE("a whole file in the place of another chunk is refused") {
  const TempDir directory;
  Env env;
  ChunkDefinition chunk = write_chunk(env, directory.path(), 20);
  chunk.id = ChunkId(18);
  std::ofstream(directory / chunk_file_name(chunk.id), std::ios::binary)
      << content(directory / chunk_file_name(ChunkId(17)));
  CHECK_FALSE(problems_of(env, directory.path(), chunk).empty());
}

TEST_CASE("a block ends early when its texts are large") {
  const TempDir directory;
  Env env;
  const std::string large(400'000, 'x');
  PointBlock points;
  points.columns.emplace_back(FieldType::kText);
  for (int64_t time = 0; time < 10; ++time) {
    points.times.push_back(time);
    points.columns[0].texts.push_back(large);
  }
  auto writer = ChunkWriter::create(env, directory / "c", {kUuid, 7, ChunkId(1), HypertableId(1)},
                                    std::span(kFields).subspan(1));
  REQUIRE(writer.ok());
  REQUIRE((*writer)->add(SeriesId(1), points).ok());
  REQUIRE((*writer)->finish().ok());
  const auto reader = ChunkReader::open(env, directory / "c");
  REQUIRE(reader.ok());
  REQUIRE((*reader)->footer().blocks.size() == 4);
  PointBlock back;
  REQUIRE((*reader)->read_block((*reader)->footer().blocks[3], {}, back).ok());
  CHECK(back.columns[0].value(0).text == large);
}

/// One text field; a block of each series takes `texts` in turn.
std::string write_texts(Env& env, const std::string& path, uint64_t series_count, std::span<const std::string> texts,
                        const ChunkWriterOptions& options = {}) {
  PointBlock points;
  points.columns.emplace_back(FieldType::kText);
  for (int64_t time = 0; time < 40; ++time) {
    points.times.push_back(time);
    points.columns[0].texts.push_back(texts[static_cast<size_t>(time) % texts.size()]);
  }
  auto writer = ChunkWriter::create(env, path, {kUuid, 7, ChunkId(1), HypertableId(1)}, std::span(kFields).subspan(1), options);
  REQUIRE(writer.ok());
  for (uint64_t series = 1; series <= series_count; ++series) REQUIRE((*writer)->add(SeriesId(series), points).ok());
  REQUIRE((*writer)->finish().ok());
  return content(path);
}

TEST_CASE("texts that many blocks repeat are in the chunk once, and outlive its reader") {
  const TempDir directory;
  Env env;
  std::vector<std::string> texts;
  for (int i = 0; i < 8; ++i) texts.push_back("the state of pump " + std::to_string(i * 7919));
  const std::string whole = write_texts(env, directory / "c", 50, texts);
  CHECK(whole.find(texts[3]) == whole.rfind(texts[3]));
  PointBlock block;
  {
    const auto reader = ChunkReader::open(env, directory / "c");
    REQUIRE(reader.ok());
    CHECK((*reader)->footer().dictionaries[0].size_bytes > 0);
    for (const BlockEntry& entry : (*reader)->footer().blocks) REQUIRE((*reader)->read_block(entry, {}, block).ok());
  }
  for (size_t row = 0; row < 40; ++row) CHECK(block.columns[0].value(row).text == texts[row % texts.size()]);
}

TEST_CASE("a damaged dictionary is found when its field is asked for, and only then") {
  const TempDir directory;
  Env env;
  const std::vector<std::string> texts = {"first of the texts", "second of the texts"};
  std::string bytes = write_texts(env, directory / "c", 2, texts);
  uint64_t offset = 0;
  {
    const auto reader = ChunkReader::open(env, directory / "c");
    REQUIRE(reader.ok());
    offset = (*reader)->footer().dictionaries_offset;
  }
  bytes[offset + 5] = static_cast<char>(bytes[offset + 5] ^ 1);
  std::ofstream(directory / "c", std::ios::binary) << bytes;
  const auto reader = ChunkReader::open(env, directory / "c");
  REQUIRE(reader.ok());
  const BlockEntry& entry = (*reader)->footer().blocks[0];
  PointBlock block;
  CHECK((*reader)->read_block(entry, {false}, block).ok());
  const Status status = (*reader)->read_block(entry, {true}, block);
  CHECK(status.code() == StatusCode::kCorrupt);
  CHECK(status.message().find("dictionary") != std::string::npos);
}

TEST_CASE("too many texts for the chunk's dictionary are kept with their blocks") {
  const TempDir directory;
  Env env;
  auto writer = ChunkWriter::create(env, directory / "c", {kUuid, 7, ChunkId(1), HypertableId(1)}, std::span(kFields).subspan(1));
  REQUIRE(writer.ok());
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(std::string(400, static_cast<char>('a' + i % 26)) + std::to_string(i));
  const auto points_of = [&](size_t series) {
    PointBlock points;
    points.columns.emplace_back(FieldType::kText);
    for (size_t row = 0; row < 60; ++row) {
      points.times.push_back(static_cast<int64_t>(row));
      points.columns[0].texts.push_back(texts[series * 20 + row % 20]);
    }
    return points;
  };
  for (size_t series = 0; series < 25; ++series) REQUIRE((*writer)->add(SeriesId(series), points_of(series)).ok());
  REQUIRE((*writer)->finish().ok());
  const auto reader = ChunkReader::open(env, directory / "c");
  REQUIRE(reader.ok());
  for (size_t series = 0; series < 25; ++series) {
    PointBlock block;
    REQUIRE((*reader)->read_block((*reader)->footer().blocks[series], {}, block).ok());
    CHECK(block.columns[0].texts == points_of(series).columns[0].texts);
  }
}

TEST_CASE("a chunk for the cold is smaller and reads the same") {
  const TempDir directory;
  Env env;
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back("reading number " + std::to_string(i * 104729));
  const std::string plain = write_texts(env, directory / "plain", 200, texts);
  const std::string cold = write_texts(env, directory / "cold", 200, texts, {.compress = true});
  CHECK(cold.size() < plain.size());
  const auto reader = ChunkReader::open(env, directory / "cold");
  REQUIRE(reader.ok());
  PointBlock block;
  for (const BlockEntry& entry : (*reader)->footer().blocks) {
    REQUIRE((*reader)->read_block(entry, {}, block).ok());
    CHECK(block.columns[0].value(39).text == texts[39]);
  }
}

// A chunk file is kept for years: a change of these bytes is a change of the format, so raise kChunkVersion.
TEST_CASE("the bytes of a chunk file are those of this version of the format") {
  const TempDir directory;
  Env env;
  write_chunk(env, directory.path(), 30);
  const std::string bytes = content(directory / chunk_file_name(ChunkId(17)));
  CHECK(bytes.size() == 331);
  CHECK(stripe_checksum(bytes) == 9857515019981967576u);
}

}  // namespace
}  // namespace braid
