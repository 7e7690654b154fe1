// Vertices as bits: what a search asks at every edge stays near the processor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/projection.h"

namespace braid {

/// Threads: one at a time.
class VertexSet {
 public:
  /// Empty, for vertices below `count`.
  void reset(size_t count) { words_.assign(count / kWordBits + 1, 0); }
  bool is_sized() const { return !words_.empty(); }
  bool has(Vertex vertex) const { return (words_[vertex / kWordBits] & bit(vertex)) != 0; }
  /// Answers whether it was not in the set.
  bool add(Vertex vertex) {
    uint64_t& word = words_[vertex / kWordBits];
    if ((word & bit(vertex)) != 0) return false;
    word |= bit(vertex);
    return true;
  }
  /// Empties a set that has no others than these.
  void clear(std::span<const Vertex> members) {
    if (members.size() >= words_.size()) {
      std::fill(words_.begin(), words_.end(), 0);
    } else {
      for (const Vertex vertex : members) words_[vertex / kWordBits] = 0;
    }
  }

 private:
  static constexpr size_t kWordBits = 64;
  static uint64_t bit(Vertex vertex) { return uint64_t{1} << (vertex % kWordBits); }

  std::vector<uint64_t> words_;
};

}  // namespace braid
