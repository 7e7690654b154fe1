// What the C handles point to. A child holds its parents, so handles may be closed in any order.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "api/braid.h"
#include "api/database.h"
#include "api/remote_connection.h"
#include "api/remote_database.h"
#include "api/remote_statement.h"
#include "api/statement_batches.h"
#include "graph/projection_walk.h"
#include "remote/host.h"
#include "sql/connection.h"
#include "sql/group_commit.h"

namespace braid {

/// A connection and the statements made on it; statements outlive `braid_disconnect` as empty handles.
struct ConnectionState {
  std::shared_ptr<Database> database;
  std::unique_ptr<Connection> connection;    ///< null once disconnected
  std::unique_ptr<RemoteConnection> remote;  ///< in its place when another process keeps it
  std::set<braid_statement*> statements;
  CallWishes wishes;
  uint64_t runs = 0;  ///< of statements that streams read, so far
  std::string error;
  int64_t error_offset = -1;
  std::string labels, properties, type;  ///< texts lent to the caller until the next call

  /// Another token, or none, that interrupts what runs.
  void use_token(std::shared_ptr<CancelToken> token);
  /// Closes statements and connection; the handles that remain answer BRAID_MISUSE.
  void close();
};

/// A call on a connection, or on what was made on it.
class ConnectionCall final : public WatchedCall {
 public:
  explicit ConnectionCall(const ConnectionState& state) : WatchedCall(state.wishes), state_(state) {}

 private:
  Status ask(double fraction) override;
  const ConnectionState& state_;
  uint64_t statement_ = 0;  // each of them is bounded by itself
};

}  // namespace braid

struct braid_cancel {
  std::shared_ptr<braid::CancelToken> token;  // shared with the handles that it is set on, which may outlive it
};

struct braid_database {
  std::shared_ptr<braid::Database> database;      // null when opening failed
  std::unique_ptr<braid::Host> host;              // while others are served
  std::shared_ptr<braid::RemoteDatabase> remote;  // in place of the database when another process has it open
  braid::CallSettings* client_settings = nullptr;  // in place of the database's own: of the client of whom the handle is; it outlives it
  int32_t finish(const braid::Status& status);
};

struct braid_connection {
  std::shared_ptr<braid::ConnectionState> state;
  int32_t finish(const braid::Status& status);
};

struct braid_statement {
  std::shared_ptr<braid::ConnectionState> state;
  std::unique_ptr<braid::Statement> statement;  // null once the connection is closed
  std::unique_ptr<braid::StatementBatches> batches;  // while braid_statement_batch goes through the rows
  std::unique_ptr<braid::RemoteStatement> remote;    // in place of the statement
  ~braid_statement();
  int32_t finish(const braid::Status& status);
};

namespace braid {
/// A handle that the connection knows of.
std::unique_ptr<braid_statement> make_statement(std::shared_ptr<ConnectionState> state, std::unique_ptr<Statement> statement,
                                                std::unique_ptr<RemoteStatement> remote = nullptr);
}  // namespace braid

struct braid_projection {
  std::shared_ptr<braid::ConnectionState> state;
  std::optional<braid::ProjectionWalk> walk;
  uint64_t remote_handle = 0;  // in its place: the host's number
  int32_t finish(const braid::Status& status);
};

struct braid_batch {
  std::shared_ptr<braid::Database> database;
  braid::Batch batch;
  std::string error;
  std::unique_ptr<braid::RemoteConnection> remote;  // in place of the batch, with the host's number
  uint64_t remote_handle = 0;
  braid::CallSettings* client_settings = nullptr;  // as of the database
  int32_t finish(const braid::Status& status);
};

struct braid_appender {
  struct Run {
    std::vector<std::optional<std::string>> tags;
    std::vector<int64_t> times;
    std::vector<braid::ColumnData> columns;
    std::optional<braid::ConflictPolicy> policy;
  };
  std::shared_ptr<braid::ConnectionState> state;
  braid::HypertableDefinition table;  ///< as it was when the appender was opened
  std::vector<std::optional<std::string>> tags;
  bool has_series = false;
  std::optional<braid::ConflictPolicy> policy;  ///< none: the hypertable's
  std::vector<Run> pending;  ///< points added outside a transaction, until flush
  size_t pending_rows = 0;
  uint64_t remote_handle = 0;  ///< in place of all that: the host's number
  int32_t finish(const braid::Status& status);
};
