// What a commit changed, as one line of JSON: docs/change_feed.md.
//
// Values are written as `braid -jsonl` writes those of a SELECT, properties as in graph_nodes and graph_edges.
#pragma once

#include <string>

#include "engine/catalog.h"
#include "engine/commit_feed.h"
#include "engine/result.h"

namespace braid {

/// Which models are told.
struct ChangeModels {
  bool rows = true;
  bool graph = true;
  bool series = true;
};

/// The line without its line feed; empty when the commit changed nothing in these models. Lists are cut when the line has about `bytes_max` bytes, and
/// that is told in it. kCorrupt for a record that is none.
Result<std::string> change_line(const CommitChanges& changes, const Catalog& catalog, ChangeModels models, size_t bytes_max);
/// The first line of a feed: commits after this one follow.
std::string start_line(Lsn start);
std::string gap_line(CommitFeed::Gap gap);

}  // namespace braid
