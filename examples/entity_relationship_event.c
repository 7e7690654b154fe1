/* An entity, its relationship and its event, created in one transaction: all three or none.
 *
 * The entity is a pump, a row of the table `devices`. Its relationship is an edge INSTALLED_IN that
 * leads to a site, a row of the table `sites`: rows of both tables are nodes of the graph. Its
 * event is a point of the hypertable `device_events`. A pump whose site does not exist is not
 * created at all.
 *
 *     entity_relationship_event DIRECTORY
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "braid.h"

/* 2024-05-01 12:00:00 UTC, in microseconds since 1970. */
static const int64_t kNoon = INT64_C(1714564800000000);
static const int64_t kMinute = INT64_C(60000000);

/* Ends the program when a call failed. Nothing needs to be cleaned up first: what was not committed
 * is not in the database, and what was committed is. */
static void must(braid_connection* connection, int32_t code, const char* what) {
  if (code == BRAID_OK) return;
  fprintf(stderr, "%s: %s (%s)\n", what, braid_connection_error(connection), braid_code_text(code));
  exit(EXIT_FAILURE);
}

/* Tables, their bindings as nodes, and hypertables: once per database. */
static void create_schema(braid_connection* connection) {
  must(connection,
       braid_execute(
           connection,
           "CREATE TABLE devices (id TEXT PRIMARY KEY, model TEXT NOT NULL);"
           "CREATE TABLE sites (id TEXT PRIMARY KEY, city TEXT NOT NULL);"
           /* A row of devices is a node with the label Device; its key is the column id. */
           "SELECT graph_bind('Device', 'devices', 'id');"
           "SELECT graph_bind('Site', 'sites', 'id');"
           "CREATE VIRTUAL TABLE device_events USING hypertable("
           "  time TIMESTAMP, device TEXT TAG, kind TEXT);"
           "CREATE VIRTUAL TABLE readings USING hypertable("
           "  time TIMESTAMP, device TEXT TAG, celsius DOUBLE, bar DOUBLE);"
           "INSERT INTO sites VALUES ('plant-1', 'Hannover'), ('plant-2', 'Kiel');",
           BRAID_NUL_TERMINATED),
       "creating the schema");
}

/* Runs a statement with two texts bound to its parameters. */
static int32_t run(braid_connection* connection, const char* sql, const char* first,
                   const char* second) {
  braid_statement* statement = NULL;
  int32_t code = braid_prepare(connection, sql, BRAID_NUL_TERMINATED, &statement, NULL);
  if (code == BRAID_OK) code = braid_bind_text(statement, 1, first, BRAID_NUL_TERMINATED);
  if (code == BRAID_OK) code = braid_bind_text(statement, 2, second, BRAID_NUL_TERMINATED);
  if (code == BRAID_OK) {
    do code = braid_statement_step(statement);
    while (code == BRAID_ROW);
    if (code == BRAID_DONE) code = BRAID_OK;
  }
  braid_statement_close(statement);
  return code;
}

/* Finds the node of a row by its key. `*node` is 0 when there is no such row. Values of properties
 * are JSON, so a text has quotes. */
static int32_t find(braid_connection* connection, const char* label, const char* id,
                    int64_t* node) {
  char json[128];
  if (snprintf(json, sizeof json, "\"%s\"", id) >= (int)sizeof json) return BRAID_INVALID_ARGUMENT;
  return braid_node_find(connection, label, "id", json, node);
}

/* Creates a pump, connects it to its site and notes the event. Returns 1 when it was done, and 0
 * when the site does not exist: then nothing of it was done. */
static int install(braid_connection* connection, const char* device, const char* model,
                   const char* site, int64_t time) {
  /* Takes the one writer slot. Nobody sees anything of what follows before the commit. */
  must(connection, braid_begin(connection, BRAID_WRITE), "begin");

  /* The entity: a row, and by the binding a node. */
  must(connection, run(connection, "INSERT INTO devices VALUES (?, ?)", device, model),
       "inserting the device");

  /* The relationship. Both ends must exist; the transaction sees its own row as a node. */
  int64_t from = 0;
  int64_t to = 0;
  must(connection, find(connection, "Device", device, &from), "finding the device");
  must(connection, find(connection, "Site", site, &to), "finding the site");
  if (from == 0 || to == 0) {
    /* The row, and the node that it is, go with the transaction. */
    must(connection, braid_rollback(connection), "rolling back");
    return 0;
  }
  int64_t edge = 0;
  must(connection,
       braid_edge_create(connection, from, "INSTALLED_IN", to, "{\"position\":\"north wall\"}",
                         &edge),
       "creating the edge");

  /* The event: a point. Written as SQL, since it holds text. */
  char stamp[32];
  snprintf(stamp, sizeof stamp, "%" PRId64, time);
  must(connection,
       run(connection, "INSERT INTO device_events VALUES (CAST(?2 AS INTEGER), ?1, 'installed')",
           device, stamp),
       "inserting the event");

  /* The row, the edge and the point become durable and visible together. */
  must(connection, braid_commit(connection), "commit");
  return 1;
}

/* Twenty readings, one a minute, through an appender: points without SQL. Without a transaction
 * open, its flush is one. */
static void append_readings(braid_connection* connection, const char* device) {
  braid_appender* appender = NULL;
  must(connection, braid_appender_open(connection, "readings", &appender), "opening the appender");
  must(connection, braid_appender_series(appender, &device, 1), "naming the series");
  for (int minute = 1; minute <= 20; ++minute) {
    const double fields[] = {20.0 + 0.5 * minute, 3.0};
    must(connection, braid_appender_point(appender, kNoon + minute * kMinute, fields, NULL, 2),
         "appending");
  }
  must(connection, braid_appender_close(appender), "flushing the readings");
}

static int64_t count_devices(braid_connection* connection) {
  braid_statement* statement = NULL;
  must(connection,
       braid_prepare(connection, "SELECT count(*) FROM devices", BRAID_NUL_TERMINATED, &statement,
                     NULL),
       "preparing");
  if (braid_statement_step(statement) != BRAID_ROW) must(connection, BRAID_SQL, "counting");
  const int64_t count = braid_column_int64(statement, 0);
  braid_statement_close(statement);
  return count;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return EXIT_FAILURE;
  }

  braid_database* database = NULL;
  if (braid_open(argv[1], NULL, &database) != BRAID_OK) {
    /* A database that could not be opened still tells why, and is closed like any other. */
    fprintf(stderr, "%s: %s\n", argv[1], braid_database_error(database));
    braid_close(database);
    return EXIT_FAILURE;
  }
  braid_connection* connection = NULL;
  if (braid_connect(database, &connection) != BRAID_OK) {
    fprintf(stderr, "%s: %s\n", argv[1], braid_database_error(database));
    braid_close(database);
    return EXIT_FAILURE;
  }

  create_schema(connection);
  if (install(connection, "pump-7", "CR 32", "plant-1", kNoon))
    puts("pump-7: installed in plant-1");
  append_readings(connection, "pump-7");
  if (!install(connection, "pump-8", "CR 64", "plant-9", kNoon))
    puts("pump-8: not created, there is no site plant-9");
  printf("devices: %" PRId64 "\n", count_devices(connection));

  braid_disconnect(connection);
  return braid_close(database) == BRAID_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
