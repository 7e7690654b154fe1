#include "timeseries/codecs/alp.h"

#include <algorithm>
#include <cstring>

#include "timeseries/codecs/bit_packing.h"

namespace braid {
namespace {

constexpr double kPowers[kAlpExponentMax + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
constexpr size_t kExceptionBytes = 10;  // position and value

bool is_exponent(int exponent) {
  if (exponent > kAlpReciprocal) return exponent <= kAlpReciprocal + kAlpExponentMax;
  return exponent >= kAlpExponentMin && exponent <= kAlpExponentMax;
}

DecimalScale scale_of(int exponent) {
  if (exponent > kAlpReciprocal) {
    const double power = kPowers[exponent - kAlpReciprocal];
    return {power, 1 / power, false};
  }
  if (exponent >= 0) return {kPowers[exponent], kPowers[exponent], true};
  return {1 / kPowers[-exponent], kPowers[-exponent], false};
}

/// The scalar form of the kernel to_integers.
bool to_integer(double value, const DecimalScale& scale, int64_t& out) {
  const double shifted = value * scale.to_integer + kIntegerToDouble;
  const auto bits = std::bit_cast<uint64_t>(shifted);
  if (bits >> 52 != kIntegerToDoubleBits >> 52) return false;  // out of range, or NaN
  const double whole = shifted - kIntegerToDouble;
  const double back = scale.divides ? whole / scale.from_integer : whole * scale.from_integer;
  out = static_cast<int64_t>(bits - kIntegerToDoubleBits);
  return std::bit_cast<uint64_t>(back) == std::bit_cast<uint64_t>(value);
}

// The exponent is chosen by a sample of values, evenly spaced.

constexpr size_t kSampleRows = 32;
constexpr size_t kFirstLookRows = 8;

struct Sample {
  explicit Sample(std::span<const double> values) : count(std::min(kSampleRows, values.size())) {
    // Odd multiples first, so that the first look is spread too.
    for (size_t i = 0; i < count; ++i) rows[i] = values[(i * 13 % count) * values.size() / count];
  }
  size_t count;
  std::array<double, kSampleRows> rows;
};

/// About how many bits the sample takes with this exponent; none when hardly a value is such a decimal.
std::optional<size_t> sample_bits(const Sample& sample, int exponent, bool& all) {
  const DecimalScale scale = scale_of(exponent);
  int64_t low = INT64_MAX;
  int64_t high = INT64_MIN;
  size_t hits = 0;
  for (size_t i = 0; i < sample.count; ++i) {
    if (i == kFirstLookRows && hits == 0) return std::nullopt;
    int64_t integer;
    if (!to_integer(sample.rows[i], scale, integer)) continue;
    ++hits;
    low = std::min(low, integer);
    high = std::max(high, integer);
  }
  all = hits == sample.count;
  if (hits * 2 < sample.count || hits == 0) return std::nullopt;
  return hits * Extremes{low, high}.width() + (sample.count - hits) * kExceptionBytes * 8;
}

std::optional<int> best_exponent(std::span<const double> values) {
  const Sample sample(values);
  std::optional<int> best;
  size_t best_bits = SIZE_MAX;
  const auto look = [&](int exponent) {
    bool all = false;
    const auto bits = sample_bits(sample, exponent, all);
    if (bits.has_value() && (*bits < best_bits || (all && exponent < 0))) {
      best_bits = *bits;
      best = exponent;
    }
    return all;
  };
  bool all = false;
  for (int exponent = 0; exponent <= kAlpExponentMax && !all; ++exponent) all = look(exponent);
  // Integers may end in zeros.
  if (all && best == 0) {
    for (int exponent = -1; exponent >= kAlpExponentMin && look(exponent);) --exponent;
  }
  for (int exponent = 1; exponent <= kAlpExponentMax && !best.has_value(); ++exponent) look(kAlpReciprocal + exponent);
  return best;
}

/// Scales values [start, limit) one by one and notes those that do not come back.
void scale_slowly(std::span<const double> values, size_t start, size_t limit, const DecimalScale& scale, AlpPlan& out) {
  for (size_t i = start; i < limit; ++i) {
    if (to_integer(values[i], scale, out.integers[i])) continue;
    out.exceptions[out.exception_count++] = static_cast<uint16_t>(i);
    out.integers[i] = i > 0 ? out.integers[i - 1] : 0;
  }
}

/// Exceptions before the first integer take its value, so that they widen nothing.
void fill_first(size_t count, AlpPlan& out) {
  size_t first = 0;
  while (first < out.exception_count && out.exceptions[first] == first) ++first;
  if (first < count) std::fill_n(out.integers.begin(), first, out.integers[first]);
}

}  // namespace

bool plan_alp(std::span<const double> values, AlpPlan& out) {
  constexpr size_t kStretch = 8 * kLanes;
  const auto exponent = best_exponent(values);
  if (!exponent.has_value()) return false;
  out.exponent = *exponent;
  out.exception_count = 0;
  const DecimalScale scale = scale_of(out.exponent);
  const size_t whole = values.size() / kStretch * kStretch;
  for (size_t start = 0; start < whole; start += kStretch) {
    if (!codec_kernels().to_integers(values.data() + start, kStretch, scale, out.integers.data() + start))
      scale_slowly(values, start, start + kStretch, scale, out);
    if (out.exception_count > values.size() / 2) return false;
  }
  scale_slowly(values, whole, values.size(), scale, out);
  fill_first(values.size(), out);
  out.plan = plan_integers(std::span(out.integers).first(values.size()));
  out.bytes = 4 + out.exception_count * kExceptionBytes + out.plan.bytes;
  return true;
}

void append_alp(std::string& out, const AlpPlan& plan, std::span<const double> values) {
  append_fixed(out, static_cast<int8_t>(plan.exponent));
  append_varint(out, plan.exception_count);
  const auto exceptions = std::span(plan.exceptions).first(plan.exception_count);
  for (const uint16_t position : exceptions) append_fixed(out, position);
  for (const uint16_t position : exceptions) append_double(out, values[position]);
  append_integers(out, plan.plan, std::span(plan.integers).first(values.size()));
}

bool read_alp(ByteReader& in, std::span<double> out) {
  int8_t exponent;
  uint64_t exception_count;
  std::string_view positions;
  std::string_view bits;
  if (!in.fixed(exponent) || !is_exponent(exponent)) return false;
  if (!in.varint(exception_count) || exception_count > out.size()) return false;
  if (!in.bytes(exception_count * 2, positions) || !in.bytes(exception_count * 8, bits)) return false;
  std::array<int64_t, kBlockRowsMax> integers;
  if (!decode_integers(in, std::span(integers).first(out.size()))) return false;
  codec_kernels().to_doubles(integers.data(), out.size(), scale_of(exponent), out.data());
  for (size_t i = 0; i < exception_count; ++i) {
    const auto position = load_fixed<uint16_t>(positions.data() + i * 2);
    if (position >= out.size()) return false;
    out[position] = std::bit_cast<double>(load_fixed<uint64_t>(bits.data() + i * 8));
  }
  return true;
}

namespace {

constexpr size_t kRealSampleRows = 48;
constexpr size_t kRealExceptionBytes = 4;  // position and left bits

struct Part {
  uint64_t left = 0;
  size_t hits = 0;
};

/// The most frequent left parts of a sorted sample, and how many of the sample they cover.
size_t frequent_parts(std::span<const uint64_t> sorted, unsigned right_width, std::array<Part, kRealSampleRows>& parts,
                      size_t& part_count) {
  size_t runs = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const uint64_t left = sorted[i] >> right_width;
    if (runs == 0 || parts[runs - 1].left != left) parts[runs++] = {left, 0};
    ++parts[runs - 1].hits;
  }
  part_count = std::min(runs, kAlpPartsMax);
  if (runs > sorted.size() / 2 && runs > kAlpPartsMax) return 0;  // most would be exceptions
  const auto middle = parts.begin() + static_cast<ptrdiff_t>(part_count);
  if (runs > kAlpPartsMax) {
    std::nth_element(parts.begin(), middle, parts.begin() + static_cast<ptrdiff_t>(runs),
                     [](const Part& a, const Part& b) { return a.hits > b.hits || (a.hits == b.hits && a.left < b.left); });
  }
  size_t covered = 0;
  for (auto part = parts.begin(); part != middle; ++part) covered += part->hits;
  return covered;
}

unsigned code_width(size_t part_count) { return static_cast<unsigned>(std::bit_width(part_count - 1)); }

/// Cuts where the sample takes the fewest bits; returns how many a value takes.
size_t choose_cut(std::span<const int64_t> bits, AlpRealPlan& out) {
  std::array<uint64_t, kRealSampleRows> sample;
  const size_t count = std::min(kRealSampleRows, bits.size());
  for (size_t i = 0; i < count; ++i) sample[i] = static_cast<uint64_t>(bits[i * bits.size() / count]);
  const std::span<uint64_t> sorted(sample.data(), count);
  std::sort(sorted.begin(), sorted.end());
  size_t best_bits = SIZE_MAX;
  for (unsigned left_bits = kAlpLeftBitsMax; left_bits > 0; --left_bits) {
    std::array<Part, kRealSampleRows> parts;
    size_t part_count = 0;
    const unsigned right_width = 64 - left_bits;
    const size_t covered = frequent_parts(sorted, right_width, parts, part_count);
    const size_t cost = count * (right_width + code_width(part_count)) + (count - covered) * kRealExceptionBytes * 8;
    if (cost < best_bits) {
      best_bits = cost;
      out.right_width = right_width;
      out.part_count = part_count;
      for (size_t i = 0; i < part_count; ++i) out.parts[i] = parts[i].left;
    }
    if (part_count == 1) break;
  }
  std::sort(out.parts.begin(), out.parts.begin() + static_cast<ptrdiff_t>(out.part_count));
  return best_bits / count;
}

}  // namespace

bool plan_alp_real(std::span<const int64_t> bits, size_t bytes_limit, AlpRealPlan& out) {
  if (choose_cut(bits, out) * bits.size() / 8 >= bytes_limit) return false;
  codec_kernels().find_parts(bits.data(), bits.size(), out.right_width, std::span(out.parts).first(out.part_count),
                             out.codes.data());
  const auto codes = std::span(out.codes).first(bits.size());
  out.exception_count = static_cast<size_t>(std::count(codes.begin(), codes.end(), static_cast<int64_t>(out.part_count)));
  out.bytes = 4 + out.part_count * 2 + packed_bytes(bits.size(), code_width(out.part_count)) +
              packed_bytes(bits.size(), out.right_width) + out.exception_count * kRealExceptionBytes;
  return out.bytes < bytes_limit;
}

void append_alp_real(std::string& out, AlpRealPlan& plan, std::span<const int64_t> bits) {
  std::string positions;
  std::string lefts;
  for (size_t i = 0; plan.exception_count > 0 && i < bits.size(); ++i) {
    if (plan.codes[i] != static_cast<int64_t>(plan.part_count)) continue;
    append_fixed(positions, static_cast<uint16_t>(i));
    append_fixed(lefts, static_cast<uint16_t>(static_cast<uint64_t>(bits[i]) >> plan.right_width));
    plan.codes[i] = 0;
  }
  out.push_back(static_cast<char>(plan.right_width));
  out.push_back(static_cast<char>(plan.part_count));
  for (size_t i = 0; i < plan.part_count; ++i) append_fixed(out, static_cast<uint16_t>(plan.parts[i]));
  append_packed(out, std::span(plan.codes).first(bits.size()), code_width(plan.part_count));
  append_packed(out, bits, plan.right_width);
  append_varint(out, plan.exception_count);
  out.append(positions);
  out.append(lefts);
}

namespace {

bool read_parts(ByteReader& in, unsigned right_width, std::span<int64_t> parts) {
  for (int64_t& part : parts) {
    uint16_t left;
    if (!in.fixed(left)) return false;
    part = static_cast<int64_t>(uint64_t{left} << right_width);
  }
  return true;
}

/// Replaces the left bits of exceptions.
bool read_real_exceptions(ByteReader& in, unsigned right_width, std::span<int64_t> bits) {
  uint64_t count;
  std::string_view positions;
  std::string_view lefts;
  if (!in.varint(count) || count > bits.size() || !in.bytes(count * 2, positions) || !in.bytes(count * 2, lefts)) return false;
  const uint64_t right_mask = (uint64_t{1} << right_width) - 1;
  for (size_t i = 0; i < count; ++i) {
    const auto position = load_fixed<uint16_t>(positions.data() + i * 2);
    if (position >= bits.size()) return false;
    const auto left = uint64_t{load_fixed<uint16_t>(lefts.data() + i * 2)};
    bits[position] = static_cast<int64_t>((static_cast<uint64_t>(bits[position]) & right_mask) | (left << right_width));
  }
  return true;
}

}  // namespace

bool read_alp_real(ByteReader& in, std::span<double> out) {
  uint8_t right_width;
  uint8_t part_count;
  std::array<int64_t, kAlpPartsMax> parts;
  if (!in.fixed(right_width) || right_width < 64 - kAlpLeftBitsMax || right_width > 63) return false;
  if (!in.fixed(part_count) || part_count == 0 || part_count > kAlpPartsMax) return false;
  if (!read_parts(in, right_width, std::span(parts).first(part_count))) return false;
  std::array<int64_t, kBlockRowsMax> left_memory;
  std::array<int64_t, kBlockRowsMax> bits_memory;
  const auto lefts = std::span(left_memory).first(out.size());
  const auto bits = std::span(bits_memory).first(out.size());
  if (!read_packed(in, code_width(part_count), lefts) || !read_packed(in, right_width, bits)) return false;
  if (extremes_of(lefts).high >= part_count) return false;
  codec_kernels().look_up(lefts.data(), lefts.size(), parts.data());
  for (size_t i = 0; i < bits.size(); ++i) bits[i] |= lefts[i];
  if (!read_real_exceptions(in, right_width, bits)) return false;
  if (!out.empty()) std::memcpy(out.data(), bits.data(), bits.size_bytes());
  return true;
}

}  // namespace braid
