/** \file
 * Braid: rows, a property graph and time series in one directory, one library and one commit.
 *
 * This header is the whole interface and its manual: first the rules that hold for every call, then the sections in the order in which a program meets
 * them. What SQL does as naturally has no function here: braid_execute and braid_prepare run it, and docs/ describes it.
 *
 * A program in short:
 *
 *     braid_open, braid_connect                      a directory, and a place to work
 *     braid_begin(BRAID_WRITE)                       optional: each call is a transaction of its own otherwise
 *       braid_execute, braid_prepare ...             rows, and everything else that SQL can do
 *       braid_nodes_create, braid_edges_create ...   the graph
 *       braid_appender_open, braid_appender_point    points
 *     braid_commit                                   all of it, or nothing of it
 *     braid_disconnect, braid_close
 *
 * ERRORS
 *  - Functions return an int32_t code (BRAID_OK is 0) unless their return type says otherwise. A program acts on the code; the message is for people: it
 *    names what failed, where, and what was expected. It is kept on the handle that the call was made on and read with the `_error` function of that
 *    handle (for statements, appenders, streams and projections that of their connection), until the next call on it.
 *  - A NULL handle is answered with BRAID_MISUSE, never with a crash. So is a call that is not valid in this state: on a statement whose connection is closed,
 *    say. Other wrong arguments are BRAID_INVALID_ARGUMENT, and named. An output is set to NULL or 0 before anything can fail, or left alone.
 *  - Getters, which return values, answer NULL, 0 or "" where there is none.
 *
 * VALUES AND UNITS
 *  - Text goes in as pointer and length in bytes, UTF-8, without need of a terminator; a length of BRAID_NUL_TERMINATED (-1) means "up to the NUL". Where no
 *    length is given, text ends with NUL. Text comes out as pointer and length, and is NUL-terminated for convenience. A NULL pointer is an SQL NULL where
 *    a value is expected, and BRAID_INVALID_ARGUMENT elsewhere.
 *  - Times are int64_t microseconds since 1970-01-01T00:00:00Z, and ranges of them half-open. Durations are milliseconds where their name ends in `_ms` or is
 *    `milliseconds`. Sizes are bytes. Ids of nodes and edges are positive.
 *  - Structs begin with `size_bytes`: set it to sizeof the struct, and what is not wanted to 0, before the call. A later release may add fields at their end: a
 *    program that was compiled before goes on. Structs that stand in arrays (braid_column, braid_neighbor, braid_value) are frozen instead; the size_bytes of a
 *    braid_column must be its sizeof. None is passed by value.
 *
 * OWNERSHIP
 *  - Handles are opaque. Each kind has one close function; it accepts NULL. A child keeps its parents alive, so handles may be closed in any order; a database
 *    is really closed when the last of its connections, statements, batches, appenders, projections, streams and feeds is.
 *  - What goes in is copied, or used until the call returns, and never freed by Braid. What comes out by pointer is lent, and stays until the call that its
 *    function names.
 *  - Close all handles before the program calls exit or returns from main, not from a static destructor: the libraries within are gone by then.
 *
 * THREADS
 *  - A braid_database may be used by any number of threads at a time, until one closes it. Its error message is kept for each thread.
 *  - A connection, with the statements, streams, appenders and projections made on it, is used by one thread at a time. Threads may take turns, when the program
 *    sees to it (with a lock, say) that one has finished before the next begins. Different connections are independent.
 *  - A batch, or a feed, is used by one thread at a time. Different ones are independent, of connections too. braid_feed_cancel may be called by any thread
 *    until the feed is closed.
 *  - braid_interrupt may be called by any thread until its connection is closed. A braid_cancel may be used by any number of threads, and outlives what it is set on.
 *  - Arrays and schemas of Arrow belong to whoever has them: any thread may read and release them, at any time.
 *  - Functions of the program that a call is given are called by the thread of that call, before it returns. The one of braid_on_log is called by any
 *    thread, one at a time. What they may call stands with each.
 *  - braid_version, braid_code_text, braid_code_name, braid_option_at: any thread, any time.
 *  - In a child process made with fork while a database is open every call answers BRAID_MISUSE, and closing does nothing: it may only end, or call exec.
 *
 * RELEASES
 *  - Numbers of codes and of constants are frozen, and so are functions and the fields of structs that are there: api/braid.abi lists them.
 */
#ifndef BRAID_H
#define BRAID_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BRAID_API __attribute__((visibility("default")))
#else
#define BRAID_API
#endif

#define BRAID_VERSION_MAJOR 0
#define BRAID_VERSION_MINOR 1
#define BRAID_VERSION_PATCH 0

#define BRAID_NUL_TERMINATED ((int64_t)-1)

/* ==== Codes ========================================================================================================== */
/** \defgroup braid_codes Codes
 * What a call answers, and what a program can do about it. Numbers are frozen.
 *
 *  - Try again later: BRAID_BUSY, BRAID_NOT_VISIBLE (of reads), BRAID_LIMIT when it names memory.
 *  - Roll back and begin the transaction again: BRAID_CONFLICT, BRAID_SNAPSHOT_TOO_OLD.
 *  - Make room, then try again: BRAID_FULL.
 *  - Close the database and open it again: BRAID_UNKNOWN_OUTCOME, BRAID_READ_ONLY after an error of a disk, BRAID_NOT_VISIBLE that stays.
 *  - Restore a backup, or braid_repair: BRAID_CORRUPT.
 *  - The data or the user is at fault: BRAID_CONSTRAINT, BRAID_NOT_FOUND, BRAID_DENIED, BRAID_SQL.
 *  - The program is at fault: BRAID_INVALID_ARGUMENT, BRAID_MISUSE.
 * \{ */

#define BRAID_OK 0
#define BRAID_INVALID_ARGUMENT 1  /* an argument is wrong; the message names it */
#define BRAID_NOT_FOUND 2         /* the object named does not exist */
#define BRAID_CONSTRAINT 3        /* a rule of the data would be broken: unique, ends exist, restrict, SQL constraint, a column's type */
#define BRAID_BUSY 4              /* somebody else has it: another process, another writer; try again later */
#define BRAID_CONFLICT 5          /* the transaction read an older snapshot than another's commit, and now writes; roll back and begin again, with
                                     BRAID_WRITE if it will write. The database's own work is no conflict, unless it has dropped points or a statement still reads */
#define BRAID_READ_ONLY 6         /* read transaction, or the database refuses writes until it is reopened; the message says which */
#define BRAID_IO 7                /* the operating system reported an error, or the process that served the database has gone away */
#define BRAID_FULL 8              /* no space left, or the archive's has none and no commit may go on without it. Where the disk is full the transaction was rolled
                                     back, else it is still open: braid_in_transaction tells */
#define BRAID_CORRUPT 9           /* bytes on disk are damaged; the message names the file */
#define BRAID_LIMIT 10            /* a limit with a name was reached; braid_option_at lists them */
#define BRAID_INTERRUPTED 11      /* braid_interrupt, a cancel token, a progress callback, or a time limit ended it */
#define BRAID_DENIED 12           /* SQL that Braid does not allow */
#define BRAID_MISUSE 13           /* a call that is not valid in this state, or a NULL handle */
#define BRAID_OUT_OF_MEMORY 14    /* nothing was done, as after any error; less may work */
#define BRAID_SQL 15              /* SQL that cannot be prepared or that failed for another reason */
#define BRAID_VERSION 16          /* the directory has another format version */
#define BRAID_UNKNOWN_OUTCOME 17  /* an I/O error at COMMIT, or the end of the process that served it: reopen to learn whether it happened */
#define BRAID_SNAPSHOT_TOO_OLD 18 /* a transaction or statement has read one snapshot for longer than snapshot_age_max_ms: end it, begin again */
#define BRAID_NOT_VISIBLE 19      /* committed, but readers will see it only later: once the disk, if it is full, has space, else after reopening */
#define BRAID_INTERNAL 20         /* a bug in Braid; the message says where */
#define BRAID_ROW 100             /* braid_statement_step: a row is ready; braid_feed_next: a line is */
#define BRAID_DONE 101            /* braid_statement_step: there are no more rows; braid_feed_next: none came in time */

/// The version of the library as text, "0.1.0". Never freed.
BRAID_API const char* braid_version(void);

