#include "bench/mixed_workload.h"

namespace bench {

std::vector<Entity> make_entities() {
  Random random(42);
  std::vector<Entity> entities;
  entities.reserve(kEntityCount);
  for (uint64_t index = 0; index < kEntityCount; ++index) {
    entities.push_back(make_entity(random, index));
  }
  return entities;
}

Operation OperationSource::next(Random& random) {
  const uint64_t number = count_.fetch_add(1);
  // Multiplying by a number that shares no factor with the count of pairs visits every pair once,
  // in scattered order.
  constexpr uint64_t kPairCount = kEntityCount * kEntityCount;
  constexpr uint64_t kStride = 618'033'989;
  static_assert(kStride % 2 != 0);
  static_assert(kStride % 5 != 0);
  static_assert(kPairCount == 10'000'000'000, "its only prime factors are 2 and 5");
  static_assert(kPairCount <= UINT64_MAX / kStride);
  const uint64_t pair = number % kPairCount * kStride % kPairCount;

  Operation operation;
  operation.entity = random_below(random, kEntityCount);
  operation.properties = entity_properties(random);
  operation.source = pair / kEntityCount;
  operation.target = pair % kEntityCount;
  operation.sensor = random_below(random, kSensorCount);
  constexpr int64_t kFirstTime = 1'700'000'000'000'000;
  constexpr int64_t kStepUs = 1'000;
  for (size_t index = 0; index < kPointsPerOperation; ++index) {
    const auto point = static_cast<int64_t>(number * kPointsPerOperation + index);
    operation.times[index] = kFirstTime + point * kStepUs;
    operation.values[index] = static_cast<double>(random() >> 11) * 0x1.0p-53 * 100;
  }
  return operation;
}

}  // namespace bench
