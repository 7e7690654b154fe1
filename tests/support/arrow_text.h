// What Arrow's arrays hold, as text.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "api/braid.h"

namespace braid {

/// A value as the rows of a statement are written; times are their microseconds.
inline std::string value_text(const ArrowSchema& schema, const ArrowArray& array, int64_t row) {
  const std::string format = schema.format;
  if (format == "n") return "NULL";
  const auto* validity = static_cast<const uint8_t*>(array.buffers[0]);
  if (validity != nullptr && (validity[row / 8] >> (row % 8) & 1) == 0) return "NULL";
  if (format == "b") return (static_cast<const uint8_t*>(array.buffers[1])[row / 8] >> (row % 8) & 1) != 0 ? "1" : "0";
  if (format == "l" || format == "tsu:UTC") return std::to_string(static_cast<const int64_t*>(array.buffers[1])[row]);
  if (format == "g") {
    char text[32];
    std::snprintf(text, sizeof(text), "%.15g", static_cast<const double*>(array.buffers[1])[row]);
    return text;
  }
  REQUIRE((format == "u" || format == "z"));
  const auto* offsets = static_cast<const int32_t*>(array.buffers[1]);
  return std::string(static_cast<const char*>(array.buffers[2]) + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row]));
}

/// "name:format name:format"
inline std::string schema_text(const ArrowSchema& schema) {
  std::string text;
  for (int64_t i = 0; i < schema.n_children; ++i)
    text += std::string(i == 0 ? "" : " ") + schema.children[i]->name + ":" + schema.children[i]->format;
  return text;
}

/// A line per row, "a|b|".
inline std::string rows_text(const ArrowSchema& schema, const ArrowArray& array) {
  std::string text;
  for (int64_t row = 0; row < array.length; ++row) {
    for (int64_t i = 0; i < array.n_children; ++i) text += value_text(*schema.children[i], *array.children[i], row) + "|";
    text += "\n";
  }
  return text;
}

}  // namespace braid