/// What a code means, in a few words. Never NULL, never freed.
BRAID_API const char* braid_code_text(int32_t code);

/// The name of a code, "BRAID_BUSY"; "" for a number that is none. Never freed.
BRAID_API const char* braid_code_name(int32_t code);

/** \} */

/* ==== Handles ======================================================================================================== */

/// A request to stop. Closed with braid_cancel_close.
typedef struct braid_cancel braid_cancel;
/// An open database. Closed with braid_close.
typedef struct braid_database braid_database;
/// A place to work. Closed with braid_disconnect.
typedef struct braid_connection braid_connection;
/// Prepared SQL. Closed with braid_statement_close.
typedef struct braid_statement braid_statement;
/// A transaction that is written down. Closed with braid_batch_close.
typedef struct braid_batch braid_batch;
/// A way for points into a hypertable. Closed with braid_appender_close.
typedef struct braid_appender braid_appender;

/* ==== Databases ================================================================================================== */
/** \defgroup braid_databases Databases
 * A database is a directory. One process has it open at a time (several, with read_only=1); its handle is for all threads. Here it is opened and closed,
 * looked after (checkpoints, maintenance, checks, backups) and asked about itself.
 * \{ */

/// Opens the database in a directory, creating it if the directory is absent or empty. The directory is made absolute when it is opened.
/// Shapes:    `options` is NULL or text "name=value;name=value"; `braid_option_at` lists names, units, defaults and bounds.
///            "read_only=1" opens what was closed and writes nothing at all; several processes may read it so. "remote=auto" uses what another process
///            has open, through it; others may use this one so while it is open, unless "serve=no" is given (docs/processes.md). "memory_bytes_max=N"
///            bounds what all databases of the process hold together, SQLite's memory included (docs/bounds.md).
/// Errors:    BRAID_BUSY ("in use by process N"); BRAID_VERSION; BRAID_CORRUPT (also for a copy made while the database was open); BRAID_IO;
///            BRAID_FULL; BRAID_INVALID_ARGUMENT; BRAID_READ_ONLY (read_only=1, and the log must be replayed first); BRAID_LIMIT (memory_bytes_max);
///            BRAID_DENIED (something else stands where the socket is to be).
/// On error:  `*database` is set to a handle that only answers braid_database_error and must be closed, or to NULL
///            when there was no memory for one.
/// Ownership: the caller closes `*database`.
BRAID_API int32_t braid_open(const char* directory, const char* options, braid_database** database);

/// What is wished of a call that makes its handle, so that nothing can be set on that before. All zeros, and NULL for the struct: nothing.
typedef struct braid_watch {
  size_t size_bytes;
  braid_cancel* cancel;  /* a token that ends the call, before or while it runs; NULL: none. It may be closed meanwhile */
  int64_t time_limit_ms; /* to BRAID_TIME_LIMIT_MS_MAX; 0: none */
  int32_t (*progress)(void* context, double fraction); /* as of braid_database_on_progress; NULL: nobody is told */
  void* context;
} braid_watch;

/// Opens as braid_open does, which may be long when many commits must be replayed, and can be stopped, bounded and followed.
/// Errors:    as braid_open; BRAID_INTERRUPTED; BRAID_INVALID_ARGUMENT (watch).
/// On error:  as braid_open. What was interrupted has committed and removed nothing: the directory is opened like any other afterwards. A database that is
///            being created is made to its end.
BRAID_API int32_t braid_open_watched(const char* directory, const char* options, const braid_watch* watch, braid_database** database);

/// Closes a handle. The database itself closes when all its connections, statements, batches and appenders are closed as well:
/// it then writes a checkpoint as braid_checkpoint does, so that the next open is short, and releases the directory. When it is braid_close that does so,
/// it can be stopped, bounded and followed as was set on the handle; a token that was set before is not heeded.
/// Errors:    BRAID_IO when that last checkpoint failed; nothing committed is lost, the next open replays the log. BRAID_IO, BRAID_FULL or
///            BRAID_READ_ONLY when commits with BRAID_DURABILITY_RELAXED could not be synced: a loss of power before the next open may take them.
///            BRAID_INTERRUPTED when the checkpoint was stopped; again nothing is lost. The handle is gone in any case.
BRAID_API int32_t braid_close(braid_database* database);

/// Message of the last failed call made on this handle by this thread's calls; "" when there was none. Valid until the next call.
BRAID_API const char* braid_database_error(braid_database* database);

/// Makes durable now all that was committed before the call, also with BRAID_DURABILITY_RELAXED.
/// Shapes:    `lsn` (may be NULL) receives the newest durable LSN, as "durable_lsn" of braid_stats tells it.
/// Errors:    BRAID_IO, BRAID_FULL: the sync failed; BRAID_READ_ONLY: one failed before. The message names the commits that may be lost; the database
///            refuses writes until it is reopened.
BRAID_API int32_t braid_sync(braid_database* database, uint64_t* lsn);

/// Makes a checkpoint now: graph flushed, tails sealed, log trimmed, WAL copied and emptied, free pages given back to the file system.
/// Errors:    BRAID_IO; BRAID_FULL; BRAID_READ_ONLY; BRAID_BUSY (the writer slot was not free within busy_timeout_ms).
BRAID_API int32_t braid_checkpoint(braid_database* database);

/// Runs the policies that are due (add_retention_policy and its like) for about `max_ms`, in transactions of its own; what is left is due again
/// the next time. How each ended is told by the table `maintenance_policies`. For hosts that set maintenance_interval_ms to 0; others may call it too.
/// `finished`, which may be NULL, receives how many policies were run to their end.
/// Errors:    BRAID_INVALID_ARGUMENT (max_ms below 0); BRAID_READ_ONLY; BRAID_BUSY (the writer slot was not free within busy_timeout_ms).
BRAID_API int32_t braid_maintain(braid_database* database, int64_t max_ms, uint64_t* finished);

/// Checks everything: SQLite's integrity, edges' ends, both adjacency directions and their degree counters, indexes, chunk checksums,
/// markers against the log. Calls `visit` for each problem found.
/// Errors:    BRAID_CORRUPT when a problem was found; BRAID_IO.
BRAID_API int32_t braid_check(braid_database* database, void (*visit)(void* context, const char* problem), void* context);

/// Called now and then by copies of a database, on the thread of the call: an answer other than 0 ends the copy with BRAID_INTERRUPTED. It may use
/// the database.
typedef int32_t (*braid_copy_progress)(void* context, uint64_t bytes_done, uint64_t bytes_all);

#define BRAID_COPY_ALL 1    /* braid_backup: no file is a second name of one of the database's */
#define BRAID_LINK_FILES 2  /* braid_restore: files that never change are second names of the backup's, where that can be */
#define BRAID_PRUNE_ARCHIVE 4 /* braid_backup: once it is made, the archive loses what only earlier backups need */

typedef struct braid_backup_options {
  size_t size_bytes;
  uint64_t bytes_per_second; /* 0: as fast as it goes */
  const char* base;          /* an earlier backup of this database, whose files are used again by second names; NULL: none; "" is an error */
  uint32_t flags;            /* BRAID_COPY_ALL, BRAID_PRUNE_ARCHIVE */
} braid_backup_options;

/// What was made.
typedef struct braid_backup_report {
  size_t size_bytes;
  uint64_t lsn;             /* the commit up to which everything is in it */
  uint64_t bytes_written;
  uint64_t bytes_linked;    /* of files that were there */
  uint64_t writers_held_us; /* how long no writer could begin */
} braid_backup_report;

/// Makes a backup of an open database while others read and write: rows, graph and series at one commit, durable when this returns. It is a
/// directory like a database's, of which several may be made at a time: braid_restore copies it, and braid_open opens it in place, which makes it a database with a history of its own.
/// Shapes:    `destination` is absent, empty, or what an interrupted backup left; its parent exists. `options`, `progress` and `report` may be NULL.
/// Errors:    BRAID_INVALID_ARGUMENT (destination, base); BRAID_INTERRUPTED; BRAID_FULL, BRAID_IO (of the destination; the database goes on);
///            BRAID_CORRUPT (a page of rows.db is damaged); BRAID_BUSY (writer slot, destination or base).
/// On error:  what was made is removed; what a killed process left says `copying` in FORMAT and is refused by braid_open.
/// Source:    docs/backup.md.
BRAID_API int32_t braid_backup(braid_database* database, const char* destination, const braid_backup_options* options, braid_copy_progress progress,
                               void* context, braid_backup_report* report);

