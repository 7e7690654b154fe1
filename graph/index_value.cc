// Values as bytes whose order is the values' order, and of which none is a prefix of another.
#include <cmath>
#include <limits>

#include "engine/coding.h"
#include "graph/property.h"

namespace braid {
namespace {

/// Values are frozen: they are stored, and their order is the order of the types.
enum class OrderTag : uint8_t {
  kNull = 1,
  kBool = 2,
  kNumber = 3,
  kText = 4,
  kBytes = 5,
  kTimestamp = 6,
};

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void append_ordered_double(std::string& out, double value) {
  if (value == 0) value = 0;  // -0.0 equals 0.0
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<uint64_t>(value);
  append_big_endian(out, (bits & kSignBit) != 0 ? ~bits : bits | kSignBit);
}

/// The greatest double that is not above `value`.
double round_down(int64_t value) {
  const auto nearest = static_cast<double>(value);
  // 2^63 is above every int64; below it the conversion back is exact.
  const bool above = nearest >= 0x1p63 || static_cast<int64_t>(nearest) > value;
  return above ? std::nextafter(nearest, -std::numeric_limits<double>::infinity()) : nearest;
}

/// Zero bytes are escaped as 00 FF and the end is 00 01, which sorts before any continuation.
void append_terminated(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    out.push_back(byte);
    if (byte == '\0') out.push_back('\xff');
  }
  out.append("\0\1", 2);
}

struct Encoder {
  std::string out{};

  void tag(OrderTag value) { out.push_back(static_cast<char>(value)); }
  bool operator()(std::monostate) {
    tag(OrderTag::kNull);
    return true;
  }
  bool operator()(bool value) {
    tag(OrderTag::kBool);
    out.push_back(value ? '\1' : '\0');
    return true;
  }
  bool operator()(int64_t value) {
    // A number is the double at or below it, then its distance from that: 0 for every double and
    // every integer that is one, below 1024 for the others.
    tag(OrderTag::kNumber);
    const double down = round_down(value);
    append_ordered_double(out, down);
    append_big_endian(out, static_cast<uint16_t>(value - static_cast<int64_t>(down)));
    return true;
  }
  bool operator()(double value) {
    tag(OrderTag::kNumber);
    append_ordered_double(out, value);
    append_big_endian(out, uint16_t{0});
    return true;
  }
  bool operator()(const std::string& value) {
    tag(OrderTag::kText);
    append_terminated(out, value);
    return true;
  }
  bool operator()(const Bytes& value) {
    tag(OrderTag::kBytes);
    append_terminated(out, value.data);
    return true;
  }
  bool operator()(Timestamp value) {
    tag(OrderTag::kTimestamp);
    append_big_endian(out, static_cast<uint64_t>(value.value()) ^ kSignBit);
    return true;
  }
  bool operator()(const PropertyList&) { return false; }
  bool operator()(const PropertyMap&) { return false; }
};

}  // namespace

Result<std::string> encode_index_value(const PropertyValue& value) {
  Encoder encoder;
  if (!std::visit(encoder, value.value)) {
    return Status(StatusCode::kInvalidArgument, "lists and maps are not indexed");
  }
  return std::move(encoder.out);
}

}  // namespace braid
