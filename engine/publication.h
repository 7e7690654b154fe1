// A commit on its way to the readers: what was staged becomes part of the stores, then a new version is installed.
#pragma once

#include <array>
#include <memory>

#include "engine/catalog.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/version.h"

namespace braid {

class Engine;

/// Made after COMMIT. Threads: the holder of the writer slot.
class Publication {
 public:
  using Writers = std::array<std::unique_ptr<StoreWriter>, kStoreCount>;
  /// On top of `base`, the newest version. `checkpointing`: with the checkpoint whose transaction it is.
  Publication(Lsn lsn, std::shared_ptr<const Version> base, std::unique_ptr<CatalogWriter> catalog, Writers writers, bool checkpointing)
      : lsn_(lsn), base_(std::move(base)), catalog_(std::move(catalog)), writers_(std::move(writers)), checkpointing_(checkpointing) {}
  Publication(Publication&&) = default;

  Lsn lsn() const { return lsn_; }
  /// Ok once readers may see the commit. After a failure it may be called again, and goes on with the store that failed.
  Status run(Engine& engine);
  /// Whether a failure for want of disk space may be tried again.
  bool may_wait() const { return !checkpointing_; }
  /// Keeps what is reserved for what was staged as long as this lives.
  void hold(MemoryShare memory) { memory_ = std::move(memory); }

 private:
  void add_names(Engine& engine) const;
  Status publish_store(Engine& engine, size_t index);

  const Lsn lsn_;
  std::shared_ptr<const Version> base_;  // shared: with those who read it
  std::unique_ptr<CatalogWriter> catalog_;
  Writers writers_;
  const bool checkpointing_;
  MemoryShare memory_;
  std::shared_ptr<Version> next_;  // shared with its readers once it is installed
  size_t published_ = 0;           // stores that are done
};

}  // namespace braid