typedef struct braid_restore_options {
  size_t size_bytes;
  uint64_t bytes_per_second; /* 0: as fast as it goes */
  uint32_t flags;            /* BRAID_LINK_FILES or 0 */
  const char* open_options;  /* as for braid_open; NULL: none */
  const char* archive;       /* the archive of the database that the backup is of; NULL: where it was then. Without a target below: all of it */
  uint64_t to_lsn;           /* the last commit that is wanted, which the archive has; 0: none is named */
  int64_t to_time_us;        /* or everything before the first commit after this time, in microseconds since 1970-01-01 UTC; 0: none is named */
  const braid_watch* watch;  /* of all of it: copying, opening, checking; NULL: none */
} braid_restore_options;

/// Copies a backup (or a database that nobody has open) into a directory, opens the copy, checks all of it and hands it over. Its epoch is raised.
/// With an archive (option `archive`) it is brought forward to a commit or a time after the backup.
/// Shapes:    `destination` as for braid_backup. `options` and `progress` may be NULL. A commit that was made in one group with others is reached with
///            all of them only: `to_lsn` is the last of them.
/// Errors:    as braid_backup and braid_open; BRAID_CORRUPT when the check found a problem: the copy is then refused by braid_open; or when the archive is
///            damaged; BRAID_NOT_FOUND when it does not reach the target. Both name the last commit that it reaches.
/// On error:  as braid_open: `*database` answers braid_database_error and must be closed.
/// Ownership: the caller closes `*database`.
BRAID_API int32_t braid_restore(const char* source, const char* destination, const braid_restore_options* options, braid_copy_progress progress,
                                void* context, braid_database** database);

/// Makes a new database of all that can be read of a damaged one, and checks it. Calls `visit` for each thing that is lost: rows by table, nodes and
/// edges, points by chunk, commits. The damaged one stays as it is; nobody may have it open.
/// Shapes:    `destination` as for braid_backup; `visit` may be NULL.
/// Errors:    BRAID_NOT_FOUND (no database in `source`); BRAID_INVALID_ARGUMENT (destination); BRAID_BUSY; BRAID_VERSION; BRAID_FULL; BRAID_IO; BRAID_CORRUPT
///            when what was made does not pass the check: it is then refused by braid_open.
/// On error:  as braid_open: `*database` answers braid_database_error and must be closed.
/// Ownership: the caller closes `*database`.
/// Source:    docs/backup.md.
BRAID_API int32_t braid_repair(const char* source, const char* destination, void (*visit)(void* context, const char* lost), void* context,
                               braid_database** database);

/// Repairs as braid_repair does, and can be stopped, bounded and followed.
/// Errors:    as braid_repair; BRAID_INTERRUPTED: what was made is removed, or refused by braid_open and may be the destination again;
///            BRAID_INVALID_ARGUMENT (watch).
BRAID_API int32_t braid_repair_watched(const char* source, const char* destination, const braid_watch* watch,
                                       void (*visit)(void* context, const char* lost), void* context, braid_database** database);

#define BRAID_GAUGE 1   /* what is now: goes up and down */
#define BRAID_COUNTER 2 /* what was counted since the database was opened: only grows */

/// One figure of braid_stats.
typedef struct braid_figure {
  size_t size_bytes;
  const char* name; /* "lsn", "graph.nodes", ...; valid during the visit */
  const char* unit; /* "bytes", "us", ""; valid during the visit */
  int64_t value;
  int32_t kind;     /* BRAID_GAUGE or BRAID_COUNTER */
} braid_figure;

/// Calls `visit` for each figure: LSN, newest durable LSN, oldest snapshot, commits, groups, syncs, log, WAL, graph, series, memory.
BRAID_API int32_t braid_stats(braid_database* database, void (*visit)(void* context, const braid_figure* figure), void* context);

/// One option: a setting or a limit.
typedef struct braid_option {
  size_t size_bytes;
  const char* name; /* never freed */
  const char* unit; /* "bytes", "ms", ...; "full|relaxed": the names of the values from 0 on, either of which braid_open takes. Never freed */
  const char* help; /* never freed */
  int64_t default_value;
  int64_t minimum;
  int64_t maximum;
} braid_option;

/// The option number `index` (from 0) of the table. BRAID_NOT_FOUND past the last.
BRAID_API int32_t braid_option_at(size_t index, braid_option* option);

/// The value an open database uses. BRAID_NOT_FOUND for an unknown name.
BRAID_API int32_t braid_option_get(braid_database* database, const char* name, int64_t* value);

/** \} */

/* ==== Cancelling, time limits, progress ========================================================================== */
/** \defgroup braid_cancelling Cancelling, time limits, progress
 * Every call that can take long can be stopped, bounded and followed: those on a connection by what is set on it, those on a database handle by what is set
 * on that, those that make a handle by the braid_watch that they are given (docs/c_api.md has all calls). braid_interrupt stops what runs now; a cancel token also what comes, until it is reset.
 * \{ */

/// A cancel token: a request to stop, which stays until it is taken back. It may be set on any number of connections and database handles, before or
/// while they work, and by any thread; it may be closed before them.
BRAID_API int32_t braid_cancel_open(braid_cancel** cancel);
BRAID_API void braid_cancel_close(braid_cancel* cancel);

/// Stops the calls that run on whatever has the token, within some milliseconds, and lets every later one fail with BRAID_INTERRUPTED: but for braid_rollback
/// (not SQL's ROLLBACK), reset, closing and settings. What a call had begun is undone, as after any error; a transaction stays open, unless one of its writing statements was
/// stopped, which rolls it back.
/// Threads:   any; not from a signal handler.
BRAID_API int32_t braid_cancel_set(braid_cancel* cancel);
/// Takes the request back.
BRAID_API int32_t braid_cancel_reset(braid_cancel* cancel);
/// 1 while it is set, else 0.
BRAID_API int32_t braid_cancel_is_set(braid_cancel* cancel);

/// Sets the token of a connection, in place of another; NULL: none.
BRAID_API int32_t braid_connection_set_cancel(braid_connection* connection, braid_cancel* cancel);
/// The same for the calls on a database handle and on the batches made on it, not for its connections. A commit of a batch is stopped while it waits for the
/// writer slot; afterwards it is of a group, and done.
BRAID_API int32_t braid_database_set_cancel(braid_database* database, braid_cancel* cancel);

#define BRAID_TIME_LIMIT_MS_MAX 604800000

/// Bounds how long each later call on this handle may take: braid_check, braid_checkpoint, braid_backup, braid_maintain, braid_batch_points, the
/// last checkpoint of braid_close, and the waiting of braid_batch_commit. 0: no bound. Past it they end with BRAID_INTERRUPTED.
/// Errors:    BRAID_INVALID_ARGUMENT (below 0, above BRAID_TIME_LIMIT_MS_MAX).
BRAID_API int32_t braid_database_set_time_limit(braid_database* database, int64_t milliseconds);

/// Sets what these calls tell about every 10 ms, on the thread of the call, of the part that is done, from 0 to 1 (0 where that is not known): an answer
/// other than 0 ends the call with BRAID_INTERRUPTED. The part never falls, and is 1 when the call has succeeded. It must call nothing of Braid. NULL: nothing.
BRAID_API int32_t braid_database_on_progress(braid_database* database, int32_t (*progress)(void* context, double fraction), void* context);

/// Sets what calls and statements on this connection tell about every 10 ms (algorithms more often), on the thread of the call, of the part that is done,
/// from 0 to 1 (0 where that is not known): an answer other than 0 ends them with BRAID_INTERRUPTED. It must not use the connection. NULL: nothing.
BRAID_API int32_t braid_on_progress(braid_connection* connection, int32_t (*progress)(void* context, double fraction), void* context);

/// Bounds how long a statement may run between two rows, or a call take, the waiting for the writer slot included. 0: as long as statement_time_max_ms
/// allows, which is also the most.
/// Errors:    BRAID_INVALID_ARGUMENT (below 0, above BRAID_TIME_LIMIT_MS_MAX).
BRAID_API int32_t braid_set_time_limit(braid_connection* connection, int64_t milliseconds);

