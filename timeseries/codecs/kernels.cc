#include "timeseries/codecs/kernels.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/coding.h"

namespace braid {
namespace {

// Loops are written with the compiler's vectors, as long as a register of the instruction set. The bodies are inlined into one
// function per instruction set. Vectors are not compared where that can be avoided: the compiler would compare lane by lane. They are passed
// by reference, since how values are passed depends on the instruction set.
#define BRAID_BODY template <size_t kBytes> [[gnu::always_inline]] inline

template <size_t kBytes>
struct Vectors {
  using Words [[gnu::vector_size(kBytes)]] = uint64_t;
  using Integers [[gnu::vector_size(kBytes)]] = int64_t;
  using Reals [[gnu::vector_size(kBytes)]] = double;
  static constexpr size_t kSize = kBytes / 8;
  static_assert(kLanes % kSize == 0);
};

template <typename Vector>
[[gnu::always_inline]] inline void load(Vector& out, const void* from) {
  std::memcpy(&out, from, sizeof(Vector));
}
template <typename Vector>
[[gnu::always_inline]] inline void load_stored(Vector& out, const void* from) {
  load(out, from);
  if constexpr (std::endian::native == std::endian::big) {
    for (size_t i = 0; i < sizeof(Vector) / 8; ++i) out[i] = byte_swapped(out[i]);
  }
}
template <typename Vector>
[[gnu::always_inline]] inline void store(void* to, const Vector& value) {
  std::memcpy(to, &value, sizeof(Vector));
}
template <typename To, typename From>
[[gnu::always_inline]] inline void cast(To& to, const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(&to, &from, sizeof(To));
}

constexpr uint64_t mask_of(unsigned width) { return width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

BRAID_BODY void unpack_body(const char* words, size_t first_bit, unsigned width, size_t rows, uint64_t base, uint64_t* out) {
  using V = Vectors<kBytes>;
  const uint64_t mask = mask_of(width);
  size_t bit = first_bit;
  for (size_t row = 0; row < rows; ++row, bit += width) {
    const char* at = words + bit / 64 * (kLanes * 8);
    const auto shift = static_cast<uint64_t>(bit % 64);
    for (size_t lane = 0; lane < kLanes; lane += V::kSize) {
      typename V::Words low;
      typename V::Words high;
      load_stored(low, at + lane * 8);
      load_stored(high, at + (kLanes + lane) * 8);
      const typename V::Words value = (((low >> shift) | ((high << 1) << (63 - shift))) & mask) + base;
      store(out + row * kLanes + lane, value);
    }
  }
}

/// Packs the lanes of one vector; `rows` are kLanes values apart.
BRAID_BODY void pack_lanes(const int64_t* values, uint64_t base, unsigned width, size_t rows, uint64_t* words) {
  using V = Vectors<kBytes>;
  const uint64_t mask = mask_of(width);
  typename V::Words pending = {};
  uint64_t filled = 0;
  for (size_t row = 0; row < rows; ++row) {
    typename V::Words value;
    load(value, values + row * kLanes);
    value = (value - base) & mask;
    pending |= value << filled;
    filled += width;
    if (filled < 64) continue;
    store(words, pending);
    words += kLanes;
    filled -= 64;
    pending = (value >> 1) >> (width - filled - 1);
  }
  if (filled > 0) store(words, pending);
}

BRAID_BODY void pack_body(const int64_t* values, uint64_t base, unsigned width, size_t rows, uint64_t* words) {
  if (width == 0) return;
  for (size_t lane = 0; lane < kLanes; lane += Vectors<kBytes>::kSize)
    pack_lanes<kBytes>(values + lane, base, width, rows, words + lane);
}

BRAID_BODY void extremes_body(const int64_t* values, size_t count, int64_t& low, int64_t& high) {
  using V = Vectors<kBytes>;
  int64_t least = values[0];
  int64_t most = values[0];
  size_t i = 0;
  if (count >= 2 * V::kSize) {
    // Two of each, so that neither waits for the one before.
    typename V::Integers lows[2];
    typename V::Integers highs[2];
    for (size_t k = 0; k < 2; ++k) {
      load(lows[k], values + k * V::kSize);
      highs[k] = lows[k];
    }
    for (i = 2 * V::kSize; i + 2 * V::kSize <= count; i += 2 * V::kSize) {
      for (size_t k = 0; k < 2; ++k) {
        typename V::Integers value;
        load(value, values + i + k * V::kSize);
        lows[k] = value < lows[k] ? value : lows[k];
        highs[k] = value > highs[k] ? value : highs[k];
      }
    }
    for (size_t lane = 0; lane < V::kSize; ++lane) {
      least = std::min<int64_t>({least, lows[0][lane], lows[1][lane]});
      most = std::max<int64_t>({most, highs[0][lane], highs[1][lane]});
    }
  }
  for (; i < count; ++i) {
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  low = least;
  high = most;
}

BRAID_BODY size_t count_outside_body(const int64_t* values, size_t count, uint64_t base, unsigned width) {
  using V = Vectors<kBytes>;
  typename V::Words outside = {};
  const uint64_t shift = width;
  size_t i = 0;
  for (; i + V::kSize <= count; i += V::kSize) {
    typename V::Words value;
    load(value, values + i);
    value = (value - base) >> shift;
    outside += (value | -value) >> 63;  // 1 if any bit is set
  }
  size_t found = 0;
  for (size_t lane = 0; lane < V::kSize; ++lane) found += outside[lane];
  for (; i < count; ++i) found += ((static_cast<uint64_t>(values[i]) - base) >> width) != 0 ? 1 : 0;
  return found;
}

BRAID_BODY bool ascends_body(const int64_t* values, size_t count) {
  using V = Vectors<kBytes>;
  typename V::Words wrong = {};
  size_t i = 0;
  for (; i + V::kSize + 1 <= count; i += V::kSize) {
    typename V::Words value;
    typename V::Words next;
    load(value, values + i);
    load(next, values + i + 1);
    const typename V::Words difference = value - next;
    wrong |= ~(difference ^ ((value ^ next) & (difference ^ value)));  // the sign of what is inverted: value < next
  }
  bool any = false;
  for (size_t lane = 0; lane < V::kSize; ++lane) any = any || (wrong[lane] >> 63) != 0;
  for (; i + 1 < count; ++i) any = any || values[i] >= values[i + 1];
  return !any;
}

BRAID_BODY bool to_integers_body(const double* values, size_t count, const DecimalScale& scale, int64_t* out) {
  using V = Vectors<kBytes>;
  typename V::Words wrong = {};
  for (size_t i = 0; i < count; i += V::kSize) {
    typename V::Reals value;
    load(value, values + i);
    const typename V::Reals product = value * scale.to_integer;
    const typename V::Reals shifted = product + kIntegerToDouble;
    const typename V::Reals whole = shifted - kIntegerToDouble;
    const typename V::Reals back = scale.divides ? whole / scale.from_integer : whole * scale.from_integer;
    typename V::Words bits;
    typename V::Words value_bits;
    typename V::Words back_bits;
    cast(bits, shifted);
    cast(value_bits, value);
    cast(back_bits, back);
    wrong |= value_bits ^ back_bits;
    wrong |= (bits >> 52) ^ (kIntegerToDoubleBits >> 52);  // out of range; so is a NaN
    bits -= kIntegerToDoubleBits;
    store(out + i, bits);
  }
  uint64_t any = 0;
  for (size_t lane = 0; lane < V::kSize; ++lane) any |= wrong[lane];
  return any == 0;
}

enum class Conversion { kNone, kDivide, kMultiply };

template <size_t kBytes, Conversion kConversion>
[[gnu::always_inline]] inline void convert(const int64_t* values, size_t count, double factor, double* out) {
  using V = Vectors<kBytes>;
  for (size_t i = 0; i < count; i += V::kSize) {
    const size_t bytes = std::min(V::kSize, count - i) * 8;
    typename V::Words bits = {};
    typename V::Reals value;
    if (bytes == kBytes) {
      load(bits, values + i);
    } else {
      std::memcpy(&bits, values + i, bytes);
    }
    bits += kIntegerToDoubleBits;
    cast(value, bits);
    value -= kIntegerToDouble;
    if constexpr (kConversion == Conversion::kDivide) value /= factor;
    if constexpr (kConversion == Conversion::kMultiply) value *= factor;
    if (bytes == kBytes) {
      store(out + i, value);
    } else {
      std::memcpy(out + i, &value, bytes);
    }
  }
}

BRAID_BODY void to_doubles_body(const int64_t* values, size_t count, const DecimalScale& scale, double* out) {
  const double factor = scale.from_integer;
  if (factor == 1) {
    convert<kBytes, Conversion::kNone>(values, count, factor, out);
  } else if (scale.divides) {
    convert<kBytes, Conversion::kDivide>(values, count, factor, out);
  } else {
    convert<kBytes, Conversion::kMultiply>(values, count, factor, out);
  }
}

BRAID_BODY void look_up_body(int64_t* __restrict values, size_t count, const int64_t* __restrict table) {
  for (size_t i = 0; i < count; ++i) values[i] = table[values[i]];
}

BRAID_BODY void find_parts_body(const int64_t* values, size_t count, unsigned right_width, std::span<const uint64_t> parts,
                                int64_t* out) {
  using V = Vectors<kBytes>;
  const auto part_count = static_cast<int64_t>(parts.size());
  size_t i = 0;
  for (; i + V::kSize <= count; i += V::kSize) {
    typename V::Words value;
    load(value, values + i);
    value >>= uint64_t{right_width};
    typename V::Integers found = typename V::Integers{} + part_count;
    for (int64_t part = 0; part < part_count; ++part)
      found = value == parts[static_cast<size_t>(part)] ? typename V::Integers{} + part : found;
    store(out + i, found);
  }
  for (; i < count; ++i) {
    const uint64_t left = static_cast<uint64_t>(values[i]) >> right_width;
    out[i] = std::find(parts.begin(), parts.end(), left) - parts.begin();
  }
}

// One function per body and instruction set.
#define BRAID_KERNEL_SET(NAME, BYTES, TARGET)                                                                             \
  TARGET void unpack_##NAME(const char* a, size_t b, unsigned c, size_t d, uint64_t e, uint64_t* f) {                     \
    unpack_body<BYTES>(a, b, c, d, e, f);                                                                                 \
  }                                                                                                                       \
  TARGET void pack_##NAME(const int64_t* a, uint64_t b, unsigned c, size_t d, uint64_t* e) {                              \
    pack_body<BYTES>(a, b, c, d, e);                                                                                      \
  }                                                                                                                       \
  TARGET void extremes_##NAME(const int64_t* a, size_t b, int64_t& c, int64_t& d) { extremes_body<BYTES>(a, b, c, d); }   \
  TARGET size_t count_outside_##NAME(const int64_t* a, size_t b, uint64_t c, unsigned d) {                                \
    return count_outside_body<BYTES>(a, b, c, d);                                                                         \
  }                                                                                                                       \
  TARGET bool ascends_##NAME(const int64_t* a, size_t b) { return ascends_body<BYTES>(a, b); }                            \
  TARGET bool to_integers_##NAME(const double* a, size_t b, const DecimalScale& c, int64_t* d) {                          \
    return to_integers_body<BYTES>(a, b, c, d);                                                                           \
  }                                                                                                                       \
  TARGET void to_doubles_##NAME(const int64_t* a, size_t b, const DecimalScale& c, double* d) {                           \
    to_doubles_body<BYTES>(a, b, c, d);                                                                                   \
  }                                                                                                                       \
  TARGET void look_up_##NAME(int64_t* a, size_t b, const int64_t* c) { look_up_body<BYTES>(a, b, c); }                    \
  TARGET void find_parts_##NAME(const int64_t* a, size_t b, unsigned c, std::span<const uint64_t> d, int64_t* e) {        \
    find_parts_body<BYTES>(a, b, c, d, e);                                                                                \
  }                                                                                                                       \
  constexpr CodecKernels k_##NAME = {#NAME,          unpack_##NAME,      pack_##NAME,       extremes_##NAME, count_outside_##NAME, \
                                     ascends_##NAME, to_integers_##NAME, to_doubles_##NAME, look_up_##NAME,  find_parts_##NAME};

BRAID_KERNEL_SET(plain, 16, )
#if defined(__x86_64__)
BRAID_KERNEL_SET(avx2, 32, [[gnu::target("avx2,bmi,bmi2")]])
BRAID_KERNEL_SET(avx512, 64, [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi,bmi2")]])
#endif

std::vector<CodecKernels> supported() {
  std::vector<CodecKernels> out = {k_plain};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    out.push_back(k_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      out.push_back(k_avx512);
  }
#endif
  return out;
}

std::atomic<const CodecKernels*>& chosen() {
  static std::atomic<const CodecKernels*> kernels = &supported_codec_kernels().back();
  return kernels;
}

}  // namespace

const CodecKernels& codec_kernels() { return *chosen().load(std::memory_order_relaxed); }

std::span<const CodecKernels> supported_codec_kernels() {
  static const std::vector<CodecKernels> kernels = supported();
  return kernels;
}

void choose_codec_kernels(const CodecKernels& kernels) { chosen().store(&kernels, std::memory_order_relaxed); }

}  // namespace braid
