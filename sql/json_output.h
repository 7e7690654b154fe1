// JSON text in the forms in which the command writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace braid {

/// Bytes that are no UTF-8 become the replacement character.
void append_json_text(std::string& json, std::string_view text);
/// Reads back as the same double and looks like one ("1.0"); null for NaN and the infinities.
void append_json_real(std::string& json, double value);
/// The hexadecimal digits as a string.
void append_json_blob(std::string& json, std::string_view bytes);

/// Writes the members of an object, or the items of a list, with what stands between them.
class JsonScope {
 public:
  JsonScope(std::string& json, char open, char close) : json_(json), close_(close) { json_ += open; }
  ~JsonScope() { json_ += close_; }
  JsonScope(const JsonScope&) = delete;
  JsonScope& operator=(const JsonScope&) = delete;

  /// The place of the next item.
  std::string& item() {
    if (!first_) json_ += ',';
    first_ = false;
    return json_;
  }
  /// The place of a member's value.
  std::string& member(std::string_view name) {
    append_json_text(item(), name);
    json_ += ':';
    return json_;
  }
  void text(std::string_view name, std::string_view value) { append_json_text(member(name), value); }
  void number(std::string_view name, uint64_t value) { member(name) += std::to_string(value); }

 private:
  std::string& json_;
  const char close_;
  bool first_ = true;
};

}  // namespace braid
