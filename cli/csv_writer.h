// Results as RFC 4180 text: NULL is an empty field and the empty text is "", so that a file can be
// imported again.
#pragma once

#include "cli/output.h"

namespace braid::cli {

class CsvWriter final : public ResultWriter {
 public:
  explicit CsvWriter(std::FILE* stream) : stream_(stream) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override {}

 private:
  std::FILE* stream_;
  std::string line_;
};

}  // namespace braid::cli
