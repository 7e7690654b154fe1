#include "cli/demo_sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace braid::cli::demo {
namespace {

namespace fs = std::filesystem;

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr double kSectorsPerKib = 2;

// Counters since boot of one processor or disk.
struct Counters {
  int64_t busy = 0;     // processor: ticks; disk: milliseconds
  int64_t total = 0;    // processor: ticks
  int64_t read = 0;     // disk: sectors of 512 bytes
  int64_t written = 0;  // disk: sectors of 512 bytes
};

struct Reading {
  int64_t time = 0;
  std::map<std::string, Counters> processors;
  std::map<std::string, Counters> disks;
  double memory_total_mib = 0;
  double memory_used_mib = 0;
};

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// "cpu0 user nice system idle iowait irq softirq steal ..."; the line "cpu" is the sum of all.
void read_processors(Reading* reading) {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line) && line.starts_with("cpu");) {
    std::istringstream words(line);
    std::string name;
    std::array<int64_t, 8> ticks{};
    words >> name;
    for (int64_t& value : ticks) words >> value;
    Counters& counters = reading->processors[name];
    for (int64_t value : ticks) counters.total += value;
    counters.busy = counters.total - ticks[3] - ticks[4];
  }
}

void read_memory(Reading* reading) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string unit;
  double kib = 0;
  double available_mib = 0;
  while (file >> name >> kib) {
    std::getline(file, unit);
    if (name == "MemTotal:") reading->memory_total_mib = kib / 1024;
    if (name == "MemAvailable:") available_mib = kib / 1024;
  }
  reading->memory_used_mib = reading->memory_total_mib - available_mib;
}

// "major minor name reads merged sectors ms writes merged sectors ms running ms_busy ...".
// Partitions and devices that never did anything are left out.
void read_disks(Reading* reading) {
  std::ifstream file("/proc/diskstats");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    int64_t number = 0;
    std::string name;
    std::array<int64_t, 10> values{};
    words >> number >> number >> name;
    for (int64_t& value : values) words >> value;
    std::error_code ignored;
    if (!words || values[0] + values[4] == 0 || !fs::exists("/sys/block/" + name, ignored))
      continue;
    reading->disks[name] = {.busy = values[9], .read = values[2], .written = values[6]};
  }
}

Reading read_machine() {
  Reading reading{.time = now_us()};
  read_processors(&reading);
  read_memory(&reading);
  read_disks(&reading);
  return reading;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  line.erase(line.find_last_not_of(" \n") + 1);
  return line;
}

std::string processor_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

std::string disk_detail(const std::string& name) {
  std::istringstream sectors(first_line("/sys/block/" + name + "/size"));
  double count = 0;
  sectors >> count;
  const std::string model = first_line("/sys/block/" + name + "/device/model");
  return fmt::format("{:.0f} GiB{}{}", count / kSectorsPerKib / (1024 * 1024),
                     model.empty() ? "" : " ", model);
}

std::vector<Device> devices_of(const Reading& reading) {
  std::vector<Device> devices;
  const size_t processors = reading.processors.empty() ? 0 : reading.processors.size() - 1;
  for (const auto& [name, counters] : reading.processors) {
    if (name == "cpu") {
      devices.push_back(
          {name, "processors", fmt::format("{} x {}", processors, processor_model())});
    } else {
      devices.push_back({name, "processor", ""});
    }
  }
  if (reading.memory_total_mib > 0) {
    devices.push_back({"memory", "memory", fmt::format("{:.0f} MiB", reading.memory_total_mib)});
  }
  for (const auto& [name, counters] : reading.disks) {
    devices.push_back({name, "disk", disk_detail(name)});
  }
  return devices;
}

// The kernel's counters may step back a little.
double percent(double part, double whole) {
  return whole > 0 ? std::clamp(100 * part / whole, 0.0, 100.0) : 0;
}

// Adds what happened between two readings.
void add_samples(const Reading& before, const Reading& after, std::vector<Sample>* samples) {
  const double seconds = static_cast<double>(after.time - before.time) / 1e6;
  if (seconds <= 0) return;
  for (const auto& [name, counters] : after.processors) {
    const auto old = before.processors.find(name);
    if (old == before.processors.end()) continue;
    samples->push_back({.time = after.time,
                        .device = name,
                        .busy_percent = percent(double(counters.busy - old->second.busy),
                                                double(counters.total - old->second.total))});
  }
  if (after.memory_total_mib > 0) {
    samples->push_back({.time = after.time,
                        .device = "memory",
                        .busy_percent = percent(after.memory_used_mib, after.memory_total_mib),
                        .used_mib = after.memory_used_mib});
  }
  for (const auto& [name, counters] : after.disks) {
    const auto old = before.disks.find(name);
    if (old == before.disks.end()) continue;
    samples->push_back(
        {.time = after.time,
         .device = name,
         .busy_percent = percent(double(counters.busy - old->second.busy), seconds * 1000),
         .read_kib = double(counters.read - old->second.read) / kSectorsPerKib / seconds,
         .written_kib = double(counters.written - old->second.written) / kSectorsPerKib / seconds});
  }
}

}  // namespace

void Sampler::start() {
  started_ = now_us();
  thread_ = std::thread([this] { sample_until_stopped(); });
}

void Sampler::sample_until_stopped() {
  Reading before = read_machine();
  load_.devices = devices_of(before);
  while (!stopping_) {
    std::this_thread::sleep_for(kInterval);
    Reading after = read_machine();
    add_samples(before, after, &load_.samples);
    before = std::move(after);
  }
}

void Sampler::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Load Sampler::finish(int seconds) {
  const int64_t limit = started_ + int64_t{seconds} * 1'000'000;
  while (now_us() < limit) std::this_thread::sleep_for(kInterval);
  stop();
  return std::move(load_);
}

}  // namespace braid::cli::demo
