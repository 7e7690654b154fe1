// A user's connection: a SQLite connection with Braid's functions and tables, and the one path that every statement takes.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/result.h"
#include "engine/session.h"
#include "graph/algorithm.h"
#include "graph/graph_view.h"
#include "graph/graph_writer.h"
#include "graph/traversal.h"
#include "timeseries/rollup.h"
#include "timeseries/series_writer.h"

namespace braid {

class SqlTokens;
class Statement;
struct ScanRequest;
struct SchemaLookup;

/// What the authorizer learned while a statement was prepared.
struct StatementTraits {
  enum class Control : uint8_t { kNone, kBegin, kCommit, kRollback, kSavepoint, kRelease, kRollbackTo };
  Control control = Control::kNone;
  std::string savepoint;
  bool reads_stores = false;     ///< graph or points: needs a pin
  bool writes_stores = false;    ///< a function that writes, though SQLite calls the statement read-only
  bool changes_schema = false;   ///< DDL
  bool administers = false;      ///< graph_bind and its like
  std::string deletes_from;      ///< the table that it deletes from, not by a trigger
  bool may_see_keys = false;     ///< reads tables in other ways, or calls what answers differently each time
  bool says_or_abort = false;    ///< INSERT OR ABORT, UPDATE OR ABORT
  bool inserts_graph = false;    ///< INSERT INTO graph_nodes or graph_edges, not by a trigger
  bool grows_rows = false;       ///< may make rows.db larger: inserts, updates, creates; not what only deletes and drops
  bool is_pragma = false;
  bool is_temporary = false;     ///< makes or drops TEMP objects
  std::string trigger_table;     ///< the table that CREATE TRIGGER puts one on
  Status refusal;                ///< why the authorizer said no
};

/// One thread at a time, but for `interrupt`.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(Engine& engine);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Between calls: why what is open may not stay open any longer, transaction or statements. kLimit, kSnapshotTooOld.
  Status outlived();
  Session& session() { return *session_; }
  sqlite3* db() const { return session_->db(); }
  Engine& engine() { return session_->engine(); }

  /// Prepares the first statement of `sql`; null for white space. `used` receives how many bytes it took.
  Result<std::unique_ptr<Statement>> prepare(std::string_view sql, size_t& used);
  /// Runs all statements of `sql`. On error `error_offset` is the place.
  Status execute(std::string_view sql);
  /// Byte offset of the last error in the text given to prepare or execute, or -1.
  int64_t error_offset() const { return error_offset_; }

  // Transactions: SQL's statements and the C API both come here.
  enum class Mode : uint8_t { kDeferred, kRead, kWrite };
  Status begin(Mode mode);
  Status commit();
  Status rollback();
  Status savepoint_control(StatementTraits::Control control, std::string_view name);
  bool in_transaction() const { return session_->state() != Session::State::kIdle; }

  /// Runs `body` in the open transaction, or in a write transaction of its own. In an open one a failure undoes what it staged, if it makes
  /// more than the one operation that undoes itself.
  enum class Steps : uint8_t { kOne, kMany };
  Status write(const std::function<Status()>& body, Steps steps = Steps::kOne);
  /// Runs `body` with graph and series pinned at the transaction's snapshot, or at one of its own.
  Status read(const std::function<Status()>& body);

  // What virtual tables and functions work on. Valid while pinned or writing.
  Status pin() { return session_->pin(); }
  const CatalogState& catalog_state() const { return session_->catalog_state(); }
  const std::string& name(NameKind kind, uint32_t id) const;
  std::optional<uint32_t> find_name(NameKind kind, std::string_view name) const;
  GraphView graph() const;
  GraphWriter& graph_writer();
  SeriesWriter& series_writer();
  std::shared_ptr<const StoreView> series_view() const { return session_->view(StoreKind::kSeries); }
  std::shared_ptr<const SeriesOverlay> series_overlay() const;
  TraversalOptions traversal_options() const;
  std::chrono::steady_clock::time_point statement_deadline() const { return statement_deadline_; }
  /// Where an algorithm asks: the statement's cancel, deadline, bound on rows, and the host's progress.
  AlgorithmContext algorithm_context() const;
  /// The same for a call that mostly ends at once, and that no statement runs: its clock starts when it first asks.
  AlgorithmContext start_walk();
  /// While one lives, walks and algorithms reserve their memory in `share`, which is kept with their answer.
  class WalkMemory {
   public:
    WalkMemory(Connection& connection, MemoryShare& share) : connection_(connection), outer_(std::exchange(connection.walk_memory_, &share)) {}
    ~WalkMemory() { connection_.walk_memory_ = outer_; }
    WalkMemory(const WalkMemory&) = delete;
    WalkMemory& operator=(const WalkMemory&) = delete;

