#include "cli/dot_commands.h"

#include <fmt/format.h>

#include <array>

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/import.h"
#include "cli/inspection.h"
#include "cli/script.h"

namespace braid::cli {

Outcome<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (quote == '\0' && space) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote == '"' && c == '\\' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else {
      words.back() += c;
    }
  }
  if (quote != '\0') return Failure{fmt::format("the quote {} is not closed", quote)};
  return words;
}

namespace {

using Words = std::vector<std::string>;

/// A file that reads itself would otherwise never end.
constexpr int kReadDepthMax = 16;

Done show_help(Console* console, const Words& words);

Done list_tables(Console* console, const Words&) { return show_tables(console); }

Done print_schema(Console* console, const Words& words) {
  return show_schema(console, words.size() > 1 ? words[1] : "");
}

Done change_mode(Console* console, const Words& words) {
  if (words.size() == 1) {
    std::fprintf(stdout, "%s\n", std::string(output_format_name(console->format())).c_str());
    return std::nullopt;
  }
  const std::optional<OutputFormat> format = output_format_named(words[1]);
  if (!format.has_value()) {
    return Failure{fmt::format("there is no mode {}; use .mode box, csv, json or line", words[1])};
  }
  console->set_format(*format);
  return std::nullopt;
}

Done change_timer(Console* console, const Words& words) {
  if (words.size() == 2 && words[1] != "on" && words[1] != "off") {
    return Failure{"use .timer on or .timer off"};
  }
  console->set_timer(words.size() == 1 ? !console->timer() : words[1] == "on");
  return std::nullopt;
}

Done import_here(Console* console, const Words& words) {
  auto read = read_import_arguments(Words(words.begin() + 1, words.end()));
  if (const Answer* answer = std::get_if<Answer>(&read)) {
    if (answer->exit_code != kExitOk) return Failure{answer->text};
    std::fputs(answer->text.c_str(), stdout);
    return std::nullopt;
  }
  const auto& arguments = std::get<ImportArguments>(read);
  if (arguments.file == "-") {
    return Failure{"standard input is where commands come from; give .import a file"};
  }
  Outcome<std::unique_ptr<InputFile>> file = InputFile::open(arguments.file);
  if (!file.ok()) return file.failure();
  return import_file(console->session(), arguments, file->get());
}

Done read_file(Console* console, const Words& words) {
  if (words.size() < 2) return Failure{"which file? .read FILE"};
  if (console->read_depth >= kReadDepthMax) {
    return Failure{fmt::format("files are read {} deep; does one read itself?", kReadDepthMax)};
  }
  ++console->read_depth;
  const ScriptEnd end = run_script_file(console, words[1], false);
  --console->read_depth;
  if (end == ScriptEnd::kOk) return std::nullopt;
  return Failure{};
}

Done stats_here(Console* console, const Words&) {
  return show_stats(console->session(), &console->writer());
}

Done check_here(Console* console, const Words&) { return check_database(console->session()); }

Done quit(Console* console, const Words&) {
  console->quit();
  return std::nullopt;
}

struct DotCommand {
  std::string_view name;
  std::string_view arguments;
  std::string_view help;
  size_t words_max;  ///< with the name
  Done (*run)(Console* console, const Words& words);
};

constexpr size_t kAnyWords = 1000;

constexpr std::array<DotCommand, 11> kCommands = {{
    {".check", "", "verify everything that is stored", 1, check_here},
    {".exit", "", "the same as .quit", 1, quit},
    {".help", "", "this list", 1, show_help},
    {".import", "FILE ...", "load a CSV or GraphML file; .import --help says how", kAnyWords, import_here},
    {".mode", "box|csv|json|line", "how results look", 2, change_mode},
    {".quit", "", "leave; Ctrl-D does too", 1, quit},
    {".read", "FILE", "run the SQL of a file", 2, read_file},
    {".schema", "[TABLE]", "the SQL that made the tables", 2, print_schema},
    {".stats", "", "figures about the database", 1, stats_here},
    {".tables", "", "tables, views and hypertables", 1, list_tables},
    {".timer", "on|off", "show how long each statement takes", 2, change_timer},
}};

Done show_help(Console*, const Words&) {
  std::string text =
      "SQL statements end with a semicolon and may span lines. Commands are one line:\n";
  for (const DotCommand& command : kCommands) {
    text += fmt::format("  {:<26} {}\n", fmt::format("{} {}", command.name, command.arguments),
                        command.help);
  }
  std::fputs(text.c_str(), stdout);
  return std::nullopt;
}

}  // namespace

Done run_dot_command(Console* console, std::string_view line) {
  Outcome<Words> words = split_words(line);
  if (!words.ok()) return words.failure();
  if (words->empty()) return std::nullopt;
  for (const DotCommand& command : kCommands) {
    if (command.name != (*words)[0]) continue;
    if (words->size() <= command.words_max) return command.run(console, *words);
    return Failure{fmt::format("too many words; use {}{}{}", command.name,
                               command.arguments.empty() ? "" : " ", command.arguments)};
  }
  return Failure{fmt::format("there is no command {}; .help lists them", (*words)[0])};
}

}  // namespace braid::cli
