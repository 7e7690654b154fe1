#include "cli/csv_reader.h"

#include <fmt/format.h>

#include "cli/terminal.h"

namespace braid::cli {

namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

}  // namespace

Outcome<bool> CsvReader::refill() {
  if (any_read_) {
    Outcome<std::string_view> read = source_.read();
    if (!read.ok()) return read.failure();
    block_ = *read;
  } else {
    any_read_ = true;
    // A pipe may give the first bytes one by one.
    while (start_.size() < kZstdMagic.size()) {
      Outcome<std::string_view> read = source_.read();
      if (!read.ok()) return read.failure();
      if (read->empty()) break;
      start_ += *read;
    }
    block_ = start_;
    if (block_.starts_with(kGzipMagic) || block_.starts_with(kZstdMagic)) {
      return Failure{
          "the file is compressed; unpack it into a pipe, as in "
          "\"zcat FILE.csv.gz | braid import DIR - ...\""};
    }
    if (block_.starts_with(kByteOrderMark)) block_.remove_prefix(kByteOrderMark.size());
  }
  return !block_.empty();
}

void CsvReader::begin_record() {
  bytes_.clear();
  spans_.clear();
  field_start_ = 0;
  field_quoted_ = false;
  state_ = State::kFieldStart;
  record_line_ = line_;
}

void CsvReader::end_field() {
  spans_.push_back({field_start_, bytes_.size(), field_quoted_});
  field_start_ = bytes_.size();
  field_quoted_ = false;
  state_ = State::kFieldStart;
}

CsvReader::Taken CsvReader::end_field_or_record(char c) {
  end_field();
  if (c != '\n') return Taken::kMore;
  ++line_;
  return Taken::kRecord;
}

Outcome<CsvReader::Taken> CsvReader::take_after_quote(char c) {
  if (c == '"') {
    bytes_ += '"';
    state_ = State::kQuoted;
    return Taken::kMore;
  }
  if (c == separator_ || c == '\n') return end_field_or_record(c);
  if (c == '\r') {
    state_ = State::kCarriageReturn;
    return Taken::kMore;
  }
  return at_line(line_, {"text after a closing quote; a quote inside a quoted field is written twice"});
}

Outcome<CsvReader::Taken> CsvReader::take(char c) {
  switch (state_) {
    case State::kFieldStart:
      if (c == '"') {
        field_quoted_ = true;
        quote_line_ = line_;
        state_ = State::kQuoted;
        return Taken::kMore;
      }
      [[fallthrough]];
    case State::kPlain:
      if (c == separator_ || c == '\n') return end_field_or_record(c);
      state_ = c == '\r' ? State::kCarriageReturn : State::kPlain;
      if (c != '\r') bytes_ += c;
      return Taken::kMore;
    case State::kQuoted:
      if (c == '"') {
        state_ = State::kQuoteInQuoted;
        return Taken::kMore;
      }
      if (c == '\n') ++line_;
      bytes_ += c;
      return Taken::kMore;
    case State::kQuoteInQuoted:
      return take_after_quote(c);
    case State::kCarriageReturn:
      if (c == '\n') return end_field_or_record(c);
      return at_line(line_, {"a carriage return that does not end the line; quote the field if it is part "
                             "of the text"});
  }
  return Taken::kMore;
}

// Copies the bytes that mean only themselves at once; most of a file is made of them.
void CsvReader::take_run() {
  size_t count = 0;
  if (state_ == State::kQuoted) {
    while (count < block_.size() && block_[count] != '"' && block_[count] != '\n') ++count;
  } else if (state_ == State::kPlain) {
    while (count < block_.size() && block_[count] != separator_ && block_[count] != '\n' &&
           block_[count] != '\r') {
      ++count;
    }
  }
  bytes_.append(block_.substr(0, count));
  block_.remove_prefix(count);
}

bool CsvReader::is_empty_line() const {
  return spans_.size() == 1 && spans_[0].start == spans_[0].limit && !spans_[0].quoted;
}

void CsvReader::hand_out(CsvRecord* record) const {
  record->line = record_line_;
  record->fields.clear();
  const std::string_view bytes = bytes_;
  for (const Span& span : spans_) {
    record->fields.push_back({bytes.substr(span.start, span.limit - span.start), span.quoted});
  }
}

Outcome<bool> CsvReader::end_of_file() {
  if (state_ == State::kQuoted) {
    return at_line(quote_line_, {"a quote is opened here and never closed"});
  }
  if (spans_.empty() && bytes_.empty() && !field_quoted_) return false;
  end_field();
  return !is_empty_line();
}

Outcome<bool> CsvReader::next(CsvRecord* record) {
  begin_record();
  for (;;) {
    if (block_.empty()) {
      Outcome<bool> more = refill();
      if (!more.ok()) return more.failure();
      if (!*more) {
        Outcome<bool> last = end_of_file();
        if (!last.ok()) return last.failure();
        if (!*last) return false;
        break;
      }
    }
    take_run();
    if (bytes_.size() > kRecordBytesMax) {
      return at_line(record_line_, {fmt::format("the record that begins here is longer than {} MiB; "
                                                "is a closing quote missing?",
                                                kRecordBytesMax >> 20)});
    }
    if (block_.empty()) continue;
    const char c = block_.front();
    block_.remove_prefix(1);
    Outcome<Taken> taken = take(c);
    if (!taken.ok()) return taken.failure();
    if (*taken == Taken::kMore) continue;
    if (!is_empty_line()) break;
    begin_record();
  }
  hand_out(record);
  for (const CsvField& field : record->fields) {
    if (!is_utf8(field.text)) return at_line(record_line_, {"the text is not UTF-8; convert the file, for example with iconv"});
    if (field.quoted || field.text.find('\0') == std::string_view::npos) continue;
    return at_line(record_line_, {"a NUL byte outside quotes; if the text is UTF-16, convert the file, for example with iconv"});
  }
  return true;
}

}  // namespace braid::cli
