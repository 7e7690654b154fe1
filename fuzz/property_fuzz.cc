// Any bytes as properties, as an indexed value, as a node, and as JSON. What can be read is written and read again: it must be the same.
#include <map>

#include "fuzz/input.h"
#include "graph/node_format.h"
#include "graph/property.h"

using namespace braid;

namespace {

/// NaN is no equal of itself: what is written decides.
void check_properties(std::string_view bytes) {
  const auto read = decode_properties(bytes);
  if (!read.ok()) return;
  const std::string written = encode_properties(*read);
  const auto again = decode_properties(written);
  must(again.ok() && encode_properties(*again) == written);
  (void)properties_to_json(*read, [](KeyId) -> std::string_view { return "key"; });
}

void check_index_value(std::string_view bytes) {
  const auto read = decode_index_value(bytes);
  if (!read.ok()) return;
  const auto written = encode_index_value(*read);
  must(written.ok());
  const auto again = decode_index_value(*written);
  must(again.ok());
  const auto twice = encode_index_value(*again);
  must(twice.ok() && *twice == *written);
}

void check_json(std::string_view json) {
  std::map<std::string, KeyId, std::less<>> keys;
  std::map<KeyId, std::string> names;
  const auto intern = [&](std::string_view name) {
    const auto found = keys.find(name);
    if (found != keys.end()) return found->second;
    const KeyId key(static_cast<uint32_t>(keys.size() + 1));
    keys.emplace(name, key);
    names.emplace(key, name);
    return key;
  };
  const auto read = properties_from_json(json, intern);
  if (read.ok()) {
    const std::string written = properties_to_json(*read, [&](KeyId key) -> std::string_view { return names[key]; });
    const auto again = properties_from_json(written, intern);
    must(again.ok() && encode_properties(*again) == encode_properties(*read));
  }
  const auto value = value_from_json(json);
  if (value.ok()) must(value_from_json(value_to_json(*value)).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t kind = input.byte();
  const std::string_view bytes = input.rest();
  Node node;
  switch (kind % 4) {
    case 0: check_properties(bytes); break;
    case 1: check_index_value(bytes); break;
    case 2: (void)decode_node(bytes, node); break;
    default: check_json(bytes);
  }
  return 0;
}
