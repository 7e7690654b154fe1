// The time series' part of a pinned version.
#pragma once

#include <memory>

#include "engine/store.h"
#include "timeseries/chunk_set.h"
#include "timeseries/series_index.h"
#include "timeseries/tail.h"

namespace braid {

/// Immutable: cheap to make for each commit, since everything in it is shared and replaced only
/// when it changes.
class SeriesView final : public StoreView {
 public:
  SeriesView(Lsn lsn, std::shared_ptr<const CatalogState> state,
             std::shared_ptr<const TailSet> tail, std::shared_ptr<const ChunkSet> chunks,
             std::shared_ptr<SeriesIndex> index)
      : lsn_(lsn), state_(std::move(state)), tail_(std::move(tail)), chunks_(std::move(chunks)), index_(std::move(index)) {}

  Lsn lsn() const { return lsn_; }
  const CatalogState& state() const { return *state_; }
  const TailSet& tail() const { return *tail_; }
  const ChunkSet& chunks() const { return *chunks_; }
  SeriesIndex& index() const { return *index_; }

 private:
  const Lsn lsn_;
  const std::shared_ptr<const CatalogState> state_;
  const std::shared_ptr<const TailSet> tail_;
  const std::shared_ptr<const ChunkSet> chunks_;
  const std::shared_ptr<SeriesIndex> index_;  // synchronises itself
};

}  // namespace braid