/** \} */

/* ==== Log ======================================================================================================== */
/** \defgroup braid_log Log
 * What the engine does, or meets, by itself, where no call could answer.
 * \{ */

#define BRAID_LOG_ERROR 1   /* something failed that no call answers for: a checkpoint; or writes are refused from now on */
#define BRAID_LOG_WARNING 2 /* it goes on, and somebody should look: a policy failed, files cannot be put in order */
#define BRAID_LOG_INFO 3    /* what is done by itself: recovery, checkpoints, compaction */

/// What the engine did, or met, by itself.
typedef struct braid_event {
  size_t size_bytes;
  int64_t time;        /* microseconds since 1970, by the host's clock */
  int32_t level;       /* BRAID_LOG_* */
  const char* area;    /* "recovery", "checkpoint", "compaction", "maintenance", "commit"; valid during the call */
  const char* message; /* with the directory or file that it is about; valid during the call */
} braid_event;

/// Sets who is told of events up to `level`, of all databases of the process, those that are just being opened too. NULL: nobody. When this has returned, the
/// function before is not being called, and will not be.
/// Threads:   `log` is called by the thread that met the event, which may be one of Braid's own, one at a time, with locks held: it must call nothing of
///            Braid; what it calls all the same answers BRAID_MISUSE. braid_on_log itself: any, but not from within `log`.
/// Errors:    BRAID_INVALID_ARGUMENT (level).
BRAID_API int32_t braid_on_log(int32_t level, void (*log)(void* context, const braid_event* event), void* context);

/** \} */

/* ==== Connections ================================================================================================ */
/** \defgroup braid_connections Connections
 * A connection is a place to work: it has at most one transaction, and reads one snapshot at a time. Each thread that works has one of its own.
 * \{ */

/// Makes a connection: the place where statements run and a transaction lives. Costs about 100 us; keep and reuse it.
BRAID_API int32_t braid_connect(braid_database* database, braid_connection** connection);

/// Closes a connection; an open transaction is rolled back. Its statements and appenders then answer BRAID_MISUSE.
BRAID_API void braid_disconnect(braid_connection* connection);

/// Message of the last failed call on this connection or on a statement, batch or appender of it; "" when there was none.
/// Valid until the next call on it.
BRAID_API const char* braid_connection_error(braid_connection* connection);

/// Where in the SQL text the last error is, as a byte offset, or -1 when it is not tied to a place.
BRAID_API int64_t braid_connection_error_offset(braid_connection* connection);

/// Makes the statement that runs on this connection, and those started before it ends, stop with BRAID_INTERRUPTED. Of a statement that writes
/// the whole transaction is rolled back, with what earlier statements did in it.
BRAID_API void braid_interrupt(braid_connection* connection);

#define BRAID_RESTRICT_READ_ONLY 1 /* it may change nothing either */

/// From now on the SQL of this connection is a stranger's; there is no way back. It may read, and change rows, nodes, edges and points, but not the
/// schema, settings (PRAGMA) or policies, and how the database is kept is hidden from it. No SQL, of whichever connection, reads or writes files or
/// loads extensions. A statement runs for `statement_time_ms` in all, its values have at most `value_bytes`; 0: as the options allow. Its text,
/// expressions and plans are bounded as SQLite advises for such SQL. Memory is that of memory_bytes_max. A transaction that its SQL begins ends in the
/// same text of braid_execute, else it is rolled back, and holds other writers off for `statement_time_ms` at most; one of braid_begin is the host's.
/// Shapes:    `flags` is 0 or BRAID_RESTRICT_READ_ONLY.
/// Errors:    BRAID_INVALID_ARGUMENT; BRAID_MISUSE (a statement or a transaction is open). Afterwards, what is not allowed is BRAID_DENIED.
BRAID_API int32_t braid_restrict(braid_connection* connection, int32_t flags, int64_t statement_time_ms, int64_t value_bytes);

/// Runs SQL text of any number of statements; rows are ignored. Stops at the first error.
/// Errors:    any; braid_connection_error_offset gives the place. BRAID_INVALID_ARGUMENT when `sql` holds a NUL byte.
/// On error:  what earlier statements did stays (in the open transaction, or committed when there was none).
BRAID_API int32_t braid_execute(braid_connection* connection, const char* sql, int64_t sql_size);

/** \} */

/* ==== Transactions =============================================================================================== */
/** \defgroup braid_transactions Transactions
 * A transaction covers rows, graph and points. Without one, each call and each statement is a transaction of its own. There is one writer at a time; it is waited
 * for up to busy_timeout_ms. Readers wait for nobody.
 * \{ */

#define BRAID_READ 1  /* one snapshot of rows, graph and series, pinned now; writes answer BRAID_READ_ONLY */
#define BRAID_WRITE 2 /* takes the one writer slot now, waiting up to busy_timeout_ms */

/* How durable a commit is when it is answered. Nothing is lost with the process in either way, and no part of a transaction alone. */
#define BRAID_DURABILITY_FULL 16    /* synced: a loss of power leaves it */
#define BRAID_DURABILITY_RELAXED 32 /* with the operating system, and synced within sync_interval_ms: a loss of power may take the newest commits, those
                                       that none with BRAID_DURABILITY_FULL and no braid_sync followed */

/// Sets how the transactions of this connection are committed from now on, also the one that is open, those that single statements and calls make,
/// and those of its appenders; one that braid_begin was told a durability for keeps that. It begins with the option `durability`, "full" unless it was
/// set. SQL: SELECT braid_durability('relaxed'); SELECT braid_durability() tells that of the open transaction, or of the next one.
/// Errors:    BRAID_INVALID_ARGUMENT.
BRAID_API int32_t braid_set_durability(braid_connection* connection, int32_t durability);

/// Begins a transaction: the same as SQL's BEGIN (which starts as a read and takes the slot at its first write) with the choice made
/// at once. BRAID_WRITE | BRAID_DURABILITY_RELAXED (or _FULL) is committed so, whatever is set for the connection.
/// Errors:    BRAID_MISUSE (a transaction is open); BRAID_INVALID_ARGUMENT (mode); BRAID_BUSY; BRAID_READ_ONLY.
BRAID_API int32_t braid_begin(braid_connection* connection, int32_t mode);

/// Commits. When it returns BRAID_OK the whole transaction, in all three models, is visible, and durable as was chosen (BRAID_DURABILITY_*).
/// Errors:    BRAID_FULL, BRAID_LIMIT (rolled back); BRAID_CONSTRAINT (a deferred foreign key) and BRAID_BUSY (a writing statement is not
///            finished), after which the transaction is still open; BRAID_UNKNOWN_OUTCOME; BRAID_NOT_VISIBLE; BRAID_MISUSE (none open).
BRAID_API int32_t braid_commit(braid_connection* connection);

/// Rolls back. BRAID_MISUSE when no transaction is open.
BRAID_API int32_t braid_rollback(braid_connection* connection);

/// Opens a savepoint; a name of letters, digits and underscores. Outside a transaction it begins one, as in SQL.
BRAID_API int32_t braid_savepoint(braid_connection* connection, const char* name);
/// Keeps what was done since the savepoint and removes it.
BRAID_API int32_t braid_release(braid_connection* connection, const char* name);
/// Undoes what was done since the savepoint, in all three models; the savepoint stays.
BRAID_API int32_t braid_rollback_to(braid_connection* connection, const char* name);

/// 1 when a transaction is open on the connection, else 0.
BRAID_API int32_t braid_in_transaction(braid_connection* connection);

/// LSN of the snapshot that the open transaction reads, or of the newest commit made on this connection when none is open.
BRAID_API int32_t braid_lsn(braid_connection* connection, uint64_t* lsn);

/** \} */

/* ==== Statements ================================================================================================= */
/** \defgroup braid_statements Statements
 * SQL, prepared once and run as often as wanted, row by row. docs/ has what SQLite's SQL does not: graph tables, hypertables, functions.
 * \{ */

