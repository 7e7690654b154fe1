#include "timeseries/codecs/integer_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "timeseries/codecs/bit_packing.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

using Column = std::array<int64_t, kBlockRowsMax>;

std::span<const int64_t> differences(std::span<const int64_t> values, Column& out) {
  if (values.empty()) return {};
  for (size_t i = 1; i < values.size(); ++i) out[i - 1] = wrapped_difference(values[i], values[i - 1]);
  return std::span<const int64_t>(out.data(), values.size() - 1);
}

size_t signed_bytes(int64_t value) { return varint_bytes(zigzag(value)); }
void append_signed(std::string& out, int64_t value) { append_varint(out, zigzag(value)); }
bool read_signed(ByteReader& in, int64_t& value) {
  uint64_t bits;
  if (!in.varint(bits)) return false;
  value = unzigzag(bits);
  return true;
}

// Runs of equal values.

struct Runs {
  Column values;
  Column lengths;
  size_t count = 0;
  std::span<const int64_t> all_values() const { return std::span(values).first(count); }
  std::span<const int64_t> all_lengths() const { return std::span(lengths).first(count); }
};

void find_runs(std::span<const int64_t> values, Runs& out) {
  for (size_t start = 0; start < values.size();) {
    size_t limit = start + 1;
    while (limit < values.size() && values[limit] == values[start]) ++limit;
    out.values[out.count] = values[start];
    out.lengths[out.count++] = static_cast<int64_t>(limit - start);
    start = limit;
  }
}

size_t run_length_bytes(std::span<const int64_t> values) {
  Runs runs;
  find_runs(values, runs);
  return varint_bytes(runs.count) + plan_frame(runs.all_values()).bytes + plan_frame(runs.all_lengths()).bytes;
}

void append_runs(std::string& out, std::span<const int64_t> values) {
  Runs runs;
  find_runs(values, runs);
  append_varint(out, runs.count);
  append_frame(out, plan_frame(runs.all_values()), runs.all_values());
  append_frame(out, plan_frame(runs.all_lengths()), runs.all_lengths());
}

bool read_runs(ByteReader& in, std::span<int64_t> out) {
  uint64_t count;
  Column values;
  Column lengths;
  if (!in.varint(count) || count > out.size()) return false;
  if (!read_frame(in, std::span(values).first(count)) || !read_frame(in, std::span(lengths).first(count))) return false;
  size_t start = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto length = static_cast<uint64_t>(lengths[i]);
    if (length == 0 || length > out.size() - start) return false;
    std::fill_n(out.begin() + static_cast<ptrdiff_t>(start), length, values[i]);
    start += length;
  }
  return start == out.size();
}

// Dictionary of distinct values, in the order of appearance.

constexpr size_t kDistinctMax = 512;

struct Dictionary {
  Column values;
  Column indexes;
  size_t count = 0;
  std::span<const int64_t> all_values() const { return std::span(values).first(count); }
  unsigned width() const { return static_cast<unsigned>(std::bit_width(count - 1)); }
};

/// False when there are more than `limit` distinct values.
bool find_distinct(std::span<const int64_t> values, size_t limit, Dictionary& out) {
  constexpr unsigned kSlotBits = 11;
  constexpr size_t kSlots = size_t{1} << kSlotBits;
  static_assert(kSlots >= 2 * kDistinctMax);
  std::array<uint16_t, kSlots> slots{};  // index of the distinct value + 1
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t value = values[i];
    size_t slot = (static_cast<uint64_t>(value) * 0x9e3779b97f4a7c15u) >> (64 - kSlotBits);
    while (slots[slot] != 0 && out.values[slots[slot] - 1u] != value) slot = (slot + 1) % kSlots;
    if (slots[slot] == 0) {
      if (out.count == limit) return false;
      out.values[out.count++] = value;
      slots[slot] = static_cast<uint16_t>(out.count);
    }
    out.indexes[i] = slots[slot] - 1;
  }
  return true;
}

std::optional<size_t> dictionary_bytes(std::span<const int64_t> values, size_t bytes_limit) {
  Dictionary dictionary;
  if (!find_distinct(values, std::min(kDistinctMax, bytes_limit / 4), dictionary)) return std::nullopt;
  return varint_bytes(dictionary.count) + plan_frame(dictionary.all_values()).bytes +
         packed_bytes(values.size(), dictionary.width());
}

