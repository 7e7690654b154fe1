// A set of series as numbers below 2^32, packed: in each range of 65,536 numbers a list while there are few, else a bit for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace braid {

/// A value. Source: D. Lemire et al., "Roaring Bitmaps", 2018, section 2, without its runs.
class SeriesSet {
 public:
  /// `number` is greater than all that are in the set.
  void add(uint32_t number);
  void unite(const SeriesSet& other);
  void intersect(const SeriesSet& other);
  size_t size() const { return size_; }
  bool contains(uint32_t number) const;
  /// Ascending.
  std::vector<uint32_t> numbers() const;

 private:
  static constexpr size_t kFewMax = 4096;  // a list of more takes more memory than the bits
  static constexpr size_t kWords = 1024;
  /// The numbers that share their upper half.
  struct Part {
    uint16_t upper = 0;
    uint32_t count = 0;
    std::vector<uint16_t> few;   // ascending; empty when there are bits
    std::vector<uint64_t> bits;  // kWords, or none
    bool has(uint16_t lower) const;
    void make_bits();
    void make_few_if_small();
  };
  static void unite_part(Part& part, const Part& other);
  static void intersect_part(Part& part, const Part& other);

  std::vector<Part> parts_;  // ascending, none of them empty
  size_t size_ = 0;
};

}  // namespace braid