/// Prepares the first statement of `sql`.
/// Shapes:    `tail` (may be NULL) receives the offset of the first byte not used; `*statement` is NULL for white space or comment.
/// Errors:    BRAID_SQL, BRAID_DENIED, BRAID_LIMIT.
/// Ownership: the caller closes `*statement`.
BRAID_API int32_t braid_prepare(braid_connection* connection, const char* sql, int64_t sql_size, braid_statement** statement,
                                int64_t* tail);
BRAID_API void braid_statement_close(braid_statement* statement);

/// Steps to the next row: BRAID_ROW, BRAID_DONE, or an error. Outside a transaction a writing statement is a transaction of its
/// own; it is committed when this returns BRAID_DONE (or at reset, when its rows were not all read).
BRAID_API int32_t braid_statement_step(braid_statement* statement);

/// Ends a run of the statement so that it can be stepped from the start; bound values stay.
/// Errors:    that of the commit which a writing statement with unread rows makes here.
BRAID_API int32_t braid_statement_reset(braid_statement* statement);

/// Binding. `index` counts from 1. Text and bytes are copied.
/// Errors:    BRAID_INVALID_ARGUMENT (index); BRAID_MISUSE (the statement is running; reset it).
BRAID_API int32_t braid_bind_null(braid_statement* statement, int32_t index);
BRAID_API int32_t braid_bind_int64(braid_statement* statement, int32_t index, int64_t value);
BRAID_API int32_t braid_bind_double(braid_statement* statement, int32_t index, double value);
BRAID_API int32_t braid_bind_text(braid_statement* statement, int32_t index, const char* value, int64_t size);
BRAID_API int32_t braid_bind_blob(braid_statement* statement, int32_t index, const void* value, int64_t size);
BRAID_API int32_t braid_parameter_count(braid_statement* statement);
/// Index of a named parameter (":name", "@name", "$name"), or 0.
BRAID_API int32_t braid_parameter_index(braid_statement* statement, const char* name);

#define BRAID_TYPE_INT64 1
#define BRAID_TYPE_DOUBLE 2
#define BRAID_TYPE_TEXT 3
#define BRAID_TYPE_BLOB 4
#define BRAID_TYPE_NULL 5

/// Columns of the row that step made ready. `column` counts from 0. Values convert as SQLite converts; outside a row, or for a
/// column that does not exist, they are NULL, 0 and "".
/// Ownership: text and bytes are borrowed until the next step, reset or close.
BRAID_API int32_t braid_column_count(braid_statement* statement);
BRAID_API const char* braid_column_name(braid_statement* statement, int32_t column);
/// The type declared for the column in its table, "" when there is none.
BRAID_API const char* braid_column_declared_type(braid_statement* statement, int32_t column);
BRAID_API int32_t braid_column_type(braid_statement* statement, int32_t column);
BRAID_API int64_t braid_column_int64(braid_statement* statement, int32_t column);
BRAID_API double braid_column_double(braid_statement* statement, int32_t column);
/// `size` may be NULL.
BRAID_API const char* braid_column_text(braid_statement* statement, int32_t column, int64_t* size);
BRAID_API const void* braid_column_blob(braid_statement* statement, int32_t column, int64_t* size);

/// 1 when the statement writes (and so takes the writer slot), else 0.
BRAID_API int32_t braid_statement_writes(braid_statement* statement);
/// Rows changed by the last INSERT, UPDATE or DELETE on the connection.
BRAID_API int64_t braid_changes(braid_connection* connection);
BRAID_API int64_t braid_last_insert_rowid(braid_connection* connection);

/** \} */

/* ==== Rows as columns ============================================================================================ */
/** \defgroup braid_columns Rows as columns
 * The rows of a statement as arrays of Apache Arrow, through its C data interface and C stream interface: plain structs, no library.
 * \{ */

/* Apache Arrow's C data interface, as its specification gives it. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
#endif

/* Apache Arrow's C stream interface, as its specification gives it. */
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
#endif

/* Types of columns. Each column of a statement has one for all its rows, though SQLite gives each value a type of its own. It is, in this order:
 *  1. the one that braid_arrow_options asks for;
 *  2. what the values of the first batch have in common: integers and doubles together are doubles, texts and bytes are bytes, texts and numbers are
 *     texts (as SQLite writes the numbers). Values of a column declared BOOLEAN that are 0 and 1 are bool; those of one declared TIMESTAMP or DATETIME
 *     that are texts of times are timestamps; integers of one declared REAL, FLOAT or DOUBLE are doubles;
 *  3. where the first batch has only NULLs, the declared one by SQLite's rules (INT, CHAR, CLOB, TEXT, JSON, BLOB, REAL, FLOA, DOUB, BOOL, TIMESTAMP,
 *     DATETIME somewhere in it), and null where nothing is declared, as for expressions.
 * Nothing is changed in silence: a value that the type cannot hold without loss (a text among integers of a later batch, an integer beyond 2^53 that is no
 * double, a text that is no UTF-8, bytes among numbers) ends the batch with BRAID_CONSTRAINT, naming column and row. NaN is null, as in SQL. */
#define BRAID_ARROW_AUTO 0
#define BRAID_ARROW_INT64 1
#define BRAID_ARROW_DOUBLE 2
#define BRAID_ARROW_UTF8 3      /* numbers too, as SQLite writes them */
#define BRAID_ARROW_BINARY 4    /* texts too */
#define BRAID_ARROW_TIMESTAMP 5 /* microseconds in UTC; of texts, and of integers that are microseconds */
#define BRAID_ARROW_BOOL 6
#define BRAID_ARROW_NULL 7

#define BRAID_BATCH_ROWS_MAX 1048576

/// The next rows of a statement as the columns of one struct array. BRAID_ROW when there are rows, BRAID_DONE when there are no more; then the
/// statement begins anew at the next call. A SELECT of columns of one hypertable, with conditions on time, tags and fields alone, is answered
/// from its columns without a row being made.
/// Shapes:    up to `rows_max` rows, fewer when the batch would hold more than 64 MiB; `schema` may be NULL.
/// Types:     as above, all BRAID_ARROW_AUTO.
/// Errors:    those of braid_statement_step; BRAID_INVALID_ARGUMENT (rows_max); BRAID_CONSTRAINT: a value does not fit the type of its column;
///            BRAID_MISUSE: the statement was stepped and not reset, or a stream reads it.
/// On error:  nothing is filled in; the statement is reset.
/// Ownership: the caller calls `release` of `schema` and of `array`; both outlive the statement. Neither is set but for BRAID_ROW.
/// Source:    https://arrow.apache.org/docs/format/CDataInterface.html
BRAID_API int32_t braid_statement_batch(braid_statement* statement, int64_t rows_max, struct ArrowSchema* schema, struct ArrowArray* array);

typedef struct braid_arrow_options {
  size_t size_bytes;
  int64_t rows_max;      /* of one array, to BRAID_BATCH_ROWS_MAX; 0: 65536 */
  int64_t bytes_max;     /* an array ends when it holds so many, to 1 GiB; 0: 64 MiB */
  const int32_t* types;  /* BRAID_ARROW_* for each column; NULL: all BRAID_ARROW_AUTO */
  size_t type_count;     /* 0, or the number of columns */
} braid_arrow_options;

/// Hands the rows of a statement over as an Arrow C stream, as DuckDB, pandas, Polars and others read it. The first array is read here, since it decides
/// the types; each other one when `get_next` asks for it, so that no more than two are held at a time.
/// Shapes:    `options` may be NULL. Arrays are struct arrays with a child for each column.
/// Errors:    as braid_statement_batch. Later ones come from get_next as a number of errno, with the message from get_last_error and
///            braid_connection_error: ECANCELED (BRAID_INTERRUPTED), ENOMEM, EIO (also BRAID_CORRUPT), ENOSPC, EBUSY, EOVERFLOW (BRAID_LIMIT), EACCES, EROFS,
///            ENOENT, else EINVAL. The stream then ends: each further call answers the same.
/// On error:  `stream->release` is NULL; the statement is reset.
/// Ownership: the caller calls `release` of the stream, at its end or before, which resets the statement; and of each array, which may outlive all else.
///            Once statement or connection are closed, or the statement is reset, the stream answers EINVAL; until it is released it keeps the database open.
/// Source:    https://arrow.apache.org/docs/format/CStreamInterface.html
BRAID_API int32_t braid_statement_arrow(braid_statement* statement, const braid_arrow_options* options, struct ArrowArrayStream* stream);

