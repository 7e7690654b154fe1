// The bytes of properties in the store. Decoding is bounded by the bytes that are there and by
// kPropertyDepthMax.
#include <cmath>
#include <algorithm>

#include "engine/coding.h"
#include "graph/property.h"

namespace braid {
namespace {

/// Values are frozen: they are stored.
enum class ValueTag : uint8_t {
  kNull = 0,
  kFalse = 1,
  kTrue = 2,
  kInteger = 3,
  kReal = 4,
  kText = 5,
  kBytes = 6,
  kTimestamp = 7,
  kList = 8,
  kMap = 9,
};

void append_value(std::string& out, const PropertyValue& value);

struct Appender {
  std::string& out;

  void tag(ValueTag value) const { out.push_back(static_cast<char>(value)); }
  void operator()(std::monostate) const { tag(ValueTag::kNull); }
  void operator()(bool value) const { tag(value ? ValueTag::kTrue : ValueTag::kFalse); }
  void operator()(int64_t value) const {
    tag(ValueTag::kInteger);
    append_varint(out, zigzag(value));
  }
  void operator()(double value) const {
    tag(ValueTag::kReal);
    append_double(out, value);
  }
  void operator()(const std::string& value) const {
    tag(ValueTag::kText);
    append_text(out, value);
  }
  void operator()(const Bytes& value) const {
    tag(ValueTag::kBytes);
    append_text(out, value.data);
  }
  void operator()(Timestamp value) const {
    tag(ValueTag::kTimestamp);
    append_varint(out, zigzag(value.value()));
  }
  void operator()(const PropertyList& list) const {
    tag(ValueTag::kList);
    append_varint(out, list.size());
    for (const PropertyValue& item : list) append_value(out, item);
  }
  void operator()(const PropertyMap& map) const {
    tag(ValueTag::kMap);
    append_varint(out, map.size());
    for (const auto& [key, item] : map) {
      append_text(out, key);
      append_value(out, item);
    }
  }
};

void append_value(std::string& out, const PropertyValue& value) {
  std::visit(Appender{out}, value.value);
}

bool read_value(ByteReader& reader, size_t depth, PropertyValue& out);

bool read_list(ByteReader& reader, size_t depth, PropertyValue& out) {
  uint64_t count;
  if (depth >= kPropertyDepthMax || !reader.varint(count)) return false;
  if (count > reader.remaining()) return false;
  PropertyList list;
  for (uint64_t i = 0; i < count; ++i) {
    if (!read_value(reader, depth + 1, list.emplace_back())) return false;
  }
  out.value = std::move(list);
  return true;
}

bool read_map(ByteReader& reader, size_t depth, PropertyValue& out) {
  uint64_t count;
  if (depth >= kPropertyDepthMax || !reader.varint(count)) return false;
  if (count > reader.remaining()) return false;
  PropertyMap map;
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!reader.text(key)) return false;
    if (!map.empty() && key <= map.back().first) return false;
    map.emplace_back(std::string(key), PropertyValue());
    if (!read_value(reader, depth + 1, map.back().second)) return false;
  }
  out.value = std::move(map);
  return true;
}

bool read_value(ByteReader& reader, size_t depth, PropertyValue& out) {
  uint8_t tag;
  uint64_t number;
  std::string_view text;
  if (!reader.fixed(tag) || tag > static_cast<uint8_t>(ValueTag::kMap)) return false;
  switch (static_cast<ValueTag>(tag)) {
    case ValueTag::kNull:
      out.value = std::monostate();
      return true;
    case ValueTag::kFalse:
    case ValueTag::kTrue:
      out.value = static_cast<ValueTag>(tag) == ValueTag::kTrue;
      return true;
    case ValueTag::kInteger:
      if (!reader.varint(number)) return false;
      out.value = unzigzag(number);
      return true;
    case ValueTag::kReal: {
      double real;
      if (!reader.real(real)) return false;
      out.value = real;
      return true;
    }
    case ValueTag::kText:
      if (!reader.text(text)) return false;
      out.value = std::string(text);
      return true;
    case ValueTag::kBytes:
      if (!reader.text(text)) return false;
      out.value = Bytes{std::string(text)};
      return true;
    case ValueTag::kTimestamp:
      if (!reader.varint(number)) return false;
      out.value = Timestamp(unzigzag(number));
      return true;
    case ValueTag::kList:
      return read_list(reader, depth, out);
    case ValueTag::kMap:
      return read_map(reader, depth, out);
  }
  return false;
}

bool read_properties(ByteReader& reader, Properties& out) {
  uint64_t count;
  if (!reader.varint(count) || count > reader.remaining()) return false;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t key;
    if (!reader.varint(key) || key > UINT32_MAX) return false;
    const KeyId id(static_cast<uint32_t>(key));
    if (!out.empty() && id <= out.back().first) return false;
    out.emplace_back(id, PropertyValue());
    if (!read_value(reader, 0, out.back().second) || out.back().second.is_null()) return false;
  }
  return reader.done();
}

}  // namespace

bool PropertyValue::operator==(const PropertyValue& other) const { return value == other.value; }

std::string encode_properties(const Properties& properties) {
  std::string out;
  append_varint(out, properties.size());
  for (const auto& [key, value] : properties) {
    append_varint(out, key.value());
    append_value(out, value);
  }
  return out;
}

Result<Properties> decode_properties(std::string_view bytes) {
  ByteReader reader(bytes);
  Properties out;
  if (!read_properties(reader, out)) {
    return Status(StatusCode::kCorrupt, "the bytes of the properties are damaged");
  }
  return out;
}

const PropertyValue* find_property(const Properties& properties, KeyId key) {
  const auto found =
      std::lower_bound(properties.begin(), properties.end(), key,
                       [](const auto& property, KeyId wanted) { return property.first < wanted; });
  return found != properties.end() && found->first == key ? &found->second : nullptr;
}

std::optional<double> weight_under(const Properties& properties, KeyId key) {
  const PropertyValue* value = find_property(properties, key);
  if (value == nullptr) return 1.0;
  if (const auto* integer = std::get_if<int64_t>(&value->value)) return static_cast<double>(*integer);
  const auto* real = std::get_if<double>(&value->value);
  if (real == nullptr || std::isnan(*real)) return std::nullopt;
  return *real;
}

}  // namespace braid
