#include "timeseries/codecs/text_dictionary.h"

#include <algorithm>
#include <array>

#include "timeseries/codecs/integer_codec.h"
#include "timeseries/codecs/stripe_compression.h"
#include "timeseries/point_block.h"

namespace braid {

void append_texts(std::string& out, std::span<const std::string_view> texts) {
  for (size_t start = 0; start < texts.size(); start += kBlockRowsMax) {
    const auto some = texts.subspan(start, std::min(kBlockRowsMax, texts.size() - start));
    std::array<int64_t, kBlockRowsMax> lengths;
    std::transform(some.begin(), some.end(), lengths.begin(), [](std::string_view text) { return static_cast<int64_t>(text.size()); });
    encode_integers(std::span(lengths).first(some.size()), out);
  }
  for (const std::string_view text : texts) out.append(text);
}

bool read_texts(ByteReader& in, std::span<std::string_view> out) {
  // A text's length is kept as the size of a view until its bytes are known.
  std::vector<int64_t> more_lengths;
  std::array<int64_t, kBlockRowsMax> few_lengths;
  if (out.size() > kBlockRowsMax) more_lengths.resize(out.size());
  const std::span<int64_t> lengths = more_lengths.empty() ? std::span(few_lengths).first(out.size()) : std::span(more_lengths);
  for (size_t start = 0; start < lengths.size(); start += kBlockRowsMax) {
    if (!decode_integers(in, lengths.subspan(start, std::min(kBlockRowsMax, lengths.size() - start)))) return false;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (lengths[i] < 0 || !in.bytes(static_cast<size_t>(lengths[i]), out[i])) return false;
  }
  return true;
}

bool TextDictionaryBuilder::add(std::span<const std::string_view> texts, std::span<int64_t> indexes) {
  size_t added = 0;
  size_t added_bytes = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto found = known_.find(texts[i]);
    indexes[i] = found == known_.end() ? -1 : found->second;
    if (found != known_.end()) continue;
    ++added;
    added_bytes += texts[i].size();
  }
  if (texts_.size() + added > kDictionaryTextsMax || bytes_ + added_bytes > kDictionaryBytesMax) return false;
  for (size_t i = 0; added > 0 && i < texts.size(); ++i) {
    if (indexes[i] >= 0) continue;
    const auto [entry, is_new] = known_.try_emplace(texts_.emplace_back(texts[i]), static_cast<int64_t>(known_.size()));
    if (!is_new) texts_.pop_back();
    indexes[i] = entry->second;
  }
  bytes_ += added_bytes;
  return true;
}

void TextDictionaryBuilder::encode(std::string& out) const {
  const size_t start = out.size();
  const std::vector<std::string_view> texts(texts_.begin(), texts_.end());
  append_varint(out, texts.size());
  append_texts(out, texts);
  compress_stripe(out, start, Effort::kSmall);
}

bool TextDictionary::decode(std::string_view stripe) {
  // The varint of 128, 256 and so on texts begins as a compressed stripe does; what follows it, a codec of integers, begins no compressed bytes.
  if (!is_compressed(stripe) || !inflate_stripe(stripe, bytes_, /*any_byte_first=*/true)) bytes_.assign(stripe.begin(), stripe.end());
  ByteReader in({bytes_.data(), bytes_.size()});
  uint64_t count;
  if (!in.varint(count) || count > kDictionaryTextsMax) return false;
  texts_.resize(count);
  return read_texts(in, texts_) && in.done();
}

}  // namespace braid
