// What a restore and a repair end with: the database that was made is opened and checked, or is not to be opened again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/database.h"

namespace braid {

/// Opens the database in `directory`, calls `finish`, which may be empty, and checks it. Else the directory is marked as unfinished; the message begins with `what`.
Result<std::shared_ptr<Database>> open_checked(Env& env, const std::string& directory, std::string_view options, FileHook* hook,
                                               const std::function<Status(Database&)>& finish, const std::string& what);

}  // namespace braid
