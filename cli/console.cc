#include "cli/console.h"

#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "cli/colour.h"
#include "cli/progress.h"

namespace braid::cli {

Console::Console(Session session, Look look) : session_(std::move(session)), look_(look) {
  set_format(look.format);
}

void Console::set_format(OutputFormat format) {
  look_.format = format;
  writer_ = make_result_writer(format, stdout, look_.colour);
}

namespace {

Cell cell_of(braid_statement* statement, int32_t column) {
  Cell cell{.type = braid_column_type(statement, column)};
  int64_t size = 0;
  switch (cell.type) {
    case BRAID_TYPE_INT64:
      cell.integer = braid_column_int64(statement, column);
      break;
    case BRAID_TYPE_DOUBLE:
      cell.real = braid_column_double(statement, column);
      break;
    case BRAID_TYPE_TEXT:
      cell.text = column_text(statement, column);
      break;
    case BRAID_TYPE_BLOB: {
      const void* bytes = braid_column_blob(statement, column, &size);
      // Safety: the bytes are borrowed until the next step, and the row is written before it.
      if (bytes != nullptr)
        cell.text = {static_cast<const char*>(bytes), static_cast<size_t>(size)};
      break;
    }
    default:
      break;
  }
  return cell;
}

}  // namespace

Done Console::write_rows(braid_statement* statement, int64_t* rows) {
  const int32_t count = braid_column_count(statement);
  std::vector<std::string> names;
  for (int32_t i = 0; i < count; ++i) names.emplace_back(braid_column_name(statement, i));
  // The first step comes before the heading: a statement that fails at once writes nothing.
  int32_t code = braid_statement_step(statement);
  if (code != BRAID_ROW && code != BRAID_DONE) return session_.failure(code);
  if (count > 0) writer_->begin(names);
  std::vector<Cell> cells(static_cast<size_t>(count));
  for (; code == BRAID_ROW; code = braid_statement_step(statement)) {
    for (int32_t i = 0; i < count; ++i) cells[i] = cell_of(statement, i);
    if (count > 0) writer_->row(cells);
    ++*rows;
  }
  Done done;
  if (code != BRAID_DONE) done = session_.failure(code);
  if (count > 0) writer_->end();
  return done;
}

Done Console::run_prepared(braid_statement* statement) {
  const auto start = std::chrono::steady_clock::now();
  int64_t rows = 0;
  Done done = write_rows(statement, &rows);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!done.has_value() && look_.interactive && look_.format == OutputFormat::kBox &&
      braid_column_count(statement) > 0) {
    const std::string count = rows == 1 ? "1 row" : grouped(rows) + " rows";
    std::fprintf(stdout, "%s\n", coloured(count, kDim, look_.colour).c_str());
  }
  if (timer_) {
    std::fflush(stdout);
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
