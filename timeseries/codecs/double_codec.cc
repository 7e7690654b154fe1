#include "timeseries/codecs/double_codec.h"

#include <array>
#include <cstring>

#include "timeseries/codecs/alp.h"

namespace braid {
namespace {

/// Doubles as their bits.
struct Bits {
  explicit Bits(std::span<const double> values) : count(values.size()) {
    if (!values.empty()) std::memcpy(memory.data(), values.data(), values.size_bytes());
  }
  std::span<const int64_t> all() const { return std::span(memory).first(count); }
  size_t count;
  std::array<int64_t, kBlockRowsMax> memory;
};

void append_codec(std::string& out, DoubleCodec codec) { out.push_back(static_cast<char>(codec)); }

void put_alp(std::string& out, const AlpPlan& plan, std::span<const double> values) {
  append_codec(out, DoubleCodec::kAlp);
  append_alp(out, plan, values);
}
void put_bits(std::string& out, const IntegerPlan& plan, const Bits& bits) {
  append_codec(out, DoubleCodec::kBits);
  append_integers(out, plan, bits.all());
}
void put_alp_real(std::string& out, AlpRealPlan& plan, const Bits& bits) {
  append_codec(out, DoubleCodec::kAlpReal);
  append_alp_real(out, plan, bits.all());
}

bool read_bits(ByteReader& in, std::span<double> out) {
  std::array<int64_t, kBlockRowsMax> bits;
  if (!decode_integers(in, std::span(bits).first(out.size()))) return false;
  if (!out.empty()) std::memcpy(out.data(), bits.data(), out.size_bytes());
  return true;
}

}  // namespace

void encode_doubles(std::span<const double> values, std::string& out) {
  AlpPlan alp;
  const bool decimal = plan_alp(values, alp);
  // Nothing beats integers when all values are decimals but a few.
  if (decimal && alp.exception_count <= values.size() / 32 && alp.bytes < values.size() * 8) return put_alp(out, alp, values);
  const Bits bits(values);
  const IntegerPlan plan = plan_integers(bits.all());
  if (decimal && alp.bytes <= plan.bytes) return put_alp(out, alp, values);
  // Real doubles take at least so many right bits.
  if (plan.bytes > values.size() * (64 - kAlpLeftBitsMax) / 8) {
    AlpRealPlan real;
    if (plan_alp_real(bits.all(), plan.bytes, real)) return put_alp_real(out, real, bits);
  }
  put_bits(out, plan, bits);
}

bool encode_doubles_as(DoubleCodec codec, std::span<const double> values, std::string& out) {
  switch (codec) {
    case DoubleCodec::kBits: {
      const Bits bits(values);
      put_bits(out, plan_integers(bits.all()), bits);
      return true;
    }
    case DoubleCodec::kAlp: {
      AlpPlan plan;
      if (!plan_alp(values, plan)) return false;
      put_alp(out, plan, values);
      return true;
    }
    case DoubleCodec::kAlpReal: {
      if (values.empty()) return false;
      const Bits bits(values);
      AlpRealPlan plan;
      if (!plan_alp_real(bits.all(), SIZE_MAX, plan)) return false;
      put_alp_real(out, plan, bits);
      return true;
    }
  }
  return false;
}

bool decode_doubles(ByteReader& in, std::span<double> out) {
  uint8_t codec;
  if (out.size() > kBlockRowsMax || !in.fixed(codec)) return false;
  switch (static_cast<DoubleCodec>(codec)) {
    case DoubleCodec::kBits:
      return read_bits(in, out);
    case DoubleCodec::kAlp:
      return read_alp(in, out);
    case DoubleCodec::kAlpReal:
      return read_alp_real(in, out);
  }
  return false;
}

}  // namespace braid
