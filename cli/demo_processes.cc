#include "cli/demo_processes.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

namespace braid::cli::demo {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMicrosPerSecond = 1'000'000;
// Linux gives all threads of the kernel this parent.
constexpr int64_t kKernelThreads = 2;

// A process as one directory of /proc tells it.
struct Process {
  int64_t pid = 0;
  int64_t parent = 0;
  std::string comm;
  std::string executable;
  std::string user;
  int64_t resident_kib = 0;
  int64_t started = 0;  // microseconds since 1970
  std::set<std::string> libraries;

  std::string name() const { return fmt::format("{}/{}", comm, pid); }
};

std::string read_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "Uid:\t0\t0\t0\t0" -> "0\t0\t0\t0".
std::map<std::string, std::string> read_fields(const fs::path& path) {
  std::map<std::string, std::string> fields;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    fields[line.substr(0, colon)] = start == std::string::npos ? "" : line.substr(start);
  }
  return fields;
}

int64_t boot_time(const fs::path& proc) {
  std::ifstream file(proc / "stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) {
      return parse_int64(std::string_view(line).substr(6)) * kMicrosPerSecond;
    }
  }
  return 0;
}

// Field 22 of /proc/PID/stat, in clock ticks since boot. The name in field 2 may hold blanks and
// parentheses.
int64_t ticks_at_start(const std::string& stat) {
  size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  return at == std::string::npos ? 0 : parse_int64(std::string_view(stat).substr(at));
}

std::set<std::string> mapped_libraries(const fs::path& directory) {
  std::set<std::string> libraries;
  std::ifstream file(directory / "maps");
  for (std::string line; std::getline(file, line);) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos || line.find(".so", slash) == std::string::npos) continue;
    libraries.insert(line.substr(slash));
  }
  return libraries;
}

Process read_process(const fs::path& directory, int64_t pid, int64_t boot) {
  std::map<std::string, std::string> status = read_fields(directory / "status");
  const std::string& uid = status["Uid"];
  std::error_code ignored;
  Process process{.pid = pid,
                  .parent = parse_int64(status["PPid"]),
                  .comm = read_line(directory / "comm"),
                  .executable = fs::read_symlink(directory / "exe", ignored).string(),
                  .user = "uid " + uid.substr(0, uid.find('\t')),
                  .resident_kib = parse_int64(status["VmRSS"]),
                  .libraries = mapped_libraries(directory)};
  const int64_t ticks_per_second = std::max<int64_t>(1, sysconf(_SC_CLK_TCK));
  const int64_t ticks = ticks_at_start(read_line(directory / "stat"));
  process.started = boot + ticks * (kMicrosPerSecond / ticks_per_second);
  return process;
}

std::map<int64_t, Process> read_all(const fs::path& proc) {
  std::map<int64_t, Process> processes;
  const int64_t boot = boot_time(proc);
  std::error_code failed;
  for (fs::directory_iterator entry(proc, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const int64_t pid = parse_int64(entry->path().filename().string());
    if (pid <= 0) continue;
    Process process = read_process(entry->path(), pid, boot);
    // A process may end while it is read. Threads of the kernel are no programs.
    const bool is_kernel = pid == kKernelThreads || process.parent == kKernelThreads;
    if (!process.comm.empty() && !is_kernel) processes.emplace(pid, std::move(process));
  }
  return processes;
}

void add_libraries(const std::map<int64_t, Process>& processes, Inventory* inventory) {
  std::set<std::string> paths;
  for (const auto& [pid, process] : processes) {
    paths.insert(process.libraries.begin(), process.libraries.end());
  }
  for (const std::string& path : paths) {
    std::error_code failed;
    const auto size = fs::file_size(path, failed);
    inventory->items.push_back(Item{.name = path,
                                    .group = "library",
                                    .summary = fs::path(path).filename().string(),
                                    .size_kib = failed ? 0 : static_cast<int64_t>(size / 1024)});
  }
}

Wording process_wording(const std::string& proc) {
  return Wording{.items = "programs",
                 .label = "Program",
                 .version_column = "executable",
                 .group_column = "kind",
                 .owner_column = "user",
                 .events = "program_events",
                 .tag = "program",
                 .detail_column = "detail",
                 .need = "STARTED_BY",
                 .direct_need = "MAPS",
                 .needs_sql = "'MAPS', 'STARTED_BY'",
                 .origin = proc};
}

}  // namespace

Inventory read_processes(const std::string& proc) {
  Inventory inventory{.wording = process_wording(proc)};
  const std::map<int64_t, Process> processes = read_all(proc);
  add_libraries(processes, &inventory);
  for (const auto& [pid, process] : processes) {
    inventory.items.push_back(Item{.name = process.name(),
                                   .version = process.executable,
                                   .group = "process",
                                   .owner = process.user,
                                   .summary = process.comm,
                                   .size_kib = process.resident_kib});
    inventory.events.push_back(Event{.time = process.started,
                                     .item = process.name(),
                                     .action = "started",
                                     .detail = process.user});
    for (const std::string& path : process.libraries) {
      inventory.edges.push_back(
          Edge{.from = process.name(), .type = "MAPS", .to = path, .choices = 1});
    }
    if (const auto parent = processes.find(process.parent); parent != processes.end()) {
      inventory.edges.push_back(Edge{
          .from = process.name(), .type = "STARTED_BY", .to = parent->second.name(), .choices = 1});
    }
  }
  return inventory;
}

}  // namespace braid::cli::demo
