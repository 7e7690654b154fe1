// An SQL script while it is written: rows gathered to INSERT statements, long values cut into pieces,
// a commit now and then.
//
// The script is run with bounds that its reader chooses, so no statement of it is longer than
// kStatementBytesMax: a value that would make one so is first put together of the rows of a temporary
// table. A double is written so that SQLite, whose reading of decimals is at times one bit off, gives
// it back bit by bit.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cli/dump.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace braid::cli {

class DumpScript {
 public:
  static constexpr size_t kStatementBytesMax = 500'000;
  static constexpr size_t kPieceBytes = 100'000;

  DumpScript(const Session& session, const DumpStages& stages, std::FILE* stream)
      : session_(session), stages_(stages), stream_(stream) {}
  DumpScript(const DumpScript&) = delete;
  DumpScript& operator=(const DumpScript&) = delete;

  const DumpStages& stages() const { return stages_; }
  /// Needed before the first value. Fails where the session does.
  Done prepare();

  /// One statement, given without its semicolon.
  void statement(std::string_view sql);
  /// A call of a function that does something: a statement without a row in its answer.
  void call(std::string_view expression);
  void comment(std::string_view text);
  /// Something that the script cannot rebuild: a comment, and a line for the one who asked for it.
  void warn(std::string text);

  void begin();
  void commit();
  /// From now on, until the commit, rows may go on in a transaction of their own once the one that is
  /// open has become long.
  void allow_commits(bool allowed) { may_commit_ = allowed; }

  /// Rows until the next statement, or the next head, go into what `head` says, "INSERT INTO t(a, b)".
  void into(std::string head);
  Done row(std::span<const Cell> cells);
  /// The same for expressions that are SQL already.
  void row_of(std::span<const std::string> expressions);
  /// A row for each row of a query.
  Done rows_of(std::string_view sql);
  /// What the cell holds, as an expression; long values have been written as pieces before, and are
  /// forgotten by `drop_pieces`.
  Done value(const Cell& cell, std::string* expression);
  void drop_pieces();

  /// Ends what was begun. A failure when the script could not be written.
  Done finish();
  bool failed() const { return std::ferror(stream_) != 0; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  void write(std::string_view text);
  void end_insert();
  void commit_if_long();
  Done exact_real(double value, std::string* expression);
  std::string in_pieces(const Cell& cell);

  const Session& session_;
  const DumpStages stages_;
  std::FILE* const stream_;
  StatementHandle cast_;  ///< SELECT CAST(?1 AS REAL)
  std::string head_;
  std::string insert_;
  int64_t pieces_ = 0;  ///< values that the temporary table holds
  bool has_piece_table_ = false;
  bool may_commit_ = false;
  size_t transaction_bytes_ = 0;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  std::vector<std::string> warnings_;
  Progress progress_;
};

}  // namespace braid::cli
