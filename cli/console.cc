#include "cli/console.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

#include "cli/colour.h"
#include "cli/progress.h"
#include "cli/query_plan.h"
#include "cli/report.h"
#include "cli/result_row.h"
#include "cli/statement_progress.h"

namespace braid::cli {

Console::Console(Session session, Look look)
    : session_(std::move(session)),
      look_(std::move(look)),
      pager_(look_.interactive ? pager_of_environment() : "") {
  renew_writer();
}

void Console::renew_writer() {
  // Colours are for the terminal, not for files and programs.
  const bool colour = look_.colour && (output_.is_standard() || paging_);
  writer_ = make_result_writer(
      {.format = look_.format, .colour = colour, .insert_table = look_.insert_table}, out());
}

void Console::set_format(OutputFormat format) {
  look_.format = format;
  renew_writer();
}

void Console::set_insert_table(std::string table) {
  look_.insert_table = std::move(table);
  renew_writer();
}

Done Console::redirect(const std::string& target) {
  Done done = target.empty() ? output_.close() : output_.open(target);
  renew_writer();
  return done;
}

Outcome<bool> Console::begin_once() {
  if (!once_.has_value()) return false;
  const std::string target = *once_;
  once_.reset();
  CLI_TRY(redirect(target));
  return true;
}

Done Console::end_once() { return redirect(""); }

void Console::begin_page() {
  if (!pages() || !output_.is_standard() || once_.has_value()) return;
  output_.open_pager(pager_);
  paging_ = true;
  renew_writer();
}

Done Console::end_page() {
  if (!paging_) return std::nullopt;
  paging_ = false;
  Done done = output_.close();
  renew_writer();
  return done;
}

Done Console::write_rows(braid_statement* statement, int64_t* rows) {
  StatementProgress progress(session_.connection());
  const std::vector<std::string> names = column_names(statement);
  const size_t count = names.size();
  // The first step comes before the heading: a statement that fails at once writes nothing.
  int32_t code = braid_statement_step(statement);
  progress.clear();
  if (code != BRAID_ROW && code != BRAID_DONE) return session_.failure(code);
  if (count > 0) writer_->begin(names);
  std::vector<Cell> cells(count);
  const bool shows_rows = output_.is_standard() || paging_;
  // Where nothing more can be written, a pager that was left for one, there is no use in going on; what writes is done to its end, or not at all.
  const bool writes = braid_statement_writes(statement) == 1;
  for (; code == BRAID_ROW && (writes || std::ferror(out()) == 0); code = braid_statement_step(statement)) {
    if (std::ferror(out()) != 0) continue;
    // Rows that go to the terminal take the place of the line that told of them.
    if (shows_rows) progress.clear();
    read_cells(statement, &cells);
    if (count > 0) writer_->row(cells);
    ++*rows;
    progress.row();
  }
  progress.clear();
  Done done;
  if (code != BRAID_DONE && code != BRAID_ROW) done = session_.failure(code);
  if (count > 0) writer_->end();
  return done;
}

Done Console::regain() {
  if (!session_.is_lost()) {
    note_transaction();
    return std::nullopt;
  }
  if (std::exchange(in_transaction_, false))
    return Failure{"the process that had the database open has gone away, and with it the open transaction; the next statement opens the database again"};
  CLI_TRY(session_.reopen());
  report({session_.is_host() ? "the process that had the database open has gone away; it is open in this one now"
                             : "the process that had the database open has gone away; it is used through another one now"});
  return std::nullopt;
}

Done Console::run_prepared(braid_statement* statement) {
  CLI_TRY(parameters_.bind(session_, statement));
  const auto start = std::chrono::steady_clock::now();
  int64_t rows = 0;
  Done done = write_rows(statement, &rows);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!done.has_value() && look_.interactive && look_.format == OutputFormat::kBox &&
      (output_.is_standard() || paging_) && braid_column_count(statement) > 0) {
    const std::string count = rows == 1 ? "1 row" : grouped(rows) + " rows";
    std::fprintf(out(), "%s\n", coloured(count, kDim, look_.colour).c_str());
  }
  if (timer_) {
    std::fflush(out());
    std::fprintf(stderr, "time: %s s\n", fmt::format("{:.6f}", seconds).c_str());
  }
  return done;
}

Done Console::run(std::string_view sql) {
  size_t at = 0;
  while (at < sql.size()) {
    Outcome<PreparedStatement> prepared = session_.prepare(sql.substr(at));
    Done done;
    if (!prepared.ok()) {
      done = prepared.failure();
    } else if (prepared->handle != nullptr) {
      // A statement without a plan, EXPLAIN itself, is run all the same.
      if (explains_) static_cast<void>(show_plan(session_, sql.substr(at, prepared->tail), out()));
      done = run_prepared(prepared->handle.get());
    }
    if (done.has_value()) {
      if (done->sql_offset >= 0) done->sql_offset += static_cast<int64_t>(at);
      return done;
    }
    if (prepared->tail == 0) break;
    at += prepared->tail;
  }
  return std::nullopt;
}

Done Console::show(std::string_view sql, std::span<const std::string_view> texts) {
  Outcome<PreparedStatement> prepared = session_.prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  int32_t index = 0;
  for (std::string_view text : texts) {
    CLI_TRY(session_.check(braid_bind_text(prepared->handle.get(), ++index, text.data(),
                                           static_cast<int64_t>(text.size()))));
  }
  int64_t rows = 0;
  return write_rows(prepared->handle.get(), &rows);
}

}  // namespace braid::cli
