// A file operation fails at every place of a database's creation and life, and of a second life: once and from then on, with an error, a
// full disk, a write cut short, a sync that fails. What fails says why; what was acknowledged is there after reopening, what was refused
// is not, what is unknown is in all three models or in none; reads go on; and when the disk has space again, so do writes. Another life is archived: then
// the backup that was made before it is brought forward to what is there.
//
// Each fault is tried in a process of its own, which is this program again with --life, --kind, --place and --for-ever: what a fault is
// told by. Most of its time a fault waits, so that many are tried at once.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/campaign_progress.h"
#include "tests/support/database.h"
#include "tests/support/fault_hook.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr const char* kOptions = "busy_timeout_ms=2000;maintenance_interval_ms=0";
constexpr const char* kArchivingOptions = "busy_timeout_ms=2000;maintenance_interval_ms=0;archive=on;archive_interval_ms=86400000";

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

/// What a database lives through while files fail. Of the short one every place can be tried in every test run.
enum class Length { kShort, kFirst, kSecond, kArchived };
const std::vector<std::pair<std::string, Length>> kLengths = {
    {"short", Length::kShort}, {"first", Length::kFirst}, {"second", Length::kSecond}, {"archived", Length::kArchived}};

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
  Life(const std::string& path, Length length, FaultHook& hook, Outcome& outcome)
      : database_(path, length == Length::kArchived ? kArchivingOptions : kOptions, &hook), short_(length == Length::kShort), outcome_(outcome) {
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
    for (int i = 0; i < (short_ ? 1 : 3); ++i) note_run(connection);
    if (const int32_t code = braid_checkpoint(database_.get())) note_error(code, "checkpoint", braid_database_error(database_.get()));
    if (short_) return;
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
  const bool short_;
  Outcome& outcome_;
  int64_t next_ = 0;
};

std::string backup_of(const std::string& path) { return path + ".backup"; }

/// "" when the backup, brought forward by the whole archive, has these operations.
std::string verify_restore(const std::string& path, const Operations::Set& expected) {
  const std::string archive = path + "/archive";
  braid_restore_options options{};
  options.size_bytes = sizeof options;
  options.open_options = kOptions;
  options.archive = archive.c_str();
  braid_database* handle = nullptr;
  const int32_t code = braid_restore(backup_of(path).c_str(), (path + ".restored").c_str(), &options, nullptr, nullptr, &handle);
  TestDatabase copy(handle, code);
  if (!copy.ok()) return "restore: " + copy.message() + "\n";
  TestConnection connection(copy);
  std::string problems;
  if (Operations::verify(connection, expected, problems) != expected) problems += "other operations were restored\n";
  return problems;
}

/// Opens without faults and compares; `found` receives what is there.
std::string verify(const std::string& path, FaultHook& hook, const Outcome& outcome, Operations::Set& found) {
  TestDatabase database(path, kOptions, &hook);
  if (!database.ok()) return "reopen: " + database.message() + "\n";
  TestConnection connection(database);
  std::string problems;
  if (!Operations::exists(connection)) {
    if (!outcome.acknowledged.empty()) problems += "the tables are lost\n";
    if (Operations::create(connection, 2) != BRAID_OK) problems += "create: " + connection.error() + "\n";
  }
  found = Operations::verify(connection, outcome.acknowledged, problems);
  for (const auto& one : found)
    if (!outcome.acknowledged.contains(one) && !outcome.possible.contains(one)) problems += "an operation is there that was refused\n";
  problems += database.check();
  if (Operations::run(connection, 1, 1) != BRAID_OK) problems += "a further write: " + connection.error() + "\n";
  found.emplace(1, 1);
  return problems;
}

/// The hook is armed for the life that `length` names; before a second one there is a first without faults, and before an archived one a backup too.
Outcome live(const std::string& path, Length length, FaultHook& hook, FaultHook::Fault fault) {
  Outcome outcome;
  if (length == Length::kSecond || length == Length::kArchived) Life(path, length, hook, outcome);
  if (length == Length::kArchived) {
    TestDatabase database(path, kOptions);
    if (braid_backup(database.get(), backup_of(path).c_str(), nullptr, nullptr, nullptr, nullptr) != BRAID_OK)
      outcome.problems += fmt::format("backup: {}\n", braid_database_error(database.get()));
  }
  hook.arm(std::move(fault));
  Life(path, length, hook, outcome);
  return outcome;
}

/// How many operations of a kind there are in a life.
uint64_t count_places(const Kind& kind, Length length) {
  const TempDir temp;
  FaultHook hook;
  live(temp / "db", length, hook, {.operations = kind.operations, .error = kind.error, .times = 0});
  return hook.matched();
}

