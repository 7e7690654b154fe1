#include "sql/connection.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "engine/caught.h"
#include "engine/check.h"
#include "engine/long_call.h"
#include "engine/sqlite_handle.h"
#include "sql/aggregate_statements.h"
#include "sql/bounded_functions.h"
#include "sql/gapfill.h"
#include "sql/rollup_recognition.h"
#include "sql/sql_tokens.h"
#include "sql/tag_references.h"

namespace braid {

namespace {

constexpr int kProgressSteps = 2000;  // of SQLite's virtual machine between two looks at the clock

bool has_word(std::string_view sql, std::string_view word) {
  const int first = word.empty() ? 0 : std::tolower(static_cast<unsigned char>(word.front()));
  for (size_t i = 0; i + word.size() <= sql.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(sql[i])) == first && strncasecmp(sql.data() + i, word.data(), word.size()) == 0) return true;
  return false;
}

/// Leaves out the first word; "" when it is another.
std::string_view after_word(std::string_view sql, std::string_view word);

/// SQLite tells OR ABORT and no clause apart by the text only.
bool text_says_or_abort(std::string_view sql) {
  for (const std::string_view verb : {"INSERT", "UPDATE"})
    if (!after_word(after_word(after_word(sql, verb), "OR"), "ABORT").empty()) return true;
  return false;
}

/// RETURNING id on a table whose ids are Braid's: SQLite would answer the one that the statement gave, which is none.
bool returns_id(sqlite3_stmt* statement) {
  if (sqlite3_stmt_readonly(statement) != 0 || sqlite3_stmt_isexplain(statement) != 0) return false;
  for (int i = 0; i < sqlite3_column_count(statement); ++i)
    if (sqlite3_stricmp(sqlite3_column_name(statement, i), "id") == 0) return true;
  return false;
}

/// Leaves out white space, empty statements and comments.
std::string_view from_first_word(std::string_view sql) {
  for (;;) {
    sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n\f;"), sql.size()));
    const std::string_view end = sql.starts_with("--") ? "\n" : sql.starts_with("/*") ? "*/" : "";
    if (end.empty()) return sql;
    const size_t found = sql.find(end, 2);
    sql.remove_prefix(found == std::string_view::npos ? sql.size() : found + end.size());
  }
}

bool same_columns(const HypertableDefinition& a, const HypertableDefinition& b) {
  return a.time_column == b.time_column && a.tags == b.tags &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                    [](const FieldDefinition& left, const FieldDefinition& right) { return left.name == right.name && left.type == right.type; });
}

bool starts_with_word(std::string_view sql, std::string_view word) {
  sql = from_first_word(sql);
  if (sql.size() < word.size() || strncasecmp(sql.data(), word.data(), word.size()) != 0) return false;
  return sql.size() == word.size() || std::isalnum(static_cast<unsigned char>(sql[word.size()])) == 0;
}

std::string_view after_word(std::string_view sql, std::string_view word) {
  if (!starts_with_word(sql, word)) return {};
  return from_first_word(sql).substr(word.size());
}

}  // namespace

struct Connection::PreparedText {
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  StatementTraits traits;
  std::unique_ptr<sqlite3_stmt, Finalize> statement;  // null for white space
  size_t used = 0;
  std::vector<HypertableDefinition> recognized_for;
};

Result<std::unique_ptr<Connection>> Connection::open(Engine& engine) {
  const auto open_now = static_cast<int64_t>(engine.counters.sessions.load(std::memory_order_relaxed));
  if (open_now >= engine.options()[OptionId::kConnectionsMax])
    return Status(StatusCode::kLimit, fmt::format("{} connections are open, connections_max allows no more", open_now));
  std::unique_ptr<Connection> connection(new Connection());
  BRAID_ASSIGN(connection->session_, Session::open(engine));
  connection->session_->set_durability(static_cast<Durability>(engine.options()[OptionId::kDurability]));
  BRAID_TRY(connection->register_all());
  return connection;
}

Status Connection::register_all() {
  for (const auto part : {register_time_functions, register_bucket_functions, register_bookend_functions, register_statistic_functions,
                          register_percentile_functions, register_line_functions, register_row_window_functions, register_asof_functions, register_graph_functions, register_series_functions, register_graph_tables, register_index_tables, register_loads,
                          register_traversal_tables, register_algorithm_tables, register_layout_table, register_hierarchy_tables,
                          register_rollup_tables, register_match_tables, register_scenario_functions, register_hypertables, register_hypertable_rollup, register_series_rollup, register_series_reads, register_hypertable_alter, register_hypertable_conversion,
                          register_chunk_functions, register_continuous_aggregates, register_policies, register_maintenance, register_durability, register_bindings, register_tag_references, register_authorizer})
    BRAID_TRY(part(*this));
  sqlite3_progress_handler(db(), kProgressSteps, progress, this);
  return {};
}

Connection::~Connection() {
  // Without a session when opening one failed.
  if (session_ != nullptr && in_transaction()) roll_back().ignore();
  internal_statements_.clear();
}

