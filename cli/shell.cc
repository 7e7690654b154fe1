#include "cli/shell.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/report.h"
#include "cli/script.h"

namespace braid::cli {

namespace {

constexpr const char* kPrompt = "braid> ";
constexpr const char* kContinued = "   ...> ";

// What somebody means who types the word of another shell.
const char* dot_command_for(const std::string& line) {
  if (line == "help" || line == "?" || line == "\\?" || line == "\\h") return ".help";
  if (line == "exit" || line == "quit" || line == "\\q") return ".quit";
  if (line == "\\d" || line == "\\dt") return ".tables";
  return nullptr;
}

// More than a screen of words helps nobody.
constexpr size_t kShownMax = 200;

WordCompletion complete_before(const Console& console, std::string_view before) {
  const SqlNames names = read_sql_names(console.session());
  const std::vector<DotCommandRow> commands = dot_commands();
  const Completion completion = complete(before, names, commands);
  WordCompletion word{.typed_bytes = before.size() - completion.start};
  if (completion.candidates.empty()) return word;
  const std::string common = common_start(completion.candidates);
  if (completion.candidates.size() == 1) {
    word.insert = completion.candidates[0] + (completion.ends_word ? " " : "");
  } else if (common.size() > word.typed_bytes) {
    word.insert = common;
  } else {
    word.shown = completion.candidates;
    if (word.shown.size() > kShownMax) word.shown.resize(kShownMax);
  }
  return word;
}

/// What goes on by itself, or reads what does, is shown as it comes.
bool fits_pager(const ScriptPiece& piece) {
  return piece.kind == ScriptPiece::Kind::kStatement || !(piece.text.starts_with(".watch") || piece.text.starts_with(".read"));
}

// Runs what became complete. After an error or Ctrl-C the rest of the line is dropped, as it was
// typed for what went before.
void run_entered(Console* console, StatementSplitter* splitter) {
  while (std::optional<ScriptPiece> piece = splitter->next()) {
    clear_interrupt();
    Done done = console->regain();
    if (!done.has_value()) {
      if (fits_pager(*piece)) console->begin_page();
      done = run_piece(console, *piece);
      if (!done.has_value()) console->note_transaction();
    }
    Done paged = console->end_page();
    if (!done.has_value()) done = paged;
    std::fflush(stdout);
    if (done.has_value()) {
      if (!done->message.empty()) report_in_shell(*piece, *done);
      splitter->reset();
    }
    if (console->quitting()) return;
  }
}

}  // namespace

int run_shell(Console* console) {
  LineEditor editor(history_path());
  if (!editor.ready()) {
    report({"the terminal cannot be used for editing; give SQL as an argument or by -f FILE"});
    return kExitError;
  }
  editor.set_completer([console](std::string_view before) { return complete_before(*console, before); });
  std::printf("Braid %s. Statements end with a semicolon; .help lists commands.\n",
              braid_version());
  StatementSplitter splitter;
  std::string entered;
  while (!console->quitting()) {
    const EnteredLine line = editor.read(splitter.pending_bytes() > 0 ? kContinued : kPrompt);
    if (line.kind == EnteredLine::Kind::kEndOfInput) break;
    if (line.kind == EnteredLine::Kind::kInterrupted) {
      splitter.reset();
      entered.clear();
      continue;
    }
    if (const char* meant = entered.empty() ? dot_command_for(line.text) : nullptr) {
      report({fmt::format("'{}' is no SQL; did you mean {}?", line.text, meant)});
      continue;
    }
    entered += (entered.empty() ? "" : "\n") + line.text;
    splitter.feed(line.text + "\n");
    run_entered(console, &splitter);
    if (splitter.pending_bytes() > 0) continue;
    editor.remember(entered);
    entered.clear();
    // Lines are counted from the first of each statement.
    splitter.reset();
  }
  std::fputc('\n', stdout);
  return kExitOk;
}

}  // namespace braid::cli
