#include "cli/paged_stream.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace braid::cli {

PagedStream::PagedStream(std::string pager, int rows) : pager_(std::move(pager)), rows_(rows) {
  cookie_io_functions_t functions = {};
  functions.write = write_bytes;
  stream_ = fopencookie(this, "w", functions);
}

PagedStream::~PagedStream() {
  if (stream_ != nullptr) finish();
}

ssize_t PagedStream::write_bytes(void* self, const char* bytes, size_t size) {
  return static_cast<PagedStream*>(self)->take(bytes, size);
}

bool PagedStream::start_pager() {
  // As git does: colours pass through less, and it leaves the text on the screen.
  setenv("LESS", "FRX", 0);
  auto child = ChildPipe::open(pager_);
  if (child.ok()) child_ = child.take();
  else failure_ = child.failure();
  return child_ != nullptr;
}

ssize_t PagedStream::take(const char* bytes, size_t size) {
  if (child_ == nullptr) {
    held_.append(bytes, size);
    lines_ += static_cast<int>(std::count(bytes, bytes + size, '\n'));
    if (lines_ < rows_ || failure_.has_value() || !start_pager()) return static_cast<ssize_t>(size);
    const size_t written = std::fwrite(held_.data(), 1, held_.size(), child_->stream());
    const bool whole = written == held_.size();
    held_.clear();
    return whole ? static_cast<ssize_t>(size) : 0;
  }
  // A pager that was left reads no more: 0 is the stream's error, which ends the statement.
  const bool written = std::fwrite(bytes, 1, size, child_->stream()) == size && std::fflush(child_->stream()) == 0;
  return written ? static_cast<ssize_t>(size) : 0;
}

Done PagedStream::finish() {
  std::fclose(stream_);
  stream_ = nullptr;
  if (child_ != nullptr) return child_->finish();
  std::fwrite(held_.data(), 1, held_.size(), stdout);
  return failure_;
}

std::string pager_of_environment() {
  const char* pager = std::getenv("PAGER");
  return pager == nullptr ? "" : pager;
}

}  // namespace braid::cli
