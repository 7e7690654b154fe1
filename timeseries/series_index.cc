#include "timeseries/series_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "timeseries/series_view.h"

namespace braid {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

std::optional<uint32_t> SeriesIndex::Tag::find(const std::optional<std::string>& value) const {
  if (!value) return null_number;
  const auto found = numbers.find(*value);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

void SeriesIndex::Tag::add(uint32_t added, std::optional<std::string> value) {
  if (value) not_null.add(added);
  if (const auto known = find(value)) {
    value_of.push_back(*known);
    ValueSeries& with = series[*known];
    if (with.all == nullptr) {
      with.all = std::make_unique<SeriesSet>();
      with.all->add(with.first);
    }
    with.all->add(added);
    return;
  }
  const auto number = static_cast<uint32_t>(values.size());
  values.push_back(std::move(value));
  // Safety: a deque never moves its elements when it grows, so the view stays.
  if (values.back()) numbers.emplace(*values.back(), number);
  else null_number = number;
  series.push_back({added, nullptr});
  value_of.push_back(number);
}

SeriesSet SeriesIndex::Tag::series_with(const TagConstraint& condition) const {
  if (condition.kind == TagConstraint::Kind::kNotNull) return not_null;
  SeriesSet found;
  std::vector<uint32_t> lone;
  for (const auto& value : condition.values) {
    const auto number = find(value);
    if (!number) continue;
    if (series[*number].all != nullptr) found.unite(*series[*number].all);
    else lone.push_back(series[*number].first);
  }
  std::sort(lone.begin(), lone.end());
  SeriesSet others;
  for (const uint32_t one : lone) others.add(one);
  found.unite(others);
  return found;
}

SeriesIndex::Table& SeriesIndex::table(HypertableId id) {
  const MutexLock lock(mutex_);
  auto& found = tables_[id];
  if (found == nullptr) found = std::make_unique<Table>();
  return *found;
}

Status SeriesIndex::add(Table& to, SeriesId series, std::string_view encoded, size_t tag_count) {
  auto tags = decode_tags(encoded);
  if (!tags.ok() || tags->size() != tag_count || (!to.ids.empty() && to.ids.back() >= series))
    return Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", series.value()));
  to.tags.resize(tag_count);
  for (size_t i = 0; i < tag_count; ++i) to.tags[i].add(static_cast<uint32_t>(to.ids.size()), std::move((*tags)[i]));
  to.ids.push_back(series);
  return {};
}

Result<SeriesIndex::Table*> SeriesIndex::current(const HypertableDefinition& definition) {
  Table& found = table(definition.id);
  size_t known = 0;
  {
    const ReaderLock lock(found.mutex);
    if (!found.damage.ok()) return found.damage;
    known = found.ids.size();
  }
  if (known >= catalog_.series_count(definition.id)) return &found;
  std::vector<std::pair<SeriesId, const std::string*>> added;
  catalog_.for_each_series_from(definition.id, known, [&](SeriesId series, const std::string& tags) { added.emplace_back(series, &tags); });
  const WriterLock lock(found.mutex);
  // Another thread may have added the first of them meanwhile.
  for (size_t i = found.ids.size() - known; i < added.size() && found.damage.ok(); ++i)
    found.damage = add(found, added[i].first, *added[i].second, definition.tags.size());
  if (!found.damage.ok()) return found.damage;
  return &found;
}

Result<std::vector<SeriesId>> SeriesIndex::all(const HypertableDefinition& definition) {
  BRAID_ASSIGN(Table* const found, current(definition));
  const ReaderLock lock(found->mutex);
  return found->ids;
}

Result<std::vector<SeriesId>> SeriesIndex::choose(const HypertableDefinition& definition, std::span<const TagConstraint> conditions) {
  BRAID_ASSIGN(Table* const found, current(definition));
  const ReaderLock lock(found->mutex);
  std::vector<SeriesSet> sets;
  for (size_t i = 0; i < conditions.size() && !found->ids.empty(); ++i) {
    if (conditions[i].kind != TagConstraint::Kind::kAny) sets.push_back(found->tags[i].series_with(conditions[i]));
  }
  if (sets.empty()) return found->ids;
  std::sort(sets.begin(), sets.end(), [](const SeriesSet& a, const SeriesSet& b) { return a.size() < b.size(); });
  for (size_t i = 1; i < sets.size(); ++i) sets.front().intersect(sets[i]);
  std::vector<SeriesId> chosen;
  chosen.reserve(sets.front().size());
  for (const uint32_t number : sets.front().numbers()) chosen.push_back(found->ids[number]);
  return chosen;
}

Result<SeriesGroups> SeriesIndex::group(const HypertableDefinition& definition, std::span<const size_t> keys, std::span<const SeriesId> series) {
  BRAID_ASSIGN(Table* const found, current(definition));
  const ReaderLock lock(found->mutex);
  SeriesGroups groups;
  if (series.empty()) return groups;
  groups.of_series.assign(series.size(), 0);
  std::vector<uint32_t> numbers;  // of the series
  numbers.reserve(series.size());
  auto at = found->ids.begin();
  for (const SeriesId id : series) {
    if (at == found->ids.end() || *at != id) at = std::lower_bound(at, found->ids.end(), id);
    if (at == found->ids.end() || *at != id) return Status(StatusCode::kNotFound, fmt::format("series {} is not committed", id.value()));
    numbers.push_back(static_cast<uint32_t>(at++ - found->ids.begin()));
  }
  // Key after key, a group is told by the group before and the value that it adds.
  struct Step {
    uint32_t before;
    uint32_t value;
  };
  std::vector<std::vector<Step>> steps;
  size_t count = 1;
  for (const size_t key : keys) {
    const Tag& tag = found->tags[key];
    std::vector<Step>& added = steps.emplace_back();
    // Where the groups before are many, their combinations with values are few in all that there could be.
    std::vector<uint32_t> by_value(count <= 1 ? tag.values.size() : 0, kNone);
    std::unordered_map<uint64_t, uint32_t> by_both;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const Step step{groups.of_series[i], tag.value_of[numbers[i]]};
      uint32_t& group = count <= 1 ? by_value[step.value] : by_both.try_emplace(uint64_t{step.before} << 32 | step.value, kNone).first->second;
      if (group == kNone) {
        group = static_cast<uint32_t>(added.size());
        added.push_back(step);
      }
      groups.of_series[i] = group;
    }
    count = added.size();
  }
  for (size_t group = 0; group < count; ++group) {
    TagValues& tags = groups.tags.emplace_back(keys.size());
    for (size_t key = keys.size(), at = group; key-- > 0; at = steps[key][at].before) tags[key] = found->tags[keys[key]].values[steps[key][at].value];
  }
  return groups;
}

SeriesIndex& series_index(const StoreView& view) { return static_cast<const SeriesView&>(view).index(); }

}  // namespace braid