int Connection::progress(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  MemoryBudget::look_if_due();
  if (connection.session_->uninterrupted()) return 0;
  if (connection.cancel_.load(std::memory_order_relaxed)) return 1;
  Status asked = caught([&]() -> Status {
    if (!connection.session_->internal() && std::chrono::steady_clock::now() >= connection.statement_deadline_)
      return Status(StatusCode::kInterrupted, "the statement ran longer than statement_time_max_ms, or the connection's time limit, allows");
    // Whoever called: its cancel token, its time limit, its progress.
    return LongCall::check();
  });
  if (asked.ok()) return 0;
  connection.reported_ = std::move(asked);
  return 1;
}

void Connection::interrupt() {
  cancel_.store(true, std::memory_order_relaxed);
  sqlite3_interrupt(db());
}

Result<std::unique_ptr<Statement>> Connection::prepare(std::string_view sql, size_t& used) {
  error_offset_ = -1;
  used = 0;
  if (static_cast<int64_t>(sql.size()) > engine().options()[OptionId::kSqlBytesMax])
    return Status(StatusCode::kLimit, fmt::format("the SQL text has {} bytes, sql_bytes_max allows {}", sql.size(),
                                                  engine().options()[OptionId::kSqlBytesMax]));
  BRAID_ASSIGN(const auto translated, translate_statement(sql));
  if (translated) {
    size_t all = 0;
    auto statement = prepare(translated->sql, all);
    error_offset_ = -1;  // a place in a text that the user has not written
    if (statement.ok()) used = translated->used;
    return statement;
  }
  if (starts_with_word(sql, "VACUUM"))
    return Status(StatusCode::kDenied, "VACUUM is not allowed; the space of deleted rows is used again, and braid_checkpoint gives it back");
  PreparedText text;
  BRAID_TRY(prepare_meaning(sql, text));
  used = text.used;
  if (text.statement == nullptr) return std::unique_ptr<Statement>();
  if (const auto tokens = restricted_ ? SqlTokens::of(sql) : std::nullopt) BRAID_TRY(check_stranger(*tokens));
  auto prepared = std::make_unique<Statement>(*this, text.statement.get(), std::move(text.traits), std::string(sql.substr(0, used)));
  sqlite3_stmt* const statement = text.statement.release();
  prepared->recognized_for_ = std::move(text.recognized_for);
  prepared->temporary_changes_ = temporary_changes_;
  if (prepared->traits().inserts_graph && returns_id(statement))
    return Status(StatusCode::kDenied, "RETURNING cannot tell the id of a new node or edge; last_insert_rowid() does");
  return prepared;
}

Status Connection::prepare_meaning(std::string_view sql, PreparedText& out) {
  BRAID_ASSIGN(const auto filled, rewrite_gapfill(sql, [this](std::string_view name, size_t arguments) { return is_aggregate(name, arguments); }));
  const std::string_view meant = filled ? std::string_view(filled->sql) : sql;
  BRAID_TRY(prepare_recognized(meant, sql, out));
  if (out.statement == nullptr) BRAID_TRY(prepare_text(meant, sql, out));
  if (filled) out.used = filled->used;
  return {};
}

Status Connection::prepare_text(std::string_view sql, std::string_view written, PreparedText& out) {
  out = {};
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  preparing_ = &out.traits;
  preparing_sql_ = sql;
  reported_ = {};
  const int code = sqlite3_prepare_v2(db(), sql.data(), static_cast<int>(sql.size()), &statement, &tail);
  out.statement.reset(statement);
  preparing_ = nullptr;
  out.traits.says_or_abort = text_says_or_abort(written);
  if (code != SQLITE_OK) {
    if (!out.traits.refusal.ok()) return out.traits.refusal;
    // A place in another text would say nothing to the user.
    if (sql.data() == written.data()) error_offset_ = sqlite3_error_offset(db());
    return with_hints(with_signatures(take_error(code, written), written), written);
  }
  out.used = static_cast<size_t>(tail - sql.data());
  return {};
}

void Connection::look_at_schema(const std::function<void(const SchemaLookup&)>& body) {
  const std::shared_ptr<const Version> newest = session_->pinned() ? nullptr : engine().versions().newest();  // shared: keeps the catalog alive
  const CatalogState& catalog = newest == nullptr ? catalog_state() : *newest->catalog;
  body({[&](std::string_view name) { return hides_hypertable(name) ? nullptr : catalog.hypertable(name); },
        [this](std::string_view table, std::string_view column) {
          return sqlite3_table_column_metadata(db(), nullptr, std::string(table).c_str(), std::string(column).c_str(), nullptr, nullptr, nullptr, nullptr,
                                               nullptr) == SQLITE_OK;
        },
        [&](std::string_view sql) {
          return std::any_of(catalog.hypertables.begin(), catalog.hypertables.end(), [sql](const auto& entry) { return has_word(sql, entry.second.name); });
        }});
}

