#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "graph/key_format.h"
#include "graph/property.h"
#include "tests/graph/random_value.h"

using namespace braid;

namespace {

std::string encoded(const PropertyValue& value) {
  auto bytes = encode_index_value(value);
  REQUIRE(bytes.ok());
  return bytes.take();
}

/// Compares an int64 with a double exactly.
int compare(int64_t a, double b) {
  if (b >= 0x1p63) return -1;
  if (b < -0x1p63) return 1;
  const auto whole = static_cast<int64_t>(std::floor(b));
  if (a != whole) return a < whole ? -1 : 1;
  return std::floor(b) == b ? 0 : -1;
}

}  // namespace

TEST_CASE("bytes sort as values do, through all types") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<PropertyValue> ascending = {
      {},
      {false},
      {true},
      {-infinity},
      {-1e300},
      {INT64_MIN},
      {INT64_MIN + 1},
      {-1.5},
      {int64_t{-1}},
      {-0.5},
      {int64_t{0}},
      {5e-324},
      {int64_t{1}},
      {1.5},
      {int64_t{2}},
      {int64_t{9007199254740992}},
      {int64_t{9007199254740993}},
      {int64_t{9007199254740994}},
      {INT64_MAX - 1},
      {INT64_MAX},
      {0x1p63},
      {infinity},
      {std::string()},
      {std::string("\0", 1)},
      {std::string("\0\0", 2)},
      {std::string("\0\1", 2)},
      {std::string("\0\xff", 2)},
      {std::string("\1")},
      {std::string("a")},
      {std::string("a\0", 2)},
      {std::string("aa")},
      {std::string("\xff")},
      {Bytes{""}},
      {Bytes{"a"}},
      {Timestamp(INT64_MIN)},
      {Timestamp(-1)},
      {Timestamp(0)},
      {Timestamp(INT64_MAX)},
  };
  for (size_t i = 1; i < ascending.size(); ++i) {
    CAPTURE(i);
    CHECK(encoded(ascending[i - 1]) < encoded(ascending[i]));
  }
}

TEST_CASE("an integer and an equal double have the same bytes") {
  CHECK(encoded({int64_t{3}}) == encoded({3.0}));
  CHECK(encoded({int64_t{0}}) == encoded({-0.0}));
  CHECK(encoded({INT64_MIN}) == encoded({-0x1p63}));
}

TEST_CASE("integers and doubles sort exactly among each other") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 20000; ++round) {
    const auto integer = static_cast<int64_t>(random() >> (random() % 64));
    double real = static_cast<double>(integer);
    if (random() % 2 == 0) real = std::nextafter(real, random() % 2 == 0 ? 1e300 : -1e300);
    const int wanted = compare(integer, real);
    const int found = encoded({integer}).compare(encoded({real}));
    CHECK((found < 0) == (wanted < 0));
    CHECK((found > 0) == (wanted > 0));
  }
}

TEST_CASE("no value's bytes are a prefix of another's, so that an id may follow") {
  std::mt19937_64 random(6);
  for (int round = 0; round < 20000; ++round) {
    const PropertyValue a = random_scalar(random);
    const PropertyValue b = random_scalar(random);
    const std::string a_bytes = encoded(a);
    const std::string b_bytes = encoded(b);
    if (a_bytes != b_bytes) CHECK_FALSE(a_bytes.starts_with(b_bytes));
  }
}

TEST_CASE("lists and maps are refused") {
  CHECK(encode_index_value({PropertyList()}).status().code() == StatusCode::kInvalidArgument);
  CHECK(encode_index_value({PropertyMap()}).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a value comes back from its bytes, a whole number as an integer") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20000; ++round) {
    const PropertyValue value = random_scalar(random);
    const auto decoded = decode_index_value(encoded(value));
    REQUIRE(decoded.ok());
    const auto* real = std::get_if<double>(&value.value);
    if (real != nullptr && std::floor(*real) == *real) {
      CHECK(*decoded == PropertyValue{static_cast<int64_t>(*real)});
    } else {
      CHECK(*decoded == value);
    }
  }
  for (const int64_t value : {INT64_MIN, INT64_MIN + 1, int64_t{-1}, int64_t{0}, INT64_MAX - 1, INT64_MAX}) {
    CHECK(*decode_index_value(encoded({value})) == PropertyValue{value});
  }
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double value : {-infinity, -0x1.8p63, -0.5, 5e-324, 0x1p63, 1e300, infinity}) {
    CHECK(*decode_index_value(encoded({value})) == PropertyValue{value});
  }
  CHECK(*decode_index_value(encoded({-0.0})) == PropertyValue{int64_t{0}});
  CHECK(std::isnan(std::get<double>(decode_index_value(encoded({std::nan("")}))->value)));
  CHECK(*decode_index_value(encoded({})) == PropertyValue());
}

TEST_CASE("damaged bytes are refused, and what is accepted has these bytes") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 50000; ++round) {
    std::string bytes = encoded(random_scalar(random));
    switch (random() % 3) {
      case 0:
        bytes.resize(random() % bytes.size());
        break;
      case 1:
        bytes.push_back(static_cast<char>(random() % 3));
        break;
      default:
        bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto decoded = decode_index_value(bytes);
    if (decoded.ok()) {
      const auto* real = std::get_if<double>(&decoded->value);
      if (real == nullptr || !std::isnan(*real)) CHECK(encoded(*decoded) == bytes);
    } else {
      CHECK(decoded.status().code() == StatusCode::kCorrupt);
    }
  }
  CHECK_FALSE(decode_index_value("").ok());
  CHECK_FALSE(decode_index_value(std::string(1, '\x07')).ok());
}

TEST_CASE("all values of a kind lie between its limits") {
  std::mt19937_64 random(9);
  for (int round = 0; round < 2000; ++round) {
    const PropertyValue value = random_scalar(random);
    const IndexValueKind kind =
        std::holds_alternative<bool>(value.value)          ? IndexValueKind::kBool
        : std::holds_alternative<std::string>(value.value) ? IndexValueKind::kText
        : std::holds_alternative<Bytes>(value.value)       ? IndexValueKind::kBytes
        : std::holds_alternative<Timestamp>(value.value)   ? IndexValueKind::kTimestamp
                                                           : IndexValueKind::kNumber;
    const auto [lower, upper] = index_value_limits(kind);
    CHECK(encoded(value) >= lower);
    CHECK(encoded(value) < upper);
  }
}

TEST_CASE("an index key is read back as it was made") {
  const std::string value = encoded({std::string("x")});
  const std::string bytes = index_key(IndexId(7), value, 99);
  IndexKey key;
  REQUIRE(parse_index_key(bytes, key));
  CHECK(key.index == IndexId(7));
  CHECK(key.value == value);
  CHECK(key.id == 99);
}
