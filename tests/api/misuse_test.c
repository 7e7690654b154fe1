/* The C API called wrongly, from C: codes, never a crash. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/braid.h"

static int failures = 0;

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

#define NUL BRAID_NUL_TERMINATED

static void ignore_problem(void* context, const char* problem) {
  (void)context;
  (void)problem;
}
static void ignore_figure(void* context, const braid_figure* figure) {
  (void)context;
  (void)figure;
}

static void null_handles_are_misuse(void) {
  braid_database* database = NULL;
  braid_connection* connection = NULL;
  braid_statement* statement = NULL;
  braid_batch* batch = NULL;
  braid_appender* appender = NULL;
  int64_t id = 0;
  uint64_t lsn = 0;
  size_t count = 0;
  const char* text = NULL;
  braid_option option = {.size_bytes = sizeof option};

  CHECK(braid_open("x", NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_close(NULL) == BRAID_OK);
  CHECK(strcmp(braid_database_error(NULL), "") == 0);
  CHECK(braid_checkpoint(NULL) == BRAID_MISUSE);
  CHECK(braid_maintain(NULL, 0, &lsn) == BRAID_MISUSE);
  CHECK(braid_sync(NULL, &lsn) == BRAID_MISUSE);
  CHECK(braid_set_durability(NULL, BRAID_DURABILITY_RELAXED) == BRAID_MISUSE);
  CHECK(braid_batch_set_durability(NULL, BRAID_DURABILITY_RELAXED) == BRAID_MISUSE);
  CHECK(braid_check(NULL, ignore_problem, NULL) == BRAID_MISUSE);
  CHECK(braid_stats(NULL, ignore_figure, NULL) == BRAID_MISUSE);
  CHECK(braid_backup(NULL, "x", NULL, NULL, NULL, NULL) == BRAID_MISUSE);
  CHECK(braid_repair("x", "y", NULL, NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_restore("x", "y", NULL, NULL, NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_option_at(0, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_option_at(SIZE_MAX, &option) == BRAID_NOT_FOUND);
  option.size_bytes = 3;
  CHECK(braid_option_at(0, &option) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_option_get(NULL, "busy_timeout_ms", &id) == BRAID_MISUSE);
  CHECK(braid_connect(NULL, &connection) == BRAID_MISUSE);
  CHECK(connection == NULL);
  CHECK(braid_batch_open(database, &batch) == BRAID_MISUSE);

  braid_disconnect(NULL);
  CHECK(strcmp(braid_connection_error(NULL), "") == 0);
  CHECK(braid_connection_error_offset(NULL) == -1);
  braid_interrupt(NULL);
  CHECK(braid_execute(NULL, "SELECT 1", NUL) == BRAID_MISUSE);
  CHECK(braid_begin(NULL, BRAID_READ) == BRAID_MISUSE);
  CHECK(braid_commit(NULL) == BRAID_MISUSE);
  CHECK(braid_rollback(NULL) == BRAID_MISUSE);
  CHECK(braid_savepoint(NULL, "s") == BRAID_MISUSE);
  CHECK(braid_release(NULL, "s") == BRAID_MISUSE);
  CHECK(braid_rollback_to(NULL, "s") == BRAID_MISUSE);
  CHECK(braid_in_transaction(NULL) == 0);
  CHECK(braid_lsn(NULL, &lsn) == BRAID_MISUSE);
  CHECK(braid_changes(NULL) == 0);
  CHECK(braid_last_insert_rowid(NULL) == 0);
  CHECK(braid_prepare(NULL, "SELECT 1", NUL, &statement, NULL) == BRAID_MISUSE);

  braid_statement_close(NULL);
  CHECK(braid_statement_step(NULL) == BRAID_MISUSE);
  CHECK(braid_statement_reset(NULL) == BRAID_MISUSE);
  CHECK(braid_bind_null(NULL, 1) == BRAID_MISUSE);
  CHECK(braid_bind_int64(NULL, 1, 1) == BRAID_MISUSE);
  CHECK(braid_bind_double(NULL, 1, 1) == BRAID_MISUSE);
  CHECK(braid_bind_text(NULL, 1, "x", NUL) == BRAID_MISUSE);
  CHECK(braid_bind_blob(NULL, 1, "x", 1) == BRAID_MISUSE);
  CHECK(braid_bind_blob(NULL, 1, "x", -1) == BRAID_MISUSE);
  CHECK(braid_parameter_count(NULL) == 0);
  CHECK(braid_parameter_index(NULL, ":x") == 0);
  CHECK(braid_column_count(NULL) == 0);
  CHECK(strcmp(braid_column_name(NULL, 0), "") == 0);
  CHECK(strcmp(braid_column_declared_type(NULL, 0), "") == 0);
  CHECK(braid_column_type(NULL, 0) == BRAID_TYPE_NULL);
  CHECK(braid_column_int64(NULL, 0) == 0);
  CHECK(braid_column_double(NULL, 0) == 0);
  CHECK(strcmp(braid_column_text(NULL, 0, &id), "") == 0 && id == 0);
  CHECK(braid_column_blob(NULL, 0, &id) != NULL && id == 0);
  CHECK(braid_statement_writes(NULL) == 0);

  CHECK(braid_node_create(NULL, NULL, NULL, &id) == BRAID_MISUSE);
  CHECK(braid_node_update(NULL, 1, NULL, NULL) == BRAID_MISUSE);
  CHECK(braid_node_delete(NULL, 1, BRAID_DETACH) == BRAID_MISUSE);
  CHECK(braid_node_find(NULL, "a", "b", "1", &id) == BRAID_MISUSE);
  CHECK(braid_node_read(NULL, 1, &text, &text) == BRAID_MISUSE);
  CHECK(braid_edge_create(NULL, 1, "T", 1, NULL, &id) == BRAID_MISUSE);
  CHECK(braid_edge_update(NULL, 1, NULL) == BRAID_MISUSE);
  CHECK(braid_edge_delete(NULL, 1) == BRAID_MISUSE);
  CHECK(braid_edge_read(NULL, 1, NULL, NULL, NULL, NULL) == BRAID_MISUSE);
  CHECK(braid_neighbors(NULL, 1, BRAID_OUT, NULL, NULL, 0, &count) == BRAID_MISUSE);
  CHECK(braid_type_name(NULL, 1) == NULL);
  CHECK(braid_shortest_path(NULL, 1, 1, BRAID_OUT, NULL, NULL, NULL, NULL, 0, &count, NULL) == BRAID_MISUSE);

  CHECK(braid_appender_open(NULL, "m", &appender) == BRAID_MISUSE);
  CHECK(braid_appender_series(NULL, NULL, 0) == BRAID_MISUSE);
  CHECK(braid_appender_on_conflict(NULL, "merge") == BRAID_MISUSE);
  CHECK(braid_appender_point(NULL, 0, NULL, NULL, 0) == BRAID_MISUSE);
  CHECK(braid_appender_columns(NULL, NULL, 0, NULL, 0) == BRAID_MISUSE);
  CHECK(braid_appender_flush(NULL) == BRAID_MISUSE);
  CHECK(braid_appender_discard(NULL) == BRAID_MISUSE);
  CHECK(braid_appender_close(NULL) == BRAID_OK);

  braid_batch_close(NULL);
  CHECK(strcmp(braid_batch_error(NULL), "") == 0);
  CHECK(braid_batch_execute(NULL, "SELECT 1", NUL, NULL, 0) == BRAID_MISUSE);
  CHECK(braid_batch_edge(NULL, 1, "T", 1, NULL) == BRAID_MISUSE);
  CHECK(braid_batch_node(NULL, NULL, NULL) == BRAID_MISUSE);
  CHECK(braid_batch_points(NULL, "m", NULL, 0, NULL, 0, NULL, 0) == BRAID_MISUSE);
  CHECK(braid_batch_commit(NULL, &lsn) == BRAID_MISUSE);

  CHECK(strcmp(braid_version(), "0.1.0") == 0);
  for (int32_t code = -2; code < 110; ++code) CHECK(braid_code_text(code) != NULL);
  CHECK(braid_code_text(INT32_MAX) != NULL);
  CHECK(braid_code_text(INT32_MIN) != NULL);
}

static void null_arguments_are_named(const char* directory) {
  braid_database* database = NULL;
  braid_connection* connection = NULL;
  braid_statement* statement = NULL;
  braid_batch* batch = NULL;
  braid_appender* appender = NULL;
  int64_t id = 0;
  CHECK(braid_open(NULL, NULL, &database) == BRAID_INVALID_ARGUMENT);
  CHECK(database == NULL || strstr(braid_database_error(database), "directory") != NULL);
  CHECK(braid_connect(database, &connection) == BRAID_MISUSE);
  CHECK(braid_check(database, NULL, NULL) == BRAID_MISUSE);
  CHECK(braid_checkpoint(database) == BRAID_MISUSE);
  CHECK(braid_sync(database, NULL) == BRAID_MISUSE);
  CHECK(braid_batch_open(database, &batch) == BRAID_MISUSE);
  CHECK(braid_close(database) == BRAID_OK);
  CHECK(braid_open("", NULL, &database) == BRAID_INVALID_ARGUMENT);
  braid_close(database);
  CHECK(braid_open(directory, "nonsense=1", &database) == BRAID_INVALID_ARGUMENT);
  CHECK(strstr(braid_database_error(database), "busy_timeout_ms") != NULL);
  braid_close(database);

  CHECK(braid_open(directory, NULL, &database) == BRAID_OK);
  CHECK(braid_connect(database, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_open(database, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_stats(database, NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_option_get(database, NULL, &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_option_get(database, "busy_timeout_ms", NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_option_get(database, "nonsense", &id) == BRAID_NOT_FOUND);
  CHECK(braid_check(database, NULL, NULL) == BRAID_OK);
  CHECK(braid_sync(database, NULL) == BRAID_OK);
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  CHECK(braid_set_durability(connection, 0) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_execute(connection, NULL, 0) == BRAID_INVALID_ARGUMENT);
  CHECK(strstr(braid_connection_error(connection), "sql") != NULL);
  CHECK(braid_execute(connection, "SELECT 1", -2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_execute(connection, "SELECT 1 nonsense beyond the length given", 8) == BRAID_OK);
  CHECK(braid_prepare(connection, NULL, NUL, &statement, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_prepare(connection, "SELECT 1", NUL, NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_prepare(connection, " -- nothing\n ", NUL, &statement, NULL) == BRAID_OK && statement == NULL);
  CHECK(braid_prepare(connection, "", NUL, &statement, &id) == BRAID_OK && statement == NULL && id == 0);
  CHECK(braid_lsn(connection, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_savepoint(connection, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_savepoint(connection, "a; DROP TABLE t") == BRAID_INVALID_ARGUMENT);
  CHECK(braid_savepoint(connection, "_braid_x") == BRAID_INVALID_ARGUMENT);
  CHECK(braid_release(connection, "none") == BRAID_NOT_FOUND);
  CHECK(braid_rollback_to(connection, "none") == BRAID_NOT_FOUND);
  CHECK(braid_begin(connection, 77) != BRAID_OK);
  CHECK(braid_in_transaction(connection) == 0);
  CHECK(braid_node_find(connection, NULL, "b", "1", &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_find(connection, "a", NULL, "1", &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_find(connection, "a", "b", NULL, &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_find(connection, "a", "b", "pump-7", &id) == BRAID_INVALID_ARGUMENT);
  CHECK(strstr(braid_connection_error(connection), "with the quotes") != NULL);
  CHECK(braid_node_find(connection, "a", "b", "1", NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_find(connection, "a", "b", "1", &id) == BRAID_NOT_FOUND);
  CHECK(braid_node_create(connection, "no json", NULL, &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_create(connection, NULL, "[1]", &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_read(connection, -1, NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_read(connection, INT64_MAX, NULL, NULL) == BRAID_NOT_FOUND);
  CHECK(braid_node_update(connection, 0, NULL, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_update(connection, 5, NULL, NULL) == BRAID_NOT_FOUND);
  CHECK(braid_node_delete(connection, 5, 9) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_node_delete(connection, 5, BRAID_RESTRICT) == BRAID_NOT_FOUND);
  CHECK(braid_edge_create(connection, 1, NULL, 2, NULL, &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_edge_create(connection, 1, "T", 2, NULL, &id) == BRAID_CONSTRAINT);
  CHECK(braid_edge_create(connection, -1, "T", 2, NULL, &id) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_edge_read(connection, 7, NULL, NULL, NULL, NULL) == BRAID_NOT_FOUND);
  CHECK(braid_edge_update(connection, 7, "{}") == BRAID_NOT_FOUND);
  CHECK(braid_edge_delete(connection, 7) == BRAID_NOT_FOUND);
  size_t count = 0;
  CHECK(braid_neighbors(connection, 1, BRAID_OUT, NULL, NULL, 10, &count) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_neighbors(connection, 1, BRAID_OUT, NULL, NULL, 0, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_neighbors(connection, 1, 9, NULL, NULL, 0, &count) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_neighbors(connection, 1, BRAID_OUT, NULL, NULL, 0, &count) == BRAID_NOT_FOUND);
  CHECK(braid_type_name(connection, -5) == NULL);
  CHECK(braid_type_name(connection, 123456) == NULL);
  CHECK(braid_appender_open(connection, NULL, &appender) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_open(connection, "none", NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_open(connection, "none", &appender) == BRAID_NOT_FOUND && appender == NULL);

  CHECK(braid_execute(connection, "CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, t TEXT)", NUL) == BRAID_OK);
  CHECK(braid_appender_open(connection, "m", &appender) == BRAID_OK);
  const double values[2] = {1, 2};
  const char* tags[1] = {"h"};
  CHECK(braid_appender_point(appender, 1, values, NULL, 2) == BRAID_MISUSE);
  CHECK(braid_appender_series(appender, tags, 2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_series(appender, NULL, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_series(appender, tags, 1) == BRAID_OK);
  CHECK(braid_appender_point(appender, 1, values, NULL, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_point(appender, 1, NULL, NULL, 2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_point(appender, 1, values, NULL, 2) == BRAID_INVALID_ARGUMENT);
  const int64_t times[1] = {1};
  braid_column columns[2] = {{0, BRAID_TYPE_DOUBLE, values, NULL}, {sizeof(braid_column), BRAID_TYPE_TEXT, tags, NULL}};
  CHECK(braid_appender_columns(appender, times, 1, columns, 2) == BRAID_INVALID_ARGUMENT);
  columns[0].size_bytes = sizeof(braid_column);
  columns[0].type = BRAID_TYPE_TEXT;
  CHECK(braid_appender_columns(appender, times, 1, columns, 2) == BRAID_INVALID_ARGUMENT);
  columns[0].type = BRAID_TYPE_DOUBLE;
  CHECK(braid_appender_columns(appender, NULL, 1, columns, 2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_columns(appender, times, 1, NULL, 2) == BRAID_INVALID_ARGUMENT);
  const int64_t wrong_times[2] = {1, INT64_MAX};
  CHECK(braid_appender_columns(appender, &wrong_times[1], 1, columns, 2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_columns(appender, times, 1, columns, 2) == BRAID_OK);
  CHECK(braid_appender_close(appender) == BRAID_OK);

  CHECK(braid_batch_open(database, &batch) == BRAID_OK);
  CHECK(braid_batch_execute(batch, NULL, NUL, NULL, 0) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_execute(batch, "SELECT ?", NUL, NULL, 1) == BRAID_INVALID_ARGUMENT);
  const braid_value wrong = {.type = 99};
  CHECK(braid_batch_execute(batch, "SELECT ?", NUL, &wrong, 1) == BRAID_INVALID_ARGUMENT);
  const braid_value negative = {.type = BRAID_TYPE_BLOB, .data = "x", .size = -1};
  CHECK(braid_batch_execute(batch, "SELECT ?", NUL, &negative, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_edge(batch, 0, "T", 1, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_edge(batch, 1, NULL, 1, NULL) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_points(batch, NULL, NULL, 0, times, 1, columns, 2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_points(batch, "none", NULL, 0, times, 1, columns, 2) == BRAID_NOT_FOUND);
  CHECK(braid_batch_points(batch, "m", NULL, 1, times, 1, columns, 2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_commit(batch, NULL) == BRAID_OK);
  braid_batch_close(batch);
  braid_disconnect(connection);
  CHECK(braid_close(database) == BRAID_OK);
}

static void statements_are_used_out_of_order(braid_database* database) {
  braid_connection* connection = NULL;
  braid_statement* statement = NULL;
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  CHECK(braid_commit(connection) == BRAID_MISUSE);
  CHECK(braid_rollback(connection) == BRAID_MISUSE);
  CHECK(braid_begin(connection, BRAID_WRITE) == BRAID_OK);
  CHECK(braid_begin(connection, BRAID_READ) == BRAID_MISUSE);
  CHECK(braid_rollback(connection) == BRAID_OK);

  CHECK(braid_execute(connection, "CREATE TABLE t(x)", NUL) == BRAID_OK);
  CHECK(braid_prepare(connection, "INSERT INTO t VALUES(?1), (:named)", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_parameter_count(statement) == 2);
  CHECK(braid_parameter_index(statement, ":named") == 2);
  CHECK(braid_parameter_index(statement, "none") == 0);
  CHECK(braid_bind_int64(statement, 0, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_bind_int64(statement, 3, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_bind_int64(statement, -1, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_bind_text(statement, 1, NULL, 5) == BRAID_OK);
  CHECK(braid_bind_blob(statement, 2, NULL, 0) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_DONE);
  CHECK(braid_statement_step(statement) == BRAID_DONE); /* after done it runs again */
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  braid_statement_close(statement);

  CHECK(braid_prepare(connection, "SELECT x, ?1 FROM t", NUL, &statement, NULL) == BRAID_OK);
  CHECK(strcmp(braid_column_text(statement, 0, NULL), "") == 0);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_bind_int64(statement, 1, 1) == BRAID_MISUSE);
  CHECK(braid_column_type(statement, -1) == BRAID_TYPE_NULL);
  CHECK(braid_column_type(statement, 2) == BRAID_TYPE_NULL);
  CHECK(braid_column_int64(statement, 99) == 0);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  CHECK(braid_bind_int64(statement, 1, 7) == BRAID_OK);
  int rows = 0;
  while (braid_statement_step(statement) == BRAID_ROW) {
    ++rows;
    CHECK(braid_column_int64(statement, 1) == 7);
  }
  CHECK(rows == 4);
  CHECK(braid_column_type(statement, 1) == BRAID_TYPE_NULL); /* no row any more */
  braid_statement_close(statement);

  /* After an error the statement, the transaction and the connection can be used. */
  CHECK(braid_prepare(connection, "SELECT abs(-9223372036854775807 - 1)", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_SQL);
  CHECK(braid_connection_error(connection)[0] != '\0');
  CHECK(braid_statement_step(statement) == BRAID_SQL);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  braid_statement_close(statement);
  CHECK(braid_execute(connection, "SELECT 1; SELEC 2", NUL) == BRAID_SQL);
  CHECK(braid_connection_error_offset(connection) >= 9);
  CHECK(braid_execute(connection, "SELECT 1", NUL) == BRAID_OK);

  /* COMMIT while a SELECT of the connection runs, and closing a running statement. */
  CHECK(braid_begin(connection, BRAID_WRITE) == BRAID_OK);
  CHECK(braid_prepare(connection, "SELECT x FROM t", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_execute(connection, "INSERT INTO t VALUES(1)", NUL) == BRAID_OK);
  CHECK(braid_commit(connection) == BRAID_OK);
  braid_statement_close(statement);

  /* A statement outlives its connection as an empty handle. */
  CHECK(braid_prepare(connection, "SELECT x FROM t", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_begin(connection, BRAID_WRITE) != BRAID_INTERNAL);
  braid_appender* appender = NULL;
  CHECK(braid_execute(connection, "ROLLBACK", NUL) != BRAID_INTERNAL);
  CHECK(braid_execute(connection, "CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, v DOUBLE)", NUL) != BRAID_INTERNAL);
  braid_statement_reset(statement);
  braid_execute(connection, "CREATE VIRTUAL TABLE IF NOT EXISTS m USING hypertable(time TIMESTAMP, v DOUBLE)", NUL);
  CHECK(braid_appender_open(connection, "m", &appender) == BRAID_OK);
  const double value = 1;
  CHECK(braid_appender_point(appender, 1, &value, NULL, 1) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  braid_disconnect(connection);
  CHECK(braid_statement_step(statement) == BRAID_MISUSE);
  CHECK(braid_statement_reset(statement) == BRAID_MISUSE);
  CHECK(braid_bind_null(statement, 1) == BRAID_MISUSE);
  CHECK(braid_column_count(statement) == 0);
  CHECK(braid_column_int64(statement, 0) == 0);
  CHECK(strcmp(braid_column_name(statement, 0), "") == 0);
  CHECK(braid_statement_writes(statement) == 0);
  braid_statement_close(statement);
  CHECK(braid_appender_point(appender, 2, &value, NULL, 1) == BRAID_MISUSE);
  CHECK(braid_appender_flush(appender) == BRAID_MISUSE);
  CHECK(braid_appender_close(appender) == BRAID_MISUSE);
}

static int64_t number_of(braid_connection* connection, const char* sql) {
  braid_statement* statement = NULL;
  int64_t number = -1;
  CHECK(braid_prepare(connection, sql, NUL, &statement, NULL) == BRAID_OK);
  if (braid_statement_step(statement) == BRAID_ROW) number = braid_column_int64(statement, 0);
  braid_statement_close(statement);
  return number;
}

/* A point that cannot be written is refused when it is added, or can be dropped, so that it keeps no other from being written. */
static void a_bad_point_is_not_in_the_way_of_good_ones(braid_database* database) {
  braid_connection* connection = NULL;
  braid_appender* appender = NULL;
  const double value = 1;
  const char* good[1] = {"7"};
  const char* bad[1] = {"x"};
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  CHECK(braid_execute(connection, "CREATE VIRTUAL TABLE way USING hypertable(time TIMESTAMP, rack INTEGER TAG, v DOUBLE, on_conflict='error')", NUL) == BRAID_OK);
  CHECK(braid_appender_open(connection, "way", &appender) == BRAID_OK);
  CHECK(braid_appender_series(appender, good, 1) == BRAID_OK);
  CHECK(braid_appender_point(appender, 1, &value, NULL, 1) == BRAID_OK);
  CHECK(braid_appender_point(appender, INT64_MAX, &value, NULL, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(strstr(braid_connection_error(connection), "9223372036854775807") != NULL);
  CHECK(braid_appender_point(appender, INT64_MIN, &value, NULL, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_series(appender, bad, 1) == BRAID_CONSTRAINT);
  CHECK(strstr(braid_connection_error(connection), "'x'") != NULL);
  CHECK(braid_appender_point(appender, 2, &value, NULL, 1) == BRAID_OK); /* of the series set before */
  CHECK(braid_appender_flush(appender) == BRAID_OK);
  CHECK(number_of(connection, "SELECT count(*) FROM way WHERE rack = 7") == 2);

  CHECK(braid_appender_point(appender, 2, &value, NULL, 1) == BRAID_OK);
  CHECK(braid_appender_flush(appender) == BRAID_CONSTRAINT);
  CHECK(braid_appender_flush(appender) == BRAID_CONSTRAINT);
  CHECK(braid_appender_discard(appender) == BRAID_OK);
  CHECK(braid_appender_flush(appender) == BRAID_OK);
  CHECK(braid_appender_point(appender, 3, &value, NULL, 1) == BRAID_OK);
  CHECK(braid_appender_close(appender) == BRAID_OK);
  CHECK(number_of(connection, "SELECT count(*) FROM way") == 3);

  braid_batch* batch = NULL;
  const int64_t times[2] = {4, INT64_MAX};
  const double values[2] = {1, 2};
  const braid_column column = {sizeof(braid_column), BRAID_TYPE_DOUBLE, values, NULL};
  CHECK(braid_batch_open(database, &batch) == BRAID_OK);
  CHECK(braid_batch_points(batch, "way", good, 1, times, 2, &column, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_batch_points(batch, "way", good, 1, times, 1, &column, 1) == BRAID_OK);
  CHECK(braid_batch_commit(batch, NULL) == BRAID_OK);
  braid_batch_close(batch);
  CHECK(number_of(connection, "SELECT count(*) FROM way") == 4);
  braid_disconnect(connection);
}

/* SQLite stops at a NUL byte, so what follows it would be left out in silence. */
static void text_with_a_nul_byte_is_no_statement(braid_database* database) {
  braid_connection* connection = NULL;
  braid_statement* statement = NULL;
  const char text[] = "SELECT 1\0; DROP TABLE t";
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  CHECK(braid_execute(connection, text, (int64_t)sizeof text - 1) == BRAID_INVALID_ARGUMENT);
  CHECK(strstr(braid_connection_error(connection), "byte 8") != NULL);
  CHECK(braid_prepare(connection, text, (int64_t)sizeof text - 1, &statement, NULL) == BRAID_INVALID_ARGUMENT && statement == NULL);
  CHECK(braid_prepare(connection, text, NUL, &statement, NULL) == BRAID_OK);
  braid_statement_close(statement);
  CHECK(braid_prepare(connection, "SELECT ?1", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_bind_text(statement, 1, "x", -2) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_bind_text(statement, 1, text, (int64_t)sizeof text - 1) == BRAID_OK);
  braid_statement_close(statement);
  braid_disconnect(connection);
}

/* A reader's transaction would meet its own compaction as a conflict when it writes. */
static void compaction_is_refused_within_a_transaction(braid_database* database) {
  braid_connection* connection = NULL;
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  CHECK(braid_execute(connection, "CREATE VIRTUAL TABLE packed USING hypertable(time TIMESTAMP, v DOUBLE); INSERT INTO packed VALUES('2024-01-01', 1)", NUL) == BRAID_OK);
  CHECK(braid_execute(connection, "BEGIN; SELECT count(*) FROM packed", NUL) == BRAID_OK);
  CHECK(braid_execute(connection, "SELECT hypertable_compact('packed')", NUL) == BRAID_MISUSE);
  CHECK(braid_execute(connection, "INSERT INTO packed VALUES('2024-01-02', 1); COMMIT", NUL) == BRAID_OK);
  CHECK(braid_execute(connection, "SELECT hypertable_compact('packed')", NUL) == BRAID_OK);
  braid_disconnect(connection);
}

static void a_schema_change_under_a_statement_is_seen(braid_database* database) {
  braid_connection* a = NULL;
  braid_connection* b = NULL;
  braid_statement* statement = NULL;
  CHECK(braid_connect(database, &a) == BRAID_OK);
  CHECK(braid_connect(database, &b) == BRAID_OK);
  CHECK(braid_execute(a, "CREATE TABLE s(x); INSERT INTO s VALUES(1)", NUL) == BRAID_OK);
  CHECK(braid_prepare(a, "SELECT * FROM s", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_execute(b, "ALTER TABLE s ADD COLUMN y DEFAULT 2", NUL) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_column_int64(statement, 1) == 2);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  CHECK(braid_execute(b, "DROP TABLE s", NUL) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_SQL);
  braid_statement_close(statement);
  braid_disconnect(a);
  braid_disconnect(b);
}

static void* interrupt_soon(void* connection) {
  for (int i = 0; i < 50; ++i) {
    usleep(2000);
    braid_interrupt(connection);
  }
  return NULL;
}

static void an_interrupt_stops_what_runs_and_nothing_later(braid_database* database) {
  braid_connection* connection = NULL;
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  braid_interrupt(connection);
  CHECK(braid_execute(connection, "SELECT 1", NUL) == BRAID_OK);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, interrupt_soon, connection) == 0);
  CHECK(braid_execute(connection,
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", NUL) == BRAID_INTERRUPTED);
  pthread_join(thread, NULL);
  CHECK(braid_execute(connection, "CREATE TABLE after_interrupt(x)", NUL) == BRAID_OK);
  CHECK(braid_execute(connection, "INSERT INTO after_interrupt VALUES(1)", NUL) == BRAID_OK);
  braid_disconnect(connection);
}

static void handles_are_closed_in_the_wrong_order(const char* directory) {
  braid_database* database = NULL;
  braid_database* second = NULL;
  braid_connection* connection = NULL;
  braid_statement* statement = NULL;
  braid_batch* batch = NULL;
  CHECK(braid_open(directory, NULL, &database) == BRAID_OK);
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  CHECK(braid_batch_open(database, &batch) == BRAID_OK);
  CHECK(braid_execute(connection, "CREATE TABLE IF NOT EXISTS w(x); DELETE FROM w; INSERT INTO w VALUES(1)", NUL) == BRAID_OK);
  CHECK(braid_prepare(connection, "SELECT x FROM w", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_begin(connection, BRAID_WRITE) == BRAID_OK);
  CHECK(braid_execute(connection, "INSERT INTO w VALUES(2)", NUL) == BRAID_OK);
  CHECK(braid_close(database) == BRAID_OK);
  CHECK(braid_open(directory, NULL, &second) == BRAID_BUSY);
  CHECK(strstr(braid_database_error(second), "in use by process") != NULL);
  braid_close(second);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  braid_disconnect(connection); /* rolls back */
  CHECK(braid_batch_execute(batch, "INSERT INTO w VALUES(3)", NUL, NULL, 0) == BRAID_OK);
  CHECK(braid_batch_commit(batch, NULL) == BRAID_OK);
  CHECK(braid_open(directory, NULL, &second) == BRAID_BUSY);
  braid_close(second);
  braid_batch_close(batch);
  CHECK(braid_open(directory, NULL, &second) == BRAID_BUSY); /* the statement keeps it open, though it is empty */
  braid_close(second);
  braid_statement_close(statement);
  CHECK(braid_open(directory, NULL, &second) == BRAID_OK);
  CHECK(braid_connect(second, &connection) == BRAID_OK);
  CHECK(braid_prepare(connection, "SELECT group_concat(x) FROM w", NUL, &statement, NULL) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(strcmp(braid_column_text(statement, 0, NULL), "1,3") == 0);
  CHECK(braid_close(second) == BRAID_OK);
  braid_statement_close(statement);
  braid_disconnect(connection);
}

int main(int count, char** arguments) {
  const char* temporary = getenv("TMPDIR");
  char pattern[2000];
  char directory[2100];
  char command[2200];
  (void)count;
  (void)arguments;
  snprintf(pattern, sizeof pattern, "%s/braid-misuse-XXXXXX", temporary != NULL ? temporary : P_tmpdir);
  if (mkdtemp(pattern) == NULL) return 2;
  snprintf(directory, sizeof directory, "%s/db", pattern);

  null_handles_are_misuse();
  null_arguments_are_named(directory);
  snprintf(directory, sizeof directory, "%s/other", pattern);
  braid_database* database = NULL;
  CHECK(braid_open(directory, NULL, &database) == BRAID_OK);
  statements_are_used_out_of_order(database);
  a_bad_point_is_not_in_the_way_of_good_ones(database);
  text_with_a_nul_byte_is_no_statement(database);
  compaction_is_refused_within_a_transaction(database);
  a_schema_change_under_a_statement_is_seen(database);
  an_interrupt_stops_what_runs_and_nothing_later(database);
  CHECK(braid_close(database) == BRAID_OK);
  handles_are_closed_in_the_wrong_order(directory);

  snprintf(command, sizeof command, "rm -rf '%s'", pattern);
  if (system(command) != 0) return 2;
  printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
