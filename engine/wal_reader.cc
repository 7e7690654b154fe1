#include "engine/wal_reader.h"

#include "engine/coding.h"

namespace braid {

namespace {

constexpr uint64_t kWalHeaderBytes = 32;
constexpr uint32_t kWalMagic = 0x377f0682;  // its last bit: the checksums are of big-endian words

WalFrame frame_of(std::string_view header, uint64_t at) {
  return {load_big_endian<uint32_t>(header.data()), load_big_endian<uint32_t>(header.data() + 4), at + kWalFrameHeaderBytes};
}

}  // namespace

void WalReader::Checksum::add(std::string_view bytes, bool big_endian) {
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    const auto word = [&](size_t offset) {
      return big_endian ? load_big_endian<uint32_t>(bytes.data() + offset) : load_fixed<uint32_t>(bytes.data() + offset);
    };
    first += word(at) + second;
    second += word(at + 4) + first;
  }
}

bool WalReader::Checksum::is(std::string_view bytes) const {
  return load_big_endian<uint32_t>(bytes.data()) == first && load_big_endian<uint32_t>(bytes.data() + 4) == second;
}

Result<WalReader::Start> WalReader::begin(const ReadableFile& wal) {
  *this = {};
  if (wal.size_bytes() < kWalHeaderBytes) return Start::kEmpty;
  std::string bytes;
  BRAID_TRY(wal.read(0, kWalHeaderBytes, bytes));
  const std::string_view header = bytes;
  if (header.find_first_not_of('\0') == std::string_view::npos) return Start::kEmpty;
  const auto magic = load_big_endian<uint32_t>(header.data());
  big_endian_ = (magic & 1) != 0;
  sum_.add(header.substr(0, 24), big_endian_);
  if ((magic & ~1U) != kWalMagic || load_big_endian<uint32_t>(header.data() + 8) != kRowsPageBytes || !sum_.is(header.substr(24, 8)))
    return Start::kDamaged;
  salts_ = load_fixed<uint64_t>(header.data() + 16);
  position_ = kWalHeaderBytes;
  return Start::kReady;
}

Result<bool> WalReader::next(const ReadableFile& wal, WalFrame& frame) {
  if (position_ == 0 || position_ + kWalFrameBytes > wal.size_bytes()) return false;
  std::string read;
  BRAID_TRY(wal.read(position_, kWalFrameBytes, read));
  const std::string_view bytes = read;
  Checksum sum = sum_;
  sum.add(bytes.substr(0, 8), big_endian_);
  sum.add(bytes.substr(kWalFrameHeaderBytes), big_endian_);
  if (load_fixed<uint64_t>(bytes.data() + 8) != salts_ || !sum.is(bytes.substr(16, 8))) return false;
  frame = frame_of(bytes, position_);
  sum_ = sum;
  position_ += kWalFrameBytes;
  return true;
}

std::optional<WalFrame> WalReader::header_at(const ReadableFile& wal, uint64_t at) const {
  std::string read;
  if (at + kWalFrameBytes > wal.size_bytes() || !wal.read(at, kWalFrameHeaderBytes, read).ok()) return std::nullopt;
  const std::string_view header = read;
  if (load_fixed<uint64_t>(header.data() + 8) != salts_) return std::nullopt;
  return frame_of(header, at);
}

}  // namespace braid
