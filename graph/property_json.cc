// Properties as JSON. The parser is nlohmann's event parser, which neither throws here nor
// recurses; the depth is bounded.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/property.h"
#include "graph/timestamp_text.h"

namespace braid {
namespace {

using nlohmann::json;

constexpr std::string_view kBytesKey = "$bytes";
constexpr std::string_view kTimestampKey = "$timestamp";

Status invalid(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool bytes_from_hex(std::string_view hex, Bytes& out) {
  if (hex.size() % 2 != 0) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    out.data.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

/// Sorts by key; of equal keys the last wins, as in every JSON reader.
void normalize(PropertyMap& map) {
  std::stable_sort(map.begin(), map.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  PropertyMap unique;
  for (auto& item : map) {
    if (!unique.empty() && unique.back().first == item.first) unique.pop_back();
    unique.push_back(std::move(item));
  }
  map = std::move(unique);
}

/// Builds one PropertyValue out of the parser's events; the stack holds the open lists and maps.
class ValueBuilder {
 public:
  // Names of the events are nlohmann's.
  bool null() { return add(PropertyValue()); }
  bool boolean(bool value) { return add(PropertyValue{value}); }
  bool number_integer(int64_t value) { return add(PropertyValue{value}); }
  bool number_unsigned(uint64_t value) {
    if (value > INT64_MAX) return refuse("is an integer beyond 64 bits");
    return add(PropertyValue{static_cast<int64_t>(value)});
  }
  bool number_float(double value, const std::string& text) {
    if (text.find_first_of(".eE") == std::string::npos) {
      return refuse("is an integer beyond 64 bits");
    }
    if (!std::isfinite(value)) return refuse("is a number beyond a double");
    return add(PropertyValue{value});
  }
  bool string(std::string& value) { return add(PropertyValue{std::move(value)}); }
  bool binary(json::binary_t&) { return refuse("is not JSON"); }
  bool start_object(size_t) { return open(PropertyValue{PropertyMap()}); }
  bool start_array(size_t) { return open(PropertyValue{PropertyList()}); }
  bool key(std::string& value) {
    stack_.back().key = std::move(value);
    return true;
  }
  bool end_array() { return close(); }
  bool end_object() {
    auto& map = std::get<PropertyMap>(stack_.back().value.value);
    if (stack_.size() > 1 || !keep_outer_map_) {
      if (map.size() == 1 && !unwrap(stack_.back().value)) return false;
    }
    if (auto* still = std::get_if<PropertyMap>(&stack_.back().value.value)) normalize(*still);
    return close();
  }
  template <typename Exception>
  bool parse_error(size_t position, const std::string&, const Exception& error) {
    std::string_view text = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error ..."
    if (const size_t start = text.find("] "); start != std::string_view::npos) {
      text.remove_prefix(start + 2);
    }
    error_ = invalid(fmt::format("JSON, byte {}: {}", position, text));
    return false;
  }

  explicit ValueBuilder(bool keep_outer_map) : keep_outer_map_(keep_outer_map) {}
  const Status& error() const { return error_; }
  PropertyValue take() { return std::move(root_); }

 private:
  struct Open {
    PropertyValue value;
    std::string key;  // of the map's next item
  };

  bool open(PropertyValue container) {
    // Properties are a map around the values, which is no level of theirs.
    const size_t depth_max = kPropertyDepthMax + (keep_outer_map_ ? 1 : 0);
    if (stack_.size() >= depth_max) {
      return refuse(fmt::format("is nested deeper than {} levels", kPropertyDepthMax));
    }
    stack_.push_back({std::move(container), {}});
    return true;
  }
  bool close() {
    PropertyValue done = std::move(stack_.back().value);
    stack_.pop_back();
    return add(std::move(done));
  }
  bool add(PropertyValue value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Open& top = stack_.back();
    if (auto* list = std::get_if<PropertyList>(&top.value.value)) {
      list->push_back(std::move(value));
    } else {
      std::get<PropertyMap>(top.value.value).emplace_back(top.key, std::move(value));
    }
    return true;
  }
  /// Turns {"$bytes": ...} and {"$timestamp": ...} into the value that they stand for.
  bool unwrap(PropertyValue& container) {
    const auto [name, inner] = std::get<PropertyMap>(container.value).front();
    const auto* text = std::get_if<std::string>(&inner.value);
    if (name == kBytesKey) {
      Bytes bytes;
      if (text == nullptr || !bytes_from_hex(*text, bytes)) {
        return refuse("has $bytes that are not hexadecimal digits in pairs");
      }
      container.value = std::move(bytes);
    } else if (name == kTimestampKey) {
      if (const auto* micros = std::get_if<int64_t>(&inner.value)) {
        container.value = Timestamp(*micros);
        return true;
      }
      const auto time = text != nullptr ? timestamp_from_text(*text) : std::nullopt;
      if (!time) return refuse("has a $timestamp that is not YYYY-MM-DD HH:MM:SS[.ffffff]");
      container.value = *time;
    }
    return true;
  }
  bool refuse(std::string_view what) {
    std::string path;
    for (const Open& level : stack_) {
      if (!level.key.empty()) path += (path.empty() ? "" : ".") + level.key;
    }
    error_ = invalid(path.empty() ? fmt::format("JSON: the value {}", what)
                                  : fmt::format("JSON: \"{}\" {}", path, what));
    return false;
  }

  const bool keep_outer_map_;
  std::vector<Open> stack_;
  PropertyValue root_;
  Status error_;
};

Result<PropertyValue> parse(std::string_view text, bool keep_outer_map) {
  ValueBuilder builder(keep_outer_map);
  bool ok = false;
  try {
    ok = json::sax_parse(text.begin(), text.end(), &builder);
  } catch (const json::exception& error) {
    return invalid(fmt::format("JSON: {}", error.what()));
  }
  if (ok) return builder.take();
  return builder.error().ok() ? invalid("JSON: not understood") : builder.error();
}

void append_json(std::string& out, const PropertyValue& value);

void append_json_text(std::string& out, std::string_view text) {
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

struct JsonAppender {
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(int64_t value) const { out += std::to_string(value); }
  void operator()(double value) const { out += json(value).dump(); }
  void operator()(const std::string& value) const { append_json_text(out, value); }
  void operator()(const Bytes& value) const {
    out += "{\"$bytes\":\"";
    for (const char byte : value.data) out += fmt::format("{:02x}", static_cast<uint8_t>(byte));
    out += "\"}";
  }
  void operator()(Timestamp value) const {
    out += "{\"$timestamp\":";
    if (const auto text = timestamp_to_text(value)) {
      append_json_text(out, *text);
    } else {
      out += std::to_string(value.value());
    }
    out += '}';
  }
  void operator()(const PropertyList& list) const {
    out += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out += ',';
      append_json(out, list[i]);
    }
    out += ']';
  }
  void operator()(const PropertyMap& map) const {
    out += '{';
    for (size_t i = 0; i < map.size(); ++i) {
      if (i > 0) out += ',';
      append_json_text(out, map[i].first);
      out += ':';
      append_json(out, map[i].second);
    }
    out += '}';
  }
};

void append_json(std::string& out, const PropertyValue& value) {
  std::visit(JsonAppender{out}, value.value);
}

}  // namespace

Result<Properties> properties_from_json(std::string_view text,
                                        const std::function<KeyId(std::string_view)>& intern) {
  BRAID_ASSIGN(PropertyValue value, parse(text, true));
  auto* map = std::get_if<PropertyMap>(&value.value);
  if (map == nullptr) return invalid("JSON: properties must be an object");
  Properties properties;
  for (auto& [name, item] : *map) {
    if (item.is_null()) continue;
    properties.emplace_back(intern(name), std::move(item));
  }
  std::sort(properties.begin(), properties.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return properties;
}

std::string properties_to_json(const Properties& properties,
                               const std::function<std::string_view(KeyId)>& name) {
  std::string out = "{";
  for (const auto& [key, value] : properties) {
    if (out.size() > 1) out += ',';
    append_json_text(out, name(key));
    out += ':';
    append_json(out, value);
  }
  return out + '}';
}

Result<PropertyValue> value_from_json(std::string_view text) { return parse(text, false); }

std::string value_to_json(const PropertyValue& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace braid
