#include "cli/statement_splitter.h"

#include <array>
#include <cctype>

#include "cli/statement_words.h"

namespace braid::cli {

TextPosition TextPosition::after(std::string_view text) const {
  TextPosition position = *this;
  for (char c : text) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

namespace {

bool equals_ignoring_case(std::string_view word, std::string_view lower) {
  if (word.size() != lower.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(word[i])) != lower[i]) return false;
  }
  return true;
}

char closing_quote(char c) {
  if (c == '[') return ']';
  return c == '\'' || c == '"' || c == '`' ? c : '\0';
}

}  // namespace

void StatementSplitter::feed(std::string_view text) { buffer_ += text; }

void StatementSplitter::finish() { finished_ = true; }

// Moves over at least one byte. False when the next byte cannot be understood before more is fed.
bool StatementSplitter::step() {
  const char c = buffer_[scanned_];
  switch (lexeme_) {
    case Lexeme::kNone:
      return begin_lexeme();
    case Lexeme::kWord:
      if (is_word_byte(c)) {
        ++scanned_;
      } else {
        end_word();
      }
      return true;
    case Lexeme::kQuoted:
      ++scanned_;
      if (c == closing_quote_) lexeme_ = Lexeme::kNone;
      return true;
    case Lexeme::kLineComment:
      if (c == '\n') {
        lexeme_ = Lexeme::kNone;
      } else {
        ++scanned_;
      }
      return true;
    case Lexeme::kBlockComment:
      ++scanned_;
      // The comment's own "/*" may not end it: "/*/" is still open.
      if (c == '/' && buffer_[scanned_ - 2] == '*' && scanned_ - lexeme_start_ >= 4) {
        lexeme_ = Lexeme::kNone;
      }
      return true;
    case Lexeme::kDotCommand:
      if (c == '\n') {
        complete_ = true;
      } else {
        ++scanned_;
      }
      return true;
  }
  return false;
}

bool StatementSplitter::begin_lexeme() {
  const char c = buffer_[scanned_];
  const bool has_next = scanned_ + 1 < buffer_.size();
  if ((c == '-' || c == '/') && !has_next && !finished_) return false;
  const char next = has_next ? buffer_[scanned_ + 1] : '\0';
  lexeme_start_ = scanned_;

  if (std::isspace(static_cast<unsigned char>(c)) != 0) {
    if (c == '\n') line_is_blank_ = true;
    ++scanned_;
    return true;
  }
  if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
    lexeme_ = c == '-' ? Lexeme::kLineComment : Lexeme::kBlockComment;
    line_is_blank_ = false;
    scanned_ += 2;
    return true;
  }
  const bool at_line_start = line_is_blank_;
  line_is_blank_ = false;
  if (c == '.' && at_line_start && state_ == State::kStart) {
    begun_ = scanned_++;
    lexeme_ = Lexeme::kDotCommand;
    return true;
  }
  if (c == ';') {
    ++scanned_;
    take(Token::kSemicolon);
    return true;
  }
  if (begun_ == kNotBegun) begun_ = scanned_;
  if (is_word_byte(c)) {
    lexeme_ = Lexeme::kWord;
    return true;
  }
  ++scanned_;
  closing_quote_ = closing_quote(c);
  if (closing_quote_ != '\0') lexeme_ = Lexeme::kQuoted;
  take(Token::kOther);
  return true;
}

void StatementSplitter::end_word() {
  const std::string_view word =
      std::string_view(buffer_).substr(lexeme_start_, scanned_ - lexeme_start_);
  struct Keyword {
    std::string_view text;
    Token token;
  };
  static constexpr std::array<Keyword, 6> kKeywords = {{{"explain", Token::kExplain},
                                                        {"create", Token::kCreate},
                                                        {"temp", Token::kTemp},
                                                        {"temporary", Token::kTemp},
                                                        {"trigger", Token::kTrigger},
                                                        {"end", Token::kEnd}}};
  lexeme_ = Lexeme::kNone;
  for (const Keyword& keyword : kKeywords) {
    if (equals_ignoring_case(word, keyword.text)) return take(keyword.token);
  }
  take(Token::kOther);
}

void StatementSplitter::take(Token token) {
  // sqlite3_complete's table without its column for white space, which changes no state.
  using S = State;
  static constexpr std::array<std::array<State, 7>, 7> kNext = {
      {
          // clang-format off
      //               ;              other        EXPLAIN      CREATE       TEMP         TRIGGER      END
      /* kStart     */ {S::kStart,     S::kNormal,  S::kExplain, S::kCreate,  S::kNormal,  S::kNormal,  S::kNormal},
      /* kNormal    */ {S::kStart,     S::kNormal,  S::kNormal,  S::kNormal,  S::kNormal,  S::kNormal,  S::kNormal},
      /* kExplain   */ {S::kStart,     S::kExplain, S::kNormal,  S::kCreate,  S::kNormal,  S::kNormal,  S::kNormal},
      /* kCreate    */ {S::kStart,     S::kNormal,  S::kNormal,  S::kNormal,  S::kCreate,  S::kTrigger, S::kNormal},
      /* kTrigger   */ {S::kSemicolon, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger},
      /* kSemicolon */ {S::kSemicolon, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger, S::kEnd},
      /* kEnd       */ {S::kStart,     S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger, S::kTrigger},
          // clang-format on
      }};
  state_ = kNext[static_cast<size_t>(state_)][static_cast<size_t>(token)];
  if (token == Token::kSemicolon && state_ == State::kStart) complete_ = begun_ != kNotBegun;
}

std::optional<ScriptPiece> StatementSplitter::next() {
  while (!complete_ && scanned_ < buffer_.size()) {
    if (!step()) break;
  }
  const bool dot_command = lexeme_ == Lexeme::kDotCommand;
  const bool last = finished_ && begun_ != kNotBegun && scanned_ == buffer_.size();
  if (complete_ || last) {
    return cut(dot_command ? ScriptPiece::Kind::kDotCommand : ScriptPiece::Kind::kStatement);
  }
  if (begun_ == kNotBegun && lexeme_ == Lexeme::kNone && scanned_ > 0) {
    base_ = base_.after(std::string_view(buffer_).substr(0, scanned_));
    buffer_.erase(0, scanned_);
    scanned_ = 0;
  }
  return std::nullopt;
}

ScriptPiece StatementSplitter::cut(ScriptPiece::Kind kind) {
  const std::string_view whole = std::string_view(buffer_).substr(0, scanned_);
  ScriptPiece piece{.kind = kind,
                    .text = std::string(whole.substr(begun_)),
                    .start = base_.after(whole.substr(0, begun_))};
  base_ = base_.after(whole);
  buffer_.erase(0, scanned_);
  scanned_ = 0;
  begun_ = kNotBegun;
  lexeme_ = Lexeme::kNone;
  state_ = State::kStart;
  complete_ = false;
  return piece;
}

size_t StatementSplitter::pending_bytes() const {
  if (begun_ != kNotBegun) return buffer_.size() - begun_;
  return lexeme_ == Lexeme::kBlockComment ? buffer_.size() : 0;
}

TextPosition StatementSplitter::pending_start() const {
  return base_.after(std::string_view(buffer_).substr(0, begun_ == kNotBegun ? 0 : begun_));
}

void StatementSplitter::reset() { *this = StatementSplitter(); }

}  // namespace braid::cli
