#include "timeseries/codecs/bit_packing.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "timeseries/point_block.h"

namespace braid {
namespace {

constexpr size_t kWordBytes = 8;
constexpr size_t kWordRowBytes = kLanes * kWordBytes;
static_assert(kBlockRowsMax % kLanes == 0);

/// Packed bytes of one call: whole words of all lanes, side by side, and then the bytes that remain, lane after lane.
struct Layout {
  Layout(size_t count, unsigned width)
      : rows(packed_rows(count)), words(rows * width / 64), rest_bytes((rows * width % 64 + 7) / 8) {}
  size_t rows;
  size_t words;
  size_t rest_bytes;
};

/// Safety: int64_t and uint64_t may alias.
uint64_t* unsigned_of(int64_t* values) { return reinterpret_cast<uint64_t*>(values); }

/// Unpacks rows [first, limit) of which the last may be of fewer than kLanes values.
void unpack_rows(const char* words, size_t first_bit, unsigned width, std::span<int64_t> out, uint64_t base) {
  const CodecKernels& kernels = codec_kernels();
  const size_t whole = out.size() / kLanes;
  kernels.unpack(words, first_bit, width, whole, base, unsigned_of(out.data()));
  const size_t rest = out.size() % kLanes;
  if (rest == 0) return;
  std::array<uint64_t, kLanes> last;
  kernels.unpack(words, first_bit + whole * width, width, 1, base, last.data());
  std::memcpy(out.data() + whole * kLanes, last.data(), rest * sizeof(int64_t));
}

}  // namespace

void append_packed(std::string& out, std::span<const int64_t> values, unsigned width, uint64_t base) {
  if (width == 0 || values.empty()) return;
  std::array<int64_t, kBlockRowsMax> padded;
  const int64_t* from = values.data();
  const Layout layout(values.size(), width);
  if (values.size() % kLanes != 0) {
    const auto end = std::copy(values.begin(), values.end(), padded.begin());
    std::fill(end, padded.begin() + static_cast<ptrdiff_t>(layout.rows * kLanes), static_cast<int64_t>(base));
    from = padded.data();
  }
  std::array<uint64_t, kBlockRowsMax> words;
  codec_kernels().pack(from, base, width, layout.rows, words.data());
  const size_t word_count = layout.words * kLanes;
  if constexpr (std::endian::native == std::endian::big) {
    for (uint64_t& word : words) word = to_little_endian(word);
  }
  // Safety: any object may be read as bytes.
  out.append(reinterpret_cast<const char*>(words.data()), word_count * kWordBytes);
  if (layout.rest_bytes == 0) return;
  for (size_t lane = 0; lane < kLanes; ++lane)
    out.append(reinterpret_cast<const char*>(words.data() + word_count + lane), layout.rest_bytes);
}

bool read_packed(ByteReader& in, unsigned width, std::span<int64_t> out, uint64_t base) {
  if (width > kPackedWidthMax || out.size() > kBlockRowsMax) return false;
  if (width == 0 || out.empty()) {
    std::fill(out.begin(), out.end(), static_cast<int64_t>(base));
    return true;
  }
  std::string_view bytes;
  if (!in.bytes(packed_bytes(out.size(), width), bytes)) return false;
  const Layout layout(out.size(), width);
  // The kernel reads one word past the one that a value begins in, so the last word of each lane is read from a copy.
  const size_t copied_from = layout.words == 0 ? 0 : layout.words - 1;
  const size_t direct = (copied_from * 64 + width - 1) / width;
  unpack_rows(bytes.data(), 0, width, out.first(direct * kLanes), base);
  std::array<char, 4 * kWordRowBytes> copy{};
  const size_t whole_bytes = (layout.words - copied_from) * kWordRowBytes;
  std::memcpy(copy.data(), bytes.data() + copied_from * kWordRowBytes, whole_bytes);
  const char* rest = bytes.data() + layout.words * kWordRowBytes;
  for (size_t lane = 0; lane < kLanes; ++lane)
    std::memcpy(copy.data() + whole_bytes + lane * kWordBytes, rest + lane * layout.rest_bytes, layout.rest_bytes);
  unpack_rows(copy.data(), direct * width - copied_from * 64, width, out.subspan(direct * kLanes), base);
  return true;
}

void append_bitmap(std::string& out, std::span<const uint8_t> values) {
  for (size_t start = 0; start < values.size(); start += 8) {
    uint8_t byte = 0;
    for (size_t i = start; i < values.size() && i < start + 8; ++i) {
      if (values[i] != 0) byte = static_cast<uint8_t>(byte | (1u << (i - start)));
    }
    out.push_back(static_cast<char>(byte));
  }
}

bool read_bitmap(ByteReader& in, std::span<uint8_t> out) {
  std::string_view bytes;
  if (!in.bytes((out.size() + 7) / 8, bytes)) return false;
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<uint8_t>((static_cast<uint8_t>(bytes[i / 8]) >> (i % 8)) & 1);
  return true;
}

}  // namespace braid
