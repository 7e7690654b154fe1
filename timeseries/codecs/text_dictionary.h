// Texts that many blocks of a chunk share, kept once per chunk and field. docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/coding.h"

namespace braid {

// Bounds what an open chunk keeps in memory for each text field.
inline constexpr size_t kDictionaryTextsMax = 4096;
inline constexpr size_t kDictionaryBytesMax = 64 << 10;

/// Gathers the texts while a chunk is written.
class TextDictionaryBuilder {
 public:
  /// Fills `indexes` with the places of `texts`, adding those that are new; false, and nothing is added, when they do not fit.
  bool add(std::span<const std::string_view> texts, std::span<int64_t> indexes);
  bool empty() const { return texts_.empty(); }
  /// Appends the stripe.
  void encode(std::string& out) const;

 private:
  std::deque<std::string> texts_;  // never move, since the keys of `known_` point to them
  std::unordered_map<std::string_view, int64_t> known_;
  size_t bytes_ = 0;
};

/// The texts of a stripe that a builder made.
class TextDictionary {
 public:
  /// False on damage.
  bool decode(std::string_view stripe);
  std::span<const std::string_view> texts() const { return texts_; }

 private:
  std::vector<char> bytes_;
  std::vector<std::string_view> texts_;
};

/// Appends texts: their lengths by the integer codec, kBlockRowsMax at a time, then all bytes.
void append_texts(std::string& out, std::span<const std::string_view> texts);
/// Reads out.size() texts as views into what `in` reads; false on damage.
bool read_texts(ByteReader& in, std::span<std::string_view> out);

}  // namespace braid
