#include "cli/dot_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/arguments.h"
#include "cli/dump.h"
#include "cli/exit_code.h"
#include "cli/export_command.h"
#include "cli/export_file.h"
#include "cli/graph_command.h"
#include "cli/import.h"
#include "cli/inspection.h"
#include "cli/progress.h"
#include "cli/query_plan.h"
#include "cli/report.h"
#include "cli/script.h"
#include "cli/watch.h"

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

/// One line as it was given and as words.
struct DotLine {
  std::vector<std::string> words;
  std::string_view text;

  /// What follows the first `count` words, as it was written: SQL has quotes of its own.
  std::string_view after(size_t count) const {
    std::string_view rest = text;
    for (size_t i = 0; i < count; ++i) {
      rest = without_blanks(rest);
      rest.remove_prefix(std::min(rest.size(), rest.find_first_of(" \t")));
    }
    return without_blanks(rest);
  }
  /// The same without a semicolon at its end.
  std::string_view sql_after(size_t count) const {
    std::string_view sql = after(count);
    while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n' || sql.back() == '\r')) sql.remove_suffix(1);
    return sql;
  }
  /// The failure of `sql` at its place in the line; without one when it does not stand there as it was run, and `sql` is empty.
  Done placed(std::string_view sql, Done done) const {
    if (done.has_value() && done->sql_offset >= 0) done->sql_offset = sql.empty() ? -1 : done->sql_offset + (sql.data() - text.data());
    return done;
  }

 private:
  static std::string_view without_blanks(std::string_view rest) {
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" \t\r\n")));
    return rest;
  }
};

using Words = std::vector<std::string>;

/// A file that reads itself would otherwise never end.
constexpr int kReadDepthMax = 16;

Done show_help(Console* console, const DotLine& line);

Words words_behind(const DotLine& line) { return {line.words.begin() + 1, line.words.end()}; }

/// Help that was asked for, or what is wrong about the words.
Done answer_here(Console* console, const Answer& answer) {
  if (answer.exit_code != kExitOk) return Failure{answer.text};
  std::fputs(answer.text.c_str(), console->out());
  return std::nullopt;
}

Done list_tables(Console* console, const DotLine&) { return show_tables(console); }

Done print_schema(Console* console, const DotLine& line) {
  return show_schema(console, line.words.size() > 1 ? line.words[1] : "");
}

Done change_mode(Console* console, const DotLine& line) {
  if (line.words.size() == 1) {
    std::fprintf(console->out(), "%s\n", std::string(output_format_name(console->format())).c_str());
    return std::nullopt;
  }
  const std::optional<OutputFormat> format = output_format_named(line.words[1]);
  if (!format.has_value()) {
    return Failure{fmt::format("there is no mode {}; use .mode with one of {}", line.words[1], output_format_names())};
  }
  if (line.words.size() > 2 && *format != OutputFormat::kInsert) {
    return Failure{"only .mode insert takes the name of a table"};
  }
  if (line.words.size() > 2) console->set_insert_table(line.words[2]);
  console->set_format(*format);
  return std::nullopt;
}

/// on, off, or nothing for the other of the two.
Outcome<bool> switched(const DotLine& line, bool now) {
  if (line.words.size() == 1) return !now;
  if (line.words[1] == "on" || line.words[1] == "off") return line.words[1] == "on";
  return Failure{fmt::format("use {0} on or {0} off", line.words[0])};
}

Done change_timer(Console* console, const DotLine& line) {
  Outcome<bool> on = switched(line, console->timer());
  if (!on.ok()) return on.failure();
  console->set_timer(*on);
  return std::nullopt;
}

Done change_pager(Console* console, const DotLine& line) {
  Outcome<bool> on = switched(line, console->pages());
  if (!on.ok()) return on.failure();
  if (*on && console->pager().empty()) {
    return Failure{"there is no pager: start the shell at a terminal, with the program's name in the environment variable PAGER"};
  }
  console->set_pages(*on);
  return std::nullopt;
}

