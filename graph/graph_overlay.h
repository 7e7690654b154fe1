// A write transaction's staged bytes on top of a base view, with undo.
//
// Every change happens inside an operation, which is kept or dropped as a whole; marks between
// operations can be returned to. Undo keeps a key's old bytes once per operation and, when the
// operation is kept, once per mark: a bulk load under one mark does not copy its blocks again and
// again.
// 1. Inside an operation, every key changed by it has its bytes from before the operation in
// its family's `operation_undo_`.
// 2. Outside, going back over `undo_` to a mark's size restores every entry as it was at that mark.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "graph/graph_store_view.h"
#include "graph/key_format.h"

namespace braid {

/// The bytes of one key; none: the key is removed.
using StagedBytes = std::optional<std::string>;

class GraphOverlay {
 public:
  struct Entry {
    StagedBytes bytes;
    uint32_t operation = 0;  // that changed it last
    uint32_t mark = 0;       // under which its old bytes are in undo_
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  explicit GraphOverlay(std::shared_ptr<const GraphStoreView> base);
  GraphOverlay(const GraphOverlay&) = delete;
  GraphOverlay& operator=(const GraphOverlay&) = delete;

  const GraphStoreView& base() const { return *base_; }
  const Entries& entries(Family family) const { return entries_[static_cast<size_t>(family)]; }
  /// Null when the key is not staged.
  const StagedBytes* find(Family family, std::string_view key) const;
  /// Memory held, undo included.
  uint64_t staged_bytes() const;

  /// Edits of one family in ascending order of keys, inside one operation: each finds its place from the one before, in what is staged and
  /// in the base. Threads: one for each family.
  class SortedEdits {
   public:
    SortedEdits(GraphOverlay& overlay, Family family);
    /// As the overlay's, of a key above that of the call before.
    Result<StagedBytes*> edit(std::string_view key);
    void put(std::string_view key, std::string value);
    void remove(std::string_view key);

   private:
    Entries::iterator touch(std::string_view key, bool& fresh);
    GraphOverlay& overlay_;
    const Family family_;
    Entries::iterator next_;  // after the key before
    std::unique_ptr<rocksdb::Iterator> base_;
    bool base_stands_ = false;
  };

  void begin_operation();
  /// Only inside an operation. The pointer lives until the next call that changes the overlay. `known`, which may be null, is what the
  /// base has under the key, where the caller knows it already.
  Result<StagedBytes*> edit(Family family, std::string_view key, const StagedBytes* known = nullptr);
  /// An entry that is there, to be changed as what `edit` answers.
  struct Found {
    std::string_view key;
    StagedBytes* bytes;
  };
  /// The entry with the greatest key at or below `key`, if that starts with `prefix`; it is then staged.
  Result<std::optional<Found>> edit_last_at_or_below(Family family, std::string_view prefix, std::string_view key);
  void put(Family family, std::string_view key, std::string value);
  void remove(Family family, std::string_view key);
  void end_operation(bool keep);

  /// Outside of operations: a position to return to.
  uint64_t mark();
  void rollback_to(uint64_t position);

  /// Where a reader stands: its scan is good for as long as nothing from before it was undone.
  struct Stamp {
    uint64_t position = 0;
    uint32_t mark = 0;
  };
  Stamp stamp() const;
  bool holds(const Stamp& stamp) const;
  /// Nothing is changed from here on: lets go of what only changes need.
  void finish();
  /// The transaction is gone without having been published.
  void abandon() { abandoned_ = true; }

 private:
  struct OperationUndo {
    Entries::iterator entry;
    std::unique_ptr<StagedBytes> before;  // null: the key was not staged
  };
  struct Undo {
    Entries::iterator entry;
    std::unique_ptr<StagedBytes> before;  // null: the key was not staged
    uint32_t mark_before;                 // the entry's
    uint32_t mark;                        // under which this was pushed
    Family family;
  };

  rocksdb::Iterator& base_iterator(Family family);
  Entries& entries_of(Family family) { return entries_[static_cast<size_t>(family)]; }
  bool in_operation() const;
  void end_operation_of(Family family, bool keep);
  /// The entry, with its old bytes among the family's undo of the operation. `fresh` tells that it was not staged. `entry` is the first at or above the key.
  Entries::iterator touch(Family family, std::string_view key, Entries::iterator entry, bool& fresh);
  Entries::iterator touch(Family family, std::string_view key, bool& fresh) {
    return touch(family, key, entries_of(family).lower_bound(key), fresh);
  }
  void restore(Family family, Entries::iterator entry, const StagedBytes* before);
  static uint64_t undo_bytes(const Undo& undo);
  static uint64_t entry_bytes(const Entries::value_type& entry);

  const std::shared_ptr<const GraphStoreView> base_;  // shared with the readers of the transaction
  // Made when first needed: making one costs far more than a seek. The base does not change, so that they stay good.
  std::unique_ptr<rocksdb::Iterator> base_iterators_[kFamilyCount];
  Entries entries_[kFamilyCount];
  std::vector<OperationUndo> operation_undo_[kFamilyCount];
  std::deque<Undo> undo_;
  uint32_t operation_ = 0;
  uint32_t mark_ = 1;  // never used twice
  bool abandoned_ = false;
  uint64_t staged_bytes_[kFamilyCount] = {};  // of entries_
  uint64_t undo_bytes_ = 0;
};

/// Ends its operation when it goes out of scope: kept only after `keep`.
class OverlayOperation {
 public:
  explicit OverlayOperation(GraphOverlay& overlay) : overlay_(overlay) {
    overlay_.begin_operation();
  }
  ~OverlayOperation() { overlay_.end_operation(keep_); }
  OverlayOperation(const OverlayOperation&) = delete;
  OverlayOperation& operator=(const OverlayOperation&) = delete;
  void keep() { keep_ = true; }

 private:
  GraphOverlay& overlay_;
  bool keep_ = false;
};

}  // namespace braid
