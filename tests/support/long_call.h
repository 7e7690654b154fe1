// What tests of long calls share: a token, what acts a little later, and callbacks of progress.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "api/braid.h"

namespace braid {

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

}  // namespace braid
