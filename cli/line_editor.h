// Lines from the terminal, edited with libedit, with a history that outlives the shell.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace braid::cli {

/// What came of asking for a line.
struct EnteredLine {
  enum class Kind : uint8_t { kLine, kEndOfInput, kInterrupted };
  Kind kind = Kind::kEndOfInput;
  std::string text;  ///< without its newline
};

/// What Tab does to the word before the cursor.
struct WordCompletion {
  size_t typed_bytes = 0;  ///< of the word
  std::string insert;      ///< in its place; "" to leave it
  std::vector<std::string> shown;  ///< what it could become, when that is not clear
};

/// The one editor of the process. Used by one thread.
class LineEditor {
 public:
  /// Reads the history of `history_path`, if it is not "".
  explicit LineEditor(std::string history_path);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// False when the terminal cannot be used.
  bool ready() const;
  EnteredLine read(const char* prompt);
  /// Asked at Tab, with the line up to the cursor.
  void set_completer(std::function<WordCompletion(std::string_view before)> completer);
  /// Remembers a statement, of one or more lines, and writes the history.
  void remember(const std::string& statement);

 private:
  struct State;
  State* state_;
};

/// Where the history is kept: $XDG_STATE_HOME/braid_history, else ~/.braid_history; "" when there
/// is neither.
std::string history_path();

}  // namespace braid::cli
