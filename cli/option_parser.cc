#include "cli/option_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_code.h"

namespace braid::cli {

Answer usage_error(std::string_view message, std::string_view command) {
  // A dot command's failure is placed by the shell or script that ran it.
  if (command.starts_with('.'))
    return {fmt::format("{} (see {} --help)", message, command), kExitUsage};
  return {fmt::format("braid: {}\nTry '{} --help'.\n", message, command), kExitUsage};
}

std::optional<Answer> parse_words(CLI::App* app, std::vector<std::string> words,
                                  std::string_view command) {
  app->get_formatter()->column_width(28);
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes words from the back
    app->parse(std::move(words));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return Answer{app->help(), kExitOk};
  } catch (const CLI::CallForVersion& version) {
    return Answer{std::string(version.what()) + "\n", kExitOk};
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what(), command);
  }
}

}  // namespace braid::cli
