// RFC 4180: records of fields, quotes with doubled quotes inside, newlines inside quotes, lines
// ended by LF or CRLF, and a byte order mark at the start. The bytes are a stranger's: what does
// not fit is a failure with its line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/input_file.h"
#include "cli/outcome.h"

namespace braid::cli {

struct CsvField {
  std::string_view text;
  bool quoted = false;
  /// Nothing between two separators is NULL; "" is the empty text.
  bool is_null() const { return text.empty() && !quoted; }
};

/// One record. Its texts are valid until the reader's next call.
struct CsvRecord {
  std::vector<CsvField> fields;
  int64_t line = 0;  ///< where it begins, from 1
};

class CsvReader {
 public:
  /// A record is at most this long, so that a forgotten quote does not read the whole file into
  /// memory.
  static constexpr size_t kRecordBytesMax = 64 * 1024 * 1024;

  CsvReader(ByteSource& source, char separator) : source_(source), separator_(separator) {}

  /// The next record that is not an empty line; false at the end of the file.
  Outcome<bool> next(CsvRecord* record);

 private:
  /// What the next byte means, given the bytes of the field before it.
  enum class State : uint8_t { kFieldStart, kPlain, kQuoted, kQuoteInQuoted, kCarriageReturn };
  enum class Taken : uint8_t { kMore, kRecord };

  struct Span {
    size_t start = 0;
    size_t limit = 0;
    bool quoted = false;
  };

  Outcome<bool> refill();
  Outcome<Taken> take(char c);
  Outcome<Taken> take_after_quote(char c);
  Taken end_field_or_record(char c);
  void take_run();
  void begin_record();
  void end_field();
  Outcome<bool> end_of_file();
  void hand_out(CsvRecord* record) const;
  bool is_empty_line() const;

  ByteSource& source_;
  const char separator_;
  std::string_view block_;
  std::string start_;  ///< the first block
  bool any_read_ = false;
  State state_ = State::kFieldStart;
  std::string bytes_;  ///< the texts of the record's fields, one after the other
  std::vector<Span> spans_;
  size_t field_start_ = 0;
  bool field_quoted_ = false;
  int64_t line_ = 1;  ///< of the next byte
  int64_t record_line_ = 1;
  int64_t quote_line_ = 0;  ///< where the open quote is
};

}  // namespace braid::cli
