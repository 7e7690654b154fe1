#include "cli/demo_page.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/colour.h"
#include "cli/terminal.h"

namespace braid::cli::demo {
namespace {

constexpr std::string_view kSql = "\x1b[36m";
constexpr size_t kPageColumns = 88;
constexpr size_t kCellColumns = 44;

size_t columns_of(std::string_view text) { return static_cast<size_t>(display_width(text)); }

// A cell on one line, cut where it would push the table over the page.
std::string cell_of(std::string_view text) {
  const std::string whole = printable(text, false);
  if (columns_of(whole) <= kCellColumns) return whole;
  size_t end = 0;
  while (columns_of(std::string_view(whole).substr(0, end)) + 1 < kCellColumns) {
    end += static_cast<size_t>(read_utf8(std::string_view(whole).substr(end)).size_bytes);
  }
  return whole.substr(0, end) + "…";
}

std::string padded(const std::string& cell, size_t width, bool to_right) {
  const std::string blanks(width - std::min(width, columns_of(cell)), ' ');
  return to_right ? blanks + cell : cell + blanks;
}

std::vector<size_t> widths_of(const Table& table) {
  std::vector<size_t> widths;
  for (size_t column = 0; column < table.names.size(); ++column) {
    size_t width = columns_of(table.names[column]);
    for (const auto& row : table.rows) width = std::max(width, columns_of(cell_of(row[column])));
    widths.push_back(width);
  }
  return widths;
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                    const std::vector<bool>& numeric) {
  std::string line;
  for (size_t column = 0; column < cells.size(); ++column) {
    line += "  ";
    line += padded(cell_of(cells[column]), widths[column], numeric[column]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

Page::Page() : colours_(may_colour(STDOUT_FILENO)) {}

void Page::heading(std::string_view text) {
  put(fmt::format("\n{}\n{}\n", coloured(text, kBold, colours_),
                  coloured(std::string(columns_of(text), '-'), kBold, colours_)));
  std::fflush(stdout);
}

void Page::text(std::string_view paragraph) {
  std::string line;
  for (size_t start = 0; start < paragraph.size();) {
    const size_t end = std::min(paragraph.find(' ', start), paragraph.size());
    const std::string_view word = paragraph.substr(start, end - start);
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) > kPageColumns) {
      put(line + "\n");
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    start = end + 1;
  }
  put(line + "\n");
  std::fflush(stdout);
}

void Page::line(std::string_view text) { put(fmt::format("{}\n", text)); }

void Page::sql(std::string_view statement) {
  put("\n");
  for (size_t start = 0; start < statement.size();) {
    const size_t end = std::min(statement.find('\n', start), statement.size());
    put(fmt::format("    {}\n", coloured(statement.substr(start, end - start), kSql, colours_)));
    start = end + 1;
  }
  put("\n");
  std::fflush(stdout);
}

void Page::table(const Table& table) {
  const std::vector<size_t> widths = widths_of(table);
  put(coloured(line_of(table.names, widths, table.numeric), kBold, colours_) + "\n");
  std::vector<std::string> rules;
  for (size_t width : widths) rules.emplace_back(width, '-');
  put(line_of(rules, widths, table.numeric) + "\n");
  for (const auto& row : table.rows) put(line_of(row, widths, table.numeric) + "\n");
  if (table.rows.empty()) put("  (no rows)\n");
  put("\n");
  std::fflush(stdout);
}

Done show(Page* page, const Session& session, std::string_view query) {
  page->sql(query);
  Table table;
  CLI_TRY(query_table(session, query, &table));
  page->table(table);
  return {};
}

}  // namespace braid::cli::demo