   private:
    Connection& connection_;
    MemoryShare* const outer_;
  };
  MemoryShare new_walk_memory() const { return MemoryShare(session_->engine().memory(), MemoryUse::kTraversals); }
  /// Called now and then by what takes long, with the part that is done; false ends it. Null: nobody asks.
  void on_progress(std::function<bool(double fraction)> progress) { progress_ = std::move(progress); }
  /// How long a statement may run between two rows, at most what statement_time_max_ms allows; 0: as long as that.
  void set_time_limit(std::chrono::milliseconds limit) { time_limit_ = limit; }
  /// How the last walks over the graph were read, the newest first.
  struct NotedWalk {
    std::string call;
    WalkReport report;
  };
  void note_walk(std::string_view call, WalkReport report);
  const std::deque<NotedWalk>& noted_walks() const { return noted_walks_; }
  /// How the last reads of hypertables were answered, the newest first.
  struct NotedSeriesRead {
    std::string way;  ///< "rollup", "batch", "last" or "scan"
    std::string table;
    std::string detail;
    uint64_t rows = 0;
    RollupCounts counts;
  };
  void note_series_read(NotedSeriesRead read);
  const std::deque<NotedSeriesRead>& noted_series_reads() const { return noted_series_reads_; }
  /// Are SELECTs over hypertables recognised when they are prepared?
  bool series_fast_path() const { return series_fast_path_; }
  void set_series_fast_path(bool on) { series_fast_path_ = on; }
  /// Who asks a hypertable's cursor for its scan instead of its rows (sql/scan_request.h); mostly nobody.
  ScanRequest* scan_request() const { return scan_request_; }
  void set_scan_request(ScanRequest* request) { scan_request_ = request; }
  /// Calls `body` with the schema as the next statement sees it.
  void look_at_schema(const std::function<void(const SchemaLookup&)>& body);
  /// From now on its SQL is a stranger's: see braid_restrict.
  Status restrict(bool read_only, std::chrono::milliseconds statement_time, int64_t value_bytes);
  bool restricted() const { return restricted_; }
  bool restricted_to_reading() const { return restricted_to_reading_; }
  /// A call begins: an earlier interrupt is over, and its time is counted from now.
  void start_call();
  /// kMisuse inside a read-only place; functions that write call it first.
  Status check_writing() const;

  /// Changes whenever a write transaction is rolled back: a cursor that read its changes must not go on. Never 0.
  uint64_t rollbacks() const { return rollbacks_; }
  bool writing() const { return session_->state() == Session::State::kWriting; }

  /// Work that needs DDL: done in this transaction when the running statement is over and no other runs.
  void defer(std::function<Status()> work) { deferred_.push_back(std::move(work)); }

  /// A status met inside a virtual table or a function, where SQLite has room for a number and a text only.
  /// Returns the SQLite code to answer.
  int report(Status status);
  /// What a table or function of ours reported when a statement of the engine's own failed, else that statement's status.
  Status reported_or(Status status) { return reported_.ok() || status.ok() ? status : std::exchange(reported_, Status()); }
  int report(sqlite3_vtab* table, Status status);
  void report(sqlite3_context* context, Status status);

  void interrupt();
  bool interrupted() const { return cancel_.load(std::memory_order_relaxed); }

  /// Tables that are always there: another of such a name would hide one. `signature`, which may be empty, tells how it is called.
  void add_built_in_table(std::string_view name, std::string_view signature) { built_in_tables_[std::string(name)] = signature; }
  bool is_built_in_table(std::string_view name) const;

  /// SQL of the engine's own on this connection, kept prepared.
  Result<SqliteStatement*> internal_statement(const std::string& sql);

