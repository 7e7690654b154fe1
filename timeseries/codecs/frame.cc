#include "timeseries/codecs/frame.h"

#include <algorithm>
#include <array>

#include "timeseries/codecs/bit_packing.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

constexpr uint8_t kPatchedFlag = 0x80;  // added to the width
constexpr size_t kPositionBytes = 2;
constexpr size_t kPatchesFromRows = 32;
constexpr size_t kMedianRows = 15;

size_t header_bytes(int64_t base) { return varint_bytes(zigzag(base)) + 1; }

/// The middle one of a few values, evenly spaced.
int64_t sampled_median(std::span<const int64_t> values) {
  std::array<int64_t, kMedianRows> sample;
  for (size_t i = 0; i < kMedianRows; ++i) sample[i] = values[(2 * i + 1) * values.size() / (2 * kMedianRows)];
  const auto middle = sample.begin() + kMedianRows / 2;
  std::nth_element(sample.begin(), middle, sample.end());
  return *middle;
}

/// How many of a sample need so many bits.
using WidthHistogram = std::array<uint16_t, 65>;

/// Looks at the first of every few rows.
template <typename BitsOf>
WidthHistogram sampled_widths(std::span<const int64_t> values, BitsOf bits_of) {
  constexpr size_t kStride = 8 * kLanes;
  // Neighbours are counted apart, so that no count waits for the one before.
  std::array<WidthHistogram, kLanes> counts{};
  for (size_t start = 0; start + kLanes <= values.size(); start += kStride) {
    for (size_t lane = 0; lane < kLanes; ++lane)
      ++counts[lane][static_cast<size_t>(std::bit_width(bits_of(values[start + lane])))];
  }
  WidthHistogram out{};
  for (const WidthHistogram& some : counts) {
    for (size_t width = 0; width < out.size(); ++width) out[width] = static_cast<uint16_t>(out[width] + some[width]);
  }
  return out;
}

size_t patched_bytes(size_t count, int64_t base, unsigned width, unsigned width_max, size_t patches) {
  const unsigned patch_width = std::min(kPackedWidthMax, width_max - width + 1);
  return header_bytes(base) + 3 + packed_bytes(count, width) + patches * kPositionBytes + packed_bytes(patches, patch_width);
}

/// The width for which the sample and its patches are smallest together.
unsigned best_width(const WidthHistogram& sample, unsigned width_max) {
  size_t seen = 0;
  for (const uint16_t count : sample) seen += count;
  unsigned best = width_max;
  size_t best_bits = seen * width_max;
  size_t patches = 0;
  for (unsigned width = width_max; width-- > 0;) {
    patches += sample[width + 1];
    const size_t bits = seen * width + patches * (kPositionBytes * 8 + width_max - width + 1);
    if (bits >= best_bits) continue;
    best_bits = bits;
    best = width;
  }
  return best;
}

/// Takes the frame of the base that `base_of` tells for a width, around the width that the sample suggests, if that is smaller.
template <typename BaseOf>
void offer_patched(std::span<const int64_t> values, const WidthHistogram& sample, unsigned width_max, BaseOf base_of, Frame& best) {
  const unsigned suggested = best_width(sample, width_max);
  // A sample overlooks what is rare, so the next width may be better.
  for (unsigned width = suggested; width < std::min(suggested + 2, width_max); ++width) {
    const int64_t base = base_of(width);
    if (patched_bytes(values.size(), base, width, width_max, 0) >= best.bytes) return;
    const size_t patches = codec_kernels().count_outside(values.data(), values.size(), static_cast<uint64_t>(base), width);
    const size_t bytes = patched_bytes(values.size(), base, width, width_max, patches);
    if (bytes < best.bytes) best = {base, width, true, bytes};
  }
}

struct Patches {
  std::array<uint16_t, kBlockRowsMax> positions;
  std::array<int64_t, kBlockRowsMax> highs;  // as zigzag
  size_t count = 0;
  uint64_t all_bits = 0;
};

