// What Tab offers: words of SQL, names of the database, dot commands, files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/dot_commands.h"
#include "cli/sql_names.h"

namespace braid::cli {

struct Completion {
  size_t start = 0;  ///< where the word begins that is completed
  std::vector<std::string> candidates;  ///< whole words, sorted, each once
  bool ends_word = true;                ///< what is chosen is followed by a space; else more may follow it
};

/// `before`: the line up to the cursor.
Completion complete(std::string_view before, const SqlNames& names, std::span<const DotCommandRow> commands);

/// What all candidates begin with, whatever its case.
std::string common_start(const std::vector<std::string>& candidates);

}  // namespace braid::cli
