// Layout of a chunk file: header, stripes of blocks, dictionaries, footer, trailer. docs/chunk_format.md.
//
// Invariants of every whole file, which `check` proves:
//   1. Blocks are ordered by (series, first time); within a series their times do not overlap, and
//   within a block they ascend.
//   2. All points lie in the chunk's interval, in 1..kBlockRowsMax rows a block.
//   3. The stripes of a block lie one after another: times, deleted rows if there are any, then one per
//   field; and blocks do so too, from the header on; the dictionaries of the fields that have one follow,
//   up to the footer.
//   4. Every byte but padding is covered by a checksum, or is itself compared with what it must be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "engine/chunk_name.h"
#include "engine/result.h"
#include "timeseries/block_statistics.h"

namespace braid {

inline constexpr std::string_view kChunkMagic = "BRAIDCHK";
inline constexpr std::string_view kChunkEndMagic = "KHCDIARB";
inline constexpr uint32_t kChunkVersion = 2;
inline constexpr size_t kUuidBytes = 36;
inline constexpr size_t kChunkHeaderBytes = 8 + 4 + 4 + kUuidBytes + 8 + 8 + 4 + 4 + 8;
inline constexpr size_t kChunkTrailerBytes = 8 + 8 + 8 + 8;
static_assert(kChunkHeaderBytes == 84);
static_assert(kChunkTrailerBytes == 32);

/// Blocks of fewer rows keep no statistics: they would be larger than the values.
inline constexpr size_t kStatisticsRowsMin = 16;

/// A larger stripe is no dictionary that a writer made.
inline constexpr size_t kDictionaryStripeBytesMax = 256 << 10;

struct ChunkHeader {
  std::string uuid;  ///< kUuidBytes characters
  uint64_t epoch = 0;
  ChunkId chunk;
  HypertableId hypertable;
};

struct StripeEntry {
  uint32_t size_bytes = 0;
  uint64_t checksum = 0;
};

/// Where the stripes of one block are; `times` is the first of them.
struct BlockEntry {
  SeriesId series;
  int64_t time_min = 0;
  int64_t time_max = 0;
  uint64_t offset = 0;
  uint32_t rows = 0;
  uint32_t size_bytes = 0;  ///< of all stripes; the sum of theirs
  uint32_t deleted_rows = 0;  ///< rows that take points of earlier chunks away
  StripeEntry times;
  StripeEntry deleted;          ///< a bit map of the deleted rows; empty when there are none
  size_t columns_start = 0;     ///< in ChunkFooter::columns, one per field
  size_t statistics_start = 0;  ///< in ChunkFooter::statistics, one per field, if has_statistics()

  bool has_statistics() const { return rows >= kStatisticsRowsMin; }
  bool has_deleted() const { return deleted_rows > 0; }
  uint64_t columns_offset() const { return offset + times.size_bytes + deleted.size_bytes; }
};

struct ChunkFooter {
  std::vector<FieldType> types;
  std::vector<FieldId> fields;  ///< one per type: of which field of the hypertable the column is
  std::vector<StripeEntry> dictionaries;  ///< one per field; of no bytes for a field without one
  uint64_t dictionaries_offset = 0;       ///< where the first is; derived
  std::vector<BlockEntry> blocks;
  std::vector<StripeEntry> columns;
  std::vector<ColumnStatistics> statistics;
};

struct ChunkTrailer {
  uint64_t footer_offset = 0;
  uint64_t footer_size_bytes = 0;
  uint64_t footer_checksum = 0;
};

uint64_t stripe_checksum(std::string_view bytes);

/// The id in a chunk file's name, or none for any other name.
std::optional<ChunkId> parse_chunk_file_name(std::string_view name);

// Each decoder answers kCorrupt for bytes that are not what its encoder makes; the caller names the
// file.
std::string encode_chunk_header(const ChunkHeader& header);
Result<ChunkHeader> decode_chunk_header(std::string_view bytes);
std::string encode_chunk_footer(const ChunkFooter& footer);
/// Also checks that blocks are in order and that their stripes fill the file from the header to
/// `footer_offset`.
Result<ChunkFooter> decode_chunk_footer(std::string_view bytes, uint64_t footer_offset);
std::string encode_chunk_trailer(const ChunkTrailer& trailer);
Result<ChunkTrailer> decode_chunk_trailer(std::string_view bytes, uint64_t file_size_bytes);

}  // namespace braid
