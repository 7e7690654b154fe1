#include "timeseries/tail.h"

#include <algorithm>
#include <cstring>

#include "engine/check.h"

namespace braid {
namespace {

constexpr uint32_t kFirstBlockRows = 16;
constexpr uint32_t kLastBlockRows = 1024;
constexpr size_t kArenaFirstBytes = 1024;
constexpr size_t kArenaBytes = 64 << 10;

// Memory that is written before it is published; not cleared first.
template <typename T>
std::unique_ptr<T[]> make_array(size_t count) {
  return std::make_unique_for_overwrite<T[]>(count);
}

uint64_t row_bytes(FieldType type) {
  switch (type) {
    case FieldType::kDouble:
    case FieldType::kInt64:
    case FieldType::kBool:
      return 8;
    case FieldType::kText:
    case FieldType::kJson:
      return sizeof(std::string_view);
  }
  return 0;
}

}  // namespace

void RowMarks::put(const std::vector<uint8_t>& from, size_t start, size_t count, uint32_t at, uint32_t capacity, uint64_t& added_bytes) {
  if (from.empty()) return;
  if (memory_ == nullptr) {
    memory_ = std::make_unique<uint8_t[]>(capacity);
    added_bytes += capacity;
    // Safety: the memory is zero, which is what rows published before this mean; release makes the
    // zeros visible.
    marks_.store(memory_.get(), std::memory_order_release);
  }
  std::copy_n(from.begin() + static_cast<ptrdiff_t>(start), count, memory_.get() + at);
}

FieldValue TailBlock::value(size_t column, uint32_t row) const {
  FieldValue out;
  if (is_null(column, row)) return out;
  out.is_null = false;
  switch (columns_[column].type) {
    case FieldType::kDouble:
      out.real = real(column, row);
      break;
    case FieldType::kInt64:
    case FieldType::kBool:
      out.integer = integer(column, row);
      break;
    case FieldType::kText:
    case FieldType::kJson:
      out.text = text(column, row);
      break;
  }
  return out;
}

TailBlock::TailBlock(const StoredFields& fields, uint32_t capacity)
    : fields_(fields),
      capacity_(capacity),
      times_(make_array<int64_t>(capacity)),
      lsns_(make_array<uint64_t>(capacity)),
      columns_(std::make_unique<Column[]>(fields.types.size())) {
  const auto& types = fields.types;
  for (size_t i = 0; i < types.size(); ++i) {
    Column& column = columns_[i];
    column.type = types[i];
    switch (types[i]) {
      case FieldType::kDouble:
        column.reals = make_array<double>(capacity);
        break;
      case FieldType::kInt64:
      case FieldType::kBool:
        column.integers = make_array<int64_t>(capacity);
        break;
      case FieldType::kText:
      case FieldType::kJson:
        column.texts = make_array<std::string_view>(capacity);
        break;
    }
  }
}

TailBlock& SeriesTail::block_with_room(uint64_t& added_bytes) {
  TailBlock* last = blocks_.empty() ? nullptr : blocks_.back().get();
  // Safety: only the writer stores the count, so its own relaxed load is the newest.
  if (last != nullptr && last->rows_.load(std::memory_order_relaxed) < last->capacity_)
    return *last;
  const uint32_t capacity =
      last == nullptr ? kFirstBlockRows : std::min(last->capacity_ * 2, kLastBlockRows);
  blocks_.push_back(std::make_unique<TailBlock>(fields_, capacity));
  TailBlock* added = blocks_.back().get();
  uint64_t bytes_per_row = 16;
  for (const FieldType type : fields_.types) bytes_per_row += row_bytes(type);
  added_bytes +=
      bytes_per_row * capacity + sizeof(TailBlock) + fields_.types.size() * sizeof(TailBlock::Column);
  // Safety: release publishes the constructed block to readers that acquire the pointer.
  (last == nullptr ? first_ : last->next_).store(added, std::memory_order_release);
  return *added;
}

std::string_view SeriesTail::keep_text(std::string_view text, uint64_t& added_bytes) {
  if (text.empty()) return {};
  if (text.size() > arena_free_bytes_) {
    const size_t grown =
        std::min(kArenaBytes, kArenaFirstBytes << std::min<size_t>(arena_.size(), 6));
    const size_t size = std::max(text.size(), grown);
    arena_.push_back(make_array<char>(size));
    added_bytes += size;
    arena_next_ = arena_.back().get();
    arena_free_bytes_ = size;
  }
  std::memcpy(arena_next_, text.data(), text.size());
  const std::string_view kept(arena_next_, text.size());
  arena_next_ += text.size();
  arena_free_bytes_ -= text.size();
  return kept;
}

void SeriesTail::put_column(TailBlock::Column& to, const ColumnData& from, size_t start,
                            size_t count, uint32_t at, uint32_t capacity, uint64_t& added_bytes) {
  switch (to.type) {
    case FieldType::kDouble:
      std::copy_n(from.reals.begin() + static_cast<ptrdiff_t>(start), count, to.reals.get() + at);
      break;
    case FieldType::kInt64:
    case FieldType::kBool:
      std::copy_n(from.integers.begin() + static_cast<ptrdiff_t>(start), count,
                  to.integers.get() + at);
      break;
    case FieldType::kText:
    case FieldType::kJson:
      for (size_t i = 0; i < count; ++i)
        to.texts[at + i] = keep_text(from.texts[start + i], added_bytes);
      break;
  }
  to.nulls.put(from.nulls, start, count, at, capacity, added_bytes);
}

uint64_t SeriesTail::append(const TailRows& rows, size_t start, size_t limit, Lsn lsn) {
  BRAID_ASSERT(rows.columns.size() == fields_.types.size());
  uint64_t added_bytes = 0;
  while (start < limit) {
    TailBlock& block = block_with_room(added_bytes);
    const uint32_t at = block.rows_.load(std::memory_order_relaxed);
    const size_t count = std::min<size_t>(limit - start, block.capacity_ - at);
    for (size_t i = 0; i < count; ++i) {
      const int64_t time = rows.times[start + i];
      const TailPlace place{&block, at + static_cast<uint32_t>(i)};
      block.times_[place.row] = time;
      block.lsns_[place.row] = lsn.value();
      if (time >= time_max_) {
        time_max_ = time;
        at_time_max_ = place;
      }
      if (times_built_) times_[time] = place;
    }
    for (size_t i = 0; i < rows.columns.size(); ++i) {
      put_column(block.columns_[i], rows.columns[i], start, count, at, block.capacity_, added_bytes);
    }
    block.deleted_.put(rows.deleted, start, count, at, block.capacity_, added_bytes);
    // Safety: release publishes the rows written above to readers that acquire the count.
    block.rows_.store(at + static_cast<uint32_t>(count), std::memory_order_release);
    start += count;
  }
  return added_bytes;
}

std::optional<TailPlace> SeriesTail::find(int64_t time) const {
  if (time > time_max_ || first() == nullptr) return std::nullopt;
  if (time == time_max_) return at_time_max_;
  if (!times_built_) {
    for (const TailBlock* block = first(); block != nullptr; block = block->next()) {
      for (uint32_t row = 0; row < block->rows(); ++row) times_[block->time(row)] = {block, row};
    }
    times_built_ = true;
  }
  const auto found = times_.find(time);
  return found == times_.end() ? std::nullopt : std::optional(found->second);
}

const SeriesTail* TailSegment::find(SeriesId series) const {
  const ReaderLock lock(mutex_);
  const auto found = series_.find(series);
  return found == series_.end() ? nullptr : found->second.get();
}

const SeriesTail* TailSegment::find_as_writer(SeriesId series) const
    BRAID_ANNOTATION(no_thread_safety_analysis) {
  const auto found = series_.find(series);
  return found == series_.end() ? nullptr : found->second.get();
}

void TailSegment::add_series_ids(std::vector<SeriesId>& ids) const {
  const ReaderLock lock(mutex_);
  ids.reserve(ids.size() + series_.size());
  for (const auto& [series, tail] : series_) ids.push_back(series);
}

void TailSegment::append(SeriesId series, const TailRows& rows, size_t start, size_t limit, Lsn lsn) {
  BRAID_ASSERT(!frozen_);
  auto* tail = const_cast<SeriesTail*>(find_as_writer(series));
  uint64_t added_bytes = 0;
  if (tail == nullptr) {
    auto created = std::make_unique<SeriesTail>(fields_);
    tail = created.get();
    added_bytes += sizeof(SeriesTail) + 64;
    const WriterLock lock(mutex_);
    series_.emplace(series, std::move(created));
  }
  const auto times = rows.times.subspan(start, limit - start);
  const auto [least, greatest] = std::minmax_element(times.begin(), times.end());
  if (start < limit) {
    time_min_.store(std::min(time_min(), *least), std::memory_order_relaxed);
    time_max_.store(std::max(time_max(), *greatest), std::memory_order_relaxed);
  }
  added_bytes += tail->append(rows, start, limit, lsn);
  rows_.fetch_add(limit - start, std::memory_order_relaxed);
  bytes_.fetch_add(added_bytes, std::memory_order_relaxed);
  memory_.set(bytes());
}

bool TailTable::hides(SeriesId series, int64_t time, Lsn lsn) const {
  return std::any_of(deletions.begin(), deletions.end(), [&](const auto& deletion) {
    return lsn < deletion->lsn && time >= deletion->range.start.value() && time < deletion->range.limit.value() &&
           deletion->covers(series);
  });
}

void TailTable::add_deletion(RangeDeletion deletion) {
  std::erase_if(deletions, [&](const auto& old) { return deletion.includes(*old); });
  deletions.push_back(std::make_shared<const RangeDeletion>(std::move(deletion)));
}

uint64_t TailTable::rows() const {
  uint64_t rows = 0;
  for (const auto& segment : segments) rows += segment->rows();
  return rows;
}

const TailTable* TailSet::find(HypertableId table) const {
  const auto found = tables.find(table);
  return found == tables.end() ? nullptr : &found->second;
}

uint64_t TailSet::rows() const {
  uint64_t rows = 0;
  for (const auto& [id, table] : tables) rows += table.rows();
  return rows;
}

uint64_t TailSet::bytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, table] : tables) {
    for (const auto& segment : table.segments) bytes += segment->bytes();
  }
  return bytes;
}

}  // namespace braid
