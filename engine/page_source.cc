#include "engine/page_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/coding.h"
#include "engine/page_vfs.h"

namespace braid {

namespace {

constexpr uint64_t kWalHeaderBytes = 32;
constexpr uint64_t kFrameHeaderBytes = 24;
constexpr uint64_t kFrameBytes = kFrameHeaderBytes + kRowsPageBytes;
/// A file that was larger than this (16 GiB) is taken as it is: what a first page tells may be made up, and each page takes memory.
constexpr uint32_t kCutPagesMax = 1U << 22;
constexpr uint32_t kWalMagic = 0x377f0682;  // its last bit: the checksums are of big-endian words

/// SQLite's checksum of the WAL goes on from frame to frame.
struct WalChecksum {
  uint32_t first = 0;
  uint32_t second = 0;

  void add(std::string_view bytes, bool big_endian) {
    for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      const auto word = [&](size_t offset) {
        return big_endian ? load_big_endian<uint32_t>(bytes.data() + offset) : load_fixed<uint32_t>(bytes.data() + offset);
      };
      first += word(at) + second;
      second += word(at + 4) + first;
    }
  }
  bool is(std::string_view bytes) const {
    return load_big_endian<uint32_t>(bytes.data()) == first && load_big_endian<uint32_t>(bytes.data() + 4) == second;
  }
};

bool is_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

}  // namespace

Result<std::unique_ptr<PageSource>> PageSource::open(Env& env, const std::string& path) {
  std::unique_ptr<PageSource> source(new PageSource());
  if (auto rows = env.open(path); rows.ok()) {
    source->rows_ = rows.take();
    source->count_ = source->file_pages_ = static_cast<uint32_t>(std::min<uint64_t>(source->rows_->size_bytes() / kRowsPageBytes, UINT32_MAX));
    if (source->rows_->size_bytes() % kRowsPageBytes != 0) source->problems_.push_back("rows.db: it was cut: its size is not that of whole pages");
  } else {
    source->problems_.push_back("rows.db: " + rows.status().message());
  }
  BRAID_TRY(source->read_wal(env, path + "-wal"));
  source->count_cut_off();
  return source;
}

/// The first page tells how many there were, unless a program that does not know of that wrote last.
void PageSource::count_cut_off() {
  constexpr size_t kChangesAt = 24, kCountAt = 28, kCountedAtChangeAt = 92;
  std::string page;
  if (!read(1, page)) return;
  const uint32_t had = load_big_endian<uint32_t>(page.data() + kCountAt);
  if (page.compare(kChangesAt, 4, page, kCountedAtChangeAt, 4) == 0 && had <= kCutPagesMax) count_ = std::max(count_, had);
  uint64_t lost = 0;
  for (uint32_t number = file_pages_ + 1; number <= count_; ++number) lost += is_cut_off(number) ? 1 : 0;
  if (lost > 0) problems_.push_back(fmt::format("rows.db: it was cut: {} of {} pages are lost", lost, count_));
}

Status PageSource::read_wal(Env& env, const std::string& path) {
  if (!env.exists(path)) return {};
  BRAID_ASSIGN(wal_, env.open(path));
  if (wal_->size_bytes() < kWalHeaderBytes) return {};
  std::string header;
  BRAID_TRY(wal_->read(0, kWalHeaderBytes, header));
  if (is_zero(header)) return {};
  return read_frames(path, header);
}

/// Whether the frame at `at` is of the same WAL, though what was before it is damaged. Frames of an older one have other salts.
bool PageSource::frame_follows(uint64_t at, std::string_view salts) const {
  std::string header;
  return at + kFrameBytes <= wal_->size_bytes() && wal_->read(at, kFrameHeaderBytes, header).ok() && std::string_view(header).substr(8, 8) == salts;
}

Status PageSource::read_frames(const std::string& path, std::string_view header) {
  const auto magic = load_big_endian<uint32_t>(header.data());
  const bool big_endian = (magic & 1) != 0;
  WalChecksum sum;
  sum.add(header.substr(0, 24), big_endian);
  if ((magic & ~1U) != kWalMagic || load_big_endian<uint32_t>(header.data() + 8) != kRowsPageBytes || !sum.is(header.substr(24, 8))) {
    problems_.push_back(path + ": its first bytes are damaged; the commits in it are lost");
    return {};
  }
  const std::string_view salts = header.substr(16, 8);
  std::unordered_map<uint32_t, uint64_t> pending;  // of the transaction that is read
  std::string frame;
  uint64_t at = kWalHeaderBytes;
  for (; at + kFrameBytes <= wal_->size_bytes(); at += kFrameBytes) {
    BRAID_TRY(wal_->read(at, kFrameBytes, frame));
    const std::string_view bytes = frame;
    sum.add(bytes.substr(0, 8), big_endian);
    sum.add(bytes.substr(kFrameHeaderBytes), big_endian);
    if (bytes.substr(8, 8) != salts || !sum.is(bytes.substr(16, 8))) break;
    pending[load_big_endian<uint32_t>(bytes.data())] = at + kFrameHeaderBytes;
    const auto pages_after_commit = load_big_endian<uint32_t>(bytes.data() + 4);
    if (pages_after_commit == 0) continue;
    for (const auto& [page, offset] : pending) frames_[page] = offset;
    pending.clear();
    count_ = pages_after_commit;
  }
  uint64_t lost = 0;
  for (uint64_t next = at + kFrameBytes; frame_follows(next, salts); next += kFrameBytes) ++lost;
  if (lost > 0)
    problems_.push_back(fmt::format("{}: damaged at byte {}: the commits from there on are lost, {} pages of them", path, at, lost));
  return {};
}

bool PageSource::read(uint32_t number, std::string& page) const {
  if (number == 0 || number > count_) return false;
  if (const auto frame = frames_.find(number); frame != frames_.end()) return wal_->read(frame->second, kRowsPageBytes, page).ok();
  const uint64_t at = uint64_t{number - 1} * kRowsPageBytes;
  if (rows_ == nullptr || !rows_->read(at, kRowsPageBytes, page).ok()) return false;
  return load_fixed<uint64_t>(page.data() + kUsableBytes) == page_checksum(page.data(), kRowsPageBytes, number) && !is_zero(page);
}

}  // namespace braid
