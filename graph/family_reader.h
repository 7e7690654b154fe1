// Reading one family: the base view with a transaction's staged bytes (if any) on top.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/result.h"
#include "graph/graph_overlay.h"
#include "graph/graph_store_view.h"
#include "graph/key_format.h"

namespace braid {

/// Bytes of one key, borrowed from the overlay or pinned in RocksDB; good until the overlay
/// changes.
class FoundBytes {
 public:
  bool found() const { return found_; }
  std::string_view bytes() const { return bytes_; }

 private:
  friend class FamilyReader;
  rocksdb::PinnableSlice pinned_;
  std::string_view bytes_;
  bool found_ = false;
};

/// A value that borrows what it reads from. `overlay` may be null.
class FamilyReader {
 public:
  FamilyReader(const GraphStoreView& base, const GraphOverlay* overlay)
      : base_(&base), overlay_(overlay) {}

  const GraphStoreView& base() const { return *base_; }
  const GraphOverlay* overlay() const { return overlay_; }

  Status get(Family family, std::string_view key, FoundBytes& out) const;
  /// The greatest key at or below `key` that starts with `prefix`, with its bytes.
  Result<std::optional<std::pair<std::string, std::string>>> last_at_or_below(
      Family family, std::string_view prefix, std::string_view key) const;

 private:
  const GraphStoreView* base_;
  const GraphOverlay* overlay_;
};

/// Keys that start with a prefix, in ascending order. The overlay must not change while a cursor is
/// used.
class FamilyCursor {
 public:
  /// `prefix` may be empty. The cursor stands nowhere until `seek`.
  FamilyCursor(const FamilyReader& reader, Family family, std::string prefix);
  FamilyCursor(const FamilyCursor&) = delete;
  FamilyCursor& operator=(const FamilyCursor&) = delete;

  /// To the first key at or above `key`, which is not below the prefix.
  void seek(std::string_view key);
  /// False at the end and after an error; see `status`.
  bool valid() const { return side_ != Side::kNone; }
  void next();
  std::string_view key() const;
  std::string_view bytes() const;
  Status status() const;

 private:
  enum class Side { kNone, kBase, kStaged };

  void settle();
  bool staged_valid() const;
  std::string_view base_key() const;

  const std::string prefix_;
  const std::string limit_;
  const rocksdb::Slice limit_slice_;
  const Family family_;
  const GraphOverlay::Entries* const entries_;  // null without an overlay
  std::unique_ptr<rocksdb::Iterator> base_;
  GraphOverlay::Entries::const_iterator staged_;
  Side side_ = Side::kNone;
};

/// Keys at or above a lower limit, in descending order. The overlay must not change while a cursor is
/// used.
class FamilyBackCursor {
 public:
  FamilyBackCursor(const FamilyReader& reader, Family family, std::string lower);
  FamilyBackCursor(const FamilyBackCursor&) = delete;
  FamilyBackCursor& operator=(const FamilyBackCursor&) = delete;

  /// To the last key below `key`.
  void seek_below(std::string_view key);
  /// False at the end and after an error; see `status`.
  bool valid() const { return side_ != Side::kNone; }
  void next();
  std::string_view key() const;
  Status status() const;

 private:
  enum class Side { kNone, kBase, kStaged };

  void settle();

  const std::string lower_;
  const Family family_;
  const GraphOverlay::Entries* const entries_;  // null without an overlay
  std::unique_ptr<rocksdb::Iterator> base_;
  GraphOverlay::Entries::const_iterator staged_;  // just after the staged key that is next
  Side side_ = Side::kNone;
};

}  // namespace braid
