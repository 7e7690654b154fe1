#include "engine/free_pages.h"

#include <algorithm>

namespace braid {

namespace {

/// A commit moves at most so many pages in use, each of which becomes a frame of the WAL: 16 MiB.
constexpr uint64_t kMovedPagesMax = 4096;

/// SQLite looks through the list of free pages for each that goes when others are kept: a step makes at most so many comparisons, about 0.1 s.
constexpr uint64_t kComparisonsMax = uint64_t{1} << 27;

unsigned release_pages(void* context, const char*, unsigned pages, unsigned free, unsigned page_bytes) {
  const auto* release = static_cast<const PageRelease*>(context);
  if (release == nullptr || !release->kept_bytes.has_value()) return 0;
  return static_cast<unsigned>(pages_to_release(pages, free, *release->kept_bytes / page_bytes));
}

}  // namespace

void attach_page_release(sqlite3* db, PageRelease* release) { sqlite3_autovacuum_pages(db, release_pages, release, nullptr); }

uint64_t pages_to_release(uint64_t pages, uint64_t free, uint64_t kept) {
  if (free <= kept || free > pages) return 0;
  // Without the list, the pages at the end go at once; only those in use beyond the new end are moved.
  if (std::min(free, pages - free) <= kMovedPagesMax) return free;
  return std::min(free - kept, std::clamp<uint64_t>(kComparisonsMax / free, 1, kMovedPagesMax));
}

Result<uint64_t> free_page_bytes(sqlite3* db) {
  uint64_t product = 1;
  for (const char* const sql : {"PRAGMA freelist_count", "PRAGMA page_size"}) {
    BRAID_ASSIGN(auto row, sqlite_prepare(db, sql));
    BRAID_ASSIGN(const bool found, row.step());
    product *= found ? static_cast<uint64_t>(row.integer(0)) : 0;
  }
  return product;
}

}  // namespace braid
