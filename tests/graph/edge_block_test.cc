#include "graph/edge_block.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace braid;

namespace {

struct StoredRow {
  NodeId source, target;
  TypeId type;
  std::string properties;
};

}  // namespace

TEST_CASE("a block behaves as a map of slots") {
  std::mt19937_64 random(1);
  std::map<unsigned, StoredRow> model;
  std::string block;
  for (int round = 0; round < 20000; ++round) {
    const auto slot = static_cast<unsigned>(random() % kEdgesPerBlock);
    if (random() % 3 == 0) {
      // One of them, or any of them at once.
      const auto slots = static_cast<uint16_t>(random() % 4 == 0 ? random() : edge_slot_bit(slot));
      REQUIRE(remove_edge_rows(block, slots));
      std::erase_if(model, [slots](const auto& item) { return (slots & edge_slot_bit(item.first)) != 0; });
    } else {
      const StoredRow row{NodeId(random() >> (random() % 64)), NodeId(random() % 9),
                          TypeId(static_cast<uint32_t>(random())), std::string(random() % 40, 'p')};
      REQUIRE(put_edge_row(block, slot, {row.source, row.target, row.type, row.properties}));
      model[slot] = row;
    }
    CHECK(block.empty() == model.empty());
    const auto wanted = static_cast<unsigned>(random() % kEdgesPerBlock);
    EdgeRow row;
    bool found;
    REQUIRE(find_edge_row(block, wanted, row, found));
    REQUIRE(found == model.contains(wanted));
    if (!found) continue;
    CHECK(row.source == model[wanted].source);
    CHECK(row.target == model[wanted].target);
    CHECK(row.type == model[wanted].type);
    CHECK(row.properties == model[wanted].properties);
  }
}

TEST_CASE("the bytes of a block do not depend on the order of its changes") {
  const EdgeRow row{NodeId(1), NodeId(2), TypeId(3), "x"};
  std::string up, down;
  for (unsigned slot = 0; slot < 16; ++slot) REQUIRE(put_edge_row(up, slot, row));
  for (unsigned slot = 16; slot-- > 0;) REQUIRE(put_edge_row(down, slot, row));
  CHECK(up == down);
}

TEST_CASE("damaged blocks are refused or read, never more") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20000; ++round) {
    std::string block;
    for (unsigned slot = 0; slot < 16; slot += 1 + random() % 4) {
      REQUIRE(put_edge_row(block, slot, {NodeId(random()), NodeId(5), TypeId(6), "properties"}));
    }
    for (int hits = 0; hits < 2; ++hits)
      block[random() % block.size()] = static_cast<char>(random());
    if (random() % 3 == 0) block.resize(random() % (block.size() + 1));
    EdgeRow row;
    bool found;
    find_edge_row(block, 9, row, found);
    put_edge_row(block, 3, {NodeId(1), NodeId(1), TypeId(1), ""});
    remove_edge_rows(block, edge_slot_bit(4));
  }
}
