#include "graph/pace.h"

#include <doctest/doctest.h>

#include <atomic>
#include <new>
#include <random>

using namespace braid;

namespace {

/// Enough entries for a second thread, very unevenly spread.
Adjacency uneven(uint64_t seed) {
  std::mt19937_64 random(seed);
  Adjacency adjacency;
  adjacency.offsets.push_back(0);
  constexpr Vertex kCount = 5000;
  for (Vertex vertex = 0; vertex < kCount; ++vertex) {
    const uint64_t degree = vertex % 1000 == seed % 1000 ? 30000 : random() % 20;
    for (uint64_t i = 0; i < degree; ++i) adjacency.targets.push_back(static_cast<Vertex>(random() % kCount));
    adjacency.offsets.push_back(adjacency.targets.size());
  }
  return adjacency;
}

}  // namespace

TEST_CASE("two threads visit every vertex once, and the caller hears of progress") {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const Adjacency adjacency = uneven(seed);
    AlgorithmContext context;
    std::atomic<int> asked{0};
    context.progress = [&asked](double) { return ++asked > 0; };
    Pace pace(context);
    std::vector<int> visits(adjacency.offsets.size() - 1, 0);
    REQUIRE(in_two_parts(adjacency, pace, [&](Vertex first, Vertex limit, Pace& own) -> Status {
              for (Vertex vertex = first; vertex < limit; ++vertex) {
                ++visits[vertex];
                BRAID_TRY(own.step(adjacency.degree(vertex) + 1));
              }
              return {};
            }).ok());
    CHECK(std::all_of(visits.begin(), visits.end(), [](int count) { return count == 1; }));
    CHECK(asked > 0);
  }
}

TEST_CASE("a failure of either thread is the answer") {
  const Adjacency adjacency = uneven(3);
  for (const bool first_fails : {false, true}) {
    AlgorithmContext context;
    Pace pace(context);
    const Status status = in_two_parts(adjacency, pace, [&](Vertex first, Vertex, Pace&) -> Status {
      if ((first == 0) == first_fails) return Status(StatusCode::kInterrupted, "stopped");
      return {};
    });
    CHECK(status.code() == StatusCode::kInterrupted);
  }
}

TEST_CASE("what is empty is visited without a thread") {
  Adjacency adjacency;
  adjacency.offsets = {0};
  AlgorithmContext context;
  Pace pace(context);
  CHECK(in_two_parts(adjacency, pace, [](Vertex first, Vertex limit, Pace&) {
          CHECK(first == limit);
          return Status();
        }).ok());
}

TEST_CASE("what either of two threads throws is thrown when both are done") {
  for (const bool own_throws : {false, true}) {
    std::atomic<int> done{0};
    const auto work = [&done](bool throws) {
      ++done;
      if (throws) throw std::bad_alloc();
    };
    CHECK_THROWS_AS(in_two_threads([&] { work(own_throws); }, [&] { work(!own_throws); }), std::bad_alloc);
    CHECK(done == 2);
  }
}
