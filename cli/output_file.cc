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
  const auto failure = [this](const std::string& why) {
    return Failure{fmt::format("cannot write {}: {}", path_ == "-" ? "standard output" : "'" + path_ + "'", why)};
  };
  if (std::fflush(stream_) != 0 || std::ferror(stream_) != 0) return failure(reason_of_failed_write(stream_));
  if (stream_ == stdout) return std::nullopt;
  finished_ = true;
  if (std::fclose(stream_) != 0) return failure(std::strerror(errno));
  return std::nullopt;
}

std::string reason_of_failed_write(std::FILE* stream) {
  // Another byte meets what the lost one met.
  std::clearerr(stream);
  errno = 0;
  if (std::fputc('\n', stream) != EOF && std::fflush(stream) == 0) return "a part of it is lost";
  return std::strerror(errno);
}

}  // namespace braid::cli
