// Reads that a batch makes in its own thread while another one writes. When its turn comes, what was read is good if no commit has changed
// it since, which RecentChanges tells without reading.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store.h"
#include "graph/key_format.h"

namespace braid {

/// The publish that last changed a key, by the key's hash: another key with the same hash counts as a change of this one. Threads: the
/// holder of the writer slot.
class RecentChanges {
 public:
  RecentChanges() : changed_(kSlots, 0) {}

  /// How many publishes there were.
  uint64_t sequence() const { return sequence_; }
  void begin_publish() { ++sequence_; }
  /// Everything counts as changed: for a publish of very many keys.
  void note_all() { all_changed_ = sequence_; }
  static constexpr size_t kKeysNotedMax = 1024;
  void note(Family family, std::string_view key) { changed_[slot(family, key)] = sequence_; }
  bool unchanged_since(uint64_t sequence, Family family, std::string_view key) const {
    return all_changed_ <= sequence && changed_[slot(family, key)] <= sequence;
  }

 private:
  static constexpr size_t kSlots = 16384;
  static size_t slot(Family family, std::string_view key) {
    return (std::hash<std::string_view>()(key) + static_cast<size_t>(family)) % kSlots;
  }

  std::vector<uint64_t> changed_;
  uint64_t sequence_ = 0;
  uint64_t all_changed_ = 0;
};

/// What creating an edge needs to know of one end.
struct EndAhead {
  std::optional<std::string> head;  ///< of the list that the edge enters; none: there is no list yet
  bool exists = false;              ///< without a list: whether the node exists
};

struct EdgeAhead {
  uint64_t sequence = 0;  ///< of the view that was read
  EndAhead source;
  EndAhead target;
};

/// Reads under `view`. Nothing when it cannot be read: the edge then reads for itself, and says what is wrong. Threads: any.
std::optional<EdgeAhead> read_edge_ahead(const StoreView& view, NodeId source, TypeId type, NodeId target);

}  // namespace braid
