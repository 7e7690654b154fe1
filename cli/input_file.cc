#include "cli/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/interrupt.h"

namespace braid::cli {

Outcome<std::unique_ptr<InputFile>> InputFile::open(const std::string& path) {
  const bool standard_input = path == "-";
  const int descriptor = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return Failure{fmt::format("cannot open '{}': {}", path, std::strerror(errno))};
  }
  std::unique_ptr<InputFile> file(
      new InputFile(descriptor, standard_input ? "standard input" : path));
  struct stat status = {};
  if (fstat(descriptor, &status) == 0) {
    if (S_ISDIR(status.st_mode)) return Failure{fmt::format("'{}' is a directory", path)};
    // Standard input may be redirected from a file and still have been read in part: only a named
    // file is read twice.
    if (S_ISREG(status.st_mode) && !standard_input) file->size_bytes_ = status.st_size;
  }
  file->block_.resize(kBlockBytes);
  return file;
}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

// A pipe can stay silent for long, and Ctrl-C has to end the wait for it.
Done InputFile::wait_for_bytes() const {
  constexpr int kLookAroundMs = 100;
  pollfd watched = {descriptor_, POLLIN, 0};
  for (;;) {
    const int ready = poll(&watched, 1, kLookAroundMs);
    if (interrupt_requested()) return interrupted();
    // What is wrong with the descriptor, read says better.
    if (ready > 0 || (ready < 0 && errno != EINTR)) return std::nullopt;
  }
}

Outcome<std::string_view> InputFile::read() {
  if (replay_) {
    replay_ = false;
    position_bytes_ += static_cast<int64_t>(kept_.size());
    return std::string_view(kept_);
  }
  if (!size_bytes_.has_value()) CLI_TRY(wait_for_bytes());
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, block_.data(), block_.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Failure{fmt::format("cannot read {}: {}", name_, std::strerror(errno))};
  const std::string_view bytes(block_.data(), static_cast<size_t>(count));
  position_bytes_ += count;
  if (keep_) kept_ += bytes;
  return bytes;
}

Done InputFile::rewind() {
  position_bytes_ = 0;
  if (!size_bytes_.has_value()) {
    replay_ = !kept_.empty();
    keep_ = false;
    return std::nullopt;
  }
  if (lseek(descriptor_, 0, SEEK_SET) != 0) {
    return Failure{fmt::format("cannot read {} again: {}", name_, std::strerror(errno))};
  }
  return std::nullopt;
}

}  // namespace braid::cli
