#include "cli/field_converter.h"

#include <doctest/doctest.h>

using namespace braid::cli;

namespace {

struct Converted {
  ImportValue value;
  std::string text;  ///< the value's text, which is borrowed
  std::string error;
};

Converted convert(ColumnType type, CsvField field, FieldConverter::Rules rules = {},
                  bool fixed = false) {
  FieldConverter converter({{.name = "v", .type = type, .fixed = fixed}}, std::move(rules));
  CsvRecord record{.fields = {field}, .line = 2};
  auto values = converter.convert(record);
  if (!values.ok()) return {.error = values.failure().message};
  return {.value = (*values)[0], .text = std::string((*values)[0].text)};
}

}  // namespace

TEST_CASE(
    "an empty field is NULL, and an empty field in quotes is the empty text of a text column") {
  CHECK(convert(ColumnType::kText, {""}).value.null);
  CHECK(!convert(ColumnType::kText, {"", true}).value.null);
  CHECK(convert(ColumnType::kInteger, {"", true}).value.null);
}

TEST_CASE("a further text can mean NULL, unless it is quoted") {
  CHECK(convert(ColumnType::kDouble, {"NA"}, {.null_text = "NA"}).value.null);
  CHECK(!convert(ColumnType::kText, {"NA", true}, {.null_text = "NA"}).value.null);
}

TEST_CASE(
    "a value that is not of its column's type is named with what was expected and what to do") {
  CHECK(convert(ColumnType::kDouble, {"abc"}).error ==
        "column \"v\": \"abc\" is not a DOUBLE (such as 1.5); --type v=TEXT keeps it as text, "
        "--null 'abc' reads it as NULL");
  CHECK(convert(ColumnType::kInteger, {"1.5"}, {.sampled_records = 10})
            .error.find("first 10 records") != std::string::npos);
  CHECK(convert(ColumnType::kInteger, {"x"}, {}, true).error.find("--type") == std::string::npos);
  CHECK(convert(ColumnType::kJson, {"{a}"}).error.find("JSON") != std::string::npos);
}

TEST_CASE("a time that is a number needs its unit, and says so") {
  CHECK(convert(ColumnType::kTimestamp, {"1451606400"}).error.find("--time-unit") !=
        std::string::npos);
  CHECK(convert(ColumnType::kTimestamp, {"1451606400"}, {.time_unit = TimeUnit::kSeconds}).text ==
        "2016-01-01 00:00:00");
  CHECK(convert(ColumnType::kTimestamp, {"2016-01-01T00:00:00Z"}, {.time_unit = TimeUnit::kSeconds})
            .value.integer == 1'451'606'400'000'000);
}

TEST_CASE("a record with another number of fields than the header is refused") {
  FieldConverter converter({{.name = "a", .type = ColumnType::kText}}, {});
  CsvRecord record{.fields = {{"1"}, {"2"}}, .line = 2};
  auto values = converter.convert(record);
  REQUIRE(!values.ok());
  CHECK(values.failure().message == "2 fields where the header has 1");
}
