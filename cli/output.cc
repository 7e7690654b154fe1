#include "cli/output.h"

#include <fmt/format.h>

#include <array>

#include "cli/box_writer.h"
#include "cli/csv_writer.h"
#include "cli/insert_writer.h"
#include "cli/json_text.h"
#include "cli/json_writer.h"
#include "cli/line_writer.h"

namespace braid::cli {

namespace {

constexpr std::array<OutputFormatRow, 8> kFormats = {{
    {"box", OutputFormat::kBox, "a table with borders, for reading"},
    {"table", OutputFormat::kTable, "a table with borders of ASCII"},
    {"csv", OutputFormat::kCsv, "RFC 4180, with a header line"},
    {"json", OutputFormat::kJson, "one array of objects a statement"},
    {"jsonl", OutputFormat::kJsonLines, "one object a line"},
    {"markdown", OutputFormat::kMarkdown, "a table of Markdown"},
    {"line", OutputFormat::kLine, "one value a line"},
    {"insert", OutputFormat::kInsert, "an INSERT statement a row"},
}};

}  // namespace

std::span<const OutputFormatRow> output_formats() { return kFormats; }

std::string_view output_format_name(OutputFormat format) {
  return kFormats[static_cast<size_t>(format)].name;
}

std::optional<OutputFormat> output_format_named(std::string_view name) {
  for (const OutputFormatRow& row : kFormats) {
    if (row.name == name) return row.format;
  }
  return std::nullopt;
}

std::string output_format_names() {
  std::string names;
  for (const OutputFormatRow& row : kFormats) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

std::unique_ptr<ResultWriter> make_result_writer(const ResultLook& look, std::FILE* stream) {
  switch (look.format) {
    case OutputFormat::kBox:
      return std::make_unique<BoxWriter>(stream, BoxStyle::kLines, look.colour);
    case OutputFormat::kTable:
      return std::make_unique<BoxWriter>(stream, BoxStyle::kAscii, look.colour);
    case OutputFormat::kMarkdown:
      return std::make_unique<BoxWriter>(stream, BoxStyle::kMarkdown, false);
    case OutputFormat::kCsv:
      return std::make_unique<CsvWriter>(stream, look.null_text);
    case OutputFormat::kJson:
      return std::make_unique<JsonWriter>(stream, JsonLayout::kArray);
    case OutputFormat::kJsonLines:
      return std::make_unique<JsonWriter>(stream, JsonLayout::kLines);
    case OutputFormat::kLine:
      return std::make_unique<LineWriter>(stream, look.colour);
    case OutputFormat::kInsert:
      return std::make_unique<InsertWriter>(stream, look.insert_table);
  }
  return nullptr;
}

std::string hex_text(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string cell_text(const Cell& cell) {
  switch (cell.type) {
    case BRAID_TYPE_INT64:
      return fmt::format("{}", cell.integer);
    case BRAID_TYPE_DOUBLE:
      return double_text(cell.real);
    case BRAID_TYPE_TEXT:
      return std::string(cell.text);
    case BRAID_TYPE_BLOB:
      return hex_text(cell.text);
    default:
      return "";
  }
}

}  // namespace braid::cli
