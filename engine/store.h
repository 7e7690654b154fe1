// What a store offers to the engine. The graph and the time series each implement these three classes; the engine never
// includes a header of theirs.
//
// Life of a write: `Store::begin` → changes staged on the StoreWriter (mark and rollback_to follow SQLite's savepoints) →
// `take_changes` fills the record → SQLite commits → `publish` → `view` makes what readers of the new version hold.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// A store's part of a pinned version: immutable, readable from any thread, released when the last holder goes.
class StoreView {
 public:
  virtual ~StoreView() = default;
};

/// A store's part of one write transaction. One thread at a time.
class StoreWriter {
 public:
  virtual ~StoreWriter() = default;
  /// A position to which `rollback_to` can return; later marks are gone then.
  virtual uint64_t mark() = 0;
  virtual void rollback_to(uint64_t mark) = 0;
  /// Memory held by what is staged, for the limit on a transaction's size.
  virtual uint64_t staged_bytes() const = 0;
  /// Moves the changes staged since the last call into `record`. In a group this is called once per member.
  virtual void take_changes(CommitRecord& record) = 0;
};

/// Usage figures, named as they are printed by `stats`.
struct StoreFigure {
  std::string name;
  std::string unit;
  int64_t value = 0;
  bool is_counter = false;  ///< it only grows while the database is open
};

/// Work of a store that puts in order what it keeps: written beside writers, installed by a transaction of its own.
class StoreRewrite {
 public:
  virtual ~StoreRewrite() = default;
  /// Without the slot: a bounded part of the work. False once everything is written and synced.
  virtual Result<bool> write_some() = 0;
  /// In a write transaction. False when what it stands on is gone, so that it is given up.
  virtual bool install(CatalogWriter& catalog) = 0;
  /// After that transaction is durable (`committed`), or the work was given up.
  virtual void end(bool committed) = 0;
};

/// What is to be put in order.
struct RewriteWish {
  std::optional<HypertableId> table{};  ///< everything of one hypertable; none: what is worth it, of all
  Timestamp before = TimeRange{}.limit; ///< chunks whose interval ends by then
  bool compress = false;                ///< smaller files, which take longer to read; with a hypertable
};

class Store {
 public:
  virtual ~Store() = default;

  /// Starts staging on top of `base`, this store's newest view. The catalog writer outlives the store writer.
  virtual std::unique_ptr<StoreWriter> begin(std::shared_ptr<const StoreView> base, CatalogWriter& catalog) = 0;
  /// Before COMMIT: an error here rolls the transaction back cleanly.
  virtual Status admit() = 0;
  /// After COMMIT, holding the writer slot: makes the staged changes part of the store at `lsn`.
  virtual Status publish(StoreWriter& writer, Lsn lsn) = 0;
  /// The view of the newest published state. `state` is the catalog at the same LSN.
  virtual Result<std::shared_ptr<const StoreView>> view(std::shared_ptr<const CatalogState> state) = 0;

  /// Recovery: the LSN up to which the store needs no record; replay starts at the next one.
  virtual Lsn durable_marker() = 0;
  /// Applies a record to whatever part of the store is behind `lsn`; twice changes nothing.
  virtual Status replay(const CommitRecord& record, Lsn lsn) = 0;

  /// Checkpoint, in four steps. 1: with the slot held, at the newest published LSN; short.
  virtual Status checkpoint_begin(Lsn published) = 0;
  /// 2: without the slot; long (flushes families, writes and syncs chunk files).
  virtual Status checkpoint_write() = 0;
  /// 3: inside a write transaction that holds the slot: catalogue rows, and points to log again.
  virtual Status checkpoint_install(CatalogWriter& catalog, CommitRecord& record) = 0;
  /// 4: after that transaction is durable (`committed`) or was given up; before its view is made.
  virtual void checkpoint_end(bool committed) = 0;

  /// The next rewrite that is wished for: one that is worth it, or, with a hypertable, any that leaves it in better order; null when nothing is to do. With the slot
  /// held, and no checkpoint under way.
  virtual std::unique_ptr<StoreRewrite> begin_rewrite(const RewriteWish& wish);

  virtual std::vector<StoreFigure> figures() = 0;
  /// Adds one line per damage found to `problems`; `view` is this store's view to check.
  virtual Status check(const StoreView& view, std::vector<std::string>& problems) = 0;
};

inline std::unique_ptr<StoreRewrite> Store::begin_rewrite(const RewriteWish&) { return nullptr; }

}  // namespace braid
