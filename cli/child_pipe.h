// A program that reads what is written to it: a pager, or whatever comes after a bar in .output.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>

#include "cli/outcome.h"

namespace braid::cli {

/// A resource. While one is open, writing to a program that has ended is an error of the stream and
/// not the end of this process.
class ChildPipe {
 public:
  /// Starts `command` with the shell.
  static Outcome<std::unique_ptr<ChildPipe>> open(const std::string& command);
  ~ChildPipe();
  ChildPipe(const ChildPipe&) = delete;
  ChildPipe& operator=(const ChildPipe&) = delete;

  std::FILE* stream() const { return stream_; }
  /// Closes the stream and waits for the program's end. A failure when it ended with an error; that
  /// it did not read everything is none.
  Done finish();

 private:
  ChildPipe(std::string command, std::FILE* stream, pid_t child);

  const std::string command_;
  std::FILE* stream_;
  const pid_t child_;
};

}  // namespace braid::cli
