#include "engine/archive_segment.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/coding.h"
#include "engine/page_source.h"

namespace braid {

namespace {

constexpr std::string_view kMagic = "BRAIDARC";
constexpr uint32_t kVersion = 1;
constexpr size_t kUuidBytes = 36;
constexpr size_t kSegmentHeaderBytes = 8 + 4 + kUuidBytes + 8 + 8 + 8 + 8;

// Kinds of entries; frozen: they are stored.
constexpr uint32_t kTransaction = 1;
constexpr uint32_t kRecord = 2;
constexpr uint32_t kPages = 3;
constexpr uint32_t kEnd = 4;

constexpr size_t kEntryHeaderBytes = 4 + 4;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kEndEntryBytes = kEntryHeaderBytes + 3 * 8 + kChecksumBytes;
constexpr size_t kPageEntryBytes = 4 + kRowsPageBytes;
constexpr size_t kPagesBytesMax = 64 * kPageEntryBytes;
constexpr size_t kBufferBytes = 1 << 20;

/// Seeded with the place in the file, so that an entry in another place is found too.
uint64_t checksum(std::string_view bytes, uint64_t at) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), at); }

}  // namespace

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(Env& env, const std::string& path, const SegmentHeader& header) {
  BRAID_ASSIGN(auto file, env.create(path));
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::move(file)));
  std::string& out = writer->buffer_;
  out.append(kMagic);
  append_fixed(out, kVersion);
  out.append(header.uuid);
  append_fixed(out, header.epoch);
  append_fixed(out, header.run);
  append_fixed(out, header.before.value());
  append_fixed(out, checksum(out, 0));
  writer->size_bytes_ = out.size();
  return writer;
}

Status SegmentWriter::put(uint32_t kind, std::string_view payload) {
  const size_t start = buffer_.size();
  append_fixed(buffer_, kind);
  append_fixed(buffer_, static_cast<uint32_t>(payload.size()));
  buffer_.append(payload);
  append_fixed(buffer_, checksum(std::string_view(buffer_).substr(start), size_bytes_));
  size_bytes_ += buffer_.size() - start;
  return buffer_.size() < kBufferBytes ? Status() : flush();
}

Status SegmentWriter::flush() {
  BRAID_TRY(file_->append(buffer_));
  buffer_.clear();
  return {};
}

Status SegmentWriter::put_pages() {
  if (pages_.empty()) return {};
  BRAID_TRY(put(kPages, pages_));
  pages_.clear();
  return {};
}

Status SegmentWriter::begin(const ArchivedTransaction& transaction) {
  BRAID_TRY(put_pages());
  std::string payload;
  append_fixed(payload, transaction.first.value());
  append_fixed(payload, transaction.last.value());
  append_fixed(payload, transaction.committed.value());
  append_fixed(payload, transaction.page_count);
  return put(kTransaction, payload);
}

Status SegmentWriter::add_record(Lsn lsn, std::string_view record) {
  std::string payload;
  append_fixed(payload, lsn.value());
  payload.append(record);
  return put(kRecord, payload);
}

Status SegmentWriter::add_page(uint32_t number, std::string_view page) {
  append_fixed(pages_, number);
  pages_.append(page);
  return pages_.size() < kPagesBytesMax ? Status() : put_pages();
}

Status SegmentWriter::finish(const SegmentEnd& end) {
  BRAID_TRY(put_pages());
  std::string payload;
  append_fixed(payload, end.last.value());
  append_fixed(payload, end.wal_salts);
  append_fixed(payload, end.wal_position);
  BRAID_TRY(put(kEnd, payload));
  BRAID_TRY(flush());
  return file_->sync();
}

Result<std::unique_ptr<SegmentReader>> SegmentReader::open(Env& env, const std::string& path) {
  BRAID_ASSIGN(auto file, env.open(path));
  std::unique_ptr<SegmentReader> reader(new SegmentReader(std::move(file)));
  BRAID_TRY(reader->read_header());
  BRAID_TRY(reader->read_end());
  return reader;
}

Status SegmentReader::damaged(uint64_t at) const {
  return Status(StatusCode::kCorrupt, fmt::format("{}: is damaged at byte {}", file_->path(), at));
}

