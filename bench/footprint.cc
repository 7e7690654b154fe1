// What an embedded database costs before it is used: the time to open it empty, the memory it then
// holds, the size of the command.
//
// Every measurement runs in a process of its own, forked before the first use of any library, so
// that nothing is warm or counted twice. Beside Braid: a SQLite file and a RocksDB opened with
// their defaults.
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "bench/braid_subject.h"
#include "bench/harness.h"
#include "bench/sqlite_peer.h"

namespace bench {
namespace {

constexpr double kMegabyte = 1e6;

/// Opens the store at `path`, creating it when it is absent; it closes when the result goes.
using OpenStore = std::shared_ptr<void> (*)(const std::string& path);

struct Store {
  std::string_view name;
  OpenStore open;
};

/// A database and a connection, which every user of it has.
struct OpenBraid {
  OpenBraid(const std::string& path, const std::string& options) : database(path, options), connection(database) {}
  BraidDatabase database;
  BraidConnection connection;
};

std::shared_ptr<void> open_braid(const std::string& path) { return std::make_shared<OpenBraid>(path, ""); }

/// Which other processes cannot use.
std::shared_ptr<void> open_alone(const std::string& path) { return std::make_shared<OpenBraid>(path, "serve=no"); }

std::shared_ptr<void> open_sqlite(const std::string& path) {
  auto file = std::make_shared<SqliteFile>(path, SqliteSettings{});
  file->execute("SELECT count(*) FROM sqlite_schema");
  return file;
}

std::shared_ptr<void> open_rocksdb(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &database);
  if (!status.ok()) fail(fmt::format("rocksdb: {}: {}", path, status.ToString()));
  return std::shared_ptr<rocksdb::DB>(database);
}

constexpr std::array kStores = {
    Store{"braid", open_braid},
    Store{"braid_alone", open_alone},
    Store{"sqlite", open_sqlite},
    Store{"rocksdb", open_rocksdb},
};

struct Footprint {
  double create_ms;
  double open_ms;
  double resident_bytes;
};

double resident_bytes() {
  std::ifstream statistics("/proc/self/statm");
  double pages = 0;
  double resident_pages = 0;
  statistics >> pages >> resident_pages;
  if (!statistics) fail("/proc/self/statm: cannot be read");
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double milliseconds(const std::function<void()>& work) {
  const double start = now_seconds();
  work();
  return (now_seconds() - start) * 1e3;
}

Footprint measure_create(OpenStore open, const std::string& path) {
  std::shared_ptr<void> store;
  Footprint footprint{};
  footprint.create_ms = milliseconds([&] { store = open(path); });
  store.reset();
  return footprint;
}

Footprint measure_open(OpenStore open, const std::string& path) {
  std::shared_ptr<void> store;
  Footprint footprint{};
  footprint.open_ms = milliseconds([&] { store = open(path); });
  // Background work of the start has come to rest.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  footprint.resident_bytes = resident_bytes();
  store.reset();
  return footprint;
}

using Measure = Footprint (*)(OpenStore, const std::string&);

/// Runs the measurement in a new process.
Footprint measure_apart(Measure measure, OpenStore open, const std::string& path) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) fail("pipe");
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  Footprint footprint{};
  if (child == 0) {
    footprint = measure(open, path);
    const ssize_t written = ::write(ends[1], &footprint, sizeof(footprint));
    ::_exit(written == ssize_t{sizeof(footprint)} ? 0 : 1);
  }
  ::close(ends[1]);
  const ssize_t received = ::read(ends[0], &footprint, sizeof(footprint));
  ::close(ends[0]);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0 ||
      received != ssize_t{sizeof(footprint)}) {
    fail(path + ": the measurement failed");
  }
  return footprint;
}

/// Size of the program without symbols, or nothing when there is no such program.
std::optional<double> stripped_bytes(const std::string& program, const std::string& copy) {
  std::string strip = "strip";
  std::string output = "-o";
  std::string to = copy;
  std::string from = program;
  const std::array<char*, 5> words = {strip.data(), output.data(), to.data(), from.data(), nullptr};
  pid_t child = 0;
  if (!std::filesystem::exists(program)) return std::nullopt;
  if (::posix_spawnp(&child, "strip", nullptr, nullptr, words.data(), environ) != 0) {
    return std::nullopt;
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) return std::nullopt;
  return static_cast<double>(std::filesystem::file_size(copy));
}

std::vector<std::string> subject_names() {
  std::vector<std::string> names;
  for (const auto& store : kStores) names.emplace_back(store.name);
  return names;
}

int run(int argc, char** argv) {
  const Arguments arguments = parse_arguments(
      argc, argv, "Time to open, memory when idle, size of the command.", subject_names());
  const WorkDirectory directory(arguments.directory);
  Report report("footprint");
  for (int round = 0; round < arguments.rounds; ++round) {
    for (const Store& store : kStores) {
      if (!arguments.selected(store.name)) continue;
      const std::string path = directory.entry(fmt::format("{}-{}", store.name, round));
      const Footprint created = measure_apart(measure_create, store.open, path);
      const Footprint opened = measure_apart(measure_open, store.open, path);
      report.add("create", store.name, created.create_ms, "ms");
      report.add("open_empty", store.name, opened.open_ms, "ms");
      report.add("resident_idle", store.name, opened.resident_bytes / kMegabyte, "MB");
    }
  }
  if (arguments.selected("braid")) {
    const auto size = stripped_bytes(BRAID_COMMAND_PATH, directory.entry("command"));
    if (size) report.add("command_size", "braid", *size / kMegabyte, "MB");
  }
  using enum Bound::Kind;
  report.expect({"open_empty", "braid"}, {kAtMost, 50});
  report.expect({"resident_idle", "braid"}, {kAtMost, 32});
  report.expect({"command_size", "braid"}, {kAtMost, 15});
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
