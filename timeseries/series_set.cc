#include "timeseries/series_set.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "engine/check.h"

namespace braid {
namespace {

constexpr unsigned kWordBits = 64;

uint16_t upper_of(uint32_t number) { return static_cast<uint16_t>(number >> 16); }
uint16_t lower_of(uint32_t number) { return static_cast<uint16_t>(number); }
uint64_t bit_of(uint16_t lower) { return uint64_t{1} << (lower % kWordBits); }

}  // namespace

bool SeriesSet::Part::has(uint16_t lower) const {
  return bits.empty() ? std::binary_search(few.begin(), few.end(), lower) : (bits[lower / kWordBits] & bit_of(lower)) != 0;
}

void SeriesSet::Part::make_bits() {
  if (!bits.empty()) return;
  bits.assign(kWords, 0);
  for (const uint16_t lower : few) bits[lower / kWordBits] |= bit_of(lower);
  few = {};
}

void SeriesSet::Part::make_few_if_small() {
  if (bits.empty() || count > kFewMax) return;
  few.reserve(count);
  for (size_t word = 0; word < kWords; ++word) {
    for (uint64_t left = bits[word]; left != 0; left &= left - 1)
      few.push_back(static_cast<uint16_t>(word * kWordBits + static_cast<size_t>(std::countr_zero(left))));
  }
  bits = {};
}

void SeriesSet::add(uint32_t number) {
  if (parts_.empty() || parts_.back().upper != upper_of(number)) {
    BRAID_ASSERT(parts_.empty() || parts_.back().upper < upper_of(number));
    parts_.push_back({.upper = upper_of(number)});
  }
  Part& part = parts_.back();
  if (part.count == kFewMax) part.make_bits();
  if (part.bits.empty()) part.few.push_back(lower_of(number));
  else part.bits[lower_of(number) / kWordBits] |= bit_of(lower_of(number));
  ++part.count;
  ++size_;
}

void SeriesSet::unite_part(Part& part, const Part& other) {
  if (part.bits.empty() && other.bits.empty() && part.few.size() + other.few.size() <= kFewMax) {
    std::vector<uint16_t> both;
    both.reserve(part.few.size() + other.few.size());
    std::set_union(part.few.begin(), part.few.end(), other.few.begin(), other.few.end(), std::back_inserter(both));
    part.few = std::move(both);
    part.count = static_cast<uint32_t>(part.few.size());
    return;
  }
  part.make_bits();
  for (const uint16_t lower : other.few) part.bits[lower / kWordBits] |= bit_of(lower);
  part.count = 0;
  for (size_t word = 0; word < kWords; ++word) {
    if (!other.bits.empty()) part.bits[word] |= other.bits[word];
    part.count += static_cast<uint32_t>(std::popcount(part.bits[word]));
  }
  part.make_few_if_small();
}

void SeriesSet::unite(const SeriesSet& other) {
  std::vector<Part> united;
  auto own = parts_.begin();
  size_ = 0;
  for (const Part& theirs : other.parts_) {
    for (; own != parts_.end() && own->upper < theirs.upper; ++own) united.push_back(std::move(*own));
    if (own == parts_.end() || own->upper != theirs.upper) {
      united.push_back(theirs);
      continue;
    }
    unite_part(*own, theirs);
    united.push_back(std::move(*own++));
  }
  std::move(own, parts_.end(), std::back_inserter(united));
  parts_ = std::move(united);
  for (const Part& part : parts_) size_ += part.count;
}

void SeriesSet::intersect_part(Part& part, const Part& other) {
  if (!part.bits.empty() && !other.bits.empty()) {
    part.count = 0;
    for (size_t word = 0; word < kWords; ++word) {
      part.bits[word] &= other.bits[word];
      part.count += static_cast<uint32_t>(std::popcount(part.bits[word]));
    }
    part.make_few_if_small();
    return;
  }
  // One of them is a list: what is left is a part of it.
  const Part& list = part.bits.empty() ? part : other;
  const Part& judge = part.bits.empty() ? other : part;
  std::vector<uint16_t> left;
  for (const uint16_t lower : list.few)
    if (judge.has(lower)) left.push_back(lower);
  part.bits = {};
  part.few = std::move(left);
  part.count = static_cast<uint32_t>(part.few.size());
}

void SeriesSet::intersect(const SeriesSet& other) {
  auto theirs = other.parts_.begin();
  size_ = 0;
  for (Part& part : parts_) {
    while (theirs != other.parts_.end() && theirs->upper < part.upper) ++theirs;
    if (theirs != other.parts_.end() && theirs->upper == part.upper) intersect_part(part, *theirs);
    else part.count = 0;
    size_ += part.count;
  }
  std::erase_if(parts_, [](const Part& part) { return part.count == 0; });
}

bool SeriesSet::contains(uint32_t number) const {
  const auto part = std::lower_bound(parts_.begin(), parts_.end(), upper_of(number), [](const Part& one, uint16_t upper) { return one.upper < upper; });
  return part != parts_.end() && part->upper == upper_of(number) && part->has(lower_of(number));
}

std::vector<uint32_t> SeriesSet::numbers() const {
  std::vector<uint32_t> all;
  all.reserve(size_);
  for (const Part& part : parts_) {
    const uint32_t upper = uint32_t{part.upper} << 16;
    for (const uint16_t lower : part.few) all.push_back(upper | lower);
    for (size_t word = 0; word < part.bits.size(); ++word) {
      for (uint64_t left = part.bits[word]; left != 0; left &= left - 1)
        all.push_back(upper | static_cast<uint32_t>(word * kWordBits + static_cast<size_t>(std::countr_zero(left))));
    }
  }
  return all;
}

}  // namespace braid
