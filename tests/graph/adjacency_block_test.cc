#include "graph/adjacency_block.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace braid;

namespace {

std::vector<AdjacencyEntry> random_entries(std::mt19937_64& random, size_t count) {
  std::vector<AdjacencyEntry> entries;
  uint64_t edge = random() % 1000;
  for (size_t i = 0; i < count; ++i) {
    edge += 1 + (random() >> (random() % 32 + 32));
    entries.push_back({EdgeId(edge), NodeId(random() >> (random() % 64))});
  }
  return entries;
}

bool append_one(std::string& block, const AdjacencyEntry& entry) {
  return append_adjacency_entries(block, std::span(&entry, 1));
}

}  // namespace

TEST_CASE("appending one by one gives the bytes of encoding at once") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    const auto entries = random_entries(random, 1 + random() % kAdjacencyEntriesMax);
    std::string block = encode_adjacency_block({}, 3);
    for (const AdjacencyEntry& entry : entries) REQUIRE(append_one(block, entry));
    CHECK(block == encode_adjacency_block(entries, 3 + entries.size()));
    std::vector<AdjacencyEntry> decoded;
    REQUIRE(decode_adjacency_block(block, decoded));
    CHECK(decoded == entries);
    AdjacencyHeader header;
    REQUIRE(read_adjacency_header(block, header));
    CHECK(header.first == entries.front().edge);
    CHECK(header.last == entries.back().edge);
    CHECK(header.total == 3 + entries.size());
  }
}

TEST_CASE("a short list has no header until it is long, and none again when it is short again") {
  std::mt19937_64 random(5);
  int without_header = 0, became_long = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto entries = random_entries(random, 1 + random() % 24);
    std::string block = encode_adjacency_block(std::span(entries).first(1), 1);
    for (size_t count = 1; count <= entries.size(); ++count) {
      const auto part = std::span(entries).first(count);
      if (count > 1) REQUIRE(append_one(block, part.back()));
      REQUIRE(block == encode_adjacency_block(part, count));
      without_header += is_short_block(block);
      became_long += !is_short_block(block);
      AdjacencyHeader header;
      REQUIRE(read_head_header(block, header));
      CHECK(header.total == count);
      CHECK(header.count == count);
      CHECK(header.first == part.front().edge);
      CHECK(header.last == part.back().edge);
      CHECK(header.last_neighbor == part.back().neighbor);
      std::vector<AdjacencyEntry> decoded;
      REQUIRE(decode_adjacency_block(block, decoded));
      CHECK(std::equal(decoded.begin(), decoded.end(), part.begin(), part.end()));
    }
    // A block that gets older blocks, or loses them.
    std::string changed = block;
    set_list_total(changed, entries.size() + 9);
    CHECK(changed == encode_adjacency_block(entries, entries.size() + 9));
    CHECK_FALSE(is_short_block(changed));
    set_list_total(changed, entries.size());
    CHECK(changed == block);
    for (size_t count = entries.size(); count-- > 1;) {
      REQUIRE(remove_adjacency_entries(block, std::vector<EdgeId>{entries[count].edge}));
      REQUIRE(block == encode_adjacency_block(std::span(entries).first(count), count));
    }
  }
  CHECK(without_header > 2000);
  CHECK(became_long > 2000);
}

TEST_CASE("damaged short blocks are refused or decode to ascending entries that agree with their header") {
  std::mt19937_64 random(6);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string block(random() % kAdjacencyHeaderBytes, '\0');
    for (char& byte : block) byte = static_cast<char>(random() % 3 == 0 ? random() : random() % 128);
    AdjacencyHeader header;
    std::vector<AdjacencyEntry> decoded;
    const bool sound = decode_adjacency_block(block, decoded);
    CHECK(read_head_header(block, header) == sound);
    refused += !sound;
    if (!sound) continue;
    CHECK(header.count == decoded.size());
    CHECK(header.last == decoded.back().edge);
    for (size_t i = 1; i < decoded.size(); ++i) CHECK(decoded[i - 1].edge < decoded[i].edge);
    CHECK(decoded.front().edge.value() > 0);
  }
  CHECK(refused > 5000);
  CHECK(refused < 19000);
}

TEST_CASE("a block takes no entry at or below its last and none beyond its bound") {
  std::string block = encode_adjacency_block({}, 0);
  REQUIRE(append_one(block, {EdgeId(5), NodeId(1)}));
  CHECK_FALSE(append_one(block, {EdgeId(5), NodeId(1)}));
  CHECK_FALSE(append_one(block, {EdgeId(4), NodeId(1)}));
  for (uint64_t i = 1; i < kAdjacencyEntriesMax; ++i) {
    REQUIRE(append_one(block, {EdgeId(5 + i), NodeId(1)}));
  }
  CHECK_FALSE(append_one(block, {EdgeId(1000), NodeId(1)}));
}

