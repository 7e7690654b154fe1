// Results as RFC 4180 text: NULL is an empty field, or a text that is agreed upon, and the empty text
// is "", so that a file can be imported again.
#pragma once

#include "cli/output.h"

namespace braid::cli {

class CsvWriter final : public ResultWriter {
 public:
  /// `null_text` needs no quotes.
  explicit CsvWriter(std::FILE* stream, std::string null_text = {}) : stream_(stream), null_text_(std::move(null_text)) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override {}

 private:
  void append_field(std::string_view text);

  std::FILE* stream_;
  const std::string null_text_;
  std::string line_;
};

}  // namespace braid::cli