/** \} */

/* ==== Graph ====================================================================================================== */
/** \defgroup braid_graph Graph
 * Nodes with labels and properties, directed edges with a type and properties. Properties are JSON objects. Outside a transaction each call of this section is a
 * transaction of its own.
 * \{ */

#define BRAID_OUT 1
#define BRAID_IN 2
#define BRAID_BOTH 3

#define BRAID_RESTRICT 1
#define BRAID_DETACH 2

/// Creates a node.
/// Shapes:    `labels` is a JSON array of text or NULL for none; `properties` a JSON object or NULL for none.
/// Errors:    BRAID_INVALID_ARGUMENT (JSON); BRAID_CONSTRAINT (unique index; a bound label: insert the row instead).
BRAID_API int32_t braid_node_create(braid_connection* connection, const char* labels, const char* properties, int64_t* node);

/// Replaces a node's labels and properties; NULL leaves one as it is. Columns of a bound node's row are refused: update the row.
/// Errors:    BRAID_NOT_FOUND; BRAID_INVALID_ARGUMENT; BRAID_CONSTRAINT.
BRAID_API int32_t braid_node_update(braid_connection* connection, int64_t node, const char* labels, const char* properties);

/// Deletes a node. `rule` BRAID_RESTRICT refuses while it has edges; BRAID_DETACH deletes them too.
/// Errors:    BRAID_NOT_FOUND; BRAID_CONSTRAINT (edges; a bound node: delete the row instead).
BRAID_API int32_t braid_node_delete(braid_connection* connection, int64_t node, int32_t rule);

/// Finds a node by label and a property under an index (a bound table's key is one). The value is given as JSON: "\"d1\"", "12".
/// Shapes:    `*node` is 0 when there is none, the smallest id when there are several.
/// Errors:    BRAID_NOT_FOUND (no such index).
BRAID_API int32_t braid_node_find(braid_connection* connection, const char* label, const char* property, const char* value,
                                  int64_t* node);

/// Reads a node: labels as a JSON array, properties as a JSON object (of a bound node: its row's columns too).
/// Errors:    BRAID_NOT_FOUND.
/// Ownership: both texts are borrowed until the next call on the connection.
BRAID_API int32_t braid_node_read(braid_connection* connection, int64_t node, const char** labels, const char** properties);

/// Creates an edge from `source` to `target`. Several edges of one type between two nodes are allowed.
/// Errors:    BRAID_CONSTRAINT naming the end that does not exist; BRAID_INVALID_ARGUMENT.
BRAID_API int32_t braid_edge_create(braid_connection* connection, int64_t source, const char* type, int64_t target,
                                    const char* properties, int64_t* edge);

/// Creates many nodes with the same labels, all or none.
/// Shapes:    `properties` is NULL for none, or properties[count] of JSON objects and NULLs; `count` from 1 to 4294967295. The ids are
///            `*first` (may be NULL), `*first` + 1, ...
/// Errors:    those of braid_node_create, naming which one; BRAID_LIMIT (transaction_bytes_max).
BRAID_API int32_t braid_nodes_create(braid_connection* connection, const char* labels, const char* const* properties, size_t count,
                                     int64_t* first);

/// Creates many edges of one type, all or none: the way to load a graph. It is the faster the more edges a call has; a call with a million
/// takes about 100 MB until the transaction ends.
/// Shapes:    `sources[count]`, `targets[count]`; `properties` and `first` as above.
/// Errors:    BRAID_CONSTRAINT naming an end that does not exist; those of braid_edge_create; BRAID_LIMIT (transaction_bytes_max).
///
/// A load that is too large for one transaction is made of several and given a name, under which the database keeps how far it has come.
/// The position is part of the transaction, so that after a crash the same loop goes on behind what was committed, and nothing is lost or
/// loaded twice. What a position counts (rows of a file, say) is the program's choice; it only grows. Until there is no more to load:
///
///     braid_begin(connection, BRAID_WRITE)
///     SELECT load_position('flows')            the position; 0 for a name that is not known
///     braid_edges_create(...)                  what comes next in the source, behind that position
///     SELECT load_advance('flows', position)   CONSTRAINT when it would go back
///     braid_commit(connection)
///
/// SELECT load_finish('flows') forgets the load, so that the name can begin again at 0. The table load_positions(name, position) has all of them.
BRAID_API int32_t braid_edges_create(braid_connection* connection, const char* type, const int64_t* sources, const int64_t* targets,
                                     const char* const* properties, size_t count, int64_t* first);

BRAID_API int32_t braid_edge_update(braid_connection* connection, int64_t edge, const char* properties);
BRAID_API int32_t braid_edge_delete(braid_connection* connection, int64_t edge);
/// Reads an edge. Any output may be NULL. Texts are borrowed until the next call on the connection.
BRAID_API int32_t braid_edge_read(braid_connection* connection, int64_t edge, int64_t* source, const char** type, int64_t* target,
                                  const char** properties);

/// One step from a node.
typedef struct braid_neighbor {
  int64_t edge;
  int64_t node;
  int32_t direction; /* BRAID_OUT or BRAID_IN, as seen from the start */
  int32_t type;      /* number of the edge's type; braid_type_name gives its name */
} braid_neighbor;

/// Reads at most `capacity` neighbours by direction (BRAID_OUT, BRAID_IN, BRAID_BOTH) and type (NULL: all).
/// Shapes:    `neighbors[capacity]`; `*count` receives how many were written. Ordered by direction, type, edge.
/// Errors:    BRAID_NOT_FOUND (node).
BRAID_API int32_t braid_neighbors(braid_connection* connection, int64_t node, int32_t direction, const char* type,
                                  braid_neighbor* neighbors, size_t capacity, size_t* count);

/// Name of an edge type by number, NULL if there is none. Borrowed until the database closes.
BRAID_API const char* braid_type_name(braid_connection* connection, int32_t type);

/// What an expansion follows. All zeros, and NULL for the struct: everything that outgoing edges reach.
typedef struct braid_expand_options {
  size_t size_bytes;
  int32_t direction;       /* BRAID_OUT, BRAID_IN, BRAID_BOTH; 0: BRAID_OUT */
  int32_t hops_min;        /* 0: the start too */
  int32_t hops_max;        /* 0: as far as it goes, within traversal_depth_max */
  const char* types;       /* of edges: a name or a JSON array of names, which is not empty; NULL: all */
  const char* node_filter; /* conditions on nodes passed, as JSON (docs/graph_algorithms.md): {"$label": "Bus", "status": {"!=": "off"}}; NULL: none. Of
                              $label != holds when no label of the node is that one, anything else when it holds for one of them */
  const char* edge_filter; /* the same for edges */
  int64_t limit;           /* at most so many rows; 0: all */
} braid_expand_options;

/// Expands from a node, breadth first, each node once. The answer is a statement that is prepared; its columns are node, depth, via_edge, previous.
/// Errors:    BRAID_INVALID_ARGUMENT (start, options). From the first step: BRAID_NOT_FOUND (start), BRAID_INVALID_ARGUMENT (filters), BRAID_LIMIT
///            (traversal_nodes_max, traversal_depth_max), BRAID_INTERRUPTED.
/// Ownership: the caller closes `*statement`.
BRAID_API int32_t braid_expand(braid_connection* connection, int64_t start, const braid_expand_options* options, braid_statement** statement);

/// Shortest path by edges, or by the sum of the edge property `weight` when it is not NULL.
/// Shapes:    `nodes[capacity]`, `edges[capacity]` (either may be NULL); `*count` receives the number of nodes on the path, 0 when there is
///            none; the path has `*count - 1` edges. When `*count` > `capacity` nothing was written: call again with more.
/// Errors:    BRAID_NOT_FOUND (an end); BRAID_LIMIT (traversal_nodes_max); BRAID_INTERRUPTED; BRAID_INVALID_ARGUMENT (weight).
BRAID_API int32_t braid_shortest_path(braid_connection* connection, int64_t source, int64_t target, int32_t direction,
                                      const char* type, const char* weight, int64_t* nodes, int64_t* edges, size_t capacity,
                                      size_t* count, double* cost);

/** \} */

