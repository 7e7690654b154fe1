#include "engine/options.h"

#include <charconv>

#include <fmt/format.h>

namespace braid {

namespace {

constexpr OptionRow kTable[] = {
#define X(id, name, unit, default_value, minimum, maximum, help) \
  {name, unit, default_value, minimum, maximum, help},
#include "engine/options.def"
#undef X
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::span<const OptionRow> option_table() { return kTable; }

Options::Options() {
  for (size_t i = 0; i < kCount; ++i) values_[i] = kTable[i].default_value;
}

Status Options::set(std::string_view name, int64_t value) {
  for (size_t i = 0; i < kCount; ++i) {
    const OptionRow& row = kTable[i];
    if (name != row.name) continue;
    if (value < row.minimum || value > row.maximum)
      return Status(StatusCode::kInvalidArgument, fmt::format("option {}: {} is out of bounds, expected {} to {} {}", name,
                                                              value, row.minimum, row.maximum, row.unit));
    values_[i] = value;
    return {};
  }
  std::string names;
  for (const OptionRow& row : kTable) names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return Status(StatusCode::kInvalidArgument, fmt::format("there is no option '{}'; options are {}", name, names));
}

Result<Options> Options::parse(std::string_view text) {
  Options options;
  while (!text.empty()) {
    const size_t end = text.find(';');
    const std::string_view item = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos)
      return Status(StatusCode::kInvalidArgument, fmt::format("option '{}': expected name=value", item));
    const std::string_view number = trimmed(item.substr(equals + 1));
    int64_t value = 0;
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || rest != number.data() + number.size())
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("option {}: '{}' is not a whole number", trimmed(item.substr(0, equals)), number));
    BRAID_TRY(options.set(trimmed(item.substr(0, equals)), value));
  }
  return options;
}

}  // namespace braid