Status Connection::prepare_recognized(std::string_view sql, std::string_view written, PreparedText& out) {
  if (!series_fast_path_) return {};
  std::optional<RecognizedStatement> recognized;
  look_at_schema([&](const SchemaLookup& schema) {
    if (schema.names_hypertable(sql)) recognized = recognize_rollups(sql, schema);
  });
  if (!recognized || !prepare_text(recognized->sql, written, out).ok() ||
      sqlite3_bind_parameter_count(out.statement.get()) != static_cast<int>(recognized->variable_count)) {
    // The user's own text then tells what is wrong with it, or does what could not be recognised.
    out = {};
    error_offset_ = -1;
    return {};
  }
  out.used = recognized->used;
  out.recognized_for = std::move(recognized->tables);
  return {};
}

/// SQLite looks for names among the TEMP objects first.
bool Connection::hides_hypertable(std::string_view name) {
  if (temporary_changes_ == 0) return false;
  const Session::Internal internal(*session_);
  const auto found = internal_statement("SELECT 1 FROM sqlite_temp_schema WHERE name = ?1 COLLATE NOCASE");
  if (!found.ok()) return true;
  sqlite3_stmt* statement = (*found)->get();
  sqlite3_bind_text(statement, 1, name.data(), static_cast<int>(name.size()), SQLITE_TRANSIENT);
  const int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  return code != SQLITE_DONE;
}

bool Connection::is_current(const Statement& statement) const {
  if (statement.recognized_for_.empty()) return true;
  if (statement.temporary_changes_ != temporary_changes_) return false;
  return std::all_of(statement.recognized_for_.begin(), statement.recognized_for_.end(), [this](const HypertableDefinition& before) {
    const HypertableDefinition* now = catalog_state().hypertable(before.name);
    return now != nullptr && now->id == before.id && same_columns(*now, before);
  });
}

/// The user's text as it means something now; what was bound stays.
Status Connection::prepare_again(Statement& statement) {
  PreparedText text;
  BRAID_TRY(prepare_meaning(statement.sql_, text));
  if (text.statement == nullptr) return Status(StatusCode::kInternal, "a statement became empty");
  sqlite3_transfer_bindings(statement.statement_, text.statement.get());
  sqlite3_finalize(statement.statement_);
  statement.statement_ = text.statement.release();
  statement.recognized_for_ = std::move(text.recognized_for);
  statement.temporary_changes_ = temporary_changes_;
  return {};
}

/// As SQLite lists its functions: those of the engine, of SQLite and of the host.
bool Connection::is_aggregate(std::string_view name, size_t arguments) {
  auto found = internal_statement("SELECT 1 FROM pragma_function_list WHERE name = lower(?1) AND type IN ('a', 'w') AND narg IN (?2, -1)");
  if (!found.ok()) return false;
  const Session::Internal internal(*session_);
  SqliteStatement& statement = **found;
  statement.bind_text(1, name).bind(2, static_cast<int64_t>(arguments));
  const auto row = statement.step();
  statement.reset();
  return row.ok() && *row;
}

/// A stranger's transaction ends with its text: nobody is held off by one that is left open.
Status Connection::execute(std::string_view sql) {
  if (!restricted_) return execute_statements(sql);
  ++executing_;
  Status status = caught([&] { return execute_statements(sql); });
  --executing_;
  if (executing_ > 0 || !in_transaction() || !opened_by_text_) return status;
  roll_back().ignore();
  return status.ok() ? Status(StatusCode::kDenied, "the connection is restricted: a transaction ends in the text that begins it; it was rolled back") : status;
}

Status Connection::execute_statements(std::string_view sql) {
  size_t done = 0;
  while (done < sql.size()) {
    size_t used = 0;
    auto statement = prepare(sql.substr(done), used);
    Status status = statement.status();
    if (statement.ok() && *statement != nullptr) {
      for (bool more = true; more && status.ok();) {
        auto stepped = (*statement)->step();
        status = stepped.status();
        more = stepped.ok() && *stepped;
      }
    }
    if (!status.ok()) {
      error_offset_ = static_cast<int64_t>(done) + std::max<int64_t>(error_offset_, 0);
      return status;
    }
    if (used == 0) break;
    done += used;
  }
  return {};
}

/// The status of a failed call of SQLite: ours when a table or a function of ours reported one, else SQLite's.
Status Connection::take_error(int code, std::string_view) {
  if (!reported_.ok()) return std::exchange(reported_, Status());
  const Status status = sqlite_status(db(), code);
  if (code == SQLITE_IOERR_DATA)
    return Status(StatusCode::kCorrupt, "rows.db: a page has the wrong checksum; the file is damaged, see `braid check`");
  return status;
}

