// Writes one chunk file from start to end. The file is real only once its catalogue row is
// committed.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/env.h"
#include "timeseries/chunk_format.h"
#include "timeseries/codecs/text_dictionary.h"

namespace braid {

struct WrittenChunk {
  uint64_t rows = 0;
  uint64_t deleted_rows = 0;
  uint64_t size_bytes = 0;
  int64_t time_min = 0;
  int64_t time_max = 0;
};

struct ChunkWriterOptions {
  /// Compresses each stripe by zstd where that saves a tenth: for chunks that are hardly read. Texts are compressed anyway.
  bool compress = false;
};

class ChunkWriter {
 public:
  /// `fields` has one definition per column of the blocks that will be added.
  static Result<std::unique_ptr<ChunkWriter>> create(Env& env, const std::string& path,
                                                     const ChunkHeader& header,
                                                     std::span<const FieldDefinition> fields,
                                                     const ChunkWriterOptions& options = {});

  /// Adds points of one series, in blocks of at most kBlockRowsMax rows. Times ascend strictly,
  /// also after those of the previous call for the same series; series ascend.
  Status add(SeriesId series, const PointBlock& points);
  /// Writes the footer and syncs the file; the caller syncs the directory.
  Result<WrittenChunk> finish();

 private:
  ChunkWriter(std::unique_ptr<WritableFile> file, std::span<const FieldDefinition> fields, const ChunkWriterOptions& options);
  void add_dictionaries();
  Status add_block(SeriesId series, const PointBlock& points, size_t start, size_t count);
  StripeEntry end_stripe(size_t stripe_start);
  Status flush();

  std::unique_ptr<WritableFile> file_;
  const ChunkWriterOptions options_;
  ChunkFooter footer_;
  std::vector<TextDictionaryBuilder> dictionaries_;  // one per field; used by texts only
  std::string buffer_;  // bytes after `flushed_bytes_`, not yet appended to the file
  uint64_t flushed_bytes_ = 0;
  WrittenChunk written_;
};

}  // namespace braid
