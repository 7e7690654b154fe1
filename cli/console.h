// What the statements and dot commands of one run share: the database, where results go, and how
// they look.
#pragma once

#include <memory>
#include <string_view>

#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"

namespace braid::cli {

/// A resource. Used by one thread.
class Console {
 public:
  struct Look {
    OutputFormat format = OutputFormat::kCsv;
    bool colour = false;
    bool interactive = false;  ///< says how many rows there were, as a person would like to know
  };

  Console(Session session, Look look);

  const Session& session() const { return session_; }
  OutputFormat format() const { return look_.format; }
  void set_format(OutputFormat format);
  void set_timer(bool on) { timer_ = on; }
  bool timer() const { return timer_; }
  bool interactive() const { return look_.interactive; }
  ResultWriter& writer() { return *writer_; }

  /// `.quit` was given: nothing more is run.
  void quit() { quit_ = true; }
  bool quitting() const { return quit_; }

  /// Runs the SQL text of one statement and writes its rows.
  Done run(std::string_view sql);
  /// Runs one statement with text bound to its parameters and writes its rows.
  Done show(std::string_view sql, std::span<const std::string_view> texts = {});

  /// How deep `.read` is in files that `.read` files.
  int read_depth = 0;

 private:
  Done run_prepared(braid_statement* statement);
  Done write_rows(braid_statement* statement, int64_t* rows);

  Session session_;
  Look look_;
  std::unique_ptr<ResultWriter> writer_;
  bool timer_ = false;
  bool quit_ = false;
};

}  // namespace braid::cli
