// Cuts SQL text, given in pieces of any size, into statements and dot commands.
//
// A statement ends at a semicolon outside of quotes and comments; CREATE TRIGGER ends at the
// semicolon after its END. The rule is that of sqlite3_complete, kept here as its table of states.
// A dot command is a line that begins with a dot where a statement could begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid::cli {

/// A place in a text for people: both count from 1, columns count characters.
struct TextPosition {
  int64_t line = 1;
  int64_t column = 1;

  /// The position after `text`, which begins here.
  TextPosition after(std::string_view text) const;
};

struct ScriptPiece {
  enum class Kind : uint8_t { kStatement, kDotCommand };
  Kind kind = Kind::kStatement;
  std::string text;  ///< begins with its first word; a statement includes its semicolon
  TextPosition start;
};

class StatementSplitter {
 public:
  void feed(std::string_view text);
  /// There is no more text: what was begun is a piece too.
  void finish();
  /// The next complete piece; none until more is fed.
  std::optional<ScriptPiece> next();

  /// Bytes of a statement that was begun and is not complete; 0 between statements.
  size_t pending_bytes() const;
  /// Where that statement begins.
  TextPosition pending_start() const;
  /// Forgets what was begun.
  void reset();

 private:
  enum class Lexeme : uint8_t { kNone, kWord, kQuoted, kLineComment, kBlockComment, kDotCommand };
  enum class Token : uint8_t { kSemicolon, kOther, kExplain, kCreate, kTemp, kTrigger, kEnd };
  enum class State : uint8_t { kStart, kNormal, kExplain, kCreate, kTrigger, kSemicolon, kEnd };

  static constexpr size_t kNotBegun = static_cast<size_t>(-1);

  bool step();
  bool begin_lexeme();
  void end_word();
  void take(Token token);
  ScriptPiece cut(ScriptPiece::Kind kind);

  std::string buffer_;        ///< not yet handed out
  TextPosition base_;         ///< of buffer_[0]
  size_t scanned_ = 0;        ///< bytes of buffer_ already looked at
  size_t begun_ = kNotBegun;  ///< where the first word of the statement is
  size_t lexeme_start_ = 0;
  Lexeme lexeme_ = Lexeme::kNone;
  char closing_quote_ = 0;
  State state_ = State::kStart;
  bool line_is_blank_ = true;  ///< only white space since the last newline
  bool complete_ = false;      ///< buffer_[0, scanned_) is a whole piece
  bool finished_ = false;
};

}  // namespace braid::cli
