#include "cli/line_protocol.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/import_column.h"
#include "cli/terminal.h"
#include "cli/value_reader.h"

namespace braid::cli {

namespace {

class LineParser {
 public:
  explicit LineParser(std::string_view line) : line_(line) {}

  Outcome<LinePoint> read() {
    LinePoint point;
    CLI_TRY(take_name(", ", "the measurement", &point.measurement));
    while (take(',')) CLI_TRY(take_tag(&point));
    if (!take_blanks()) return wrong("expected a blank and the fields");
    do {
      CLI_TRY(take_field(&point));
    } while (take(','));
    const bool blank = take_blanks();
    if (at_end()) return point;
    if (!blank) return wrong("expected a blank and the time, or the end of the line");
    CLI_TRY(take_time(&point));
    return point;
  }

 private:
  bool at_end() const { return at_ >= line_.size(); }
  bool take(char c) {
    if (at_end() || line_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_blanks() {
    const size_t start = at_;
    while (take(' ')) continue;
    return at_ > start;
  }
  Failure wrong(std::string_view message) const { return Failure{fmt::format("column {}: {}", at_ + 1, message)}; }

  /// Up to one of `ends`; a backslash takes the meaning away from commas, equals signs and blanks.
  Done take_name(std::string_view ends, const char* what, std::string* out) {
    out->clear();
    while (!at_end() && ends.find(line_[at_]) == std::string_view::npos) {
      const bool escaped = line_[at_] == '\\' && at_ + 1 < line_.size() && std::string_view(",= \\").find(line_[at_ + 1]) != std::string_view::npos;
      if (escaped) ++at_;
      *out += line_[at_++];
    }
    if (out->empty()) return wrong(fmt::format("expected {}", what));
    return std::nullopt;
  }

  Done take_tag(LinePoint* point) {
    std::string name, value;
    CLI_TRY(take_name("=, ", "the name of a tag", &name));
    if (!take('=')) return wrong(fmt::format("expected = and the value of the tag {}", name));
    CLI_TRY(take_name(", =", "the value of a tag", &value));
    for (const auto& [other, unused] : point->tags)
      if (same_name(other, name)) return twice("tag", other, name);
    point->tags.emplace_back(std::move(name), std::move(value));
    return std::nullopt;
  }

  Done take_field(LinePoint* point) {
    LineField field;
    CLI_TRY(take_name("=, ", "the name of a field", &field.name));
    if (!take('=')) return wrong(fmt::format("expected = and the value of the field {}", field.name));
    CLI_TRY(!at_end() && line_[at_] == '"' ? take_text(&field) : take_value(&field));
    for (const LineField& other : point->fields)
      if (same_name(other.name, field.name)) return twice("field", other.name, field.name);
    point->fields.push_back(std::move(field));
    return std::nullopt;
  }

  /// Columns are the same in any case of letters.
  Failure twice(const char* what, const std::string& first, const std::string& second) const {
    if (first == second) return wrong(fmt::format("the {} {} stands twice in the line", what, second));
    return wrong(fmt::format("the {}s {} and {} differ in the case of letters only, which columns cannot; rename one", what, first, second));
  }

  Done take_text(LineField* field) {
    const size_t start = at_++;
    field->type = ColumnType::kText;
    while (!at_end() && line_[at_] != '"') {
      const bool escaped = line_[at_] == '\\' && at_ + 1 < line_.size() && (line_[at_ + 1] == '"' || line_[at_ + 1] == '\\');
      if (escaped) ++at_;
      field->text += line_[at_++];
    }
    if (take('"')) return std::nullopt;
    at_ = start;
    return wrong("this quote is not closed");
  }

  Done take_value(LineField* field) {
    const size_t start = at_;
    while (!at_end() && line_[at_] != ',' && line_[at_] != ' ') ++at_;
    const std::string_view text = line_.substr(start, at_ - start);
    const bool whole = text.size() > 1 && (text.back() == 'i' || text.back() == 'u');
    const auto integer = whole ? read_integer(text.substr(0, text.size() - 1)) : std::nullopt;
    if (integer.has_value()) {
      field->type = ColumnType::kInteger;
      field->integer = *integer;
      return std::nullopt;
    }
    if (const auto boolean = is_word(text) ? read_boolean(text) : std::nullopt; boolean.has_value()) {
      field->type = ColumnType::kBoolean;
      field->integer = *boolean ? 1 : 0;
      return std::nullopt;
    }
    if (const auto real = whole ? std::nullopt : read_double(text); real.has_value()) {
      field->real = *real;
      return std::nullopt;
    }
    at_ = start;
    const bool digits = whole && text.size() > 2 && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == text.size() - 1;
    if (digits) return wrong(fmt::format("'{}' is out of range: integers, with i or u, lie between {} and {}", printable(text, false), INT64_MIN, INT64_MAX));
    return wrong(fmt::format("'{}' is no value: expected a number, an integer of 64 bits with i, true, false or \"text\"", printable(text, false)));
  }

  static bool is_word(std::string_view text) { return !text.empty() && std::string_view("tTfF").find(text[0]) != std::string_view::npos; }

  Done take_time(LinePoint* point) {
    const size_t start = at_;
    const std::string_view text = line_.substr(start, line_.find_last_not_of(' ') + 1 - start);
    at_ = line_.size();
    if (read_integer(text).has_value()) {
      point->time = std::string(text);
      return std::nullopt;
    }
    at_ = start;
    return wrong(fmt::format("'{}' is no time: expected a whole number since 1970", printable(text, false)));
  }

  const std::string_view line_;
  size_t at_ = 0;
};

/// Is a quoted value open at the end of the text? Quotes count behind an equals sign only, as the protocol has it.
bool ends_in_quote(std::string_view text) {
  bool open = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (open && text[i] == '"') open = false;
    else if (!open && text[i] == '"' && i > 0 && text[i - 1] == '=') open = true;
  }
  return open;
}

}  // namespace

Outcome<LinePoint> read_line_point(std::string_view line) { return LineParser(line).read(); }

/// The next line with its quoted newlines, into text_.
Outcome<bool> LineProtocolReader::next_line() {
  text_.clear();
  line_ = next_line_;
  while (true) {
    if (block_.empty()) {
      Outcome<std::string_view> block = source_.read();
      if (!block.ok()) return block.failure();
      block_ = *block;
      if (block_.empty()) return !text_.empty();
    }
    const size_t end = block_.find('\n');
    text_ += block_.substr(0, end);
    block_ = end == std::string_view::npos ? std::string_view() : block_.substr(end + 1);
    if (text_.size() > kLineBytesMax) return Failure{fmt::format("line {}: it is longer than {} bytes; a quote may not be closed", line_, kLineBytesMax)};
    if (end == std::string_view::npos) continue;
    ++next_line_;
    if (!ends_in_quote(text_)) break;
    text_ += '\n';
  }
  if (text_.ends_with('\r')) text_.pop_back();
  return true;
}

Outcome<bool> LineProtocolReader::next(LinePoint* point) {
  while (true) {
    Outcome<bool> any = next_line();
    if (!any.ok() || !*any) return any;
    if (text_.empty() || text_[0] == '#' || text_.find_first_not_of(' ') == std::string::npos) continue;
    if (!is_utf8(text_)) return Failure{fmt::format("line {}: it is not UTF-8", line_)};
    if (text_.find('\0') != std::string::npos) return Failure{fmt::format("line {}: it has a NUL character", line_)};
    Outcome<LinePoint> read = read_line_point(text_);
    if (!read.ok()) return Failure{fmt::format("line {}: {}", line_, read.failure().message)};
    *point = read.take();
    return true;
  }
}

}  // namespace braid::cli
