// What a person reads on a terminal: passed on as it is when it fits the screen, else to a pager.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "cli/child_pipe.h"

namespace braid::cli {

/// A resource: a stream whose text is held back until it is clear where it goes.
class PagedStream {
 public:
  /// `rows`: of the screen.
  PagedStream(std::string pager, int rows);
  ~PagedStream();
  PagedStream(const PagedStream&) = delete;
  PagedStream& operator=(const PagedStream&) = delete;

  /// Null when memory is short.
  std::FILE* stream() const { return stream_; }
  /// Shows what is held back and waits until the pager is left.
  Done finish();

 private:
  static ssize_t write_bytes(void* self, const char* bytes, size_t size);
  ssize_t take(const char* bytes, size_t size);
  bool start_pager();

  const std::string pager_;
  const int rows_;
  std::FILE* stream_ = nullptr;
  std::string held_;
  int lines_ = 0;
  std::unique_ptr<ChildPipe> child_;
  Done failure_;
};

/// What PAGER names; "" for none.
std::string pager_of_environment();

}  // namespace braid::cli
