#include "timeseries/chunk_writer.h"

#include <algorithm>

#include "engine/check.h"
#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/column_codec.h"

namespace braid {
namespace {

constexpr size_t kFlushBytes = 1 << 20;

size_t text_bytes(const PointBlock& points, size_t row) {
  size_t bytes = 0;
  for (const PointColumn& column : points.columns) {
    if (!column.texts.empty()) bytes += column.texts[row].size();
  }
  return bytes;
}

size_t block_rows(const PointBlock& points, size_t start) {
  const size_t limit = std::min(points.times.size(), start + kBlockRowsMax);
  size_t bytes = 0;
  for (size_t row = start; row < limit; ++row) {
    bytes += text_bytes(points, row);
    if (bytes >= kBlockTextBytes) return row + 1 - start;
  }
  return limit - start;
}

}  // namespace

ChunkWriter::ChunkWriter(std::unique_ptr<WritableFile> file, std::span<const FieldDefinition> fields,
                         const ChunkWriterOptions& options)
    : file_(std::move(file)), options_(options), dictionaries_(fields.size()) {
  for (const FieldDefinition& field : fields) {
    footer_.types.push_back(field.type);
    footer_.fields.push_back(field.id);
  }
  footer_.dictionaries.resize(footer_.types.size());
}

Result<std::unique_ptr<ChunkWriter>> ChunkWriter::create(Env& env, const std::string& path,
                                                         const ChunkHeader& header,
                                                         std::span<const FieldDefinition> fields,
                                                         const ChunkWriterOptions& options) {
  BRAID_ASSIGN(std::unique_ptr<WritableFile> file, env.create(path));
  std::unique_ptr<ChunkWriter> writer(new ChunkWriter(std::move(file), fields, options));
  writer->buffer_ = encode_chunk_header(header);
  return writer;
}

Status ChunkWriter::add(SeriesId series, const PointBlock& points) {
  for (size_t start = 0; start < points.times.size();) {
    const size_t count = block_rows(points, start);
    BRAID_TRY(add_block(series, points, start, count));
    start += count;
  }
  return Status();
}

StripeEntry ChunkWriter::end_stripe(size_t stripe_start) {
  const std::string_view stripe = std::string_view(buffer_).substr(stripe_start);
  return {static_cast<uint32_t>(stripe.size()), stripe_checksum(stripe)};
}

Status ChunkWriter::add_block(SeriesId series, const PointBlock& points, size_t start,
                              size_t count) {
  BlockEntry block;
  block.series = series;
  block.rows = static_cast<uint32_t>(count);
  block.time_min = points.times[start];
  block.time_max = points.times[start + count - 1];
  block.offset = flushed_bytes_ + buffer_.size();
  block.columns_start = footer_.columns.size();
  block.statistics_start = footer_.statistics.size();
  const size_t block_start = buffer_.size();
  encode_times(std::span(points.times).subspan(start, count), buffer_, {.compress = options_.compress});
  block.times = end_stripe(block_start);
  const auto deleted = std::span(points.deleted);
  if (!deleted.empty()) {
    const auto of_block = deleted.subspan(start, count);
    block.deleted_rows = static_cast<uint32_t>(std::count(of_block.begin(), of_block.end(), 1));
    const size_t stripe_start = buffer_.size();
    if (block.has_deleted()) {
      append_bitmap(buffer_, of_block);
      block.deleted = end_stripe(stripe_start);
    }
  }
  for (size_t i = 0; i < points.columns.size(); ++i) {
    const PointColumn& column = points.columns[i];
    const size_t stripe_start = buffer_.size();
    encode_column(column, start, count, buffer_, {.compress = options_.compress, .dictionary = &dictionaries_[i]});
    footer_.columns.push_back(end_stripe(stripe_start));
    if (block.has_statistics()) footer_.statistics.push_back(statistics_of(column, start, count, deleted));
  }
  if (buffer_.size() - block_start > UINT32_MAX)
    return Status(StatusCode::kLimit, "a block of more than 4 GiB cannot be sealed");
  block.size_bytes = static_cast<uint32_t>(buffer_.size() - block_start);
  if (written_.rows == 0) written_.time_min = written_.time_max = block.time_min;
  written_.time_min = std::min(written_.time_min, block.time_min);
  written_.time_max = std::max(written_.time_max, block.time_max);
  written_.rows += count;
  written_.deleted_rows += block.deleted_rows;
  footer_.blocks.push_back(block);
  return buffer_.size() >= kFlushBytes ? flush() : Status();
}

Status ChunkWriter::flush() {
  BRAID_TRY(file_->append(buffer_));
  flushed_bytes_ += buffer_.size();
  buffer_.clear();
  return Status();
}

void ChunkWriter::add_dictionaries() {
  footer_.dictionaries_offset = flushed_bytes_ + buffer_.size();
  for (size_t i = 0; i < dictionaries_.size(); ++i) {
    if (dictionaries_[i].empty()) continue;
    const size_t start = buffer_.size();
    dictionaries_[i].encode(buffer_);
    footer_.dictionaries[i] = end_stripe(start);
  }
}

Result<WrittenChunk> ChunkWriter::finish() {
  add_dictionaries();
  ChunkTrailer trailer;
  trailer.footer_offset = flushed_bytes_ + buffer_.size();
  const std::string footer = encode_chunk_footer(footer_);
  trailer.footer_size_bytes = footer.size();
  trailer.footer_checksum = stripe_checksum(footer);
  buffer_.append(footer);
  buffer_.append(encode_chunk_trailer(trailer));
  BRAID_TRY(flush());
  BRAID_TRY(file_->sync());
  written_.size_bytes = flushed_bytes_;
  return written_;
}

}  // namespace braid
