#include "timeseries/chunk_reader.h"

#include <algorithm>

#include "engine/coding.h"
#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/column_codec.h"

namespace braid {
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
  for (uint32_t i = 0; i < footer_.blocks.size(); ++i) {
    const SeriesId series = footer_.blocks[i].series;
    if (series_.empty() || series_.back().series != series) series_.push_back({series, i, i});
    series_.back().limit = i + 1;
  }
  series_.shrink_to_fit();
  const MutexLock lock(mutex_);
  dictionaries_.resize(footer_.types.size());
  return Status();
}

std::span<const BlockEntry> ChunkReader::blocks_of(SeriesId series) const {
  const auto found = std::lower_bound(series_.begin(), series_.end(), series, [](const SeriesBlocks& one, SeriesId s) { return one.series < s; });
  if (found == series_.end() || found->series != series) return {};
  return std::span(footer_.blocks).subspan(found->start, found->limit - found->start);
}

Result<std::shared_ptr<const TextDictionary>> ChunkReader::load_dictionary(size_t field) const {
  uint64_t offset = footer_.dictionaries_offset;
  for (size_t i = 0; i < field; ++i) offset += footer_.dictionaries[i].size_bytes;
  const StripeEntry& entry = footer_.dictionaries[field];
  std::string bytes;
  BRAID_TRY(file_->read(offset, entry.size_bytes, bytes));
  if (stripe_checksum(bytes) != entry.checksum) return damaged("checksum of a dictionary differs");
  auto loaded = std::make_shared<TextDictionary>();
  if (!loaded->decode(bytes)) return damaged("damaged dictionary");
  return std::shared_ptr<const TextDictionary>(std::move(loaded));
}

Result<std::shared_ptr<const TextDictionary>> ChunkReader::dictionary(size_t field) const {
  if (footer_.dictionaries[field].size_bytes == 0) return std::shared_ptr<const TextDictionary>();
  {
    const MutexLock lock(mutex_);
    if (dictionaries_[field] != nullptr) return dictionaries_[field];
  }
  // Two threads may load it; the first one's is kept.
  BRAID_ASSIGN(auto loaded, load_dictionary(field));
  const MutexLock lock(mutex_);
  if (dictionaries_[field] == nullptr) dictionaries_[field] = std::move(loaded);
  return dictionaries_[field];
}

Status ChunkReader::decode_times_of(const BlockEntry& block, std::string_view stripe, std::vector<int64_t>& out) const {
  if (stripe_checksum(stripe) != block.times.checksum) return damaged("checksum of a time stripe differs");
  if (!decode_times(stripe, block.rows, out)) return damaged("damaged time stripe");
  if (out.front() != block.time_min || out.back() != block.time_max)
    return damaged("times of a block do not agree with its footer entry");
  return Status();
}

Status ChunkReader::decode_field(const BlockEntry& block, size_t field, std::string_view stripe, PointColumn& out) const {
  if (stripe_checksum(stripe) != footer_.columns[block.columns_start + field].checksum)
    return damaged("checksum of a column stripe differs");
  BRAID_ASSIGN(const auto texts, dictionary(field));
  if (!decode_column(stripe, block.rows, out, texts)) return damaged("damaged column stripe");
  return Status();
}

Status ChunkReader::read_times(const BlockEntry& block, std::vector<int64_t>& out) const {
  std::string stripe;
  BRAID_TRY(file_->read(block.offset, block.times.size_bytes, stripe));
  return decode_times_of(block, stripe, out);
}

Status ChunkReader::decode_deleted(const BlockEntry& block, std::string_view stripe,
                                   std::vector<uint8_t>& out) const {
  out.clear();
  if (!block.has_deleted()) return Status();
  if (stripe_checksum(stripe) != block.deleted.checksum)
    return damaged("checksum of a stripe of deleted rows differs");
  out.resize(block.rows);
  ByteReader in(stripe);
  if (!read_bitmap(in, out) || !in.done() ||
      std::count(out.begin(), out.end(), 1) != static_cast<ptrdiff_t>(block.deleted_rows))
    return damaged("damaged stripe of deleted rows");
  return Status();
}

Status ChunkReader::read_deleted(const BlockEntry& block, std::vector<uint8_t>& out) const {
  std::string stripe;
  if (block.has_deleted())
    BRAID_TRY(file_->read(block.offset + block.times.size_bytes, block.deleted.size_bytes, stripe));
  return decode_deleted(block, stripe, out);
}

/// Stripes that lie one after another, or with little between them, are read at once.
class ChunkReader::StripeReader {
 public:
  StripeReader(const ReadableFile& file, std::string& bytes) : file_(file), bytes_(bytes) {}

  /// In the order of the file.
  void want(uint64_t offset, size_t size_bytes) { wanted_.push_back({offset, size_bytes}); }
  /// The next of them; valid until the next call.
  Result<std::string_view> next() {
    const Stripe& stripe = wanted_[at_];
    if (at_ == read_limit_) {
      start_ = stripe.offset;
      uint64_t limit = start_;
      for (; read_limit_ < wanted_.size() && wanted_[read_limit_].offset <= limit + kGapBytesMax; ++read_limit_)
        limit = wanted_[read_limit_].offset + wanted_[read_limit_].size_bytes;
      BRAID_TRY(file_.read(start_, limit - start_, bytes_));
    }
    ++at_;
    return std::string_view(bytes_).substr(stripe.offset - start_, stripe.size_bytes);
  }

 private:
  static constexpr uint64_t kGapBytesMax = 4096;  // copying so many takes less time than a call
  struct Stripe {
    uint64_t offset;
    size_t size_bytes;
  };
  const ReadableFile& file_;
  std::string& bytes_;
  std::vector<Stripe> wanted_;
  size_t at_ = 0;
  size_t read_limit_ = 0;
  uint64_t start_ = 0;
};

Status ChunkReader::read_block(const BlockEntry& block, const std::vector<bool>& fields,
                               PointBlock& out) const {
  const auto asked = [&](size_t field) { return fields.empty() || (field < fields.size() && fields[field]); };
  const size_t field_count = footer_.types.size();
  StripeReader stripes(*file_, out.stripes);
  stripes.want(block.offset, block.times.size_bytes + block.deleted.size_bytes);
  out.columns.resize(field_count);
  uint64_t offset = block.columns_offset();
  for (size_t i = 0; i < field_count; ++i) {
    PointColumn& column = out.columns[i];
    // A column of the same type is overwritten, which is faster than to clear and to grow it.
    if (!asked(i) || column.type != footer_.types[i]) column.clear();
    column.type = footer_.types[i];
    column.loaded = false;
    const size_t size_bytes = footer_.columns[block.columns_start + i].size_bytes;
    if (asked(i)) stripes.want(offset, size_bytes);
    offset += size_bytes;
  }
  BRAID_ASSIGN(const std::string_view rows, stripes.next());
  BRAID_TRY(decode_times_of(block, rows.substr(0, block.times.size_bytes), out.times));
  BRAID_TRY(decode_deleted(block, rows.substr(block.times.size_bytes), out.deleted));
  for (size_t i = 0; i < field_count; ++i) {
    if (!asked(i)) continue;
    BRAID_ASSIGN(const std::string_view stripe, stripes.next());
    BRAID_TRY(decode_field(block, i, stripe, out.columns[i]));
  }
  return Status();
}

}  // namespace braid
