#include "engine/free_pages.h"

#include <doctest/doctest.h>

using namespace braid;

TEST_CASE("no page is released while no more are free than are kept") {
  CHECK(pages_to_release(1000, 0, 0) == 0);
  CHECK(pages_to_release(1000, 999, 999) == 0);
  CHECK(pages_to_release(1'000'000, 500'000, 500'000) == 0);
}

TEST_CASE("all pages go at once where that moves few") {
  CHECK(pages_to_release(1'000'000, 999'000, 0) == 999'000);
  CHECK(pages_to_release(1'000'000, 999'000, 10) == 999'000);
  CHECK(pages_to_release(1'000'000, 4096, 0) == 4096);
}

TEST_CASE("where much would move a bounded part of what is not kept goes, however long the list of free pages is") {
  CHECK(pages_to_release(1'000'000, 20'000, 19'990) == 10);
  CHECK(pages_to_release(1'000'000, 20'000, 0) == 4096);
  CHECK(pages_to_release(4'000'000'000, 2'000'000'000, 0) == 1);
  for (const uint64_t free : {5'000u, 100'000u, 10'000'000u}) {
    const uint64_t released = pages_to_release(4'000'000'000, free, 0);
    CHECK(released >= 1);
    CHECK(released * free <= uint64_t{1} << 27);
  }
}

TEST_CASE("numbers that a damaged header may claim release nothing") { CHECK(pages_to_release(10, 11, 0) == 0); }
