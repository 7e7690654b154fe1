#include "api/opening.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "api/served_session.h"

namespace braid {

namespace {

enum class Remote : int64_t { kNever = 0, kAuto = 1, kOnly = 2 };

// The holder of LOCK may be about to serve, or about to end: it is asked again for so long.
constexpr std::chrono::milliseconds kPatience(1000);
constexpr std::chrono::milliseconds kPause(20);

Status open_here(const std::string& directory, std::string_view options, braid_database& handle) {
  BRAID_ASSIGN(handle.database, Database::open(directory, options));
  serve(handle);
  return {};
}

Status open_there(const std::string& directory, braid_database& handle) {
  BRAID_ASSIGN(handle.remote, RemoteDatabase::open(directory));
  return {};
}

/// The host's options hold for everyone: what was asked for besides is refused by name.
Status check_options(const std::string& directory, const Options& wanted) {
  const Options usual;
  const auto table = option_table();
  for (size_t i = 0; i < table.size(); ++i) {
    const auto id = static_cast<OptionId>(i);
    if (id == OptionId::kRemote || id == OptionId::kServe || id == OptionId::kMemoryBytesMax || wanted[id] == usual[id]) continue;
    return Status(StatusCode::kBusy,
                  fmt::format("{}: another process has it open, with options of its own; open it without '{}' to use it through that "
                              "process",
                              directory, table[i].name));
  }
  return {};
}

}  // namespace

Result<std::string> absolute_path(const std::string& path) {
  std::error_code failure;
  const auto absolute = std::filesystem::absolute(path, failure);
  if (failure) return Status(StatusCode::kIo, fmt::format("{}: the working directory cannot be told: {}", path, failure.message()));
  return absolute.string();
}

Status open_here_or_there(const std::string& path, std::string_view options, braid_database& handle) {
  BRAID_ASSIGN(const Options wanted, Options::parse(options));
  BRAID_ASSIGN(const std::string directory, absolute_path(path));
  const auto remote = static_cast<Remote>(wanted[OptionId::kRemote]);
  if (remote == Remote::kNever || (remote == Remote::kAuto && wanted[OptionId::kReadOnly] != 0)) return open_here(directory, options, handle);
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    Status here;
    if (remote == Remote::kAuto) {
      here = open_here(directory, options, handle);
      if (here.code() != StatusCode::kBusy) return here;
    }
    BRAID_TRY(check_options(directory, wanted));
    const Status there = open_there(directory, handle);
    if (there.ok()) return {};
    const bool nobody = there.code() == StatusCode::kNotFound;
    BRAID_TRY(LongCall::check());
    if ((nobody || there.code() == StatusCode::kBusy) && remote == Remote::kAuto && std::chrono::steady_clock::now() - start < kPatience) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    if (!nobody) return there;
    if (remote == Remote::kOnly) return Status(StatusCode::kBusy, fmt::format("no process serves the database: {}", there.message()));
    return Status(here.code(), fmt::format("{}, and not served to others ({})", here.message(), there.message()));
  }
}

}  // namespace braid
