// What the benchmark `timeseries` appends: the cpu measurements of TSBS, one row for each host every ten seconds.
//
// Each of the ten values is a random walk from 0 to 100 with steps of a normal distribution. All comes from a fixed seed, so every
// subject and every run has the same. Rows are numbered by time, then host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/entity.h"

namespace bench {

constexpr size_t kMetricCount = 10;
constexpr std::array<const char*, kMetricCount> kMetrics = {"usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
                                                            "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"};
using Metrics = std::array<double, kMetricCount>;

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kHourUs = 3600 * kSecondUs;
constexpr int64_t kStepUs = 10 * kSecondUs;
constexpr int64_t kCpuStartUs = 1'451'606'400 * kSecondUs;  // 2016-01-01, as TSBS has it

/// How many digits the values have.
enum class CpuVariant { kFull, kTwoDecimals, kInteger };
struct CpuVariantName {
  const char* name;
  CpuVariant variant;
};
constexpr std::array<CpuVariantName, 3> kCpuVariants = {{{"full", CpuVariant::kFull}, {"dec2", CpuVariant::kTwoDecimals}, {"int", CpuVariant::kInteger}}};

struct CpuShape {
  uint32_t hosts = 100;
  uint32_t days = 3;

  uint32_t steps() const { return days * static_cast<uint32_t>(24 * kHourUs / kStepUs); }
  size_t rows() const { return size_t{hosts} * steps(); }
  int64_t start_us() const { return kCpuStartUs; }
  int64_t limit_us() const { return kCpuStartUs + steps() * kStepUs; }
  int64_t time_us(size_t row) const { return kCpuStartUs + static_cast<int64_t>(row / hosts) * kStepUs; }
  uint32_t host(size_t row) const { return static_cast<uint32_t>(row % hosts); }
};

std::string host_name(uint32_t host);

/// The rows of one step after another, in constant memory.
class CpuWalk {
 public:
  CpuWalk(CpuShape shape, CpuVariant variant);

  /// The values of all hosts at the next step; they stay until the next call.
  const std::vector<Metrics>& next();

 private:
  const CpuVariant variant_;
  Random random_;
  std::vector<Metrics> state_, shown_;
};

/// Rows that follow one another, all of them or a part.
struct CpuData {
  CpuShape shape;
  size_t first_row = 0;
  std::vector<Metrics> rows;

  const Metrics& at(size_t row) const { return rows[row - first_row]; }
};
CpuData make_cpu_data(CpuShape shape, CpuVariant variant);

/// Numbers of rows in the order in which they arrive.
using Arrival = std::vector<uint32_t>;

/// By time.
Arrival in_time(const CpuShape& shape);
/// Host after host.
Arrival by_host(const CpuShape& shape);
/// Every second step of each host comes late, by a quarter of the whole time.
Arrival half_late(const CpuShape& shape);

}  // namespace bench
