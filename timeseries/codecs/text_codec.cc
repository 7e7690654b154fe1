#include "timeseries/codecs/text_codec.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "timeseries/codecs/integer_codec.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

struct Distinct {
  std::vector<std::string_view> texts;  ///< in the order of appearance; empty when there are too many to be worth it
  std::vector<int64_t> indexes;
};

Distinct distinct_of(std::span<const std::string_view> values) {
  Distinct out;
  std::unordered_map<std::string_view, int64_t> known;
  out.indexes.reserve(values.size());
  for (const std::string_view value : values) {
    // Neighbours are often equal.
    if (!out.indexes.empty() && value == out.texts[static_cast<size_t>(out.indexes.back())]) {
      out.indexes.push_back(out.indexes.back());
      continue;
    }
    const auto [entry, added] = known.try_emplace(value, static_cast<int64_t>(out.texts.size()));
    if (added) out.texts.push_back(value);
    if (out.texts.size() > values.size() / 2 + 1) return {};
    out.indexes.push_back(entry->second);
  }
  return out;
}

void append_codec(std::string& out, TextCodec codec) { out.push_back(static_cast<char>(codec)); }

/// The dictionary is worth it even for one block, since what it takes there it would take here.
bool put_by_chunk_dictionary(const Distinct& distinct, TextDictionaryBuilder* dictionary, std::string& out) {
  if (dictionary == nullptr || distinct.texts.empty()) return false;
  std::vector<int64_t> places(distinct.texts.size());
  if (!dictionary->add(distinct.texts, places)) return false;
  std::vector<int64_t> indexes(distinct.indexes.size());
  std::transform(distinct.indexes.begin(), distinct.indexes.end(), indexes.begin(),
                 [&](int64_t index) { return places[static_cast<size_t>(index)]; });
  append_codec(out, TextCodec::kChunkDictionary);
  encode_integers(indexes, out);
  return true;
}

bool take_entries(std::span<const int64_t> indexes, std::span<const std::string_view> entries, std::span<std::string_view> out) {
  const Extremes extremes = extremes_of(indexes);
  if (!indexes.empty() && (extremes.low < 0 || extremes.high >= static_cast<int64_t>(entries.size()))) return false;
  std::transform(indexes.begin(), indexes.end(), out.begin(), [&](int64_t index) { return entries[static_cast<size_t>(index)]; });
  return true;
}

bool read_constant(ByteReader& in, std::span<std::string_view> out) {
  std::string_view value;
  if (!read_texts(in, std::span(&value, 1))) return false;
  std::fill(out.begin(), out.end(), value);
  return true;
}

bool read_by_block_dictionary(ByteReader& in, std::span<std::string_view> out) {
  uint64_t count;
  std::array<int64_t, kBlockRowsMax> memory;
  std::array<std::string_view, kBlockRowsMax> entries;
  const auto indexes = std::span(memory).first(out.size());
  if (!in.varint(count) || count > kBlockRowsMax || !decode_integers(in, indexes)) return false;
  const auto used = std::span(entries).first(count);
  return read_texts(in, used) && take_entries(indexes, used, out);
}

bool read_by_chunk_dictionary(ByteReader& in, std::span<std::string_view> out, const TextDictionary* dictionary) {
  std::array<int64_t, kBlockRowsMax> memory;
  const auto indexes = std::span(memory).first(out.size());
  return dictionary != nullptr && decode_integers(in, indexes) && take_entries(indexes, dictionary->texts(), out);
}

}  // namespace

void encode_texts(std::span<const std::string_view> values, TextDictionaryBuilder* dictionary, std::string& out) {
  const Distinct distinct = distinct_of(values);
  if (put_by_chunk_dictionary(distinct, dictionary, out)) return;
  if (distinct.texts.size() == 1) {
    append_codec(out, TextCodec::kConstant);
    return append_texts(out, distinct.texts);
  }
  const size_t start = out.size();
  append_codec(out, TextCodec::kRaw);
  append_texts(out, values);
  if (distinct.texts.empty()) return;
  std::string other;
  append_codec(other, TextCodec::kBlockDictionary);
  append_varint(other, distinct.texts.size());
  encode_integers(distinct.indexes, other);
  append_texts(other, distinct.texts);
  if (other.size() < out.size() - start) out.replace(start, out.size() - start, other);
}

bool decode_texts(ByteReader& in, std::span<std::string_view> out, const TextDictionary* dictionary) {
  uint8_t codec;
  if (out.size() > kBlockRowsMax || !in.fixed(codec)) return false;
  switch (static_cast<TextCodec>(codec)) {
    case TextCodec::kRaw:
      return read_texts(in, out);
    case TextCodec::kConstant:
      return read_constant(in, out);
    case TextCodec::kBlockDictionary:
      return read_by_block_dictionary(in, out);
    case TextCodec::kChunkDictionary:
      return read_by_chunk_dictionary(in, out, dictionary);
  }
  return false;
}

}  // namespace braid
