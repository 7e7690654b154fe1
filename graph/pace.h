// What long loops of algorithms share: asking now and then whether to go on, and a second thread where vertices are independent.
#pragma once

#include <algorithm>
#include <optional>
#include <system_error>
#include <thread>

#include "graph/algorithm.h"

namespace braid {

/// Steps of work between two questions to the context.
inline constexpr uint64_t kStepsPerCheck = 8192;

/// Threads: one each.
class Pace {
 public:
  explicit Pace(const AlgorithmContext& context) : context_(context) {}
  void set_done(double done, double all) { fraction_ = done / all; }
  Status step(uint64_t steps) {
    steps_ += steps;
    if (steps_ < kStepsPerCheck) return {};
    steps_ = 0;
    return context_.check(fraction_);
  }
  const AlgorithmContext& context() const { return context_; }

 private:
  const AlgorithmContext& context_;
  uint64_t steps_ = 0;
  double fraction_ = 0;
};

/// Runs `work(first, limit, pace)` over all vertices, in two threads when there is enough to do. Each vertex's result must depend on nothing
/// that `work` writes, so that the answer does not depend on the threads.
template <typename Work>
Status in_two_parts(const Adjacency& adjacency, Pace& pace, Work&& work) {
  constexpr uint64_t kEntriesWorthAThread = 100'000;
  const auto count = static_cast<Vertex>(adjacency.offsets.size() - 1);
  const uint64_t entries = adjacency.targets.size();
  if (entries < kEntriesWorthAThread || std::thread::hardware_concurrency() < 2) return work(Vertex{0}, count, pace);
  const auto half = std::lower_bound(adjacency.offsets.begin(), adjacency.offsets.end(), entries / 2) - adjacency.offsets.begin();
  const Vertex middle = std::min(static_cast<Vertex>(half), count);
  // The host's callbacks are called from the caller's thread only.
  AlgorithmContext quiet = pace.context();
  quiet.progress = nullptr;
  quiet.node_number = nullptr;
  Pace other_pace(quiet);
  Status other;
  std::optional<std::thread> thread;
  try {
    thread.emplace([&] { other = work(middle, count, other_pace); });
  } catch (const std::system_error&) {
    // No thread is to be had: the work is done without.
    other = work(middle, count, other_pace);
  }
  const Status own = work(Vertex{0}, middle, pace);
  if (thread) thread->join();
  return own.ok() ? other : own;
}

}  // namespace braid
