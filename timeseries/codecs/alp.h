// ALP: doubles that were decimals as integers, and ALP for real doubles: their left bits by a small dictionary and their right
// bits as they are. docs/chunk_format.md.
// Source: ALP (Afroozeh, Kuffo, Boncz, SIGMOD 2024), with one correctly rounded division in place of two multiplications, so that
// a decimal of up to 15 digits is never an exception.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/coding.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/point_block.h"

namespace braid {

inline constexpr int kAlpExponentMin = -9;
inline constexpr int kAlpExponentMax = 18;
/// Added to an exponent: the integer is multiplied by 10^-exponent, itself rounded, as programs do that scale by 0.01.
inline constexpr int kAlpReciprocal = 64;
inline constexpr unsigned kAlpLeftBitsMax = 16;
inline constexpr size_t kAlpPartsMax = 8;

/// Values as integers / 10^exponent or integers × 10^-exponent, and those that are not.
struct AlpPlan {
  int exponent = 0;
  size_t exception_count = 0;
  std::array<uint16_t, kBlockRowsMax> exceptions;  ///< positions
  std::array<int64_t, kBlockRowsMax> integers;     ///< an exception repeats its neighbour
  IntegerPlan plan;
  size_t bytes = 0;
};

/// False when the values are no decimals, or most of them.
bool plan_alp(std::span<const double> values, AlpPlan& out);
void append_alp(std::string& out, const AlpPlan& plan, std::span<const double> values);
bool read_alp(ByteReader& in, std::span<double> out);

/// The bits of values above `right_width` as one of a few parts.
struct AlpRealPlan {
  unsigned right_width = 0;
  size_t part_count = 0;
  std::array<uint64_t, kAlpPartsMax> parts;
  size_t exception_count = 0;
  std::array<int64_t, kBlockRowsMax> codes;  ///< part_count: an exception
  size_t bytes = 0;
};

/// `bits` are those of the doubles; at least one. False when it would take `bytes_limit` or more.
bool plan_alp_real(std::span<const int64_t> bits, size_t bytes_limit, AlpRealPlan& out);
void append_alp_real(std::string& out, AlpRealPlan& plan, std::span<const int64_t> bits);
bool read_alp_real(ByteReader& in, std::span<double> out);

}  // namespace braid
