#include "graph/graph_overlay.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "engine/check.h"

namespace braid {
namespace {

// A map node of libstdc++: colour and three pointers, with malloc's own word.
constexpr uint64_t kEntryBytes = sizeof(GraphOverlay::Entries::value_type) + 40;
constexpr size_t kInlineTextBytes = 15;
constexpr size_t kOperationUndoKept = 1024;

uint64_t heap_bytes(const std::string& text) {
  return text.capacity() > kInlineTextBytes ? text.capacity() + 16 : 0;
}

}  // namespace

GraphOverlay::GraphOverlay(std::shared_ptr<const GraphStoreView> base) : base_(std::move(base)) {}

uint64_t GraphOverlay::entry_bytes(const Entries::value_type& entry) {
  const StagedBytes& bytes = entry.second.bytes;
  return kEntryBytes + heap_bytes(entry.first) + (bytes ? heap_bytes(*bytes) : 0);
}

uint64_t GraphOverlay::undo_bytes(const Undo& undo) {
  uint64_t bytes = sizeof(Undo);
  if (undo.before) bytes += sizeof(StagedBytes) + (*undo.before ? heap_bytes(**undo.before) : 0);
  return bytes;
}

const StagedBytes* GraphOverlay::find(Family family, std::string_view key) const {
  const Entries& entries = this->entries(family);
  if (entries.empty()) return nullptr;
  const auto found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second.bytes;
}

void GraphOverlay::begin_operation() {
  BRAID_ASSERT(!in_operation());
  ++operation_;
}

GraphOverlay::Entries::iterator GraphOverlay::touch(Family family, std::string_view key,
                                                    Entries::iterator entry, bool& fresh) {
  Entries& entries = entries_of(family);
  fresh = entry == entries.end() || entry->first != key;
  if (fresh) entry = entries.emplace_hint(entry, std::string(key), Entry());
  if (entry->second.operation == operation_) return entry;
  entry->second.operation = operation_;
  operation_undo_[static_cast<size_t>(family)].push_back({entry, fresh ? nullptr : std::make_unique<StagedBytes>(entry->second.bytes)});
  // Counted again when the operation ends; until then the size is that of the start.
  if (!fresh) staged_bytes_[static_cast<size_t>(family)] -= entry_bytes(*entry);
  return entry;
}

GraphOverlay::SortedEdits::SortedEdits(GraphOverlay& overlay, Family family)
    : overlay_(overlay),
      family_(family),
      next_(overlay.entries_of(family).begin()),
      base_(overlay.base().iterate(family, nullptr)) {}

GraphOverlay::Entries::iterator GraphOverlay::SortedEdits::touch(std::string_view key, bool& fresh) {
  Entries& entries = overlay_.entries_of(family_);
  if (next_ != entries.end() && next_->first < key) next_ = entries.lower_bound(key);
  const auto entry = overlay_.touch(family_, key, next_, fresh);
  next_ = std::next(entry);
  return entry;
}

void GraphOverlay::SortedEdits::put(std::string_view key, std::string value) {
  bool fresh;
  touch(key, fresh)->second.bytes = std::move(value);
}

void GraphOverlay::SortedEdits::remove(std::string_view key) {
  bool fresh;
  touch(key, fresh)->second.bytes.reset();
}

Result<StagedBytes*> GraphOverlay::SortedEdits::edit(std::string_view key) {
  bool fresh;
  const auto entry = touch(key, fresh);
  if (!fresh) return &entry->second.bytes;
  // What lies near is stepped to, what lies farther is looked for.
  constexpr int kStepsMax = 4;
  const rocksdb::Slice wanted(key);
  for (int step = 0; base_stands_ && step < kStepsMax && base_->Valid() && base_->key().compare(wanted) < 0; ++step) base_->Next();
  if (!base_stands_ || (base_->Valid() && base_->key().compare(wanted) < 0)) base_->Seek(wanted);
  base_stands_ = true;
  if (!base_->Valid()) {
    BRAID_TRY(GraphStoreView::scan_status(*base_, family_));
  } else if (base_->key() == wanted) {
    entry->second.bytes.emplace(base_->value().data(), base_->value().size());
  }
  return &entry->second.bytes;
}

Result<StagedBytes*> GraphOverlay::edit(Family family, std::string_view key, const StagedBytes* known) {
  bool fresh;
  const auto entry = touch(family, key, fresh);
  if (fresh && known != nullptr) {
    entry->second.bytes = *known;
  } else if (fresh) {
    rocksdb::PinnableSlice bytes;
    BRAID_ASSIGN(const bool found, base_->get(family, key, bytes));
    if (found) entry->second.bytes.emplace(bytes.data(), bytes.size());
  }
  return &entry->second.bytes;
}

rocksdb::Iterator& GraphOverlay::base_iterator(Family family) {
  auto& iterator = base_iterators_[static_cast<size_t>(family)];
  if (!iterator) iterator = base_->iterate(family, nullptr);
  return *iterator;
}

Result<std::optional<GraphOverlay::Found>> GraphOverlay::edit_last_at_or_below(Family family, std::string_view prefix,
                                                                              std::string_view key) {
  Entries& entries = entries_of(family);
  rocksdb::Iterator& base = base_iterator(family);
  base.SeekForPrev(key);
  auto limit = entries.upper_bound(key);
  for (;;) {
    const bool in_base = base.Valid() && base.key().starts_with(prefix);
    if (!in_base) BRAID_TRY(GraphStoreView::scan_status(base, family));
    const auto staged = limit == entries.begin() ? entries.end() : std::prev(limit);
    const bool in_staged = staged != entries.end() && staged->first.starts_with(prefix);
    if (!in_base && !in_staged) return std::optional<Found>();
    bool fresh;
    if (!in_staged || (in_base && base.key().compare(staged->first) > 0)) {
      const auto entry = touch(family, {base.key().data(), base.key().size()}, limit, fresh);
      entry->second.bytes.emplace(base.value().data(), base.value().size());
      return std::optional(Found{entry->first, &entry->second.bytes});
    }
    if (staged->second.bytes) {
      touch(family, staged->first, staged, fresh);
      return std::optional(Found{staged->first, &staged->second.bytes});
    }
    if (in_base && base.key() == staged->first) base.Prev();
    limit = staged;
  }
}

void GraphOverlay::finish() {
  for (auto& iterator : base_iterators_) iterator.reset();
}

void GraphOverlay::put(Family family, std::string_view key, std::string value) {
  bool fresh;
  touch(family, key, fresh)->second.bytes = std::move(value);
}

void GraphOverlay::remove(Family family, std::string_view key) {
  bool fresh;
  touch(family, key, fresh)->second.bytes.reset();
}

void GraphOverlay::restore(Family family, Entries::iterator entry, const StagedBytes* before) {
  if (before == nullptr) {
    entries_of(family).erase(entry);
    return;
  }
  entry->second.bytes = *before;
  staged_bytes_[static_cast<size_t>(family)] += entry_bytes(*entry);
}

bool GraphOverlay::in_operation() const {
  return std::any_of(std::begin(operation_undo_), std::end(operation_undo_), [](const auto& undo) { return !undo.empty(); });
}

uint64_t GraphOverlay::staged_bytes() const {
  return std::accumulate(std::begin(staged_bytes_), std::end(staged_bytes_), undo_bytes_);
}

void GraphOverlay::end_operation(bool keep) {
  for (const Family family : kFamilies) end_operation_of(family, keep);
}

void GraphOverlay::end_operation_of(Family family, bool keep) {
  auto& undos = operation_undo_[static_cast<size_t>(family)];
  for (; !undos.empty(); undos.pop_back()) {
    OperationUndo& undo = undos.back();
    Entry& entry = undo.entry->second;
    if (!keep) {
      entry.operation = 0;
      restore(family, undo.entry, undo.before.get());
      continue;
    }
    staged_bytes_[static_cast<size_t>(family)] += entry_bytes(*undo.entry);
    if (entry.mark == mark_) continue;
    undo_.push_back({undo.entry, std::move(undo.before), entry.mark, mark_, family});
    entry.mark = mark_;
    undo_bytes_ += undo_bytes(undo_.back());
  }
  if (undos.capacity() > kOperationUndoKept) undos.shrink_to_fit();
}

uint64_t GraphOverlay::mark() {
  BRAID_ASSERT(!in_operation());
  ++mark_;
  return undo_.size();
}

void GraphOverlay::rollback_to(uint64_t position) {
  BRAID_ASSERT(!in_operation());
  while (undo_.size() > position) {
    Undo& undo = undo_.back();
    staged_bytes_[static_cast<size_t>(undo.family)] -= entry_bytes(*undo.entry);
    undo_bytes_ -= undo_bytes(undo);
    undo.entry->second.mark = undo.mark_before;
    restore(undo.family, undo.entry, undo.before.get());
    undo_.pop_back();
  }
  ++mark_;
}

GraphOverlay::Stamp GraphOverlay::stamp() const {
  return {undo_.size(), undo_.empty() ? 0 : undo_.back().mark};
}

bool GraphOverlay::holds(const Stamp& stamp) const {
  if (abandoned_ || undo_.size() < stamp.position) return false;
  return stamp.position == 0 || undo_[stamp.position - 1].mark == stamp.mark;
}

}  // namespace braid