Done explain(Console* console, const DotLine& line) {
  const bool is_switch = line.words.size() == 1 || line.words[1] == "on" || line.words[1] == "off";
  if (!is_switch) {
    const std::string_view sql = line.sql_after(1);
    return line.placed(sql, show_plan(console->session(), sql, console->out()));
  }
  Outcome<bool> on = switched(line, console->explains());
  if (!on.ok()) return on.failure();
  console->set_explains(*on);
  return std::nullopt;
}

Done import_here(Console* console, const DotLine& line) {
  auto read = read_import_arguments(words_behind(line));
  if (const Answer* answer = std::get_if<Answer>(&read)) return answer_here(console, *answer);
  const auto& arguments = std::get<ImportArguments>(read);
  if (arguments.file == "-") {
    return Failure{"standard input is where commands come from; give .import a file"};
  }
  if (arguments.target == ImportArguments::Target::kExport) return import_export(console, arguments.file);
  Outcome<std::unique_ptr<InputFile>> file = InputFile::open(arguments.file);
  if (!file.ok()) return file.failure();
  return import_file(console->session(), arguments, file->get());
}

Done graph_here(Console* console, const DotLine& line) {
  auto read = read_graph_arguments(words_behind(line));
  if (const Answer* answer = std::get_if<Answer>(&read)) return answer_here(console, *answer);
  return run_graph(console->session(), std::get<GraphArguments>(read));
}

bool begins_query(std::string_view text) {
  for (std::string_view word : {"select", "with", "values"}) {
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    if (text.size() > word.size() && std::equal(word.begin(), word.end(), text.begin(), [&](char b, char a) { return same(a, b); })) {
      return std::isalnum(static_cast<unsigned char>(text[word.size()])) == 0;
    }
  }
  return false;
}

/// Where options begin behind a query without quotes around it: to SQL they would be a comment.
size_t plot_options_in(std::string_view query) {
  size_t first = query.size();
  for (std::string_view option : {" --svg", " --title", " --width", " --height"}) first = std::min(first, query.find(option));
  return first;
}

Done plot_here(Console* console, const DotLine& line) {
  // A query without quotes around it is the rest of the line, but for options at its end.
  const std::string_view bare = begins_query(line.after(1)) ? line.sql_after(1) : "";
  const std::string_view sql = bare.substr(0, plot_options_in(bare));
  Words words = words_behind(line);
  if (!bare.empty()) {
    Outcome<Words> options = split_words(bare.substr(sql.size()));
    if (!options.ok()) return options.failure();
    words = options.take();
    words.emplace_back(sql);
  }
  auto read = read_plot_arguments(std::move(words));
  if (const Answer* answer = std::get_if<Answer>(&read)) return answer_here(console, *answer);
  return line.placed(sql, run_plot(console->session(), std::get<PlotArguments>(read), console->out()));
}

Done export_here(Console* console, const DotLine& line) {
  if (line.words.size() < 3) return Failure{"give a file and a table or SELECT: .export FILE TABLE, .export FILE SELECT ..."};
  const std::string_view what = line.sql_after(2);
  const bool query = begins_query(what);
  if (!query && line.words.size() > 3) return Failure{"give one table, in quotes if its name has blanks, or a SELECT"};
  const ExportTarget target{.file = line.words[1], .insert_table = query ? kInsertTable : line.words[2]};
  const std::string sql = query ? std::string(what) : fmt::format("SELECT * FROM {}", quote_identifier(line.words[2]));
  Outcome<int64_t> rows = export_query(console->session(), sql, target);
  if (!rows.ok()) return line.placed(query ? what : "", rows.failure());
  if (console->interactive()) std::fprintf(stderr, "%s rows written to %s\n", grouped(*rows).c_str(), target.file.c_str());
  return std::nullopt;
}

