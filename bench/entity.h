// The rows that the benchmarks write: things of a building, each with a key of 36 characters and
// 200 bytes of JSON.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace bench {

using Random = std::mt19937_64;

/// A number below `limit`.
uint64_t random_below(Random& random, uint64_t limit);

struct Entity {
  std::string key;
  std::string type;
  std::string name;
  std::string properties;
  int64_t created_at;
};

/// About 200 bytes of JSON.
std::string entity_properties(Random& random);
/// Entity number `index`; keys do not follow the order of the numbers, as those of real things do
/// not.
Entity make_entity(Random& random, uint64_t index);

}  // namespace bench
