#include "timeseries/series_checkpoint.h"

#include <algorithm>

#include "timeseries/chunk_interval.h"
#include "timeseries/series_seal.h"

namespace braid {
namespace {

uint64_t bytes_of(const TailTable& table) {
  uint64_t bytes = 0;
  for (const auto& segment : table.segments) bytes += segment->bytes();
  return bytes;
}

/// Has everything in the chunk been deleted since its rows were frozen?
bool is_gone(const CatalogState& state, const ChunkDefinition& chunk) {
  return std::any_of(state.deletions.begin(), state.deletions.end(), [&](const auto& entry) {
    const RangeDeletion& deletion = *entry.second;
    return deletion.touches(chunk) && deletion.series.empty() && deletion.range.start <= chunk.time_min &&
           chunk.time_max < deletion.range.limit;
  });
}

/// Deletions that reach no chunk any more have nothing to hide. Only a checkpoint may say so: what it
/// is about to add would be missing from the catalogue for anyone else.
void remove_idle_deletions(CatalogWriter& catalog) {
  std::vector<DeletionId> idle;
  const CatalogState& state = catalog.state();
  for (const auto& [id, deletion] : state.deletions) {
    const bool touches = std::any_of(state.chunks.begin(), state.chunks.end(), [&, &deletion = deletion](const auto& chunk) {
      return deletion->touches(chunk.second);
    });
    if (!touches) idle.push_back(id);
  }
  for (const DeletionId id : idle) catalog.remove_deletion(id);
}

/// The unsealed points tell how wide the first intervals of a table should be that adapts.
HypertableDefinition with_first_width(HypertableDefinition table, const TailTable& tail, const std::map<ChunkId, ChunkDefinition>& chunks) {
  constexpr uint64_t kBytesPerRow = 16;  // a guess, until there are chunks
  const auto of_table = [&](const auto& chunk) { return chunk.second.hypertable == table.id; };
  if (!table.adapts_interval || std::any_of(chunks.begin(), chunks.end(), of_table)) return table;
  int64_t first = INT64_MAX;
  int64_t last = INT64_MIN;
  for (const auto& segment : tail.segments) {
    first = std::min(first, segment->time_min());
    last = std::max(last, segment->time_max());
  }
  int64_t span;
  if (last <= first || __builtin_sub_overflow(last, first, &span)) return table;
  table.chunk_interval_us = width_for({.rows = tail.rows(), .size_bytes = tail.rows() * kBytesPerRow, .span_us = span});
  return table;
}

/// New intervals get another width when the chunks tell that it should be at most half or at least twice what it is.
void adapt_width(const HypertableDefinition& sealed, CatalogWriter& catalog) {
  const auto found = catalog.state().hypertables.find(sealed.id);
  if (found == catalog.state().hypertables.end() || !found->second.adapts_interval || !sealed.adapts_interval) return;
  HypertableDefinition table = found->second;
  int64_t width = sealed.chunk_interval_us;
  if (const auto rate = newest_rate(table.id, catalog.state().chunks)) {
    const int64_t wanted = width_for(*rate);
    if (wanted >= width * 2 || wanted * 2 <= width) width = wanted;
  }
  if (width == table.chunk_interval_us) return;
  table.chunk_interval_us = width;
  catalog.put_hypertable(std::move(table));
}

void remove_gone_chunks(CatalogWriter& catalog) {
  std::vector<ChunkId> gone;
  for (const auto& [id, chunk] : catalog.state().chunks) {
    if (is_gone(catalog.state(), chunk)) gone.push_back(id);
  }
  for (const ChunkId id : gone) catalog.remove_chunk(id);
}

}  // namespace

SeriesCheckpoint::SeriesCheckpoint(Lsn newest, std::shared_ptr<const CatalogState> state,
                                   std::shared_ptr<const TailSet> tail, const RelogBounds& relog)
    : newest_(newest), state_(std::move(state)) {
  uint64_t relogged_bytes = 0;
  for (const auto& [id, table] : tail->tables) {
    const uint64_t rows = table.rows();
    if (rows == 0 || !state_->hypertables.contains(id)) continue;
    // What is logged again stays in the tail, and with it the deletions that hide parts of it.
    constexpr size_t kDeletionsKept = 64;
    // It takes memory on, too: where that is much, the next commit would ask for a checkpoint again.
    const uint64_t bytes = bytes_of(table);
    if (rows <= relog.rows_max && bytes <= relog.bytes_max - relogged_bytes && table.deletions.size() <= kDeletionsKept) {
      relogged_bytes += bytes;
      relogging_.push_back(id);
      continue;
    }
    for (const auto& segment : table.segments) segment->freeze();
    sealing_.tables[id] = table;
    tables_[id] = with_first_width(state_->hypertables.at(id), table, state_->chunks);
  }
}

Status SeriesCheckpoint::write(ChunkFiles& files, const std::function<ChunkId()>& next_id) {
  std::vector<ChunkDefinition> chunks;
  Status status;
  for (const auto& [id, table] : sealing_.tables) {
    status = seal_table(files, {tables_.at(id), table, state_->chunks, newest_}, next_id, chunks);
    if (!status.ok()) break;
  }
  for (const ChunkDefinition& chunk : chunks) files_.push_back({chunk});
  if (!status.ok() || files_.empty()) return status;
  return files.env().sync_directory(files.directory());
}

void SeriesCheckpoint::install(const TailSet& tail, CatalogWriter& catalog, CommitRecord& record) {
  const auto& tables = catalog.state().hypertables;
  for (File& file : files_) {
    if (!tables.contains(file.chunk.hypertable) || is_gone(catalog.state(), file.chunk)) continue;
    catalog.add_chunk(file.chunk);
    file.installed = true;
    // The counter in the catalog keeps the ids from being given again after a reopen.
    while (catalog.counters().next_chunk <= file.chunk.id.value()) catalog.reserve_chunk_id();
  }
  for (const auto& [id, sealed] : tables_) adapt_width(sealed, catalog);
  RunEncoder runs(record.series.runs);
  for (const HypertableId id : relogging_) {
    const auto definition = tables.find(id);
    const TailTable* table = tail.find(id);
    if (definition != tables.end() && table != nullptr)
      add_runs({definition->second, *table, catalog.state().chunks, newest_}, runs);
  }
  remove_gone_chunks(catalog);
  remove_idle_deletions(catalog);
  if (!record.series.runs.empty()) record.series.relogged = true;
  catalog.set_series_watermark(newest_);
}

std::shared_ptr<const TailSet> SeriesCheckpoint::without_sealed(const TailSet& tail) const {
  auto out = std::make_shared<TailSet>(tail);  // shared: by the store and every view made from it
  for (const auto& [id, sealed] : sealing_.tables) {
    const auto table = out->tables.find(id);
    if (table == out->tables.end()) continue;
    std::erase_if(table->second.segments, [&sealed = sealed](const auto& segment) {
      return std::find(sealed.segments.begin(), sealed.segments.end(), segment) !=
             sealed.segments.end();
    });
    // Rows that remain are newer than the frozen LSN, so older deletions hide nothing any more.
    std::erase_if(table->second.deletions, [&](const auto& deletion) { return deletion->lsn <= newest_; });
  }
  // Without rows there is nothing to hide.
  std::erase_if(out->tables, [](const auto& table) { return table.second.segments.empty(); });
  return out;
}

uint64_t SeriesCheckpoint::rows_sealed() const {
  uint64_t rows = 0;
  for (const File& file : files_) rows += file.installed ? file.chunk.rows : 0;
  return rows;
}

void SeriesCheckpoint::remove_files(ChunkFiles& files, bool installed) const {
  for (const File& file : files_) {
    if (!installed || !file.installed) files.remove(file.chunk.id);
  }
}

}  // namespace braid
