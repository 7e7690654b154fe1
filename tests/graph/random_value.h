// Random property values of every type.
#pragma once

#include <algorithm>
#include <random>
#include <string>

#include "graph/property.h"

namespace braid {

inline std::string random_text(std::mt19937_64& random, size_t size_max) {
  std::string text;
  for (size_t size = random() % (size_max + 1); text.size() < size;) {
    text.push_back(static_cast<char>(random() % 3 == 0 ? random() % 4 : 'a' + random() % 26));
  }
  return text;
}

inline PropertyValue random_scalar(std::mt19937_64& random) {
  switch (random() % 7) {
    case 0:
      return {random() % 2 == 0};
    case 1:
      return {static_cast<int64_t>(random())};
    case 2:
      return {static_cast<int64_t>(random() % 20) - 10};
    case 3:
      return {static_cast<double>(static_cast<int64_t>(random() % 2000) - 1000) / 8};
    case 4:
      return {random_text(random, 12)};
    case 5:
      return {Bytes{random_text(random, 12)}};
    default:
      return {Timestamp(static_cast<int64_t>(random() % 4'000'000'000'000'000))};
  }
}

inline PropertyValue random_value(std::mt19937_64& random, int depth = 0) {
  const uint64_t kind = random() % (depth < 4 ? 10 : 8);
  if (kind < 7) return random_scalar(random);
  if (kind == 7) return {};
  if (kind == 8) {
    PropertyList list;
    for (size_t i = random() % 4; i > 0; --i) list.push_back(random_value(random, depth + 1));
    return {list};
  }
  PropertyMap map;
  for (size_t i = 0; i < random() % 4; ++i) {
    map.emplace_back("k" + std::to_string(i), random_value(random, depth + 1));
  }
  return {map};
}

inline Properties random_properties(std::mt19937_64& random) {
  Properties properties;
  for (uint32_t key = 1; key < 6; ++key) {
    PropertyValue value = random_value(random);
    if (random() % 2 == 0 && !value.is_null()) properties.emplace_back(KeyId(key * 100), value);
  }
  return properties;
}

}  // namespace braid
