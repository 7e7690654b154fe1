#include "sql/series_selection.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/graph_access.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

std::optional<SeriesId> find_series(Connection& connection, HypertableId table, std::string_view tags) {
  return connection.writing() ? connection.session().catalog_writer().find_series(table, tags)
                              : connection.engine().catalog().find_series(table, tags);
}

void for_each_series(Connection& connection, HypertableId table, const std::function<void(SeriesId, const std::string&)>& visit) {
  if (connection.writing()) return connection.session().catalog_writer().for_each_series(table, visit);
  connection.engine().catalog().for_each_series(table, visit);
}

bool is_allowed(const TagValues& tags, const TagValuesAllowed& allowed) {
  for (size_t i = 0; i < allowed.size(); ++i)
    if (allowed[i] && std::find(allowed[i]->begin(), allowed[i]->end(), tags[i]) == allowed[i]->end()) return false;
  return true;
}

Status add_allowed(const HypertableDefinition& table, const std::string& name, const PropertyValue& value, TagValuesAllowed& allowed) {
  const auto tag = std::find_if(table.tags.begin(), table.tags.end(), [&](const std::string& known) {
    return sqlite3_stricmp(known.c_str(), name.c_str()) == 0;
  });
  if (tag == table.tags.end())
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no tag of '{}'; its tags: {}", name, table.name, fmt::join(table.tags, ", ")));
  auto& values = allowed[static_cast<size_t>(tag - table.tags.begin())].emplace();
  const auto* list = std::get_if<PropertyList>(&value.value);
  for (const PropertyValue& one : list != nullptr ? *list : PropertyList{value}) {
    if (const auto* text = std::get_if<std::string>(&one.value)) values.emplace_back(*text);
    else if (const auto* number = std::get_if<int64_t>(&one.value)) values.emplace_back(tag_of_integer(*number));
    else if (one.is_null()) values.emplace_back();
    else return Status(StatusCode::kInvalidArgument, fmt::format("tag '{}': expected text, a whole number, null or a list of them", name));
  }
  return {};
}

}  // namespace

Result<TagValues> tags_of_series(Connection& connection, const HypertableDefinition& table, SeriesId series) {
  BRAID_ASSIGN(TagValues tags, decode_tags(series_tags(connection, series)));
  if (tags.size() != table.tags.size()) return Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", series.value()));
  return tags;
}

Result<TagValuesAllowed> allowed_tags(const HypertableDefinition& table, std::string_view json) {
  TagValuesAllowed allowed(table.tags.size());
  const auto parsed = value_from_json(json);
  if (!parsed.ok()) return parsed.status().within("tags");
  const auto* tags = std::get_if<PropertyMap>(&parsed->value);
  if (tags == nullptr) return Status(StatusCode::kInvalidArgument, "tags: expected an object like {\"host\": \"a\"}");
  for (const auto& [name, value] : *tags) BRAID_TRY(add_allowed(table, name, value, allowed));
  return allowed;
}

const std::string& series_tags(Connection& connection, SeriesId series) {
  return connection.writing() ? connection.session().catalog_writer().series_tags(series) : connection.engine().catalog().series_tags(series);
}

Result<std::optional<std::vector<SeriesId>>> select_series(Connection& connection, const HypertableDefinition& table,
                                                           const TagValuesAllowed& allowed) {
  using Chosen = std::optional<std::vector<SeriesId>>;
  if (std::none_of(allowed.begin(), allowed.end(), [](const auto& values) { return values.has_value(); })) return Chosen();
  Chosen chosen(std::in_place);
  if (std::all_of(allowed.begin(), allowed.end(), [](const auto& values) { return values && values->size() == 1; })) {
    std::vector<std::optional<std::string_view>> tags;
    for (const auto& values : allowed) tags.push_back(values->front());
    if (const auto series = find_series(connection, table.id, encode_tags(tags))) chosen->push_back(*series);
    return chosen;
  }
  Status damaged;
  for_each_series(connection, table.id, [&](SeriesId series, const std::string& encoded) {
    const auto tags = decode_tags(encoded);
    if (!tags.ok() || tags->size() != allowed.size()) {
      damaged = Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", series.value()));
    } else if (is_allowed(*tags, allowed)) {
      chosen->push_back(series);
    }
  });
  BRAID_TRY(damaged);
  std::sort(chosen->begin(), chosen->end());
  return chosen;
}

}  // namespace braid