  int64_t changes() const { return changes_; }
  /// Rows that the running statement changed beyond those that SQLite counts.
  void add_changes(int64_t count) { changes_beside_ += count; }

  // What the statement that is being stepped is, as the authorizer learned.
  /// A DELETE from this table that reads it only to find what goes: rows may stand for many points.
  bool only_deletes_from(std::string_view table) const;
  bool says_or_abort() const { return stepping_ != nullptr && stepping_->says_or_abort; }
  /// While one lives, hypertables that are dropped and made again keep their definitions and their points.
  class KeepsPoints {
   public:
    explicit KeepsPoints(Connection& connection) : connection_(connection) { connection_.keeps_points_ = true; }
    ~KeepsPoints() { connection_.keeps_points_ = false; }
    KeepsPoints(const KeepsPoints&) = delete;
    KeepsPoints& operator=(const KeepsPoints&) = delete;

   private:
    Connection& connection_;
  };
  bool keeps_points() const { return keeps_points_; }

  /// Changes with each statement that starts.
  uint64_t statements_started() const { return statements_started_; }

  StatementTraits* preparing() { return preparing_; }
  const std::string& preparing_sql() const { return preparing_sql_; }

 private:
  friend class Statement;
  Connection() = default;
  /// What was interrupted before may run again.
  void allow_again();
  std::chrono::milliseconds statement_time_max() const;
  void start_clock();
  /// After a row: kLimit, kSnapshotTooOld or kInterrupted when the run has had enough.
  Status check_row(Statement& statement);
  Status check_snapshot_age(int64_t age_ms);
  Status register_all();

  Status roll_back();
  /// Session::begin_write, which may take an open transaction with it when it fails.
  Status begin_writing();
  Status check_may_write() const;
  Status end_autocommit();
  Status start(Statement& statement);
  Status finish(Statement& statement, Status status);
  Status control(const StatementTraits& traits, std::string_view sql);
  Status run_control(const StatementTraits& traits, std::string_view sql);
  Status execute_statements(std::string_view sql);
  /// What a stranger's text may not be, though SQLite and the authorizer let it pass.
  Status check_stranger(const SqlTokens& tokens);
  bool is_virtual_table(std::string_view name);
  Status check_stranger_time() const;
  Status run_deferred();
  Status take_error(int code, std::string_view sql);
  /// An error about a column or the number of arguments, with how the tables that the text names are called.
  Status with_signatures(Status status, std::string_view sql) const;
  bool is_aggregate(std::string_view name, size_t arguments);
  /// What SQLite cannot do on a virtual table, with the way that works on a hypertable that the text names.
  Status with_hints(Status status, std::string_view sql);
  static int progress(void* self);

  struct PreparedText;
  /// The user's text with all that is recognised in it.
  Status prepare_meaning(std::string_view sql, PreparedText& out);
  /// `sql` as it is; `written` is what the user wrote, for messages.
  Status prepare_text(std::string_view sql, std::string_view written, PreparedText& out);
  /// As prepare_text, with what a rollup answers recognised; `out` is empty when that is nothing.
  Status prepare_recognized(std::string_view sql, std::string_view written, PreparedText& out);
  bool hides_hypertable(std::string_view name);
  /// Is what a statement was recognised for still there?
  bool is_current(const Statement& statement) const;
  Status prepare_again(Statement& statement);