void find_patches(std::span<const int64_t> values, const Frame& frame, Patches& out) {
  for (size_t i = 0; i < values.size(); ++i) {
    // Written whether it is a patch or not, which no processor has to guess.
    const uint64_t bits = zigzag(wrapped_difference(values[i], frame.base) >> frame.width);
    out.positions[out.count] = static_cast<uint16_t>(i);
    out.highs[out.count] = static_cast<int64_t>(bits);
    out.count += bits != 0 ? 1 : 0;
    out.all_bits |= bits;
  }
}

bool apply_patches(ByteReader& in, unsigned width, std::span<const uint16_t> positions, unsigned patch_width,
                   std::span<int64_t> out) {
  std::array<int64_t, kBlockRowsMax> highs;
  const std::span<int64_t> used(highs.data(), positions.size());
  if (!read_packed(in, patch_width, used)) return false;
  for (size_t i = 0; i < used.size(); ++i) {
    const auto high = static_cast<uint64_t>(unzigzag(static_cast<uint64_t>(used[i])));
    int64_t& value = out[positions[i]];
    value = wrapped_sum(value, static_cast<int64_t>(high << width));
  }
  return true;
}

bool read_positions(ByteReader& in, std::span<uint16_t> positions, size_t limit) {
  for (uint16_t& position : positions) {
    if (!in.fixed(position) || position >= limit) return false;
  }
  return true;
}

}  // namespace

Extremes extremes_of(std::span<const int64_t> values) {
  Extremes out;
  if (!values.empty()) codec_kernels().extremes(values.data(), values.size(), out.low, out.high);
  return out;
}

Frame plan_frame(std::span<const int64_t> values, const Extremes& extremes) {
  const unsigned width = extremes.width();
  Frame best{extremes.low, width, false, header_bytes(extremes.low) + packed_bytes(values.size(), width)};
  if (values.size() < kPatchesFromRows || width <= 1) return best;
  const auto above_low = sampled_widths(
      values, [&](int64_t value) { return static_cast<uint64_t>(wrapped_difference(value, extremes.low)); });
  offer_patched(values, above_low, width, [&](unsigned) { return extremes.low; }, best);
  // Outliers may lie on both sides: then the frame lies around the median.
  const int64_t median = sampled_median(values);
  const auto around_median =
      sampled_widths(values, [&](int64_t value) { return zigzag(wrapped_difference(value, median)); });
  const auto base_of = [&](unsigned bits) {
    return bits == 0 ? median : wrapped_difference(median, static_cast<int64_t>(uint64_t{1} << (bits - 1)));
  };
  offer_patched(values, around_median, std::min(width + 1, kPackedWidthMax), base_of, best);
  return best;
}

Frame plan_frame(std::span<const int64_t> values) { return plan_frame(values, extremes_of(values)); }

void append_frame(std::string& out, const Frame& frame, std::span<const int64_t> values) {
  append_varint(out, zigzag(frame.base));
  out.push_back(static_cast<char>(frame.width | (frame.patched ? kPatchedFlag : 0)));
  append_packed(out, values, frame.width, static_cast<uint64_t>(frame.base));
  if (!frame.patched) return;
  Patches patches;
  find_patches(values, frame, patches);
  const auto patch_width = static_cast<unsigned>(std::bit_width(patches.all_bits));
  append_varint(out, patches.count);
  out.push_back(static_cast<char>(patch_width));
  for (size_t i = 0; i < patches.count; ++i) append_fixed(out, patches.positions[i]);
  append_packed(out, std::span(patches.highs).first(patches.count), patch_width);
}

bool read_frame(ByteReader& in, std::span<int64_t> out) {
  uint64_t base;
  uint8_t mark;
  if (!in.varint(base) || !in.fixed(mark)) return false;
  const unsigned width = mark & static_cast<uint8_t>(~kPatchedFlag);
  const bool patched = (mark & kPatchedFlag) != 0;
  if (patched && width >= kPackedWidthMax) return false;
  if (!read_packed(in, width, out, static_cast<uint64_t>(unzigzag(base)))) return false;
  if (!patched) return true;
  uint64_t count;
  uint8_t patch_width;
  std::array<uint16_t, kBlockRowsMax> positions;
  if (!in.varint(count) || count > out.size() || !in.fixed(patch_width)) return false;
  const std::span<uint16_t> used(positions.data(), count);
  return read_positions(in, used, out.size()) && apply_patches(in, width, used, patch_width, out);
}

}  // namespace braid
