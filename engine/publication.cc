#include "engine/publication.h"

#include "engine/engine.h"

namespace braid {

void Publication::add_names(Engine& engine) const {
  for (const CatalogWriter::Change& change : catalog_->changes()) {
    if (change.kind == CatalogWriter::Kind::kName)
      engine.catalog().add_name(static_cast<NameKind>(change.subkind), static_cast<uint32_t>(change.id), change.text);
    if (change.kind == CatalogWriter::Kind::kSeries)
      engine.catalog().add_series(HypertableId(static_cast<uint32_t>(change.owner)), SeriesId(change.id), change.text);
  }
}

Status Publication::publish_store(Engine& engine, size_t index) {
  Store& store = engine.store(static_cast<StoreKind>(index));
  const Status published = writers_[index] != nullptr ? store.publish(*writers_[index], lsn_) : Status();
  if (checkpointing_) store.checkpoint_end(true);
  BRAID_TRY(published);
  if (writers_[index] == nullptr && next_->catalog == base_->catalog && !checkpointing_) return {};
  BRAID_ASSIGN(next_->views[index], store.view(next_->catalog));
  return {};
}

Status Publication::run(Engine& engine) {
  if (next_ == nullptr) {
    auto next = std::make_shared<Version>(*base_);
    next->lsn = lsn_;
    next->catalog = catalog_->shared_state();
    next->counters = catalog_->counters();
    add_names(engine);
    next_ = std::move(next);
  }
  for (; published_ < kStoreCount; ++published_) BRAID_TRY(publish_store(engine, published_));
  engine.versions().install(std::move(next_));
  return {};
}

}  // namespace braid
