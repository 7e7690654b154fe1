#include "timeseries/codecs/stripe_compression.h"

#include <zstd.h>

#include <memory>

#include "engine/coding.h"

namespace braid {
namespace {

constexpr size_t kCompressedFromBytes = 64;

int level_of(Effort effort) {
  switch (effort) {
    case Effort::kFast:
      return 1;
    case Effort::kSmall:
      return 6;
  }
  return 1;
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// One per thread, since making one costs more than most stripes; null when out of memory.
ZSTD_DCtx* context() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> kept(ZSTD_createDCtx());
  return kept.get();
}

}  // namespace

void compress_stripe(std::string& out, size_t start, Effort effort) {
  const size_t size = out.size() - start;
  if (size < kCompressedFromBytes || size > kInflatedBytesMax) return;
  std::string compressed(1, static_cast<char>(kCompressedStripe));
  append_varint(compressed, size);
  const size_t head = compressed.size();
  compressed.resize(head + ZSTD_compressBound(size));
  const size_t got =
      ZSTD_compress(compressed.data() + head, compressed.size() - head, out.data() + start, size, level_of(effort));
  if (ZSTD_isError(got) != 0 || head + got > size - size / 10) return;
  compressed.resize(head + got);
  out.replace(start, size, compressed);
}

bool inflate_stripe(std::string_view stripe, std::vector<char>& out, bool any_byte_first) {
  ByteReader in(stripe.substr(1));
  uint64_t size;
  std::string_view bytes;
  if (!is_compressed(stripe) || !in.varint(size) || size > kInflatedBytesMax || !in.bytes(in.remaining(), bytes)) return false;
  out.resize(size);
  if (context() == nullptr) return false;
  const size_t got = ZSTD_decompressDCtx(context(), out.data(), out.size(), bytes.data(), bytes.size());
  return ZSTD_isError(got) == 0 && got == size && (any_byte_first || !is_compressed({out.data(), out.size()}));
}

}  // namespace braid