Status Connection::with_signatures(Status status, std::string_view sql) const {
  const std::string& message = status.message();
  if (message.find("no such column") == std::string::npos && message.find("too many arguments on") == std::string::npos) return status;
  std::string text(sql), signatures;
  for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  const auto continues = [&text](size_t at) { return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_'); };
  for (const auto& [name, signature] : built_in_tables_) {
    const size_t at = text.find(name);
    if (signature.empty() || at == std::string::npos || continues(at + name.size())) continue;
    signatures += "; " + signature;
  }
  return Status(status.code(), message + signatures);
}

Status Connection::with_hints(Status status, std::string_view sql) {
  struct Hint {
    std::string_view message;
    std::string_view way;
  };
  static constexpr Hint kHints[] = {
      {"UPSERT not implemented", "INSERT OR REPLACE, INSERT OR IGNORE and the table's on_conflict ('replace', 'ignore', 'error', 'merge') say what happens to a "
                                 "point that exists"},
      {"RETURNING is not available", "read the rows with SELECT in the same transaction first"},
      {"virtual tables may not be altered", "hypertable_alter('TABLE', 'add', 'FIELD', 'TYPE') adds a field"},
      {"cannot drop column from virtual table", "hypertable_alter('TABLE', 'drop', 'FIELD') drops a field"},
      {"cannot rename columns of virtual table", "hypertable_alter('TABLE', 'rename', 'COLUMN', 'NEW NAME') renames a column"},
      {"virtual tables may not be indexed", "a hypertable is ordered by its tags and time, and needs no index"},
      {"cannot create triggers on virtual tables", "put the trigger on a table of rows"},
  };
  const bool filling = has_word(sql, "locf") || has_word(sql, "interpolate");
  if (filling && !has_word(sql, "time_bucket_gapfill"))
    for (const std::string_view part : {"misuse of aggregate", "arguments to function locf", "arguments to function interpolate"})
      if (status.message().find(part) != std::string::npos)
        return Status(status.code(), status.message() + "; locf and interpolate of a group's value need time_bucket_gapfill in GROUP BY");
  const auto hint = std::find_if(std::begin(kHints), std::end(kHints), [&](const Hint& one) { return status.message().find(one.message) != std::string::npos; });
  if (hint == std::end(kHints)) return status;
  const auto state = engine().versions().newest()->catalog;
  for (const auto& [id, table] : (writing() ? catalog_state() : *state).hypertables)
    if (has_word(sql, table.name)) return Status(status.code(), fmt::format("{}; {}", status.message(), hint->way));
  return status;
}

bool Connection::only_deletes_from(std::string_view table) const {
  if (stepping_ == nullptr || session_->internal() || stepping_->may_see_keys) return false;
  const std::string& from = stepping_->deletes_from;
  return same_sql_name(from, table);
}

int Connection::report(Status status) {
  BRAID_ASSERT(!status.ok());
  const StatusCode code = status.code();
  reported_ = std::move(status);
  switch (code) {
    case StatusCode::kConstraint: return SQLITE_CONSTRAINT;
    case StatusCode::kOutOfMemory: return SQLITE_NOMEM;
    case StatusCode::kCorrupt: return SQLITE_CORRUPT_VTAB;
    case StatusCode::kInterrupted: return SQLITE_ABORT;
    default: return SQLITE_ERROR;
  }
}

int Connection::report(sqlite3_vtab* table, Status status) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", status.message().c_str());
  return report(std::move(status));
}

void Connection::report(sqlite3_context* context, Status status) {
  const std::string message = status.message();
  const int code = report(std::move(status));
  sqlite3_result_error(context, message.c_str(), static_cast<int>(message.size()));
  sqlite3_result_error_code(context, code);
}

// ---- Transactions ----------------------------------------------------------------------------------------------------

Status Connection::begin(Mode mode) {
  if (in_transaction()) return Status(StatusCode::kMisuse, "a transaction is open already; commit or roll back first");
  cancel_.store(false, std::memory_order_relaxed);
  read_only_ = mode == Mode::kRead;
  opened_by_savepoint_ = false;
  opened_by_text_ = false;
  savepoints_.clear();
  if (mode == Mode::kWrite) {
    BRAID_TRY(check_may_write());
    return session_->begin_write();
  }
  BRAID_TRY(session_->begin_deferred());
  if (mode == Mode::kDeferred) return {};
  const Status pinned = session_->pin();
  if (!pinned.ok()) rollback().ignore();
  return pinned;
}

Status Connection::begin_writing() {
  BRAID_TRY(check_may_write());
  const bool upgrading = in_transaction();
  const Status begun = session_->begin_write(savepoints_);
  if (begun.ok() || !upgrading || in_transaction()) return begun;
  ++rollbacks_;
  deferred_.clear();
  return Status(begun.code(), begun.message() + "; the transaction was rolled back");
}

Status Connection::check_may_write() const {
  return restricted_to_reading_ ? Status(StatusCode::kDenied, "the connection is restricted to reading") : Status();
}

Status Connection::commit() {
  if (!in_transaction() || autocommit_) return Status(StatusCode::kMisuse, "cannot commit: no transaction is open");
  reported_ = {};
  const Status committed = session_->commit();
  if (!committed.ok() && !in_transaction()) ++rollbacks_;
  return committed;
}

/// Every rollback goes through here, but for those that SQLite or a failed commit make by themselves.
Status Connection::roll_back() {
  if (writing()) ++rollbacks_;
  return session_->rollback();
}

