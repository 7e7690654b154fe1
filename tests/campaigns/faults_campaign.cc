// A file operation fails at every place of a database's creation and life, and of a second life: once and from then on, with an error, a
// full disk, a write cut short, a sync that fails. What fails says why; what was acknowledged is there after reopening, what was refused
// is not, what is unknown is in all three models or in none; reads go on; and when the disk has space again, so do writes.
//
// Arguments: PLACES of each kind to try (0: all), [--from KIND]; or --one KIND LIFE PLACE once|always for one fault, as it was told.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/fault_hook.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr const char* kOptions = "busy_timeout_ms=2000;maintenance_interval_ms=0";

struct Kind {
  const char* name;
  std::vector<FileOperation> operations;
  int error;
  bool cut_short = false;
};

const std::vector<FileOperation> kNameOperations = {FileOperation::kOpen,   FileOperation::kRename,        FileOperation::kRemove,
                                                    FileOperation::kLink,   FileOperation::kMakeDirectory, FileOperation::kRemoveDirectory,
                                                    FileOperation::kTruncate};
const Kind kKinds[] = {
    {"a write fails", {FileOperation::kWrite}, EIO},
    {"a write finds the disk full", {FileOperation::kWrite}, ENOSPC},
    {"a write is cut short by an error", {FileOperation::kWrite}, EIO, true},
    {"a write is cut short by a full disk", {FileOperation::kWrite}, ENOSPC, true},
    {"a sync fails", {FileOperation::kSync, FileOperation::kSyncDirectory}, EIO},
    {"an open, rename, removal or truncation fails", kNameOperations, EIO},
    {"an open, rename, removal or truncation finds the disk full", kNameOperations, ENOSPC},
    {"a read fails", {FileOperation::kRead}, EIO},
    {"a close fails", {FileOperation::kClose}, EIO},
};

/// What came of a life.
struct Outcome {
  Operations::Set acknowledged, possible;
  std::string problems;
  int errors = 0;
};

/// What an error may be called when files fail, and whether it says which.
bool tells_cause(int32_t code, const std::string& text) {
  const bool of_files = code == BRAID_IO || code == BRAID_FULL || code == BRAID_UNKNOWN_OUTCOME || code == BRAID_READ_ONLY ||
                        code == BRAID_NOT_VISIBLE || code == BRAID_CORRUPT;
  const bool named = text.find('/') != std::string::npos;
  const bool why = text.find("Input/output error") != std::string::npos || text.find("No space left") != std::string::npos ||
                   text.find("sync failed") != std::string::npos;
  return of_files && named && why;
}

class Life {
 public:
  Life(const std::string& path, FaultHook& hook, Outcome& outcome) : database_(path, kOptions, &hook), outcome_(outcome) {
    if (database_.ok())
      connect();
    else
      note_error(database_.code(), "open", database_.message());
  }

 private:
  void note_error(int32_t code, const char* doing, const std::string& text) {
    ++outcome_.errors;
    if (!tells_cause(code, text)) outcome_.problems += fmt::format("{}: {} does not name its cause: {}\n", doing, code, text);
  }
  void note(int32_t code, const std::string& text) {
    // Durable though not visible is as good as acknowledged.
    if (code == BRAID_OK || code == BRAID_NOT_VISIBLE) outcome_.acknowledged.insert({0, next_});
    if (code == BRAID_UNKNOWN_OUTCOME) outcome_.possible.insert({0, next_});
    if (code != BRAID_OK) note_error(code, "commit", text);
    ++next_;
  }
  void connect() {
    TestConnection connection(database_);
    if (connection.code() == BRAID_OK)
      live(connection);
    else
      note_error(connection.code(), "connect", braid_database_error(database_.get()));
  }
  void live(TestConnection& connection) {
    if (!Operations::exists(connection)) {
      if (const int32_t code = Operations::create(connection, 2)) return note_error(code, "create", connection.error());
    }
    next_ = connection.number("SELECT coalesce(max(sequence), 0) + 1 FROM operation");
    if (next_ < 1) return;
    for (int i = 0; i < 3; ++i) note_run(connection);
    if (const int32_t code = braid_checkpoint(database_.get())) note_error(code, "checkpoint", braid_database_error(database_.get()));
    for (int i = 0; i < 2; ++i) note_run(connection);
    if (connection.run("SELECT hypertable_compact('point')") != BRAID_OK) ++outcome_.errors;
    TestBatch batch(database_);
    for (const std::string& sql :
         {Operations::row_sql(0, next_), Operations::total_sql(0), Operations::edge_sql(0, next_), Operations::points_sql(0, next_)})
      batch.execute(sql);
    const int32_t code = batch.commit();
    note(code, batch.error());
  }
  void note_run(TestConnection& connection) {
    std::string why;
    const int32_t code = Operations::run(connection, 0, next_, &why);
    note(code, why);
  }

