// Pages of rows.db that hold nothing any more, and how they go back to the disk.
//
// rows.db is made with SQLite's auto-vacuum. Every commit then asks its connection how many free pages are to go, and the answer is none but
// for the checkpoint's: steady logging uses again what trimming the log frees, rather than making the file shorter and longer.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/result.h"
#include "engine/sqlite_handle.h"

namespace braid {

/// What a checkpoint does with disk that is not used.
enum class FreeSpace : uint8_t {
  kKept,       ///< up to free_pages_kept_bytes, to be used again
  kGivenBack,  ///< the file system gets it, and that of the WAL
};

/// What the commits of one connection give back. The connection refers to it, so it outlives the connection.
struct PageRelease {
  std::optional<uint64_t> kept_bytes;  ///< more is given back, a bounded part with each commit; none: nothing is
};

/// Makes `release`, which may be null for nothing, decide over the connection's commits.
void attach_page_release(sqlite3* db, PageRelease* release);

/// How many pages a commit releases of a file of `pages`, of which `free` hold nothing.
uint64_t pages_to_release(uint64_t pages, uint64_t free, uint64_t kept);

/// The size of all free pages.
Result<uint64_t> free_page_bytes(sqlite3* db);

}  // namespace braid