Status Connection::rollback() {
  if (!in_transaction() || autocommit_) return Status(StatusCode::kMisuse, "cannot roll back: no transaction is open");
  deferred_.clear();
  return roll_back();
}

/// SAVEPOINT, RELEASE and ROLLBACK TO. SQLite keeps the savepoints; names are followed here only to see the transaction end that
/// a SAVEPOINT outside one began.
Status Connection::savepoint_control(StatementTraits::Control control, std::string_view name) {
  using Control = StatementTraits::Control;
  const Session::Uninterrupted uninterrupted(*session_);
  const auto same = [&](const std::string& other) { return same_sql_name(other, name); };
  if (control == Control::kSavepoint) {
    const bool opens = !in_transaction();
    if (opens) BRAID_TRY(begin(Mode::kDeferred));
    const Status status = sqlite_run(db(), "SAVEPOINT " + quote_identifier(name));
    if (status.ok()) savepoints_.emplace_back(name);
    opened_by_savepoint_ |= opens;
    if (opens && !status.ok()) rollback().ignore();
    return status;
  }
  const auto found = std::find_if(savepoints_.rbegin(), savepoints_.rend(), same);
  if (!in_transaction() || found == savepoints_.rend())
    return Status(StatusCode::kNotFound, fmt::format("there is no savepoint '{}'", name));
  const auto index = static_cast<size_t>(savepoints_.rend() - found - 1);
  if (control == Control::kRollbackTo) {
    BRAID_TRY(sqlite_run(db(), "ROLLBACK TO " + quote_identifier(name)));
    savepoints_.resize(index + 1);
    return {};
  }
  if (index == 0 && opened_by_savepoint_) return commit();
  BRAID_TRY(sqlite_run(db(), "RELEASE " + quote_identifier(name)));
  savepoints_.resize(index);
  return {};
}

Status Connection::control(const StatementTraits& traits, std::string_view sql) {
  using Control = StatementTraits::Control;
  const bool begins = !in_transaction() && (traits.control == Control::kBegin || traits.control == Control::kSavepoint);
  if (begins && restricted_ && executing_ == 0)
    return Status(StatusCode::kDenied, "the connection is restricted: a transaction is begun by braid_begin, or by a text for braid_execute that ends it too");
  const Status done = run_control(traits, sql);
  if (begins && done.ok()) opened_by_text_ = true;
  return done;
}

Status Connection::run_control(const StatementTraits& traits, std::string_view sql) {
  using Control = StatementTraits::Control;
  switch (traits.control) {
    case Control::kBegin:
      return begin(has_word(sql, "IMMEDIATE") || has_word(sql, "EXCLUSIVE") ? Mode::kWrite : Mode::kDeferred);
    case Control::kCommit: return commit();
    case Control::kRollback: return rollback();
    case Control::kSavepoint:
    case Control::kRelease:
    case Control::kRollbackTo: {
      // The savepoint statements above are prepared again under the authorizer.
      const Session::Internal internal(*session_);
      return savepoint_control(traits.control, traits.savepoint);
    }
    case Control::kNone: break;
  }
  return {};
}

Status Connection::start(Statement& statement) {
  error_offset_ = -1;
  reported_ = {};
  if (running_ == 0) cancel_.store(false, std::memory_order_relaxed);
  BRAID_TRY(session_->check_limits());
  BRAID_TRY(check_stranger_time());
  const Session::State state = session_->state();
  if (statement.writes_ && state != Session::State::kWriting) {
    if (read_only_ && state == Session::State::kReading)
      return Status(StatusCode::kReadOnly, "the transaction was begun for reading; begin one for writing");
    const bool alone = state == Session::State::kIdle;
    BRAID_TRY(begin_writing());
    if (alone) {
      autocommit_ = true;
      keeps_changes_ = false;
    }
  } else if (state == Session::State::kReading || statement.traits_.reads_stores) {
    BRAID_TRY(session_->pin());
  }
  // SQLite opens no statement savepoint for a SELECT, so one whose functions write is undone from here.
  if (statement.traits_.writes_stores && session_->state() == Session::State::kWriting)
    statement.undo_ = session_->mark();
  statement.total_changes_before_ = sqlite3_total_changes64(db());
  statement.running_ = true;
  statement.rows_ = 0;
  ++statements_started_;
  changes_beside_ = 0;
  if (running_++ == 0) running_since_ = std::chrono::steady_clock::now();
  if (statement.writes_) ++running_writers_;
  if (statement.writes_ && statement.traits_.grows_rows) session_->note_growth();
  if (statement.writes_) session_->note_schema();
  return {};
}

