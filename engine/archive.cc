#include "engine/archive.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "engine/chunk_name.h"
#include "engine/coding.h"
#include "engine/commit_stamp.h"
#include "engine/file_copy.h"
#include "engine/identity.h"

namespace braid {

namespace {

constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::string_view kDraftSuffix = ".new";
constexpr size_t kLsnDigits = 20;
constexpr size_t kRunDigits = 16;
constexpr std::string_view kRunKey = "archive";
constexpr int64_t kNoRun = INT64_MIN;

template <typename T>
bool parse_digits(std::string_view digits, int base, T& value) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

Result<std::optional<int64_t>> run_value(sqlite3* db) {
  BRAID_ASSIGN(auto row, sqlite_prepare(db, fmt::format("SELECT value FROM _braid_meta WHERE key = '{}'", kRunKey)));
  BRAID_ASSIGN(const bool found, row.step());
  return found ? std::optional(row.integer(0)) : std::nullopt;
}

Status missing(Lsn first, Lsn last, const char* where) {
  return Status(StatusCode::kCorrupt, fmt::format("commits {} to {} cannot be archived: {}; the archive begins anew when the database is opened again",
                                                  first.value(), last.value(), where));
}

/// Points are in the pages and in chunks.
std::string graph_part(CommitRecord record, std::string_view bytes) {
  if (record.graph.empty()) return {};
  if (record.series.empty()) return std::string(bytes);
  record.series = {};
  return encode_commit_record(record);
}

/// The key of the last cell of a page of a table, or the page below it that has the greatest keys.
struct TableEnd {
  uint32_t child = 0;
  uint64_t key = 0;
};

bool read_table_end(std::string_view page, TableEnd& end) {
  constexpr uint8_t kInterior = 5;
  constexpr uint8_t kLeaf = 13;
  const auto kind = static_cast<uint8_t>(page[0]);
  const auto cells = load_big_endian<uint16_t>(page.data() + 3);
  if (kind == kInterior) end.child = load_big_endian<uint32_t>(page.data() + 8);
  if (kind != kLeaf) return end.child != 0;
  if (cells == 0 || 8 + size_t{2} * cells > kUsableBytes) return false;
  const size_t at = load_big_endian<uint16_t>(page.data() + 8 + size_t{2} * (cells - 1U));
  if (at >= kUsableBytes) return false;
  std::string_view cell = page.substr(at, kUsableBytes - at);
  uint64_t payload_bytes = 0;
  return take_sqlite_varint(cell, payload_bytes) && take_sqlite_varint(cell, end.key);
}

}  // namespace

std::string segment_name(Lsn first, uint64_t run) { return fmt::format("{:020}-{:016x}{}", first.value(), run, kSegmentSuffix); }

bool parse_segment_name(std::string_view name, Lsn& first, uint64_t& run) {
  uint64_t lsn = 0;
  if (name.size() != kLsnDigits + 1 + kRunDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix) || name[kLsnDigits] != '-') return false;
  if (!parse_digits(name.substr(0, kLsnDigits), 10, lsn) || !parse_digits(name.substr(kLsnDigits + 1, kRunDigits), 16, run)) return false;
  first = Lsn(lsn);
  return true;
}

std::string archived_chunk_name(Lsn before, const std::string& chunk) { return fmt::format("{:020}-{}", before.value(), chunk); }

bool parse_archived_chunk_name(std::string_view name, Lsn& before, std::string_view& chunk) {
  uint64_t lsn = 0;
  if (name.size() <= kLsnDigits + 1 || name[kLsnDigits] != '-' || !parse_digits(name.substr(0, kLsnDigits), 10, lsn)) return false;
  before = Lsn(lsn);
  chunk = name.substr(kLsnDigits + 1);
  return true;
}

Archive::Archive(Env& env, const Directory& directory, SqliteHandle db, uint64_t bytes_max)
    : env_(env),
      rows_(directory.rows()),
      chunks_(directory.chunks()),
      path_(directory.archive()),
      format_(directory.format()),
      db_(std::move(db)),
      bytes_max_(bytes_max) {}

Result<std::unique_ptr<Archive>> Archive::open(Env& env, const Directory& directory, SqliteHandle db, Lsn newest, uint64_t bytes_max) {
  std::unique_ptr<Archive> archive(new Archive(env, directory, std::move(db), bytes_max));
  BRAID_TRY(archive->load(newest));
  BRAID_ASSIGN(const bool goes_on, archive->go_on(newest));
  if (!goes_on) BRAID_TRY(archive->begin_run(newest));
  return archive;
}

Status Archive::end_run(sqlite3* db) {
  BRAID_ASSIGN(const std::optional<int64_t> value, run_value(db));
  return value == kNoRun ? Status() : put_fixed_meta(db, kRunKey, kNoRun);
}

