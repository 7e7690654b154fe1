#include "cli/dump_script.h"

#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "cli/interrupt.h"
#include "cli/result_row.h"
#include "cli/sql_text.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

constexpr size_t kInsertBytes = 100'000;
constexpr size_t kTransactionBytes = 16'000'000;
// What is shorter than its expression in pieces is never cut.
constexpr size_t kShortBytes = 200;

// The double as an integer times a power of two. Each factor and each step is exact.
std::string binary_real(double value) {
  constexpr int kBitsOfDouble = 53;
  constexpr int kStepBits = 50;
  int exponent = 0;
  auto integer = static_cast<int64_t>(std::ldexp(std::frexp(value, &exponent), kBitsOfDouble));
  exponent -= kBitsOfDouble;
  while (integer % 2 == 0 && integer != 0) {
    integer /= 2;
    ++exponent;
  }
  std::string text = fmt::format("({}.0", integer);
  const char sign = exponent < 0 ? '/' : '*';
  for (int left = std::abs(exponent); left > 0; left -= kStepBits) {
    text += fmt::format(" {} {}.0", sign, int64_t{1} << std::min(left, kStepBits));
  }
  return text + ")";
}

bool is_small_integer(double value) {
  constexpr double kLimit = 1e15;
  return std::abs(value) < kLimit && value == std::floor(value) && !std::signbit(value);
}

}  // namespace

Done DumpScript::prepare() {
  Outcome<PreparedStatement> prepared = session_.prepare("SELECT CAST(?1 AS REAL)");
  if (!prepared.ok()) return prepared.failure();
  cast_ = std::move(prepared->handle);
  return std::nullopt;
}

void DumpScript::write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream_);
  bytes_ += static_cast<int64_t>(text.size());
  transaction_bytes_ += text.size();
}

void DumpScript::into(std::string head) {
  end_insert();
  head_ = std::move(head);
}

void DumpScript::statement(std::string_view sql) {
  end_insert();
  write(sql);
  // A comment at its end would take the semicolon in.
  write(sql.find("--") == std::string_view::npos ? ";\n" : "\n;\n");
}

void DumpScript::call(std::string_view expression) {
  statement(fmt::format("INSERT INTO temp.dump_call SELECT {}", expression));
}

void DumpScript::comment(std::string_view text) {
  end_insert();
  write("-- ");
  for (char c : text) write(c == '\n' || c == '\r' ? std::string_view(" ") : std::string_view(&c, 1));
  write("\n");
}

void DumpScript::warn(std::string text) {
  comment(text);
  warnings_.push_back(std::move(text));
}

void DumpScript::begin() {
  statement("BEGIN");
  transaction_bytes_ = 0;
}

void DumpScript::commit() {
  end_insert();
  write("COMMIT;\n");
}

void DumpScript::commit_if_long() {
  if (!may_commit_ || transaction_bytes_ < kTransactionBytes) return;
  commit();
  begin();
}

void DumpScript::end_insert() {
  if (insert_.empty()) return;
  write(insert_);
  write(";\n");
  insert_.clear();
}

void DumpScript::row_of(std::span<const std::string> expressions) {
  if (insert_.empty()) {
    insert_ = head_ + " VALUES";
  } else {
    insert_ += ',';
  }
  insert_ += "\n(";
  for (size_t i = 0; i < expressions.size(); ++i) {
    if (i > 0) insert_ += ',';
    insert_ += expressions[i];
  }
  insert_ += ')';
  if (insert_.size() > kInsertBytes || pieces_ > 0) end_insert();
  drop_pieces();
  if (insert_.empty()) commit_if_long();
  // A bar has no place among lines that the same terminal shows; a stream without a file is a pager.
  const int descriptor = fileno(stream_);
  if (++rows_ % 256 == 0 && descriptor >= 0 && !is_terminal(descriptor)) {
    progress_.show({.what = "writing", .rows = rows_, .position_bytes = bytes_});
  }
}

Done DumpScript::row(std::span<const Cell> cells) {
  if (interrupt_requested()) return interrupted();
  size_t bytes = 0;
  for (const Cell& cell : cells) bytes += 2 * cell.text.size() + 40;
  std::vector<std::string> expressions(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    // Of a row that is long as a whole everything that can be is cut.
    const bool cut = bytes > kStatementBytesMax && cells[i].text.size() > kShortBytes;
    if (cut) {
      expressions[i] = in_pieces(cells[i]);
    } else {
      CLI_TRY(value(cells[i], &expressions[i]));
    }
  }
  row_of(expressions);
  return std::nullopt;
}

Done DumpScript::rows_of(std::string_view sql) {
  Outcome<PreparedStatement> prepared = session_.prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  braid_statement* statement = prepared->handle.get();
  std::vector<Cell> cells(static_cast<size_t>(braid_column_count(statement)));
  int32_t code = BRAID_ROW;
  while (!failed() && (code = braid_statement_step(statement)) == BRAID_ROW) {
    read_cells(statement, &cells);
    CLI_TRY(row(cells));
  }
  if (code != BRAID_ROW && code != BRAID_DONE) return session_.failure(code);
  end_insert();
  return std::nullopt;
}

Done DumpScript::value(const Cell& cell, std::string* expression) {
  if (cell.text.size() > kPieceBytes) {
    *expression = in_pieces(cell);
    return std::nullopt;
  }
  if (cell.type == BRAID_TYPE_DOUBLE) return exact_real(cell.real, expression);
  append_sql_value(expression, cell);
  return std::nullopt;
}

Done DumpScript::exact_real(double value, std::string* expression) {
  *expression = sql_real(value);
  if (!std::isfinite(value) || is_small_integer(value)) return std::nullopt;
  braid_statement* cast = cast_.get();
  CLI_TRY(session_.check(braid_bind_text(cast, 1, expression->data(), static_cast<int64_t>(expression->size()))));
  const int32_t code = braid_statement_step(cast);
  if (code != BRAID_ROW) return session_.failure(code);
  const double read = braid_column_double(cast, 0);
  CLI_TRY(session_.check(braid_statement_reset(cast)));
  if (std::bit_cast<uint64_t>(read) != std::bit_cast<uint64_t>(value)) *expression = binary_real(value);
  return std::nullopt;
}

std::string DumpScript::in_pieces(const Cell& cell) {
  end_insert();
  if (!has_piece_table_) {
    statement("CREATE TEMP TABLE dump_piece(value INTEGER, number INTEGER, piece BLOB, PRIMARY KEY(value, number))");
    has_piece_table_ = true;
  }
  ++pieces_;
  int64_t number = 0;
  for (size_t at = 0; at < cell.text.size(); at += kPieceBytes) {
    statement(fmt::format("INSERT INTO temp.dump_piece VALUES({},{},x'{}')", pieces_, number++,
                          hex_text(cell.text.substr(at, kPieceBytes))));
  }
  return fmt::format("(SELECT CAST(group_concat(piece,'') AS {}) FROM (SELECT piece FROM temp.dump_piece WHERE value={} ORDER BY number))",
                     cell.type == BRAID_TYPE_BLOB ? "BLOB" : "TEXT", pieces_);
}

void DumpScript::drop_pieces() {
  if (pieces_ == 0) return;
  pieces_ = 0;
  statement("DELETE FROM temp.dump_piece");
}

Done DumpScript::finish() {
  end_insert();
  if (has_piece_table_) statement("DROP TABLE temp.dump_piece");
  progress_.clear();
  if (std::fflush(stream_) == 0 && !failed()) return std::nullopt;
  return Failure{fmt::format("cannot write the script: {}", std::strerror(errno))};
}

}  // namespace braid::cli
