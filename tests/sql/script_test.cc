// Runs tests/scripts/*.test, each on a fresh database, through the C API alone.
//
//   script_test [--served] FILE|DIRECTORY…
//
// With --served the database is open in another process, and all goes through its socket: results and
// errors must be the same.
//
// A script is a list of blocks separated by blank lines; a line that starts with # is a comment.
// The first line of a block says what it is, the lines below it are SQL:
//
//   statement ok                    the SQL (any number of statements) succeeds
//   statement error [CODE] TEXT     the SQL fails; CODE (CONSTRAINT, DENIED, …) is its code, TEXT a
//   part of its message query [sorted]                  SQL, then a line ----, then the rows
//   expected; `sorted` compares them in sorted order shadow                          the SQL runs
//   on a plain SQLite database beside, the shadow both                            the SQL runs on
//   both query shadow [sorted]           the rows must be those of the shadow; after ---- may stand
//   other SQL for the shadow open NAME / fetch NAME / close NAME
//                                   a statement kept open: fetch steps it once; below ---- its row,
//                                   `done`, or `error TEXT`
//   connection NAME                 what follows runs on that connection; the first is called main
//   disconnect NAME                 closes it
//   interrupt                       braid_interrupt on the connection
//   reopen [OPTIONS]                closes everything and opens the database again, with
//   "name=value;…" checkpoint                      braid_checkpoint check braid_check finds
//   nothing; also done at the end of each script, and after a last reopen transaction open|none
//   whether the connection has a transaction expand                          {N*text} in the SQL of
//   the next block is replaced by N times text halt                            the rest of the file
//   is left out
//
// Rows are written one to a line, columns separated by |: NULL, (empty) for empty text, x'00' for
// bytes, doubles with 15 digits, and \n and \0 escaped.
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/braid.h"
#include "tests/support/other_process.h"
#include "tests/support/temp_dir.h"

namespace {

using Lines = std::vector<std::string>;

struct Block {
  size_t line = 0;  // of the heading, from 1
  std::vector<std::string> words;
  std::string heading;
  std::string sql;
  Lines expected;
  bool has_expected = false;
};

constexpr std::pair<std::string_view, int32_t> kCodes[] = {
    {"INVALID_ARGUMENT", BRAID_INVALID_ARGUMENT},
    {"NOT_FOUND", BRAID_NOT_FOUND},
    {"CONSTRAINT", BRAID_CONSTRAINT},
    {"BUSY", BRAID_BUSY},
    {"CONFLICT", BRAID_CONFLICT},
    {"READ_ONLY", BRAID_READ_ONLY},
    {"LIMIT", BRAID_LIMIT},
    {"INTERRUPTED", BRAID_INTERRUPTED},
    {"DENIED", BRAID_DENIED},
    {"MISUSE", BRAID_MISUSE},
    {"SQL", BRAID_SQL},
    {"CORRUPT", BRAID_CORRUPT},
    {"FULL", BRAID_FULL},
    {"INTERNAL", BRAID_INTERNAL},
};

std::string escaped(std::string_view text) {
  if (text.empty()) return "(empty)";
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\0')
      out += "\\0";
    else
      out += c;
  }
  return out;
}

std::string hex(const void* data, size_t size) {
  std::string out = "x'";
  char digits[3];
  for (size_t i = 0; i < size; ++i) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<const unsigned char*>(data)[i]);
    out += digits;
  }
  return out + "'";
}

std::string real(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", value);
  const std::string out = text;
  return out.find_first_of(".en") == std::string::npos ? out + ".0" : out;
}

std::string braid_row(braid_statement* statement) {
  std::string row;
  for (int32_t i = 0; i < braid_column_count(statement); ++i) {
    if (i > 0) row += '|';
    int64_t size = 0;
    switch (braid_column_type(statement, i)) {
      case BRAID_TYPE_NULL:
        row += "NULL";
        break;
      case BRAID_TYPE_INT64:
        row += std::to_string(braid_column_int64(statement, i));
        break;
      case BRAID_TYPE_DOUBLE:
        row += real(braid_column_double(statement, i));
        break;
      case BRAID_TYPE_TEXT: {
        const char* text = braid_column_text(statement, i, &size);
        row += escaped({text, static_cast<size_t>(size)});
        break;
      }
      default: {
        const void* bytes = braid_column_blob(statement, i, &size);
        row += hex(bytes, static_cast<size_t>(size));
      }
    }
  }
  return row;
}