Result<uint64_t> Archive::run_of(sqlite3* db) {
  BRAID_ASSIGN(const std::optional<int64_t> value, run_value(db));
  return static_cast<uint64_t>(value.value_or(kNoRun) == kNoRun ? 0 : *value);
}

/// What is there, without what was not finished.
Status Archive::load(Lsn newest) {
  BRAID_TRY(env_.create_directory(path_));
  BRAID_TRY(env_.create_directory(path_ + "/chunks"));
  BRAID_ASSIGN(auto names, env_.list(path_));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    Lsn first;
    uint64_t run = 0;
    if (name.ends_with(kDraftSuffix)) BRAID_TRY(env_.remove(path_ + "/" + name));
    if (!parse_segment_name(name, first, run) || first == Lsn(0)) continue;
    BRAID_ASSIGN(const auto file, env_.open(path_ + "/" + name));
    segments_.push_back({Lsn(first.value() - 1), run, file->size_bytes()});
    bytes_ += file->size_bytes();
  }
  MutexLock lock(mutex_);
  BRAID_ASSIGN(names, env_.list(path_ + "/chunks"));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    Lsn before;
    std::string_view chunk;
    if (!parse_archived_chunk_name(name, before, chunk)) continue;
    // Kept for a commit that did not happen, or was lost: the one that is made in its place may make another chunk of this name.
    if (before >= newest) {
      BRAID_TRY(env_.remove(path_ + "/chunks/" + name));
      continue;
    }
    BRAID_ASSIGN(const auto file, env_.open(path_ + "/chunks/" + name));
    kept_chunks_.push_back({before, name, file->size_bytes()});
    bytes_ += file->size_bytes();
  }
  // What a killed process has named or removed is seen here and may not be durable yet; what is archived goes from the WAL.
  for (const std::string& directory : {path_, path_ + "/chunks"}) BRAID_TRY(env_.sync_directory(directory));
  BRAID_ASSIGN(auto root, sqlite_prepare(db_.get(), "SELECT rootpage FROM sqlite_schema WHERE name = '_braid_log'"));
  BRAID_ASSIGN(const bool found, root.step());
  if (found) log_root_ = static_cast<uint32_t>(root.integer(0));
  return {};
}

/// False when rows.db is of no run, or the last segment of its run is not to be believed, or is of commits that rows.db has not.
Result<bool> Archive::go_on(Lsn newest) {
  BRAID_ASSIGN(run_, run_of(db_.get()));
  const auto last = std::find_if(segments_.rbegin(), segments_.rend(), [&](const Segment& one) { return one.run == run_; });
  if (run_ == 0 || last == segments_.rend()) return false;
  const auto segment = SegmentReader::open(env_, path_ + "/" + segment_name(last->before.next(), run_));
  if (!segment.ok() && segment.status().code() != StatusCode::kCorrupt) return segment.status();
  if (!segment.ok() || (*segment)->header().uuid != format_.uuid || (*segment)->header().epoch != format_.epoch) return false;
  end_ = (*segment)->end();
  show();
  return end_.last <= newest;
}

Status Archive::begin_run(Lsn newest) {
  run_ = env_.random() >> 2 | kFixedMetaBit;
  BRAID_TRY(put_fixed_meta(db_.get(), kRunKey, static_cast<int64_t>(run_)));
  end_ = {};
  reader_ = {};
  BRAID_TRY(follow_wal());
  BRAID_TRY(index_up_to(UINT64_MAX));
  const std::string draft = path_ + "/run" + std::string(kDraftSuffix);
  end_.last = newest;
  BRAID_ASSIGN(const auto writer, create_segment(draft));
  return install(draft, *writer, {newest, reader_.salts(), reader_.position()});
}

void Archive::show() {
  const auto first = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& one) { return one.run == run_; });
  from_ = (first == segments_.end() ? end_.last : first->before).value();
  to_ = end_.last.value();
}

/// Makes `reader_` stand behind what is archived.
Status Archive::follow_wal() {
  const std::string path = rows_ + "-wal";
  if (!env_.exists(path)) {
    wal_ = nullptr;
    reader_ = {};
    pages_.clear();
    return {};
  }
  BRAID_ASSIGN(wal_, env_.open(path));
  WalReader now;
  BRAID_ASSIGN(const WalReader::Start start, now.begin(*wal_));
  if (start == WalReader::Start::kReady && now.salts() == reader_.salts()) return {};
  reader_ = start == WalReader::Start::kReady ? now : WalReader();
  pages_.clear();
  // Of a WAL that was begun since, nothing is archived; of the one before, everything is.
  return start == WalReader::Start::kReady && now.salts() == end_.wal_salts ? index_up_to(end_.wal_position) : Status();
}

