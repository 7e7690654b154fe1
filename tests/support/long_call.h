// What tests of long calls share: a token, what acts a little later, and callbacks of progress.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "api/braid.h"

namespace braid {

/// A statement that is only ended from outside.
inline constexpr const char* kEndless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

struct Token {
  Token() { REQUIRE(braid_cancel_open(&handle) == BRAID_OK); }
  ~Token() { braid_cancel_close(handle); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  braid_cancel* handle = nullptr;
};

/// Does something a little later, on a thread of its own.
class Later {
 public:
  explicit Later(std::function<void()> act) : thread_([act = std::move(act)] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    act();
  }) {}
  ~Later() { thread_.join(); }

 private:
  std::thread thread_;
};

/// Of progress: counts its calls in an int, and stops at the first.
inline int32_t stop(void* calls, double) {
  ++*static_cast<int*>(calls);
  return 1;
}

/// Of progress: keeps what it is told in a vector of doubles.
inline int32_t note(void* fractions, double fraction) {
  static_cast<std::vector<double>*>(fractions)->push_back(fraction);
  return 0;
}

/// From 0 to 1, never falling, and 1 at the end.
inline bool is_whole(const std::vector<double>& fractions) {
  return !fractions.empty() && std::is_sorted(fractions.begin(), fractions.end()) && fractions.front() >= 0 && fractions.back() == 1;
}

}  // namespace braid