  std::unique_ptr<Session> session_;
  StatementTraits* preparing_ = nullptr;
  std::string preparing_sql_;
  Status reported_;
  int64_t error_offset_ = -1;
  int64_t changes_ = 0;
  int64_t changes_beside_ = 0;
  uint64_t statements_started_ = 0;
  bool keeps_points_ = false;
  const StatementTraits* stepping_ = nullptr;
  uint64_t rollbacks_ = 1;
  int running_ = 0;                  // statements between their first step and their end
  int running_writers_ = 0;          // those of them that write
  std::chrono::steady_clock::time_point running_since_;  // the first of them
  bool autocommit_ = false;          // a statement began the transaction; it ends with the last statement that writes in it
  bool keeps_changes_ = false;       // such a transaction has changes to commit
  bool read_only_ = false;           // begun by Mode::kRead
  bool opened_by_savepoint_ = false; // the transaction ends when its outermost savepoint is released
  std::vector<std::string> savepoints_;
  std::vector<std::function<Status()>> deferred_;
  std::chrono::steady_clock::time_point statement_deadline_;
  std::chrono::milliseconds time_limit_{0};
  MemoryShare* walk_memory_ = nullptr;
  bool restricted_ = false;
  bool restricted_to_reading_ = false;
  std::function<bool(double fraction)> progress_;
  std::deque<NotedWalk> noted_walks_;
  std::deque<NotedSeriesRead> noted_series_reads_;
  bool series_fast_path_ = true;
  ScanRequest* scan_request_ = nullptr;
  uint64_t temporary_changes_ = 0;  // statements that made or dropped TEMP objects, which may hide a hypertable
  std::atomic<bool> cancel_{false};
  std::map<std::string, std::string, std::less<>> built_in_tables_;  // signatures by name
  std::unordered_map<std::string, SqliteStatement> internal_statements_;
  int executing_ = 0;            // calls of `execute` that run
  bool opened_by_text_ = false;  // the open transaction was begun by SQL, not by a call
};

/// A prepared statement of a user. The connection outlives it.
class Statement {
 public:
  Statement(Connection& connection, sqlite3_stmt* statement, StatementTraits traits, std::string sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// True for a row, false when done.
  Result<bool> step();
  /// Ends the run; a writing statement whose rows were not all read commits here.
  Status reset();

  sqlite3_stmt* get() const { return statement_; }
  Connection& connection() const { return connection_; }
  /// As the user wrote it.
  const std::string& sql() const { return sql_; }
  const StatementTraits& traits() const { return traits_; }
  bool writes() const { return writes_; }
  bool running() const { return running_; }
  bool has_row() const { return has_row_; }

 private:
  friend class Connection;
  Connection& connection_;
  sqlite3_stmt* statement_;
  const StatementTraits traits_;
  const std::string sql_;
  const bool writes_;
  // What the text that runs was written for, when it is not the user's (sql/rollup_recognition.h).
  std::vector<HypertableDefinition> recognized_for_;
  uint64_t temporary_changes_ = 0;
  bool running_ = false;
  bool has_row_ = false;
  int64_t rows_ = 0;  // of this run
  std::chrono::steady_clock::time_point started_;
  std::optional<Session::Marks> undo_;  // what was staged before it, when SQLite will not undo it
  int64_t total_changes_before_ = 0;
};

// Each registers a part of the surface on a connection.
Status register_time_functions(Connection& connection);
Status register_bucket_functions(Connection& connection);
Status register_bookend_functions(Connection& connection);
Status register_statistic_functions(Connection& connection);
Status register_percentile_functions(Connection& connection);
Status register_line_functions(Connection& connection);
Status register_row_window_functions(Connection& connection);
Status register_asof_functions(Connection& connection);
Status register_graph_functions(Connection& connection);
Status register_series_functions(Connection& connection);
Status register_graph_tables(Connection& connection);
Status register_index_tables(Connection& connection);
Status register_loads(Connection& connection);
Status register_traversal_tables(Connection& connection);
Status register_algorithm_tables(Connection& connection);
Status register_layout_table(Connection& connection);
Status register_hierarchy_tables(Connection& connection);
Status register_rollup_tables(Connection& connection);
Status register_match_tables(Connection& connection);
Status register_scenario_functions(Connection& connection);
Status register_hypertables(Connection& connection);
Status register_hypertable_alter(Connection& connection);
Status register_hypertable_conversion(Connection& connection);
Status register_chunk_functions(Connection& connection);
Status register_continuous_aggregates(Connection& connection);
Status register_policies(Connection& connection);
Status register_maintenance(Connection& connection);
Status register_durability(Connection& connection);
Status register_hypertable_rollup(Connection& connection);
Status register_tag_references(Connection& connection);
Status register_series_rollup(Connection& connection);
Status register_series_reads(Connection& connection);
Status register_bindings(Connection& connection);
/// SQLite fires the newest trigger first. After a user has put one on a bound table, the binding's own are made again, so that a user's
/// trigger always finds the node of the row.
Status renew_binding_triggers(Connection& connection, std::string_view table);
/// The allow-list for users' SQL (DESIGN section 7).
Status register_authorizer(Connection& connection);

}  // namespace braid
