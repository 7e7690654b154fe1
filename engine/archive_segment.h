// A file of the archive: whole transactions in the order of their commits, with the pages of rows.db that each has changed and the records of its commits.
// Written once, under its name only when it is durable. docs/archive_format.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/env.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// Which history the commits of a segment are of.
struct SegmentHeader {
  std::string uuid;
  uint64_t epoch = 0;
  uint64_t run = 0;  ///< of commits that were archived without one left out
  Lsn before;        ///< the commit before the first
};

struct SegmentEnd {
  Lsn last;                   ///< `before` when there is no commit in it
  uint64_t wal_salts = 0;     ///< up to where in which WAL it goes
  uint64_t wal_position = 0;
};

/// One of SQLite's. One without a commit of ours has `first` after `last`.
struct ArchivedTransaction {
  Lsn first, last;
  Timestamp committed;      ///< the last of them
  uint32_t page_count = 0;  ///< of rows.db after it
};

/// One thread.
class SegmentWriter {
 public:
  /// Makes the file, which must not exist.
  static Result<std::unique_ptr<SegmentWriter>> create(Env& env, const std::string& path, const SegmentHeader& header);

  /// What follows, up to the next one, is the transaction's.
  Status begin(const ArchivedTransaction& transaction);
  /// A record that is not empty.
  Status add_record(Lsn lsn, std::string_view record);
  Status add_page(uint32_t number, std::string_view page);
  /// The file is durable, but for its name.
  Status finish(const SegmentEnd& end);
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  explicit SegmentWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  Status put(uint32_t kind, std::string_view payload);
  Status put_pages();
  Status flush();

  const std::unique_ptr<WritableFile> file_;
  std::string buffer_, pages_;
  uint64_t size_bytes_ = 0;
};

/// What reads a segment; empty functions are not called.
struct SegmentVisitor {
  std::function<Status(const ArchivedTransaction&)> transaction{};
  std::function<Status(Lsn, std::string_view record)> record{};
  std::function<Status(uint32_t number, std::string_view page)> page{};
  std::function<Status()> end{};  ///< the last transaction is whole
};

/// One thread.
class SegmentReader {
 public:
  /// Reads header and end. kCorrupt for what is no whole segment.
  static Result<std::unique_ptr<SegmentReader>> open(Env& env, const std::string& path);

  const SegmentHeader& header() const { return header_; }
  const SegmentEnd& end() const { return end_; }
  uint64_t size_bytes() const { return file_->size_bytes(); }
  /// Visits what is in it in order. kCorrupt at the first damage: what was visited before is sound.
  Status visit(const SegmentVisitor& visitor) const;

 private:
  explicit SegmentReader(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}
  Status read_header();
  Status read_end();
  Status damaged(uint64_t at) const;
  /// The payload of the entry at `at`, which then is behind it.
  Status read_entry(uint64_t& at, uint32_t& kind, std::string& payload) const;
  Status visit_entry(uint32_t kind, std::string_view payload, const SegmentVisitor& visitor, uint64_t at) const;

  const std::unique_ptr<ReadableFile> file_;
  SegmentHeader header_;
  SegmentEnd end_;
};

}  // namespace braid
