#include "timeseries/codecs/column_codec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "timeseries/chunk_format.h"
#include "timeseries/codecs/double_codec.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/codecs/stripe_compression.h"
#include "timeseries/codecs/text_codec.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

using Random = std::mt19937_64;

std::vector<uint64_t> bits(const std::vector<double>& values) {
  std::vector<uint64_t> out;
  for (const double value : values) out.push_back(std::bit_cast<uint64_t>(value));
  return out;
}

/// Encodes, decodes and compares; returns the stripe.
std::string round_trip(const PointColumn& column, size_t rows) {
  std::string stripe;
  encode_column(column, 0, rows, stripe);
  PointColumn back(column.type);
  REQUIRE(decode_column(stripe, rows, back));
  REQUIRE(back.integers == column.integers);
  REQUIRE(bits(back.reals) == bits(column.reals));
  REQUIRE(back.texts == column.texts);
  for (size_t row = 0; row < rows; ++row) REQUIRE(back.is_null(row) == column.is_null(row));
  return stripe;
}

std::string round_trip(std::vector<int64_t> values, FieldType type = FieldType::kInt64) {
  PointColumn column(type);
  column.integers = std::move(values);
  return round_trip(column, column.integers.size());
}
std::string round_trip(std::vector<double> values) {
  PointColumn column(FieldType::kDouble);
  column.reals = std::move(values);
  return round_trip(column, column.reals.size());
}
std::string round_trip(const std::vector<std::string>& values) {
  PointColumn column(FieldType::kText);
  column.texts.assign(values.begin(), values.end());
  return round_trip(column, values.size());
}

template <typename Value>
std::vector<Value> made(size_t count, const std::function<Value(size_t)>& make) {
  std::vector<Value> out;
  for (size_t i = 0; i < count; ++i) out.push_back(make(i));
  return out;
}

IntegerCodec integer_codec(const std::string& stripe) {
  return static_cast<IntegerCodec>(stripe[1]);
}
DoubleCodec double_codec(const std::string& stripe) { return static_cast<DoubleCodec>(stripe[1]); }
uint8_t text_codec(const std::string& stripe) { return static_cast<uint8_t>(stripe[1]); }

TEST_CASE("the smallest integer codec is chosen") {
  const auto codec_of = [](size_t count, const std::function<int64_t(size_t)>& make) {
    return integer_codec(round_trip(made<int64_t>(count, make)));
  };
  Random random(2);
  CHECK(codec_of(1000, [](size_t) { return 42; }) == IntegerCodec::kConstant);
  CHECK(codec_of(1000, [](size_t i) {
          return 1'700'000'000'000'000 + static_cast<int64_t>(i * i) * 10'000;
        }) == IntegerCodec::kDeltaOfDelta);
  CHECK(codec_of(1000, [](size_t i) { return static_cast<int64_t>(i) * 10'000'000; }) == IntegerCodec::kSequence);
  CHECK(codec_of(1000, [&](size_t) { return static_cast<int64_t>(random() % 9 * 0x9e3779b97f4a7c15); }) == IntegerCodec::kDictionary);
  CHECK(codec_of(1000, [&](size_t i) {
          return static_cast<int64_t>(i * 1'000'000 + random() % 1000);
        }) == IntegerCodec::kDelta);
  CHECK(codec_of(1000, [&](size_t) { return 5'000'000 + static_cast<int64_t>(random() % 100); }) ==
        IntegerCodec::kFrame);
  CHECK(codec_of(1000, [](size_t i) { return static_cast<int64_t>((i / 20 + 1) * 0x9e3779b97f4a7c15); }) ==
        IntegerCodec::kRunLength);
  CHECK(codec_of(1000, [&](size_t) { return static_cast<int64_t>(random()); }) ==
        IntegerCodec::kRaw);
}

