// The inner loops of the codecs, compiled once per instruction set and chosen by the processor that
// runs them. Every set gives the same bytes and the same values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace braid {

/// Packed values lie in so many lanes: value i is in lane i % kLanes.
inline constexpr size_t kLanes = 8;

/// How doubles become integers: integer = round(double × 10^exponent), and the double comes back by one division or
/// multiplication, which IEEE 754 rounds correctly.
struct DecimalScale {
  double to_integer = 1;    ///< multiplies a double
  double from_integer = 1;  ///< divides or multiplies an integer
  bool divides = true;
};

// Rows are kLanes values that lie one after another; pointers need no alignment.
struct CodecKernels {
  const char* name;
  /// Unpacks rows whose first bit in each lane is `first_bit`, and adds `base`. Reads the word after the last that holds a value.
  void (*unpack)(const char* words, size_t first_bit, unsigned width, size_t rows, uint64_t base, uint64_t* out);
  /// Packs the low `width` bits of value - base; writes ceil(rows * width / 64) words of each lane.
  void (*pack)(const int64_t* values, uint64_t base, unsigned width, size_t rows, uint64_t* words);
  void (*extremes)(const int64_t* values, size_t count, int64_t& low, int64_t& high);
  /// How many of value - base, as unsigned, need more than `width` bits, 0 to 63.
  size_t (*count_outside)(const int64_t* values, size_t count, uint64_t base, unsigned width);
  bool (*ascends)(const int64_t* values, size_t count);
  /// Scales a multiple of kLanes values; false when one does not come back bit by bit, and then what it wrote is undefined.
  bool (*to_integers)(const double* values, size_t count, const DecimalScale& scale, int64_t* out);
  /// The inverse, of integers of 52 bits with the sign; others become some double.
  void (*to_doubles)(const int64_t* values, size_t count, const DecimalScale& scale, double* out);
  /// In place: values become the entries of `table` that they are the indexes of.
  void (*look_up)(int64_t* values, size_t count, const int64_t* table);
  /// For each value the number of the part that its bits above `right_width` are, or parts.size().
  void (*find_parts)(const int64_t* values, size_t count, unsigned right_width, std::span<const uint64_t> parts, int64_t* out);
};

// An integer of 52 bits with the sign, added to the bits of 1.5 × 2^52, is a double from which 1.5 × 2^52 is subtracted
// exactly: a conversion that all vector units have.
inline constexpr double kIntegerToDouble = 6755399441055744.0;
inline constexpr uint64_t kIntegerToDoubleBits = 0x4338000000000000;

/// The fastest set that this processor runs, unless another was chosen.
const CodecKernels& codec_kernels();
/// All sets that this processor runs, the plainest first.
std::span<const CodecKernels> supported_codec_kernels();
/// For tests and benchmarks, which compare the sets.
void choose_codec_kernels(const CodecKernels& kernels);

}  // namespace braid
