// Strong identifiers and units: adding a node id to an LSN does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace braid {

/// An integer with a meaning. `Tag` tells the meanings apart.
template <typename Tag, typename Rep>
class StrongInt {
 public:
  using Representation = Rep;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr StrongInt next() const { return StrongInt(static_cast<Rep>(value_ + 1)); }

 private:
  Rep value_ = 0;
};

/// Number of a commit; 0 is "before the first commit".
using Lsn = StrongInt<struct LsnTag, uint64_t>;
/// Assigned by the engine, from 1, never reused.
using NodeId = StrongInt<struct NodeIdTag, uint64_t>;
using EdgeId = StrongInt<struct EdgeIdTag, uint64_t>;
/// Interned names: labels, edge types and property keys have separate number spaces, from 1.
using LabelId = StrongInt<struct LabelIdTag, uint32_t>;
using TypeId = StrongInt<struct TypeIdTag, uint32_t>;
using KeyId = StrongInt<struct KeyIdTag, uint32_t>;
using IndexId = StrongInt<struct IndexIdTag, uint32_t>;
using HypertableId = StrongInt<struct HypertableIdTag, uint32_t>;
using SeriesId = StrongInt<struct SeriesIdTag, uint64_t>;
using ChunkId = StrongInt<struct ChunkIdTag, uint64_t>;
using AggregateId = StrongInt<struct AggregateIdTag, uint32_t>;
using PolicyId = StrongInt<struct PolicyIdTag, uint32_t>;
/// Of one hypertable, from 1; never reused, so that files say which field a column is of.
using FieldId = StrongInt<struct FieldIdTag, uint16_t>;
using DeletionId = StrongInt<struct DeletionIdTag, uint32_t>;
/// Microseconds since 1970-01-01T00:00:00Z.
using Timestamp = StrongInt<struct TimestampTag, int64_t>;

/// Half-open range of times: `start` is in it, `limit` is not.
struct TimeRange {
  Timestamp start{INT64_MIN};
  Timestamp limit{INT64_MAX};
};

}  // namespace braid

template <typename Tag, typename Rep>
struct std::hash<braid::StrongInt<Tag, Rep>> {
  size_t operator()(braid::StrongInt<Tag, Rep> id) const { return std::hash<Rep>()(id.value()); }
};
