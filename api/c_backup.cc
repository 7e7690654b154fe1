// The C API: backups and restores.
#include <fmt/format.h>

#include "api/c_guard.h"
#include "api/opening.h"
#include "api/repair.h"
#include "api/served_session.h"
#include "api/struct_argument.h"

namespace braid {

namespace {

CopyProgress copy_progress(braid_copy_progress progress, void* context) {
  return [progress, context](uint64_t done, uint64_t all) {
    BRAID_TRY(LongCall::check(all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all)));
    if (progress == nullptr) return Status();
    return progress(context, done, all) == 0 ? Status() : Status(StatusCode::kInterrupted, "the copy was interrupted");
  };
}

Status path_argument(const char* path, const char* name) {
  if (path == nullptr) return null_argument(name);
  return *path != '\0' ? Status() : Status(StatusCode::kInvalidArgument, std::string(name) + " is empty");
}

Status back_up_there(RemoteDatabase& remote, const char* destination, const braid_backup_options& given, braid_copy_progress progress, void* context,
                     braid_backup_report* report) {
  BRAID_ASSIGN(const std::string to, absolute_path(destination));
  std::string base;
  if (given.base != nullptr) {
    BRAID_ASSIGN(base, absolute_path(given.base));
  }
  const auto tell = [&](const Message& told) {
    if (progress == nullptr || told.values.size() != 2) return true;
    return progress(context, static_cast<uint64_t>(told.values[0].integer), static_cast<uint64_t>(told.values[1].integer)) == 0;
  };
  BRAID_ASSIGN(const Message made, remote.call(Operation::kBackup,
                                               {Value::text(to), given.base == nullptr ? Value() : Value::text(base),
                                                Value::number(static_cast<int64_t>(given.bytes_per_second)), Value::number(given.flags)},
                                               tell));
  if (made.values.size() != 4) return Status(StatusCode::kInternal, "the host's answer lacks a value");
  const auto figure = [&](size_t i) { return static_cast<uint64_t>(made.values[i].integer); };
  if (report != nullptr) fill_struct(report, {sizeof *report, figure(0), figure(1), figure(2), figure(3)});
  return {};
}

Status flags_argument(uint32_t flags, uint32_t known) {
  if ((flags & ~known) == 0) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("flags: {} is none of the flags of this call", flags & ~known));
}

Result<braid_backup_options> backup_arguments(const char* destination, const braid_backup_options* options, const braid_backup_report* report) {
  BRAID_TRY(path_argument(destination, "destination"));
  BRAID_ASSIGN(const braid_backup_options given, struct_argument(options, "options"));
  BRAID_TRY(check_struct(report, "report"));
  BRAID_TRY(flags_argument(given.flags, BRAID_COPY_ALL | BRAID_PRUNE_ARCHIVE));
  if (given.base != nullptr) BRAID_TRY(path_argument(given.base, "base"));
  return given;
}

Status check_target(const braid_restore_options& given) {
  if (given.to_lsn == 0 || given.to_time_us == 0) return {};
  return Status(StatusCode::kInvalidArgument, "to_lsn and to_time_us are both given; give one of them");
}

/// None when only the backup is wanted.
std::optional<ArchiveTarget> target_of(const braid_restore_options& given) {
  if (given.archive == nullptr && given.to_lsn == 0 && given.to_time_us == 0) return std::nullopt;
  return ArchiveTarget{.directory = given.archive == nullptr ? "" : given.archive,
                       .lsn = given.to_lsn == 0 ? std::nullopt : std::optional(Lsn(given.to_lsn)),
                       .time = given.to_time_us == 0 ? std::nullopt : std::optional(Timestamp(given.to_time_us))};
}

}  // namespace

}  // namespace braid

using namespace braid;

extern "C" {

int32_t braid_backup(braid_database* database, const char* destination, const braid_backup_options* options, braid_copy_progress progress,
                     void* context, braid_backup_report* report) {
  if (is_remote(database)) {
    return guard(database, [&]() -> Status {
      BRAID_ASSIGN(const braid_backup_options given, backup_arguments(destination, options, report));
      return back_up_there(*database->remote, destination, given, progress, context, report);
    });
  }
  return long_call(database, [&](Database& open) -> Status {
    BRAID_ASSIGN(const braid_backup_options given, backup_arguments(destination, options, report));
    if (open.engine().read_only())
      return Status(StatusCode::kReadOnly, "a database that is open with read_only=1 cannot be backed up; close it and copy its directory, or use braid restore");
    const BackupOptions chosen{.bytes_per_second = given.bytes_per_second,
                               .base = given.base == nullptr ? "" : given.base,
                               .prunes_archive = (given.flags & BRAID_PRUNE_ARCHIVE) != 0,
                               .links = (given.flags & BRAID_COPY_ALL) == 0};
    BRAID_ASSIGN(const BackupReport made, back_up(open.engine(), destination, chosen, copy_progress(progress, context)));
    if (report != nullptr)
      fill_struct(report, {sizeof *report, made.lsn.value(), made.written_bytes, made.linked_bytes, static_cast<uint64_t>(made.writers_held.count())});
    return {};
  });
}

int32_t braid_restore(const char* source, const char* destination, const braid_restore_options* options, braid_copy_progress progress, void* context,
                      braid_database** database) {
  braid_restore_options given{};
  const auto watch_of = [&]() -> Result<const braid_watch*> {
    BRAID_ASSIGN(given, struct_argument(options, "options"));
    return given.watch;
  };
  return opening_call(watch_of, database, [&](braid_database& handle) -> Status {
    BRAID_TRY(path_argument(source, "source"));
    BRAID_TRY(path_argument(destination, "destination"));
    BRAID_TRY(flags_argument(given.flags, BRAID_LINK_FILES));
    BRAID_TRY(check_target(given));
    const RestoreOptions chosen{.bytes_per_second = given.bytes_per_second, .links = (given.flags & BRAID_LINK_FILES) != 0, .target = target_of(given)};
    BRAID_ASSIGN(handle.database, Database::restore(source, destination, chosen, given.open_options == nullptr ? "" : given.open_options,
                                                    copy_progress(progress, context)));
    serve(handle);
    return {};
  });
}

int32_t braid_repair(const char* source, const char* destination, void (*visit)(void* context, const char* lost), void* context, braid_database** database) {
  return braid_repair_watched(source, destination, nullptr, visit, context, database);
}

int32_t braid_repair_watched(const char* source, const char* destination, const braid_watch* watch, void (*visit)(void* context, const char* lost), void* context,
                             braid_database** database) {
  return opening_call(given_watch(watch), database, [&](braid_database& handle) -> Status {
    BRAID_TRY(path_argument(source, "source"));
    BRAID_TRY(path_argument(destination, "destination"));
    const auto tell = [&](const std::string& lost) {
      if (visit != nullptr) visit(context, lost.c_str());
    };
    BRAID_ASSIGN(handle.database, repair(source, destination, tell));
    serve(handle);
    return {};
  });
}

}  // extern "C"
