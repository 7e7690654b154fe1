#include "bench/entity.h"

#include <fmt/format.h>

#include <array>

namespace bench {

uint64_t random_below(Random& random, uint64_t limit) {
  return std::uniform_int_distribution<uint64_t>(0, limit - 1)(random);
}

std::string entity_properties(Random& random) {
  static constexpr std::array kStatuses = {"ok", "alarm", "off", "maintenance"};
  const uint64_t bits = random();
  return fmt::format(
      R"({{"site":"site-{:03}","status":"{}","floor":{},"capacity":{},"temperature":{}.{},)"
      R"("serial":"{:016x}","maker":"Northern Pumps and Fans","tags":["heating","north wing"],)"
      R"("revision":{}}})",
      bits % 100, kStatuses[(bits >> 8) % kStatuses.size()], (bits >> 12) % 32,
      (bits >> 20) % 10000, 10 + (bits >> 36) % 30, (bits >> 44) % 10, random(), (bits >> 50) % 16);
}

Entity make_entity(Random& random, uint64_t index) {
  static constexpr std::array kTypes = {"pump", "valve", "motor",  "sensor",
                                        "tank", "fan",   "boiler", "panel"};
  const uint64_t high = random();
  const uint64_t low = random();
  const char* type = kTypes[random_below(random, kTypes.size())];
  constexpr int64_t kFirstCreated = 1'700'000'000'000;
  return {fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                      high & 0xffff, low >> 48, low & 0xffff'ffff'ffff),
          type, fmt::format("{}-{:07}", type, index), entity_properties(random),
          kFirstCreated + static_cast<int64_t>(index) * 1000};
}

}  // namespace bench
