#include "timeseries/codecs/double_codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

// Source: ALP (Afroozeh, Kuffo, Boncz, SIGMOD 2024), simplified: the value is integer /
// 10^exponent. The division is rounded correctly and every power up to 10^18 is exact, so a decimal
// of up to 15 digits always comes back as it was read.
constexpr unsigned kExponentMax = 18;
constexpr double kPowers[kExponentMax + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                              1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                              1e14, 1e15, 1e16, 1e17, 1e18};
constexpr double kScaledMax = 4503599627370496.0;  // 2^52: below it each integer is a double
constexpr size_t kDictionaryMax = 256;
constexpr size_t kSampleRows = 32;

uint64_t bits_of(double value) { return std::bit_cast<uint64_t>(value); }

/// The integer for `value`, if dividing it by the power gives exactly the bits of `value`.
bool scale(double value, double power, int64_t& scaled) {
  const double product = value * power;
  if (!(std::fabs(product) < kScaledMax)) return false;  // also refuses NaN and infinities
  scaled = static_cast<int64_t>(product + (product < 0 ? -0.5 : 0.5));
  return bits_of(static_cast<double>(scaled) / power) == bits_of(value);
}

/// The exponent under which most of a sample scales; of equals the smallest.
unsigned best_exponent(std::span<const double> values) {
  const size_t step = std::max<size_t>(1, values.size() / kSampleRows);
  unsigned best = 0;
  size_t best_hits = 0;
  size_t samples = 0;
  for (size_t i = 0; i < values.size(); i += step) ++samples;
  for (unsigned exponent = 0; exponent <= kExponentMax && best_hits < samples; ++exponent) {
    size_t hits = 0;
    for (size_t i = 0; i < values.size(); i += step) {
      int64_t scaled;
      if (scale(values[i], kPowers[exponent], scaled)) ++hits;
    }
    if (hits <= best_hits) continue;
    best = exponent;
    best_hits = hits;
  }
  return best;
}

// Decimal: exponent, count of exceptions (u16), their positions (u16 each) and bits (u64 each),
// then integers by the integer codec, in which an exception repeats its neighbour.
std::optional<std::string> encode_decimal(std::span<const double> values, size_t bytes_limit) {
  const unsigned exponent = best_exponent(values);
  std::array<int64_t, kBlockRowsMax> scaled;
  std::vector<uint16_t> exceptions;
  const size_t exceptions_max = bytes_limit / 10;
  for (size_t i = 0; i < values.size(); ++i) {
    if (scale(values[i], kPowers[exponent], scaled[i])) continue;
    if (exceptions.size() == exceptions_max) return std::nullopt;
    exceptions.push_back(static_cast<uint16_t>(i));
    scaled[i] = i > 0 ? scaled[i - 1] : 0;
  }
  std::string out;
  out.push_back(static_cast<char>(exponent));
  append_fixed(out, static_cast<uint16_t>(exceptions.size()));
  for (const uint16_t position : exceptions) append_fixed(out, position);
  for (const uint16_t position : exceptions) append_double(out, values[position]);
  encode_integers(std::span<const int64_t>(scaled.data(), values.size()), out);
  if (out.size() >= bytes_limit) return std::nullopt;
  return out;
}

bool decode_decimal(ByteReader& in, std::span<double> out) {
  uint8_t exponent;
  uint16_t exception_count;
  std::string_view positions;
  std::string_view bits;
  if (!in.fixed(exponent) || exponent > kExponentMax || !in.fixed(exception_count)) return false;
  if (exception_count > out.size()) return false;
  if (!in.bytes(exception_count * 2u, positions) || !in.bytes(exception_count * 8u, bits))
    return false;
  std::array<int64_t, kBlockRowsMax> scaled;
  if (!decode_integers(in, std::span(scaled.data(), out.size()))) return false;
  const double power = kPowers[exponent];
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(scaled[i]) / power;
  for (size_t i = 0; i < exception_count; ++i) {
    const auto position = load_fixed<uint16_t>(positions.data() + i * 2);
    if (position >= out.size()) return false;
    out[position] = std::bit_cast<double>(load_fixed<uint64_t>(bits.data() + i * 8));
  }
  return true;
}

