#include "cli/script.h"

#include <fmt/format.h>

#include "cli/dot_commands.h"
#include "cli/input_file.h"
#include "cli/interrupt.h"
#include "cli/report.h"

namespace braid::cli {

namespace {

// Only a forgotten quote or semicolon makes a statement this long; the library's own limit is far
// below.
constexpr size_t kStatementBytesMax = 64 * 1024 * 1024;
constexpr size_t kFeedBytes = 16 * 1024;

/// A script that is fed in pieces.
class Script {
 public:
  Script(Console* console, std::string source, bool keep_going)
      : console_(console), source_(std::move(source)), keep_going_(keep_going) {}

  /// True while there is a reason to go on.
  bool feed(std::string_view text) {
    if (!begun_ && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    begun_ = true;
    while (!text.empty()) {
      const std::string_view part = text.substr(0, kFeedBytes);
      text.remove_prefix(part.size());
      splitter_.feed(part);
      if (!run_pieces()) return false;
    }
    if (splitter_.pending_bytes() <= kStatementBytesMax) return true;
    fail({.text = "", .start = splitter_.pending_start()},
         {fmt::format("the statement that begins here is longer than {} MiB; is a quote or a "
                      "semicolon missing?",
                      kStatementBytesMax >> 20)});
    return false;
  }

  ScriptEnd finish() {
    splitter_.finish();
    run_pieces();
    return end();
  }

  ScriptEnd end() const { return failed_ ? ScriptEnd::kFailed : ScriptEnd::kOk; }

 private:
  bool run_pieces() {
    while (std::optional<ScriptPiece> piece = splitter_.next()) {
      if (console_->quitting()) return false;
      Done done = interrupt_requested()
                      ? Done(interrupted())
                      : run_piece(console_, *piece);
      if (!done.has_value()) continue;
      fail(*piece, *done);
      if (!keep_going_ || done->interrupted) return false;
    }
    return !console_->quitting();
  }

  void fail(const ScriptPiece& piece, const Failure& failure) {
    failed_ = true;
    // A file that was read has reported its own error at its own place.
    if (!failure.message.empty()) report_at(source_, piece, failure);
  }

  Console* console_;
  const std::string source_;
  const bool keep_going_;
  StatementSplitter splitter_;
  bool begun_ = false;
  bool failed_ = false;
};

}  // namespace

namespace {

Done run_text(Console* console, const ScriptPiece& piece) {
  switch (piece.kind) {
    case ScriptPiece::Kind::kStatement:
      return console->run(piece.text);
    case ScriptPiece::Kind::kDotCommand:
      return run_dot_command(console, piece.text);
  }
  return std::nullopt;
}

}  // namespace

Done run_piece(Console* console, const ScriptPiece& piece) {
  Outcome<bool> once = console->begin_once();
  if (!once.ok()) return once.failure();
  Done done = run_text(console, piece);
  if (!*once) return done;
  Done ended = console->end_once();
  return done.has_value() ? done : ended;
}

ScriptEnd run_script_text(Console* console, std::string_view text, bool keep_going) {
  Script script(console, "", keep_going);
  if (!script.feed(text)) return script.end();
  return script.finish();
}

ScriptEnd run_script_file(Console* console, const std::string& path, bool keep_going) {
  Outcome<std::unique_ptr<InputFile>> file = InputFile::open(path);
  if (!file.ok()) {
    report(file.failure());
    return ScriptEnd::kFailed;
  }
  Script script(console, path == "-" ? "stdin" : path, keep_going);
  for (;;) {
    Outcome<std::string_view> block = (*file)->read();
    if (!block.ok()) {
      report(block.failure());
      return ScriptEnd::kFailed;
    }
    if (block->empty()) return script.finish();
    if (!script.feed(*block)) return script.end();
  }
}

}  // namespace braid::cli