std::string sqlite_row(sqlite3_stmt* statement) {
  std::string row;
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    if (i > 0) row += '|';
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_NULL:
        row += "NULL";
        break;
      case SQLITE_INTEGER:
        row += std::to_string(sqlite3_column_int64(statement, i));
        break;
      case SQLITE_FLOAT:
        row += real(sqlite3_column_double(statement, i));
        break;
      case SQLITE_TEXT: {
        // Safety: unsigned char is read as char.
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row += escaped({text, static_cast<size_t>(sqlite3_column_bytes(statement, i))});
        break;
      }
      default: {
        const void* bytes = sqlite3_column_blob(statement, i);
        row += hex(bytes, static_cast<size_t>(sqlite3_column_bytes(statement, i)));
      }
    }
  }
  return row;
}

/// "{3*ab}" becomes "ababab".
std::string expanded(const std::string& sql) {
  std::string out;
  for (size_t i = 0; i < sql.size(); ++i) {
    const size_t star = sql[i] == '{' ? sql.find('*', i) : std::string::npos;
    const size_t close = star == std::string::npos ? star : sql.find('}', star);
    const bool counted =
        close != std::string::npos && star > i + 1 &&
        std::all_of(sql.begin() + static_cast<long>(i) + 1, sql.begin() + static_cast<long>(star),
                    [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!counted) {
      out += sql[i];
      continue;
    }
    const std::string part = sql.substr(star + 1, close - star - 1);
    for (long n = std::stol(sql.substr(i + 1, star - i - 1)); n > 0; --n) out += part;
    i = close;
  }
  return out;
}

std::vector<Block> parse(const std::string& path) {
  std::ifstream file(path);
  std::vector<Block> blocks;
  std::string line;
  bool open = false;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) {
      open = false;
      continue;
    }
    if (!open && line.front() == '#') continue;
    if (!open) {
      Block block;
      block.line = number;
      block.heading = line;
      for (size_t i = 0; i < line.size();) {
        const size_t end = std::min(line.find(' ', i), line.size());
        if (end > i) block.words.push_back(line.substr(i, end - i));
        i = end + 1;
      }
      blocks.push_back(std::move(block));
      open = true;
    } else if (line == "----") {
      blocks.back().has_expected = true;
    } else if (blocks.back().has_expected) {
      blocks.back().expected.push_back(line);
    } else {
      blocks.back().sql += (blocks.back().sql.empty() ? "" : "\n") + line;
    }
  }
  return blocks;
}

