// Property values and their two encodings: bytes in the store, JSON in SQL and the C API.
//
// JSON: null, true, 12 (int64), 1.5, "text", [list], {map}. Bytes are {"$bytes":"hex"}, timestamps
// {"$timestamp":"2024-01-01 00:00:00"}.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

struct PropertyValue;
struct PropertyMember;
using PropertyList = std::vector<PropertyValue>;
using PropertyMap = std::vector<PropertyMember>;  ///< sorted by key, keys unique
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

struct PropertyValue {
  std::variant<std::monostate, bool, int64_t, double, std::string, Bytes, Timestamp, PropertyList,
               PropertyMap>
      value;
  bool is_null() const { return value.index() == 0; }
  /// Defined apart: PropertyMap cannot be compared before this class is complete.
  bool operator==(const PropertyValue& other) const;
};

/// No std::pair: its traits ask for a complete PropertyValue while that is being defined.
struct PropertyMember {
  std::string first;
  PropertyValue second;
  template <typename Key>
  PropertyMember(Key&& key, PropertyValue value) : first(std::forward<Key>(key)), second(std::move(value)) {}
  bool operator==(const PropertyMember&) const = default;
};

/// Properties of a node or an edge by key id, sorted by it; null values are never kept.
using Properties = std::vector<std::pair<KeyId, PropertyValue>>;

inline constexpr size_t kPropertyDepthMax = 64;  ///< nesting of lists and maps

std::string encode_properties(const Properties& properties);
/// kCorrupt for bytes that are no properties.
Result<Properties> decode_properties(std::string_view bytes);

/// The bytes of one value such that byte order is value order within null < bool < number < text <
/// bytes < timestamp: an int64 and an equal double have the same bytes. Lists and maps are refused
/// with kInvalidArgument.
Result<std::string> encode_index_value(const PropertyValue& value);
/// The value that has these bytes; kCorrupt for bytes that no value has. A number that is an integer
/// within int64 comes back as int64, also when it went in as a double.
Result<PropertyValue> decode_index_value(std::string_view bytes);
/// What all encoded values of a kind lie between: the first is at or below them, the second above.
enum class IndexValueKind : uint8_t { kBool, kNumber, kText, kBytes, kTimestamp };
std::pair<std::string, std::string> index_value_limits(IndexValueKind kind);

/// Parses a JSON object; a null value removes its key. Errors say what is wrong and at which byte.
Result<Properties> properties_from_json(std::string_view json,
                                        const std::function<KeyId(std::string_view)>& intern);
std::string properties_to_json(const Properties& properties,
                               const std::function<std::string_view(KeyId)>& name);
Result<PropertyValue> value_from_json(std::string_view json);
std::string value_to_json(const PropertyValue& value);

const PropertyValue* find_property(const Properties& properties, KeyId key);
/// The number under `key`; 1 when there is nothing. Nothing for what is no number, NaN too.
std::optional<double> weight_under(const Properties& properties, KeyId key);

}  // namespace braid
