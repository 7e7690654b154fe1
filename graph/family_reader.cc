#include "graph/family_reader.h"

namespace braid {

Status FamilyReader::get(Family family, std::string_view key, FoundBytes& out) const {
  if (overlay_ != nullptr) {
    if (const StagedBytes* staged = overlay_->find(family, key)) {
      out.found_ = staged->has_value();
      out.bytes_ = out.found_ ? std::string_view(**staged) : std::string_view();
      return {};
    }
  }
  BRAID_ASSIGN(out.found_, base_->get(family, key, out.pinned_));
  out.bytes_ = out.found_ ? out.pinned_.ToStringView() : std::string_view();
  return {};
}

Result<std::optional<std::pair<std::string, std::string>>> FamilyReader::last_at_or_below(
    Family family, std::string_view prefix, std::string_view key) const {
  using Found = std::optional<std::pair<std::string, std::string>>;
  const auto base = base_->iterate(family, nullptr);
  base->SeekForPrev(key);
  const GraphOverlay::Entries none;
  const GraphOverlay::Entries& entries = overlay_ != nullptr ? overlay_->entries(family) : none;
  auto staged = entries.upper_bound(key);
  for (;;) {
    const bool in_base = base->Valid() && base->key().ToStringView().starts_with(prefix);
    if (!in_base) BRAID_TRY(GraphStoreView::scan_status(*base, family));
    const bool in_staged =
        staged != entries.begin() && std::string_view(std::prev(staged)->first).starts_with(prefix);
    if (!in_base && !in_staged) return Found();
    if (!in_staged || (in_base && base->key().ToStringView() > std::prev(staged)->first)) {
      return Found(std::pair(base->key().ToString(), base->value().ToString()));
    }
    const auto& [staged_key, entry] = *std::prev(staged);
    if (entry.bytes) return Found(std::pair(staged_key, *entry.bytes));
    if (in_base && base->key().ToStringView() == staged_key) base->Prev();
    --staged;
  }
}

namespace {

/// Null when nothing is staged in the family.
const GraphOverlay::Entries* staged_entries(const FamilyReader& reader, Family family) {
  if (reader.overlay() == nullptr || reader.overlay()->entries(family).empty()) return nullptr;
  return &reader.overlay()->entries(family);
}

}  // namespace

FamilyCursor::FamilyCursor(const FamilyReader& reader, Family family, std::string prefix)
    : prefix_(std::move(prefix)),
      limit_(prefix_limit(prefix_)),
      limit_slice_(limit_),
      family_(family),
      entries_(staged_entries(reader, family)),
      base_(reader.base().iterate(family, limit_.empty() ? nullptr : &limit_slice_)) {}

bool FamilyCursor::staged_valid() const {
  return entries_ != nullptr && staged_ != entries_->end() && staged_->first.starts_with(prefix_);
}

std::string_view FamilyCursor::base_key() const { return base_->key().ToStringView(); }

void FamilyCursor::seek(std::string_view key) {
  // The marker sorts before all data and is none.
  base_->Seek(key);
  if (base_->Valid() && base_key() == kMarkerKey) base_->Next();
  if (entries_ != nullptr) staged_ = entries_->lower_bound(key);
  settle();
}

void FamilyCursor::settle() {
  for (;;) {
    const bool in_base = base_->Valid() && base_key().starts_with(prefix_);
    const bool in_staged = staged_valid();
    if (!in_base && !base_->status().ok()) {
      side_ = Side::kNone;
      return;
    }
    if (!in_staged || (in_base && base_key() < staged_->first)) {
      side_ = in_base ? Side::kBase : Side::kNone;
      return;
    }
    // What is staged hides what the base has under the same key.
    if (in_base && base_key() == staged_->first) base_->Next();
    if (staged_->second.bytes) {
      side_ = Side::kStaged;
      return;
    }
    ++staged_;
  }
}

void FamilyCursor::next() {
  if (side_ == Side::kBase) base_->Next();
  if (side_ == Side::kStaged) ++staged_;
  settle();
}

std::string_view FamilyCursor::key() const {
  return side_ == Side::kBase ? base_key() : std::string_view(staged_->first);
}

std::string_view FamilyCursor::bytes() const {
  return side_ == Side::kBase ? base_->value().ToStringView() : std::string_view(*staged_->second.bytes);
}

Status FamilyCursor::status() const { return GraphStoreView::scan_status(*base_, family_); }

FamilyBackCursor::FamilyBackCursor(const FamilyReader& reader, Family family, std::string lower)
    : lower_(std::move(lower)),
      family_(family),
      entries_(staged_entries(reader, family)),
      base_(reader.base().iterate(family, nullptr)) {}

void FamilyBackCursor::seek_below(std::string_view key) {
  base_->SeekForPrev(key);
  if (base_->Valid() && base_->key().ToStringView() == key) base_->Prev();
  if (entries_ != nullptr) staged_ = entries_->lower_bound(key);
  settle();
}

void FamilyBackCursor::settle() {
  for (;;) {
    // The marker sorts before all data, so a lower limit that is the start of data keeps it out.
    const bool in_base = base_->Valid() && base_->key().ToStringView() >= lower_;
    const bool in_staged = entries_ != nullptr && staged_ != entries_->begin() &&
                           std::string_view(std::prev(staged_)->first) >= lower_;
    if (!in_base && !base_->status().ok()) {
      side_ = Side::kNone;
      return;
    }
    if (!in_staged || (in_base && base_->key().ToStringView() > std::prev(staged_)->first)) {
      side_ = in_base ? Side::kBase : Side::kNone;
      return;
    }
    // What is staged hides what the base has under the same key.
    if (in_base && base_->key().ToStringView() == std::prev(staged_)->first) base_->Prev();
    if (std::prev(staged_)->second.bytes) {
      side_ = Side::kStaged;
      return;
    }
    --staged_;
  }
}

void FamilyBackCursor::next() {
  if (side_ == Side::kBase) base_->Prev();
  if (side_ == Side::kStaged) --staged_;
  settle();
}

std::string_view FamilyBackCursor::key() const {
  return side_ == Side::kBase ? base_->key().ToStringView() : std::string_view(std::prev(staged_)->first);
}

Status FamilyBackCursor::status() const { return GraphStoreView::scan_status(*base_, family_); }

}  // namespace braid
