#include "graph/graph_overlay.h"

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
  BRAID_ASSERT(operation_undo_.empty());
  ++operation_;
}

GraphOverlay::Entries::iterator GraphOverlay::touch(Family family, std::string_view key,
                                                    bool& fresh) {
  Entries& entries = entries_of(family);
  auto entry = entries.lower_bound(key);
  fresh = entry == entries.end() || entry->first != key;
  if (fresh) entry = entries.emplace_hint(entry, std::string(key), Entry());
  if (entry->second.operation == operation_) return entry;
  entry->second.operation = operation_;
  operation_undo_.push_back({family, !fresh, entry, entry->second.bytes});
  // Counted again when the operation ends; until then the size is that of the start.
  if (!fresh) staged_bytes_ -= entry_bytes(*entry);
  return entry;
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
  staged_bytes_ += entry_bytes(*entry);
}

void GraphOverlay::end_operation(bool keep) {
  while (!operation_undo_.empty()) {
    OperationUndo& undo = operation_undo_.back();
    Entry& entry = undo.entry->second;
    if (!keep) {
      entry.operation = 0;
      restore(undo.family, undo.entry, undo.existed ? &undo.before : nullptr);
    } else {
      staged_bytes_ += entry_bytes(*undo.entry);
      if (entry.mark != mark_) {
        undo_.push_back({undo.entry, nullptr, entry.mark, mark_, undo.family});
        if (undo.existed) {
          undo_.back().before = std::make_unique<StagedBytes>(std::move(undo.before));
        }
        entry.mark = mark_;
        undo_bytes_ += undo_bytes(undo_.back());
      }
    }
    operation_undo_.pop_back();
  }
  if (operation_undo_.capacity() > kOperationUndoKept) operation_undo_.shrink_to_fit();
}

uint64_t GraphOverlay::mark() {
  BRAID_ASSERT(operation_undo_.empty());
  ++mark_;
  return undo_.size();
}

void GraphOverlay::rollback_to(uint64_t position) {
  BRAID_ASSERT(operation_undo_.empty());
  while (undo_.size() > position) {
    Undo& undo = undo_.back();
    staged_bytes_ -= entry_bytes(*undo.entry);
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
