// Reads one chunk file: the footer once, then single blocks, only the columns asked for, and a field's dictionary when the field
// is first asked for. Every stripe's checksum is verified. Threads: all members may be called from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/env.h"
#include "engine/mutex.h"
#include "timeseries/chunk_format.h"
#include "timeseries/codecs/text_dictionary.h"

namespace braid {

/// The blocks of one series, as numbers in ChunkFooter::blocks.
struct SeriesBlocks {
  SeriesId series;
  uint32_t start = 0;
  uint32_t limit = 0;
};

class ChunkReader {
 public:
  static Result<std::shared_ptr<const ChunkReader>> open(Env& env, const std::string& path);

  const ChunkHeader& header() const { return header_; }
  const ChunkFooter& footer() const { return footer_; }
  uint64_t size_bytes() const { return file_->size_bytes(); }

  /// All series of the chunk, ascending.
  std::span<const SeriesBlocks> series() const { return series_; }
  /// The blocks of one series, by time; as a part of footer().blocks.
  std::span<const BlockEntry> blocks_of(SeriesId series) const;
  /// Fills `out` with the block's times and the fields asked for (by field index; empty means all).
  Status read_block(const BlockEntry& block, const std::vector<bool>& fields,
                    PointBlock& out) const;
  Status read_times(const BlockEntry& block, std::vector<int64_t>& out) const;
  /// As PointBlock::deleted.
  Status read_deleted(const BlockEntry& block, std::vector<uint8_t>& out) const;

 private:
  class StripeReader;
  ChunkReader() = default;
  Status load();
  Status decode_times_of(const BlockEntry& block, std::string_view stripe, std::vector<int64_t>& out) const;
  Status decode_deleted(const BlockEntry& block, std::string_view stripe,
                        std::vector<uint8_t>& out) const;
  Status decode_field(const BlockEntry& block, size_t field, std::string_view stripe, PointColumn& out) const;
  Result<std::shared_ptr<const TextDictionary>> dictionary(size_t field) const;
  Result<std::shared_ptr<const TextDictionary>> load_dictionary(size_t field) const;
  Status damaged(std::string_view what) const;

  std::unique_ptr<ReadableFile> file_;
  ChunkHeader header_;
  ChunkFooter footer_;
  std::vector<SeriesBlocks> series_;  // derived from the footer
  mutable Mutex mutex_;  // a leaf
  /// One per field, shared with the columns that point into it; null until it is asked for.
  mutable std::vector<std::shared_ptr<const TextDictionary>> dictionaries_ BRAID_GUARDED_BY(mutex_);
};

}  // namespace braid
