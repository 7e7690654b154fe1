#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/timeseries/codec_checks.h"
#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/text_codec.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

using Random = std::mt19937_64;

constexpr size_t kSizes[] = {1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 511, 512, 513, 1000, 1023, 1024};

template <typename Value>
struct Shape {
  const char* name;
  std::function<Value(Random&, size_t)> make;
};

template <typename Value>
std::vector<Value> made(const Shape<Value>& shape, Random& random, size_t count) {
  std::vector<Value> out;
  for (size_t i = 0; i < count; ++i) out.push_back(shape.make(random, i));
  return out;
}

int64_t random_below(Random& random, uint64_t limit) { return static_cast<int64_t>(random() % limit); }

const std::vector<Shape<int64_t>>& integer_shapes() {
  static const std::vector<Shape<int64_t>> shapes = {
      {"constant", [](Random&, size_t) { return int64_t{-77}; }},
      {"sequence", [](Random&, size_t i) { return INT64_MAX - 3 + static_cast<int64_t>(i) * -1'000'003; }},
      {"sequence that wraps", [](Random&, size_t i) { return static_cast<int64_t>(i * 0x7fff'ffff'ffff'fff1); }},
      {"small", [](Random& random, size_t) { return random_below(random, 100) - 50; }},
      {"bits", [](Random& random, size_t) { return random_below(random, 2); }},
      {"any", [](Random& random, size_t) { return static_cast<int64_t>(random()); }},
      {"ends", [](Random& random, size_t) { return random() % 2 == 0 ? INT64_MIN : INT64_MAX; }},
      {"high outliers", [](Random& random, size_t) { return random() % 40 == 0 ? static_cast<int64_t>(random() >> 1) : random_below(random, 9); }},
      {"low outliers", [](Random& random, size_t) { return random() % 40 == 0 ? -random_below(random, 1'000'000'000) : random_below(random, 9); }},
      {"outliers on both sides", [](Random& random, size_t) { return random() % 30 == 0 ? static_cast<int64_t>(random()) : random_below(random, 16); }},
      {"times with jitter", [](Random& random, size_t i) { return 1'700'000'000'000'000 + static_cast<int64_t>(i) * 10'000'000 + random_below(random, 1000); }},
      {"times with gaps", [](Random&, size_t i) { return static_cast<int64_t>(i + i / 100 * 1000) * 10'000'000; }},
      {"squares", [](Random&, size_t i) { return static_cast<int64_t>(i * i * 12345); }},
      {"runs", [](Random&, size_t i) { return static_cast<int64_t>(i / 37 * 0x9e3779b97f4a7c15); }},
      {"few far apart", [](Random& random, size_t) { return static_cast<int64_t>(random() % 12 * 0x9e3779b97f4a7c15); }},
      {"walk", [](Random& random, size_t i) {
         static thread_local int64_t value;
         if (i == 0) value = 0;
         return value += random_below(random, 21) - 10;
       }},
  };
  return shapes;
}

double special(uint64_t which) {
  static const double values[] = {0.0, -0.0, INFINITY, -INFINITY, std::bit_cast<double>(uint64_t{0x7ff8'0000'dead'beef}),
                                  std::bit_cast<double>(uint64_t{0xfff0'0000'0000'0001}), 5e-324, -5e-324,
                                  std::numeric_limits<double>::max(), std::numeric_limits<double>::min(), 0.1, 1e22, 1e-22,
                                  2251799813685247.0, 2251799813685248.0, -2251799813685248.0, 4503599627370497.0, 9007199254740993.0};
  return values[which % std::size(values)];
}

double uniform(Random& random) { return static_cast<double>(random() >> 11) / 9007199254740992.0; }

const std::vector<Shape<double>>& double_shapes() {
  static const std::vector<Shape<double>> shapes = {
      {"constant", [](Random&, size_t) { return 0.1; }},
      {"whole", [](Random& random, size_t) { return static_cast<double>(random_below(random, 1000)); }},
      {"whole with zeros", [](Random& random, size_t) { return static_cast<double>(random_below(random, 1000)) * 1e6; }},
      {"two decimals", [](Random& random, size_t) { return std::round(uniform(random) * 1e4) / 100; }},
      {"scaled by a hundredth", [](Random& random, size_t) { return static_cast<double>(random_below(random, 10'000)) * 0.01; }},
      {"fifteen digits", [](Random& random, size_t) { return static_cast<double>(random_below(random, 999'999'999'999'999)) / 1e9; }},
      {"tiny decimals", [](Random& random, size_t) { return static_cast<double>(random_below(random, 1000)) / 1e18; }},
      {"decimals and special values", [](Random& random, size_t i) { return random() % 9 == 0 ? special(random()) : static_cast<double>(i) / 4; }},
      {"special values", [](Random& random, size_t) { return special(random()); }},
      {"first values are no decimals", [](Random& random, size_t i) { return i < 10 ? uniform(random) : static_cast<double>(i) / 8; }},
      {"uniform", [](Random& random, size_t) { return uniform(random); }},
      {"both signs", [](Random& random, size_t) { return (uniform(random) - 0.5) * 20; }},
      {"many magnitudes", [](Random& random, size_t) { return std::exp(uniform(random) * 200 - 100); }},
      {"any bits", [](Random& random, size_t) { return std::bit_cast<double>(random()); }},
      {"few real ones", [](Random& random, size_t) { return std::sqrt(static_cast<double>(random() % 7) + 0.5); }},
      {"runs", [](Random&, size_t i) { return std::sin(static_cast<double>(i / 50)); }},
      {"sine", [](Random&, size_t i) { return std::sin(static_cast<double>(i) / 100); }},
  };
  return shapes;
}

TEST_CASE("packed integers of every width come back, whatever is above the width") {
  Random random(1);
  for (unsigned width = 0; width <= 64; ++width) {
    const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
    for (const size_t count : kSizes) {
      const uint64_t base = random();
      std::vector<int64_t> values(count);
      reference::Values expected(count);
      for (size_t i = 0; i < count; ++i) {
        values[i] = static_cast<int64_t>(random());
        expected[i] = ((static_cast<uint64_t>(values[i]) - base) & mask) + base;
      }
      const std::string bytes = encoded_by_all([&](std::string& out) {
        append_packed(out, values, width, base);
        return true;
      });
      REQUIRE(bytes.size() == packed_bytes(count, width));
      reference::Reader plain(bytes);
      reference::Values read = reference::packed(plain, count, width);
      for (uint64_t& value : read) value += base;
      REQUIRE(read == expected);
      KernelChoice choice;
      for (const CodecKernels& kernels : supported_codec_kernels()) {
        choice.choose(kernels);
        const std::vector<char> exact(bytes.begin(), bytes.end());
        ByteReader in({exact.data(), exact.size()});
        std::vector<int64_t> back(count);
        REQUIRE(read_packed(in, width, back, base));
        REQUIRE(in.done());
        REQUIRE(bits_of(std::span<const int64_t>(back)) == expected);
      }
    }
  }
}

TEST_CASE("integers of every shape and count come back from every codec, as the reference reads them") {
  Random random(2);
  for (const Shape<int64_t>& shape : integer_shapes()) {
    for (const size_t count : kSizes) {
      CAPTURE(shape.name);
      CAPTURE(count);
      check_integers(made(shape, random, count));
    }
  }
}

TEST_CASE("random mixtures of shapes come back from every codec") {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> integers;
    std::vector<double> doubles;
    const size_t count = 1 + random() % kBlockRowsMax;
    while (integers.size() < count) {
      const size_t stretch = std::min(count - integers.size(), static_cast<size_t>(1 + random() % 400));
      const auto more = made(integer_shapes()[random() % integer_shapes().size()], random, stretch);
      integers.insert(integers.end(), more.begin(), more.end());
      const auto more_doubles = made(double_shapes()[random() % double_shapes().size()], random, stretch);
      doubles.insert(doubles.end(), more_doubles.begin(), more_doubles.end());
    }
    CAPTURE(round);
    check_integers(integers);
    check_doubles(doubles);
  }
}

TEST_CASE("doubles of every shape and count come back from every codec, as the reference reads them") {
  Random random(4);
  for (const Shape<double>& shape : double_shapes()) {
    for (const size_t count : kSizes) {
      CAPTURE(shape.name);
      CAPTURE(count);
      check_doubles(made(shape, random, count));
    }
  }
}

TEST_CASE("texts come back from every codec, as the reference reads them") {
  Random random(5);
  for (const size_t count : kSizes) {
    for (const uint64_t distinct : {1, 3, 40, 5000}) {
      for (const bool shared : {false, true}) {
        std::vector<std::string> texts;
        for (size_t i = 0; i < count; ++i) texts.push_back(std::string(random() % 3, 'x') + std::to_string(random() % distinct));
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        TextDictionaryBuilder builder;
        std::string bytes;
        encode_texts(views, shared ? &builder : nullptr, bytes);
        std::string stripe;
        TextDictionary dictionary;
        builder.encode(stripe);
        REQUIRE(dictionary.decode(stripe));
        ByteReader in(bytes);
        std::vector<std::string_view> back(count);
        REQUIRE(decode_texts(in, back, &dictionary));
        REQUIRE(in.done());
        CHECK(back == views);
        reference::Reader plain(bytes);
        CHECK(reference::texts(plain, count, {dictionary.texts().begin(), dictionary.texts().end()}) == texts);
        CHECK(plain.done());
      }
    }
  }
}

TEST_CASE("kernels of all instruction sets agree about order") {
  for (const CodecKernels& kernels : supported_codec_kernels()) {
    for (const size_t count : kSizes) {
      std::vector<int64_t> times(count);
      for (size_t i = 0; i < count; ++i) times[i] = static_cast<int64_t>(i) - 5;
      CHECK(kernels.ascends(times.data(), count));
      for (size_t i = 1; i < count; ++i) {
        const int64_t kept = times[i];
        times[i] = times[i - 1];
        CHECK_FALSE(kernels.ascends(times.data(), count));
        times[i] = kept;
      }
    }
  }
}

}  // namespace
}  // namespace braid
