#include "timeseries/series_checkpoint.h"

#include <algorithm>

#include "timeseries/series_seal.h"

namespace braid {
namespace {

/// Has everything in the chunk been deleted since its rows were frozen?
bool is_gone(const CatalogState& state, const ChunkDefinition& chunk) {
  return std::any_of(state.deletions.begin(), state.deletions.end(), [&](const auto& entry) {
    const RangeDeletion& deletion = *entry.second;
    return deletion.touches(chunk) && deletion.series.empty() && deletion.range.start <= chunk.time_min &&
           chunk.time_max < deletion.range.limit;
  });
}

/// Deletions that reach no chunk any more have nothing to hide: those that were committed before a
/// chunk was made have been applied to it, and no other checkpoint or compaction is about to add one
/// that is older.
void remove_idle_deletions(CatalogWriter& catalog) {
  std::vector<DeletionId> idle;
  const CatalogState& state = catalog.state();
  for (const auto& [id, deletion] : state.deletions) {
    const bool touches = std::any_of(state.chunks.begin(), state.chunks.end(), [&](const auto& chunk) {
      return deletion->touches(chunk.second);
    });
    if (!touches) idle.push_back(id);
  }
  for (const DeletionId id : idle) catalog.remove_deletion(id);
}

}  // namespace

SeriesCheckpoint::SeriesCheckpoint(Lsn newest, std::shared_ptr<const CatalogState> state,
                                   std::shared_ptr<const TailSet> tail, uint64_t relog_rows_max)
    : newest_(newest), state_(std::move(state)) {
  for (const auto& [id, table] : tail->tables) {
    const uint64_t rows = table.rows();
    if (rows == 0 || !state_->hypertables.contains(id)) continue;
    if (rows <= relog_rows_max) {
      relogging_.push_back(id);
      continue;
    }
    for (const auto& segment : table.segments) segment->freeze();
    sealing_.tables[id] = table;
  }
}

Status SeriesCheckpoint::write(ChunkFiles& files, const std::function<ChunkId()>& next_id) {
  std::vector<ChunkDefinition> chunks;
  Status status;
  for (const auto& [id, table] : sealing_.tables) {
    status = seal_table(files, {state_->hypertables.at(id), table, state_->chunks, newest_}, next_id, chunks);
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
  for (const HypertableId id : relogging_) {
    const auto definition = tables.find(id);
    const TailTable* table = tail.find(id);
    if (definition != tables.end() && table != nullptr)
      add_runs({definition->second, *table, catalog.state().chunks, newest_}, record.series.runs);
  }
  remove_idle_deletions(catalog);
  if (!record.series.runs.empty()) record.series.relogged = true;
  catalog.set_series_watermark(newest_);
}

std::shared_ptr<const TailSet> SeriesCheckpoint::without_sealed(const TailSet& tail) const {
  auto out = std::make_shared<TailSet>(tail);  // shared: by the store and every view made from it
  for (const auto& [id, sealed] : sealing_.tables) {
    const auto table = out->tables.find(id);
    if (table == out->tables.end()) continue;
    std::erase_if(table->second.segments, [&](const auto& segment) {
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
