#include "api/checked_copy.h"

#include <fmt/format.h>

#include <vector>

#include "engine/copy_mark.h"

namespace braid {

Result<std::shared_ptr<Database>> open_checked(Env& env, const std::string& directory, std::string_view options, FileHook* hook,
                                               const std::function<Status(Database&)>& finish, const std::string& what) {
  Status status;
  {
    auto opened = LongCall::in_part(0, 0.3, [&] { return Database::open(directory, options, hook, CopyState::kUnchecked); });
    std::vector<std::string> problems;
    status = opened.status();
    if (status.ok() && finish) status = LongCall::in_part(0.3, 0.2, [&] { return finish(**opened); });
    if (status.ok()) status = LongCall::in_part(0.5, 0.5, [&] { return (*opened)->check(problems); });
    if (status.ok() && problems.empty()) status = remove_unfinished_mark(env, directory);
    if (status.ok() && problems.empty()) return opened;
    if (status.ok())
      status = Status(StatusCode::kCorrupt, fmt::format("{} problems were found; the first: {}", problems.size(), problems.front()));
    if (opened.ok()) (*opened)->close().ignore();
  }
  BRAID_TRY(mark_unfinished(env, directory));
  return status.within(what);
}

}  // namespace braid