// Dictionary: count of distinct values (u16), their bits in the order of appearance, packed
// indexes.
std::optional<std::string> encode_dictionary(std::span<const double> values, size_t bytes_limit) {
  constexpr size_t kSlots = 1024;
  std::array<uint16_t, kSlots> slots{};  // index of the distinct value + 1
  std::vector<uint64_t> distinct;
  std::array<uint64_t, kBlockRowsMax> indexes;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t bits = bits_of(values[i]);
    size_t slot = (bits * 0x9e3779b97f4a7c15u) >> 54;
    while (slots[slot] != 0 && distinct[slots[slot] - 1u] != bits) slot = (slot + 1) % kSlots;
    if (slots[slot] == 0) {
      if (distinct.size() == kDictionaryMax) return std::nullopt;
      distinct.push_back(bits);
      slots[slot] = static_cast<uint16_t>(distinct.size());
    }
    indexes[i] = slots[slot] - 1u;
  }
  const auto width = static_cast<unsigned>(std::bit_width(distinct.size() - 1));
  if (2 + distinct.size() * 8 + packed_bytes(values.size(), width) >= bytes_limit)
    return std::nullopt;
  std::string out;
  append_fixed(out, static_cast<uint16_t>(distinct.size()));
  for (const uint64_t bits : distinct) append_fixed(out, bits);
  append_packed(out, std::span<const uint64_t>(indexes.data(), values.size()), width);
  return out;
}

bool decode_dictionary(ByteReader& in, std::span<double> out) {
  uint16_t distinct_count;
  std::string_view distinct;
  if (!in.fixed(distinct_count) || distinct_count == 0 || distinct_count > kDictionaryMax)
    return false;
  if (!in.bytes(distinct_count * 8u, distinct)) return false;
  std::array<uint64_t, kBlockRowsMax> indexes;
  const auto width = static_cast<unsigned>(std::bit_width(distinct_count - 1u));
  if (!read_packed(in, width, std::span(indexes.data(), out.size()))) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    if (indexes[i] >= distinct_count) return false;
    out[i] = std::bit_cast<double>(load_fixed<uint64_t>(distinct.data() + indexes[i] * 8));
  }
  return true;
}

bool all_equal(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return bits_of(value) == bits_of(values[0]); });
}

}  // namespace

void encode_doubles(std::span<const double> values, std::string& out) {
  if (values.size() > 1 && all_equal(values)) {
    out.push_back(static_cast<char>(DoubleCodec::kConstant));
    append_double(out, values[0]);
    return;
  }
  size_t best_bytes = values.size() * 8;
  std::optional<std::string> dictionary;
  if (values.size() > 2) dictionary = encode_dictionary(values, best_bytes);
  if (dictionary.has_value()) best_bytes = dictionary->size();
  std::optional<std::string> decimal;
  if (values.size() > 1) decimal = encode_decimal(values, best_bytes);
  if (decimal.has_value()) {
    out.push_back(static_cast<char>(DoubleCodec::kDecimal));
    out.append(*decimal);
  } else if (dictionary.has_value()) {
    out.push_back(static_cast<char>(DoubleCodec::kDictionary));
    out.append(*dictionary);
  } else {
    out.push_back(static_cast<char>(DoubleCodec::kRaw));
    for (const double value : values) append_double(out, value);
  }
}

bool decode_doubles(ByteReader& in, std::span<double> out) {
  uint8_t codec;
  if (out.size() > kBlockRowsMax || !in.fixed(codec)) return false;
  switch (static_cast<DoubleCodec>(codec)) {
    case DoubleCodec::kRaw:
      for (double& value : out) {
        if (!in.real(value)) return false;
      }
      return true;
    case DoubleCodec::kConstant: {
      double value;
      if (!in.real(value)) return false;
      std::fill(out.begin(), out.end(), value);
      return true;
    }
    case DoubleCodec::kDictionary:
      return decode_dictionary(in, out);
    case DoubleCodec::kDecimal:
      return decode_decimal(in, out);
  }
  return false;
}

}  // namespace braid