Status Archive::index_up_to(uint64_t position) {
  while (wal_ != nullptr && reader_.position() < position) {
    Pending pending;
    BRAID_ASSIGN(const bool more, next_transaction(pending));
    if (!more && position == UINT64_MAX) return {};
    if (!more) return missing(end_.last.next(), end_.last.next(), "the WAL is shorter than what was archived of it");
    take(pending);
  }
  return {};
}

/// False, and `reader_` as it was, when none is whole.
Result<bool> Archive::next_transaction(Pending& pending) {
  pending = {};
  if (wal_ == nullptr) return false;
  const WalReader before = reader_;
  for (;;) {
    WalFrame frame;
    BRAID_ASSIGN(const bool more, reader_.next(*wal_, frame));
    if (!more) {
      reader_ = before;
      return false;
    }
    pending.pages[frame.page] = frame.offset;
    pending.page_count = frame.pages_after_commit;
    if (frame.pages_after_commit != 0) return true;
  }
}

void Archive::take(const Pending& pending) {
  for (const auto& [number, offset] : pending.pages) pages_[number] = offset;
}

Status Archive::read_page(const Pending& pending, uint32_t number, std::string& page) {
  const auto changed = pending.pages.find(number);
  if (changed != pending.pages.end()) return wal_->read(changed->second, kRowsPageBytes, page);
  const auto earlier = pages_.find(number);
  if (earlier != pages_.end()) return wal_->read(earlier->second, kRowsPageBytes, page);
  // rows.db has nothing of the WAL that is not archived. Another descriptor of it would lose SQLite's locks.
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  page.resize(kRowsPageBytes);
  if (code == SQLITE_OK) code = file->pMethods->xRead(file, page.data(), kRowsPageBytes, static_cast<sqlite3_int64>(number - 1) * kRowsPageBytes);
  return code == SQLITE_OK ? Status() : sqlite_status(db_.get(), code, fmt::format("read page {} of rows.db", number));
}

/// The newest commit after a transaction: the greatest key of the log's table, and whether the transaction has written the page that it is on.
Result<Archive::Newest> Archive::newest_in(const Pending& pending) {
  constexpr int kDepthMax = 32;
  std::string page;
  uint32_t number = log_root_;
  for (int depth = 0; depth < kDepthMax && number != 0; ++depth) {
    BRAID_TRY(read_page(pending, number, page));
    TableEnd end;
    if (!read_table_end(page, end)) break;
    if (end.child == 0) return Newest{Lsn(end.key), pending.pages.contains(number)};
    number = end.child;
  }
  return Status(StatusCode::kCorrupt, fmt::format("rows.db: page {} of _braid_log cannot be read", number));
}

Result<std::unique_ptr<SegmentWriter>> Archive::create_segment(const std::string& path) {
  if (env_.exists(path)) BRAID_TRY(env_.remove(path));
  return SegmentWriter::create(env_, path, {format_.uuid, format_.epoch, run_, end_.last});
}

Status Archive::catch_up(Lsn durable) {
  if (durable <= end_.last) return {};
  std::unique_ptr<SegmentWriter> writer;
  const std::string draft = path_ + "/commits" + std::string(kDraftSuffix);
  Lsn last = end_.last;
  const Status copied = [&]() -> Status {
    BRAID_TRY(follow_wal());
    BRAID_ASSIGN(writer, create_segment(draft));
    BRAID_TRY(copy_transactions(durable, writer, last));
    if (last < durable) return missing(last.next(), durable, "they are not in the WAL any more");
    return install(draft, *writer, {last, reader_.salts(), reader_.position()});
  }();
  if (copied.ok()) return prune(Lsn(0));
  // The next time the WAL is read from its start.
  reader_ = {};
  if (writer != nullptr) env_.remove(draft).ignore();
  return copied;
}

Status Archive::copy_transactions(Lsn durable, std::unique_ptr<SegmentWriter>& writer, Lsn& last) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db_.get(), "SELECT lsn, record FROM _braid_log WHERE lsn > ?1 AND lsn <= ?2 ORDER BY lsn"));
  rows.bind(1, static_cast<int64_t>(last.value())).bind(2, static_cast<int64_t>(durable.value()));
  Pending pending;
  for (;;) {
    const WalReader before = reader_;
    BRAID_ASSIGN(const bool more, next_transaction(pending));
    if (!more) return {};
    BRAID_ASSIGN(const Newest newest, newest_in(pending));
    if (newest.lsn > durable) {
      reader_ = before;
      return {};
    }
    // A commit that it has not made itself was made before the WAL begins.
    if (newest.lsn > last && !newest.is_here) return missing(last.next(), newest.lsn, "they are not in the WAL any more");
    BRAID_TRY(copy_records(rows, last, newest.lsn, pending, *writer));
    BRAID_TRY(write_pages(pending, *writer));
    take(pending);
    last = newest.lsn;
  }
}

