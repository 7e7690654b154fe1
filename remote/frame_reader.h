// The frames that arrive on a socket, whole ones at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/memory_budget.h"
#include "engine/result.h"
#include "remote/message.h"

namespace braid {

/// Memory grows with the bytes that came, never with what a header promises. One thread at a time.
class FrameReader {
 public:
  enum class Got : uint8_t { kFrame, kMore, kEnd };

  /// Frames are counted in `memory` while they are read, and until the next one.
  explicit FrameReader(size_t bytes_max, MemoryShare memory = {}) : bytes_max_(bytes_max), memory_(std::move(memory)) {}

  /// One `recv` with `flags`: kFrame when a frame is whole; kMore when more of it is needed, also when nothing was there; kEnd when the other side
  /// closed. kCorrupt: what came is no frame, or too large for one; kIo.
  Result<Got> read(int socket, int flags);
  /// Of the frame that is whole.
  FrameKind kind() const { return header_.kind; }
  /// Its words, after which the next frame begins. kLimit: there was no memory to keep it.
  Result<std::vector<uint64_t>> take();

 private:
  Result<Got> read_header(int socket, int flags);
  Result<Got> read_words(int socket, int flags);
  char* room_for(size_t size);

  const size_t bytes_max_;
  MemoryShare memory_;
  std::array<char, kHeaderBytes> header_bytes_;
  FrameHeader header_;
  size_t header_got_ = 0;
  std::vector<uint64_t> words_;
  size_t got_ = 0;  // bytes of the message
  Status refusal_;  // the frame is read and dropped
};

}  // namespace braid
