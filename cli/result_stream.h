// Where results go: standard output, a file, a program, or a pager.
#pragma once

#include <memory>
#include <string>

#include "cli/child_pipe.h"
#include "cli/output_file.h"
#include "cli/paged_stream.h"

namespace braid::cli {

/// A resource. Standard output is where it begins and what it comes back to.
class ResultStream {
 public:
  std::FILE* stream() const { return stream_; }
  bool is_standard() const { return stream_ == stdout; }

  /// To a file, which is replaced, or to a program, "|command".
  Done open(const std::string& target);
  void open_pager(const std::string& pager);
  /// Back to standard output. A failure when something was not written, or the program failed.
  Done close();

 private:
  std::FILE* stream_ = stdout;
  std::unique_ptr<OutputFile> file_;
  std::unique_ptr<ChildPipe> program_;
  std::unique_ptr<PagedStream> pager_;
};

}  // namespace braid::cli
