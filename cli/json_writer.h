// Results as JSON: an array of objects for each statement, or objects without brackets and commas
// around them; one object a line.
#pragma once

#include "cli/output.h"

namespace braid::cli {

enum class JsonLayout : uint8_t { kArray, kLines };

class JsonWriter final : public ResultWriter {
 public:
  JsonWriter(std::FILE* stream, JsonLayout layout) : stream_(stream), layout_(layout) {}
  void begin(std::span<const std::string> columns) override;
  void row(std::span<const Cell> cells) override;
  void end() override;

 private:
  std::FILE* stream_;
  const JsonLayout layout_;
  std::vector<std::string> names_;  ///< each as a JSON string with its colon
  bool first_ = true;
  std::string line_;
};

}  // namespace braid::cli
