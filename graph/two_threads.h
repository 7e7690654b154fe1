// Two pieces of work at once.
#pragma once

#include <exception>
#include <optional>
#include <system_error>
#include <thread>

namespace braid {

inline bool has_second_processor() { return std::thread::hardware_concurrency() >= 2; }

/// Runs both, `other` in a thread of its own if one is to be had, and returns when both are done. What either throws is thrown here.
template <typename Own, typename Other>
void in_two_threads(Own&& own, Other&& other) {
  std::exception_ptr thrown;
  std::optional<std::thread> thread;
  const auto run_other = [&] {
    try {
      other();
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  try {
    thread.emplace(run_other);
  } catch (const std::system_error&) {
    run_other();
  }
  try {
    own();
  } catch (...) {
    if (thread) thread->join();
    throw;
  }
  if (thread) thread->join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace braid
