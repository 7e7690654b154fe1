#include "sql/point_key.h"

#include "engine/coding.h"

namespace braid {

namespace {
constexpr char kPoint = 'p';
constexpr char kRange = 'r';
}  // namespace

std::string encode_key(const PointKey& key) {
  std::string out(1, kPoint);
  append_fixed(out, key.series.value());
  append_fixed(out, key.time.value());
  return out;
}

std::string encode_key(const RangeKey& key) {
  std::string out(1, kRange);
  append_fixed(out, key.range.start.value());
  append_fixed(out, key.range.limit.value());
  for (const SeriesId series : key.series) append_fixed(out, series.value());
  return out;
}

Result<std::variant<PointKey, RangeKey>> decode_key(std::string_view bytes) {
  using Key = std::variant<PointKey, RangeKey>;
  const Status unknown(StatusCode::kInternal, "the key of a point cannot be read");
  if (bytes.size() < 17 || (bytes.size() - 1) % 8 != 0) return unknown;
  ByteReader in(bytes.substr(1));
  uint64_t series = 0;
  if (bytes[0] == kPoint && bytes.size() == 17) {
    int64_t time = 0;
    in.fixed(series);
    in.fixed(time);
    return Key(PointKey{SeriesId(series), Timestamp(time)});
  }
  if (bytes[0] != kRange) return unknown;
  RangeKey key;
  int64_t start = 0;
  int64_t limit = 0;
  in.fixed(start);
  in.fixed(limit);
  key.range = {Timestamp(start), Timestamp(limit)};
  while (in.fixed(series)) key.series.emplace_back(series);
  return Key(std::move(key));
}

}  // namespace braid
