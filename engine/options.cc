#include "engine/options.h"

#include <charconv>
#include <optional>
#include <string>

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

/// Which of "full|relaxed" is called so.
std::optional<int64_t> value_named(std::string_view names, std::string_view name) {
  if (names.find('|') == std::string_view::npos) return {};
  for (int64_t value = 0;; ++value) {
    const size_t end = names.find('|');
    if (names.substr(0, end) == name) return value;
    if (end == std::string_view::npos) return {};
    names.remove_prefix(end + 1);
  }
}

/// Null when there is none of the name.
const OptionRow* find_row(std::string_view name) {
  for (const OptionRow& row : kTable)
    if (name == row.name) return &row;
  return nullptr;
}

Status unknown(std::string_view name) {
  std::string names;
  for (const OptionRow& row : kTable) names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return Status(StatusCode::kInvalidArgument, fmt::format("there is no option '{}'; options are {}", name, names));
}

}  // namespace

std::span<const OptionRow> option_table() { return kTable; }

Options::Options() {
  for (size_t i = 0; i < kCount; ++i) values_[i] = kTable[i].default_value;
}

Status Options::set(std::string_view name, int64_t value) {
  const OptionRow* row = find_row(name);
  if (row == nullptr) return unknown(name);
  if (value < row->minimum || value > row->maximum)
    return Status(StatusCode::kInvalidArgument, fmt::format("option {}: {} is out of bounds, expected {} to {} {}", name, value, row->minimum,
                                                            row->maximum, row->unit));
  values_[static_cast<size_t>(row - kTable)] = value;
  return {};
}

Status Options::set(std::string_view name, std::string_view text) {
  const OptionRow* row = find_row(name);
  if (row == nullptr) return unknown(name);
  if (const auto value = value_named(row->unit, text)) return set(name, *value);
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && rest == text.data() + text.size()) return set(name, value);
  const bool named = std::string_view(row->unit).find('|') != std::string_view::npos;
  return Status(StatusCode::kInvalidArgument, named ? fmt::format("option {}: '{}' is none of {}", name, text, row->unit)
                                                    : fmt::format("option {}: '{}' is not a whole number", name, text));
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
    BRAID_TRY(options.set(trimmed(item.substr(0, equals)), trimmed(item.substr(equals + 1))));
  }
  return options;
}

}  // namespace braid
