// Samples processor, memory and disk figures of this machine from /proc and /sys in a thread of its
// own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace braid::cli::demo {

struct Device {
  std::string name;    // "cpu", "cpu0", "memory", "vda"
  std::string kind;    // "processors", "processor", "memory", "disk"
  std::string detail;  // model, size
};

// What is not known of a device has no value. Time in microseconds since 1970-01-01 UTC.
struct Sample {
  int64_t time = 0;
  std::string device;
  std::optional<double> busy_percent;
  std::optional<double> used_mib;
  std::optional<double> read_kib;     // per second
  std::optional<double> written_kib;  // per second
};

struct Load {
  std::vector<Device> devices;
  std::vector<Sample> samples;
};

class Sampler {
 public:
  Sampler() = default;
  ~Sampler() { stop(); }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  void start();
  // Goes on until `seconds` have passed since start, then gives what was seen.
  Load finish(int seconds);

 private:
  void sample_until_stopped();
  void stop();

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  Load load_;            // written by the thread only, read after it was joined
  int64_t started_ = 0;  // microseconds since 1970
};

}  // namespace braid::cli::demo
