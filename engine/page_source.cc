#include "engine/page_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/coding.h"
#include "engine/page_vfs.h"
#include "engine/wal_reader.h"

namespace braid {

bool take_sqlite_varint(std::string_view& bytes, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < 9; ++i) {
    if (i >= bytes.size()) return false;
    const auto byte = static_cast<uint8_t>(bytes[i]);
    value = i == 8 ? value << 8 | byte : value << 7 | (byte & 0x7f);
    if (byte >= 0x80 && i < 8) continue;
    bytes.remove_prefix(i + 1);
    return true;
  }
  return false;
}

namespace {

/// A file that was larger than this (16 GiB) is taken as it is: what a first page tells may be made up, and each page takes memory.
constexpr uint32_t kCutPagesMax = 1U << 22;

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
  WalReader reader;
  BRAID_ASSIGN(const WalReader::Start start, reader.begin(*wal_));
  if (start == WalReader::Start::kDamaged) problems_.push_back(path + ": its first bytes are damaged; the commits in it are lost");
  return start == WalReader::Start::kReady ? read_frames(path, reader) : Status();
}

Status PageSource::read_frames(const std::string& path, WalReader& reader) {
  std::unordered_map<uint32_t, uint64_t> pending;  // of the transaction that is read
  WalFrame frame;
  for (;;) {
    BRAID_ASSIGN(const bool more, reader.next(*wal_, frame));
    if (!more) break;
    pending[frame.page] = frame.offset;
    if (frame.pages_after_commit == 0) continue;
    for (const auto& [page, offset] : pending) frames_[page] = offset;
    pending.clear();
    count_ = frame.pages_after_commit;
  }
  tell_lost_frames(path, reader);
  return {};
}

/// What follows is a commit's when a frame of it says so; a transaction that was rolled back may have left others.
void PageSource::tell_lost_frames(const std::string& path, const WalReader& reader) {
  uint64_t pages = 0;
  bool has_commit = false;
  for (uint64_t at = reader.position();; at += kWalFrameBytes) {
    const auto frame = reader.header_at(*wal_, at);
    // Of the first one the header too may be damaged.
    if (!frame.has_value() && at != reader.position()) break;
    ++pages;
    has_commit |= frame.has_value() && frame->pages_after_commit > 0;
  }
  if (has_commit)
    problems_.push_back(fmt::format("{}: damaged at byte {}: the commits from there on are lost, {} pages of them; where a loss of power cut the last "
                                    "one off, it was not durable yet",
                                    path, reader.position(), pages));
}

bool PageSource::read(uint32_t number, std::string& page) const {
  if (number == 0 || number > count_) return false;
  if (const auto frame = frames_.find(number); frame != frames_.end()) return wal_->read(frame->second, kRowsPageBytes, page).ok();
  const uint64_t at = uint64_t{number - 1} * kRowsPageBytes;
  if (rows_ == nullptr || !rows_->read(at, kRowsPageBytes, page).ok()) return false;
  return load_fixed<uint64_t>(page.data() + kUsableBytes) == page_checksum(page.data(), kRowsPageBytes, number) && !is_zero(page);
}

}  // namespace braid
