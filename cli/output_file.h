// A file that is written from its start, or standard output.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "cli/outcome.h"

namespace braid::cli {

/// A resource. Errors of writing are kept and told by `finish`.
class OutputFile {
 public:
  /// Opens a file, replacing what it held; "-" is standard output.
  static Outcome<std::unique_ptr<OutputFile>> open(const std::string& path);
  /// A regular file that was not finished is removed: half of a file would be taken for the whole.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  std::FILE* stream() const { return stream_; }
  /// True once something could not be written: there is no use in going on.
  bool failed() const { return std::ferror(stream_) != 0; }
  /// Closes. A failure names the file.
  Done finish();

 private:
  OutputFile(std::FILE* stream, std::string path) : stream_(stream), path_(std::move(path)) {}

  std::FILE* stream_;
  const std::string path_;
  bool finished_ = false;
};

/// Why a stream failed, of which the C library keeps only that it did. Nothing is written to it after this.
std::string reason_of_failed_write(std::FILE* stream);

}  // namespace braid::cli
