#include "timeseries/codecs/column_codec.h"

#include <algorithm>
#include <optional>

#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/double_codec.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/codecs/stripe_compression.h"
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
      return read_bitmap(in, nulls);
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
  // What a vector held before is overwritten, so it is not cleared first.
  values.resize(count);
  if (null_count == count && count > 0) {
    std::fill(values.begin(), values.end(), Value{});
    return true;
  }
  if (!decode(std::span<Value>(values.data(), count - null_count))) return false;
  if (null_count > 0) scatter(values, nulls, count - null_count);
  return true;
}

void append_values(const PointColumn& column, size_t start, size_t count, TextDictionaryBuilder* dictionary, std::string& out) {
  switch (column.type) {
    case FieldType::kDouble: {
      std::vector<double> kept;
      return encode_doubles(dense(column.reals, column, start, count, kept), out);
    }
    case FieldType::kInt64:
    case FieldType::kBool: {
      std::vector<int64_t> kept;
      return encode_integers(dense(column.integers, column, start, count, kept), out);
    }
    case FieldType::kText:
    case FieldType::kJson: {
      std::vector<std::string_view> kept;
      return encode_texts(dense(column.texts, column, start, count, kept), dictionary, out);
    }
  }
}

bool read_booleans(ByteReader& in, std::span<int64_t> out) {
  if (!decode_integers(in, out)) return false;
  const Extremes extremes = extremes_of(out);
  return extremes.low >= 0 && extremes.high <= 1;
}

bool read_column(ByteReader& in, size_t count, PointColumn& out, const TextDictionary* dictionary) {
  if (!read_nulls(in, count, out.nulls)) return false;
  switch (out.type) {
    case FieldType::kDouble:
      return decode_values(out.reals, out.nulls, count, [&](std::span<double> to) { return decode_doubles(in, to); });
    case FieldType::kInt64:
      return decode_values(out.integers, out.nulls, count, [&](std::span<int64_t> to) { return decode_integers(in, to); });
    case FieldType::kBool:
      return decode_values(out.integers, out.nulls, count, [&](std::span<int64_t> to) { return read_booleans(in, to); });
    case FieldType::kText:
    case FieldType::kJson:
      return decode_values(out.texts, out.nulls, count,
                           [&](std::span<std::string_view> to) { return decode_texts(in, to, dictionary); });
  }
  return false;
}

bool holds_text(FieldType type) { return type == FieldType::kText || type == FieldType::kJson; }

/// The bytes of the stripe, inflated into `memory` if they are compressed; none on damage.
std::optional<std::string_view> plain_stripe(std::string_view stripe, std::vector<char>& memory) {
  if (!is_compressed(stripe)) return stripe;
  if (!inflate_stripe(stripe, memory)) return std::nullopt;
  return std::string_view(memory.data(), memory.size());
}

/// Texts are views, so their bytes are kept in the column.
std::optional<std::string_view> kept_stripe(std::string_view stripe, std::vector<char>& memory) {
  if (is_compressed(stripe)) return plain_stripe(stripe, memory);
  memory.assign(stripe.begin(), stripe.end());
  return std::string_view(memory.data(), memory.size());
}

}  // namespace

void encode_column(const PointColumn& column, size_t start, size_t count, std::string& out, const StripeOptions& options) {
  const size_t stripe_start = out.size();
  std::span<const uint8_t> nulls;
  if (!column.nulls.empty()) nulls = std::span(column.nulls).subspan(start, count);
  const auto null_count = static_cast<size_t>(std::count(nulls.begin(), nulls.end(), uint8_t{1}));
  append_nulls(nulls, null_count, out);
  if (null_count < count || count == 0) append_values(column, start, count, options.dictionary, out);
  if (options.compress || holds_text(column.type))
    compress_stripe(out, stripe_start, options.compress ? Effort::kSmall : Effort::kFast);
}

bool decode_column(std::string_view stripe, size_t count, PointColumn& out,
                   const std::shared_ptr<const TextDictionary>& dictionary) {
  out.loaded = false;
  std::vector<char> inflated;
  const auto bytes = holds_text(out.type) ? kept_stripe(stripe, out.text_bytes) : plain_stripe(stripe, inflated);
  ByteReader in(bytes.value_or(std::string_view()));
  if (!bytes.has_value() || count > kBlockRowsMax || !read_column(in, count, out, dictionary.get()) || !in.done()) {
    out.clear();
    return false;
  }
  out.shared_texts = dictionary;
  out.loaded = true;
  return true;
}

void encode_times(std::span<const int64_t> times, std::string& out, const StripeOptions& options) {
  const size_t stripe_start = out.size();
  encode_integers(times, out);
  if (options.compress) compress_stripe(out, stripe_start, Effort::kSmall);
}

bool decode_times(std::string_view stripe, size_t count, std::vector<int64_t>& out) {
  std::vector<char> inflated;
  const auto bytes = plain_stripe(stripe, inflated);
  if (!bytes.has_value() || count > kBlockRowsMax) return false;
  ByteReader in(*bytes);
  out.resize(count);
  return decode_integers(in, out) && in.done() && codec_kernels().ascends(out.data(), out.size());
}

}  // namespace braid
