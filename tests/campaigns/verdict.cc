#include "tests/campaigns/verdict.h"

#include <fmt/format.h>

#include "tests/campaigns/workload.h"
#include "tests/support/database.h"

namespace braid {

namespace {

/// Where two texts begin to differ.
std::string difference(const std::string& found, const std::string& expected) {
  size_t at = 0;
  while (at < found.size() && at < expected.size() && found[at] == expected[at]) ++at;
  const size_t from = at < 40 ? 0 : at - 40;
  return fmt::format("at {}: found '{}', expected '{}'", at, found.substr(from, 160), expected.substr(from, 160));
}

void compare(TestConnection& connection, const Expectation& expected, Verdict& verdict) {
  verdict.commit = last_commit(connection);
  if (verdict.commit < expected.acknowledged || verdict.commit > expected.begun) {
    verdict.problems += fmt::format("the last commit is {}, {} must be there and {} was begun\n", verdict.commit, expected.acknowledged,
                                    expected.begun);
    if (verdict.commit < 0) verdict.problems += connection.rows("SELECT max(last) FROM ledger") + "\n";
    return;
  }
  const std::string& state = expected.states[static_cast<size_t>(verdict.commit)];
  if (const std::string found = state_text(connection); found != state)
    verdict.problems += fmt::format("commit {} is not whole: {}\n", verdict.commit, difference(found, state));
  verdict.probes = count_probes(connection);
  if (verdict.probes < expected.probes_acknowledged || verdict.probes > expected.probes_begun)
    verdict.problems += fmt::format("{} probes are there, {} were acknowledged and {} begun\n", verdict.probes, expected.probes_acknowledged,
                                    expected.probes_begun);
}

/// Opening archives what a stop has left in the WAL, so that nothing is ever left out.
void compare_archive(TestDatabase& database, const Expectation& expected, Verdict& verdict) {
  const auto from = static_cast<uint64_t>(database.figure("archive_from")), lsn = static_cast<uint64_t>(database.figure("lsn"));
  verdict.archived = static_cast<uint64_t>(database.figure("archive_to"));
  if (from > expected.backed_up || verdict.archived < lsn)
    verdict.problems += fmt::format("commits {} to {} are archived, expected {} to {}\n", from, verdict.archived, expected.backed_up, lsn);
}

}  // namespace

std::string judge_restore(const std::string& backup, const std::string& destination, uint64_t lsn, const std::string& state) {
  const std::string opened = std::string(kWorkloadOptions) + ";archive=off";
  braid_restore_options options{};
  options.size_bytes = sizeof options;
  options.open_options = opened.c_str();
  options.to_lsn = lsn;
  braid_database* handle = nullptr;
  const int32_t code = braid_restore(backup.c_str(), destination.c_str(), &options, nullptr, nullptr, &handle);
  TestDatabase copy(handle, code);
  if (!copy.ok()) return fmt::format("restoring {}: {} {}\n", lsn, copy.code(), copy.message());
  TestConnection connection(copy);
  const std::string found = state_text(connection);
  return found == state ? "" : fmt::format("restored {}: {}\n", lsn, difference(found, state));
}

Verdict judge(const std::string& directory, const Expectation& expected, FileHook* hook, const std::function<size_t()>& position) {
  Verdict verdict;
  TestDatabase database(directory, kWorkloadOptions, hook);
  if (!database.ok()) {
    verdict.problems = fmt::format("open: {} {}\n", database.code(), database.message());
    return verdict;
  }
  if (position) verdict.open_position = position();
  {
    TestConnection connection(database);
    compare(connection, expected, verdict);
    if (expected.backed_up != 0) compare_archive(database, expected, verdict);
    verdict.problems += database.check();
    if (!verdict.problems.empty()) return verdict;
    if (const int32_t code = write_probe(connection, ++verdict.probes))
      verdict.problems += fmt::format("a further write: {} {}\n", code, connection.error());
    if (position) verdict.probe_position = position();
  }
  if (const int32_t code = database.close()) verdict.problems += fmt::format("close: {}\n", code);
  return verdict;
}

}  // namespace braid
