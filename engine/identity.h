// What ties rows.db to the FORMAT file: a number made of the database's uuid, kept in `_braid_meta`; and what tells the commits after an opening from
// those that an unclean stop has lost.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/directory.h"
#include "engine/result.h"

struct sqlite3;

namespace braid {

/// Set in each number that `put_fixed_meta` is given, unless it is INT64_MIN: all of them take as many bytes.
inline constexpr uint64_t kFixedMetaBit = uint64_t{1} << 62;
/// Writes a number of `_braid_meta` in a transaction without a commit of ours, which the archive may leave out. So it changes one page and no other, and
/// nothing of where that page is: its row is there since the database was created, and keeps its size.
Status put_fixed_meta(sqlite3* db, std::string_view key, int64_t value);

/// For a database that is created.
Status write_identity(sqlite3* db, const Format& format);
/// After an unclean stop, before anything else is committed. Behind the end of the WAL there may lie whole frames of commits that were lost with the
/// power, because one before them was torn. A commit that happened to have the bytes of that one would bring them back, and with them the names of files
/// that are gone. One with a random number in it ends the chain of their checksums for good.
Status write_opening(sqlite3* db, uint64_t random);
/// kCorrupt when rows.db was created with another FORMAT.
Status check_identity(sqlite3* db, const Format& format);

}  // namespace braid
