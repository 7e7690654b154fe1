#include "bench/timeseries_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace bench {
namespace {

constexpr double kValueMax = 100;

/// In (0, 1].
double unit(Random& random) { return static_cast<double>((random() >> 11) + 1) * 0x1.0p-53; }

/// Box and Muller's, since the library's own distribution differs from one library to another.
double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(unit(random)));
  return radius * std::cos(2 * std::numbers::pi * unit(random));
}

double shown(double value, CpuVariant variant) {
  switch (variant) {
    case CpuVariant::kFull: return value;
    case CpuVariant::kTwoDecimals: return std::round(value * 100) / 100;
    case CpuVariant::kInteger: return std::floor(value);
  }
  return value;
}

}  // namespace

std::string host_name(uint32_t host) { return fmt::format("host_{}", host); }

CpuWalk::CpuWalk(CpuShape shape, CpuVariant variant) : variant_(variant), random_(2016), state_(shape.hosts), shown_(shape.hosts) {
  for (Metrics& host : state_)
    for (double& value : host) value = unit(random_) * kValueMax;
}

const std::vector<Metrics>& CpuWalk::next() {
  for (size_t host = 0; host < state_.size(); ++host) {
    for (size_t i = 0; i < kMetricCount; ++i) {
      state_[host][i] = std::clamp(state_[host][i] + normal(random_), 0.0, kValueMax);
      shown_[host][i] = shown(state_[host][i], variant_);
    }
  }
  return shown_;
}

CpuData make_cpu_data(CpuShape shape, CpuVariant variant) {
  CpuData data{shape, 0, {}};
  data.rows.reserve(shape.rows());
  CpuWalk walk(shape, variant);
  for (uint32_t step = 0; step < shape.steps(); ++step) {
    const auto& hosts = walk.next();
    data.rows.insert(data.rows.end(), hosts.begin(), hosts.end());
  }
  return data;
}

Arrival in_time(const CpuShape& shape) {
  Arrival rows(shape.rows());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

Arrival by_host(const CpuShape& shape) {
  Arrival rows;
  rows.reserve(shape.rows());
  for (uint32_t host = 0; host < shape.hosts; ++host)
    for (uint32_t step = 0; step < shape.steps(); ++step) rows.push_back(step * shape.hosts + host);
  return rows;
}

Arrival half_late(const CpuShape& shape) {
  const uint32_t delay = shape.steps() / 4;
  Arrival rows;
  rows.reserve(shape.rows());
  const auto arrive = [&](uint32_t step) {
    for (uint32_t host = 0; host < shape.hosts; ++host) rows.push_back(step * shape.hosts + host);
  };
  for (uint32_t now = 0; now < shape.steps() + delay; ++now) {
    if (now < shape.steps() && now % 2 == 0) arrive(now);
    if (now >= delay && (now - delay) % 2 == 1) arrive(now - delay);
  }
  return rows;
}

}  // namespace bench
