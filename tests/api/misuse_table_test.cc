// Every function of braid.h, called with NULL, in the wrong state, with a wrong value and with a wrong size: a row of a table each. The rows name their
// functions, and misuse_table_test.sh compares them with those that the library exports.
//
// usage: misuse_table_test [--list]
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "api/braid.h"
#include "api/struct_argument.h"
#include "tests/support/temp_dir.h"

namespace {

constexpr int64_t kNul = BRAID_NUL_TERMINATED;


/// Handles in all the states that a call may meet.
struct World {
  explicit World(const std::string& folder) : folder(folder), directory(folder + "/db") {
    must(braid_open(directory.c_str(), nullptr, &database));
    braid_open("", nullptr, &failed);
    must(braid_connect(database, &connection));
    must(braid_execute(connection,
                       "CREATE TABLE t(x INTEGER PRIMARY KEY); INSERT INTO t VALUES(1), (2);"
                       "CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, note TEXT)",
                       kNul));
    must(braid_node_create(connection, nullptr, nullptr, &node));
    statement = prepare(connection, "SELECT x, ?1 FROM t");
    running = prepare(connection, "SELECT x, ?1 FROM t");
    if (braid_statement_step(running) != BRAID_ROW) std::abort();
    must(braid_appender_open(connection, "m", &appender));
    must(braid_appender_open(connection, "m", &without_series));
    const char* tags[] = {"a"};
    must(braid_appender_series(appender, tags, 1));
    must(braid_projection_open(connection, nullptr, &projection));
    must(braid_batch_open(database, &batch));
    must(braid_feed_open(database, nullptr, &feed));
    must(braid_feed_open(database, nullptr, &cancelled_feed));
    braid_feed_cancel(cancelled_feed);
    must(braid_cancel_open(&cancel));
    must(braid_connect(database, &closed_with));
    orphan = prepare(closed_with, "SELECT ?1");
    must(braid_appender_open(closed_with, "m", &orphan_appender));
    must(braid_appender_series(orphan_appender, tags, 1));
    must(braid_projection_open(closed_with, nullptr, &orphan_projection));
    braid_disconnect(closed_with);
  }
  ~World() {
    for (braid_statement* one : {statement, running, orphan}) braid_statement_close(one);
    for (braid_appender* one : {appender, without_series}) braid_appender_discard(one);
    for (braid_appender* one : {appender, without_series, orphan_appender}) braid_appender_close(one);
    for (braid_projection* one : {projection, orphan_projection}) braid_projection_close(one);
    braid_batch_close(batch);
    for (braid_feed* one : {feed, cancelled_feed, no_feed}) braid_feed_close(one);
    braid_cancel_close(cancel);
    braid_disconnect(connection);
    braid_close(failed);
    must(braid_close(database));
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  static void must(int32_t code) {
    if (code != BRAID_OK) std::abort();
  }
  static braid_statement* prepare(braid_connection* on, const char* sql) {
    braid_statement* made = nullptr;
    must(braid_prepare(on, sql, kNul, &made, nullptr));
    return made;
  }
  /// The code of a call that gives a statement, and of its first step when it is good.
  int32_t run(int32_t code) {
    if (code != BRAID_OK) return answer != nullptr ? -1 : code;
    code = braid_statement_step(answer);
    braid_statement_close(answer);
    answer = nullptr;
    return code == BRAID_ROW || code == BRAID_DONE ? BRAID_OK : code;
  }

  const std::string folder, directory;
  braid_database* database = nullptr;
  braid_database* failed = nullptr;  // was not opened
  braid_connection* connection = nullptr;
  braid_connection* closed_with = nullptr;
  braid_statement *statement = nullptr, *running = nullptr, *orphan = nullptr;  // the last without its connection
  braid_statement* answer = nullptr;
  braid_appender *appender = nullptr, *without_series = nullptr, *orphan_appender = nullptr;
  braid_projection *projection = nullptr, *orphan_projection = nullptr;
  braid_batch* batch = nullptr;
  braid_feed *feed = nullptr, *cancelled_feed = nullptr;
  braid_cancel* cancel = nullptr;
  int64_t node = 0;
  // Places for answers.
  braid_appender* no_appender = nullptr;
  braid_batch* no_batch = nullptr;
  braid_feed* no_feed = nullptr;
  braid_connection* no_connection = nullptr;
  braid_projection* no_projection = nullptr;
  int64_t number = 0;
  uint64_t lsn = 0;
  size_t count = 0;
  const char* text = nullptr;
  int64_t ids[4] = {1, 1, 1, 1};
  double values[2] = {1, 2};
  ArrowArray array = {};
  ArrowArrayStream stream = {};
};

enum class Wrong { kNull, kState, kValue, kSize };

struct Row {
  const char* function;
  Wrong what;
  int32_t expected;
  int32_t (*call)(World&);
};

#define ROW(function, what, expected, ...) \
  {#function, Wrong::what, expected, [](World& w) -> int32_t { static_cast<void>(w); return (__VA_ARGS__); }}

template <typename Struct>
Struct sized(size_t size) {
  Struct made{};
  made.size_bytes = size;
  return made;
}
/// A struct that is too small.
template <typename Struct>
const Struct& small() {
  static const Struct made = sized<Struct>(braid::kFirstSize<Struct> - 1);
  return made;
}
template <typename Struct>
Struct right() {
  return sized<Struct>(sizeof(Struct));
}

int32_t is(bool held) { return held ? 0 : -1; }
int32_t same(const char* text, const char* expected) { return is(text != nullptr && std::strcmp(text, expected) == 0); }
int32_t nothing() { return 0; }

braid_expand_options expanding(int32_t direction, int32_t least, int32_t most, const char* filter) {
  auto options = right<braid_expand_options>();
  options.direction = direction;
  options.hops_min = least;
  options.hops_max = most;
  options.node_filter = filter;
  return options;
}
braid_rollup_options rolling(const char* width, int64_t start, int64_t limit) {
  auto options = right<braid_rollup_options>();
  options.width = width;
  options.start = start;
  options.limit = limit;
  return options;
}
int32_t with_expansion(World& w, int64_t start, const braid_expand_options& options) { return w.run(braid_expand(w.connection, start, &options, &w.answer)); }
int32_t with_rollup(World& w, const char* table, const braid_rollup_options& options) { return w.run(braid_rollup(w.connection, table, &options, &w.answer)); }

int32_t with_arrow(World& w, int64_t rows, size_t types) {
  auto options = right<braid_arrow_options>();
  const int32_t wrong[] = {99};
  options.rows_max = rows;
  options.types = types > 0 ? wrong : nullptr;
  options.type_count = types;
  return braid_statement_arrow(w.statement, &options, &w.stream);
}
int32_t with_column(World& w, const braid_column& column, size_t count) {
  const int64_t times[] = {1};
  const braid_column columns[] = {column, column};
  return braid_appender_columns(w.appender, times, 1, columns, count);
}
int32_t batch_value(World& w, int32_t type, const void* data, int64_t size) {
  const braid_value value{type, 0, 0, data, size};
  return braid_batch_execute(w.batch, "SELECT ?1", kNul, &value, 1);
}
int32_t feed_of(World& w, const braid_feed_options& options) { return braid_feed_open(w.database, &options, &w.no_feed); }
braid_feed_options models(uint32_t which) {
  auto options = right<braid_feed_options>();
  options.models = which;
  return options;
}
int32_t after_begin(World& w, int32_t (*call)(World&)) {
  if (braid_begin(w.connection, BRAID_READ) != BRAID_OK) return -1;
  const int32_t code = call(w);
  return braid_rollback(w.connection) == BRAID_OK ? code : -1;
}
int32_t option_of_size(size_t size) {
  auto option = sized<braid_option>(size);
  return braid_option_at(0, &option);
}
int32_t report_of_size(World& w, size_t size) {
  auto report = sized<braid_backup_report>(size);
  return braid_backup(w.database, (w.folder + "/copy").c_str(), nullptr, nullptr, nullptr, &report);
}
int32_t made_database(braid_database* made, int32_t code) {
  braid_close(made);
  return code;
}
int32_t opening(const char* directory, const char* options) {
  braid_database* made = nullptr;
  const int32_t code = braid_open(directory, options, &made);
  return made_database(made, code);
}
int32_t restoring(const char* source, const char* destination, const braid_restore_options* options) {
  braid_database* made = nullptr;
  const int32_t code = braid_restore(source, destination, options, nullptr, nullptr, &made);
  return made_database(made, code);
}
int32_t repairing(const char* source, const char* destination) {
  braid_database* made = nullptr;
  const int32_t code = braid_repair(source, destination, nullptr, nullptr, &made);
  return made_database(made, code);
}
int32_t opening_watched(const char* directory, const braid_watch& watch) {
  braid_database* made = nullptr;
  const int32_t code = braid_open_watched(directory, nullptr, &watch, &made);
  return made_database(made, code);
}
int32_t repairing_watched(const char* source, const char* destination, const braid_watch& watch) {
  braid_database* made = nullptr;
  const int32_t code = braid_repair_watched(source, destination, &watch, nullptr, nullptr, &made);
  return made_database(made, code);
}
braid_watch watch_for(int64_t milliseconds) {
  auto watch = sized<braid_watch>(sizeof(braid_watch));
  watch.time_limit_ms = milliseconds;
  return watch;
}
void ignore_figure(void*, const braid_figure*) {}
void ignore_event(void*, const braid_event*) {}
int32_t go_on(void*, double) { return 0; }

const Row kRows[] = {
    // Codes
    ROW(braid_version, kValue, 0, same(braid_version(), "0.1.0")),
    ROW(braid_code_text, kValue, 0, is(braid_code_text(INT32_MIN) != nullptr && braid_code_text(INT32_MAX) != nullptr)),
    ROW(braid_code_name, kValue, 0, same(braid_code_name(-7), "")),
    ROW(braid_code_name, kValue, 0, same(braid_code_name(BRAID_BUSY), "BRAID_BUSY")),
    // Databases
    ROW(braid_open, kNull, BRAID_INVALID_ARGUMENT, braid_open("x", nullptr, nullptr)),
    ROW(braid_open, kNull, BRAID_INVALID_ARGUMENT, opening(nullptr, nullptr)),
    ROW(braid_open, kValue, BRAID_INVALID_ARGUMENT, opening("", nullptr)),
    ROW(braid_open, kValue, BRAID_INVALID_ARGUMENT, opening((w.folder + "/new").c_str(), "no_such_option=1")),
    ROW(braid_open, kValue, BRAID_INVALID_ARGUMENT, opening((w.folder + "/new").c_str(), "busy_timeout_ms=-5")),
    ROW(braid_open, kState, BRAID_BUSY, opening(w.directory.c_str(), nullptr)),
    ROW(braid_open_watched, kNull, BRAID_INVALID_ARGUMENT, braid_open_watched("x", nullptr, nullptr, nullptr)),
    ROW(braid_open_watched, kNull, BRAID_INVALID_ARGUMENT, opening_watched(nullptr, right<braid_watch>())),
    ROW(braid_open_watched, kState, BRAID_BUSY, opening_watched(w.directory.c_str(), right<braid_watch>())),
    ROW(braid_open_watched, kValue, BRAID_INVALID_ARGUMENT, opening_watched((w.folder + "/new").c_str(), watch_for(-1))),
    ROW(braid_open_watched, kSize, BRAID_INVALID_ARGUMENT, opening_watched((w.folder + "/new").c_str(), small<braid_watch>())),
    ROW(braid_close, kNull, BRAID_OK, braid_close(nullptr)),
    ROW(braid_database_error, kNull, 0, same(braid_database_error(nullptr), "")),
    ROW(braid_database_error, kState, 0, is(braid_sync(w.failed, nullptr) == BRAID_MISUSE && std::strlen(braid_database_error(w.failed)) > 0)),
    ROW(braid_sync, kNull, BRAID_MISUSE, braid_sync(nullptr, &w.lsn)),
    ROW(braid_sync, kNull, BRAID_OK, braid_sync(w.database, nullptr)),
    ROW(braid_sync, kState, BRAID_MISUSE, braid_sync(w.failed, &w.lsn)),
    ROW(braid_checkpoint, kNull, BRAID_MISUSE, braid_checkpoint(nullptr)),
    ROW(braid_checkpoint, kState, BRAID_MISUSE, braid_checkpoint(w.failed)),
    ROW(braid_maintain, kNull, BRAID_MISUSE, braid_maintain(nullptr, 0, &w.lsn)),
    ROW(braid_maintain, kNull, BRAID_OK, braid_maintain(w.database, 0, nullptr)),
    ROW(braid_maintain, kState, BRAID_MISUSE, braid_maintain(w.failed, 0, &w.lsn)),
    ROW(braid_maintain, kValue, BRAID_INVALID_ARGUMENT, braid_maintain(w.database, -1, &w.lsn)),
    ROW(braid_check, kNull, BRAID_MISUSE, braid_check(nullptr, nullptr, nullptr)),
    ROW(braid_check, kNull, BRAID_OK, braid_check(w.database, nullptr, nullptr)),
    ROW(braid_check, kState, BRAID_MISUSE, braid_check(w.failed, nullptr, nullptr)),
    ROW(braid_backup, kNull, BRAID_MISUSE, braid_backup(nullptr, "x", nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_backup, kNull, BRAID_INVALID_ARGUMENT, braid_backup(w.database, nullptr, nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_backup, kState, BRAID_MISUSE, braid_backup(w.failed, "x", nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_backup, kValue, BRAID_INVALID_ARGUMENT, braid_backup(w.database, "", nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_backup, kSize, BRAID_INVALID_ARGUMENT, braid_backup(w.database, (w.folder + "/copy").c_str(), &small<braid_backup_options>(), nullptr, nullptr, nullptr)),
    ROW(braid_backup, kSize, BRAID_INVALID_ARGUMENT, report_of_size(w, sizeof(braid_backup_report) - 1)),
    ROW(braid_restore, kNull, BRAID_INVALID_ARGUMENT, braid_restore("x", "y", nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_restore, kNull, BRAID_INVALID_ARGUMENT, restoring(nullptr, "y", nullptr)),
    ROW(braid_restore, kState, BRAID_BUSY, restoring(w.directory.c_str(), (w.folder + "/restored").c_str(), nullptr)),
    ROW(braid_restore, kValue, BRAID_INVALID_ARGUMENT, restoring("", "y", nullptr)),
    ROW(braid_restore, kSize, BRAID_INVALID_ARGUMENT, restoring(w.directory.c_str(), (w.folder + "/restored").c_str(), &small<braid_restore_options>())),
    ROW(braid_repair, kNull, BRAID_INVALID_ARGUMENT, braid_repair("x", "y", nullptr, nullptr, nullptr)),
    ROW(braid_repair, kNull, BRAID_INVALID_ARGUMENT, repairing("x", nullptr)),
    ROW(braid_repair, kState, BRAID_BUSY, repairing(w.directory.c_str(), (w.folder + "/repaired").c_str())),
    ROW(braid_repair, kValue, BRAID_NOT_FOUND, repairing((w.folder + "/nothing").c_str(), (w.folder + "/repaired").c_str())),
    ROW(braid_repair_watched, kNull, BRAID_INVALID_ARGUMENT, braid_repair_watched("x", "y", nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_repair_watched, kNull, BRAID_INVALID_ARGUMENT, repairing_watched("x", nullptr, right<braid_watch>())),
    ROW(braid_repair_watched, kState, BRAID_BUSY, repairing_watched(w.directory.c_str(), (w.folder + "/repaired").c_str(), right<braid_watch>())),
    ROW(braid_repair_watched, kValue, BRAID_INVALID_ARGUMENT, repairing_watched("x", "y", watch_for(BRAID_TIME_LIMIT_MS_MAX + int64_t{1}))),
    ROW(braid_repair_watched, kSize, BRAID_INVALID_ARGUMENT, repairing_watched("x", "y", small<braid_watch>())),
    ROW(braid_stats, kNull, BRAID_MISUSE, braid_stats(nullptr, ignore_figure, nullptr)),
    ROW(braid_stats, kNull, BRAID_INVALID_ARGUMENT, braid_stats(w.database, nullptr, nullptr)),
    ROW(braid_stats, kState, BRAID_MISUSE, braid_stats(w.failed, ignore_figure, nullptr)),
    ROW(braid_option_at, kNull, BRAID_INVALID_ARGUMENT, braid_option_at(0, nullptr)),
    ROW(braid_option_at, kSize, BRAID_INVALID_ARGUMENT, option_of_size(sizeof(braid_option) - 1)),
    ROW(braid_option_at, kSize, BRAID_OK, option_of_size(sizeof(braid_option))),
    ROW(braid_option_get, kNull, BRAID_MISUSE, braid_option_get(nullptr, "busy_timeout_ms", &w.number)),
    ROW(braid_option_get, kNull, BRAID_INVALID_ARGUMENT, braid_option_get(w.database, nullptr, &w.number)),
    ROW(braid_option_get, kNull, BRAID_INVALID_ARGUMENT, braid_option_get(w.database, "busy_timeout_ms", nullptr)),
    ROW(braid_option_get, kState, BRAID_MISUSE, braid_option_get(w.failed, "busy_timeout_ms", &w.number)),
    ROW(braid_option_get, kValue, BRAID_NOT_FOUND, braid_option_get(w.database, "no_such_option", &w.number)),
    // Cancelling, time limits, progress, log
    ROW(braid_cancel_open, kNull, BRAID_INVALID_ARGUMENT, braid_cancel_open(nullptr)),
    ROW(braid_cancel_close, kNull, 0, (braid_cancel_close(nullptr), nothing())),
    ROW(braid_cancel_set, kNull, BRAID_MISUSE, braid_cancel_set(nullptr)),
    ROW(braid_cancel_reset, kNull, BRAID_MISUSE, braid_cancel_reset(nullptr)),
    ROW(braid_cancel_reset, kState, BRAID_OK, braid_cancel_reset(w.cancel)),
    ROW(braid_cancel_is_set, kNull, 0, braid_cancel_is_set(nullptr)),
    ROW(braid_connection_set_cancel, kNull, BRAID_MISUSE, braid_connection_set_cancel(nullptr, w.cancel)),
    ROW(braid_connection_set_cancel, kNull, BRAID_OK, braid_connection_set_cancel(w.connection, nullptr)),
    ROW(braid_database_set_cancel, kNull, BRAID_MISUSE, braid_database_set_cancel(nullptr, w.cancel)),
    ROW(braid_database_set_cancel, kNull, BRAID_OK, braid_database_set_cancel(w.database, nullptr)),
    ROW(braid_database_set_cancel, kState, BRAID_MISUSE, braid_database_set_cancel(w.failed, w.cancel)),
    ROW(braid_database_set_time_limit, kNull, BRAID_MISUSE, braid_database_set_time_limit(nullptr, 1)),
    ROW(braid_database_set_time_limit, kState, BRAID_MISUSE, braid_database_set_time_limit(w.failed, 1)),
    ROW(braid_database_set_time_limit, kValue, BRAID_INVALID_ARGUMENT, braid_database_set_time_limit(w.database, -1)),
    ROW(braid_database_set_time_limit, kSize, BRAID_INVALID_ARGUMENT, braid_database_set_time_limit(w.database, INT64_MAX)),
    ROW(braid_database_on_progress, kNull, BRAID_MISUSE, braid_database_on_progress(nullptr, go_on, nullptr)),
    ROW(braid_database_on_progress, kNull, BRAID_OK, braid_database_on_progress(w.database, nullptr, nullptr)),
    ROW(braid_database_on_progress, kState, BRAID_MISUSE, braid_database_on_progress(w.failed, go_on, nullptr)),
    ROW(braid_on_progress, kNull, BRAID_MISUSE, braid_on_progress(nullptr, go_on, nullptr)),
    ROW(braid_on_progress, kNull, BRAID_OK, braid_on_progress(w.connection, nullptr, nullptr)),
    ROW(braid_set_time_limit, kNull, BRAID_MISUSE, braid_set_time_limit(nullptr, 1)),
    ROW(braid_set_time_limit, kValue, BRAID_INVALID_ARGUMENT, braid_set_time_limit(w.connection, -1)),
    ROW(braid_set_time_limit, kSize, BRAID_INVALID_ARGUMENT, braid_set_time_limit(w.connection, INT64_MAX)),
    ROW(braid_on_log, kNull, BRAID_OK, braid_on_log(0, nullptr, nullptr)),
    ROW(braid_on_log, kValue, BRAID_INVALID_ARGUMENT, braid_on_log(0, ignore_event, nullptr)),
    ROW(braid_on_log, kValue, BRAID_INVALID_ARGUMENT, braid_on_log(9, ignore_event, nullptr)),
    // Connections
    ROW(braid_connect, kNull, BRAID_MISUSE, braid_connect(nullptr, &w.no_connection)),
    ROW(braid_connect, kNull, BRAID_INVALID_ARGUMENT, braid_connect(w.database, nullptr)),
    ROW(braid_connect, kState, BRAID_MISUSE, braid_connect(w.failed, &w.no_connection)),
    ROW(braid_disconnect, kNull, 0, (braid_disconnect(nullptr), nothing())),
    ROW(braid_connection_error, kNull, 0, same(braid_connection_error(nullptr), "")),
    ROW(braid_connection_error_offset, kNull, -1, static_cast<int32_t>(braid_connection_error_offset(nullptr))),
    ROW(braid_interrupt, kNull, 0, (braid_interrupt(nullptr), nothing())),
    ROW(braid_restrict, kNull, BRAID_MISUSE, braid_restrict(nullptr, 0, 0, 0)),
    ROW(braid_restrict, kState, BRAID_MISUSE, braid_restrict(w.connection, 0, 0, 0)),
    ROW(braid_restrict, kValue, BRAID_INVALID_ARGUMENT, braid_restrict(w.connection, 64, 0, 0)),
    ROW(braid_restrict, kSize, BRAID_INVALID_ARGUMENT, braid_restrict(w.connection, 0, -1, 0)),
    ROW(braid_execute, kNull, BRAID_MISUSE, braid_execute(nullptr, "SELECT 1", kNul)),
    ROW(braid_execute, kNull, BRAID_INVALID_ARGUMENT, braid_execute(w.connection, nullptr, kNul)),
    ROW(braid_execute, kValue, BRAID_SQL, braid_execute(w.connection, "no SQL", kNul)),
    ROW(braid_execute, kSize, BRAID_INVALID_ARGUMENT, braid_execute(w.connection, "SELECT 1", -2)),
    ROW(braid_execute, kSize, BRAID_INVALID_ARGUMENT, braid_execute(w.connection, "SELECT 1\0;", 10)),
    // Transactions
    ROW(braid_set_durability, kNull, BRAID_MISUSE, braid_set_durability(nullptr, BRAID_DURABILITY_FULL)),
    ROW(braid_set_durability, kValue, BRAID_INVALID_ARGUMENT, braid_set_durability(w.connection, 0)),
    ROW(braid_begin, kNull, BRAID_MISUSE, braid_begin(nullptr, BRAID_READ)),
    ROW(braid_begin, kState, BRAID_MISUSE, after_begin(w, [](World& in) { return braid_begin(in.connection, BRAID_READ); })),
    ROW(braid_begin, kValue, BRAID_INVALID_ARGUMENT, braid_begin(w.connection, 77)),
    ROW(braid_commit, kNull, BRAID_MISUSE, braid_commit(nullptr)),
    ROW(braid_commit, kState, BRAID_MISUSE, braid_commit(w.connection)),
    ROW(braid_rollback, kNull, BRAID_MISUSE, braid_rollback(nullptr)),
    ROW(braid_rollback, kState, BRAID_MISUSE, braid_rollback(w.connection)),
    ROW(braid_savepoint, kNull, BRAID_MISUSE, braid_savepoint(nullptr, "s")),
    ROW(braid_savepoint, kNull, BRAID_INVALID_ARGUMENT, braid_savepoint(w.connection, nullptr)),
    ROW(braid_savepoint, kValue, BRAID_INVALID_ARGUMENT, braid_savepoint(w.connection, "a; DROP TABLE t")),
    ROW(braid_release, kNull, BRAID_MISUSE, braid_release(nullptr, "s")),
    ROW(braid_release, kNull, BRAID_INVALID_ARGUMENT, braid_release(w.connection, nullptr)),
    ROW(braid_release, kState, BRAID_NOT_FOUND, braid_release(w.connection, "s")),
    ROW(braid_rollback_to, kNull, BRAID_MISUSE, braid_rollback_to(nullptr, "s")),
    ROW(braid_rollback_to, kNull, BRAID_INVALID_ARGUMENT, braid_rollback_to(w.connection, nullptr)),
    ROW(braid_rollback_to, kState, BRAID_NOT_FOUND, braid_rollback_to(w.connection, "s")),
    ROW(braid_in_transaction, kNull, 0, braid_in_transaction(nullptr)),
    ROW(braid_lsn, kNull, BRAID_MISUSE, braid_lsn(nullptr, &w.lsn)),
    ROW(braid_lsn, kNull, BRAID_INVALID_ARGUMENT, braid_lsn(w.connection, nullptr)),
    // Statements
    ROW(braid_prepare, kNull, BRAID_MISUSE, braid_prepare(nullptr, "SELECT 1", kNul, &w.answer, nullptr)),
    ROW(braid_prepare, kNull, BRAID_INVALID_ARGUMENT, braid_prepare(w.connection, "SELECT 1", kNul, nullptr, nullptr)),
    ROW(braid_prepare, kNull, BRAID_INVALID_ARGUMENT, braid_prepare(w.connection, nullptr, kNul, &w.answer, nullptr)),
    ROW(braid_prepare, kValue, BRAID_SQL, braid_prepare(w.connection, "no SQL", kNul, &w.answer, nullptr)),
    ROW(braid_prepare, kSize, BRAID_INVALID_ARGUMENT, braid_prepare(w.connection, "SELECT 1", -9, &w.answer, nullptr)),
    ROW(braid_statement_close, kNull, 0, (braid_statement_close(nullptr), nothing())),
    ROW(braid_statement_step, kNull, BRAID_MISUSE, braid_statement_step(nullptr)),
    ROW(braid_statement_step, kState, BRAID_MISUSE, braid_statement_step(w.orphan)),
    ROW(braid_statement_reset, kNull, BRAID_MISUSE, braid_statement_reset(nullptr)),
    ROW(braid_statement_reset, kState, BRAID_MISUSE, braid_statement_reset(w.orphan)),
    ROW(braid_statement_reset, kState, BRAID_OK, braid_statement_reset(w.statement)),
    ROW(braid_bind_null, kNull, BRAID_MISUSE, braid_bind_null(nullptr, 1)),
    ROW(braid_bind_null, kState, BRAID_MISUSE, braid_bind_null(w.running, 1)),
    ROW(braid_bind_null, kValue, BRAID_INVALID_ARGUMENT, braid_bind_null(w.statement, 2)),
    ROW(braid_bind_int64, kNull, BRAID_MISUSE, braid_bind_int64(nullptr, 1, 1)),
    ROW(braid_bind_int64, kState, BRAID_MISUSE, braid_bind_int64(w.running, 1, 1)),
    ROW(braid_bind_int64, kValue, BRAID_INVALID_ARGUMENT, braid_bind_int64(w.statement, 0, 1)),
    ROW(braid_bind_double, kNull, BRAID_MISUSE, braid_bind_double(nullptr, 1, 1)),
    ROW(braid_bind_double, kState, BRAID_MISUSE, braid_bind_double(w.orphan, 1, 1)),
    ROW(braid_bind_double, kValue, BRAID_INVALID_ARGUMENT, braid_bind_double(w.statement, -1, 1)),
    ROW(braid_bind_text, kNull, BRAID_MISUSE, braid_bind_text(nullptr, 1, "x", kNul)),
    ROW(braid_bind_text, kNull, BRAID_OK, braid_bind_text(w.statement, 1, nullptr, 5)),
    ROW(braid_bind_text, kState, BRAID_MISUSE, braid_bind_text(w.running, 1, "x", kNul)),
    ROW(braid_bind_text, kSize, BRAID_INVALID_ARGUMENT, braid_bind_text(w.statement, 1, "x", -2)),
    ROW(braid_bind_blob, kNull, BRAID_MISUSE, braid_bind_blob(nullptr, 1, "x", 1)),
    ROW(braid_bind_blob, kNull, BRAID_OK, braid_bind_blob(w.statement, 1, nullptr, 5)),
    ROW(braid_bind_blob, kState, BRAID_MISUSE, braid_bind_blob(w.running, 1, "x", 1)),
    ROW(braid_bind_blob, kSize, BRAID_INVALID_ARGUMENT, braid_bind_blob(w.statement, 1, "x", -1)),
    ROW(braid_parameter_count, kNull, 0, braid_parameter_count(nullptr)),
    ROW(braid_parameter_count, kState, 0, braid_parameter_count(w.orphan)),
    ROW(braid_parameter_index, kNull, 0, braid_parameter_index(nullptr, ":x")),
    ROW(braid_parameter_index, kNull, 0, braid_parameter_index(w.statement, nullptr)),
    ROW(braid_parameter_index, kValue, 0, braid_parameter_index(w.statement, ":none")),
    ROW(braid_column_count, kNull, 0, braid_column_count(nullptr)),
    ROW(braid_column_count, kState, 0, braid_column_count(w.orphan)),
    ROW(braid_column_name, kNull, 0, same(braid_column_name(nullptr, 0), "")),
    ROW(braid_column_name, kValue, 0, same(braid_column_name(w.statement, 99), "")),
    ROW(braid_column_declared_type, kNull, 0, same(braid_column_declared_type(nullptr, 0), "")),
    ROW(braid_column_declared_type, kValue, 0, same(braid_column_declared_type(w.statement, -1), "")),
    ROW(braid_column_type, kNull, BRAID_TYPE_NULL, braid_column_type(nullptr, 0)),
    ROW(braid_column_type, kState, BRAID_TYPE_NULL, braid_column_type(w.statement, 0)),
    ROW(braid_column_type, kValue, BRAID_TYPE_NULL, braid_column_type(w.running, 99)),
    ROW(braid_column_int64, kNull, 0, static_cast<int32_t>(braid_column_int64(nullptr, 0))),
    ROW(braid_column_int64, kState, 0, static_cast<int32_t>(braid_column_int64(w.statement, 0))),
    ROW(braid_column_int64, kValue, 0, static_cast<int32_t>(braid_column_int64(w.running, -1))),
    ROW(braid_column_double, kNull, 0, is(braid_column_double(nullptr, 0) == 0)),
    ROW(braid_column_double, kState, 0, is(braid_column_double(w.statement, 0) == 0)),
    ROW(braid_column_text, kNull, 0, same(braid_column_text(nullptr, 0, &w.number), "")),
    ROW(braid_column_text, kNull, 0, same(braid_column_text(w.running, 0, nullptr), "1")),
    ROW(braid_column_text, kState, 0, same(braid_column_text(w.statement, 0, &w.number), "")),
    ROW(braid_column_blob, kNull, 0, is(braid_column_blob(nullptr, 0, &w.number) != nullptr && w.number == 0)),
    ROW(braid_column_blob, kState, 0, is(braid_column_blob(w.orphan, 0, &w.number) != nullptr && w.number == 0)),
    ROW(braid_statement_writes, kNull, 0, braid_statement_writes(nullptr)),
    ROW(braid_statement_writes, kState, 0, braid_statement_writes(w.orphan)),
    ROW(braid_changes, kNull, 0, static_cast<int32_t>(braid_changes(nullptr))),
    ROW(braid_last_insert_rowid, kNull, 0, static_cast<int32_t>(braid_last_insert_rowid(nullptr))),
    // Rows as columns
    ROW(braid_statement_batch, kNull, BRAID_MISUSE, braid_statement_batch(nullptr, 1, nullptr, &w.array)),
    ROW(braid_statement_batch, kNull, BRAID_INVALID_ARGUMENT, braid_statement_batch(w.statement, 1, nullptr, nullptr)),
    ROW(braid_statement_batch, kState, BRAID_MISUSE, braid_statement_batch(w.running, 1, nullptr, &w.array)),
    ROW(braid_statement_batch, kState, BRAID_MISUSE, braid_statement_batch(w.orphan, 1, nullptr, &w.array)),
    ROW(braid_statement_batch, kSize, BRAID_INVALID_ARGUMENT, braid_statement_batch(w.statement, BRAID_BATCH_ROWS_MAX + 1, nullptr, &w.array)),
    ROW(braid_statement_arrow, kNull, BRAID_MISUSE, braid_statement_arrow(nullptr, nullptr, &w.stream)),
    ROW(braid_statement_arrow, kNull, BRAID_INVALID_ARGUMENT, braid_statement_arrow(w.statement, nullptr, nullptr)),
    ROW(braid_statement_arrow, kState, BRAID_MISUSE, braid_statement_arrow(w.running, nullptr, &w.stream)),
    ROW(braid_statement_arrow, kState, BRAID_MISUSE, braid_statement_arrow(w.orphan, nullptr, &w.stream)),
    ROW(braid_statement_arrow, kValue, BRAID_INVALID_ARGUMENT, with_arrow(w, -1, 0)),
    ROW(braid_statement_arrow, kValue, BRAID_INVALID_ARGUMENT, with_arrow(w, 0, 1)),
    ROW(braid_statement_arrow, kSize, BRAID_INVALID_ARGUMENT, braid_statement_arrow(w.statement, &small<braid_arrow_options>(), &w.stream)),
    // Graph
    ROW(braid_node_create, kNull, BRAID_MISUSE, braid_node_create(nullptr, nullptr, nullptr, &w.number)),
    ROW(braid_node_create, kState, BRAID_READ_ONLY, after_begin(w, [](World& in) { return braid_node_create(in.connection, nullptr, nullptr, &in.number); })),
    ROW(braid_node_create, kValue, BRAID_INVALID_ARGUMENT, braid_node_create(w.connection, "no JSON", nullptr, &w.number)),
    ROW(braid_node_create, kValue, BRAID_INVALID_ARGUMENT, braid_node_create(w.connection, nullptr, "[1]", &w.number)),
    ROW(braid_node_update, kNull, BRAID_MISUSE, braid_node_update(nullptr, 1, nullptr, nullptr)),
    ROW(braid_node_update, kValue, BRAID_INVALID_ARGUMENT, braid_node_update(w.connection, 0, nullptr, nullptr)),
    ROW(braid_node_update, kValue, BRAID_NOT_FOUND, braid_node_update(w.connection, 999, nullptr, nullptr)),
    ROW(braid_node_delete, kNull, BRAID_MISUSE, braid_node_delete(nullptr, 1, BRAID_DETACH)),
    ROW(braid_node_delete, kValue, BRAID_INVALID_ARGUMENT, braid_node_delete(w.connection, w.node, 9)),
    ROW(braid_node_delete, kValue, BRAID_NOT_FOUND, braid_node_delete(w.connection, 999, BRAID_DETACH)),
    ROW(braid_node_find, kNull, BRAID_MISUSE, braid_node_find(nullptr, "a", "b", "1", &w.number)),
    ROW(braid_node_find, kNull, BRAID_INVALID_ARGUMENT, braid_node_find(w.connection, nullptr, "b", "1", &w.number)),
    ROW(braid_node_find, kNull, BRAID_INVALID_ARGUMENT, braid_node_find(w.connection, "a", "b", "1", nullptr)),
    ROW(braid_node_find, kState, BRAID_NOT_FOUND, braid_node_find(w.connection, "a", "b", "1", &w.number)),
    ROW(braid_node_find, kValue, BRAID_INVALID_ARGUMENT, braid_node_find(w.connection, "a", "b", "no JSON", &w.number)),
    ROW(braid_node_read, kNull, BRAID_MISUSE, braid_node_read(nullptr, 1, &w.text, &w.text)),
    ROW(braid_node_read, kNull, BRAID_OK, braid_node_read(w.connection, w.node, nullptr, nullptr)),
    ROW(braid_node_read, kValue, BRAID_INVALID_ARGUMENT, braid_node_read(w.connection, -1, nullptr, nullptr)),
    ROW(braid_edge_create, kNull, BRAID_MISUSE, braid_edge_create(nullptr, 1, "T", 1, nullptr, &w.number)),
    ROW(braid_edge_create, kNull, BRAID_INVALID_ARGUMENT, braid_edge_create(w.connection, 1, nullptr, 1, nullptr, &w.number)),
    ROW(braid_edge_create, kState, BRAID_CONSTRAINT, braid_edge_create(w.connection, w.node, "T", 999, nullptr, &w.number)),
    ROW(braid_edge_create, kValue, BRAID_INVALID_ARGUMENT, braid_edge_create(w.connection, -1, "T", 1, nullptr, &w.number)),
    ROW(braid_nodes_create, kNull, BRAID_MISUSE, braid_nodes_create(nullptr, nullptr, nullptr, 1, &w.number)),
    ROW(braid_nodes_create, kValue, BRAID_INVALID_ARGUMENT, braid_nodes_create(w.connection, "no JSON", nullptr, 1, &w.number)),
    ROW(braid_nodes_create, kSize, BRAID_INVALID_ARGUMENT, braid_nodes_create(w.connection, nullptr, nullptr, 0, &w.number)),
    ROW(braid_nodes_create, kSize, BRAID_INVALID_ARGUMENT, braid_nodes_create(w.connection, nullptr, nullptr, SIZE_MAX, &w.number)),
    ROW(braid_edges_create, kNull, BRAID_MISUSE, braid_edges_create(nullptr, "T", w.ids, w.ids, nullptr, 1, &w.number)),
    ROW(braid_edges_create, kNull, BRAID_INVALID_ARGUMENT, braid_edges_create(w.connection, "T", nullptr, w.ids, nullptr, 1, &w.number)),
    ROW(braid_edges_create, kNull, BRAID_INVALID_ARGUMENT, braid_edges_create(w.connection, nullptr, w.ids, w.ids, nullptr, 1, &w.number)),
    ROW(braid_edges_create, kSize, BRAID_INVALID_ARGUMENT, braid_edges_create(w.connection, "T", w.ids, w.ids, nullptr, 0, &w.number)),
    ROW(braid_edge_update, kNull, BRAID_MISUSE, braid_edge_update(nullptr, 1, "{}")),
    ROW(braid_edge_update, kValue, BRAID_INVALID_ARGUMENT, braid_edge_update(w.connection, 0, "{}")),
    ROW(braid_edge_update, kValue, BRAID_NOT_FOUND, braid_edge_update(w.connection, 999, "{}")),
    ROW(braid_edge_delete, kNull, BRAID_MISUSE, braid_edge_delete(nullptr, 1)),
    ROW(braid_edge_delete, kValue, BRAID_NOT_FOUND, braid_edge_delete(w.connection, 999)),
    ROW(braid_edge_read, kNull, BRAID_MISUSE, braid_edge_read(nullptr, 1, nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_edge_read, kValue, BRAID_NOT_FOUND, braid_edge_read(w.connection, 999, nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_neighbors, kNull, BRAID_MISUSE, braid_neighbors(nullptr, 1, BRAID_OUT, nullptr, nullptr, 0, &w.count)),
    ROW(braid_neighbors, kNull, BRAID_INVALID_ARGUMENT, braid_neighbors(w.connection, w.node, BRAID_OUT, nullptr, nullptr, 0, nullptr)),
    ROW(braid_neighbors, kSize, BRAID_INVALID_ARGUMENT, braid_neighbors(w.connection, w.node, BRAID_OUT, nullptr, nullptr, 5, &w.count)),
    ROW(braid_neighbors, kValue, BRAID_INVALID_ARGUMENT, braid_neighbors(w.connection, w.node, 9, nullptr, nullptr, 0, &w.count)),
    ROW(braid_type_name, kNull, 0, is(braid_type_name(nullptr, 1) == nullptr)),
    ROW(braid_type_name, kValue, 0, is(braid_type_name(w.connection, -5) == nullptr && braid_type_name(w.connection, 12345) == nullptr)),
    ROW(braid_expand, kNull, BRAID_MISUSE, braid_expand(nullptr, 1, nullptr, &w.answer)),
    ROW(braid_expand, kNull, BRAID_INVALID_ARGUMENT, braid_expand(w.connection, 1, nullptr, nullptr)),
    ROW(braid_expand, kNull, BRAID_OK, w.run(braid_expand(w.connection, w.node, nullptr, &w.answer))),
    ROW(braid_expand, kState, BRAID_NOT_FOUND, w.run(braid_expand(w.connection, 999, nullptr, &w.answer))),
    ROW(braid_expand, kValue, BRAID_INVALID_ARGUMENT, w.run(braid_expand(w.connection, -1, nullptr, &w.answer))),
    ROW(braid_expand, kValue, BRAID_INVALID_ARGUMENT, with_expansion(w, w.node, expanding(9, 0, 0, nullptr))),
    ROW(braid_expand, kValue, BRAID_INVALID_ARGUMENT, with_expansion(w, w.node, expanding(0, -1, 0, nullptr))),
    ROW(braid_expand, kValue, BRAID_INVALID_ARGUMENT, with_expansion(w, w.node, expanding(0, 3, 2, nullptr))),
    ROW(braid_expand, kValue, BRAID_INVALID_ARGUMENT, with_expansion(w, w.node, expanding(0, 0, 1, "no JSON"))),
    ROW(braid_expand, kSize, BRAID_INVALID_ARGUMENT, braid_expand(w.connection, w.node, &small<braid_expand_options>(), &w.answer)),
    ROW(braid_shortest_path, kNull, BRAID_MISUSE, braid_shortest_path(nullptr, 1, 1, BRAID_OUT, nullptr, nullptr, nullptr, nullptr, 0, &w.count, nullptr)),
    ROW(braid_shortest_path, kNull, BRAID_INVALID_ARGUMENT, braid_shortest_path(w.connection, 1, 1, BRAID_OUT, nullptr, nullptr, nullptr, nullptr, 0, nullptr, nullptr)),
    ROW(braid_shortest_path, kValue, BRAID_INVALID_ARGUMENT, braid_shortest_path(w.connection, 1, 1, 9, nullptr, nullptr, nullptr, nullptr, 0, &w.count, nullptr)),
    // Projections and algorithms
    ROW(braid_projection_create, kNull, BRAID_MISUSE, braid_projection_create(nullptr, "p", nullptr)),
    ROW(braid_projection_create, kNull, BRAID_INVALID_ARGUMENT, braid_projection_create(w.connection, nullptr, nullptr)),
    ROW(braid_projection_create, kNull, BRAID_OK, braid_projection_create(w.connection, "whole", nullptr)),
    ROW(braid_projection_create, kValue, BRAID_INVALID_ARGUMENT, braid_projection_create(w.connection, "a@b", nullptr)),
    ROW(braid_projection_create, kSize, BRAID_INVALID_ARGUMENT, braid_projection_create(w.connection, "p", &small<braid_projection_options>())),
    ROW(braid_projection_drop, kNull, BRAID_MISUSE, braid_projection_drop(nullptr, "p")),
    ROW(braid_projection_drop, kNull, BRAID_INVALID_ARGUMENT, braid_projection_drop(w.connection, nullptr)),
    ROW(braid_projection_drop, kState, BRAID_NOT_FOUND, braid_projection_drop(w.connection, "none")),
    ROW(braid_projections, kNull, BRAID_MISUSE, braid_projections(nullptr, &w.answer)),
    ROW(braid_projections, kNull, BRAID_INVALID_ARGUMENT, braid_projections(w.connection, nullptr)),
    ROW(braid_projections, kState, BRAID_OK, w.run(braid_projections(w.connection, &w.answer))),
    ROW(braid_projection_open, kNull, BRAID_MISUSE, braid_projection_open(nullptr, nullptr, &w.no_projection)),
    ROW(braid_projection_open, kNull, BRAID_INVALID_ARGUMENT, braid_projection_open(w.connection, nullptr, nullptr)),
    ROW(braid_projection_close, kNull, 0, (braid_projection_close(nullptr), nothing())),
    ROW(braid_projection_size, kNull, BRAID_MISUSE, braid_projection_size(nullptr, nullptr, nullptr, nullptr)),
    ROW(braid_projection_size, kNull, BRAID_OK, braid_projection_size(w.projection, nullptr, nullptr, nullptr)),
    ROW(braid_projection_hops, kNull, BRAID_MISUSE, braid_projection_hops(nullptr, 1, 1, BRAID_OUT, nullptr, 0, &w.count)),
    ROW(braid_projection_hops, kNull, BRAID_INVALID_ARGUMENT, braid_projection_hops(w.projection, w.node, 1, BRAID_OUT, nullptr, 0, nullptr)),
    ROW(braid_projection_hops, kValue, BRAID_NOT_FOUND, braid_projection_hops(w.projection, 999, 1, BRAID_OUT, nullptr, 0, &w.count)),
    ROW(braid_projection_hops, kValue, BRAID_INVALID_ARGUMENT, braid_projection_hops(w.projection, w.node, 1, 9, nullptr, 0, &w.count)),
    ROW(braid_projection_hops, kSize, BRAID_INVALID_ARGUMENT, braid_projection_hops(w.projection, w.node, 1, BRAID_OUT, nullptr, 4, &w.count)),
    ROW(braid_projection_path, kNull, BRAID_MISUSE, braid_projection_path(nullptr, 1, 1, BRAID_OUT, nullptr, nullptr, 0, &w.count)),
    ROW(braid_projection_path, kNull, BRAID_INVALID_ARGUMENT, braid_projection_path(w.projection, w.node, w.node, BRAID_OUT, nullptr, nullptr, 0, nullptr)),
    ROW(braid_projection_path, kValue, BRAID_NOT_FOUND, braid_projection_path(w.projection, 999, w.node, BRAID_OUT, nullptr, nullptr, 0, &w.count)),
    ROW(braid_algorithm, kNull, BRAID_MISUSE, braid_algorithm(nullptr, "pagerank", nullptr, nullptr, &w.answer)),
    ROW(braid_algorithm, kNull, BRAID_INVALID_ARGUMENT, braid_algorithm(w.connection, nullptr, nullptr, nullptr, &w.answer)),
    ROW(braid_algorithm, kNull, BRAID_INVALID_ARGUMENT, braid_algorithm(w.connection, "pagerank", nullptr, nullptr, nullptr)),
    ROW(braid_algorithm, kValue, BRAID_NOT_FOUND, braid_algorithm(w.connection, "no_such", nullptr, nullptr, &w.answer)),
    ROW(braid_algorithm, kValue, BRAID_INVALID_ARGUMENT, braid_algorithm(w.connection, "pagerank", nullptr, "{\"no_such\": 1}", &w.answer)),
    ROW(braid_algorithm_write, kNull, BRAID_MISUSE, braid_algorithm_write(nullptr, "pagerank", nullptr, nullptr, nullptr, "rank", &w.number)),
    ROW(braid_algorithm_write, kNull, BRAID_INVALID_ARGUMENT, braid_algorithm_write(w.connection, "pagerank", nullptr, nullptr, nullptr, nullptr, &w.number)),
    ROW(braid_algorithm_write, kValue, BRAID_NOT_FOUND, braid_algorithm_write(w.connection, "no_such", nullptr, nullptr, nullptr, "rank", &w.number)),
    // Points
    ROW(braid_appender_open, kNull, BRAID_MISUSE, braid_appender_open(nullptr, "m", &w.no_appender)),
    ROW(braid_appender_open, kNull, BRAID_INVALID_ARGUMENT, braid_appender_open(w.connection, "m", nullptr)),
    ROW(braid_appender_open, kNull, BRAID_INVALID_ARGUMENT, braid_appender_open(w.connection, nullptr, &w.no_appender)),
    ROW(braid_appender_series, kNull, BRAID_MISUSE, braid_appender_series(nullptr, nullptr, 0)),
    ROW(braid_appender_series, kNull, BRAID_INVALID_ARGUMENT, braid_appender_series(w.appender, nullptr, 1)),
    ROW(braid_appender_series, kSize, BRAID_INVALID_ARGUMENT, braid_appender_series(w.appender, nullptr, 2)),
    ROW(braid_appender_on_conflict, kNull, BRAID_MISUSE, braid_appender_on_conflict(nullptr, "merge")),
    ROW(braid_appender_on_conflict, kNull, BRAID_OK, braid_appender_on_conflict(w.appender, nullptr)),
    ROW(braid_appender_on_conflict, kValue, BRAID_INVALID_ARGUMENT, braid_appender_on_conflict(w.appender, "no_such")),
    ROW(braid_appender_point, kNull, BRAID_MISUSE, braid_appender_point(nullptr, 1, w.values, nullptr, 2)),
    ROW(braid_appender_point, kNull, BRAID_INVALID_ARGUMENT, braid_appender_point(w.appender, 1, nullptr, nullptr, 2)),
    ROW(braid_appender_point, kState, BRAID_MISUSE, braid_appender_point(w.without_series, 1, w.values, nullptr, 2)),
    ROW(braid_appender_point, kValue, BRAID_INVALID_ARGUMENT, braid_appender_point(w.appender, INT64_MAX, w.values, nullptr, 2)),
    ROW(braid_appender_point, kValue, BRAID_INVALID_ARGUMENT, braid_appender_point(w.appender, 1, w.values, nullptr, 2)),
    ROW(braid_appender_point, kSize, BRAID_INVALID_ARGUMENT, braid_appender_point(w.appender, 1, w.values, nullptr, 1)),
    ROW(braid_appender_columns, kNull, BRAID_MISUSE, braid_appender_columns(nullptr, w.ids, 1, nullptr, 0)),
    ROW(braid_appender_columns, kNull, BRAID_INVALID_ARGUMENT, braid_appender_columns(w.appender, w.ids, 1, nullptr, 2)),
    ROW(braid_appender_columns, kState, BRAID_MISUSE, braid_appender_columns(w.without_series, w.ids, 1, nullptr, 2)),
    ROW(braid_appender_columns, kValue, BRAID_INVALID_ARGUMENT, with_column(w, {sizeof(braid_column), BRAID_TYPE_TEXT, w.values, nullptr}, 2)),
    ROW(braid_appender_columns, kSize, BRAID_INVALID_ARGUMENT, with_column(w, {sizeof(braid_column) - 1, BRAID_TYPE_DOUBLE, w.values, nullptr}, 2)),
    ROW(braid_appender_columns, kSize, BRAID_INVALID_ARGUMENT, with_column(w, {sizeof(braid_column), BRAID_TYPE_DOUBLE, w.values, nullptr}, 1)),
    ROW(braid_appender_flush, kNull, BRAID_MISUSE, braid_appender_flush(nullptr)),
    ROW(braid_appender_flush, kState, BRAID_OK, braid_appender_flush(w.without_series)),
    ROW(braid_appender_discard, kNull, BRAID_MISUSE, braid_appender_discard(nullptr)),
    ROW(braid_appender_discard, kState, BRAID_OK, braid_appender_discard(w.orphan_appender)),
    ROW(braid_appender_close, kNull, BRAID_OK, braid_appender_close(nullptr)),
    // Rollups
    ROW(braid_rollup, kNull, BRAID_MISUSE, braid_rollup(nullptr, "m", nullptr, &w.answer)),
    ROW(braid_rollup, kNull, BRAID_INVALID_ARGUMENT, braid_rollup(w.connection, "m", nullptr, &w.answer)),
    ROW(braid_rollup, kNull, BRAID_INVALID_ARGUMENT, with_rollup(w, nullptr, rolling("1 hour", 0, 0))),
    ROW(braid_rollup, kNull, BRAID_INVALID_ARGUMENT, with_rollup(w, "m", rolling(nullptr, 0, 0))),
    ROW(braid_rollup, kState, BRAID_NOT_FOUND, with_rollup(w, "none", rolling("1 hour", 0, 0))),
    ROW(braid_rollup, kValue, BRAID_INVALID_ARGUMENT, with_rollup(w, "m", rolling("no width", 0, 0))),
    ROW(braid_rollup, kValue, BRAID_INVALID_ARGUMENT, with_rollup(w, "m", rolling("1 hour", 5, 4))),
    ROW(braid_rollup, kSize, BRAID_INVALID_ARGUMENT, braid_rollup(w.connection, "m", &small<braid_rollup_options>(), &w.answer)),
    ROW(braid_last_points, kNull, BRAID_MISUSE, braid_last_points(nullptr, "m", nullptr, 0, &w.answer)),
    ROW(braid_last_points, kNull, BRAID_INVALID_ARGUMENT, braid_last_points(w.connection, nullptr, nullptr, 0, &w.answer)),
    ROW(braid_last_points, kNull, BRAID_INVALID_ARGUMENT, braid_last_points(w.connection, "m", nullptr, 1, &w.answer)),
    ROW(braid_last_points, kState, BRAID_NOT_FOUND, braid_last_points(w.connection, "none", nullptr, 0, &w.answer)),
    ROW(braid_last_points, kSize, BRAID_INVALID_ARGUMENT, braid_last_points(w.connection, "m", &w.text, 2, &w.answer)),
    // Batches
    ROW(braid_batch_open, kNull, BRAID_INVALID_ARGUMENT, braid_batch_open(w.database, nullptr)),
    ROW(braid_batch_open, kState, BRAID_MISUSE, braid_batch_open(w.failed, &w.no_batch)),
    ROW(braid_batch_close, kNull, 0, (braid_batch_close(nullptr), nothing())),
    ROW(braid_batch_error, kNull, 0, same(braid_batch_error(nullptr), "")),
    ROW(braid_batch_execute, kNull, BRAID_MISUSE, braid_batch_execute(nullptr, "SELECT 1", kNul, nullptr, 0)),
    ROW(braid_batch_execute, kNull, BRAID_INVALID_ARGUMENT, braid_batch_execute(w.batch, nullptr, kNul, nullptr, 0)),
    ROW(braid_batch_execute, kValue, BRAID_INVALID_ARGUMENT, batch_value(w, 99, nullptr, 0)),
    ROW(braid_batch_execute, kSize, BRAID_INVALID_ARGUMENT, batch_value(w, BRAID_TYPE_BLOB, "x", -1)),
    ROW(braid_batch_execute, kSize, BRAID_INVALID_ARGUMENT, braid_batch_execute(w.batch, "SELECT ?1", kNul, nullptr, 1)),
    ROW(braid_batch_edge, kNull, BRAID_MISUSE, braid_batch_edge(nullptr, 1, "T", 1, nullptr)),
    ROW(braid_batch_edge, kNull, BRAID_INVALID_ARGUMENT, braid_batch_edge(w.batch, 1, nullptr, 1, nullptr)),
    ROW(braid_batch_edge, kValue, BRAID_INVALID_ARGUMENT, braid_batch_edge(w.batch, 0, "T", 1, nullptr)),
    ROW(braid_batch_node, kNull, BRAID_MISUSE, braid_batch_node(nullptr, nullptr, nullptr)),
    ROW(braid_batch_points, kNull, BRAID_MISUSE, braid_batch_points(nullptr, "m", nullptr, 0, w.ids, 1, nullptr, 0)),
    ROW(braid_batch_points, kNull, BRAID_INVALID_ARGUMENT, braid_batch_points(w.batch, nullptr, nullptr, 0, w.ids, 1, nullptr, 0)),
    ROW(braid_batch_points, kNull, BRAID_INVALID_ARGUMENT, braid_batch_points(w.batch, "m", nullptr, 1, w.ids, 1, nullptr, 0)),
    ROW(braid_batch_points, kState, BRAID_NOT_FOUND, braid_batch_points(w.batch, "none", nullptr, 0, w.ids, 1, nullptr, 0)),
    ROW(braid_batch_set_durability, kNull, BRAID_MISUSE, braid_batch_set_durability(nullptr, BRAID_DURABILITY_FULL)),
    ROW(braid_batch_set_durability, kValue, BRAID_INVALID_ARGUMENT, braid_batch_set_durability(w.batch, 3)),
    ROW(braid_batch_commit, kNull, BRAID_MISUSE, braid_batch_commit(nullptr, &w.lsn)),
    ROW(braid_batch_commit, kState, BRAID_OK, braid_batch_commit(w.batch, nullptr)),
    ROW(braid_feed_open, kNull, BRAID_MISUSE, braid_feed_open(nullptr, nullptr, &w.no_feed)),
    ROW(braid_feed_open, kNull, BRAID_INVALID_ARGUMENT, braid_feed_open(w.database, nullptr, nullptr)),
    ROW(braid_feed_open, kState, BRAID_MISUSE, braid_feed_open(w.failed, nullptr, &w.no_feed)),
    ROW(braid_feed_open, kValue, BRAID_INVALID_ARGUMENT, feed_of(w, models(8))),
    ROW(braid_feed_open, kSize, BRAID_INVALID_ARGUMENT, feed_of(w, small<braid_feed_options>())),
    ROW(braid_feed_next, kNull, BRAID_MISUSE, braid_feed_next(nullptr, 0, &w.text, &w.count)),
    ROW(braid_feed_next, kNull, BRAID_INVALID_ARGUMENT, braid_feed_next(w.feed, 0, nullptr, &w.count)),
    ROW(braid_feed_next, kState, BRAID_INTERRUPTED, braid_feed_next(w.cancelled_feed, -1, &w.text, nullptr)),
    ROW(braid_feed_next, kValue, BRAID_INVALID_ARGUMENT, braid_feed_next(w.feed, -2, &w.text, nullptr)),
    ROW(braid_feed_next, kValue, BRAID_INVALID_ARGUMENT, braid_feed_next(w.feed, INT64_MAX, &w.text, nullptr)),
    ROW(braid_feed_cancel, kNull, 0, (braid_feed_cancel(nullptr), nothing())),
    ROW(braid_feed_error, kNull, 0, same(braid_feed_error(nullptr), "")),
    ROW(braid_feed_close, kNull, 0, (braid_feed_close(nullptr), nothing())),
};

const char* name_of(Wrong what) {
  switch (what) {
    case Wrong::kNull: return "NULL";
    case Wrong::kState: return "wrong state";
    case Wrong::kValue: return "wrong value";
    case Wrong::kSize: return "wrong size";
  }
  return "";
}

/// Rows that went wrong, each of them told.
int run_rows(const std::string& folder) {
  int failures = 0;
  World world(folder);
  for (const Row& row : kRows) {
    const int32_t code = row.call(world);
    if (code == row.expected) continue;
    ++failures;
    std::fprintf(stderr, "%s with %s: %d (%s) was answered, %d expected; \"%s\"\n", row.function, name_of(row.what), code, braid_code_name(code), row.expected,
                 braid_connection_error(world.connection));
  }
  // What was called wrongly goes on.
  int64_t made = 0;
  if (braid_execute(world.connection, "INSERT INTO t VALUES(3)", kNul) != BRAID_OK || braid_node_create(world.connection, nullptr, nullptr, &made) != BRAID_OK ||
      braid_check(world.database, nullptr, nullptr) != BRAID_OK) {
    ++failures;
    std::fprintf(stderr, "afterwards: %s\n", braid_connection_error(world.connection));
  }
  return failures;
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "--list") {
    std::set<std::string> names;
    for (const Row& row : kRows) names.insert(row.function);
    for (const std::string& name : names) std::printf("%s\n", name.c_str());
    return 0;
  }
  const braid::TempDir folder;
  const int failures = run_rows(folder.path());
  std::printf("%zu calls, %d failures\n", std::size(kRows), failures);
  return failures == 0 ? 0 : 1;
}
