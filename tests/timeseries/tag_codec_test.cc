#include "timeseries/tag_codec.h"

#include <doctest/doctest.h>

#include "timeseries/tag_value.h"

namespace braid {
namespace {

TEST_CASE("tags come back as they were, and NULL is neither '' nor any text") {
  const std::vector<std::optional<std::string_view>> tags = {"a", std::nullopt, "",
                                                             std::string_view("\0x", 2)};
  const auto decoded = decode_tags(encode_tags(tags));
  REQUIRE(decoded.ok());
  REQUIRE(decoded->size() == 4);
  for (size_t i = 0; i < tags.size(); ++i) CHECK((*decoded)[i] == tags[i]);
  CHECK(encode_tags({std::nullopt}) != encode_tags({""}));
  CHECK(encode_tags({"ab", ""}) != encode_tags({"a", "b"}));
  CHECK(encode_tags({}).empty());
}

TEST_CASE("damaged tags are refused") {
  const std::string whole = encode_tags({std::string_view("hello")});
  for (size_t size = 1; size < whole.size(); ++size) {
    CHECK(decode_tags(std::string_view(whole).substr(0, size)).status().code() ==
          StatusCode::kCorrupt);
  }
  CHECK(decode_tags(std::string(11, '\xff')).status().code() == StatusCode::kCorrupt);
}

TEST_CASE("a whole number has one text as a tag, and other texts are none") {
  for (const int64_t value : {INT64_MIN, int64_t{-7}, int64_t{0}, int64_t{42}, INT64_MAX})
    CHECK(integer_of_tag(tag_of_integer(value)) == value);
  CHECK(integer_of_tag("007") == 7);
  for (const char* text : {"", " 7", "7 ", "+7", "7.0", "7e0", "0x7", "seven", "9223372036854775808"})
    CHECK_FALSE(integer_of_tag(text).has_value());
}

}  // namespace
}  // namespace braid
