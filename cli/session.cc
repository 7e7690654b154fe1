#include "cli/session.h"

#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/call_progress.h"
#include "cli/interrupt.h"

namespace braid::cli {

namespace {

Failure open_failure(const std::string& directory, int32_t code, braid_database* database) {
  // The library's message names the directory.
  const char* message = database != nullptr ? braid_database_error(database) : "";
  const bool names = *message != '\0' && !(code == BRAID_INTERRUPTED && interrupt_requested());
  return database_failure(database, code, names ? "cannot open the database" : fmt::format("cannot open '{}'", directory));
}

}  // namespace

Failure database_failure(braid_database* database, int32_t code, std::string_view doing) {
  Failure failure{.interrupted = code == BRAID_INTERRUPTED};
  if (failure.interrupted && interrupt_requested()) {
    failure.message = interrupted().message;
  } else {
    const char* message = database != nullptr ? braid_database_error(database) : "";
    failure.message = *message != '\0' ? message : braid_code_text(code);
  }
  if (!doing.empty()) failure.message = fmt::format("{}: {}", doing, failure.message);
  return failure;
}

Outcome<Session> Session::open(const Target& target) {
  std::error_code unreadable;
  if (target.must_exist && !std::filesystem::exists(target.directory + "/FORMAT", unreadable)) {
    return Failure{fmt::format("there is no Braid database in '{}'", target.directory)};
  }
  braid_database* raw = nullptr;
  // What another process has open is used through it; options that were given come later, and so hold.
  const std::string options = "remote=auto;" + target.options;
  CallProgress progress("opening");
  const braid_watch watch = progress.watch();
  const int32_t opened = braid_open_watched(target.directory.c_str(), options.c_str(), &watch, &raw);
  DatabaseHandle database(raw);
  progress.clear();
  if (opened != BRAID_OK) return open_failure(target.directory, opened, raw);

  braid_database_set_cancel(raw, interrupt_token());
  braid_connection* raw_connection = nullptr;
  const int32_t connected = braid_connect(raw, &raw_connection);
  ConnectionHandle connection(raw_connection);
  if (connected != BRAID_OK) return open_failure(target.directory, connected, raw);
  set_interrupt_target(raw_connection);
  return Session(target, std::move(database), std::move(connection));
}

bool Session::is_lost() const {
  if (connection_ == nullptr) return true;
  // Of all calls that ask the other process this one changes least.
  return braid_on_progress(connection_.get(), nullptr, nullptr) == BRAID_IO;
}

Done Session::reopen() {
  set_interrupt_target(nullptr);
  connection_.reset();
  database_.reset();
  Outcome<Session> opened = open(target_);
  if (!opened.ok()) return opened.failure();
  database_ = std::move(opened->database_);
  connection_ = std::move(opened->connection_);
  return std::nullopt;
}

bool Session::is_host() const {
  std::ifstream lock(target_.directory + "/LOCK");
  long holder = 0;
  return static_cast<bool>(lock >> holder) && holder == ::getpid();
}

Session::~Session() {
  if (connection_ != nullptr) set_interrupt_target(nullptr);
}

Failure Session::failure(int32_t code) const {
  const char* message = braid_connection_error(connection_.get());
  if (message == nullptr || *message == '\0') message = braid_code_text(code);
  return {message, braid_connection_error_offset(connection_.get()), code == BRAID_INTERRUPTED};
}

Done Session::check(int32_t code) const {
  if (code == BRAID_OK) return std::nullopt;
  return failure(code);
}

Outcome<PreparedStatement> Session::prepare(std::string_view sql) const {
  braid_statement* raw = nullptr;
  int64_t tail = 0;
  const int32_t code =
      braid_prepare(connection_.get(), sql.data(), static_cast<int64_t>(sql.size()), &raw, &tail);
  StatementHandle handle(raw);
  if (code != BRAID_OK) return failure(code);
  return PreparedStatement{std::move(handle), static_cast<size_t>(tail)};
}

Done Session::run(std::string_view sql, std::span<const std::string_view> texts) const {
  return query(sql, texts, [](braid_statement*) {});
}

Done Session::query(std::string_view sql, std::span<const std::string_view> texts,
                    const std::function<void(braid_statement*)>& visit) const {
  Outcome<PreparedStatement> prepared = prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  braid_statement* statement = prepared->handle.get();
  int32_t index = 0;
  for (std::string_view text : texts) {
    CLI_TRY(
        check(braid_bind_text(statement, ++index, text.data(), static_cast<int64_t>(text.size()))));
  }
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) visit(statement);
  if (code != BRAID_DONE) return failure(code);
  return std::nullopt;
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string_view column_text(braid_statement* statement, int column) {
  int64_t size = 0;
  const char* text = braid_column_text(statement, column, &size);
  return text == nullptr ? std::string_view() : std::string_view(text, static_cast<size_t>(size));
}

}  // namespace braid::cli