Done dump_here(Console* console, const DotLine& line) {
  DumpParts parts;
  if (line.words.size() > 1) {
    parts = {.rows = line.words[1] == "rows", .graph = line.words[1] == "graph", .series = line.words[1] == "series"};
    if (!parts.rows && !parts.graph && !parts.series) {
      return Failure{fmt::format("there is no model {}; use .dump, .dump rows, .dump graph or .dump series", line.words[1])};
    }
  }
  std::vector<std::string> warnings;
  Done done = write_dump(console->session(), parts, {}, console->out(), &warnings);
  for (const std::string& warning : warnings) report({warning});
  return done;
}

Done change_output(Console* console, const DotLine& line) {
  const std::string_view target = line.after(1);
  const bool program = target.starts_with('|');
  if (!program && line.words.size() > 2) return Failure{"give one file, in quotes if its name has blanks, or |COMMAND"};
  const bool nothing = line.words.size() == 1;
  return console->redirect(nothing ? "" : program ? std::string(target) : line.words[1]);
}

Done change_output_once(Console* console, const DotLine& line) {
  const std::string_view target = line.after(1);
  if (target.empty()) return Failure{"where to? .once FILE or .once |COMMAND"};
  if (!target.starts_with('|') && line.words.size() > 2) return Failure{"give one file, in quotes if its name has blanks, or |COMMAND"};
  console->redirect_once(target.starts_with('|') ? std::string(target) : line.words[1]);
  return std::nullopt;
}

Done change_parameters(Console* console, const DotLine& line) {
  const std::string action = line.words.size() > 1 ? line.words[1] : "list";
  if (action == "list") {
    console->parameters().write(&console->writer());
    return std::nullopt;
  }
  if (action == "clear" && line.words.size() == 2) {
    console->parameters().clear();
    return std::nullopt;
  }
  if (action == "unset" && line.words.size() == 3) {
    if (console->parameters().unset(line.words[2])) return std::nullopt;
    return Failure{fmt::format("there is no parameter {}; .param list shows them", line.words[2])};
  }
  if (action == "set" && line.words.size() >= 4) {
    return line.placed("", console->parameters().set(console->session(), line.words[2], line.sql_after(3)));
  }
  return Failure{"use .param set NAME VALUE, .param list, .param unset NAME or .param clear"};
}

std::optional<double> read_seconds(const std::string& text) {
  constexpr double kSecondsMax = 86'400;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds > 0) || seconds > kSecondsMax) return std::nullopt;
  return seconds;
}

