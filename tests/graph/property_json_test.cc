#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "graph/property.h"
#include "tests/graph/random_value.h"

using namespace braid;

namespace {

std::string round_trip(std::string_view json) {
  const auto value = value_from_json(json);
  return value.ok() ? value_to_json(*value) : "error: " + value.status().message();
}

std::string error_of(std::string_view json) {
  const auto value = value_from_json(json);
  REQUIRE_FALSE(value.ok());
  CHECK(value.status().code() == StatusCode::kInvalidArgument);
  return value.status().message();
}

}  // namespace

TEST_CASE("JSON is the same after parsing and writing") {
  for (const char* json :
       {"null", "true", "12", "-9223372036854775808", "9223372036854775807", "1.5", "1.0",
        "\"a\\n\"", "[1,[2,null],{}]", "{\"a\":1,\"b\":{\"c\":[]}}", "{\"$bytes\":\"00ff10\"}",
        "{\"$timestamp\":\"2024-01-01 00:00:00\"}", "{\"$timestamp\":\"1969-12-31 23:59:59.5\"}",
        "{\"$timestamp\":9223372036854775807}"}) {
    CHECK(round_trip(json) == json);
  }
}

TEST_CASE("integers are int64 and numbers with a point or exponent are double") {
  CHECK(std::holds_alternative<int64_t>(value_from_json("12")->value));
  CHECK(std::holds_alternative<double>(value_from_json("12.0")->value));
  CHECK(std::holds_alternative<double>(value_from_json("1e3")->value));
}

TEST_CASE("an integer beyond 64 bits is refused and its key named") {
  CHECK(error_of("{\"a\":{\"big\":9223372036854775808}}").find("a.big") != std::string::npos);
  CHECK(error_of("{\"huge\":123456789012345678901234567890}").find("huge") != std::string::npos);
  CHECK(error_of("18446744073709551615").find("64 bits") != std::string::npos);
}

TEST_CASE("what is no JSON is refused with its place") {
  CHECK(error_of("{\"a\": nope}").find("byte 8") != std::string::npos);
  CHECK(error_of("[1,").find("byte") != std::string::npos);
  error_of("");
  error_of("NaN");
  error_of("Infinity");
  error_of("1e999");
  error_of("1 2");
  error_of("{\"$bytes\":\"0\"}");
  error_of("{\"$bytes\":\"zz\"}");
  error_of("{\"$timestamp\":\"yesterday\"}");
  error_of("{\"$timestamp\":\"2024-02-30\"}");
}

TEST_CASE("nesting is bounded") {
  const size_t max = kPropertyDepthMax;
  CHECK(value_from_json(std::string(max, '[') + std::string(max, ']')).ok());
  CHECK(error_of(std::string(max + 1, '[') + std::string(max + 1, ']')).find("nested") !=
        std::string::npos);
  error_of(std::string(1'000'000, '['));
  const auto intern = [](std::string_view) { return KeyId(1); };
  const auto deepest =
      properties_from_json("{\"a\":" + std::string(max, '[') + std::string(max, ']') + "}", intern);
  REQUIRE(deepest.ok());
  CHECK(decode_properties(encode_properties(*deepest)).ok());
}

TEST_CASE("properties drop nulls, are sorted by key, and the last of equal names wins") {
  const auto intern = [](std::string_view name) {
    return name == "a" ? KeyId(9) : name == "b" ? KeyId(4) : KeyId(7);
  };
  const auto name = [](KeyId key) -> std::string_view {
    return key == KeyId(9) ? "a" : key == KeyId(4) ? "b" : "c";
  };
  const auto properties = properties_from_json("{\"a\":1,\"b\":2,\"c\":null,\"a\":3}", intern);
  REQUIRE(properties.ok());
  REQUIRE(properties->size() == 2);
  CHECK((*properties)[0].first == KeyId(4));
  CHECK(properties_to_json(*properties, name) == "{\"b\":2,\"a\":3}");
  CHECK(properties_from_json("[1]", intern).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("properties whose only key starts with a dollar stay properties") {
  const auto properties =
      properties_from_json("{\"$bytes\":\"00\"}", [](std::string_view) { return KeyId(1); });
  REQUIRE(properties.ok());
  CHECK(properties->front().second == PropertyValue{std::string("00")});
}

TEST_CASE("text that is no UTF-8 and numbers that are none give valid JSON") {
  CHECK(value_from_json(value_to_json({std::string("a\xff")})).ok());
  CHECK(value_to_json({std::nan("")}) == "null");
}

TEST_CASE("random values are the same after writing and parsing JSON") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 3000; ++round) {
    const PropertyValue value = random_value(random);
    const auto parsed = value_from_json(value_to_json(value));
    REQUIRE(parsed.ok());
    CHECK(*parsed == value);
  }
}

TEST_CASE("random bytes are refused or parsed, never more") {
  std::mt19937_64 random(4);
  for (int round = 0; round < 20000; ++round) {
    std::string json = value_to_json(random_value(random));
    for (int hits = 0; hits < 2 && !json.empty(); ++hits) {
      json[random() % json.size()] = static_cast<char>(random());
    }
    (void)value_from_json(json).ok();
  }
}