bool append_dictionary(std::string& out, std::span<const int64_t> values) {
  Dictionary dictionary;
  if (values.empty() || !find_distinct(values, kDistinctMax, dictionary)) return false;
  out.push_back(static_cast<char>(IntegerCodec::kDictionary));
  append_varint(out, dictionary.count);
  append_frame(out, plan_frame(dictionary.all_values()), dictionary.all_values());
  append_packed(out, std::span(dictionary.indexes).first(values.size()), dictionary.width());
  return true;
}

bool read_dictionary(ByteReader& in, std::span<int64_t> out) {
  uint64_t count;
  if (!in.varint(count) || count == 0 || count > kDistinctMax) return false;
  Column values;
  if (!read_frame(in, std::span(values).first(count))) return false;
  if (!read_packed(in, static_cast<unsigned>(std::bit_width(count - 1)), out)) return false;
  if (extremes_of(out).high >= static_cast<int64_t>(count)) return false;
  codec_kernels().look_up(out.data(), out.size(), values.data());
  return true;
}

/// Do some values out of a few, evenly spaced, repeat?
bool repeats(std::span<const int64_t> values) {
  constexpr size_t kSample = 64;
  constexpr size_t kRepeatedMin = 4;
  if (values.size() < kSample) return values.size() >= 8;
  std::array<int64_t, kSample> sample;
  for (size_t i = 0; i < kSample; ++i) sample[i] = values[i * values.size() / kSample];
  Dictionary distinct;
  find_distinct(sample, kSample, distinct);
  return distinct.count + kRepeatedMin <= kSample;
}

// Differences.

bool read_sequence(ByteReader& in, std::span<int64_t> out) {
  int64_t start;
  int64_t step;
  if (!read_signed(in, start) || !read_signed(in, step)) return false;
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<int64_t>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(step));
  return true;
}

bool read_deltas(ByteReader& in, std::span<int64_t> out) {
  if (out.empty() || !read_signed(in, out[0]) || !read_frame(in, out.subspan(1))) return false;
  int64_t value = out[0];
  for (int64_t& next : out.subspan(1)) next = value = wrapped_sum(value, next);
  return true;
}

bool read_deltas_of_deltas(ByteReader& in, std::span<int64_t> out) {
  int64_t delta;
  if (out.size() < 2 || !read_signed(in, out[0]) || !read_signed(in, delta)) return false;
  if (!read_frame(in, out.subspan(2))) return false;
  int64_t value = out[1] = wrapped_sum(out[0], delta);
  for (int64_t& next : out.subspan(2)) {
    delta = wrapped_sum(delta, next);
    next = value = wrapped_sum(value, delta);
  }
  return true;
}

bool read_raw(ByteReader& in, std::span<int64_t> out) {
  std::string_view bytes;
  if (!in.bytes(out.size() * 8, bytes)) return false;
  for (size_t i = 0; i < out.size(); ++i) out[i] = load_fixed<int64_t>(bytes.data() + i * 8);
  return true;
}

bool read_constant(ByteReader& in, std::span<int64_t> out) {
  int64_t value;
  if (!read_signed(in, value)) return false;
  std::fill(out.begin(), out.end(), value);
  return true;
}

void append_raw(std::string& out, std::span<const int64_t> values) {
  const size_t start = out.size();
  out.resize(start + values.size() * 8);
  for (size_t i = 0; i < values.size(); ++i) store_fixed(out.data() + start + i * 8, values[i]);
}

}  // namespace

IntegerPlan plan_integers(std::span<const int64_t> values) {
  const size_t count = values.size();
  IntegerPlan best{IntegerCodec::kRaw, count * 8, {}};
  if (count == 0) return best;
  const auto offer = [&](IntegerCodec codec, size_t bytes, const Frame& frame = {}) {
    if (bytes < best.bytes) best = {codec, bytes, frame};
  };
  const Extremes extremes = extremes_of(values);
  if (extremes.low == extremes.high) {
    offer(IntegerCodec::kConstant, signed_bytes(values[0]));
    return best;
  }
  Column delta_memory;
  const auto deltas = differences(values, delta_memory);
  const Extremes delta_extremes = extremes_of(deltas);
  if (delta_extremes.low == delta_extremes.high) {
    offer(IntegerCodec::kSequence, signed_bytes(values[0]) + signed_bytes(deltas[0]));
    return best;
  }
  const Frame frame = plan_frame(values, extremes);
  offer(IntegerCodec::kFrame, frame.bytes, frame);
  const Frame delta_frame = plan_frame(deltas, delta_extremes);
  offer(IntegerCodec::kDelta, signed_bytes(values[0]) + delta_frame.bytes, delta_frame);
  Column second_memory;
  const auto seconds = differences(deltas, second_memory);
  const Extremes second_extremes = extremes_of(seconds);
  if (second_extremes.width() < delta_extremes.width()) {
    const Frame second_frame = plan_frame(seconds, second_extremes);
    offer(IntegerCodec::kDeltaOfDelta, signed_bytes(values[0]) + signed_bytes(deltas[0]) + second_frame.bytes, second_frame);
  }
  const size_t runs = 1 + codec_kernels().count_outside(deltas.data(), deltas.size(), 0, 0);
  if (runs <= count / 2) offer(IntegerCodec::kRunLength, run_length_bytes(values));
  if (best.bytes > count && repeats(values)) {
    if (const auto bytes = dictionary_bytes(values, best.bytes)) offer(IntegerCodec::kDictionary, *bytes);
  }
  return best;
}

