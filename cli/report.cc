#include "cli/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/colour.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

// Standard output comes first, so that on a terminal an error follows what was done before it.
void write_error(const std::string& text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

// The offset within the piece's text; none when the failure is not tied to a place in it.
std::optional<size_t> offset_in(const ScriptPiece& piece, const Failure& failure) {
  if (failure.sql_offset < 0) return std::nullopt;
  return std::min(static_cast<size_t>(failure.sql_offset), piece.text.size());
}

}  // namespace

std::string failure_place(std::string_view source, const ScriptPiece& piece,
                          const Failure& failure) {
  const size_t offset = offset_in(piece, failure).value_or(0);
  const TextPosition place = piece.start.after(std::string_view(piece.text).substr(0, offset));
  return fmt::format("{}{}{}:{}", source, source.empty() ? "" : ":", place.line, place.column);
}

std::string failure_excerpt(const ScriptPiece& piece, const Failure& failure) {
  constexpr int kExcerptColumnsMax = 120;
  const std::optional<size_t> offset = offset_in(piece, failure);
  if (!offset.has_value()) return "";
  const std::string_view text = piece.text;
  const size_t newline_before = text.substr(0, *offset).rfind('\n');
  const size_t start = newline_before == std::string_view::npos ? 0 : newline_before + 1;
  const size_t limit = std::min(text.size(), text.find('\n', start));
  const std::string before = printable(text.substr(start, *offset - start), false);
  const std::string line = printable(text.substr(start, limit - start), false);
  if (display_width(line) > kExcerptColumnsMax) return "";
  return fmt::format("  {}\n  {}^\n", line, std::string(display_width(before), ' '));
}

void report(const Failure& failure) { write_error(fmt::format("braid: {}\n", failure.message)); }

void report_at(std::string_view source, const ScriptPiece& piece, const Failure& failure) {
  write_error(fmt::format("{}: {}\n", failure_place(source, piece, failure), failure.message));
}

void report_in_shell(const ScriptPiece& piece, const Failure& failure) {
  const bool colour = may_colour(STDERR_FILENO);
  write_error(fmt::format("{}{} {}\n", failure_excerpt(piece, failure),
                          coloured("error:", kRed, colour), failure.message));
}

}  // namespace braid::cli
