#include "cli/column_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "cli/terminal.h"

namespace braid::cli {

namespace {

/// SQLite gives columns of these declarations no affinity; others of ColumnType::kAny have that of numbers.
bool has_no_affinity(std::string_view declared, bool strict) {
  std::string upper(declared);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper.empty() || upper.find("BLOB") != std::string::npos || (strict && upper == "ANY");
}

}  // namespace

ColumnSurvey::ColumnSurvey(std::string name, std::string_view declared, bool strict)
    : name_(std::move(name)),
      type_(column_type_of_declaration(declared)),
      converts_text_(type_ != ColumnType::kText && !(type_ == ColumnType::kAny && has_no_affinity(declared, strict))) {}

void ColumnSurvey::see(const Cell& cell, int64_t row) {
  const auto mark = [row](First* first) {
    if (!*first) *first = row;
  };
  switch (cell.type) {
    case BRAID_TYPE_INT64:
      mark(&integer_);
      if (cell.integer != 0 && cell.integer != 1) mark(&no_truth_);
      return;
    case BRAID_TYPE_DOUBLE:
      mark(&real_);
      if (std::isinf(cell.real)) mark(&infinity_);
      return;
    case BRAID_TYPE_TEXT:
      mark(&text_);
      if (!is_utf8(cell.text)) mark(&not_utf8_);
      if (cell.text.find('\0') != std::string_view::npos) mark(&nul_);
      return;
    case BRAID_TYPE_BLOB:
      mark(&blob_);
      return;
    default:
      return;
  }
}

std::optional<ColumnType> ColumnSurvey::import_type() const {
  const bool others = text_ || blob_;
  switch (type_) {
    case ColumnType::kInteger:
      return others || real_ ? std::optional(ColumnType::kText) : std::nullopt;
    case ColumnType::kDouble:
      return others ? std::optional(ColumnType::kText) : std::nullopt;
    case ColumnType::kBoolean:
      return others || real_ || no_truth_ ? std::optional(ColumnType::kText) : std::nullopt;
    case ColumnType::kAny:
      if (others || (integer_ && real_) || !has_numbers()) return std::nullopt;
      return integer_ ? ColumnType::kInteger : ColumnType::kDouble;
    case ColumnType::kText:
    case ColumnType::kTimestamp:
    case ColumnType::kJson:
      break;
  }
  return std::nullopt;
}

std::string ColumnSurvey::losses() const {
  std::string losses;
  const auto tell = [&losses](const First& first, std::string_view what) {
    if (first) losses += fmt::format("{}{} (first in row {})", losses.empty() ? "" : ", ", what, *first + 1);
  };
  tell(blob_, "blobs become hexadecimal digits");
  tell(not_utf8_, "text that is not UTF-8 is refused by the import");
  const bool as_text = import_type().value_or(type_) == ColumnType::kText || (type_ == ColumnType::kAny && !import_type());
  if (!as_text) return losses;
  if (converts_text_) tell(infinity_, "Infinity becomes text");
  else if (has_numbers()) tell(std::min(integer_.value_or(INT64_MAX), real_.value_or(INT64_MAX)), "numbers become text");
  return losses;
}

}  // namespace braid::cli
