#include "cli/progress.h"

#include <doctest/doctest.h>

using namespace braid::cli;

TEST_CASE("numbers are grouped by thousands") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(-1234567) == "-1,234,567");
}

TEST_CASE(
    "the bar shows the share of a file that was read, and only counts when the size is not known") {
  CHECK(progress_line({"importing", 5000, 50, 100}, 2, 65) ==
        "importing █████░░░░░  50% 5,000 rows, 2,500 rows/s");
  CHECK(progress_line({"importing", 10, 3'000'000, {}}, 0, 80) == "importing 3 MB, 10 rows");
}