Status SegmentReader::read_header() {
  if (file_->size_bytes() < kSegmentHeaderBytes + kEndEntryBytes) return Status(StatusCode::kCorrupt, fmt::format("{}: was cut", file_->path()));
  std::string bytes;
  BRAID_TRY(file_->read(0, kSegmentHeaderBytes, bytes));
  ByteReader in(bytes);
  std::string_view magic, uuid;
  uint32_t version = 0;
  uint64_t before = 0, sum = 0;
  const bool whole = in.bytes(kMagic.size(), magic) && in.fixed(version) && in.bytes(kUuidBytes, uuid) && in.fixed(header_.epoch) &&
                     in.fixed(header_.run) && in.fixed(before) && in.fixed(sum);
  if (!whole || magic != kMagic || sum != checksum(std::string_view(bytes).substr(0, kSegmentHeaderBytes - kChecksumBytes), 0)) return damaged(0);
  if (version != kVersion)
    return Status(StatusCode::kVersion, fmt::format("{}: has format {}, this library reads format {}", file_->path(), version, kVersion));
  header_.uuid = uuid;
  header_.before = Lsn(before);
  return {};
}

Status SegmentReader::read_end() {
  uint64_t at = file_->size_bytes() - kEndEntryBytes;
  uint32_t kind = 0;
  std::string payload;
  const Status read = read_entry(at, kind, payload);
  if (!read.ok() || kind != kEnd || payload.size() != 3 * 8 || at != file_->size_bytes())
    return Status(StatusCode::kCorrupt, fmt::format("{}: was cut, or its end is damaged", file_->path()));
  end_ = {Lsn(load_fixed<uint64_t>(payload.data())), load_fixed<uint64_t>(payload.data() + 8), load_fixed<uint64_t>(payload.data() + 16)};
  return {};
}

Status SegmentReader::read_entry(uint64_t& at, uint32_t& kind, std::string& payload) const {
  const uint64_t left = file_->size_bytes() - at;
  if (left < kEntryHeaderBytes + kChecksumBytes) return damaged(at);
  BRAID_TRY(file_->read(at, kEntryHeaderBytes, payload));
  const auto size = load_fixed<uint32_t>(payload.data() + 4);
  if (size > left - kEntryHeaderBytes - kChecksumBytes) return damaged(at);
  const uint64_t entry_bytes = kEntryHeaderBytes + size;
  BRAID_TRY(file_->read(at, entry_bytes + kChecksumBytes, payload));
  if (load_fixed<uint64_t>(payload.data() + entry_bytes) != checksum(std::string_view(payload).substr(0, entry_bytes), at)) return damaged(at);
  kind = load_fixed<uint32_t>(payload.data());
  payload.resize(entry_bytes);
  payload.erase(0, kEntryHeaderBytes);
  at += entry_bytes + kChecksumBytes;
  return {};
}

Status SegmentReader::visit(const SegmentVisitor& visitor) const {
  std::string payload;
  uint32_t kind = 0;
  for (uint64_t at = kSegmentHeaderBytes; at < file_->size_bytes();) {
    const uint64_t start = at;
    BRAID_TRY(read_entry(at, kind, payload));
    if ((kind == kEnd) != (at == file_->size_bytes())) return damaged(start);
    BRAID_TRY(visit_entry(kind, payload, visitor, start));
  }
  return {};
}

Status SegmentReader::visit_entry(uint32_t kind, std::string_view payload, const SegmentVisitor& visitor, uint64_t at) const {
  ByteReader in(payload);
  switch (kind) {
    case kTransaction: {
      ArchivedTransaction transaction;
      uint64_t first = 0, last = 0;
      int64_t committed = 0;
      if (!in.fixed(first) || !in.fixed(last) || !in.fixed(committed) || !in.fixed(transaction.page_count) || !in.done()) return damaged(at);
      transaction.first = Lsn(first);
      transaction.last = Lsn(last);
      transaction.committed = Timestamp(committed);
      return visitor.transaction ? visitor.transaction(transaction) : Status();
    }
    case kRecord: {
      uint64_t lsn = 0;
      if (!in.fixed(lsn)) return damaged(at);
      return visitor.record ? visitor.record(Lsn(lsn), payload.substr(sizeof lsn)) : Status();
    }
    case kPages:
      while (!in.done()) {
        uint32_t number = 0;
        std::string_view page;
        if (!in.fixed(number) || !in.bytes(kRowsPageBytes, page) || number == 0) return damaged(at);
        if (visitor.page) BRAID_TRY(visitor.page(number, page));
      }
      return {};
    case kEnd: return visitor.end ? visitor.end() : Status();
  }
  return damaged(at);
}

}  // namespace braid
