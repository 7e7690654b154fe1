// What ties rows.db to the FORMAT file: a number made of the database's uuid, kept in `_braid_meta`.
#pragma once

#include "engine/directory.h"
#include "engine/result.h"

struct sqlite3;

namespace braid {

/// For a database that is created.
Status write_identity(sqlite3* db, const Format& format);
/// kCorrupt when rows.db was created with another FORMAT.
Status check_identity(sqlite3* db, const Format& format);

}  // namespace braid
