// The C API as a test wants it: handles that close themselves, rows as one text.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "api/braid.h"
#include "api/handles.h"
#include "engine/env.h"

namespace braid {

/// An open database, or the code and the message why not. The hook, if any, outlives it.
class TestDatabase {
 public:
  TestDatabase(const std::string& directory, const std::string& options, FileHook* hook = nullptr) {
    if (hook == nullptr) {
      code_ = braid_open(directory.c_str(), options.c_str(), &handle_);
    } else {
      auto opened = Database::open(directory, options, hook);
      code_ = static_cast<int32_t>(opened.status().code());
      message_ = opened.status().message();
      if (opened.ok()) handle_ = new braid_database{opened.take()};
    }
    if (code_ != BRAID_OK && handle_ != nullptr) message_ = braid_database_error(handle_);
  }
  explicit TestDatabase(const std::string& directory) : TestDatabase(directory, "") {}
  /// Of a handle that something else made, with the code of that.
  TestDatabase(braid_database* handle, int32_t code) : handle_(handle), code_(code) {
    if (code_ != BRAID_OK) message_ = braid_database_error(handle_);
  }
  ~TestDatabase() { close(); }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  int32_t code() const { return code_; }
  const std::string& message() const { return message_; }
  bool ok() const { return code_ == BRAID_OK; }
  braid_database* get() const { return handle_; }
  int32_t close() { return braid_close(std::exchange(handle_, nullptr)); }

  /// "" when nothing is wrong, else every problem on a line of its own.
  std::string check() {
    std::string problems;
    const int32_t code = braid_check(
        handle_,
        [](void* context, const char* problem) {
          *static_cast<std::string*>(context) += std::string(problem) + "\n";
        },
        &problems);
    if (code != BRAID_OK && problems.empty()) problems = braid_database_error(handle_);
    return problems;
  }
  int64_t figure(const std::string& name) {
    std::pair<std::string, int64_t> wanted(name, -1);
    braid_stats(
        handle_,
        [](void* context, const braid_figure* one) {
          auto& out = *static_cast<std::pair<std::string, int64_t>*>(context);
          if (out.first == one->name) out.second = one->value;
        },
        &wanted);
    return wanted.second;
  }

 private:
  braid_database* handle_ = nullptr;
  int32_t code_ = BRAID_OK;
  std::string message_;
};

class TestConnection {
 public:
  explicit TestConnection(TestDatabase& database) {
    code_ = braid_connect(database.get(), &handle_);
  }
  ~TestConnection() { braid_disconnect(handle_); }
  TestConnection(const TestConnection&) = delete;
  TestConnection& operator=(const TestConnection&) = delete;

  int32_t code() const { return code_; }
  braid_connection* get() const { return handle_; }
  std::string error() const { return braid_connection_error(handle_); }

  int32_t run(const std::string& sql) {
    return braid_execute(handle_, sql.data(), static_cast<int64_t>(sql.size()));
  }

  /// Rows of one statement as "a|b;c|d", or "error CODE: message".
  std::string rows(const std::string& sql) {
    braid_statement* statement = nullptr;
    if (const int32_t code = braid_prepare(handle_, sql.data(), static_cast<int64_t>(sql.size()),
                                           &statement, nullptr))
      return failure(code);
    std::string out;
    int32_t code = BRAID_ROW;
    for (bool first = true; (code = braid_statement_step(statement)) == BRAID_ROW; first = false) {
      if (!first) out += ";";
      for (int32_t i = 0; i < braid_column_count(statement); ++i)
        out += (i == 0 ? "" : "|") + std::string(braid_column_text(statement, i, nullptr));
    }
    if (code != BRAID_DONE) out = failure(code);
    braid_statement_close(statement);
    return out;
  }
  /// The one number that a statement answers, or -1.
  int64_t number(const std::string& sql) {
    const std::string text = rows(sql);
    return text.empty() || text.starts_with("error") ? -1 : std::stoll(text);
  }

 private:
  std::string failure(int32_t code) const {
    return "error " + std::to_string(code) + ": " + error();
  }

  braid_connection* handle_ = nullptr;
  int32_t code_ = BRAID_OK;
};

class TestBatch {
 public:
  explicit TestBatch(TestDatabase& database) { braid_batch_open(database.get(), &handle_); }
  ~TestBatch() { braid_batch_close(handle_); }
  TestBatch(const TestBatch&) = delete;
  TestBatch& operator=(const TestBatch&) = delete;

  braid_batch* get() const { return handle_; }
  std::string error() const { return braid_batch_error(handle_); }
  int32_t execute(const std::string& sql) {
    return braid_batch_execute(handle_, sql.data(), static_cast<int64_t>(sql.size()), nullptr, 0);
  }
  int32_t commit(uint64_t* lsn = nullptr) { return braid_batch_commit(handle_, lsn); }

 private:
  braid_batch* handle_ = nullptr;
};

}  // namespace braid
