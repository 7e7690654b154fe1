// The judge of the isolation campaign finds what it is there to find.
#include <doctest/doctest.h>

#include "tests/campaigns/list_history.h"

using namespace braid;

namespace {

ListOperation append(int64_t key, int64_t value) { return {.key = key, .appended = value}; }
ListOperation read(int64_t key, std::vector<int64_t> list) { return {.key = key, .appended = 0, .read = std::move(list)}; }
ListTransaction committed(uint64_t begun, uint64_t ended, std::vector<ListOperation> operations) {
  return {begun, ended, ListOutcome::kCommitted, std::move(operations)};
}

/// The names of what is found, in order.
std::string names(const std::vector<ListTransaction>& history) {
  std::string out;
  for (const std::string& anomaly : list_anomalies(history)) out += (out.empty() ? "" : ",") + anomaly.substr(0, anomaly.find(':'));
  return out;
}

}  // namespace

TEST_CASE("a serial history has no anomaly, and neither has one whose overlaps can be put in order") {
  CHECK(names({committed(1, 2, {append(1, 1)}), committed(3, 4, {read(1, {1}), append(1, 2), read(1, {1, 2})}), committed(5, 6, {read(1, {1, 2})})}) == "");
  // The reader overlaps the writer and comes before it.
  CHECK(names({committed(1, 9, {append(1, 1)}), committed(2, 3, {read(1, {})}), committed(10, 11, {read(1, {1})})}) == "");
  // One whose outcome is unknown may have happened or not.
  CHECK(names({{1, 2, ListOutcome::kUnknown, {append(1, 1)}}, committed(3, 4, {read(1, {1})})}) == "");
  CHECK(names({{1, 2, ListOutcome::kUnknown, {append(1, 1)}}, committed(3, 4, {read(1, {})})}) == "");
}

TEST_CASE("aborted, intermediate, invented, duplicate and lost values are found") {
  CHECK(names({{1, 2, ListOutcome::kAborted, {append(1, 1)}}, committed(3, 4, {read(1, {1})})}) == "aborted");
  CHECK(names({committed(1, 9, {append(1, 1), append(1, 2)}), committed(2, 3, {read(1, {1})}), committed(10, 11, {read(1, {1, 2})})})
            .starts_with("intermediate"));
  CHECK(names({committed(3, 4, {read(1, {7})})}) == "invented");
  CHECK(names({committed(1, 2, {append(1, 1)}), committed(3, 4, {read(1, {1, 1})})}).starts_with("duplicate"));
  CHECK(names({committed(1, 2, {append(1, 1)}), committed(3, 4, {append(1, 2)}), committed(5, 6, {read(1, {2})})}).starts_with("lost"));
}

TEST_CASE("a transaction that does not see its own appends, or sees a list change under it, is found") {
  CHECK(names({committed(1, 2, {append(1, 1), read(1, {})}), committed(3, 4, {read(1, {1})})}) == "internal");
  CHECK(names({committed(1, 9, {read(1, {}), read(1, {1})}), committed(2, 3, {append(1, 1)}), committed(10, 11, {read(1, {1})})}) == "unrepeatable");
}

TEST_CASE("lists that contradict each other are found") {
  CHECK(names({committed(1, 9, {append(1, 1)}), committed(1, 9, {append(1, 2)}), committed(2, 10, {read(1, {1, 2})}), committed(2, 10, {read(1, {2, 1})})})
            .starts_with("incompatible"));
}

TEST_CASE("cycles are found and named") {
  // Two writers that each missed the other's write: write skew.
  CHECK(names({committed(1, 9, {read(1, {}), append(2, 1)}), committed(1, 9, {read(2, {}), append(1, 1)}), committed(10, 11, {read(1, {1}), read(2, {1})})}) ==
        "G2");
  // A reader that saw half of a transaction: torn over two lists.
  CHECK(names({committed(1, 9, {append(1, 1), append(2, 1)}), committed(2, 8, {read(1, {1}), read(2, {})}), committed(10, 11, {read(1, {1}), read(2, {1})})}) ==
        "G-single");
  // Two transactions that each saw the other.
  CHECK(names({committed(1, 9, {append(1, 1), read(2, {1})}), committed(1, 9, {append(2, 1), read(1, {1})}), committed(10, 11, {read(1, {1}), read(2, {1})})}) ==
        "G1c");
  // Two that appended to two lists in different orders.
  CHECK(names({committed(1, 9, {append(1, 1), append(2, 1)}), committed(1, 9, {append(1, 2), append(2, 2)}),
               committed(10, 11, {read(1, {1, 2}), read(2, {2, 1})})}) == "G0");
}

TEST_CASE("a read that began after a commit had been acknowledged and does not see it is found") {
  CHECK(names({committed(1, 2, {append(1, 1)}), committed(3, 4, {read(1, {})}), committed(5, 6, {read(1, {1})})}) == "G-single in the order of time");
}
