// The pages of a rows.db that may be damaged, read without SQLite: those of its WAL where that has them anew, as far as both can be believed.
// https://sqlite.org/fileformat2.html; checksums of pages as in engine/page_vfs.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/env.h"
#include "engine/result.h"

namespace braid {

inline constexpr uint32_t kRowsPageBytes = 4096;
inline constexpr uint32_t kUsableBytes = kRowsPageBytes - 8;
/// SQLite locks the bytes of this page, and never writes it.
inline constexpr uint32_t kLockPage = (1U << 30) / kRowsPageBytes + 1;

/// SQLite's varint at the start of `bytes`, which then are behind it: big-endian, the ninth byte whole. False when it is cut.
bool take_sqlite_varint(std::string_view& bytes, uint64_t& value);

/// One thread.
class PageSource {
 public:
  /// `path` is that of rows.db. Without it the source has no pages.
  static Result<std::unique_ptr<PageSource>> open(Env& env, const std::string& path);

  /// Pages are numbered from 1 to this; those that the file has lost at its end are counted.
  uint32_t count() const { return count_; }
  /// Whether the file was cut before this page, and the WAL does not have it.
  bool is_cut_off(uint32_t number) const { return number > file_pages_ && number <= count_ && !frames_.contains(number); }
  /// False when the page is damaged, was never written, or does not exist.
  bool read(uint32_t number, std::string& page) const;
  /// What is wrong with the files themselves, a sentence each.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  PageSource() = default;
  Status read_wal(Env& env, const std::string& path);
  void count_cut_off();
  Status read_frames(const std::string& path, class WalReader& reader);
  void tell_lost_frames(const std::string& path, const class WalReader& reader);

  std::unique_ptr<ReadableFile> rows_, wal_;
  uint32_t file_pages_ = 0;  // whole ones in rows.db
  uint32_t count_ = 0;
  std::unordered_map<uint32_t, uint64_t> frames_;  // page -> offset of its bytes in the WAL
  std::vector<std::string> problems_;
};

}  // namespace braid
