// The bytes of a file, in blocks, which can be read a second time: a regular file by going back to
// its start, a pipe because what a first look read of it is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/outcome.h"

namespace braid::cli {

/// Before the text of files that some programs write; not a part of it.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Where a CsvReader takes its bytes from.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next bytes, borrowed until the next call; empty at the end.
  virtual Outcome<std::string_view> read() = 0;
};

class InputFile final : public ByteSource {
 public:
  static constexpr size_t kBlockBytes = 256 * 1024;

  /// Opens a file for reading; "-" is standard input.
  static Outcome<std::unique_ptr<InputFile>> open(const std::string& path);
  ~InputFile() override;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  Outcome<std::string_view> read() override;

  /// From here on everything read is kept, if it could not be read again otherwise. Followed by
  /// `rewind`.
  void start_first_look() { keep_ = !size_bytes_.has_value(); }
  /// The next read begins at the file's first byte.
  Done rewind();

  /// "FILE" or "standard input", for messages.
  const std::string& name() const { return name_; }
  /// Known for regular files, which are also the ones that can be read twice.
  std::optional<int64_t> size_bytes() const { return size_bytes_; }
  int64_t position_bytes() const { return position_bytes_; }

 private:
  Done wait_for_bytes() const;

  InputFile(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  const int descriptor_;
  const std::string name_;
  std::optional<int64_t> size_bytes_;
  int64_t position_bytes_ = 0;
  std::string block_;
  bool keep_ = false;
  std::string kept_;     ///< what the first look read of a pipe
  bool replay_ = false;  ///< `kept_` comes before the next block
};

}  // namespace braid::cli
