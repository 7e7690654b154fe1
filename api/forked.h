// A process that was forked from one with open databases: locks, threads and files are the parent's, so that every call is refused.
#pragma once

#include <atomic>

namespace braid {

/// Counts an open database for as long as it lives.
class OpenInThisProcess {
 public:
  OpenInThisProcess();
  ~OpenInThisProcess();
  /// Once the libraries below have begun what they end at exit: their ends would wait in a child for threads that it does not have.
  static void let_children_exit();
  OpenInThisProcess(const OpenInThisProcess&) = delete;
  OpenInThisProcess& operator=(const OpenInThisProcess&) = delete;
};

/// Set in the child by the fork itself. Safety: relaxed, since it is written while the child has one thread.
extern std::atomic<bool> is_forked;
inline bool forked() { return is_forked.load(std::memory_order_relaxed); }

inline constexpr char kForkedText[] = "this process was forked from one that has databases open; it may only end, or call exec";

}  // namespace braid