void append_integers(std::string& out, const IntegerPlan& plan, std::span<const int64_t> values) {
  Column first_memory;
  Column second_memory;
  if (plan.codec == IntegerCodec::kDictionary) {
    append_dictionary(out, values);
    return;
  }
  out.push_back(static_cast<char>(plan.codec));
  switch (plan.codec) {
    case IntegerCodec::kRaw:
      return append_raw(out, values);
    case IntegerCodec::kConstant:
      return append_signed(out, values[0]);
    case IntegerCodec::kSequence:
      append_signed(out, values[0]);
      return append_signed(out, values.size() > 1 ? wrapped_difference(values[1], values[0]) : 0);
    case IntegerCodec::kFrame:
      return append_frame(out, plan.frame, values);
    case IntegerCodec::kDelta:
      append_signed(out, values[0]);
      return append_frame(out, plan.frame, differences(values, first_memory));
    case IntegerCodec::kDeltaOfDelta: {
      const auto deltas = differences(values, first_memory);
      append_signed(out, values[0]);
      append_signed(out, deltas[0]);
      return append_frame(out, plan.frame, differences(deltas, second_memory));
    }
    case IntegerCodec::kRunLength:
      return append_runs(out, values);
    case IntegerCodec::kDictionary:
      return;
  }
}

bool encode_integers_as(IntegerCodec codec, std::span<const int64_t> values, std::string& out) {
  Column first_memory;
  Column second_memory;
  const auto deltas = differences(values, first_memory);
  const auto seconds = differences(deltas, second_memory);
  const auto constant = [](std::span<const int64_t> of) {
    const Extremes extremes = extremes_of(of);
    return extremes.low == extremes.high;
  };
  IntegerPlan plan{codec, 0, {}};
  switch (codec) {
    case IntegerCodec::kRaw:
    case IntegerCodec::kRunLength:
      break;
    case IntegerCodec::kDictionary:
      return append_dictionary(out, values);
    case IntegerCodec::kConstant:
      if (values.empty() || !constant(values)) return false;
      break;
    case IntegerCodec::kSequence:
      if (values.empty() || !constant(deltas)) return false;
      break;
    case IntegerCodec::kFrame:
      plan.frame = plan_frame(values);
      break;
    case IntegerCodec::kDelta:
      if (values.empty()) return false;
      plan.frame = plan_frame(deltas);
      break;
    case IntegerCodec::kDeltaOfDelta:
      if (values.size() < 2) return false;
      plan.frame = plan_frame(seconds);
      break;
  }
  append_integers(out, plan, values);
  return true;
}

bool decode_integers(ByteReader& in, std::span<int64_t> out) {
  uint8_t codec;
  if (out.size() > kBlockRowsMax || !in.fixed(codec)) return false;
  switch (static_cast<IntegerCodec>(codec)) {
    case IntegerCodec::kRaw:
      return read_raw(in, out);
    case IntegerCodec::kConstant:
      return read_constant(in, out);
    case IntegerCodec::kSequence:
      return read_sequence(in, out);
    case IntegerCodec::kFrame:
      return read_frame(in, out);
    case IntegerCodec::kDelta:
      return read_deltas(in, out);
    case IntegerCodec::kDeltaOfDelta:
      return read_deltas_of_deltas(in, out);
    case IntegerCodec::kRunLength:
      return read_runs(in, out);
    case IntegerCodec::kDictionary:
      return read_dictionary(in, out);
  }
  return false;
}

}  // namespace braid