Done watch_here(Console* console, const DotLine& line) {
  constexpr const char* kUsage = "use .watch SECONDS [RUNS] SELECT ..., with seconds above 0 and up to 86400";
  if (line.words.size() < 3) return Failure{kUsage};
  const std::optional<double> seconds = read_seconds(line.words[1]);
  if (!seconds.has_value()) return Failure{kUsage};
  WatchArguments arguments{.seconds = *seconds, .sql = line.sql_after(2)};
  const std::string& runs = line.words[2];
  if (std::all_of(runs.begin(), runs.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
    const auto [end, error] = std::from_chars(runs.data(), runs.data() + runs.size(), arguments.runs_max);
    if (error != std::errc() || line.words.size() < 4) return Failure{kUsage};
    arguments.sql = line.sql_after(3);
  }
  return line.placed(arguments.sql, watch_statement(console, arguments));
}

Done read_file(Console* console, const DotLine& line) {
  if (line.words.size() < 2) return Failure{"which file? .read FILE"};
  if (console->read_depth >= kReadDepthMax) {
    return Failure{fmt::format("files are read {} deep; does one read itself?", kReadDepthMax)};
  }
  ++console->read_depth;
  const ScriptEnd end = run_script_file(console, line.words[1], false);
  --console->read_depth;
  if (end == ScriptEnd::kOk) return std::nullopt;
  return Failure{};
}

Done stats_here(Console* console, const DotLine&) {
  return show_stats(console->session(), &console->writer());
}

Done check_here(Console* console, const DotLine&) {
  return check_database(console->session(), console->out());
}

Done quit(Console* console, const DotLine&) {
  console->quit();
  return std::nullopt;
}

struct DotCommand {
  DotCommandRow row;
  size_t words_max;  ///< with the name
  Done (*run)(Console* console, const DotLine& line);
};

constexpr size_t kAnyWords = 100'000;
using Next = DotCommandRow::Next;

constexpr std::array<DotCommand, 21> kCommands = {{
    {{".check", "", "verify everything that is stored", Next::kNothing}, 1, check_here},
    {{".dump", "[rows|graph|series]", "the database as SQL that makes it again", Next::kWords, "rows graph series"}, 2, dump_here},
    {{".exit", "", "the same as .quit", Next::kNothing}, 1, quit},
    {{".explain", "[on|off|SQL]", "how a statement is run; on: before each one", Next::kSql}, kAnyWords, explain},
    {{".export", "FILE TABLE|SELECT", "rows as .csv, .json, .jsonl, .md, .sql or .txt", Next::kFile}, kAnyWords, export_here},
    {{".graph", "--from ... --svg FILE", "draw or write a part of the graph; .graph --help", Next::kFiles}, kAnyWords, graph_here},
    {{".help", "", "this list", Next::kNothing}, 1, show_help},
    {{".import", "FILE ...", "load a file; .import --help says how", Next::kFiles}, kAnyWords, import_here},
    {{".mode", "[MODE [TABLE]]", "how results look", Next::kModes}, 3, change_mode},
    {{".once", "FILE or |COMMAND", "where the next results alone go", Next::kFiles}, kAnyWords, change_output_once},
    {{".output", "[FILE or |COMMAND]", "where results go; nothing: here again", Next::kFiles}, kAnyWords, change_output},
    {{".pager", "[on|off]", "show what is long with the program in PAGER", Next::kWords, "on off"}, 2, change_pager},
    {{".param", "set NAME VALUE", "parameters; also list, unset NAME, clear", Next::kWords, "set list unset clear"}, kAnyWords, change_parameters},
    {{".plot", "SELECT ...", "draw lines; .plot --help", Next::kSql}, kAnyWords, plot_here},
    {{".quit", "", "leave; Ctrl-D does too", Next::kNothing}, 1, quit},
    {{".read", "FILE", "run the SQL of a file", Next::kFiles}, 2, read_file},
    {{".schema", "[TABLE]", "the SQL that made the tables", Next::kTables}, 2, print_schema},
    {{".stats", "", "figures about the database", Next::kNothing}, 1, stats_here},
    {{".tables", "", "tables, views and hypertables", Next::kNothing}, 1, list_tables},
    {{".timer", "[on|off]", "show how long each statement takes", Next::kWords, "on off"}, 2, change_timer},
    {{".watch", "SECONDS [RUNS] SQL", "run a statement again and again, until Ctrl-C", Next::kSql}, kAnyWords, watch_here},
}};

Done show_help(Console* console, const DotLine&) {
  std::string text =
      "SQL statements end with a semicolon and may span lines; Tab completes. Commands are one line:\n";
  for (const DotCommand& command : kCommands) {
    text += fmt::format("  {:<30} {}\n", fmt::format("{} {}", command.row.name, command.row.arguments),
                        command.row.help);
  }
  text += fmt::format("Modes: {}\n", output_format_names());
  std::fputs(text.c_str(), console->out());
  return std::nullopt;
}

}  // namespace

std::vector<DotCommandRow> dot_commands() {
  std::vector<DotCommandRow> rows;
  for (const DotCommand& command : kCommands) rows.push_back(command.row);
  return rows;
}

Done run_dot_command(Console* console, std::string_view text) {
  Outcome<Words> words = split_words(text);
  if (!words.ok()) return words.failure();
  if (words->empty()) return std::nullopt;
  const DotLine line{.words = words.take(), .text = text};
  for (const DotCommand& command : kCommands) {
    if (command.row.name != line.words[0]) continue;
    if (line.words.size() <= command.words_max) return command.run(console, line);
    return Failure{fmt::format("too many words; use {}{}{}", command.row.name,
                               command.row.arguments.empty() ? "" : " ", command.row.arguments)};
  }
  return Failure{fmt::format("there is no command {}; .help lists them", line.words[0])};
}

}  // namespace braid::cli
