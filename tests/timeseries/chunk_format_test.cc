#include "timeseries/chunk_format.h"

#include <doctest/doctest.h>

#include <random>

namespace braid {
namespace {

TEST_CASE("the name of a chunk file is its id in sixteen hex digits, and no other name is one") {
  CHECK(chunk_file_name(ChunkId(42)) == "000000000000002a.chunk");
  CHECK(parse_chunk_file_name("000000000000002a.chunk") == ChunkId(42));
  CHECK_FALSE(parse_chunk_file_name("000000000000002A.chunk").has_value());
  CHECK_FALSE(parse_chunk_file_name("2a.chunk").has_value());
  CHECK_FALSE(parse_chunk_file_name("000000000000002a.chunk2").has_value());
  CHECK_FALSE(parse_chunk_file_name("000000000000zz2a.chunk").has_value());
}

TEST_CASE("a header comes back, and another version is refused by its number") {
  const ChunkHeader header{"01234567-89ab-cdef-0123-456789abcdef", 9, ChunkId(4), HypertableId(2)};
  std::string bytes = encode_chunk_header(header);
  REQUIRE(bytes.size() == kChunkHeaderBytes);
  const auto back = decode_chunk_header(bytes);
  REQUIRE(back.ok());
  CHECK(back->uuid == header.uuid);
  CHECK(back->epoch == 9);
  CHECK(back->chunk == ChunkId(4));
  CHECK(back->hypertable == HypertableId(2));
  bytes[8] = 1;
  const uint64_t checksum =
      stripe_checksum(std::string_view(bytes).substr(0, kChunkHeaderBytes - 8));
  bytes.resize(kChunkHeaderBytes - 8);
  for (unsigned shift = 0; shift < 64; shift += 8)
    bytes.push_back(static_cast<char>(checksum >> shift));
  const Status refused = decode_chunk_header(bytes).status();
  CHECK(refused.code() == StatusCode::kVersion);
  CHECK(refused.message().find("version 1 is not supported, only 2") != std::string::npos);
}

ChunkFooter footer_of(std::vector<std::pair<uint64_t, int64_t>> starts) {
  ChunkFooter footer;
  footer.types = {FieldType::kInt64};
  footer.dictionaries.resize(1);
  footer.fields = {FieldId(1)};
  uint64_t offset = kChunkHeaderBytes;
  for (const auto& [series, start] : starts) {
    BlockEntry block;
    block.series = SeriesId(series);
    block.time_min = start;
    block.time_max = start + 9;
    block.rows = 10;
    block.times = {4, 77};
    block.offset = offset;
    block.columns_start = footer.columns.size();
    footer.columns.push_back({6, 88});
    footer.blocks.push_back(block);
    offset += 10;
  }
  return footer;
}

TEST_CASE("a footer comes back, and blocks out of order are refused") {
  const auto decoded = decode_chunk_footer(
      encode_chunk_footer(footer_of({{1, 0}, {1, 10}, {2, -50}})), kChunkHeaderBytes + 30);
  REQUIRE(decoded.ok());
  CHECK(decoded->blocks[2].time_max == -41);
  CHECK(decoded->blocks[2].offset == kChunkHeaderBytes + 20);
  for (const auto& starts :
       {std::vector<std::pair<uint64_t, int64_t>>{{2, 0}, {1, 0}}, {{1, 0}, {1, 9}}}) {
    const auto refused =
        decode_chunk_footer(encode_chunk_footer(footer_of(starts)), kChunkHeaderBytes + 20);
    CHECK(refused.status().code() == StatusCode::kCorrupt);
  }
  CHECK_FALSE(
      decode_chunk_footer(encode_chunk_footer(footer_of({{1, 0}})), kChunkHeaderBytes + 11).ok());
}

TEST_CASE("random bytes never make a footer decoder misbehave") {
  std::mt19937_64 random(1);
  const std::string whole = encode_chunk_footer(footer_of({{1, 0}, {1, 10}, {2, -50}}));
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = whole;
    for (uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % 3 == 0 ? random() % (bytes.size() + 1) : bytes.size());
    const auto decoded = decode_chunk_footer(bytes, kChunkHeaderBytes + 30);
    if (decoded.ok()) CHECK(decoded->blocks.size() <= bytes.size());
  }
}

}  // namespace
}  // namespace braid
