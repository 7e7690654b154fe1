// Results as INSERT statements.
#pragma once

#include "cli/output.h"

namespace braid::cli {

class InsertWriter final : public ResultWriter {
 public:
  InsertWriter(std::FILE* stream, std::string table) : stream_(stream), table_(std::move(table)) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override {}

 private:
  std::FILE* stream_;
  const std::string table_;
  std::string head_;
  std::string line_;
};

}  // namespace braid::cli
