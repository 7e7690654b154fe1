// The frames of SQLite's WAL, read without SQLite and believed as far as their checksums go on. https://sqlite.org/fileformat2.html#walformat
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/env.h"
#include "engine/page_source.h"
#include "engine/result.h"

namespace braid {

inline constexpr uint64_t kWalFrameHeaderBytes = 24;
inline constexpr uint64_t kWalFrameBytes = kWalFrameHeaderBytes + kRowsPageBytes;

struct WalFrame {
  uint32_t page = 0;
  uint32_t pages_after_commit = 0;  ///< 0: it is not the last of its transaction
  uint64_t offset = 0;              ///< of its page's bytes
};

/// Goes through a WAL from its start. A copy of it is a place to return to. One thread.
class WalReader {
 public:
  enum class Start : uint8_t { kEmpty, kDamaged, kReady };
  /// Reads the header.
  Result<Start> begin(const ReadableFile& wal);
  /// The next frame. False at the end, and where the checksums do not go on; asked again, it looks again.
  Result<bool> next(const ReadableFile& wal, WalFrame& frame);

  /// Two numbers that SQLite takes anew each time that it begins the WAL again.
  uint64_t salts() const { return salts_; }
  /// Where the next frame is.
  uint64_t position() const { return position_; }
  /// The frame of this WAL that its header says is at `at`, though its page and what was before it may be damaged.
  std::optional<WalFrame> header_at(const ReadableFile& wal, uint64_t at) const;

 private:
  /// SQLite's checksum of the WAL goes on from frame to frame.
  struct Checksum {
    uint32_t first = 0;
    uint32_t second = 0;
    void add(std::string_view bytes, bool big_endian);
    bool is(std::string_view bytes) const;
  };

  Checksum sum_;
  bool big_endian_ = false;
  uint64_t salts_ = 0;
  uint64_t position_ = 0;
};

}  // namespace braid