/// One script and its database.
class Script {
 public:
  Script(std::string path, bool served) : path_(std::move(path)), served_(served) {}
  ~Script() {
    close();
    sqlite3_close(shadow_);
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  /// True when everything was as expected.
  bool run() {
    sqlite3_open(":memory:", &shadow_);
    if (!open("")) return false;
    for (const Block& block : parse(path_)) {
      block_ = &block;
      ++blocks_;
      if (block.words[0] == "halt") break;
      step(block);
      if (database_ == nullptr) break;
    }
    if (database_ != nullptr) {
      block_ = nullptr;
      check();
      if (open("")) check();
    }
    std::printf("%-4s %s: %zu blocks, %zu failures\n", failures_ == 0 ? "ok" : "FAIL",
                path_.c_str(), blocks_, failures_);
    return failures_ == 0;
  }

 private:
  void fail(const std::string& what, const std::string& expected, const std::string& actual) {
    ++failures_;
    std::printf("%s:%zu: %s\n", path_.c_str(), block_ == nullptr ? 0 : block_->line, what.c_str());
    if (block_ != nullptr && !block_->sql.empty())
      std::printf("  sql:      %.300s\n", block_->sql.c_str());
    std::printf("  expected: %s\n  actual:   %s\n", expected.c_str(), actual.c_str());
    std::fflush(stdout);
  }

  bool open(const std::string& options) {
    close();
    if (served_) host_with(options);
    const std::string given = served_ ? "remote=only" : options;
    const int32_t code = braid_open(directory_.path().c_str(), given.c_str(), &database_);
    if (code != BRAID_OK) {
      fail("open", "the database opens", braid_database_error(database_));
      braid_close(database_);
      database_ = nullptr;
      return false;
    }
    current_ = "main";
    return true;
  }

  void close() {
    for (auto& [name, statement] : statements_) braid_statement_close(statement);
    statements_.clear();
    for (auto& [name, connection] : connections_) braid_disconnect(connection);
    connections_.clear();
    if (database_ != nullptr && braid_close(database_) != BRAID_OK)
      fail("close", "BRAID_OK", "an error");
    database_ = nullptr;
    host_ = nullptr;
  }

  void host_with(const std::string& options) {
    braid_database* hosted = nullptr;
    host_ = std::make_unique<braid::OtherProcess>(
        [&] { return braid_open(directory_.path().c_str(), options.c_str(), &hosted) == BRAID_OK; },
        [&] { braid_close(hosted); });
  }

  braid_connection* connection() {
    braid_connection*& handle = connections_[current_];
    if (handle == nullptr && braid_connect(database_, &handle) != BRAID_OK)
      fail("connect", "a connection", braid_database_error(database_));
    return handle;
  }

  void step(const Block& given) {
    Block block = given;
    if (expand_) block.sql = expanded(block.sql);
    expand_ = false;
    const std::string& kind = block.words[0];
    const std::string argument = block.words.size() > 1 ? block.words[1] : "";
    if (kind == "statement" && argument == "ok")
      execute(block.sql);
    else if (kind == "statement" && argument == "error")
      execute_error(block);
    else if (kind == "query")
      query(block);
    else if (kind == "shadow")
      shadow(block.sql);
    else if (kind == "both") {
      execute(block.sql);
      shadow(block.sql);
    } else if (kind == "open")
      open_statement(block, argument);
    else if (kind == "fetch")
      fetch(block, argument);
    else if (kind == "close") {
      braid_statement_close(statements_[argument]);
      statements_.erase(argument);
    } else if (kind == "connection")
      current_ = argument;
    else if (kind == "disconnect") {
      braid_disconnect(connections_[argument]);
      connections_.erase(argument);
      if (current_ == argument) current_ = "main";
    } else if (kind == "interrupt")
      braid_interrupt(connection());
    else if (kind == "reopen")
      open(argument);
    else if (kind == "checkpoint") {
      if (braid_checkpoint(database_) != BRAID_OK)
        fail("checkpoint", "BRAID_OK", braid_database_error(database_));
    } else if (kind == "check")
      check();
    else if (kind == "transaction") {
      const std::string actual = braid_in_transaction(connection()) != 0 ? "open" : "none";
      if (actual != argument) fail("transaction", argument, actual);
    } else if (kind == "expand")
      expand_ = true;
    else
      fail("unknown block", "statement, query, …", block.heading);
  }

  void execute(const std::string& sql) {
    const int32_t code = braid_execute(connection(), sql.data(), static_cast<int64_t>(sql.size()));
    if (code != BRAID_OK) fail("statement failed", "ok", message(code));
  }

  std::string message(int32_t code) {
    std::string name = std::to_string(code);
    for (const auto& [text, number] : kCodes)
      if (number == code) name = text;
    return name + " " + braid_connection_error(connection());
  }

  void execute_error(const Block& block) {
    const int32_t code =
        braid_execute(connection(), block.sql.data(), static_cast<int64_t>(block.sql.size()));
    std::string wanted;
    int32_t wanted_code = -1;
    for (size_t i = 2; i < block.words.size(); ++i) {
      if (i == 2)
        for (const auto& [text, number] : kCodes)
          if (text == block.words[i]) wanted_code = number;
      if (i == 2 && wanted_code >= 0) continue;
      wanted += (wanted.empty() ? "" : " ") + block.words[i];
    }
    if (code == BRAID_OK) return fail("statement succeeded", "error " + wanted, "ok");
    const std::string actual = message(code);
    if ((wanted_code >= 0 && code != wanted_code) || actual.find(wanted) == std::string::npos)
      fail("another error", block.heading.substr(std::strlen("statement error")), actual);
  }

  bool rows_of(const std::string& sql, Lines& rows) {
    braid_statement* statement = nullptr;
    int32_t code = braid_prepare(connection(), sql.data(), static_cast<int64_t>(sql.size()),
                                 &statement, nullptr);
    while (code == BRAID_OK && (code = braid_statement_step(statement)) == BRAID_ROW) {
      rows.push_back(braid_row(statement));
      code = BRAID_OK;
    }
    const bool ok = code == BRAID_DONE;
    if (!ok) fail("query failed", "rows", message(code));
    braid_statement_close(statement);
    return ok;
  }

  bool shadow_rows(const std::string& sql, Lines& rows) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(shadow_, sql.c_str(), -1, &statement, nullptr);
    if (code == SQLITE_OK)
      while ((code = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(sqlite_row(statement));
    if (code != SQLITE_DONE) fail("the shadow's query failed", "rows", sqlite3_errmsg(shadow_));
    sqlite3_finalize(statement);
    return code == SQLITE_DONE;
  }

  void shadow(const std::string& sql) {
    if (sqlite3_exec(shadow_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      fail("the shadow failed", "ok", sqlite3_errmsg(shadow_));
  }

  void query(const Block& block) {
    const auto has = [&](const char* word) {
      return std::find(block.words.begin(), block.words.end(), word) != block.words.end();
    };
    Lines rows;
    Lines expected = block.expected;
    if (!rows_of(block.sql, rows)) return;
    if (has("shadow")) {
      std::string sql;
      for (const std::string& line : block.expected) sql += line + "\n";
      expected.clear();
      if (!shadow_rows(sql.empty() ? block.sql : sql, expected)) return;
    }
    if (has("sorted")) {
      std::sort(rows.begin(), rows.end());
      std::sort(expected.begin(), expected.end());
    }
    if (rows != expected) fail("other rows", joined(expected), joined(rows));
  }

  static std::string joined(const Lines& lines) {
    constexpr size_t kShown = 30;
    std::string out;
    for (size_t i = 0; i < lines.size() && i < kShown; ++i) out += "\n    " + lines[i];
    if (lines.size() > kShown) out += "\n    … " + std::to_string(lines.size()) + " rows";
    return lines.empty() ? "no rows" : out;
  }

  void open_statement(const Block& block, const std::string& name) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_prepare(connection(), block.sql.data(),
                                       static_cast<int64_t>(block.sql.size()), &statement, nullptr);
    if (code != BRAID_OK) return fail("prepare failed", "ok", message(code));
    braid_statement_close(statements_[name]);
    statements_[name] = statement;
  }

  void fetch(const Block& block, const std::string& name) {
    const int32_t code = braid_statement_step(statements_[name]);
    const std::string actual = code == BRAID_ROW    ? braid_row(statements_[name])
                               : code == BRAID_DONE ? "done"
                                                    : "error " + message(code);
    if (!block.has_expected || block.expected.empty()) return;
    const std::string& wanted = block.expected[0];
    const bool same = wanted.starts_with("error") && actual.starts_with("error ")
                          ? actual.find(wanted.substr(std::strlen("error"))) != std::string::npos
                          : actual == wanted;
    if (!same) fail("fetch", wanted, actual);
  }

  void check() {
    struct Problems {
      std::string text;
    } problems;
    const auto visit = [](void* context, const char* problem) {
      static_cast<Problems*>(context)->text += std::string("\n    ") + problem;
    };
    const int32_t code = braid_check(database_, visit, &problems);
    if (code != BRAID_OK || !problems.text.empty())
      fail("check", "no problems", braid_database_error(database_) + problems.text);
  }

  const std::string path_;
  const bool served_;
  std::unique_ptr<braid::OtherProcess> host_;
  braid::TempDir directory_;
  braid_database* database_ = nullptr;
  sqlite3* shadow_ = nullptr;
  std::map<std::string, braid_connection*> connections_;
  std::map<std::string, braid_statement*> statements_;
  std::string current_ = "main";
  const Block* block_ = nullptr;
  bool expand_ = false;
  size_t blocks_ = 0;
  size_t failures_ = 0;
};

/// In a process of its own, so that a crash or a hang fails one script only.
bool run_apart(const std::string& path, bool served) {
  constexpr unsigned kSecondsMax = 300;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    alarm(kSecondsMax);
    const bool ok = Script(path, served).run();
    std::fflush(stdout);
    _exit(ok ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  if (WIFSIGNALED(status))
    std::printf("FAIL %s: ended by signal %d\n", path.c_str(), WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> paths;
  bool served = false;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(arguments[i]) == "--served") {
      served = true;
      continue;
    }
    if (!std::filesystem::is_directory(arguments[i])) {
      paths.emplace_back(arguments[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i]))
      if (entry.path().extension() == ".test") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  size_t failed = 0;
  for (const std::string& path : paths)
    if (!run_apart(path, served)) ++failed;
  std::printf("%zu scripts, %zu failed\n", paths.size(), failed);
  return failed == 0 && !paths.empty() ? 0 : 1;
}