/* ==== Projections and algorithms ================================================================================= */
/** \defgroup braid_algorithms Projections and algorithms
 * Walks that repeat, and algorithms, run on a projection: chosen nodes and edges in memory, built once and kept up to date.
 * \{ */

/// A projection: chosen nodes and edges as a matrix in memory, for walks and algorithms that repeat. It is of the moment at which it was opened
/// and stays so; SQL's graph_project names and builds one (docs/graph_algorithms.md).
typedef struct braid_projection braid_projection;

#define BRAID_NATURAL 1    /* edges lead from source to target */
#define BRAID_REVERSE 2    /* from target to source */
#define BRAID_UNDIRECTED 3 /* both ways */

/// What a projection has. All zeros, and NULL for the struct: every node and edge.
typedef struct braid_projection_options {
  size_t size_bytes;
  const char* labels;  /* a name or a JSON array of names, which is not empty; NULL: all nodes */
  const char* types;   /* the same of edges */
  const char* weight;  /* a property of edges; NULL: each weighs 1 */
  int32_t orientation; /* BRAID_NATURAL, BRAID_REVERSE, BRAID_UNDIRECTED; 0: BRAID_NATURAL */
} braid_projection_options;

/// Names a projection and builds it, in place of one of that name (SQL's graph_project refuses a name that is taken). It is kept in memory, up
/// to date, until the database closes.
/// Errors:    BRAID_INVALID_ARGUMENT (name, orientation); BRAID_NOT_FOUND (a label, type or weight that nothing has); BRAID_LIMIT (projection_bytes_max);
///            BRAID_INTERRUPTED.
BRAID_API int32_t braid_projection_create(braid_connection* connection, const char* name, const braid_projection_options* options);
/// Forgets a name. Those that are open stay.
/// Errors:    BRAID_NOT_FOUND.
BRAID_API int32_t braid_projection_drop(braid_connection* connection, const char* name);
/// A statement over the projections that have a name: name, labels, types, weight, orientation, nodes, edges, bytes, current.
/// Ownership: the caller closes `*statement`.
BRAID_API int32_t braid_projections(braid_connection* connection, braid_statement** statement);

/// Opens a projection as the connection sees the graph: its transaction's snapshot, or the newest commit. One that is kept is brought up to date,
/// else it is built.
/// Shapes:    `name` is one given to graph_project, or NULL for every node and edge.
/// Errors:    BRAID_NOT_FOUND (name); BRAID_LIMIT (projection_bytes_max); BRAID_INTERRUPTED.
/// Ownership: the caller closes `*projection`; until then it holds its memory. It does not hold the connection's snapshot.
BRAID_API int32_t braid_projection_open(braid_connection* connection, const char* name, braid_projection** projection);
BRAID_API void braid_projection_close(braid_projection* projection);

/// Any output may be NULL.
/// Units:     `bytes` of memory.
BRAID_API int32_t braid_projection_size(braid_projection* projection, int64_t* nodes, int64_t* edges, int64_t* bytes);

/// Finds what is within `hops` of a node, breadth first, each node once, without the start.
/// Shapes:    `nodes[capacity]` or NULL with capacity 0; `*count` receives how many there are, of which the first `capacity` are written.
/// Errors:    BRAID_NOT_FOUND (start is not in the projection); BRAID_LIMIT (traversal_nodes_max); BRAID_INTERRUPTED.
BRAID_API int32_t braid_projection_hops(braid_projection* projection, int64_t start, uint32_t hops, int32_t direction, int64_t* nodes,
                                        size_t capacity, size_t* count);

/// Finds a path with the fewest edges, from both ends. Shapes as braid_shortest_path.
/// Errors:    as above.
BRAID_API int32_t braid_projection_path(braid_projection* projection, int64_t source, int64_t target, int32_t direction, int64_t* nodes,
                                        int64_t* edges, size_t capacity, size_t* count);

/// Prepares an algorithm; the first step runs it, and its rows are read like those of any statement. SQL's table graph_algorithms lists names,
/// parameters with bounds, and columns.
/// Shapes:    `algorithm` as "pagerank"; `projection` as braid_projection_open's name; `arguments` a JSON object of parameters, "{\"damping\": 0.9}", or NULL.
/// Errors:    BRAID_NOT_FOUND (algorithm); BRAID_INVALID_ARGUMENT naming the parameters that there are. Others come from the first step.
BRAID_API int32_t braid_algorithm(braid_connection* connection, const char* algorithm, const char* projection, const char* arguments,
                                  braid_statement** statement);

/// Runs an algorithm and keeps one column of its result as a property of the nodes (or edges) that it tells about, in the connection's
/// transaction or one of its own.
/// Shapes:    `column` NULL: the first one that is no node; `*count` (may be NULL) receives how many were written.
/// Errors:    as above; BRAID_CONSTRAINT (the property is a column of a bound table).
BRAID_API int32_t braid_algorithm_write(braid_connection* connection, const char* algorithm, const char* projection, const char* arguments,
                                        const char* column, const char* property, int64_t* count);

/** \} */

/* ==== Points ===================================================================================================== */
/** \defgroup braid_points Points
 * Points are added to hypertables through appenders, without SQL: series by series, one by one or as columns.
 * \{ */

/// Opens an appender for a hypertable: points without SQL. It joins the connection's transaction, or makes one per flush when
/// there is none.
/// Errors:    BRAID_NOT_FOUND (no such hypertable).
BRAID_API int32_t braid_appender_open(braid_connection* connection, const char* hypertable, braid_appender** appender);

/// Sets the series by its tags for the points that follow.
/// Shapes:    `tags[count]` in the order of the hypertable's tag columns; a NULL entry is a NULL tag, an INTEGER tag is its decimal digits.
/// Errors:    BRAID_INVALID_ARGUMENT (count); BRAID_CONSTRAINT (an INTEGER tag that is no whole number).
/// On error:  the series set before stays.
BRAID_API int32_t braid_appender_series(braid_appender* appender, const char* const* tags, size_t count);

/// Says what happens to points that exist, in place of the hypertable's own rule, for points added from now on.
/// Shapes:    `policy` is "replace", "ignore", "error", "merge" (values that are not null replace, the others stay), or NULL for the hypertable's.
/// Errors:    BRAID_INVALID_ARGUMENT (policy).
BRAID_API int32_t braid_appender_on_conflict(braid_appender* appender, const char* policy);

/// Adds one point whose fields are all doubles or int64 taken as doubles where a field is one.
/// Shapes:    `values[count]` in the order of the fields; `nulls` may be NULL, else nulls[i] != 0 makes field i null.
/// Errors:    BRAID_INVALID_ARGUMENT (count, a value that its field's type does not hold; a text field only as null; a time before the year 0 or
///            INT64_MAX); BRAID_MISUSE (no series set).
BRAID_API int32_t braid_appender_point(braid_appender* appender, int64_t time, const double* values, const uint8_t* nulls,
                                       size_t count);

/// A column of values for braid_appender_columns.
typedef struct braid_column {
  size_t size_bytes;     /* sizeof(braid_column) */
  int32_t type;          /* BRAID_TYPE_DOUBLE, BRAID_TYPE_INT64 (bool too) or BRAID_TYPE_TEXT (json too) */
  const void* values;    /* double[], int64_t[] or const char*[] */
  const uint8_t* nulls;  /* NULL, or one byte per row */
} braid_column;

/// Adds many points of the series set.
/// Shapes:    `times[count]`; `columns[column_count]`, one per field.
/// Errors:    BRAID_INVALID_ARGUMENT (column count or type, a time out of range, as above), BRAID_INTERRUPTED: none of the points is added then. Those of
///            braid_appender_flush, which is run when enough points wait.
BRAID_API int32_t braid_appender_columns(braid_appender* appender, const int64_t* times, size_t count, const braid_column* columns,
                                         size_t column_count);

/// Writes what was added into the transaction; without one, commits it. After an error the points are kept, and the next flush tries again.
BRAID_API int32_t braid_appender_flush(braid_appender* appender);
/// Drops the points that were added and not flushed, so that a point that no flush can write is no longer in the way of others. What was added
/// within a transaction belongs to that, and goes with its rollback.
BRAID_API int32_t braid_appender_discard(braid_appender* appender);
/// Flushes and closes. The code is that of the flush; the handle is gone in any case.
BRAID_API int32_t braid_appender_close(braid_appender* appender);

