// What docs/chunk_format.md says about the bytes of a stripe, read plainly, value by value and bit by bit: the decoders of the
// library are compared with these. Bytes are expected to be whole.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid::reference {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool done() const { return at_ == bytes_.size(); }

  uint64_t fixed(size_t size) {
    uint64_t out = 0;
    for (size_t i = 0; i < size; ++i) out |= uint64_t{static_cast<uint8_t>(bytes_.at(at_++))} << (8 * i);
    return out;
  }
  uint64_t varint() {
    uint64_t out = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint64_t byte = fixed(1);
      out |= (byte & 0x7f) << shift;
      if (byte < 0x80) return out;
    }
  }
  uint64_t zigzag() {
    const uint64_t value = varint();
    return (value % 2 == 0) ? value / 2 : ~(value / 2);
  }
  std::string_view take(size_t size) {
    const std::string_view out = bytes_.substr(at_, size);
    at_ += size;
    return out;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

using Values = std::vector<uint64_t>;

/// Eight lanes: value i is number i / 8 of lane i % 8.
inline Values packed(Reader& in, size_t count, unsigned width) {
  const size_t lane_bits = (count + 7) / 8 * width;
  const size_t words = lane_bits / 64;
  const size_t rest_bytes = (lane_bits % 64 + 7) / 8;
  const std::string_view bytes = in.take(words * 64 + rest_bytes * 8);
  Values out(count);
  for (size_t i = 0; i < count; ++i) {
    for (unsigned b = 0; b < width; ++b) {
      const size_t lane = i % 8;
      const size_t bit = i / 8 * width + b;
      const size_t in_word = bit % 64;
      const size_t place = bit / 64 < words ? bit / 64 * 64 + lane * 8 + in_word / 8 : words * 64 + lane * rest_bytes + in_word / 8;
      out[i] |= uint64_t{(static_cast<uint8_t>(bytes.at(place)) >> (in_word % 8)) & 1u} << b;
    }
  }
  return out;
}

inline Values frame(Reader& in, size_t count) {
  const uint64_t base = in.zigzag();
  const uint64_t mark = in.fixed(1);
  const auto width = static_cast<unsigned>(mark & 0x7f);
  Values out = packed(in, count, width);
  for (uint64_t& value : out) value += base;
  if (mark < 0x80) return out;
  const size_t patches = in.varint();
  const auto patch_width = static_cast<unsigned>(in.fixed(1));
  std::vector<size_t> positions;
  for (size_t i = 0; i < patches; ++i) positions.push_back(in.fixed(2));
  const Values highs = packed(in, patches, patch_width);
  for (size_t i = 0; i < patches; ++i) {
    const uint64_t high = highs[i] % 2 == 0 ? highs[i] / 2 : ~(highs[i] / 2);
    out.at(positions[i]) += high << width;
  }
  return out;
}

inline Values run_length(Reader& in) {
  const size_t runs = in.varint();
  const Values values = frame(in, runs);
  const Values lengths = frame(in, runs);
  Values out;
  for (size_t i = 0; i < runs; ++i) out.insert(out.end(), lengths[i], values[i]);
  return out;
}

inline Values dictionary(Reader& in, size_t count) {
  const size_t distinct = in.varint();
  const Values values = frame(in, distinct);
  Values out = packed(in, count, static_cast<unsigned>(std::bit_width(distinct - 1)));
  for (uint64_t& value : out) value = values.at(value);
  return out;
}

/// Values before which `seeds` stand, each the difference of its level to the one before.
inline Values summed(const Values& seeds, const Values& differences) {
  if (seeds.empty()) return differences;
  Values inner = summed(Values(seeds.begin() + 1, seeds.end()), differences);
  Values out = {seeds[0]};
  for (const uint64_t difference : inner) out.push_back(out.back() + difference);
  return out;
}

inline Values integers(Reader& in, size_t count) {
  Values seeds;
  switch (const uint64_t codec = in.fixed(1)) {
    case 0: {
      Values out;
      for (size_t i = 0; i < count; ++i) out.push_back(in.fixed(8));
      return out;
    }
    case 1:
      return Values(count, in.zigzag());
    case 2: {
      Values out = {in.zigzag()};
      const uint64_t step = in.zigzag();
      while (out.size() < count) out.push_back(out.back() + step);
      return out;
    }
    case 3:
      return frame(in, count);
    case 4:
    case 5:
      for (uint64_t level = 3; level < codec; ++level) seeds.push_back(in.zigzag());
      return summed(seeds, frame(in, count - seeds.size()));
    case 6:
      return run_length(in);
    case 7:
      return dictionary(in, count);
    default:
      return {};
  }
}

inline Values alp(Reader& in, size_t count) {
  const int exponent = static_cast<int8_t>(in.fixed(1));
  const size_t exceptions = in.varint();
  std::vector<size_t> positions;
  Values bits;
  for (size_t i = 0; i < exceptions; ++i) positions.push_back(in.fixed(2));
  for (size_t i = 0; i < exceptions; ++i) bits.push_back(in.fixed(8));
  Values out = integers(in, count);
  for (uint64_t& value : out) {
    double power = 1;
    for (int i = 0; i < (exponent > 64 ? exponent - 64 : std::abs(exponent)); ++i) power *= 10;  // exact up to 10^22
    const auto integer = static_cast<double>(static_cast<int64_t>(value));
    if (exponent > 64) power = 1 / power;
    value = std::bit_cast<uint64_t>(exponent >= 0 && exponent < 64 ? integer / power : integer * power);
  }
  for (size_t i = 0; i < exceptions; ++i) out.at(positions[i]) = bits[i];
  return out;
}

inline Values alp_real(Reader& in, size_t count) {
  const auto right_width = static_cast<unsigned>(in.fixed(1));
  Values parts(in.fixed(1));
  for (uint64_t& part : parts) part = in.fixed(2) << right_width;
  const Values codes = packed(in, count, static_cast<unsigned>(std::bit_width(parts.size() - 1)));
  const Values rights = packed(in, count, right_width);
  Values out;
  for (size_t i = 0; i < count; ++i) out.push_back(parts.at(codes[i]) | rights[i]);
  std::vector<size_t> positions(in.varint());
  for (size_t& position : positions) position = in.fixed(2);
  for (const size_t position : positions) out.at(position) = rights.at(position) | in.fixed(2) << right_width;
  return out;
}

/// The bits of doubles.
inline Values doubles(Reader& in, size_t count) {
  switch (in.fixed(1)) {
    case 0:
      return integers(in, count);
    case 1:
      return alp(in, count);
    case 2:
      return alp_real(in, count);
    default:
      return {};
  }
}

using Texts = std::vector<std::string>;

inline Texts list(Reader& in, size_t count) {
  Values lengths;
  for (size_t start = 0; start < count; start += 1024) {
    const Values some = integers(in, std::min<size_t>(1024, count - start));
    lengths.insert(lengths.end(), some.begin(), some.end());
  }
  Texts out;
  for (const uint64_t length : lengths) out.emplace_back(in.take(length));
  return out;
}

inline Texts texts(Reader& in, size_t count, const Texts& chunk_dictionary = {}) {
  const uint64_t codec = in.fixed(1);
  if (codec == 0) return list(in, count);
  if (codec == 1) return Texts(count, list(in, 1).at(0));
  Texts entries = chunk_dictionary;
  const size_t distinct = codec == 2 ? in.varint() : 0;
  const Values indexes = integers(in, count);
  if (codec == 2) entries = list(in, distinct);
  Texts out;
  for (const uint64_t index : indexes) out.push_back(entries.at(index));
  return out;
}

}  // namespace braid::reference
