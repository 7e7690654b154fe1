#include "cli/result_stream.h"

#include <unistd.h>

#include "cli/terminal.h"

namespace braid::cli {

Done ResultStream::open(const std::string& target) {
  CLI_TRY(close());
  if (target.starts_with('|')) {
    auto program = ChildPipe::open(target.substr(1));
    if (!program.ok()) return program.failure();
    program_ = program.take();
    stream_ = program_->stream();
    return std::nullopt;
  }
  auto file = OutputFile::open(target);
  if (!file.ok()) return file.failure();
  file_ = file.take();
  stream_ = file_->stream();
  return std::nullopt;
}

void ResultStream::open_pager(const std::string& pager) {
  pager_ = std::make_unique<PagedStream>(pager, terminal_rows(STDOUT_FILENO));
  if (pager_->stream() != nullptr) stream_ = pager_->stream();
}

Done ResultStream::close() {
  stream_ = stdout;
  Done done;
  if (file_ != nullptr) done = file_->finish();
  if (program_ != nullptr) done = program_->finish();
  // That a pager was left, or how, is nobody's error; that there is none is.
  if (pager_ != nullptr) done = pager_->finish();
  file_.reset();
  program_.reset();
  pager_.reset();
  return done;
}

}  // namespace braid::cli
