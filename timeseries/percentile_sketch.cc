#include "timeseries/percentile_sketch.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "engine/coding.h"

namespace braid {

namespace {

constexpr double kError = 0.001;
constexpr double kGrowth = (1 + kError) / (1 - kError);
constexpr size_t kPendingMax = 4096;
constexpr uint32_t kLevelMax = 12;  // all doubles fit into fewer buckets than there may be
/// Of infinity. log(DBL_MAX) / log(kGrowth) is so far below that they share a bucket at no level.
constexpr int32_t kIndexMax = 400'000;
constexpr char kMagic[] = "BPS1";

/// ceil(index / 2^level)
int32_t raised(int32_t index, uint32_t level) { return -((-index) >> level); }

}  // namespace

int32_t PercentileSketch::index_of(double magnitude) {
  static const double kScale = 1 / std::log(kGrowth);
  return std::isinf(magnitude) ? kIndexMax : static_cast<int32_t>(std::ceil(std::log(magnitude) * kScale));
}

/// The number that is off by the same share from both bounds of the bucket.
double PercentileSketch::value_of(int32_t index) const {
  const double growth = std::pow(kGrowth, std::ldexp(1, static_cast<int>(level_)));
  if (index >= raised(kIndexMax, level_)) return std::numeric_limits<double>::infinity();
  return std::min(std::pow(growth, index - 1) * (2 / (1 / growth + 1)), DBL_MAX);
}

double PercentileSketch::error() const {
  const double growth = std::pow(kGrowth, std::ldexp(1, static_cast<int>(level_)));
  return (growth - 1) / (growth + 1);
}

void PercentileSketch::add(double value) {
  if (std::isnan(value)) return;
  least_ = count_ == 0 ? value : std::min(least_, value);
  greatest_ = count_ == 0 ? value : std::max(greatest_, value);
  ++count_;
  if (value == 0) {
    ++zeros_;
    return;
  }
  (value < 0 ? pending_negative_ : pending_positive_).push_back(index_of(std::abs(value)));
  if (pending_negative_.size() + pending_positive_.size() >= kPendingMax) settle();
}

void PercentileSketch::join(Buckets& buckets) {
  std::sort(buckets.begin(), buckets.end(), [](const Bucket& a, const Bucket& b) { return a.index < b.index; });
  size_t kept = 0;
  for (const Bucket& bucket : buckets) {
    if (kept > 0 && buckets[kept - 1].index == bucket.index)
      buckets[kept - 1].count += bucket.count;
    else
      buckets[kept++] = bucket;
  }
  buckets.resize(kept);
}

void PercentileSketch::settle() {
  for (auto [pending, buckets] : {std::pair(&pending_negative_, &negative_), std::pair(&pending_positive_, &positive_)}) {
    for (const int32_t index : *pending) buckets->push_back({raised(index, level_), 1});
    if (!pending->empty()) join(*buckets);
    pending->clear();
  }
  while (negative_.size() + positive_.size() > kBucketsMax) collapse();
}

void PercentileSketch::collapse() {
  ++level_;
  for (Buckets* buckets : {&negative_, &positive_}) {
    for (Bucket& bucket : *buckets) bucket.index = raised(bucket.index, 1);
    join(*buckets);
  }
}

void PercentileSketch::merge(PercentileSketch other) {
  if (other.count_ == 0) return;
  settle();
  other.settle();
  while (level_ < other.level_) collapse();
  while (other.level_ < level_) other.collapse();
  least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
  greatest_ = count_ == 0 ? other.greatest_ : std::max(greatest_, other.greatest_);
  count_ += other.count_;
  zeros_ += other.zeros_;
  negative_.insert(negative_.end(), other.negative_.begin(), other.negative_.end());
  positive_.insert(positive_.end(), other.positive_.begin(), other.positive_.end());
  join(negative_);
  join(positive_);
  settle();
}

std::optional<double> PercentileSketch::quantile(double fraction) {
  if (count_ == 0) return std::nullopt;
  settle();
  // The ends are known exactly.
  if (fraction <= 0) return least_;
  if (fraction >= 1) return greatest_;
  auto left = static_cast<uint64_t>(std::floor(fraction * static_cast<double>(count_ - 1)));
  const auto found = [&](uint64_t here) {
    if (left < here) return true;
    left -= here;
    return false;
  };
  const auto answer = [&](double value) { return std::clamp(value, least_, greatest_); };
  for (auto bucket = negative_.rbegin(); bucket != negative_.rend(); ++bucket)
    if (found(bucket->count)) return answer(-value_of(bucket->index));
  if (found(zeros_)) return answer(0);
  for (const Bucket& bucket : positive_)
    if (found(bucket.count)) return answer(value_of(bucket.index));
  return greatest_;
}

std::optional<double> PercentileSketch::rank(double value) {
  if (count_ == 0 || std::isnan(value)) return std::nullopt;
  settle();
  const int32_t index = value == 0 ? 0 : raised(index_of(std::abs(value)), level_);
  uint64_t below = 0;
  for (const Bucket& bucket : negative_)
    if (value >= 0 || bucket.index > index) below += bucket.count;
  if (value > 0) below += zeros_;
  for (const Bucket& bucket : positive_)
    if (value > 0 && bucket.index < index) below += bucket.count;
  return static_cast<double>(below) / static_cast<double>(count_);
}

std::string PercentileSketch::encode() {
  settle();
  std::string out(kMagic, 4);
  append_varint(out, level_);
  append_varint(out, zeros_);
  append_double(out, least_);
  append_double(out, greatest_);
  for (const Buckets* buckets : {&negative_, &positive_}) {
    append_varint(out, buckets->size());
    for (const Bucket& bucket : *buckets) {
      append_varint(out, zigzag(bucket.index));
      append_varint(out, bucket.count);
    }
  }
  return out;
}

Result<PercentileSketch> PercentileSketch::decode(std::string_view bytes) {
  const Status wrong(StatusCode::kInvalidArgument, "the bytes are no percentile sketch; percentile_agg makes one");
  ByteReader in(bytes);
  PercentileSketch sketch;
  std::string_view magic;
  uint64_t level = 0;
  if (!in.bytes(4, magic) || magic != std::string_view(kMagic, 4) || !in.varint(level) || level > kLevelMax) return wrong;
  if (!in.varint(sketch.zeros_) || !in.real(sketch.least_) || !in.real(sketch.greatest_)) return wrong;
  if (!(sketch.least_ <= sketch.greatest_)) return wrong;  // NaN too
  sketch.level_ = static_cast<uint32_t>(level);
  sketch.count_ = sketch.zeros_;
  const int64_t index_max = (kIndexMax >> level) + 1;
  for (Buckets* buckets : {&sketch.negative_, &sketch.positive_}) {
    uint64_t size = 0;
    if (!in.varint(size) || size > kBucketsMax) return wrong;
    for (uint64_t i = 0; i < size; ++i) {
      uint64_t raw = 0;
      uint64_t count = 0;
      if (!in.varint(raw) || !in.varint(count) || count == 0) return wrong;
      const int64_t index = unzigzag(raw);
      if (index < -index_max || index > index_max || (!buckets->empty() && index <= buckets->back().index)) return wrong;
      if (__builtin_add_overflow(sketch.count_, count, &sketch.count_)) return wrong;
      buckets->push_back({static_cast<int32_t>(index), count});
    }
  }
  if (!in.done() || sketch.negative_.size() + sketch.positive_.size() > kBucketsMax) return wrong;
  return sketch;
}

}  // namespace braid