Status Connection::finish(Statement& statement, Status status) {
  statement.running_ = false;
  --running_;
  if (statement.writes_) {
    changes_ = sqlite3_changes64(db()) + changes_beside_;
    --running_writers_;
  }
  if (session_->notice_rollback()) {
    ++rollbacks_;
    autocommit_ = false;
    deferred_.clear();
    if (status.ok()) status = Status(StatusCode::kInterrupted, "SQLite rolled the transaction back");
  }
  if (!status.ok() && statement.undo_ && session_->state() == Session::State::kWriting) session_->rollback_to(*statement.undo_);
  statement.undo_.reset();
  if (status.ok() && !statement.traits_.trigger_table.empty())
    defer([this, &statement] { return renew_binding_triggers(*this, statement.traits_.trigger_table); });
  if (statement.traits_.is_temporary) ++temporary_changes_;
  if (status.ok()) status = run_deferred();
  deferred_.clear();
  session_->note_schema();
  if (autocommit_) {
    // INSERT OR FAIL keeps the rows before the one that failed: they are counted, those of an undone statement are not.
    keeps_changes_ |= status.ok() || sqlite3_total_changes64(db()) != statement.total_changes_before_;
    if (running_writers_ == 0) {
      const Status ended = end_autocommit();
      if (status.ok()) status = ended;
    }
  }
  if (running_ == 0) session_->unpin();
  // An idle connection keeps its pages only while there is room for those of all.
  if (!in_transaction() && MemoryBudget::is_sqlite_crowded()) sqlite3_db_release_memory(db());
  MemoryBudget::look_if_due();
  return status;
}

Status Connection::end_autocommit() {
  autocommit_ = false;
  if (!keeps_changes_) return roll_back();
  const Status committed = commit();
  if (in_transaction()) roll_back().ignore();
  return committed;
}

/// Deferred work is DDL, which SQLite refuses while other statements run; it is undone alone when it fails.
Status Connection::run_deferred() {
  if (deferred_.empty()) return {};
  if (running_ > 0)
    return Status(StatusCode::kBusy, "this changes the schema: finish or reset the other statements of the connection first");
  const Session::Internal internal(*session_);
  BRAID_TRY(sqlite_run(db(), "SAVEPOINT _braid_deferred"));
  Status status;
  // Work may add more of it.
  for (size_t i = 0; i < deferred_.size() && status.ok(); ++i) {
    const auto work = std::move(deferred_[i]);
    status = work();
  }
  if (!status.ok()) sqlite_run(db(), "ROLLBACK TO _braid_deferred").ignore();
  const Status released = sqlite_run(db(), "RELEASE _braid_deferred");
  return status.ok() ? released : status;
}

Status Connection::write(const std::function<Status()>& body, Steps steps) {
  reported_ = {};
  start_call();
  BRAID_TRY(session_->check_limits());
  if (session_->state() == Session::State::kReading && read_only_)
    return Status(StatusCode::kReadOnly, "the transaction was begun for reading; begin one for writing");
  const bool alone = !in_transaction();
  if (session_->state() != Session::State::kWriting) BRAID_TRY(begin_writing());
  std::optional<Session::Marks> marks;
  if (!alone && steps == Steps::kMany) marks = session_->mark();
  const auto undo = [&] {
    if (alone) roll_back().ignore();
    if (marks) session_->rollback_to(*marks);
  };
  Status status;
  try {
    status = body();
  } catch (...) {
    // Memory that ran out, mostly: nobody may find a transaction that he did not begin.
    undo();
    throw;
  }
  if (status.ok()) return alone ? session_->commit() : Status();
  undo();
  return status;
}

Status Connection::read(const std::function<Status()>& body) {
  reported_ = {};
  start_call();
  BRAID_TRY(session_->check_limits());
  BRAID_TRY(session_->pin());
  struct Unpin {
    Connection& connection;
    ~Unpin() {
      if (connection.running_ == 0) connection.session_->unpin();
    }
  } const unpin{*this};
  return body();
}

// ---- What tables and functions work on -------------------------------------------------------------------------------

const std::string& Connection::name(NameKind kind, uint32_t id) const {
  if (session_->state() == Session::State::kWriting) return session_->catalog_writer().name(kind, id);
  return session_->engine().catalog().name(kind, id);
}

std::optional<uint32_t> Connection::find_name(NameKind kind, std::string_view name) const {
  if (session_->state() == Session::State::kWriting) return session_->catalog_writer().find_name(kind, name);
  return session_->engine().catalog().find_name(kind, name);
}

GraphView Connection::graph() const {
  if (StoreWriter* writer = session_->writer_if_any(StoreKind::kGraph)) return static_cast<GraphWriter*>(writer)->view();
  return GraphView(session_->view(StoreKind::kGraph), nullptr);
}

GraphWriter& Connection::graph_writer() { return static_cast<GraphWriter&>(session_->writer(StoreKind::kGraph)); }
SeriesWriter& Connection::series_writer() {
  auto& writer = static_cast<SeriesWriter&>(session_->writer(StoreKind::kSeries));
  if (!writer.has_reference_check()) {
    writer.set_reference_check([this](const HypertableDefinition& table, std::span<const std::optional<std::string_view>> tags, bool known) {
      return check_tag_references(*this, table, tags, known);
    });
  }
  return writer;
}

std::shared_ptr<const SeriesOverlay> Connection::series_overlay() const {
  StoreWriter* writer = session_->writer_if_any(StoreKind::kSeries);
  return writer == nullptr ? nullptr : static_cast<SeriesWriter*>(writer)->overlay();
}

