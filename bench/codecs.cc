// The codecs of chunk files alone: how fast stripes are encoded and decoded, and how small they are. The subjects are the sets of
// kernels that this processor runs, one per instruction set; all give the same bytes.
//
// Each data set is made for one codec and says so when another was chosen. Stripes are encoded and decoded block by block, by the
// calls that chunk files are written and read with, from and to memory that
// stays in the cache; time is what the processor spends on this thread.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <random>

#include "bench/harness.h"
#include "timeseries/codecs/column_codec.h"
#include "timeseries/codecs/double_codec.h"
#include "timeseries/codecs/integer_codec.h"
#include "timeseries/codecs/kernels.h"
#include "timeseries/codecs/text_codec.h"

namespace bench {
namespace {

using namespace braid;

constexpr size_t kBlocks = 64;
constexpr size_t kRows = kBlocks * kBlockRowsMax;

using Random = std::mt19937_64;

struct DataSet {
  std::string_view name;
  FieldType type;
  uint8_t codec;           // the stripe's second byte
  double decode_at_least;  // G values/s; 0: no target
  std::function<void(Random&, PointColumn&)> fill;
};

template <typename Codec>
uint8_t codec(Codec value) {
  return static_cast<uint8_t>(value);
}

auto integers(std::function<int64_t(Random&, size_t)> make) {
  return [make](Random& random, PointColumn& out) {
    for (size_t i = 0; i < kRows; ++i) out.integers.push_back(make(random, i));
  };
}
auto doubles(std::function<double(Random&, size_t)> make) {
  return [make](Random& random, PointColumn& out) {
    for (size_t i = 0; i < kRows; ++i) out.reals.push_back(make(random, i));
  };
}

int64_t below(Random& random, uint64_t limit) { return static_cast<int64_t>(random() % limit); }
double unit(Random& random) { return static_cast<double>(random() >> 11) / 9007199254740992.0; }

/// The walk of TSBS: steps of a normal distribution within 0 to 100; a scale of 0 keeps all digits.
auto walk(double scale) {
  return [scale](Random& random, PointColumn& out) {
    std::normal_distribution<double> step;
    double value = 50;
    for (size_t i = 0; i < kRows; ++i) {
      value = std::min(100.0, std::max(0.0, value + step(random)));
      out.reals.push_back(scale == 0 ? value : std::round(value * scale) / scale);
    }
  };
}

void fill_states(Random& random, PointColumn& out) {
  static constexpr std::string_view kStates[] = {"running", "stopped", "starting", "failed", "in maintenance"};
  for (size_t i = 0; i < kRows; ++i) out.texts.push_back(kStates[random() % std::size(kStates)]);
}

std::vector<DataSet> data_sets() {
  constexpr int64_t kStart = 1'451'606'400'000'000;
  const auto scattered = [](uint64_t number) { return static_cast<int64_t>(number * 0x9e3779b97f4a7c15); };
  return {
      {"constant", FieldType::kInt64, codec(IntegerCodec::kConstant), 2, integers([](Random&, size_t) { return 42; })},
      {"sequence", FieldType::kInt64, codec(IntegerCodec::kSequence), 2,
       integers([=](Random&, size_t i) { return kStart + static_cast<int64_t>(i) * 10'000'000; })},
      {"frame", FieldType::kInt64, codec(IntegerCodec::kFrame), 2, integers([](Random& random, size_t) { return below(random, 1000); })},
      {"frame_patched", FieldType::kInt64, codec(IntegerCodec::kFrame), 2,
       integers([](Random& random, size_t) { return random() % 100 == 0 ? below(random, 1'000'000'000) : below(random, 100); })},
      {"delta", FieldType::kInt64, codec(IntegerCodec::kDelta), 1,
       integers([=](Random& random, size_t i) { return kStart + static_cast<int64_t>(i) * 10'000'000 + below(random, 1000); })},
      {"delta_of_delta", FieldType::kInt64, codec(IntegerCodec::kDeltaOfDelta), 1,
       integers([](Random& random, size_t i) { return static_cast<int64_t>(i * i * 3) + below(random, 2); })},
      {"run_length", FieldType::kInt64, codec(IntegerCodec::kRunLength), 2,
       integers([=](Random&, size_t i) { return scattered(i / 50) >> 20; })},
      {"dictionary", FieldType::kInt64, codec(IntegerCodec::kDictionary), 2,
       integers([=](Random& random, size_t) { return scattered(random() % 100); })},
      {"raw", FieldType::kInt64, codec(IntegerCodec::kRaw), 2, integers([](Random& random, size_t) { return static_cast<int64_t>(random()); })},
      {"booleans", FieldType::kBool, codec(IntegerCodec::kFrame), 2, integers([](Random& random, size_t) { return below(random, 2); })},
      {"alp_whole", FieldType::kDouble, codec(DoubleCodec::kAlp), 1, walk(1)},
      {"alp_two_decimals", FieldType::kDouble, codec(DoubleCodec::kAlp), 1, walk(100)},
      {"bits_walk", FieldType::kDouble, codec(DoubleCodec::kBits), 1, walk(0)},
      {"bits_dictionary", FieldType::kDouble, codec(DoubleCodec::kBits), 2,
       doubles([](Random& random, size_t) { return std::sqrt(static_cast<double>(random() % 9) + 0.5); })},
      {"alp_real", FieldType::kDouble, codec(DoubleCodec::kAlpReal), 1, doubles([](Random& random, size_t) { return (unit(random) - 0.5) * 20; })},
      {"text_dictionary", FieldType::kText, codec(TextCodec::kBlockDictionary), 0, fill_states},
  };
}

std::vector<std::string> encode(const PointColumn& column) {
  std::vector<std::string> out(kBlocks);
  for (size_t block = 0; block < kBlocks; ++block) encode_column(column, block * kBlockRowsMax, kBlockRowsMax, out[block]);
  return out;
}

void decode(std::string_view stripe, PointColumn& out) {
  if (!decode_column(stripe, kBlockRowsMax, out)) fail("a stripe cannot be decoded");
}

/// Every block comes back bit by bit, or the program ends.
void check(const DataSet& set, const PointColumn& column, const std::vector<std::string>& stripes) {
  PointColumn back(set.type);
  size_t others = 0;
  for (size_t block = 0; block < kBlocks; ++block) {
    decode(stripes[block], back);
    for (size_t row = 0; row < kBlockRowsMax; ++row) {
      const FieldValue expected = column.value(block * kBlockRowsMax + row);
      const FieldValue got = back.value(row);
      if (got.is_null || got.integer != expected.integer || got.text != expected.text ||
          std::bit_cast<uint64_t>(got.real) != std::bit_cast<uint64_t>(expected.real))
        fail(fmt::format("{}: row {} of block {} is another after decoding", set.name, row, block));
    }
    if (static_cast<uint8_t>(stripes[block][1]) != set.codec) ++others;
  }
  if (others > kBlocks / 8) fail(fmt::format("{}: {} of {} blocks took another codec", set.name, others, kBlocks));
}

/// Seconds that the processor worked for this thread: other programs on the machine do not count.
double worked_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Values a second of `once`, which handles all blocks: the best of its calls, since what disturbs them only makes them slower.
double rate(double seconds, const std::function<void()>& once) {
  const double start = now_seconds();
  double best = 1e9;
  while (now_seconds() < start + seconds) {
    const double before = worked_seconds();
    once();
    best = std::min(best, worked_seconds() - before);
  }
  return kRows / best;
}

void measure(Report& report, const DataSet& set, const PointColumn& column, std::string_view subject, double seconds) {
  const std::vector<std::string> stripes = encode(column);
  check(set, column, stripes);
  size_t bytes = 0;
  for (const std::string& stripe : stripes) bytes += stripe.size();
  const std::string name(set.name);
  std::string out;
  const double encoded = rate(seconds, [&] {
    for (size_t block = 0; block < kBlocks; ++block) {
      out.clear();
      encode_column(column, block * kBlockRowsMax, kBlockRowsMax, out);
    }
  });
  PointColumn back(set.type);
  const double decoded = rate(seconds, [&] {
    for (const std::string& stripe : stripes) decode(stripe, back);
  });
  report.add(name + "_encode", subject, 1e9 / encoded, "ns/value");
  report.add(name + "_decode", subject, decoded / 1e9, "G values/s");
  report.add(name + "_bytes", subject, static_cast<double>(bytes) / kRows, "bytes/value");
}

int run(int argc, char** argv) {
  std::vector<std::string> subjects;
  for (const CodecKernels& kernels : supported_codec_kernels()) subjects.emplace_back(kernels.name);
  const Arguments arguments = parse_arguments(argc, argv, "The codecs of chunk files, by instruction set.", subjects);
  Report report("codecs");
  const std::vector<DataSet> sets = data_sets();
  for (int round = 0; round < arguments.rounds; ++round) {
    for (const DataSet& set : sets) {
      Random random(1);
      PointColumn column(set.type);
      set.fill(random, column);
      column.loaded = true;
      for (const CodecKernels& kernels : supported_codec_kernels()) {
        if (!arguments.selected(kernels.name)) continue;
        choose_codec_kernels(kernels);
        // A turn is shared by all that is measured in it.
        measure(report, set, column, kernels.name, arguments.seconds / static_cast<double>(2 * sets.size()));
      }
    }
  }
  for (const DataSet& set : sets) {
    const std::string metric = std::string(set.name) + "_decode";
    if (set.decode_at_least > 0) report.expect({metric, subjects.back()}, {Bound::Kind::kAtLeast, set.decode_at_least});
  }
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
