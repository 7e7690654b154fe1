// Which series of a hypertable conditions on its tags choose.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/connection.h"
#include "timeseries/series_index.h"
#include "timeseries/tag_codec.h"

namespace braid {

/// The values that one tag may have: every one, unless it was restricted.
class TagChoice {
 public:
  bool restricted() const { return restricted_; }
  bool empty() const { return lists() && values_.empty(); }
  /// Ascending, NULL first. Meaningful when restricted, but not to "any but NULL".
  const std::vector<std::optional<std::string>>& values() const { return values_; }
  bool lists() const { return restricted_ && !not_null_; }

  void require(std::optional<std::string> value) { require_one_of({std::move(value)}); }
  void require_one_of(std::vector<std::optional<std::string>> values);
  void require_not_null();
  bool allows(const std::optional<std::string>& value) const;
  /// Valid as long as the choice.
  TagConstraint condition() const;

 private:
  bool restricted_ = false;
  bool not_null_ = false;  // only that it is not NULL is known
  std::vector<std::optional<std::string>> values_;
};

/// Ascending ids of the series that all choices allow, one per tag; nothing when no tag is restricted. kCorrupt for tags that cannot be read.
Result<std::optional<std::vector<SeriesId>>> choose_series(Connection& connection, const HypertableDefinition& table,
                                                           const std::vector<TagChoice>& choices);
/// All series of a hypertable, ascending, as the transaction sees them.
Result<std::vector<SeriesId>> all_series(Connection& connection, const HypertableDefinition& table);
/// Groups series, which ascend, by the tags `keys`.
Result<SeriesGroups> group_series(Connection& connection, const HypertableDefinition& table, std::span<const size_t> keys,
                                  std::span<const SeriesId> series);
/// The tags of a series, as many as the hypertable has.
Result<TagValues> tags_of_series(Connection& connection, const HypertableDefinition& table, SeriesId series);

}  // namespace braid