TraversalOptions Connection::traversal_options() const {
  const Options& options = session_->engine().options();
  TraversalOptions traversal;
  traversal.depth_max = static_cast<uint32_t>(options[OptionId::kTraversalDepthMax]);
  traversal.visits_max = static_cast<uint64_t>(options[OptionId::kTraversalNodesMax]);
  traversal.bytes_max = static_cast<uint64_t>(options[OptionId::kTraversalBytesMax]);
  traversal.memory = walk_memory_;
  traversal.cancel = &cancel_;
  traversal.deadline = statement_deadline_;
  return traversal;
}

AlgorithmContext Connection::algorithm_context() const {
  AlgorithmContext context;
  context.cancel = &cancel_;
  context.deadline = statement_deadline_;
  context.rows_max = static_cast<uint64_t>(session_->engine().options()[OptionId::kTraversalNodesMax]);
  context.memory = walk_memory_;
  context.progress = progress_;
  return context;
}

AlgorithmContext Connection::start_walk() {
  allow_again();
  AlgorithmContext context = algorithm_context();
  context.deadline.reset();
  context.time_max = statement_time_max();
  return context;
}

void Connection::note_walk(std::string_view call, WalkReport report) {
  constexpr size_t kNotedWalks = 16;
  noted_walks_.push_front({std::string(call), std::move(report)});
  if (noted_walks_.size() > kNotedWalks) noted_walks_.pop_back();
}

void Connection::note_series_read(NotedSeriesRead read) {
  constexpr size_t kNotedReads = 16;
  noted_series_reads_.push_front(std::move(read));
  if (noted_series_reads_.size() > kNotedReads) noted_series_reads_.pop_back();
}

void Connection::start_call() {
  allow_again();
  start_clock();
}

void Connection::allow_again() {
  if (running_ == 0) cancel_.store(false, std::memory_order_relaxed);
}

std::chrono::milliseconds Connection::statement_time_max() const {
  const std::chrono::milliseconds most(session_->engine().options()[OptionId::kStatementTimeMax]);
  return time_limit_.count() > 0 ? std::min(time_limit_, most) : most;
}

/// The clock was read when the step began.
Status Connection::check_row(Statement& statement) {
  const Options& options = engine().options();
  // What a writing statement answers has been written by then.
  if (!statement.writes() && statement.rows_ > options[OptionId::kResultRowsMax])
    return Status(StatusCode::kLimit, fmt::format("the statement answers more than {} rows, as result_rows_max allows; ask for fewer, by LIMIT say",
                                                  options[OptionId::kResultRowsMax]));
  if (writing()) return {};
  const auto begun = statement_deadline_ - statement_time_max();
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(begun - statement.started_).count();
  return check_snapshot_age(age);
}

Status Connection::check_snapshot_age(int64_t age_ms) {
  const int64_t most = engine().options()[OptionId::kSnapshotAgeMax];
  if (age_ms <= most) return {};
  return Status(StatusCode::kSnapshotTooOld,
                fmt::format("the statement has read one snapshot for {} ms, snapshot_age_max_ms allows {}; start it again", age_ms, most));
}

Status Connection::outlived() {
  BRAID_TRY(session_->check_limits());
  if (running_ == 0 && !in_transaction()) return {};
  if (engine().wal_is_held())
    return Status(StatusCode::kSnapshotTooOld, fmt::format("what it has open keeps the WAL from being copied, which is past wal_hard_bytes ({})",
                                                           engine().options()[OptionId::kWalHardBytes]));
  if (running_ == 0 || writing()) return {};
  return check_snapshot_age(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - running_since_).count());
}

Status Connection::restrict(bool read_only, std::chrono::milliseconds statement_time, int64_t value_bytes) {
  BRAID_TRY(bound_functions(db()));
  restricted_ = true;
  restricted_to_reading_ |= read_only;
  if (statement_time.count() > 0) time_limit_ = statement_time;
  // What SQLite advises for SQL of strangers: https://sqlite.org/security.html
  constexpr std::pair<int, int> kLimits[] = {{SQLITE_LIMIT_SQL_LENGTH, 100000},      {SQLITE_LIMIT_COLUMN, 200},        {SQLITE_LIMIT_EXPR_DEPTH, 100},
                                             {SQLITE_LIMIT_COMPOUND_SELECT, 20},     {SQLITE_LIMIT_VDBE_OP, 250000},     {SQLITE_LIMIT_FUNCTION_ARG, 100},
                                             {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50}, {SQLITE_LIMIT_VARIABLE_NUMBER, 1000}, {SQLITE_LIMIT_TRIGGER_DEPTH, 10}};
  for (const auto& [limit, most] : kLimits) sqlite3_limit(db(), limit, std::min(most, sqlite3_limit(db(), limit, -1)));
  const auto bytes = static_cast<int>(std::min<int64_t>(std::max<int64_t>(value_bytes, 1000), sqlite3_limit(db(), SQLITE_LIMIT_LENGTH, -1)));
  if (value_bytes > 0) sqlite3_limit(db(), SQLITE_LIMIT_LENGTH, bytes);
  return {};
}

