// What long loops of algorithms share: asking now and then whether to go on, and a second thread where vertices are independent.
#pragma once

#include <algorithm>

#include "graph/algorithm.h"
#include "graph/two_threads.h"

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

/// Parts begin at multiples of this: what is summed up by so many vertices does not depend on where the parts meet.
inline constexpr Vertex kPartGrain = 64;

/// Runs `work(first, limit, pace)` over all vertices, in two threads when there is enough to do. Each vertex's result must depend on nothing
/// that `work` writes, so that the answer does not depend on the threads.
template <typename Work>
Status in_two_parts(const Adjacency& adjacency, Pace& pace, Work&& work) {
  constexpr uint64_t kEntriesWorthAThread = 100'000;
  const auto count = static_cast<Vertex>(adjacency.offsets.size() - 1);
  const uint64_t entries = adjacency.targets.size();
  if (entries < kEntriesWorthAThread || !has_second_processor()) return work(Vertex{0}, count, pace);
  // A vertex is work too, about as much as an entry.
  Vertex middle = 0;
  for (Vertex step = Vertex{1} << 31; step >= kPartGrain; step /= 2) {
    if (step < count - middle && adjacency.offsets[middle + step] + middle + step <= (entries + count) / 2) middle += step;
  }
  // The host's callbacks are called from the caller's thread only.
  AlgorithmContext quiet = pace.context();
  quiet.progress = nullptr;
  quiet.node_number = nullptr;
  Pace other_pace(quiet);
  Status own, other;
  in_two_threads([&] { own = work(Vertex{0}, middle, pace); }, [&] { other = work(middle, count, other_pace); });
  return own.ok() ? other : own;
}

}  // namespace braid
