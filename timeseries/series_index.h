// The committed series of hypertables by the values of their tags: a set of series for each value, intersected for conditions on several tags
// and united for IN, and of each series the number of each value, by which rollups group.
//
// Invariants: series are numbered from 0 in the order in which the catalogue got them, which is that of their ids. An older snapshot may be
// told of series that it has no points of.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/catalog.h"
#include "engine/mutex.h"
#include "engine/result.h"
#include "engine/store.h"
#include "timeseries/series_set.h"
#include "timeseries/tag_codec.h"

namespace braid {

/// What one tag may be.
struct TagConstraint {
  enum class Kind : uint8_t { kAny, kNotNull, kOneOf };
  Kind kind = Kind::kAny;
  std::span<const std::optional<std::string>> values;  ///< kOneOf; none of them twice
};

/// Series by the values of some of their tags.
struct SeriesGroups {
  std::vector<uint32_t> of_series;  ///< the group of each series that was asked for
  std::vector<TagValues> tags;      ///< of each group
};

/// Built when first asked for, and brought up to the catalogue each time. Threads: all members may be called from any thread.
class SeriesIndex {
 public:
  explicit SeriesIndex(const Catalog& catalog) : catalog_(catalog) {}
  SeriesIndex(const SeriesIndex&) = delete;
  SeriesIndex& operator=(const SeriesIndex&) = delete;

  /// Ascending.
  Result<std::vector<SeriesId>> all(const HypertableDefinition& table);
  /// Ascending ids of the series that meet one condition for each tag. kCorrupt for tags that cannot be read.
  Result<std::vector<SeriesId>> choose(const HypertableDefinition& table, std::span<const TagConstraint> conditions);
  /// Groups series, which ascend, by the tags `keys`. kNotFound when one is not committed.
  Result<SeriesGroups> group(const HypertableDefinition& table, std::span<const size_t> keys, std::span<const SeriesId> series);

 private:
  /// The series with one value; mostly there is one.
  struct ValueSeries {
    uint32_t first = 0;
    std::unique_ptr<SeriesSet> all;  // when there are several
  };
  struct Tag {
    std::deque<std::optional<std::string>> values;  // by number; they never move
    std::unordered_map<std::string_view, uint32_t> numbers;
    std::optional<uint32_t> null_number;
    std::vector<ValueSeries> series;                // by value
    std::vector<uint32_t> value_of;                 // by series
    SeriesSet not_null;
    std::optional<uint32_t> find(const std::optional<std::string>& value) const;
    void add(uint32_t series, std::optional<std::string> value);
    SeriesSet series_with(const TagConstraint& condition) const;
  };
  struct Table {
    SharedMutex mutex;
    std::vector<SeriesId> ids BRAID_GUARDED_BY(mutex);
    std::deque<Tag> tags BRAID_GUARDED_BY(mutex);  // which never move
    Status damage BRAID_GUARDED_BY(mutex);
  };
  Table& table(HypertableId id);
  /// The table with all series that are committed.
  Result<Table*> current(const HypertableDefinition& table);
  static Status add(Table& to, SeriesId series, std::string_view encoded, size_t tag_count) BRAID_REQUIRES(to.mutex);

  const Catalog& catalog_;  // synchronises itself
  Mutex mutex_;             // a leaf
  std::unordered_map<HypertableId, std::unique_ptr<Table>> tables_ BRAID_GUARDED_BY(mutex_);
};

/// The index of the store that made the view.
SeriesIndex& series_index(const StoreView& view);

}  // namespace braid