Status Connection::check_stranger(const SqlTokens& tokens) {
  // INSERT INTO words(words, …) gives an FTS5 table an order, which may change its settings.
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (!tokens.is_word(i - 1, "INTO")) continue;
    size_t table = i;
    if (tokens.is_operator(table + 1, ".")) table += 2;
    size_t open = table + 1;
    if (tokens.is_word(open, "AS")) open += 2;
    if (!tokens.is_operator(open, "(")) continue;
    const std::string name = tokens.name(table);
    for (size_t column = open + 1; column < tokens[open].partner; ++column)
      if (same_sql_name(tokens.name(column), name) && is_virtual_table(name))
        return Status(StatusCode::kDenied, fmt::format("the connection is restricted: its SQL may give table '{}' no orders", name));
  }
  return {};
}

bool Connection::is_virtual_table(std::string_view name) {
  const Session::Internal internal(*session_);
  const auto found = internal_statement("SELECT 1 FROM pragma_table_list WHERE name = ?1 COLLATE NOCASE AND type = 'virtual'");
  if (!found.ok()) return true;
  SqliteStatement& statement = **found;
  statement.bind_text(1, name);
  const auto row = statement.step();
  statement.reset();
  return !row.ok() || *row;
}

/// The transaction of a stranger's text has, from its first write, the time that a statement has.
Status Connection::check_stranger_time() const {
  if (!restricted_ || !opened_by_text_ || time_limit_.count() == 0 || !writing() || session_->writing_for() <= time_limit_) return {};
  return Status(StatusCode::kLimit, fmt::format("the connection is restricted: a transaction may hold other writers off for {} ms; it is rolled back", time_limit_.count()));
}

void Connection::start_clock() { statement_deadline_ = std::chrono::steady_clock::now() + statement_time_max(); }

Status Connection::check_writing() const {
  if (session_->state() == Session::State::kWriting) return {};
  return Status(StatusCode::kMisuse, "this function writes, and is not allowed where SQLite evaluates it without a write transaction");
}

bool Connection::is_built_in_table(std::string_view name) const {
  std::string lower(name);
  for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return built_in_tables_.contains(lower);
}

Result<SqliteStatement*> Connection::internal_statement(const std::string& sql) {
  const auto found = internal_statements_.find(sql);
  if (found != internal_statements_.end()) return &found->second;
  const Session::Internal internal(*session_);
  constexpr size_t kStatementsMax = 256;
  if (internal_statements_.size() >= kStatementsMax) internal_statements_.clear();
  BRAID_ASSIGN(auto statement, sqlite_prepare(db(), sql));
  return &internal_statements_.emplace(sql, std::move(statement)).first->second;
}

// ---- Statements ------------------------------------------------------------------------------------------------------

Statement::Statement(Connection& connection, sqlite3_stmt* statement, StatementTraits traits, std::string sql)
    : connection_(connection),
      statement_(statement),
      traits_(std::move(traits)),
      sql_(std::move(sql)),
      writes_((sqlite3_stmt_readonly(statement) == 0 || traits_.writes_stores) && sqlite3_stmt_isexplain(statement) == 0 &&
              traits_.control == StatementTraits::Control::kNone) {}

Statement::~Statement() {
  reset().ignore();
  sqlite3_finalize(statement_);
}

Result<bool> Statement::step() {
  if (!running_) {
    if (traits_.control != StatementTraits::Control::kNone && sqlite3_stmt_isexplain(statement_) == 0) {
      BRAID_TRY(connection_.control(traits_, sql_));
      return false;
    }
    BRAID_TRY(connection_.start(*this));
    if (!connection_.is_current(*this)) {
      const Status prepared = connection_.prepare_again(*this);
      if (!prepared.ok()) return connection_.finish(*this, prepared);
    }
  }
  has_row_ = false;
  connection_.start_clock();
  if (rows_ == 0) started_ = connection_.statement_deadline_ - connection_.statement_time_max();
  if (connection_.restricted_) connection_.statement_deadline_ = started_ + connection_.statement_time_max();
  const StatementTraits* outer = std::exchange(connection_.stepping_, &traits_);
  const int code = sqlite3_step(statement_);
  connection_.stepping_ = outer;
  Status status;
  if (code == SQLITE_ROW) {
    ++rows_;
    status = connection_.check_row(*this);
    has_row_ = status.ok();
    if (has_row_) return true;
  }
  if (code != SQLITE_DONE && code != SQLITE_ROW) {
    status = connection_.take_error(sqlite3_extended_errcode(connection_.db()), sql_);
  }
  sqlite3_reset(statement_);
  BRAID_TRY(connection_.finish(*this, std::move(status)));
  return false;
}

Status Statement::reset() {
  has_row_ = false;
  if (!running_) {
    sqlite3_reset(statement_);
    return {};
  }
  sqlite3_reset(statement_);
  return connection_.finish(*this, {});
}

}  // namespace braid
