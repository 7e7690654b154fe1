#include "graph/graph_overlay.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

using Contents = std::map<std::string, StagedBytes>;

Contents contents_of(const GraphOverlay& overlay) {
  Contents all;
  for (const auto& [key, entry] : overlay.entries(Family::kNode)) all[key] = entry.bytes;
  return all;
}

std::shared_ptr<const GraphStoreView> view_of(const GraphFixture& graph) {
  return std::static_pointer_cast<const GraphStoreView>(graph.newest);
}

}  // namespace

TEST_CASE("random operations, marks and rollbacks restore what was there") {
  GraphFixture graph;
  GraphOverlay overlay(view_of(graph));
  std::mt19937_64 random(1);
  std::vector<std::pair<uint64_t, Contents>> marks = {{0, {}}};
  for (int round = 0; round < 20000; ++round) {
    const Contents before = contents_of(overlay);
    const bool keep = random() % 4 != 0;
    {
      OverlayOperation operation(overlay);
      for (uint64_t i = random() % 4; i > 0; --i) {
        const std::string key = "key" + std::to_string(random() % 12);
        switch (random() % 3) {
          case 0:
            overlay.put(Family::kNode, key, std::string(random() % 30, 'v'));
            break;
          case 1:
            overlay.remove(Family::kNode, key);
            break;
          default: {
            auto bytes = overlay.edit(Family::kNode, key);
            REQUIRE(bytes.ok());
            if (!**bytes) (*bytes)->emplace();
            (**bytes)->append("+");
          }
        }
      }
      if (keep) operation.keep();
    }
    if (!keep) REQUIRE(contents_of(overlay) == before);
    if (random() % 5 == 0) marks.emplace_back(overlay.mark(), contents_of(overlay));
    if (random() % 9 == 0) {
      const size_t to = random() % marks.size();
      overlay.rollback_to(marks[to].first);
      REQUIRE(contents_of(overlay) == marks[to].second);
      marks.resize(to + 1);
    }
  }
  overlay.rollback_to(0);
  CHECK(contents_of(overlay).empty());
  CHECK(overlay.staged_bytes() == 0);
}

TEST_CASE("under one mark a key's old bytes are kept once") {
  GraphFixture graph;
  GraphOverlay overlay(view_of(graph));
  auto append = [&overlay] {
    OverlayOperation operation(overlay);
    auto bytes = overlay.edit(Family::kOut, "key");
    REQUIRE(bytes.ok());
    if (!**bytes) (*bytes)->emplace(std::string(10000, 'x'));
    (***bytes)[0] = 'y';
    operation.keep();
  };
  append();
  overlay.mark();
  append();
  const uint64_t before = overlay.staged_bytes();
  for (int i = 0; i < 100; ++i) append();
  CHECK(overlay.staged_bytes() == before);
}
