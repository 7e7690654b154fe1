// What one operation of bench/mixed is: a row gets new properties, two things are linked, a sensor
// reports ten points.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/entity.h"

namespace bench {

constexpr uint64_t kEntityCount = 100'000;
constexpr uint64_t kSensorCount = 1'000;
constexpr size_t kPointsPerOperation = 10;

struct Operation {
  uint64_t entity;  // its row gets `properties`
  std::string properties;
  uint64_t source;  // entity numbers; no two operations link the same two
  uint64_t target;
  uint64_t sensor;
  std::array<int64_t, kPointsPerOperation> times;  // microseconds; no two operations share one
  std::array<double, kPointsPerOperation> values;
};

/// The entities, made once for all subjects.
std::vector<Entity> make_entities();

/// Hands out the operations of one subject. Threads: any, each with its own Random.
class OperationSource {
 public:
  Operation next(Random& random);
  uint64_t count() const { return count_.load(); }

 private:
  std::atomic<uint64_t> count_{0};
};

}  // namespace bench