  TestDatabase database_;
  Outcome& outcome_;
  int64_t next_ = 0;
};

/// Opens without faults and compares.
std::string verify(const std::string& path, FaultHook& hook, const Outcome& outcome) {
  TestDatabase database(path, kOptions, &hook);
  if (!database.ok()) return "reopen: " + database.message() + "\n";
  TestConnection connection(database);
  std::string problems;
  if (!Operations::exists(connection)) {
    if (!outcome.acknowledged.empty()) problems += "the tables are lost\n";
    if (Operations::create(connection, 2) != BRAID_OK) problems += "create: " + connection.error() + "\n";
  }
  for (const auto& one : Operations::verify(connection, outcome.acknowledged, problems))
    if (!outcome.acknowledged.contains(one) && !outcome.possible.contains(one)) problems += "an operation is there that was refused\n";
  problems += database.check();
  if (Operations::run(connection, 1, 1) != BRAID_OK) problems += "a further write: " + connection.error() + "\n";
  return problems;
}

/// How many operations of a kind there are in a life.
uint64_t count_places(const Kind& kind, bool second) {
  const TempDir temp;
  FaultHook hook;
  Outcome ignored;
  if (second) Life(temp / "db", hook, ignored);
  hook.arm({.operations = kind.operations, .error = kind.error, .times = 0});
  Life(temp / "db", hook, ignored);
  return hook.matched();
}

std::string try_place(const Kind& kind, bool second, uint64_t nth, bool for_ever) {
  const TempDir temp;
  FaultHook hook;
  Outcome outcome;
  if (second) Life(temp / "db", hook, outcome);
  hook.arm({.operations = kind.operations,
            .error = kind.error,
            .cut_short = kind.cut_short,
            .nth = nth,
            .times = for_ever ? UINT64_MAX : 1});
  Life(temp / "db", hook, outcome);
  hook.disarm();
  return outcome.problems + verify(temp / "db", hook, outcome);
}

struct Totals {
  uint64_t tried = 0, places = 0;
};

std::string try_kind(const Kind& kind, bool second, uint64_t places, Totals& totals) {
  const uint64_t all = count_places(kind, second);
  totals.places += all;
  const uint64_t step = places == 0 ? 1 : std::max<uint64_t>(1, all / places);
  for (uint64_t nth = 1; nth <= all; nth += step) {
    for (const bool for_ever : {false, true}) {
      ++totals.tried;
      const std::string problems = try_place(kind, second, nth, for_ever);
      if (!problems.empty())
        return fmt::format("{} {} at place {} of {} of {}: {}", kind.name, for_ever ? "for ever" : "once", nth, all,
                           second ? "a second life" : "the first life", problems);
    }
  }
  return "";
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 6 && std::strcmp(arguments[1], "--one") == 0) {
    const size_t kind = std::min<size_t>(std::strtoull(arguments[2], nullptr, 10), std::size(kKinds) - 1);
    const std::string problems = try_place(kKinds[kind], std::strcmp(arguments[3], "2") == 0, std::strtoull(arguments[4], nullptr, 10),
                                           std::strcmp(arguments[5], "always") == 0);
    fmt::print("{}: {}\n", kKinds[kind].name, problems.empty() ? "right" : problems);
    return problems.empty() ? 0 : 1;
  }
  uint64_t places = 4;
  size_t from = 0;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--from") == 0 && i + 1 < count)
      from = std::strtoull(arguments[++i], nullptr, 10);
    else
      places = std::strtoull(arguments[i], nullptr, 10);
  }
  const auto start = std::chrono::steady_clock::now();
  Totals totals;
  int wrong = 0;
  for (size_t i = from; i < std::size(kKinds); ++i) {
    for (const bool second : {false, true}) {
      const std::string problem = try_kind(kKinds[i], second, places, totals);
      wrong += problem.empty() ? 0 : 1;
      if (!problem.empty()) fmt::print("kind {}: {}\n", i, problem.substr(0, 3000));
      std::fflush(stdout);
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (wrong != 0) return 1;
  fmt::print("{} faults at {} places in {:.1f} s: no false acknowledgement, nothing lost\n", totals.tried, totals.places, seconds);
  return 0;
}
