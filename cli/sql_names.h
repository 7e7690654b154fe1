// The names that SQL on a database can use, for completion.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"

namespace braid::cli {

struct SqlNames {
  std::vector<std::string> tables;  ///< views, hypertables and tables of the graph too
  std::vector<std::string> table_functions;
  std::vector<std::string> functions;
  std::map<std::string, std::vector<std::string>> columns;  ///< by table
};

/// What cannot be read is left out.
SqlNames read_sql_names(const Session& session);

/// SQL's words, in capitals.
std::span<const std::string_view> sql_keywords();

}  // namespace braid::cli
