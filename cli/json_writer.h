// Results as JSON: an array of objects for each statement, one object a line.
#pragma once

#include "cli/output.h"

namespace braid::cli {

class JsonWriter final : public ResultWriter {
 public:
  explicit JsonWriter(std::FILE* stream) : stream_(stream) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override;

 private:
  std::FILE* stream_;
  std::vector<std::string> names_;  ///< each as a JSON string with its colon
  bool first_ = true;
  std::string line_;
};

}  // namespace braid::cli
