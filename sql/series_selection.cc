#include "sql/series_selection.h"

#include <algorithm>

#include <fmt/format.h>

namespace braid {

namespace {

Status damaged(SeriesId series) {
  return Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", series.value()));
}

/// A transaction's own series are in its catalog writer.
template <typename OnWriter, typename OnCatalog>
auto in_catalog(Connection& connection, OnWriter on_writer, OnCatalog on_catalog) {
  if (connection.writing()) return on_writer(connection.session().catalog_writer());
  return on_catalog(connection.engine().catalog());
}

Result<std::vector<SeriesId>> matching_series(Connection& connection, HypertableId table, const TagFilter& filter) {
  std::vector<SeriesId> chosen;
  Status failed;
  const auto visit = [&](SeriesId series, const std::string& encoded) {
    const auto tags = decode_tags(encoded);
    if (!tags.ok() || tags->size() != filter.wanted.size()) {
      failed = damaged(series);
      return;
    }
    for (size_t i = 0; i < filter.wanted.size(); ++i)
      if (filter.constrained[i] && (*tags)[i] != filter.wanted[i]) return;
    chosen.push_back(series);
  };
  const auto walk = [&](auto& catalog) { catalog.for_each_series(table, visit); };
  in_catalog(connection, walk, walk);
  BRAID_TRY(failed);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

Result<std::optional<std::vector<SeriesId>>> select_series(Connection& connection, const HypertableDefinition& table, const TagFilter& filter) {
  using Chosen = std::optional<std::vector<SeriesId>>;
  const auto fixed = std::count(filter.constrained.begin(), filter.constrained.end(), true);
  if (fixed == 0) return Chosen();
  if (static_cast<size_t>(fixed) < filter.constrained.size()) {
    BRAID_ASSIGN(auto chosen, matching_series(connection, table.id, filter));
    return Chosen(std::move(chosen));
  }
  const std::vector<std::optional<std::string_view>> tags(filter.wanted.begin(), filter.wanted.end());
  const auto find = [&](auto& catalog) { return catalog.find_series(table.id, encode_tags(tags)); };
  const std::optional<SeriesId> series = in_catalog(connection, find, find);
  return Chosen(series ? std::vector{*series} : std::vector<SeriesId>());
}

Result<TagValues> tags_of_series(Connection& connection, const HypertableDefinition& table, SeriesId series) {
  const auto encoded = [&](auto& catalog) { return std::string(catalog.series_tags(series)); };
  BRAID_ASSIGN(TagValues tags, decode_tags(in_catalog(connection, encoded, encoded)));
  if (tags.size() != table.tags.size()) return damaged(series);
  return tags;
}

}  // namespace braid