TEST_CASE("removing entries in place gives the bytes of encoding what is left") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 5000; ++round) {
    const auto entries = random_entries(random, 1 + random() % (random() % 4 == 0 ? kAdjacencyEntriesMax : 6));
    const uint64_t part = random() % 4;  // one, few, most, all
    const size_t only = random() % entries.size();
    std::vector<EdgeId> removed;
    std::vector<AdjacencyEntry> left;
    for (size_t i = 0; i < entries.size(); ++i) {
      const bool goes = part == 0 ? i == only : part == 1 ? random() % 8 == 0 : part == 2 ? random() % 8 != 0 : true;
      if (goes) removed.push_back(entries[i].edge);
      if (!goes) left.push_back(entries[i]);
    }
    const uint64_t older = random() % 2 * 7;
    std::string block = encode_adjacency_block(entries, entries.size() + older);
    REQUIRE(remove_adjacency_entries(block, removed));
    CHECK(block == encode_adjacency_block(left, left.size() + older));
  }
}

TEST_CASE("an entry that is not there is not removed, nor are those beside it") {
  const std::vector<AdjacencyEntry> entries = {{EdgeId(3), NodeId(9)}, {EdgeId(5), NodeId(8)}, {EdgeId(7), NodeId(8)}};
  for (const uint64_t total : {0, 3}) {
    const std::string before = encode_adjacency_block(entries, total);
    for (const std::vector<EdgeId>& wrong : std::vector<std::vector<EdgeId>>{
             {EdgeId(2)}, {EdgeId(3), EdgeId(4)}, {EdgeId(4), EdgeId(5)}, {EdgeId(7), EdgeId(8)}, {EdgeId(5), EdgeId(5)},
             {EdgeId(3), EdgeId(5), EdgeId(7), EdgeId(9)}}) {
      std::string block = before;
      CHECK_FALSE(remove_adjacency_entries(block, wrong));
      CHECK(block == before);
    }
  }
  std::string empty = encode_adjacency_block({}, 2);
  CHECK_FALSE(remove_adjacency_entries(empty, std::vector<EdgeId>{EdgeId(1)}));
}

TEST_CASE("removal from a damaged block is refused or leaves what a decoder finds there") {
  std::mt19937_64 random(4);
  int refused = 0, compared = 0;
  for (int round = 0; round < 40000; ++round) {
    const auto entries = random_entries(random, 1 + random() % 20);
    std::string block = encode_adjacency_block(entries, 0);
    block[random() % block.size()] = static_cast<char>(random());
    if (random() % 4 == 0) block.resize(random() % (block.size() + 1));
    std::vector<AdjacencyEntry> decoded, left;
    const bool sound = decode_adjacency_block(block, decoded);
    const std::vector<EdgeId> edges = {entries[random() % entries.size()].edge};
    if (!remove_adjacency_entries(block, edges)) {
      ++refused;
      const bool had = std::any_of(decoded.begin(), decoded.end(), [&](const auto& entry) { return entry.edge == edges[0]; });
      CHECK_FALSE((sound && had));
      continue;
    }
    if (!sound) continue;
    ++compared;
    std::erase_if(decoded, [&](const auto& entry) { return entry.edge == edges[0]; });
    REQUIRE(decode_adjacency_block(block, left));
    CHECK(left == decoded);
  }
  CHECK(refused > 1000);
  CHECK(compared > 1000);
}

TEST_CASE("a visit may end early") {
  const std::vector<AdjacencyEntry> entries = {{EdgeId(1), NodeId(9)}, {EdgeId(2), NodeId(8)}};
  int seen = 0;
  CHECK(visit_adjacency_block(encode_adjacency_block(entries, 0), [&](EdgeId, NodeId) {
    ++seen;
    return false;
  }));
  CHECK(seen == 1);
}

TEST_CASE("damaged blocks are refused or decode to ascending entries") {
  std::mt19937_64 random(2);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string block = encode_adjacency_block(random_entries(random, random() % 20), 0);
    for (int hits = 0; hits < 2; ++hits)
      block[random() % block.size()] = static_cast<char>(random());
    if (random() % 3 == 0) block.resize(random() % (block.size() + 1));
    std::vector<AdjacencyEntry> decoded;
    if (!decode_adjacency_block(block, decoded)) {
      ++refused;
      continue;
    }
    for (size_t i = 1; i < decoded.size(); ++i) CHECK(decoded[i - 1].edge < decoded[i].edge);
    append_one(block, {EdgeId(UINT64_MAX), NodeId(1)});
  }
  CHECK(refused > 5000);
}
