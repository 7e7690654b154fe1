// Results one value a line, for rows too wide for a box.
#pragma once

#include "cli/output.h"

namespace braid::cli {

class LineWriter final : public ResultWriter {
 public:
  LineWriter(std::FILE* stream, bool colour) : stream_(stream), colour_(colour) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override {}

 private:
  std::FILE* stream_;
  bool colour_;
  bool first_ =
      true;  ///< no row was written yet, of any result: rows are set apart by an empty line
  std::vector<std::string> names_;  ///< right-aligned
};

}  // namespace braid::cli
