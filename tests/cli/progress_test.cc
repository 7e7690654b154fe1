#include "cli/progress.h"

#include <doctest/doctest.h>

using namespace braid::cli;

TEST_CASE("where nobody knows how much there is to do the line tells the time and the rows, and turns") {
  Progress::State state{.what = "running", .has_no_end = true};
  CHECK(progress_line(state, 0, 80) == "running | 0 s");
  CHECK(progress_line(state, 3.2, 80) == "running | 3 s");
  state.rows = 12345;
  CHECK(progress_line(state, 61.3, 80) == "running - 61 s, 12,345 rows");
}

TEST_CASE("of a call only the part that is done is shown") {
  CHECK(progress_line(fraction_state("checking", 0), 1, 65) == "checking ░░░░░░░░░░   0%");
  CHECK(progress_line(fraction_state("checking", 0.5), 1, 65) == "checking █████░░░░░  50%");
  CHECK(progress_line(fraction_state("checking", 1), 1, 65) == "checking ██████████ 100%");
}

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
