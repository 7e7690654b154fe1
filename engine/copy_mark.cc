#include "engine/copy_mark.h"

#include <fmt/format.h>

#include <cinttypes>
#include <cstdio>

namespace braid {

namespace {

constexpr size_t kMarkBytesMax = 16384;

std::string backup_file(const std::string& path) { return path + "/BACKUP"; }
std::string copying_file(const std::string& path) { return path + "/COPYING"; }
std::string format_file(const std::string& path) { return path + "/FORMAT"; }

}  // namespace

bool is_unfinished(const Env& env, const std::string& path) { return env.exists(copying_file(path)); }

Status mark_unfinished(Env& env, const std::string& path) {
  BRAID_TRY(env.replace_file(copying_file(path), "this directory is a copy of a database that was not finished\n"));
  if (!env.exists(format_file(path))) return {};
  BRAID_TRY(env.remove(format_file(path)));
  return env.sync_directory(path);
}

Status remove_unfinished_mark(Env& env, const std::string& path) {
  BRAID_TRY(env.remove(copying_file(path)));
  return env.sync_directory(path);
}

Result<std::optional<BackupMark>> read_backup_mark(Env& env, const std::string& path) {
  if (!env.exists(backup_file(path))) return std::optional<BackupMark>();
  BRAID_ASSIGN(const std::string text, env.read_file(backup_file(path), kMarkBytesMax));
  uint64_t lsn = 0;
  int64_t taken = 0;
  if (std::sscanf(text.c_str(), "lsn %" SCNu64 "\ntaken %" SCNd64 "\n", &lsn, &taken) != 2)
    return Status(StatusCode::kCorrupt, fmt::format("{}: is not the BACKUP file of a Braid backup", backup_file(path)));
  BackupMark mark{.lsn = Lsn(lsn), .taken = Timestamp(taken)};
  constexpr std::string_view kArchive = "\narchive ";
  const size_t at = text.find(kArchive);
  if (at != std::string::npos && text.ends_with('\n')) mark.archive = text.substr(at + kArchive.size(), text.size() - 1 - at - kArchive.size());
  return std::optional<BackupMark>(std::move(mark));
}

Status write_backup_mark(Env& env, const std::string& path, const BackupMark& mark) {
  return env.replace_file(backup_file(path), fmt::format("lsn {}\ntaken {}\n{}", mark.lsn.value(), mark.taken.value(),
                                                         mark.archive.empty() ? "" : fmt::format("archive {}\n", mark.archive)));
}

Status settle_backup(Env& env, const std::string& path, const Format& format) {
  if (!env.exists(backup_file(path))) return {};
  // A crash in between leaves a backup with a higher epoch, in which nothing was written.
  BRAID_TRY(write_format(env, path, format));
  BRAID_TRY(env.remove(backup_file(path)));
  return env.sync_directory(path);
}

}  // namespace braid
