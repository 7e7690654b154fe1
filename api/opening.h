// Where a database is opened: here, or through the process that has it open, as the option `remote` has it.
#pragma once

#include <string>
#include <string_view>

#include "api/handles.h"
#include "engine/result.h"

namespace braid {

/// As it is now: the caller may change its working directory, and another process has another one. kIo: there is none.
Result<std::string> absolute_path(const std::string& path);

/// Fills in one of `database` and `remote` of the handle. kBusy: another process has the directory, and serves nobody or was not to be asked.
Status open_here_or_there(const std::string& path, std::string_view options, braid_database& handle);

}  // namespace braid