std::string try_place(const Kind& kind, Length length, uint64_t nth, bool for_ever) {
  const TempDir temp;
  FaultHook hook;
  const Outcome outcome = live(temp / "db", length, hook,
                               {.operations = kind.operations,
                                .error = kind.error,
                                .cut_short = kind.cut_short,
                                .nth = nth,
                                .times = for_ever ? UINT64_MAX : 1});
  hook.disarm();
  Operations::Set found;
  std::string problems = outcome.problems + verify(temp / "db", hook, outcome, found);
  if (length == Length::kArchived && problems.empty()) problems = verify_restore(temp / "db", found);
  return problems;
}

/// One call of this program, and what it printed; nothing when it failed.
struct Call {
  std::string arguments;
  std::string printed{};
  bool succeeded = false;

  void run() {
    FILE* pipe = popen(fmt::format("/proc/{}/exe {} 2>&1", getpid(), arguments).c_str(), "r");
    if (pipe == nullptr) return;
    char buffer[4096];
    while (const size_t bytes = std::fread(buffer, 1, sizeof buffer, pipe)) printed.append(buffer, bytes);
    succeeded = pclose(pipe) == 0;
  }
};

/// Runs all of them from number `from` on, `jobs` at a time; tells those that failed as soon as they do.
void run_calls(std::vector<Call>& calls, size_t from, size_t jobs) {
  std::mutex mutex;
  CampaignProgress progress;
  size_t next = from;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (next < calls.size()) {
      Call& call = calls[next++];
      progress.reached(next - std::min(next, jobs));
      lock.unlock();
      call.run();
      lock.lock();
      if (call.succeeded) continue;
      fmt::print("{}: {}\n", call.arguments, call.printed.empty() ? "it was ended by a signal" : call.printed.substr(0, 3000));
      std::fflush(stdout);
    }
  };
  std::vector<std::jthread> workers;
  while (workers.size() < jobs) workers.emplace_back(work);
}

int run_campaign(uint64_t places, std::optional<Length> only, size_t from, size_t jobs) {
  const CampaignProgress progress;
  std::vector<Call> counts, faults;
  for (size_t kind = 0; kind < std::size(kKinds); ++kind)
    for (const auto& [name, length] : kLengths)
      if (only ? length == *only : length != Length::kShort) counts.push_back({fmt::format("--kind {} --life {}", kind, name)});
  run_calls(counts, 0, jobs);
  uint64_t all_places = 0;
  for (const Call& count : counts) {
    if (!count.succeeded) return 1;
    const uint64_t all = std::strtoull(count.printed.c_str(), nullptr, 10);
    all_places += all;
    const uint64_t step = places == 0 ? 1 : std::max<uint64_t>(1, all / places);
    for (uint64_t nth = 1; nth <= all; nth += step)
      for (const char* often : {"", " --for-ever"}) faults.push_back({fmt::format("{} --place {}{}", count.arguments, nth, often)});
  }
  run_calls(faults, from, jobs);
  const size_t tried = faults.size() - std::min(from, faults.size());
  const auto wrong = std::count_if(faults.end() - static_cast<ptrdiff_t>(tried), faults.end(), [](const Call& call) { return !call.succeeded; });
  fmt::print("{} faults{} at {} places in {:.1f} s: {}\n", tried, from == 0 ? "" : fmt::format(" from {} on", from), all_places, progress.seconds(),
             wrong == 0 ? "no false acknowledgement, nothing lost" : fmt::format("{} are wrong", wrong));
  return wrong == 0 && tried > 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"File operations fail, one at a time, in the life of a database."};
  uint64_t places = 4, place = 0;
  size_t from = 0, kind = 0, jobs = 4 * std::max(1u, std::thread::hardware_concurrency());
  Length length = Length::kFirst;
  bool for_ever = false;
  app.add_option("places", places, "of each kind, spread over a life (0: all)");
  app.add_option("--from", from, "the first fault that is tried");
  app.add_option("--jobs", jobs, "faults tried at once")->check(CLI::Range(1, 256));
  auto* const life_option = app.add_option("--life", length, "short, first, second or archived (all but short)")->transform(CLI::CheckedTransformer(kLengths));
  auto* const kind_option = app.add_option("--kind", kind, "only this kind: prints how many places there are")->check(CLI::Range(std::size(kKinds) - 1));
  auto* const place_option = app.add_option("--place", place, "only this one, from 1")->needs(kind_option);
  app.add_flag("--for-ever", for_ever, "not once, but from there on")->needs(place_option);
  CLI11_PARSE(app, count, arguments);
  if (kind_option->empty()) return run_campaign(places, life_option->empty() ? std::nullopt : std::optional(length), from, jobs);
  if (place_option->empty()) return fmt::print("{}\n", count_places(kKinds[kind], length)), 0;
  const std::string problems = try_place(kKinds[kind], length, place, for_ever);
  fmt::print("{}: {}\n", kKinds[kind].name, problems.empty() ? "right" : problems);
  return problems.empty() ? 0 : 1;
}
