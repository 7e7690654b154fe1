// Results as a table with borders of lines, of ASCII, or of Markdown. Widths need the rows that share a box, so a long result is
// several boxes, each of at most kBatchRows rows: memory stays bounded.
#pragma once

#include "cli/output.h"

namespace braid::cli {

enum class BoxStyle : uint8_t { kLines, kAscii, kMarkdown };

class BoxWriter final : public ResultWriter {
 public:
  static constexpr size_t kBatchRows = 10'000;

  BoxWriter(std::FILE* stream, BoxStyle style, bool colour)
      : stream_(stream), style_(style), colour_(colour) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override;

 private:
  enum class Kind : uint8_t { kHeader, kText, kNumber, kNull };
  struct BoxCell {
    Kind kind;
    std::vector<std::string> lines;
  };
  using BoxRow = std::vector<BoxCell>;

  BoxCell make_cell(Kind kind, std::string_view text) const;
  void write_box();
  std::vector<int> widths() const;
  void append_row(std::string* box, const BoxRow& row, const std::vector<int>& widths) const;

  std::FILE* stream_;
  const BoxStyle style_;
  const bool colour_;
  BoxRow header_;
  std::vector<BoxRow> rows_;
  bool written_ = false;  ///< a box of this result is out already
};

}  // namespace braid::cli
