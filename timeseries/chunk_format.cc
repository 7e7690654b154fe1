#include "timeseries/chunk_format.h"

#include <fmt/format.h>

#include <charconv>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/coding.h"

namespace braid {
namespace {

Status damaged(std::string_view what) { return Status(StatusCode::kCorrupt, std::string(what)); }

void append_stripe(std::string& out, const StripeEntry& stripe) {
  append_varint(out, stripe.size_bytes);
  append_fixed(out, stripe.checksum);
}

bool read_stripe(ByteReader& in, StripeEntry& stripe) {
  uint64_t size;
  if (!in.varint(size) || size > UINT32_MAX || !in.fixed(stripe.checksum)) return false;
  stripe.size_bytes = static_cast<uint32_t>(size);
  return true;
}

bool has_values(FieldType type) { return type != FieldType::kText && type != FieldType::kJson; }

void append_statistics(std::string& out, FieldType type, const ColumnStatistics& statistics) {
  append_varint(out, statistics.null_count);
  if (!has_values(type)) return;
  append_varint(out, statistics.value_count);
  if (statistics.value_count == 0) return;
  append_fixed(out, statistics.min);
  append_fixed(out, statistics.max);
  append_fixed(out, statistics.first);
  append_fixed(out, statistics.last);
  append_fixed(out, statistics.sum_low);
  if (type != FieldType::kDouble) append_fixed(out, statistics.sum_high);
}

bool read_count(ByteReader& in, uint64_t limit, uint16_t& count) {
  uint64_t value;
  if (!in.varint(value) || value > limit) return false;
  count = static_cast<uint16_t>(value);
  return true;
}

bool read_statistics(ByteReader& in, FieldType type, uint32_t rows, ColumnStatistics& out) {
  if (!read_count(in, rows, out.null_count)) return false;
  if (!has_values(type)) return true;
  if (!read_count(in, rows - out.null_count, out.value_count)) return false;
  if (out.value_count == 0) return true;
  if (!in.fixed(out.min) || !in.fixed(out.max) || !in.fixed(out.first) || !in.fixed(out.last))
    return false;
  if (!in.fixed(out.sum_low)) return false;
  return type == FieldType::kDouble || in.fixed(out.sum_high);
}

bool is_field_type(uint8_t value) {
  switch (static_cast<FieldType>(value)) {
    case FieldType::kDouble:
    case FieldType::kInt64:
    case FieldType::kBool:
    case FieldType::kText:
    case FieldType::kJson:
      return true;
  }
  return false;
}

/// Reads one block's entry; its offset is where the previous block ended.
bool read_block(ByteReader& in, uint64_t offset, ChunkFooter& footer) {
  BlockEntry block;
  uint64_t series;
  uint64_t rows;
  uint64_t span;
  if (!in.varint(series) || !in.fixed(block.time_min) || !in.varint(span) || !in.varint(rows))
    return false;
  if (rows == 0 || rows > kBlockRowsMax || !read_stripe(in, block.times)) return false;
  const uint64_t time_max = static_cast<uint64_t>(block.time_min) + span;
  block.series = SeriesId(series);
  block.time_max = static_cast<int64_t>(time_max);
  if (block.time_max < block.time_min) return false;
  block.rows = static_cast<uint32_t>(rows);
  block.offset = offset;
  uint64_t deleted_rows;
  if (!in.varint(deleted_rows) || deleted_rows > rows) return false;
  block.deleted_rows = static_cast<uint32_t>(deleted_rows);
  if (block.has_deleted() && !read_stripe(in, block.deleted)) return false;
  block.columns_start = footer.columns.size();
  block.statistics_start = footer.statistics.size();
  uint64_t size_bytes = uint64_t{block.times.size_bytes} + block.deleted.size_bytes;
  for (const FieldType type : footer.types) {
    StripeEntry& stripe = footer.columns.emplace_back();
    if (!read_stripe(in, stripe)) return false;
    size_bytes += stripe.size_bytes;
    if (block.has_statistics() &&
        !read_statistics(in, type, block.rows - block.deleted_rows, footer.statistics.emplace_back()))
      return false;
  }
  if (size_bytes > UINT32_MAX) return false;
  block.size_bytes = static_cast<uint32_t>(size_bytes);
  footer.blocks.push_back(block);
  return true;
}

// A stripe that may be absent: a size of 0, and then no checksum.
void append_dictionary(std::string& out, const StripeEntry& stripe) {
  if (stripe.size_bytes > 0) return append_stripe(out, stripe);
  append_varint(out, 0);
}

bool read_dictionary(ByteReader& in, StripeEntry& stripe) {
  uint64_t size;
  if (!in.varint(size) || size > kDictionaryStripeBytesMax) return false;
  stripe.size_bytes = static_cast<uint32_t>(size);
  return size == 0 || in.fixed(stripe.checksum);
}

bool in_order(const BlockEntry& before, const BlockEntry& after) {
  return before.series < after.series ||
         (before.series == after.series && before.time_max < after.time_min);
}

}  // namespace

uint64_t stripe_checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::optional<ChunkId> parse_chunk_file_name(std::string_view name) {
  uint64_t id = 0;
  if (name.size() != 22) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 16, id, 16);
  if (error != std::errc() || chunk_file_name(ChunkId(id)) != name) return std::nullopt;
  return ChunkId(id);
}