TEST_CASE("the ends of int64 survive every codec") {
  round_trip(std::vector<int64_t>{});
  round_trip(std::vector<int64_t>{INT64_MIN});
  round_trip(std::vector<int64_t>{INT64_MIN, INT64_MAX});
  round_trip(std::vector<int64_t>{INT64_MAX, INT64_MIN, 0, -1, 1, INT64_MAX});
  round_trip(made<int64_t>(1024, [](size_t i) { return i % 2 == 0 ? INT64_MIN : INT64_MAX; }));
  round_trip(made<int64_t>(1024, [](size_t i) { return i < 512 ? INT64_MIN : INT64_MAX; }));
}

TEST_CASE("special doubles keep their bits among decimals, constants and a dictionary") {
  const double nan_payload = std::bit_cast<double>(uint64_t{0x7ff8'0000'dead'beef});
  const std::vector<double> special = {0.0,
                                       -0.0,
                                       INFINITY,
                                       -INFINITY,
                                       NAN,
                                       nan_payload,
                                       5e-324,
                                       1.7976931348623157e308,
                                       0.1,
                                       -0.1,
                                       4503599627370497.0,
                                       9007199254740993.0,
                                       1e22,
                                       123456.789};
  round_trip(special);
  for (const double value : special) {
    round_trip(std::vector<double>{value});
    round_trip(std::vector<double>(100, value));
    auto decimals = made<double>(500, [](size_t i) { return static_cast<double>(i) * 0.25; });
    decimals[0] = decimals[250] = decimals[499] = value;
    round_trip(decimals);
    round_trip(made<double>(500, [&](size_t i) { return i % 3 == 0 ? value : M_PI; }));
  }
}

TEST_CASE("the smallest double codec is chosen") {
  Random random(3);
  const auto codec_of = [](const std::function<double(size_t)>& make) {
    return double_codec(round_trip(made<double>(1000, make)));
  };
  CHECK(codec_of([](size_t) { return -0.0; }) == DoubleCodec::kBits);
  CHECK(codec_of([&](size_t) { return static_cast<double>(random() % 10000) / 100; }) == DoubleCodec::kAlp);
  CHECK(codec_of([&](size_t) { return std::sqrt(static_cast<double>(random() % 5) + 2); }) == DoubleCodec::kBits);
  CHECK(codec_of([&](size_t) { return (static_cast<double>(random() >> 11) / 9007199254740992.0 - 0.5) * 20; }) ==
        DoubleCodec::kAlpReal);
  CHECK(codec_of([&](size_t) { return std::bit_cast<double>(random()); }) == DoubleCodec::kBits);
  const auto size_of = [](const std::function<double(size_t)>& make) { return round_trip(made<double>(1000, make)).size(); };
  CHECK(size_of([](size_t) { return -0.0; }) < 16);
  CHECK(size_of([&](size_t) { return std::sqrt(static_cast<double>(random() % 5) + 2); }) < 450);
  CHECK(size_of([&](size_t) { return static_cast<double>(random() % 1000) / 10; }) < 1400);
}

TEST_CASE("a walk of TSBS takes as many bytes a value as are aimed at") {
  const auto bytes_of = [](double scale) {
    Random random(9);
    std::normal_distribution<double> step;
    double value = 50;
    return static_cast<double>(round_trip(made<double>(1024, [&](size_t) {
                                 value = std::clamp(value + step(random), 0.0, 100.0);
                                 return scale == 0 ? value : std::round(value * scale) / scale;
                               })).size()) /
           1024;
  };
  CHECK(bytes_of(1) < 0.5);
  CHECK(bytes_of(100) < 1.3);
  CHECK(bytes_of(0) < 7.0);
}

TEST_CASE("booleans take a bit each, or none") {
  CHECK(round_trip(std::vector<int64_t>(1000, 1), FieldType::kBool).size() == 3);
  CHECK(round_trip(std::vector<int64_t>(1000, 0), FieldType::kBool).size() == 3);
  const auto mixed = made<int64_t>(1000, [](size_t i) { return i % 3 == 0 ? 1 : 0; });
  CHECK(round_trip(mixed, FieldType::kBool).size() == 4 + 128);
}

TEST_CASE("texts come back from every codec") {
  Random random(4);
  const auto random_text = [&](size_t) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  round_trip(std::vector<std::string>{""});
  CHECK(text_codec(round_trip(made<std::string>(20, random_text))) ==
        static_cast<uint8_t>(TextCodec::kRaw));
  CHECK(text_codec(round_trip(std::vector<std::string>(900, "same"))) ==
        static_cast<uint8_t>(TextCodec::kConstant));
  CHECK(text_codec(round_trip(made<std::string>(100, [](size_t i) {
          return "state " + std::to_string(i % 3);
        }))) == static_cast<uint8_t>(TextCodec::kBlockDictionary));
  const auto sentences = made<std::string>(
      900, [](size_t i) { return "request " + std::to_string(i) + " was served"; });
  const std::string compressed = round_trip(sentences);
  CHECK(is_compressed(compressed));
  CHECK(compressed.size() < 10000);
  round_trip(std::vector<std::string>{std::string(100000, 'x'), "y"});
}

TEST_CASE("nulls are kept for every type, in any pattern") {
  Random random(5);
  for (const FieldType type : {FieldType::kDouble, FieldType::kInt64, FieldType::kBool,
                               FieldType::kText, FieldType::kJson}) {
    for (const unsigned of_ten : {0u, 1u, 5u, 9u, 10u}) {
      for (const size_t rows : {size_t{1}, size_t{9}, size_t{1024}}) {
        PointColumn column(type);
        ColumnData data{.type = type};
        for (size_t row = 0; row < rows; ++row) {
          const bool null = random() % 10 < of_ten;
          column.nulls.push_back(null ? 1 : 0);
          const auto value = null ? int64_t{0} : static_cast<int64_t>(random() % 2);
          if (type == FieldType::kDouble) column.reals.push_back(static_cast<double>(value));
          if (type == FieldType::kInt64 || type == FieldType::kBool)
            column.integers.push_back(value);
          if (type == FieldType::kText || type == FieldType::kJson)
            column.texts.emplace_back(null ? "" : "text");
        }
        round_trip(column, rows);
      }
    }
  }
}

/// Decodes a copy of the exact size, so that a read past its end is found.
void check_bounds(FieldType type, const std::string& stripe, size_t rows) {
  const std::vector<char> exact(stripe.begin(), stripe.end());
  PointColumn out(type);
  if (!decode_column({exact.data(), exact.size()}, rows, out)) return;
  CHECK(rows <= kBlockRowsMax);
  CHECK(out.integers.size() + out.reals.size() + out.texts.size() == rows);
  size_t bytes = 0;
  for (const std::string_view text : out.texts) bytes += text.empty() ? 0 : static_cast<unsigned char>(text.back());
  CHECK(bytes < kInflatedBytesMax);
}

TEST_CASE("a damaged stripe of any codec is refused or decodes to something, within bounds") {
  Random random(6);
  std::vector<std::pair<FieldType, std::string>> stripes;
  const auto keep = [&](FieldType type, std::string stripe) {
    stripes.emplace_back(type, std::move(stripe));
  };
  for (const size_t rows : {3, 40, 700}) {
    keep(FieldType::kInt64, round_trip(made<int64_t>(rows, [&](size_t) {
           return static_cast<int64_t>(random() % 99);
         })));
    keep(FieldType::kInt64,
         round_trip(made<int64_t>(rows, [](size_t i) { return static_cast<int64_t>(i * i); })));
    keep(FieldType::kInt64,
         round_trip(made<int64_t>(rows, [](size_t i) { return static_cast<int64_t>(i / 9 * 7); })));
    keep(FieldType::kDouble, round_trip(made<double>(rows, [](size_t i) {
           return i == 2 ? NAN : static_cast<double>(i) / 8;
         })));
    keep(FieldType::kDouble, round_trip(made<double>(rows, [](size_t i) {
           return std::sqrt(static_cast<double>(i % 3));
         })));
    keep(FieldType::kBool,
         round_trip(made<int64_t>(rows, [](size_t i) { return i % 2 == 0 ? 1 : 0; }),
                    FieldType::kBool));
    keep(FieldType::kText,
         round_trip(made<std::string>(rows, [](size_t i) { return "t" + std::to_string(i % 4); })));
    keep(FieldType::kText, round_trip(made<std::string>(
                               rows, [](size_t i) { return "long text " + std::to_string(i); })));
    keep(FieldType::kText, round_trip(std::vector<std::string>(rows, "one")));
  }
  for (const auto& [type, whole] : stripes) {
    for (int i = 0; i < 600; ++i) {
      std::string stripe = whole;
      for (uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
        stripe[random() % stripe.size()] = static_cast<char>(random());
      }
      if (random() % 4 == 0) stripe.resize(random() % (stripe.size() + 1));
      check_bounds(type, stripe, random() % 3 == 0 ? random() % (kBlockRowsMax + 5) : 40);
    }
  }
}

TEST_CASE("a stripe of any codec with any byte changed or cut anywhere stays within bounds") {
  Random random(7);
  constexpr size_t kRows = 100;
  const auto integers = made<int64_t>(kRows, [&](size_t i) {
    return random() % 20 == 0 ? static_cast<int64_t>(random()) : static_cast<int64_t>(i / 3 * 5);
  });
  const auto doubles = made<double>(kRows, [&](size_t i) { return i % 20 == 7 ? M_PI * static_cast<double>(i) : static_cast<double>(i) / 4; });
  const std::string no_nulls(1, static_cast<char>(NullMap::kNone));
  std::vector<std::pair<FieldType, std::string>> stripes;
  for (const IntegerCodec codec : kIntegerCodecs) {
    const bool flat = codec == IntegerCodec::kConstant;
    const bool even = codec == IntegerCodec::kSequence;
    const auto line = made<int64_t>(kRows, [&](size_t i) { return static_cast<int64_t>(flat ? 7 : 7 * i); });
    std::string stripe = no_nulls;
    REQUIRE(encode_integers_as(codec, flat || even ? line : integers, stripe));
    stripes.emplace_back(FieldType::kInt64, stripe);
    stripes.emplace_back(FieldType::kBool, stripe);
  }
  for (const DoubleCodec codec : kDoubleCodecs) {
    std::string stripe = no_nulls;
    REQUIRE(encode_doubles_as(codec, doubles, stripe));
    stripes.emplace_back(FieldType::kDouble, stripe);
  }
  for (const size_t distinct : {size_t{1}, size_t{5}, kRows}) {
    stripes.emplace_back(FieldType::kText, round_trip(made<std::string>(kRows, [&](size_t i) { return "text " + std::to_string(i % distinct); })));
  }
  for (const auto& [type, whole] : stripes) {
    for (size_t i = 0; i < whole.size(); ++i) {
      check_bounds(type, whole.substr(0, i), kRows);
      for (unsigned bit = 0; bit < 8; ++bit) {
        std::string stripe = whole;
        stripe[i] = static_cast<char>(stripe[i] ^ (1 << bit));
        check_bounds(type, stripe, kRows);
      }
    }
  }
}

TEST_CASE("a stripe that zstd shrinks by a tenth is compressed when that is asked for") {
  PointColumn column(FieldType::kInt64);
  Random random(8);
  for (size_t i = 0; i < 1000; ++i) column.integers.push_back(i < 600 ? static_cast<int64_t>(random()) : column.integers[i - 600]);
  std::string plain;
  std::string small;
  encode_column(column, 0, 1000, plain);
  encode_column(column, 0, 1000, small, {.compress = true});
  CHECK_FALSE(is_compressed(plain));
  CHECK(is_compressed(small));
  CHECK(small.size() <= plain.size() - plain.size() / 10);
  PointColumn back(FieldType::kInt64);
  REQUIRE(decode_column(small, 1000, back));
  CHECK(back.integers == column.integers);
  for (int64_t& value : column.integers) value = static_cast<int64_t>(random());
  std::string hard;
  encode_column(column, 0, 1000, hard, {.compress = true});
  CHECK_FALSE(is_compressed(hard));
  std::string times;
  encode_times(std::vector<int64_t>(column.integers), times, {.compress = true});
  std::vector<int64_t> read;
  CHECK_FALSE(decode_times(times, 1000, read));  // they do not ascend
}

// A stripe is stored, so a change of these bytes is a change of the format: raise kChunkVersion. No stripe here is compressed,
// because another version of zstd may give other bytes.
TEST_CASE("the bytes of every codec are those of this version of the format") {
  std::string all;
  const auto integers = made<int64_t>(200, [](size_t i) { return static_cast<int64_t>(i * i % 97 + (i == 50 ? 100'000 : 0)); });
  const auto doubles = made<double>(200, [](size_t i) { return i % 50 == 3 ? std::sqrt(static_cast<double>(i)) : static_cast<double>(i % 31) / 4; });
  for (const IntegerCodec codec : kIntegerCodecs) {
    const auto line = made<int64_t>(200, [&](size_t i) { return static_cast<int64_t>(codec == IntegerCodec::kConstant ? 7 : 7 * i); });
    const bool straight = codec == IntegerCodec::kConstant || codec == IntegerCodec::kSequence;
    REQUIRE(encode_integers_as(codec, straight ? line : integers, all));
  }
  for (const DoubleCodec codec : kDoubleCodecs) REQUIRE(encode_doubles_as(codec, doubles, all));
  TextDictionaryBuilder dictionary;
  const std::vector<std::string_view> texts = {"a", "bb", "a", "a", "ccc", "a"};
  for (const size_t count : {size_t{1}, size_t{2}, size_t{6}}) {
    encode_texts(std::span(texts).first(count), nullptr, all);
    encode_texts(std::span(texts).first(count), &dictionary, all);
  }
  dictionary.encode(all);
  for (const bool all_null : {false, true}) {
    PointColumn column(FieldType::kBool);
    for (size_t i = 0; i < 20; ++i) {
      column.integers.push_back(i % 2 == 0 && !all_null ? 1 : 0);
      column.nulls.push_back(all_null || i % 2 == 1 ? 1 : 0);
    }
    encode_column(column, 0, 20, all);
  }
  CHECK(all.size() == 4763);
  CHECK(stripe_checksum(all) == 8712118510128838311u);
}

}  // namespace

// Without compression the number of texts is the first byte of the stripe, which is that of a compressed one for 128 texts: they could not be read any more.
TEST_CASE("a dictionary of any number of texts comes back, compressed or not") {
  for (size_t count = 1; count <= kDictionaryTextsMax; count += count < 300 ? 1 : 53) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < count; ++i) texts.push_back(std::string(1, static_cast<char>(i * 193 % 251)) + static_cast<char>(i / 251));
    TextDictionaryBuilder builder;
    for (size_t start = 0; start < count; start += kBlockRowsMax) {
      const size_t some = std::min(kBlockRowsMax, count - start);
      const std::vector<std::string_view> part(texts.begin() + static_cast<ptrdiff_t>(start), texts.begin() + static_cast<ptrdiff_t>(start + some));
      std::vector<int64_t> indexes(some);
      REQUIRE(builder.add(part, indexes));
    }
    std::string stripe;
    builder.encode(stripe);
    TextDictionary dictionary;
    CAPTURE(count);
    REQUIRE(dictionary.decode(stripe));
    CHECK(std::equal(texts.begin(), texts.end(), dictionary.texts().begin(), dictionary.texts().end()));
  }
}

}  // namespace braid
