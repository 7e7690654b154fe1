#include "timeseries/chunk_reader.h"

#include <algorithm>

#include "engine/coding.h"
#include "timeseries/codecs/boolean_codec.h"
#include "timeseries/codecs/column_codec.h"
#include "timeseries/codecs/integer_codec.h"

namespace braid {
namespace {

bool ascends(std::span<const int64_t> times) {
  return std::adjacent_find(times.begin(), times.end(),
                            [](int64_t a, int64_t b) { return a >= b; }) == times.end();
}

}  // namespace

Status ChunkReader::damaged(std::string_view what) const {
  return Status(StatusCode::kCorrupt, file_->path() + ": " + std::string(what));
}

Result<std::shared_ptr<const ChunkReader>> ChunkReader::open(Env& env, const std::string& path) {
  BRAID_ASSIGN(std::unique_ptr<ReadableFile> file, env.open(path));
  // Shared: the cache of open chunks and every scan that reads from it.
  std::shared_ptr<ChunkReader> reader(new ChunkReader());
  reader->file_ = std::move(file);
  BRAID_TRY(reader->load());
  return std::shared_ptr<const ChunkReader>(std::move(reader));
}

Status ChunkReader::load() {
  const uint64_t size = file_->size_bytes();
  if (size < kChunkHeaderBytes + kChunkTrailerBytes) return damaged("too short for a chunk file");
  std::string bytes;
  BRAID_TRY(file_->read(0, kChunkHeaderBytes, bytes));
  auto header = decode_chunk_header(bytes);
  if (!header.ok()) return header.status().within(file_->path());
  header_ = header.take();
  BRAID_TRY(file_->read(size - kChunkTrailerBytes, kChunkTrailerBytes, bytes));
  auto trailer = decode_chunk_trailer(bytes, size);
  if (!trailer.ok()) return trailer.status().within(file_->path());
  BRAID_TRY(file_->read(trailer->footer_offset, trailer->footer_size_bytes, bytes));
  if (stripe_checksum(bytes) != trailer->footer_checksum) return damaged("footer checksum differs");
  auto footer = decode_chunk_footer(bytes, trailer->footer_offset);
  if (!footer.ok()) return footer.status().within(file_->path());
  footer_ = footer.take();
  return Status();
}

std::span<const BlockEntry> ChunkReader::blocks_of(SeriesId series) const {
  const auto& blocks = footer_.blocks;
  const auto start = std::lower_bound(blocks.begin(), blocks.end(), series,
                                      [](const BlockEntry& b, SeriesId s) { return b.series < s; });
  auto limit = start;
  if (limit != blocks.end() && limit->series == series) {
    limit = std::upper_bound(start, blocks.end(), series,
                             [](SeriesId s, const BlockEntry& b) { return s < b.series; });
  }
  return {start, limit};
}

Status ChunkReader::read_stripe(uint64_t offset, const StripeEntry& stripe,
                                std::string& out) const {
  return file_->read(offset, stripe.size_bytes, out);
}

Status ChunkReader::decode_times(const BlockEntry& block, std::string_view stripe,
                                 std::vector<int64_t>& out) const {
  if (stripe_checksum(stripe) != block.times.checksum)
    return damaged("checksum of a time stripe differs");
  out.resize(block.rows);
  ByteReader in(stripe);
  if (!decode_integers(in, out) || !in.done()) return damaged("damaged time stripe");
  if (out.front() != block.time_min || out.back() != block.time_max || !ascends(out))
    return damaged("times of a block do not agree with its footer entry");
  return Status();
}

Status ChunkReader::read_times(const BlockEntry& block, std::vector<int64_t>& out) const {
  std::string stripe;
  BRAID_TRY(read_stripe(block.offset, block.times, stripe));
  return decode_times(block, stripe, out);
}

Status ChunkReader::decode_deleted(const BlockEntry& block, std::string_view stripe,
                                   std::vector<uint8_t>& out) const {
  out.clear();
  if (!block.has_deleted()) return Status();
  if (stripe_checksum(stripe) != block.deleted.checksum)
    return damaged("checksum of a stripe of deleted rows differs");
  out.resize(block.rows);
  ByteReader in(stripe);
  if (!read_bitmap<uint8_t>(in, out) || !in.done() ||
      std::count(out.begin(), out.end(), 1) != static_cast<ptrdiff_t>(block.deleted_rows))
    return damaged("damaged stripe of deleted rows");
  return Status();
}

Status ChunkReader::read_deleted(const BlockEntry& block, std::vector<uint8_t>& out) const {
  std::string stripe;
  if (block.has_deleted()) BRAID_TRY(read_stripe(block.offset + block.times.size_bytes, block.deleted, stripe));
  return decode_deleted(block, stripe, out);
}

Status ChunkReader::decode_block(const BlockEntry& block, std::string_view bytes,
                                 PointBlock& out) const {
  BRAID_TRY(decode_times(block, bytes.substr(0, block.times.size_bytes), out.times));
  BRAID_TRY(decode_deleted(block, bytes.substr(block.times.size_bytes, block.deleted.size_bytes), out.deleted));
  size_t offset = block.columns_offset() - block.offset;
  for (size_t i = 0; i < footer_.types.size(); ++i) {
    const StripeEntry& entry = footer_.columns[block.columns_start + i];
    const std::string_view stripe = bytes.substr(offset, entry.size_bytes);
    offset += entry.size_bytes;
    if (stripe_checksum(stripe) != entry.checksum)
      return damaged("checksum of a column stripe differs");
    if (!decode_column(stripe, block.rows, out.columns[i])) return damaged("damaged column stripe");
  }
  return Status();
}

Status ChunkReader::read_block(const BlockEntry& block, const std::vector<bool>& fields,
                               PointBlock& out) const {
  out.columns.resize(footer_.types.size());
  for (size_t i = 0; i < footer_.types.size(); ++i) {
    out.columns[i].clear();
    out.columns[i].type = footer_.types[i];
  }
  std::string bytes;
  const bool all = fields.empty() || std::find(fields.begin(), fields.end(), false) == fields.end();
  if (all) {
    BRAID_TRY(file_->read(block.offset, block.size_bytes, bytes));
    return decode_block(block, bytes, out);
  }
  BRAID_TRY(read_times(block, out.times));
  BRAID_TRY(read_deleted(block, out.deleted));
  uint64_t offset = block.columns_offset();
  for (size_t i = 0; i < footer_.types.size(); ++i) {
    const StripeEntry& entry = footer_.columns[block.columns_start + i];
    if (i < fields.size() && fields[i]) {
      BRAID_TRY(read_stripe(offset, entry, bytes));
      if (stripe_checksum(bytes) != entry.checksum)
        return damaged("checksum of a column stripe differs");
      if (!decode_column(bytes, block.rows, out.columns[i]))
        return damaged("damaged column stripe");
    }
    offset += entry.size_bytes;
  }
  return Status();
}

}  // namespace braid