std::string encode_chunk_header(const ChunkHeader& header) {
  std::string out(kChunkMagic);
  append_fixed(out, kChunkVersion);
  append_fixed(out, uint32_t{0});
  out.append(header.uuid);
  out.resize(16 + kUuidBytes, '\0');
  append_fixed(out, header.epoch);
  append_fixed(out, header.chunk.value());
  append_fixed(out, header.hypertable.value());
  append_fixed(out, uint32_t{0});
  append_fixed(out, stripe_checksum(out));
  return out;
}

Result<ChunkHeader> decode_chunk_header(std::string_view bytes) {
  if (bytes.size() != kChunkHeaderBytes || !bytes.starts_with(kChunkMagic))
    return damaged("not a chunk file");
  const size_t summed = kChunkHeaderBytes - 8;
  if (load_fixed<uint64_t>(bytes.data() + summed) != stripe_checksum(bytes.substr(0, summed)))
    return damaged("header checksum differs");
  ByteReader in(bytes.substr(kChunkMagic.size()));
  ChunkHeader header;
  uint32_t version = 0;
  uint32_t padding = 0;
  std::string_view uuid;
  uint64_t chunk = 0;
  uint32_t hypertable = 0;
  in.fixed(version);
  in.fixed(padding);
  in.bytes(kUuidBytes, uuid);
  in.fixed(header.epoch);
  in.fixed(chunk);
  in.fixed(hypertable);
  if (version != kChunkVersion)
    return Status(StatusCode::kVersion,
                  fmt::format("chunk format version {} is not supported, only {}", version, kChunkVersion));
  header.uuid = uuid;
  header.chunk = ChunkId(chunk);
  header.hypertable = HypertableId(hypertable);
  return header;
}

std::string encode_chunk_footer(const ChunkFooter& footer) {
  std::string out;
  append_varint(out, footer.types.size());
  for (const FieldType type : footer.types) out.push_back(static_cast<char>(type));
  for (const FieldId field : footer.fields) append_varint(out, field.value());
  for (const StripeEntry& dictionary : footer.dictionaries) append_dictionary(out, dictionary);
  append_varint(out, footer.blocks.size());
  for (const BlockEntry& block : footer.blocks) {
    append_varint(out, block.series.value());
    append_fixed(out, block.time_min);
    append_varint(out,
                  static_cast<uint64_t>(block.time_max) - static_cast<uint64_t>(block.time_min));
    append_varint(out, block.rows);
    append_stripe(out, block.times);
    append_varint(out, block.deleted_rows);
    if (block.has_deleted()) append_stripe(out, block.deleted);
    for (size_t i = 0; i < footer.types.size(); ++i) {
      append_stripe(out, footer.columns[block.columns_start + i]);
      if (block.has_statistics())
        append_statistics(out, footer.types[i], footer.statistics[block.statistics_start + i]);
    }
  }
  return out;
}

Result<ChunkFooter> decode_chunk_footer(std::string_view bytes, uint64_t footer_offset) {
  ByteReader in(bytes);
  ChunkFooter footer;
  uint64_t type_count;
  std::string_view types;
  uint64_t block_count;
  if (!in.varint(type_count) || !in.bytes(type_count, types))
    return damaged("footer: damaged field types");
  for (const char type : types) {
    if (!is_field_type(static_cast<uint8_t>(type))) return damaged("footer: unknown field type");
    footer.types.push_back(static_cast<FieldType>(type));
  }
  for (size_t i = 0; i < footer.types.size(); ++i) {
    uint64_t field;
    if (!in.varint(field) || field > UINT16_MAX) return damaged("footer: damaged field ids");
    footer.fields.emplace_back(static_cast<uint16_t>(field));
  }
  for (size_t i = 0; i < footer.types.size(); ++i) {
    if (!read_dictionary(in, footer.dictionaries.emplace_back())) return damaged("footer: damaged dictionary entry");
  }
  if (!in.varint(block_count)) return damaged("footer: damaged block count");
  uint64_t offset = kChunkHeaderBytes;
  for (uint64_t i = 0; i < block_count; ++i) {
    if (!read_block(in, offset, footer)) return damaged("footer: damaged block entry");
    const BlockEntry& block = footer.blocks.back();
    if (i > 0 && !in_order(footer.blocks[i - 1], block))
      return damaged("footer: blocks are out of order");
    offset += block.size_bytes;
  }
  footer.dictionaries_offset = offset;
  for (const StripeEntry& dictionary : footer.dictionaries) offset += dictionary.size_bytes;
  if (!in.done() || offset != footer_offset) return damaged("footer: blocks do not fill the file");
  return footer;
}

std::string encode_chunk_trailer(const ChunkTrailer& trailer) {
  std::string out;
  append_fixed(out, trailer.footer_offset);
  append_fixed(out, trailer.footer_size_bytes);
  append_fixed(out, trailer.footer_checksum);
  out.append(kChunkEndMagic);
  return out;
}

Result<ChunkTrailer> decode_chunk_trailer(std::string_view bytes, uint64_t file_size_bytes) {
  if (bytes.size() != kChunkTrailerBytes || !bytes.ends_with(kChunkEndMagic))
    return damaged("the end is missing or damaged");
  ChunkTrailer trailer;
  trailer.footer_offset = load_fixed<uint64_t>(bytes.data());
  trailer.footer_size_bytes = load_fixed<uint64_t>(bytes.data() + 8);
  trailer.footer_checksum = load_fixed<uint64_t>(bytes.data() + 16);
  const uint64_t limit = file_size_bytes - kChunkTrailerBytes;
  if (trailer.footer_offset < kChunkHeaderBytes || trailer.footer_offset > limit ||
      trailer.footer_size_bytes != limit - trailer.footer_offset)
    return damaged("the footer's place is damaged");
  return trailer;
}

}  // namespace braid
