#include "timeseries/codecs/text_codec.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

constexpr size_t kCompressedFromBytes = 512;
constexpr int kCompressionLevel = 1;

// A list of texts: their lengths by the integer codec, then all bytes.
void append_list(std::string& out, std::span<const std::string_view> texts) {
  std::array<int64_t, kBlockRowsMax> lengths;
  for (size_t i = 0; i < texts.size(); ++i) lengths[i] = static_cast<int64_t>(texts[i].size());
  encode_integers(std::span<const int64_t>(lengths.data(), texts.size()), out);
  for (const std::string_view text : texts) out.append(text);
}

bool read_list(ByteReader& in, std::span<std::string_view> out) {
  std::array<int64_t, kBlockRowsMax> lengths;
  if (!decode_integers(in, std::span(lengths.data(), out.size()))) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    if (lengths[i] < 0 || !in.bytes(static_cast<size_t>(lengths[i]), out[i])) return false;
  }
  return true;
}

struct Dictionary {
  std::vector<std::string_view> distinct;
  std::vector<int64_t> indexes;
};

/// Distinct values in the order of appearance; empty when there are too many to be worth it.
Dictionary dictionary_of(std::span<const std::string_view> values) {
  Dictionary out;
  std::unordered_map<std::string_view, int64_t> known;
  out.indexes.reserve(values.size());
  for (const std::string_view value : values) {
    const auto [entry, added] = known.try_emplace(value, static_cast<int64_t>(out.distinct.size()));
    if (added) out.distinct.push_back(value);
    if (out.distinct.size() > values.size() / 2 + 1) return {};
    out.indexes.push_back(entry->second);
  }
  return out;
}

/// The body and which codec it is of.
std::pair<TextCodec, std::string> encode_body(std::span<const std::string_view> values) {
  std::string body;
  const Dictionary dictionary = dictionary_of(values);
  if (dictionary.distinct.size() == 1 && values.size() > 1) {
    append_list(body, dictionary.distinct);
    return {TextCodec::kConstant, std::move(body)};
  }
  append_list(body, values);
  if (dictionary.distinct.empty()) return {TextCodec::kRaw, std::move(body)};
  std::string other;
  append_fixed(other, static_cast<uint16_t>(dictionary.distinct.size()));
  encode_integers(dictionary.indexes, other);
  append_list(other, dictionary.distinct);
  if (other.size() >= body.size()) return {TextCodec::kRaw, std::move(body)};
  return {TextCodec::kDictionary, std::move(other)};
}

/// The compressed body, or "" when it is not smaller by an eighth at least.
std::string compress(const std::string& body) {
  if (body.size() < kCompressedFromBytes || body.size() > kInflatedBytesMax) return {};
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const size_t size =
      ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kCompressionLevel);
  if (ZSTD_isError(size) != 0 || size > body.size() - body.size() / 8) return {};
  out.resize(size);
  return out;
}

bool inflate(ByteReader& in, std::vector<char>& storage) {
  uint64_t size;
  std::string_view bytes;
  if (!in.varint(size) || size > kInflatedBytesMax || !in.bytes(in.remaining(), bytes))
    return false;
  storage.resize(size);
  const size_t got = ZSTD_decompress(storage.data(), storage.size(), bytes.data(), bytes.size());
  return ZSTD_isError(got) == 0 && got == size;
}

bool read_dictionary(ByteReader& in, std::span<std::string_view> out) {
  uint16_t distinct_count;
  if (!in.fixed(distinct_count) || distinct_count > kBlockRowsMax) return false;
  std::array<int64_t, kBlockRowsMax> indexes;
  if (!decode_integers(in, std::span(indexes.data(), out.size()))) return false;
  std::array<std::string_view, kBlockRowsMax> distinct;
  if (!read_list(in, std::span(distinct.data(), distinct_count))) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    if (indexes[i] < 0 || indexes[i] >= distinct_count) return false;
    out[i] = distinct[static_cast<size_t>(indexes[i])];
  }
  return true;
}

bool read_body(TextCodec codec, ByteReader& in, std::span<std::string_view> out) {
  switch (codec) {
    case TextCodec::kRaw:
      return read_list(in, out);
    case TextCodec::kConstant: {
      std::string_view value;
      if (!read_list(in, std::span(&value, 1))) return false;
      std::fill(out.begin(), out.end(), value);
      return true;
    }
    case TextCodec::kDictionary:
      return read_dictionary(in, out);
    case TextCodec::kCompressed:
      return false;  // compressed twice is never written
  }
  return false;
}

}  // namespace

void encode_texts(std::span<const std::string_view> values, std::string& out) {
  const auto [codec, body] = encode_body(values);
  const std::string compressed = compress(body);
  const auto flag = compressed.empty() ? uint8_t{0} : static_cast<uint8_t>(TextCodec::kCompressed);
  out.push_back(static_cast<char>(static_cast<uint8_t>(codec) | flag));
  if (compressed.empty()) {
    out.append(body);
    return;
  }
  append_varint(out, body.size());
  out.append(compressed);
}

bool decode_texts(ByteReader& in, std::span<std::string_view> out, std::vector<char>& storage) {
  uint8_t codec;
  if (out.size() > kBlockRowsMax || !in.fixed(codec)) return false;
  constexpr auto kFlag = static_cast<uint8_t>(TextCodec::kCompressed);
  if ((codec & kFlag) != 0) {
    if (!inflate(in, storage)) return false;
  } else {
    std::string_view rest;
    if (!in.bytes(in.remaining(), rest)) return false;
    storage.assign(rest.begin(), rest.end());
  }
  ByteReader body(std::string_view(storage.data(), storage.size()));
  const auto plain = static_cast<TextCodec>(codec & static_cast<uint8_t>(~kFlag));
  return read_body(plain, body, out) && body.done();
}

}  // namespace braid
