// The hidden column of a hypertable: which point a row is, or, in a DELETE that takes whole ranges, which range its one row stands for.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

struct PointKey {
  SeriesId series;
  Timestamp time;
};
struct RangeKey {
  TimeRange range;
  std::vector<SeriesId> series;  ///< ascending; empty: all
};

std::string encode_key(const PointKey& key);
std::string encode_key(const RangeKey& key);
/// kInternal for bytes that are no key: SQLite hands back what a cursor gave it.
Result<std::variant<PointKey, RangeKey>> decode_key(std::string_view bytes);

}  // namespace braid
