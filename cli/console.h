// What the statements and dot commands of one run share: the database, where results go, and how
// they look.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/parameters.h"
#include "cli/result_stream.h"
#include "cli/session.h"

namespace braid::cli {

/// A resource. Used by one thread.
class Console {
 public:
  struct Look {
    OutputFormat format = OutputFormat::kCsv;
    bool colour = false;
    bool interactive = false;  ///< says how many rows there were, as a person would like to know
    std::string insert_table = kInsertTable;
  };

  Console(Session session, Look look);

  const Session& session() const { return session_; }
  /// Before a statement of a shell: a database whose process has gone away is opened again. Where a transaction went with that, the statement fails instead.
  Done regain();
  /// After one that succeeded.
  void note_transaction() { in_transaction_ = braid_in_transaction(session_.connection()) != 0; }
  OutputFormat format() const { return look_.format; }
  void set_format(OutputFormat format);
  void set_insert_table(std::string table);
  void set_timer(bool on) { timer_ = on; }
  bool timer() const { return timer_; }
  void set_explains(bool on) { explains_ = on; }
  bool explains() const { return explains_; }
  bool interactive() const { return look_.interactive; }
  Parameters& parameters() { return parameters_; }

  /// Where results go.
  std::FILE* out() const { return output_.stream(); }
  ResultWriter& writer() { return *writer_; }
  /// From here on results go to a file, a program ("|command"), or, for "", to standard output.
  Done redirect(const std::string& target);
  /// The same for the next statement or command alone.
  void redirect_once(std::string target) { once_ = std::move(target); }
  /// Around each statement or command: true when it is the one whose results go elsewhere, for which
  /// `end_once` is called.
  Outcome<bool> begin_once();
  Done end_once();
  /// Around what is shown at once on a terminal: it goes through the pager when it is longer than the
  /// screen. Nothing where results go elsewhere.
  void begin_page();
  Done end_page();
  bool pages() const { return !pager_.empty() && pages_; }
  void set_pages(bool on) { pages_ = on; }
  const std::string& pager() const { return pager_; }

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
  void renew_writer();

  Session session_;
  Look look_;
  ResultStream output_;
  std::unique_ptr<ResultWriter> writer_;
  Parameters parameters_;
  std::optional<std::string> once_;
  const std::string pager_;
  bool paging_ = false;
  bool pages_ = true;
  bool timer_ = false;
  bool explains_ = false;
  bool quit_ = false;
  bool in_transaction_ = false;  // when the last statement began or ended
};

}  // namespace braid::cli
