// CLI11 behind the one thing that the command wants of it: words understood, or an answer.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"

namespace braid::cli {

/// Reads the words by the options of `app`. Nothing when they were understood, else help, a
/// version, or what is wrong.
std::optional<Answer> parse_words(CLI::App* app, std::vector<std::string> words,
                                  std::string_view command);

/// The answer to wrong usage of `command`, with the way to its help.
Answer usage_error(std::string_view message, std::string_view command);

}  // namespace braid::cli
