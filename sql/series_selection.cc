#include "sql/series_selection.h"

#include <algorithm>

#include <fmt/format.h>

#include "timeseries/tag_codec.h"

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

}  // namespace

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
