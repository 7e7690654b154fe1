#include "engine/options.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace braid;

TEST_CASE(
    "every option has a name of its own, a unit, a help text and a default within its bounds") {
  std::set<std::string> names;
  for (const OptionRow& row : option_table()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(*row.unit != '\0');
    CHECK(*row.help != '\0');
    CHECK(row.minimum <= row.default_value);
    CHECK(row.default_value <= row.maximum);
  }
}

TEST_CASE("without a text every option has its default") {
  const auto options = Options::parse("");
  REQUIRE(options.ok());
  for (size_t i = 0; i < option_table().size(); ++i)
    CHECK((*options)[static_cast<OptionId>(i)] == option_table()[i].default_value);
}

TEST_CASE("options are read from text with blanks and empty items") {
  const auto options = Options::parse(" busy_timeout_ms = 7 ;; wal_soft_bytes=65536 ; ");
  REQUIRE(options.ok());
  CHECK((*options)[OptionId::kBusyTimeout] == 7);
  CHECK((*options)[OptionId::kWalSoftBytes] == 65536);
}

TEST_CASE(
    "both bounds of every option are accepted, and one step past them is refused with name and "
    "bounds") {
  for (const OptionRow& row : option_table()) {
    Options options;
    CHECK(options.set(row.name, row.minimum).ok());
    CHECK(options.set(row.name, row.maximum).ok());
    std::vector<int64_t> beyond;
    if (row.minimum > INT64_MIN) beyond.push_back(row.minimum - 1);
    if (row.maximum < INT64_MAX) beyond.push_back(row.maximum + 1);
    for (const int64_t wrong : beyond) {
      const Status refused = options.set(row.name, wrong);
      CHECK(refused.code() == StatusCode::kInvalidArgument);
      CHECK(refused.message().find(row.name) != std::string::npos);
      CHECK(refused.message().find(std::to_string(row.minimum) + " to " +
                                   std::to_string(row.maximum)) != std::string::npos);
    }
  }
}

TEST_CASE("an unknown option is refused with the list of those there are") {
  const auto options = Options::parse("cache=1");
  CHECK(options.status().code() == StatusCode::kInvalidArgument);
  for (const OptionRow& row : option_table())
    CHECK(options.status().message().find(row.name) != std::string::npos);
}

TEST_CASE("text that is no name=number is refused, naming the option") {
  for (const std::string text :
       {"busy_timeout_ms", "busy_timeout_ms=", "busy_timeout_ms=5s", "busy_timeout_ms=1.5",
        "busy_timeout_ms=99999999999999999999", "busy_timeout_ms==5"}) {
    CAPTURE(text);
    const auto options = Options::parse(text);
    CHECK(options.status().code() == StatusCode::kInvalidArgument);
    CHECK(options.status().message().find("busy_timeout_ms") != std::string::npos);
  }
}

TEST_CASE("values with names are given by name or by number, and have a name each") {
  for (const OptionRow& row : option_table()) {
    const std::string_view unit = row.unit;
    if (unit.find('|') == std::string_view::npos) continue;
    CAPTURE(row.name);
    CHECK(row.minimum == 0);
    CHECK(row.maximum == std::count(unit.begin(), unit.end(), '|'));
  }
  for (const auto& [text, value] : {std::pair("full", 0), std::pair("relaxed", 1), std::pair("0", 0), std::pair("1", 1)}) {
    const auto options = Options::parse(std::string("durability = ") + text);
    REQUIRE(options.ok());
    CHECK((*options)[OptionId::kDurability] == value);
  }
  for (const std::string text : {"", "full|relaxed", "Full", "lax", "2"}) {
    CAPTURE(text);
    const auto options = Options::parse("durability=" + text);
    CHECK(options.status().code() == StatusCode::kInvalidArgument);
    CHECK(options.status().message().find("full|relaxed") != std::string::npos);
  }
  CHECK(Options::parse("busy_timeout_ms=ms").status().code() == StatusCode::kInvalidArgument);
}
