#include "timeseries/chunk_salvage.h"

#include <fmt/format.h>

#include "timeseries/chunk_reader.h"
#include "timeseries/chunk_writer.h"

namespace braid {

namespace {

/// Whether every block can be read; counts those that cannot.
bool all_read(const ChunkReader& reader, uint64_t& blocks, uint64_t& rows) {
  PointBlock points;
  for (const BlockEntry& block : reader.footer().blocks) {
    if (reader.read_block(block, {}, points).ok()) continue;
    ++blocks;
    rows += block.rows;
  }
  return blocks == 0;
}

Result<WrittenChunk> write_readable(Env& env, const ChunkReader& reader, const std::string& target) {
  const ChunkFooter& footer = reader.footer();
  std::vector<FieldDefinition> fields;
  for (size_t i = 0; i < footer.fields.size(); ++i) fields.push_back({.name = {}, .type = footer.types[i], .id = footer.fields[i]});
  BRAID_ASSIGN(const auto writer, ChunkWriter::create(env, target, reader.header(), fields));
  PointBlock points;
  for (const BlockEntry& block : footer.blocks)
    if (reader.read_block(block, {}, points).ok()) BRAID_TRY(writer->add(block.series, points));
  return writer->finish();
}

}  // namespace

Result<SalvagedChunk> salvage_chunk(Env& env, const ChunkDefinition& chunk, const std::string& uuid, const std::string& source, const std::string& target) {
  SalvagedChunk out;
  auto reader = env.exists(source) ? ChunkReader::open(env, source) : Status(StatusCode::kCorrupt, source + ": the file of a chunk is missing");
  if (reader.ok()) {
    const ChunkHeader& header = (*reader)->header();
    if (header.uuid != uuid || header.chunk != chunk.id || header.hypertable != chunk.hypertable)
      reader = Status(StatusCode::kCorrupt, source + ": the file is not the chunk that the catalogue names");
  }
  if (!reader.ok()) {
    out.loss = fmt::format("{}; its {} points are lost", reader.status().message(), chunk.rows);
    return out;
  }
  uint64_t blocks = 0;
  uint64_t rows = 0;
  out.whole = all_read(**reader, blocks, rows);
  out.definition = chunk;
  if (out.whole) return out;
  out.loss = fmt::format("{}: {} of {} blocks are damaged; {} points are lost", source, blocks, (*reader)->footer().blocks.size(), rows);
  if (blocks == (*reader)->footer().blocks.size()) {
    out.definition.reset();
    return out;
  }
  BRAID_ASSIGN(const WrittenChunk written, write_readable(env, **reader, target));
  out.definition->rows = written.rows;
  out.definition->deleted_rows = written.deleted_rows;
  out.definition->size_bytes = written.size_bytes;
  out.definition->time_min = Timestamp(written.time_min);
  out.definition->time_max = Timestamp(written.time_max);
  out.definition->compressed = false;
  return out;
}

}  // namespace braid
