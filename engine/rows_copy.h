// A copy of rows.db as one snapshot sees it, made by SQLite: the WAL's part of it included.
#pragma once

#include <functional>
#include <string>

#include "engine/copy_pace.h"
#include "engine/env.h"
#include "engine/result.h"

struct sqlite3;

namespace braid {

/// Size of the database that `source` reads.
Result<uint64_t> rows_bytes(sqlite3* source);

/// Makes `path`, durable but for its name. `source` has a read transaction open, which stays. While `hurries` the pace asks for no waiting.
Status copy_rows(sqlite3* source, Env& env, const std::string& path, CopyPace& pace, const std::function<bool()>& hurries);

}  // namespace braid
