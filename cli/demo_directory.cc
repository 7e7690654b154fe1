#include "cli/demo_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "cli/demo_query.h"

namespace braid::cli::demo {
namespace {

namespace fs = std::filesystem;

constexpr int kNamesMax = 99;

// Everything that a database's directory holds.
constexpr std::array<std::string_view, 8> kDatabaseEntries = {
    "FORMAT", "LOCK", "rows.db", "rows.db-wal", "rows.db-shm", "graph", "chunks", "archive"};

// What a directory is to the demo. `reason` says why it is not to be touched.
struct Finding {
  enum class Kind { kFree, kEarlierDemo, kTaken };
  Kind kind;
  std::string reason;
};

Finding taken(std::string reason) { return {Finding::Kind::kTaken, std::move(reason)}; }

bool is_database_entry(std::string_view name) {
  for (std::string_view entry : kDatabaseEntries) {
    if (name == entry) return true;
  }
  return false;
}

// The first thing in the directory that no database has, or nothing.
std::optional<std::string> foreign_entry(const std::string& directory) {
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::string name = entry->path().filename().string();
    if (!is_database_entry(name)) return name;
  }
  if (failed) return failed.message();
  return std::nullopt;
}

// An empty database may be used as it is; one with the demo's mark and nothing but its tables may
// be replaced.
Finding examine_database(const std::string& directory) {
  Outcome<Session> session = Session::open({.directory = directory, .must_exist = true});
  if (!session.ok()) return taken(session.failure().message);
  Table tables;
  Done listed = query_table(*session,
                            "SELECT name, name IN ('demo_about', 'packages', 'package_events', "
                            "'programs', 'program_events', 'devices', 'machine_load', 'promise', "
                            "'promise_points') FROM sqlite_schema WHERE type = 'table' AND "
                            "substr(name, 1, 7) <> '_braid_' AND substr(name, 1, 7) <> 'sqlite_'",
                            &tables);
  if (listed) return taken(listed->message);
  if (tables.rows.empty()) return {Finding::Kind::kFree, ""};
  bool marked = false;
  for (const auto& row : tables.rows) {
    if (row[1] != "1") return taken(fmt::format("it holds the table {}", row[0]));
    marked = marked || row[0] == "demo_about";
  }
  if (!marked) return taken("its tables were not made by the demo");
  return {Finding::Kind::kEarlierDemo, ""};
}

Finding examine(const std::string& directory) {
  std::error_code failed;
  if (!fs::exists(directory, failed)) return {Finding::Kind::kFree, ""};
  if (!fs::is_directory(directory, failed)) return taken("it is not a directory");
  if (fs::is_empty(directory, failed)) return {Finding::Kind::kFree, ""};
  if (const auto foreign = foreign_entry(directory)) {
    return taken(fmt::format("it holds {}, which is no part of a database", *foreign));
  }
  if (!fs::exists(directory + "/FORMAT", failed)) return taken("it is not a Braid database");
  return examine_database(directory);
}

Done remove_database(const std::string& directory) {
  for (std::string_view entry : kDatabaseEntries) {
    std::error_code failed;
    const std::string path = fmt::format("{}/{}", directory, entry);
    fs::remove_all(path, failed);
    if (failed) return Failure{fmt::format("cannot remove {}: {}", path, failed.message())};
  }
  return {};
}

// Nothing when the directory is somebody else's; then `reason` says so.
Outcome<std::optional<Place>> prepare(const std::string& directory, std::string* reason) {
  const Finding finding = examine(directory);
  switch (finding.kind) {
    case Finding::Kind::kFree:
      return std::optional(Place{.directory = directory});
    case Finding::Kind::kEarlierDemo:
      CLI_TRY(remove_database(directory));
      return std::optional(
          Place{directory, "It held an earlier demo's database, which was removed first."});
    case Finding::Kind::kTaken:
      break;
  }
  *reason = finding.reason;
  return std::optional<Place>();
}

std::string default_directory() {
  if (access(".", W_OK) == 0) return "braid-demo";
  const char* temporary = std::getenv("TMPDIR");
  return fmt::format("{}/braid-demo", temporary == nullptr ? "/tmp" : temporary);
}

}  // namespace

Outcome<Place> prepare_place(const std::optional<std::string>& asked) {
  const std::string first = asked.value_or(default_directory());
  std::string reason;
  for (int number = 1; number <= (asked ? 1 : kNamesMax); ++number) {
    const std::string directory = number == 1 ? first : fmt::format("{}-{}", first, number);
    Outcome<std::optional<Place>> place = prepare(directory, &reason);
    if (!place.ok()) return place.failure();
    if (place->has_value()) return *place.take();
  }
  return Failure{
      fmt::format("the demo does not touch {}: {}; name another directory", first, reason)};
}

}  // namespace braid::cli::demo
