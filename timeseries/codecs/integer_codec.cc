#include "timeseries/codecs/integer_codec.h"

#include <algorithm>
#include <array>

#include "timeseries/codecs/bit_packing.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

using Words = std::array<uint64_t, kBlockRowsMax>;

// All differences are taken modulo 2^64, so that no input overflows and every one is exact.
int64_t difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

struct Frame {
  int64_t base = 0;
  unsigned width = 0;
};

Frame frame_of(std::span<const int64_t> values) {
  if (values.empty()) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low,
          static_cast<unsigned>(std::bit_width(static_cast<uint64_t>(difference(*high, *low))))};
}

size_t frame_bytes(const Frame& frame, size_t count) {
  return 9 + packed_bytes(count, frame.width);
}

void append_frame(std::string& out, const Frame& frame, std::span<const int64_t> values) {
  append_fixed(out, frame.base);
  out.push_back(static_cast<char>(frame.width));
  Words words;
  for (size_t i = 0; i < values.size(); ++i) {
    words[i] = static_cast<uint64_t>(difference(values[i], frame.base));
  }
  append_packed(out, std::span(words.data(), values.size()), frame.width);
}

bool read_frame(ByteReader& in, std::span<int64_t> out) {
  int64_t base;
  uint8_t width;
  Words words;
  if (!in.fixed(base) || !in.fixed(width)) return false;
  if (!read_packed(in, width, std::span(words.data(), out.size()))) return false;
  for (size_t i = 0; i < out.size(); ++i) out[i] = sum(base, static_cast<int64_t>(words[i]));
  return true;
}

size_t varint_bytes(uint64_t value) { return (std::bit_width(value | 1) + 6) / 7; }

/// Calls visit(value, previous value, length) for each run of equal values.
template <typename Visit>
void for_each_run(std::span<const int64_t> values, Visit visit) {
  int64_t previous = 0;
  for (size_t start = 0; start < values.size();) {
    size_t limit = start + 1;
    while (limit < values.size() && values[limit] == values[start]) ++limit;
    visit(values[start], previous, limit - start);
    previous = values[start];
    start = limit;
  }
}

size_t run_length_bytes(std::span<const int64_t> values) {
  size_t bytes = 0;
  for_each_run(values, [&](int64_t value, int64_t previous, size_t length) {
    bytes += varint_bytes(zigzag(difference(value, previous))) + varint_bytes(length);
  });
  return bytes;
}

bool read_runs(ByteReader& in, std::span<int64_t> out) {
  int64_t value = 0;
  for (size_t start = 0; start < out.size();) {
    uint64_t change;
    uint64_t length;
    if (!in.varint(change) || !in.varint(length)) return false;
    if (length == 0 || length > out.size() - start) return false;
    value = sum(value, unzigzag(change));
    std::fill_n(out.begin() + static_cast<ptrdiff_t>(start), length, value);
    start += length;
  }
  return true;
}

bool read_deltas(ByteReader& in, std::span<int64_t> out) {
  if (out.empty() || !in.fixed(out[0]) || !read_frame(in, out.subspan(1))) return false;
  for (size_t i = 1; i < out.size(); ++i) out[i] = sum(out[i - 1], out[i]);
  return true;
}

bool read_deltas_of_deltas(ByteReader& in, std::span<int64_t> out) {
  int64_t delta;
  if (out.size() < 2 || !in.fixed(out[0]) || !in.fixed(delta)) return false;
  if (!read_frame(in, out.subspan(2))) return false;
  out[1] = sum(out[0], delta);
  for (size_t i = 2; i < out.size(); ++i) {
    delta = sum(delta, out[i]);
    out[i] = sum(out[i - 1], delta);
  }
  return true;
}

}  // namespace

void encode_integers(std::span<const int64_t> values, std::string& out) {
  const size_t count = values.size();
  std::array<int64_t, kBlockRowsMax> deltas{};
  std::array<int64_t, kBlockRowsMax> seconds{};
  for (size_t i = 1; i < count; ++i) deltas[i - 1] = difference(values[i], values[i - 1]);
  for (size_t i = 2; i < count; ++i) seconds[i - 2] = difference(deltas[i - 1], deltas[i - 2]);
  const std::span<const int64_t> delta_span(deltas.data(), count > 0 ? count - 1 : 0);
  const std::span<const int64_t> second_span(seconds.data(), count > 1 ? count - 2 : 0);
  const Frame frame = frame_of(values);
  const Frame delta_frame = frame_of(delta_span);
  const Frame second_frame = frame_of(second_span);

  IntegerCodec best = IntegerCodec::kRaw;
  size_t best_bytes = count * 8;
  const auto offer = [&](IntegerCodec codec, size_t bytes) {
    if (bytes >= best_bytes) return;
    best = codec;
    best_bytes = bytes;
  };
  if (count > 1 && frame.width == 0) offer(IntegerCodec::kConstant, 8);
  if (count > 1) offer(IntegerCodec::kFrameOfReference, frame_bytes(frame, count));
  if (count > 1) offer(IntegerCodec::kDelta, 8 + frame_bytes(delta_frame, count - 1));
  if (count > 2) offer(IntegerCodec::kDeltaOfDelta, 16 + frame_bytes(second_frame, count - 2));
  if (best != IntegerCodec::kConstant) offer(IntegerCodec::kRunLength, run_length_bytes(values));

  out.push_back(static_cast<char>(best));
  switch (best) {
    case IntegerCodec::kRaw:
      for (const int64_t value : values) append_fixed(out, value);
      return;
    case IntegerCodec::kConstant:
      append_fixed(out, values[0]);
      return;
    case IntegerCodec::kFrameOfReference:
      append_frame(out, frame, values);
      return;
    case IntegerCodec::kDelta:
      append_fixed(out, values[0]);
      append_frame(out, delta_frame, delta_span);
      return;
    case IntegerCodec::kDeltaOfDelta:
      append_fixed(out, values[0]);
      append_fixed(out, deltas[0]);
      append_frame(out, second_frame, second_span);
      return;
    case IntegerCodec::kRunLength:
      for_each_run(values, [&](int64_t value, int64_t previous, size_t length) {
        append_varint(out, zigzag(difference(value, previous)));
        append_varint(out, length);
      });
      return;
  }
}

bool decode_integers(ByteReader& in, std::span<int64_t> out) {
  uint8_t codec;
  if (out.size() > kBlockRowsMax || !in.fixed(codec)) return false;
  switch (static_cast<IntegerCodec>(codec)) {
    case IntegerCodec::kRaw:
      for (int64_t& value : out) {
        if (!in.fixed(value)) return false;
      }
      return true;
    case IntegerCodec::kConstant: {
      int64_t value;
      if (!in.fixed(value)) return false;
      std::fill(out.begin(), out.end(), value);
      return true;
    }
    case IntegerCodec::kFrameOfReference:
      return read_frame(in, out);
    case IntegerCodec::kDelta:
      return read_deltas(in, out);
    case IntegerCodec::kDeltaOfDelta:
      return read_deltas_of_deltas(in, out);
    case IntegerCodec::kRunLength:
      return read_runs(in, out);
  }
  return false;
}

}  // namespace braid
