#include "sql/series_choice.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "timeseries/series_index.h"

namespace braid {

namespace {

/// More combinations of values than this are not looked up one by one.
constexpr size_t kLookupsMax = 4096;

bool is_writing(Connection& connection) { return connection.session().state() == Session::State::kWriting; }

std::optional<SeriesId> find_series(Connection& connection, HypertableId table, std::string_view tags) {
  if (is_writing(connection)) return connection.session().catalog_writer().find_series(table, tags);
  return connection.engine().catalog().find_series(table, tags);
}

/// The index knows committed series only.
bool has_uncommitted(Connection& connection, HypertableId table) {
  return is_writing(connection) && connection.session().catalog_writer().adds_series(table);
}

void for_each_series(Connection& connection, HypertableId table, const std::function<void(SeriesId, const std::string&)>& visit) {
  connection.session().catalog_writer().for_each_series(table, visit);
}

Status unreadable(SeriesId series) { return Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", series.value())); }

/// How many combinations of values there are, or more than kLookupsMax when a tag may have any value.
size_t combinations(const std::vector<TagChoice>& choices) {
  size_t count = 1;
  for (const TagChoice& choice : choices) {
    if (!choice.lists() || choice.values().size() > kLookupsMax) return kLookupsMax + 1;
    count = std::min(count * choice.values().size(), kLookupsMax + 1);
  }
  return count;
}

std::vector<SeriesId> look_up(Connection& connection, const HypertableDefinition& table, const std::vector<TagChoice>& choices, size_t count) {
  std::vector<SeriesId> chosen;
  std::vector<std::optional<std::string_view>> tags(choices.size());
  for (size_t combination = 0; combination < count; ++combination) {
    size_t rest = combination;
    for (size_t i = 0; i < choices.size(); ++i) {
      const auto& values = choices[i].values();
      tags[i] = values[rest % values.size()];
      rest /= values.size();
    }
    if (const auto series = find_series(connection, table.id, encode_tags(tags))) chosen.push_back(*series);
  }
  return chosen;
}

}  // namespace

void TagChoice::require_one_of(std::vector<std::optional<std::string>> values) {
  std::erase_if(values, [this](const auto& value) { return !allows(value); });
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  values_ = std::move(values);
  restricted_ = true;
  not_null_ = false;
}

void TagChoice::require_not_null() {
  if (!restricted_) {
    restricted_ = not_null_ = true;
    return;
  }
  std::erase(values_, std::nullopt);
}

TagConstraint TagChoice::condition() const {
  if (!restricted_) return {};
  return not_null_ ? TagConstraint{TagConstraint::Kind::kNotNull, {}} : TagConstraint{TagConstraint::Kind::kOneOf, values_};
}

bool TagChoice::allows(const std::optional<std::string>& value) const {
  if (!restricted_) return true;
  return not_null_ ? value.has_value() : std::binary_search(values_.begin(), values_.end(), value);
}

Result<std::optional<std::vector<SeriesId>>> choose_series(Connection& connection, const HypertableDefinition& table,
                                                           const std::vector<TagChoice>& choices) {
  if (std::none_of(choices.begin(), choices.end(), [](const TagChoice& choice) { return choice.restricted(); }))
    return std::optional<std::vector<SeriesId>>();
  std::vector<SeriesId> chosen;
  const size_t count = combinations(choices);
  if (count <= kLookupsMax) {
    chosen = look_up(connection, table, choices, count);
  } else if (!has_uncommitted(connection, table.id)) {
    std::vector<TagConstraint> conditions;
    for (const TagChoice& choice : choices) conditions.push_back(choice.condition());
    BRAID_ASSIGN(chosen, series_index(*connection.series_view()).choose(table, conditions));
  } else {
    Status status;
    for_each_series(connection, table.id, [&](SeriesId series, const std::string& encoded) {
      const auto tags = decode_tags(encoded);
      if (!tags.ok() || tags->size() != choices.size()) {
        status = unreadable(series);
        return;
      }
      for (size_t i = 0; i < choices.size(); ++i)
        if (!choices[i].allows((*tags)[i])) return;
      chosen.push_back(series);
    });
    BRAID_TRY(status);
  }
  std::sort(chosen.begin(), chosen.end());
  return std::optional(std::move(chosen));
}

Result<std::vector<SeriesId>> all_series(Connection& connection, const HypertableDefinition& table) {
  if (!has_uncommitted(connection, table.id)) return series_index(*connection.series_view()).all(table);
  std::vector<SeriesId> series;
  for_each_series(connection, table.id, [&](SeriesId id, const std::string&) { series.push_back(id); });
  std::sort(series.begin(), series.end());
  return series;
}

Result<SeriesGroups> group_series(Connection& connection, const HypertableDefinition& table, std::span<const size_t> keys,
                                  std::span<const SeriesId> series) {
  if (!has_uncommitted(connection, table.id)) return series_index(*connection.series_view()).group(table, keys, series);
  SeriesGroups groups;
  std::map<TagValues, uint32_t> numbers;
  for (const SeriesId one : series) {
    BRAID_ASSIGN(const TagValues tags, tags_of_series(connection, table, one));
    TagValues of_keys;
    for (const size_t key : keys) of_keys.push_back(tags[key]);
    const auto [entry, is_new] = numbers.try_emplace(std::move(of_keys), static_cast<uint32_t>(groups.tags.size()));
    if (is_new) groups.tags.push_back(entry->first);
    groups.of_series.push_back(entry->second);
  }
  return groups;
}

Result<TagValues> tags_of_series(Connection& connection, const HypertableDefinition& table, SeriesId series) {
  const std::string& encoded = is_writing(connection) ? connection.session().catalog_writer().series_tags(series)
                                                      : connection.engine().catalog().series_tags(series);
  auto tags = decode_tags(encoded);
  if (!tags.ok() || tags->size() != table.tags.size()) return unreadable(series);
  return tags;
}

}  // namespace braid
