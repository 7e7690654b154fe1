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

namespace {

Status damaged_value(std::string_view what) {
  return Status(StatusCode::kCorrupt, std::string("an index value is damaged: ") + std::string(what));
}

/// The whole rest of `bytes` up to its terminator.
bool take_terminated(std::string_view bytes, std::string& out) {
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] != '\0') {
      out.push_back(bytes[i]);
      continue;
    }
    if (bytes[++i] == '\1') return i + 1 == bytes.size();
    if (bytes[i] != '\xff') return false;
    out.push_back('\0');
  }
  return false;
}

Result<PropertyValue> decode_number(std::string_view bytes) {
  ByteReader reader(bytes);
  uint64_t ordered;
  uint16_t offset;
  if (!reader.big_endian(ordered) || !reader.big_endian(offset) || !reader.done()) {
    return damaged_value("a number has ten bytes");
  }
  const auto real = std::bit_cast<double>((ordered & kSignBit) != 0 ? ordered ^ kSignBit : ~ordered);
  // Casting is defined within this range only.
  const bool whole = real >= -0x1p63 && real < 0x1p63 && std::floor(real) == real;
  if (!whole) {
    if (offset != 0) return damaged_value("only whole numbers have an offset");
    return PropertyValue{real};
  }
  int64_t sum;
  if (__builtin_add_overflow(static_cast<int64_t>(real), int64_t{offset}, &sum) || round_down(sum) != real) {
    return damaged_value("the offset reaches the next number");
  }
  return PropertyValue{sum};
}

}  // namespace

Result<PropertyValue> decode_index_value(std::string_view bytes) {
  if (bytes.empty()) return damaged_value("it has no type");
  const auto tag = static_cast<OrderTag>(bytes.front());
  bytes.remove_prefix(1);
  switch (tag) {
    case OrderTag::kNull:
      if (!bytes.empty()) break;
      return PropertyValue();
    case OrderTag::kBool:
      if (bytes.size() != 1 || static_cast<uint8_t>(bytes.front()) > 1) break;
      return PropertyValue{bytes.front() == '\1'};
    case OrderTag::kNumber:
      return decode_number(bytes);
    case OrderTag::kText: {
      std::string text;
      if (!take_terminated(bytes, text)) break;
      return PropertyValue{std::move(text)};
    }
    case OrderTag::kBytes: {
      Bytes out;
      if (!take_terminated(bytes, out.data)) break;
      return PropertyValue{std::move(out)};
    }
    case OrderTag::kTimestamp:
      if (bytes.size() != 8) break;
      return PropertyValue{
          Timestamp(static_cast<int64_t>(load_big_endian<uint64_t>(bytes.data()) ^ kSignBit))};
  }
  return damaged_value("its bytes are those of no value");
}

std::pair<std::string, std::string> index_value_limits(IndexValueKind kind) {
  static constexpr OrderTag kTags[] = {OrderTag::kBool, OrderTag::kNumber, OrderTag::kText,
                                       OrderTag::kBytes, OrderTag::kTimestamp};
  const auto tag = static_cast<char>(kTags[static_cast<size_t>(kind)]);
  return {std::string(1, tag), std::string(1, static_cast<char>(tag + 1))};
}

}  // namespace braid
