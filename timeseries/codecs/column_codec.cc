#include "timeseries/codecs/column_codec.h"

#include <algorithm>

#include "timeseries/codecs/boolean_codec.h"
#include "timeseries/codecs/double_codec.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/codecs/text_codec.h"

namespace braid {
namespace {

/// The values of [start, start + count) that are not null; `kept` holds them when there are nulls.
template <typename Value>
std::span<const Value> dense(const std::vector<Value>& values, const PointColumn& column,
                             size_t start, size_t count, std::vector<Value>& kept) {
  const std::span<const Value> all(values.data() + start, count);
  if (column.nulls.empty()) return all;
  for (size_t i = 0; i < count; ++i) {
    if (column.nulls[start + i] == 0) kept.push_back(all[i]);
  }
  return kept;
}

/// Moves values that were decoded densely to the rows that are not null, from the back.
template <typename Value>
void scatter(std::vector<Value>& values, const std::vector<uint8_t>& nulls, size_t dense_count) {
  size_t next = dense_count;
  for (size_t row = values.size(); row-- > 0;)
    values[row] = nulls[row] != 0 ? Value{} : values[--next];
}

void append_nulls(std::span<const uint8_t> nulls, size_t null_count, std::string& out) {
  if (null_count == 0) {
    out.push_back(static_cast<char>(NullMap::kNone));
  } else if (null_count == nulls.size()) {
    out.push_back(static_cast<char>(NullMap::kAll));
  } else {
    out.push_back(static_cast<char>(NullMap::kBitmap));
    append_bitmap(out, nulls);
  }
}

bool read_nulls(ByteReader& in, size_t count, std::vector<uint8_t>& nulls) {
  uint8_t map;
  if (!in.fixed(map)) return false;
  nulls.clear();
  switch (static_cast<NullMap>(map)) {
    case NullMap::kNone:
      return true;
    case NullMap::kBitmap:
      nulls.resize(count);
      return read_bitmap(in, std::span<uint8_t>(nulls));
    case NullMap::kAll:
      nulls.assign(count, 1);
      return true;
  }
  return false;
}

template <typename Value, typename Decode>
bool decode_values(std::vector<Value>& values, const std::vector<uint8_t>& nulls, size_t count,
                   Decode decode) {
  const auto null_count = static_cast<size_t>(std::count(nulls.begin(), nulls.end(), uint8_t{1}));
  values.assign(count, Value{});
  if (null_count == count && count > 0) return true;
  if (!decode(std::span<Value>(values.data(), count - null_count))) return false;
  if (null_count > 0) scatter(values, nulls, count - null_count);
  return true;
}

}  // namespace

void encode_column(const PointColumn& column, size_t start, size_t count, std::string& out) {
  std::span<const uint8_t> nulls;
  if (!column.nulls.empty()) nulls = std::span(column.nulls).subspan(start, count);
  const auto null_count = static_cast<size_t>(std::count(nulls.begin(), nulls.end(), uint8_t{1}));
  append_nulls(nulls, null_count, out);
  if (null_count == count && count > 0) return;
  switch (column.type) {
    case FieldType::kDouble: {
      std::vector<double> kept;
      encode_doubles(dense(column.reals, column, start, count, kept), out);
      return;
    }
    case FieldType::kInt64: {
      std::vector<int64_t> kept;
      encode_integers(dense(column.integers, column, start, count, kept), out);
      return;
    }
    case FieldType::kBool: {
      std::vector<int64_t> kept;
      encode_booleans(dense(column.integers, column, start, count, kept), out);
      return;
    }
    case FieldType::kText:
    case FieldType::kJson: {
      std::vector<std::string_view> kept;
      encode_texts(dense(column.texts, column, start, count, kept), out);
      return;
    }
  }
}

bool decode_column(std::string_view stripe, size_t count, PointColumn& out) {
  out.clear();
  ByteReader in(stripe);
  if (count > kBlockRowsMax || !read_nulls(in, count, out.nulls)) return false;
  bool good = false;
  switch (out.type) {
    case FieldType::kDouble:
      good = decode_values(out.reals, out.nulls, count,
                           [&](std::span<double> to) { return decode_doubles(in, to); });
      break;
    case FieldType::kInt64:
      good = decode_values(out.integers, out.nulls, count,
                           [&](std::span<int64_t> to) { return decode_integers(in, to); });
      break;
    case FieldType::kBool:
      good = decode_values(out.integers, out.nulls, count,
                           [&](std::span<int64_t> to) { return decode_booleans(in, to); });
      break;
    case FieldType::kText:
    case FieldType::kJson:
      good = decode_values(out.texts, out.nulls, count, [&](std::span<std::string_view> to) {
        return decode_texts(in, to, out.text_bytes);
      });
      break;
  }
  if (!good || !in.done()) {
    out.clear();
    return false;
  }
  out.loaded = true;
  return true;
}

}  // namespace braid