/** \} */

/* ==== Questions to points ======================================================================================== */
/** \defgroup braid_rollups Questions to points
 * Aggregates by buckets of time, and last points, answered from columns and statistics. SELECTs over hypertables reach the same way by themselves.
 * \{ */

/// A rollup: aggregates by bucket of time, series and field. `width` is needed.
typedef struct braid_rollup_options {
  size_t size_bytes;
  const char* width;    /* of a bucket: "15 minutes", "1 day", "1 month" */
  int64_t start;        /* points from this time on; INT64_MIN: no bound */
  int64_t limit;        /* points before this time; INT64_MAX: no bound. Give both, or neither: both 0 are all points, one 0 is 1970 */
  const char* tags;     /* only series with these tags, as JSON: {"host": ["a", "b"], "region": "eu"}, where null is a value; NULL: all */
  const char* fields;   /* a name or a JSON array of names; NULL: all of numbers and booleans */
  const char* timezone; /* of the buckets: "Europe/Berlin"; NULL: UTC */
} braid_rollup_options;

/// Rolls a hypertable up. The answer is a statement that is prepared, in the order of its buckets; its columns are bucket (text), tags (a JSON object), field,
/// count, sum, avg, min, max, first, last. Where blocks lie within a bucket their statistics are taken and no point is read.
/// Errors:    BRAID_INVALID_ARGUMENT (hypertable NULL, width NULL, limit before start). From the first step: BRAID_NOT_FOUND (hypertable),
///            BRAID_INVALID_ARGUMENT (width, tags, fields, timezone), BRAID_LIMIT (rollup_bytes_max), BRAID_INTERRUPTED.
/// Ownership: the caller closes `*statement`.
/// Source:    docs/series_queries.md.
BRAID_API int32_t braid_rollup(braid_connection* connection, const char* hypertable, const braid_rollup_options* options, braid_statement** statement);

/// The last point of each series, or of one. The answer is a statement that is prepared, with the columns of the hypertable; it reads nothing else.
/// Shapes:    `tags[count]` in the order of the tag columns, a NULL entry is a NULL tag; count 0: every series.
/// Errors:    BRAID_NOT_FOUND (hypertable); BRAID_INVALID_ARGUMENT (count).
/// Ownership: the caller closes `*statement`.
BRAID_API int32_t braid_last_points(braid_connection* connection, const char* hypertable, const char* const* tags, size_t count,
                                    braid_statement** statement);

/** \} */

/* ==== Batches ==================================================================================================== */
/** \defgroup braid_batches Batches
 * The way for many threads that write a little each: what they commit at the same time shares one sync.
 * \{ */

/// A batch is a transaction written down: it holds no lock while it is built. Batches of several threads that wait together are
/// committed together, with one sync, each all-or-nothing by itself with its own LSN and its own error.
BRAID_API int32_t braid_batch_open(braid_database* database, braid_batch** batch);
BRAID_API void braid_batch_close(braid_batch* batch);
BRAID_API const char* braid_batch_error(braid_batch* batch);

/// A value of a batch's statement.
typedef struct braid_value {
  int32_t type; /* BRAID_TYPE_* */
  int64_t int64_value;
  double double_value;
  const void* data; /* text or blob */
  int64_t size;     /* bytes, or BRAID_NUL_TERMINATED for text */
} braid_value;

/// Adds one SQL statement with its values. No transaction statements, PRAGMA, TEMP objects or DDL.
/// Errors:    BRAID_INVALID_ARGUMENT; BRAID_LIMIT. What is wrong with the SQL is found at commit.
/// Ownership: copies text and values.
BRAID_API int32_t braid_batch_execute(braid_batch* batch, const char* sql, int64_t sql_size, const braid_value* values,
                                      size_t count);

/// Adds an edge between nodes known by id.
BRAID_API int32_t braid_batch_edge(braid_batch* batch, int64_t source, const char* type, int64_t target, const char* properties);

/// Adds a node.
BRAID_API int32_t braid_batch_node(braid_batch* batch, const char* labels, const char* properties);

/// Adds points of one series. Shapes as braid_appender_columns; `tags[tag_count]` as braid_appender_series.
BRAID_API int32_t braid_batch_points(braid_batch* batch, const char* hypertable, const char* const* tags, size_t tag_count,
                                     const int64_t* times, size_t count, const braid_column* columns, size_t column_count);

/// Sets how the batch is committed, also when it is used again. It begins with the option `durability`. Batches that are committed together are
/// synced when one of them wants it.
/// Errors:    BRAID_INVALID_ARGUMENT.
BRAID_API int32_t braid_batch_set_durability(braid_batch* batch, int32_t durability);

/// Commits the batch, together with those that other threads commit, and empties it for reuse, also when it failed. BRAID_OK: it is durable as was
/// chosen (BRAID_DURABILITY_*), and every read that begins later sees it.
/// Shapes:    `lsn` (may be NULL) receives the batch's own LSN.
/// Errors:    those of its first failing step ("step 2: ..."), then nothing of it was done; BRAID_BUSY; BRAID_UNKNOWN_OUTCOME;
///            BRAID_NOT_VISIBLE: committed, and seen later.
BRAID_API int32_t braid_batch_commit(braid_batch* batch, uint64_t* lsn);

/** \} */

/* ==== Feeds ====================================================================================================== */
/** \defgroup braid_feeds Feeds
 * The commits as they come, with what each changed in rows, graph and series, as lines of JSON (docs/change_feed.md). While no feed is open nothing is
 * kept and nothing paid.
 * \{ */

/// Follows the commits of a database, whoever makes them. Closed with braid_feed_close.
typedef struct braid_feed braid_feed;

#define BRAID_FEED_ROWS 1   /* rows of tables, and the tables themselves */
#define BRAID_FEED_GRAPH 2  /* nodes and edges */
#define BRAID_FEED_SERIES 4 /* points, and the hypertables themselves */

typedef struct braid_feed_options {
  size_t size_bytes;
  uint64_t bytes_max; /* changes kept for the reader; 0, or more than it: feed_bytes_max */
  uint32_t models;    /* BRAID_FEED_*; 0: all */
} braid_feed_options;

/// Opens a feed. Its first line is {"start":LSN}; every commit after that one follows, in the order of LSNs, once it is as durable as it was asked to be
/// and new reads see it. A transaction that was writing already is told as a gap.
/// Shapes:    `options` may be NULL.
/// Errors:    BRAID_INVALID_ARGUMENT (models); BRAID_LIMIT (feeds_max); BRAID_INTERRUPTED (the handle's cancel token is set).
/// Ownership: the caller closes `*feed`, which keeps the database open.
/// Threads:   one thread at a time, but for braid_feed_cancel. Feeds are independent of each other and of connections.
BRAID_API int32_t braid_feed_open(braid_database* database, const braid_feed_options* options, braid_feed** feed);

/// The next line, or waits for it. BRAID_ROW: there is one; BRAID_DONE: none came in time.
/// Shapes:    `timeout_ms` -1 waits without end, 0 not at all. `*json` is one JSON object without a line feed, followed by NUL; `length` (may be NULL)
///            receives its bytes. No writer ever waits for a feed: when more is kept than feed_bytes_max allows, what follows is left out until all
///            lines were taken, and is told by the line {"gap":{"from":LSN,"to":LSN}} in its place.
/// Errors:    BRAID_INTERRUPTED (braid_feed_cancel); BRAID_INVALID_ARGUMENT; BRAID_IO (the process that served the database has gone away).
/// Ownership: `*json` is lent until the next call on the feed.
BRAID_API int32_t braid_feed_next(braid_feed* feed, int64_t timeout_ms, const char** json, size_t* length);

/// Ends the wait of braid_feed_next, and every later one, with BRAID_INTERRUPTED. Any thread, until the feed is closed.
BRAID_API void braid_feed_cancel(braid_feed* feed);

/// Message of the last failed call on the feed; "" when there was none. Valid until the next call.
BRAID_API const char* braid_feed_error(braid_feed* feed);
BRAID_API void braid_feed_close(braid_feed* feed);

/** \} */

#ifdef __cplusplus
}
#endif

#endif
