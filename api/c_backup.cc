// The C API: backups and restores.
#include <fmt/format.h>

#include <filesystem>

#include "api/c_guard.h"
#include "api/repair.h"
#include "api/served_session.h"

namespace braid {

namespace {

/// A struct of the caller's, or what stands for NULL. None when it is of another size.
template <typename Options>
Result<Options> options_argument(const Options* options, std::string_view name) {
  if (options == nullptr) return Options{};
  if (options->size_bytes >= sizeof *options) return *options;
  return Status(StatusCode::kInvalidArgument, std::string(name) + ": size_bytes is not the size of the struct");
}

CopyProgress progress_argument(braid_copy_progress progress, void* context) {
  if (progress == nullptr) return {};
  return [progress, context](uint64_t done, uint64_t all) {
    return progress(context, done, all) == 0 ? Status() : Status(StatusCode::kInterrupted, "the copy was interrupted");
  };
}

Status path_argument(const char* path, const char* name) {
  if (path == nullptr) return null_argument(name);
  return *path != '\0' ? Status() : Status(StatusCode::kInvalidArgument, std::string(name) + " is empty");
}

/// The host may stand in another directory.
std::string absolute_path(const char* path) {
  std::error_code unknown;
  const auto absolute = std::filesystem::absolute(path, unknown);
  return unknown ? std::string(path) : absolute.string();
}

Status back_up_there(RemoteDatabase& remote, const char* destination, const braid_backup_options& given, braid_copy_progress progress, void* context,
                     braid_backup_report* report) {
  const std::string to = absolute_path(destination), base = given.base == nullptr ? "" : absolute_path(given.base);
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
  if (report != nullptr) *report = {sizeof *report, figure(0), figure(1), figure(2), figure(3)};
  return {};
}

Status flags_argument(uint32_t flags, uint32_t known) {
  if ((flags & ~known) == 0) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("flags: {} is none of the flags of this call", flags & ~known));
}

}  // namespace

}  // namespace braid

using namespace braid;

extern "C" {

int32_t braid_backup(braid_database* database, const char* destination, const braid_backup_options* options, braid_copy_progress progress,
                     void* context, braid_backup_report* report) {
  return guard(database, [&]() -> Status {
    if (database->database == nullptr && database->remote == nullptr) return Status(StatusCode::kMisuse, "the database was not opened");
    BRAID_TRY(path_argument(destination, "destination"));
    BRAID_ASSIGN(const braid_backup_options given, options_argument(options, "options"));
    if (report != nullptr && report->size_bytes < sizeof *report)
      return Status(StatusCode::kInvalidArgument, "report: size_bytes is not the size of the struct");
    if (database->remote != nullptr) return back_up_there(*database->remote, destination, given, progress, context, report);
    if (database->database->engine().read_only())
      return Status(StatusCode::kReadOnly, "a database that is open with read_only=1 cannot be backed up; close it and copy its directory, or use braid restore");
    BRAID_TRY(flags_argument(given.flags, BRAID_COPY_ALL));
    const BackupOptions chosen{.bytes_per_second = given.bytes_per_second,
                               .base = given.base == nullptr ? "" : given.base,
                               .links = (given.flags & BRAID_COPY_ALL) == 0};
    BRAID_ASSIGN(const BackupReport made, back_up(database->database->engine(), destination, chosen, progress_argument(progress, context)));
    if (report != nullptr)
      *report = {sizeof *report, made.lsn.value(), made.written_bytes, made.linked_bytes, static_cast<uint64_t>(made.writers_held.count())};
    return {};
  });
}

int32_t braid_restore(const char* source, const char* destination, const braid_restore_options* options, braid_copy_progress progress, void* context,
                      braid_database** database) {
  if (database == nullptr) return BRAID_INVALID_ARGUMENT;
  *database = new (std::nothrow) braid_database{};
  return guard(*database, [&]() -> Status {
    BRAID_TRY(path_argument(source, "source"));
    BRAID_TRY(path_argument(destination, "destination"));
    BRAID_ASSIGN(const braid_restore_options given, options_argument(options, "options"));
    BRAID_TRY(flags_argument(given.flags, BRAID_LINK_FILES));
    const RestoreOptions chosen{.bytes_per_second = given.bytes_per_second, .links = (given.flags & BRAID_LINK_FILES) != 0};
    BRAID_ASSIGN((*database)->database, Database::restore(source, destination, chosen, given.open_options == nullptr ? "" : given.open_options,
                                                          progress_argument(progress, context)));
    serve(**database);
    return {};
  });
}

int32_t braid_repair(const char* source, const char* destination, void (*visit)(void* context, const char* lost), void* context, braid_database** database) {
  if (database == nullptr) return BRAID_INVALID_ARGUMENT;
  *database = new (std::nothrow) braid_database{};
  return guard(*database, [&]() -> Status {
    BRAID_TRY(path_argument(source, "source"));
    BRAID_TRY(path_argument(destination, "destination"));
    const auto tell = [&](const std::string& lost) {
      if (visit != nullptr) visit(context, lost.c_str());
    };
    BRAID_ASSIGN((*database)->database, repair(source, destination, tell));
    serve(**database);
    return {};
  });
}

}  // extern "C"