/// The transaction's beginning, and what its commits have changed in the graph.
Status Archive::copy_records(SqliteStatement& rows, Lsn last, Lsn newest, Pending& pending, SegmentWriter& writer) {
  ArchivedTransaction transaction{.first = last.next(), .last = newest, .committed = {}, .page_count = pending.page_count};
  std::vector<std::pair<Lsn, std::string>> records;
  for (Lsn lsn = last.next(); lsn <= newest; lsn = lsn.next()) {
    BRAID_ASSIGN(const bool found, rows.step());
    if (!found || Lsn(static_cast<uint64_t>(rows.integer(0))) != lsn) return missing(lsn, newest, "they are not in the log any more");
    CommitStamp stamp;
    BRAID_ASSIGN(CommitRecord record, decode_commit_record(rows.bytes(1), stamp));
    if (stamp.transaction != last.next()) return missing(last.next(), lsn, "they were made without an archive, or are not in the WAL any more");
    transaction.committed = stamp.committed;
    if (std::string part = graph_part(std::move(record), rows.bytes(1)); !part.empty()) records.emplace_back(lsn, std::move(part));
  }
  BRAID_TRY(writer.begin(transaction));
  for (const auto& [lsn, record] : records) BRAID_TRY(writer.add_record(lsn, record));
  return {};
}

Status Archive::write_pages(const Pending& pending, SegmentWriter& writer) {
  std::string page;
  for (const auto& [number, offset] : pending.pages) {
    if (number > pending.page_count) continue;
    BRAID_TRY(wal_->read(offset, kRowsPageBytes, page));
    BRAID_TRY(writer.add_page(number, page));
  }
  return {};
}

Status Archive::install(const std::string& draft, SegmentWriter& writer, const SegmentEnd& end) {
  const Lsn before = end_.last;
  BRAID_TRY(writer.finish(end));
  BRAID_TRY(env_.rename(draft, path_ + "/" + segment_name(before.next(), run_)));
  BRAID_TRY(env_.sync_directory(path_));
  // One without a commit, of a run that begins, gives way to the first one with some.
  if (!segments_.empty() && segments_.back().before == before && segments_.back().run == run_) {
    bytes_ -= segments_.back().bytes;
    segments_.pop_back();
  }
  segments_.push_back({before, run_, writer.size_bytes()});
  bytes_ += writer.size_bytes();
  end_ = end;
  show();
  return {};
}

Status Archive::keep_chunk(ChunkId chunk, Lsn before) {
  const std::string file = chunk_file_name(chunk);
  const std::string name = archived_chunk_name(before, file);
  const std::string directory = path_ + "/chunks";
  // A checkpoint that failed may have left one.
  if (env_.exists(directory + "/" + name)) BRAID_TRY(env_.remove(directory + "/" + name));
  uint64_t bytes = 0;
  {
    BRAID_ASSIGN(const auto opened, env_.open(chunks_ + "/" + file));
    bytes = opened->size_bytes();
  }
  CopyPace pace(0, {});
  FileCopy copy(env_, {}, pace);
  if (const Status copied = copy.copy({.path = chunks_ + "/" + file, .size_bytes = bytes, .immutable = true}, directory, name); !copied.ok()) {
    env_.remove(directory + "/" + name).ignore();
    return copied;
  }
  BRAID_TRY(env_.sync_directory(directory));
  bytes_ += bytes;
  MutexLock lock(mutex_);
  kept_chunks_.push_back({before, name, bytes});
  return {};
}

Status Archive::prune(Lsn lsn) {
  while (segments_.size() > 1 && (segments_[1].before <= lsn || bytes_ > bytes_max_)) BRAID_TRY(drop_segment());
  return {};
}

/// The oldest one, and the chunks that every backup has which what is left can bring forward.
Status Archive::drop_segment() {
  BRAID_TRY(env_.remove(path_ + "/" + segment_name(segments_.front().before.next(), segments_.front().run)));
  bytes_ -= segments_.front().bytes;
  segments_.pop_front();
  show();
  return drop_chunks(segments_.front().before);
}

Status Archive::drop_chunks(Lsn lsn) {
  MutexLock lock(mutex_);
  while (!kept_chunks_.empty() && kept_chunks_.front().before < lsn) {
    BRAID_TRY(env_.remove(path_ + "/chunks/" + kept_chunks_.front().name));
    bytes_ -= kept_chunks_.front().bytes;
    kept_chunks_.pop_front();
  }
  return {};
}

}  // namespace braid
