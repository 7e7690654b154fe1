#include "sql/series_selection.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/graph_access.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

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
  std::vector<TagChoice> choices(allowed.size());
  for (size_t i = 0; i < allowed.size(); ++i)
    if (allowed[i]) choices[i].require_one_of(*allowed[i]);
  return choose_series(connection, table, choices);
}

}  // namespace braid
