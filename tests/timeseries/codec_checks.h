// Compares the codecs with the reference: by each codec that can hold the values and by the one chosen, on each set of kernels
// that this processor runs.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "tests/timeseries/reference_codecs.h"
#include "timeseries/codecs/double_codec.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/codecs/kernels.h"

namespace braid {

/// Chooses the fastest kernels again at its end.
class KernelChoice {
 public:
  ~KernelChoice() { choose_codec_kernels(supported_codec_kernels().back()); }
  void choose(const CodecKernels& kernels) { choose_codec_kernels(kernels); }
};

inline reference::Values bits_of(std::span<const int64_t> values) { return {values.begin(), values.end()}; }
inline reference::Values bits_of(std::span<const double> values) {
  reference::Values out;
  for (const double value : values) out.push_back(std::bit_cast<uint64_t>(value));
  return out;
}

/// Encodes with all kernels, which must agree, and returns the bytes; "" if the codec cannot hold the values.
inline std::string encoded_by_all(const std::function<bool(std::string&)>& encode) {
  KernelChoice choice;
  std::string first;
  for (const CodecKernels& kernels : supported_codec_kernels()) {
    choice.choose(kernels);
    std::string bytes;
    if (!encode(bytes)) bytes.clear();
    if (&kernels == &supported_codec_kernels().front()) first = bytes;
    CAPTURE(kernels.name);
    REQUIRE(bytes == first);
  }
  return first;
}

template <typename Value>
void check_decoded(const std::string& bytes, std::span<const Value> values, bool (*decode)(ByteReader&, std::span<Value>),
                   reference::Values (*plain)(reference::Reader&, size_t)) {
  KernelChoice choice;
  const reference::Values expected = bits_of(values);
  reference::Reader reference_reader(bytes);
  REQUIRE(plain(reference_reader, values.size()) == expected);
  REQUIRE(reference_reader.done());
  for (const CodecKernels& kernels : supported_codec_kernels()) {
    choice.choose(kernels);
    // A copy of the exact size, so that a read past the end is found.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    ByteReader in({exact.data(), exact.size()});
    std::vector<Value> back(values.size());
    CAPTURE(kernels.name);
    REQUIRE(decode(in, back));
    REQUIRE(in.done());
    REQUIRE(bits_of(std::span<const Value>(back)) == expected);
  }
}

inline void check_integers(std::span<const int64_t> values) {
  const auto check = [&](const std::function<bool(std::string&)>& encode) {
    const std::string bytes = encoded_by_all(encode);
    if (!bytes.empty()) check_decoded<int64_t>(bytes, values, decode_integers, reference::integers);
    return bytes.size();
  };
  const IntegerPlan plan = plan_integers(values);
  const size_t chosen = check([&](std::string& out) {
    encode_integers(values, out);
    return true;
  });
  CHECK(chosen <= plan.bytes + 1);
  CHECK(chosen <= 1 + values.size() * 8);
  for (const IntegerCodec codec : kIntegerCodecs) {
    CAPTURE(static_cast<int>(codec));
    check([&](std::string& out) { return encode_integers_as(codec, values, out); });
  }
}

inline void check_doubles(std::span<const double> values) {
  const auto check = [&](const std::function<bool(std::string&)>& encode) {
    const std::string bytes = encoded_by_all(encode);
    if (!bytes.empty()) check_decoded<double>(bytes, values, decode_doubles, reference::doubles);
    return bytes.size();
  };
  const size_t chosen = check([&](std::string& out) {
    encode_doubles(values, out);
    return true;
  });
  CHECK(chosen <= 2 + values.size() * 8);
  for (const DoubleCodec codec : kDoubleCodecs) {
    CAPTURE(static_cast<int>(codec));
    check([&](std::string& out) { return encode_doubles_as(codec, values, out); });
  }
}

}  // namespace braid
