#include "engine/commit_record.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace braid;

namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint64_t below(uint64_t limit) {
    return std::uniform_int_distribution<uint64_t>(0, limit - 1)(engine_);
  }
  uint64_t bits() {
    const uint64_t all = std::uniform_int_distribution<uint64_t>()(engine_);
    return below(2) == 0 ? all : all >> below(64);
  }
  std::string bytes(size_t size_max) {
    std::string out(below(size_max + 1), '\0');
    for (char& c : out) c = static_cast<char>(below(256));
    return out;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out(below(4));
    for (std::string& one : out) one = bytes(20);
    return out;
  }
  std::vector<LabelId> labels() {
    std::vector<LabelId> out;
    for (uint64_t i = below(4); i > 0; --i) out.emplace_back(static_cast<uint32_t>(bits()));
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

CommitRecord random_record(Random& random) {
  CommitRecord record;
  for (uint64_t i = random.below(5); i > 0; --i)
    record.graph.nodes.push_back({static_cast<ChangeKind>(random.below(3)), NodeId(random.bits()),
                                  random.bytes(40), random.labels(), random.labels(),
                                  random.texts(), random.texts()});
  for (uint64_t i = random.below(5); i > 0; --i)
    record.graph.edges.push_back(
        {static_cast<ChangeKind>(random.below(3)), random.below(2) == 0, EdgeId(random.bits()),
         NodeId(random.bits()), NodeId(random.bits()), TypeId(static_cast<uint32_t>(random.bits())),
         random.bytes(40), random.texts(), random.texts()});
  record.graph.next_node = NodeId(random.bits());
  record.graph.next_edge = EdgeId(random.bits());
  for (uint64_t i = random.below(3); i > 0; --i) {
    SeriesDeletion& deletion = record.series.deletions.emplace_back();
    deletion.hypertable = HypertableId(static_cast<uint32_t>(random.bits()));
    deletion.range = {Timestamp(static_cast<int64_t>(random.bits())), Timestamp(static_cast<int64_t>(random.bits()))};
    for (uint64_t j = random.below(4); j > 0; --j) deletion.series.emplace_back(random.bits());
    std::sort(deletion.series.begin(), deletion.series.end());
  }
  record.series.runs = random.bytes(200);
  record.series.relogged = random.below(2) == 0;
  return record;
}

bool same(const NodeChange& a, const NodeChange& b) {
  return a.kind == b.kind && a.id == b.id && a.value == b.value &&
         a.labels_added == b.labels_added && a.labels_removed == b.labels_removed &&
         a.index_put == b.index_put && a.index_removed == b.index_removed;
}
bool same(const EdgeChange& a, const EdgeChange& b) {
  return a.kind == b.kind && a.created == b.created && a.id == b.id && a.source == b.source &&
         a.target == b.target && a.type == b.type && a.properties == b.properties &&
         a.index_put == b.index_put && a.index_removed == b.index_removed;
}
bool same(const SeriesDeletion& a, const SeriesDeletion& b) {
  return a.hypertable == b.hypertable && a.range.start == b.range.start && a.range.limit == b.range.limit && a.series == b.series;
}
template <typename T>
bool all_same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}
bool same(const CommitRecord& a, const CommitRecord& b) {
  return all_same(a.graph.nodes, b.graph.nodes) && all_same(a.graph.edges, b.graph.edges) &&
         a.graph.next_node == b.graph.next_node && a.graph.next_edge == b.graph.next_edge &&
         all_same(a.series.deletions, b.series.deletions) && a.series.runs == b.series.runs &&
         a.series.relogged == b.series.relogged;
}

}  // namespace

TEST_CASE("an empty record is no bytes, and no bytes are an empty record") {
  CHECK(encode_commit_record({}).empty());
  const auto decoded = decode_commit_record({});
  REQUIRE(decoded.ok());
  CHECK(decoded->empty());
}

TEST_CASE("random records come back as they were written") {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const CommitRecord record = random_record(random);
    if (record.empty()) continue;
    const auto decoded = decode_commit_record(encode_commit_record(record));
    REQUIRE(decoded.ok());
    REQUIRE(same(record, *decoded));
  }
}

TEST_CASE("a record is read at any alignment") {
  Random random(2);
  CommitRecord record = random_record(random);
  record.series.runs = "runs";
  const std::string bytes = encode_commit_record(record);
  for (size_t shift = 0; shift < 8; ++shift) {
    const std::string moved = std::string(shift, 'x') + bytes;
    const auto decoded = decode_commit_record(std::string_view(moved).substr(shift));
    REQUIRE(decoded.ok());
    CHECK(same(record, *decoded));
  }
}

TEST_CASE("a record that was cut is damaged, not an empty or a shorter one") {
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const CommitRecord record = random_record(random);
    const std::string bytes = encode_commit_record(record);
    for (size_t size = 1; size < bytes.size(); ++size) {
      const auto decoded = decode_commit_record(bytes.substr(0, size));
      REQUIRE(decoded.status().code() == StatusCode::kCorrupt);
    }
  }
}

TEST_CASE("changed bytes give a record or damage, never a crash") {
  Random random(4);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = encode_commit_record(random_record(random));
    if (bytes.empty()) continue;
    for (int j = 0; j < 30; ++j) {
      std::string changed = bytes;
      for (uint64_t k = 1 + random.below(4); k > 0; --k)
        changed[random.below(changed.size())] = static_cast<char>(random.below(256));
      const auto decoded = decode_commit_record(changed);
      if (!decoded.ok()) CHECK(decoded.status().code() == StatusCode::kCorrupt);
    }
  }
}

TEST_CASE("random bytes give a record or damage, never a crash") {
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = random.bytes(25 * 8);
    // Words of small numbers get further than random ones: they look like counts and pointers.
    if (i % 2 == 0)
      for (size_t at = 0; at < bytes.size(); ++at)
        if (at % 4 != 0) bytes[at] = 0;
    if (i % 3 == 0) bytes.resize(bytes.size() / 8 * 8);
    const auto decoded = decode_commit_record(bytes);
    if (!decoded.ok()) CHECK(decoded.status().code() == StatusCode::kCorrupt);
  }
}
