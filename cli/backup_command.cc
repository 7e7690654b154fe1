#include "cli/backup_command.h"

#include <fmt/format.h>

#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string_view>

#include "cli/call_progress.h"
#include "cli/interrupt.h"

namespace braid::cli {

namespace {

// A C function that calls back must not be thrown through: drawing allocates.
int32_t watch(void* context, uint64_t done, uint64_t all) noexcept {
  static_cast<CallProgress*>(context)->show_bytes(done, all);
  return interrupt_requested() ? 1 : 0;
}

/// "2024-05-31 16:30:00.25", or with a T, a Z, or less: the day alone is its beginning.
std::optional<int64_t> microseconds_of(const std::string& text) {
  std::tm parts{};
  int read = 0;
  int fraction_start = 0;
  char separator = ' ';
  int fields = std::sscanf(text.c_str(), "%6d-%2d-%2d%n%c%2d:%2d%n:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &read, &separator, &parts.tm_hour,
                           &parts.tm_min, &read, &parts.tm_sec, &fraction_start);
  if ((fields != 3 && fields < 6) || (separator != ' ' && separator != 'T')) return std::nullopt;
  if (fields == 7) read = fraction_start;
  std::string_view rest = std::string_view(text).substr(static_cast<size_t>(read));
  int64_t fraction = 0;
  if (fields == 7 && rest.starts_with('.')) {
    rest.remove_prefix(1);
    for (int64_t unit = 100'000; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; unit /= 10, rest.remove_prefix(1)) fraction += unit * (rest.front() - '0');
  }
  if (!rest.empty() && rest != "Z") return std::nullopt;
  const std::tm asked = parts;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const std::time_t seconds = ::timegm(&parts);
  // A day or an hour that there is not becomes another one.
  if (parts.tm_year + 1900 != asked.tm_year || parts.tm_mon + 1 != asked.tm_mon || parts.tm_mday != asked.tm_mday || parts.tm_hour != asked.tm_hour ||
      parts.tm_min != asked.tm_min || parts.tm_sec != asked.tm_sec)
    return std::nullopt;
  return int64_t{seconds} * 1'000'000 + fraction;
}

double megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

Done run_backup(const Session& session, const BackupArguments& arguments) {
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  options.bytes_per_second = arguments.bytes_per_second;
  options.base = arguments.base.empty() ? nullptr : arguments.base.c_str();
  options.flags = (arguments.copies_all ? BRAID_COPY_ALL : 0) | (arguments.prunes_archive ? BRAID_PRUNE_ARCHIVE : 0);
  braid_backup_report report{};
  report.size_bytes = sizeof report;
  CallProgress watched("backup");
  const int32_t code =
      braid_backup(session.database(), arguments.destination.c_str(), &options, watch, &watched, &report);
  watched.clear();
  if (code != BRAID_OK) return database_failure(session.database(), code, "backup");
  fmt::print("commit {}: {:.1f} MB written, {:.1f} MB linked; writers were held off for {:.1f} ms\n", report.lsn,
             megabytes(report.bytes_written), megabytes(report.bytes_linked),
             static_cast<double>(report.writers_held_us) / 1000);
  return std::nullopt;
}

Done run_restore(const RestoreArguments& arguments) {
  braid_restore_options options{};
  options.size_bytes = sizeof options;
  options.bytes_per_second = arguments.bytes_per_second;
  options.flags = arguments.links ? BRAID_LINK_FILES : 0;
  options.archive = arguments.archive.empty() ? nullptr : arguments.archive.c_str();
  options.to_lsn = arguments.to_lsn;
  if (!arguments.to_time.empty()) {
    const std::optional<int64_t> time = microseconds_of(arguments.to_time);
    if (!time.has_value()) return Failure{fmt::format("--to-time {}: expected a time in UTC such as 2024-05-31 16:30:00.25", arguments.to_time)};
    options.to_time_us = *time == 0 ? 1 : *time;  // 0 would name none, and no commit is as old
  }
  CallProgress watched("restore");
  const braid_watch followed = watched.watch();
  options.watch = &followed;
  braid_database* raw = nullptr;
  int32_t code = braid_restore(arguments.source.c_str(), arguments.destination.c_str(), &options,
                               watch, &watched, &raw);
  const DatabaseHandle database(raw);
  watched.clear();
  if (code != BRAID_OK) return database_failure(raw, code, "restore");
  int64_t lsn = 0;
  code = braid_stats(
      raw,
      [](void* context, const braid_figure* figure) {
        if (std::string_view(figure->name) == "lsn") *static_cast<int64_t*>(context) = figure->value;
      },
      &lsn);
  if (code != BRAID_OK) return database_failure(raw, code, "restore");
  fmt::print("{} is at commit {}; no problem found\n", arguments.destination, lsn);
  return std::nullopt;
}

bool is_backup(const std::string& directory) {
  std::error_code unknown;
  return std::filesystem::exists(directory + "/BACKUP", unknown) && std::filesystem::exists(directory + "/FORMAT", unknown);
}

Done check_backup(const std::string& directory, const std::string& options) {
  std::string copy = directory;
  while (copy.size() > 1 && copy.ends_with('/')) copy.pop_back();
  copy += ".check-XXXXXX";
  if (::mkdtemp(copy.data()) == nullptr) {
    return Failure{fmt::format("{}: a directory for the copy that is checked cannot be made beside the backup ({}); braid restore makes one elsewhere and checks it", copy,
                               std::strerror(errno))};
  }
  Done done;
  {
    braid_restore_options given{};
    given.size_bytes = sizeof given;
    given.flags = BRAID_LINK_FILES;
    given.open_options = options.c_str();
    CallProgress watched("check");
    const braid_watch followed = watched.watch();
    given.watch = &followed;
    braid_database* raw = nullptr;
    const int32_t code = braid_restore(directory.c_str(), copy.c_str(), &given, watch, &watched, &raw);
    const DatabaseHandle database(raw);
    watched.clear();
    if (code != BRAID_OK) done = database_failure(raw, code, "check");
  }
  std::error_code failed;
  std::filesystem::remove_all(copy, failed);
  if (failed && !done) return Failure{fmt::format("{}: cannot be removed: {}", copy, failed.message())};
  if (!done) std::fputs("no problem found; it is a backup still\n", stdout);
  return done;
}

Done run_repair(const RepairArguments& arguments) {
  struct Losses {
    CallProgress progress{"repair"};
    int64_t count = 0;
  } told;
  const auto visit = [](void* context, const char* lost) {
    auto& losses = *static_cast<Losses*>(context);
    losses.progress.clear();
    ++losses.count;
    std::fprintf(stdout, "%s\n", lost);
  };
  braid_database* raw = nullptr;
  const braid_watch watch = told.progress.watch();
  const int32_t code = braid_repair_watched(arguments.source.c_str(), arguments.destination.c_str(), &watch, visit, &told, &raw);
  const DatabaseHandle database(raw);
  told.progress.clear();
  const int64_t losses = told.count;
  if (code != BRAID_OK) return database_failure(raw, code, "repair");
  if (losses > 0) {
    return Failure{fmt::format("{} has what could be read; the list above names {} {}", arguments.destination, losses,
                               losses == 1 ? "loss" : "losses")};
  }
  fmt::print("{} has everything; nothing is lost\n", arguments.destination);
  return std::nullopt;
}

}  // namespace braid::cli
