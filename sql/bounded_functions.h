// Functions of SQLite's own that run to their end, whatever a progress handler says, for as long as a width in a format or the product of two lengths
// asks for: printf('%.*c', 2000000000, 'x') takes a minute. For the SQL of strangers each is asked first whether it would take long.
#pragma once

#include <sqlite3.h>

#include "engine/result.h"

namespace braid {

/// Puts functions that answer the same, or refuse (SQLITE_AUTH), in the place of printf, format, trim, ltrim, rtrim, instr and replace.
/// Pre: no statement of `db` is prepared. Threads: as `db` itself.
Status bound_functions(sqlite3* db);

}  // namespace braid
