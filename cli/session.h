// A database opened with one connection, and the calls on them that answer with a Failure instead
// of a code.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "cli/handles.h"
#include "cli/outcome.h"

namespace braid::cli {

/// A statement that is ready to be stepped, and where in its text the next statement begins.
struct PreparedStatement {
  StatementHandle handle;  ///< null for white space and comments
  size_t tail = 0;
};

/// A resource: one database and the one connection that the command works on. Used by one thread;
/// Ctrl-C reaches its connection through `interrupt.h` while the session lives.
class Session {
 public:
  struct Target {
    std::string directory;
    std::string options;      ///< "name=value;name=value", as braid_open takes them
    bool must_exist = false;  ///< refuse to create a database where there is none
  };

  static Outcome<Session> open(const Target& target);
  ~Session();
  Session(Session&& other) noexcept = default;
  Session& operator=(Session&&) = delete;

  braid_database* database() const { return database_.get(); }
  braid_connection* connection() const { return connection_.get(); }

  /// Whether the process through which the database is used has gone away.
  bool is_lost() const;
  /// Opens the database anew, here or through whoever has it open now. After a failure every call fails until it succeeds.
  Done reopen();
  /// Whether this process is the one that has it open.
  bool is_host() const;

  /// The failure that belongs to `code`, a code other than BRAID_OK that a call on the connection
  /// answered.
  Failure failure(int32_t code) const;
  /// Nothing when `code` is BRAID_OK.
  Done check(int32_t code) const;

  Outcome<PreparedStatement> prepare(std::string_view sql) const;
  /// Runs one statement with text bound to its parameters (a null pointer binds NULL) and ignores
  /// its rows.
  Done run(std::string_view sql, std::span<const std::string_view> texts = {}) const;
  /// Runs one statement and calls `visit` with each row.
  Done query(std::string_view sql, std::span<const std::string_view> texts,
             const std::function<void(braid_statement*)>& visit) const;

 private:
  Session(Target target, DatabaseHandle database, ConnectionHandle connection)
      : target_(std::move(target)), database_(std::move(database)), connection_(std::move(connection)) {}

  Target target_;
  DatabaseHandle database_;
  ConnectionHandle connection_;
};

/// The failure that belongs to `code`, which a call on a database handle answered. `doing` is put in front when it is not empty.
Failure database_failure(braid_database* database, int32_t code, std::string_view doing = {});

/// The name as an SQL identifier in double quotes.
std::string quote_identifier(std::string_view name);

/// The text of a column of the row that is ready.
std::string_view column_text(braid_statement* statement, int column);

}  // namespace braid::cli
