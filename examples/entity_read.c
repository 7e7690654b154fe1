/* An entity with its relationships and its latest ten readings, read at one snapshot: the row, the
 * edges and the points are of the same moment, whatever is committed meanwhile.
 *
 *     entity_read DIRECTORY DEVICE
 *
 * The directory is one that entity_relationship_event made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "braid.h"

/* Ends the program when a call failed. */
static void must(braid_connection* connection, int32_t code, const char* what) {
  if (code == BRAID_OK) return;
  fprintf(stderr, "%s: %s (%s)\n", what, braid_connection_error(connection), braid_code_text(code));
  exit(EXIT_FAILURE);
}

/* Prepares a statement with the device's key as its one parameter. The caller closes it. */
static braid_statement* prepare(braid_connection* connection, const char* sql, const char* device) {
  braid_statement* statement = NULL;
  must(connection, braid_prepare(connection, sql, BRAID_NUL_TERMINATED, &statement, NULL),
       "preparing");
  must(connection, braid_bind_text(statement, 1, device, BRAID_NUL_TERMINATED),
       "binding the device");
  return statement;
}

/* The row. Returns 0 when there is none. */
static int print_row(braid_connection* connection, const char* device) {
  braid_statement* statement =
      prepare(connection, "SELECT id, model FROM devices WHERE id = ?", device);
  const int32_t code = braid_statement_step(statement);
  if (code == BRAID_ROW) {
    /* The texts are borrowed until the statement steps, resets or closes. */
    printf("device %s: %s\n", braid_column_text(statement, 0, NULL),
           braid_column_text(statement, 1, NULL));
  } else if (code != BRAID_DONE) {
    must(connection, code, "reading the row");
  }
  braid_statement_close(statement);
  return code == BRAID_ROW;
}

/* One edge and the node at its other end. */
static void print_relationship(braid_connection* connection, const braid_neighbor* neighbor) {
  const char* properties = NULL;
  must(connection, braid_edge_read(connection, neighbor->edge, NULL, NULL, NULL, &properties),
       "reading an edge");
  printf("%s %s %s", neighbor->direction == BRAID_OUT ? "->" : "<-",
         braid_type_name(connection, neighbor->type), properties);

  /* The properties of a bound node are the columns of its row. Both texts are borrowed until the
   * next call. */
  const char* labels = NULL;
  must(connection, braid_node_read(connection, neighbor->node, &labels, &properties),
       "reading a node");
  printf(" %s %s\n", labels, properties);
}

/* The edges in both directions, at most sixteen of them. */
static void print_relationships(braid_connection* connection, const char* device) {
  char json[128];
  if (snprintf(json, sizeof json, "\"%s\"", device) >= (int)sizeof json) {
    must(connection, BRAID_INVALID_ARGUMENT, "the device's name is too long");
  }
  int64_t node = 0;
  must(connection, braid_node_find(connection, "Device", "id", json, &node), "finding the node");

  braid_neighbor neighbors[16];
  size_t count = 0;
  must(connection,
       braid_neighbors(connection, node, BRAID_BOTH, NULL, neighbors,
                       sizeof neighbors / sizeof neighbors[0], &count),
       "reading the neighbours");
  for (size_t i = 0; i < count; ++i) print_relationship(connection, &neighbors[i]);
}

/* The latest ten points of the device's series, newest first. */
static void print_readings(braid_connection* connection, const char* device) {
  braid_statement* statement = prepare(
      connection, "SELECT time, celsius FROM readings WHERE device = ? ORDER BY time DESC LIMIT 10",
      device);
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) {
    printf("%s  %.1f C\n", braid_column_text(statement, 0, NULL),
           braid_column_double(statement, 1));
  }
  if (code != BRAID_DONE) must(connection, code, "reading the readings");
  braid_statement_close(statement);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s DIRECTORY DEVICE\n", argv[0]);
    return EXIT_FAILURE;
  }

  braid_database* database = NULL;
  braid_connection* connection = NULL;
  if (braid_open(argv[1], NULL, &database) != BRAID_OK ||
      braid_connect(database, &connection) != BRAID_OK) {
    fprintf(stderr, "%s: %s\n", argv[1], braid_database_error(database));
    braid_close(database);
    return EXIT_FAILURE;
  }

  /* Pins one snapshot of rows, graph and series. Writers go on; this transaction does not see them.
   */
  must(connection, braid_begin(connection, BRAID_READ), "begin");
  const int found = print_row(connection, argv[2]);
  if (found) {
    print_relationships(connection, argv[2]);
    print_readings(connection, argv[2]);
  } else {
    fprintf(stderr, "there is no device %s\n", argv[2]);
  }
  /* A read transaction has nothing to commit; ending it lets the snapshot go. */
  must(connection, braid_rollback(connection), "ending the snapshot");

  braid_disconnect(connection);
  const int32_t closed = braid_close(database);
  return found && closed == BRAID_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
