#include "cli/output_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace braid::cli {

Outcome<std::unique_ptr<OutputFile>> OutputFile::open(const std::string& path) {
  std::FILE* stream = path == "-" ? stdout : std::fopen(path.c_str(), "wbe");
  if (stream == nullptr)
    return Failure{fmt::format("cannot write '{}': {}", path, std::strerror(errno))};
  return std::unique_ptr<OutputFile>(new OutputFile(stream, path));
}

OutputFile::~OutputFile() {
  if (finished_ || stream_ == stdout) return;
  std::fclose(stream_);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path_, ignored)) std::filesystem::remove(path_, ignored);
}

void OutputFile::write(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stream_); }

Done OutputFile::finish() {
  bool written = std::fflush(stream_) == 0 && std::ferror(stream_) == 0;
  int error = errno;
  if (written && stream_ != stdout) {
    finished_ = true;
    written = std::fclose(stream_) == 0;
    error = errno;
  }
  if (written) return std::nullopt;
  return Failure{fmt::format("cannot write {}: {}",
                             path_ == "-" ? "standard output" : "'" + path_ + "'",
                             std::strerror(error))};
}

}  // namespace braid::cli
