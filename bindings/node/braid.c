/* The addon of Node.js: each function of braid.h that index.js needs, as one row of a table.
 *
 * A call has three parts. `read_arguments` makes C values of JavaScript's, on JavaScript's thread. `run` calls the library; it touches nothing of
 * JavaScript and may be on any thread. `make_result` makes JavaScript's values again. Called as f(false, ...) all three happen at once; as
 * f(true, ...) the middle one is done by a thread of libuv and the answer is a promise.
 *
 * A connection is used by one thread at a time: while a promise of it is pending, another call is refused with BRAID_MISUSE. index.js queues them.
 * What is collected meanwhile is closed when the promise is done.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "braid.h"

/* ---- Handles -------------------------------------------------------------------------------------------------------- */

typedef enum { kDatabase, kConnection, kStatement, kProjection, kBatch, kCancel, kFeed } HandleKind;
static const char* const kHandleNames[] = {"database", "connection", "statement", "projection", "batch", "cancel token", "feed"};

/* A function of JavaScript that follows a call. On its own thread it is called at once; calls on other threads hand what they tell to that thread and go
 * on, so that its answer ends them a little later. It lives until what it is set on and the way to its thread are both gone. */
typedef struct Progress {
  struct Progress* next;
  napi_env env;
  pthread_t thread;
  napi_ref function;
  napi_threadsafe_function elsewhere;
  atomic_bool stops; /* it has answered true, or thrown */
  atomic_bool is_dead; /* there is no way to the thread any more */
  atomic_int owners;
  napi_ref thrown;   /* on another thread's behalf: what the promise is rejected with */
} Progress;

/* What was told, on its way to JavaScript's thread. */
typedef struct {
  Progress* progress;
  double numbers[2];
  int count;
} Told;

/* A database that is open in this process; the threads of worker_threads share it. */
typedef struct Shared {
  struct Shared* next;
  char* directory; /* as realpath gives it */
  char* options;
  braid_database* database;
  size_t users;
  Progress* progress; /* all that were set on it, the newest first: calls that began before still have them */
} Shared;

static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;
static Shared* shared_first = NULL; /* guarded by shared_mutex */

typedef struct Handle Handle;

/* What of a connection outlives its handle: statements refer to it. Of JavaScript's thread, but for `pointer` during a call. */
typedef struct {
  braid_connection* pointer; /* NULL once closed */
  size_t references;
  bool is_busy;   /* a promise is pending */
  Handle* left;   /* collected meanwhile: closed when that is done */
  Progress* progress;
} Connection;

struct Handle {
  HandleKind kind;
  void* pointer;          /* NULL once closed */
  Shared* shared;         /* of a database */
  Connection* connection; /* of a connection, and of what was made on one */
  bool is_busy;           /* of a batch or a feed: a promise is pending */
  size_t pending;         /* of a database or a cancel token, which any number of threads use: how many promises are */
  void* closing;          /* a cancel token that was closed meanwhile */
  Handle* next;           /* in `left` */
};

static void free_progress(Progress* progress);

static void release_connection(Connection* connection) {
  if (connection == NULL || --connection->references > 0) return;
  free_progress(connection->progress);
  free(connection);
}

/* Forgets one user of an open database; the last one closes it. */
static int32_t release_shared(Shared* shared) {
  pthread_mutex_lock(&shared_mutex);
  int32_t code = BRAID_OK;
  if (--shared->users == 0) {
    for (Shared** at = &shared_first; *at != NULL; at = &(*at)->next) {
      if (*at != shared) continue;
      *at = shared->next;
      break;
    }
    code = braid_close(shared->database);
    while (shared->progress != NULL) {
      Progress* progress = shared->progress;
      shared->progress = progress->next;
      free_progress(progress);
    }
    free(shared->directory);
    free(shared->options);
    free(shared);
  }
  pthread_mutex_unlock(&shared_mutex);
  return code;
}

static int32_t close_pointer(Handle* handle) {
  if (handle->pointer == NULL) return BRAID_OK;
  int32_t code = BRAID_OK;
  switch (handle->kind) {
    case kDatabase: code = release_shared(handle->shared); break;
    case kConnection:
      handle->connection->pointer = NULL;
      braid_disconnect(handle->pointer);
      break;
    case kStatement: braid_statement_close(handle->pointer); break;
    case kProjection: braid_projection_close(handle->pointer); break;
    case kBatch: braid_batch_close(handle->pointer); break;
    case kCancel:
      if (handle->pending > 0) handle->closing = handle->pointer;
      else braid_cancel_close(handle->pointer);
      break;
    case kFeed: braid_feed_close(handle->pointer); break;
  }
  handle->pointer = NULL;
  return code;
}

static void destroy_handle(Handle* handle) {
  close_pointer(handle);
  release_connection(handle->connection);
  free(handle);
}

static void close_left(Connection* connection) {
  while (connection->left != NULL) {
    Handle* handle = connection->left;
    connection->left = handle->next;
    destroy_handle(handle);
  }
}

static void finalize_handle(napi_env env, void* data, void* hint) {
  (void)env;
  (void)hint;
  Handle* handle = data;
  if (handle->connection != NULL && handle->connection->is_busy) {
    handle->next = handle->connection->left;
    handle->connection->left = handle;
    return;
  }
  destroy_handle(handle);
}

/* ---- Progress and the log ------------------------------------------------------------------------------------------- */

static void drop_progress(Progress* progress) {
  if (atomic_fetch_sub(&progress->owners, 1) == 1) free(progress);
}

/* What was still on its way has arrived. */
static void end_progress(napi_env env, void* data, void* hint) {
  (void)env;
  (void)hint;
  atomic_store(&((Progress*)data)->is_dead, true);
  drop_progress(data);
}

static void free_progress(Progress* progress) {
  if (progress == NULL) return;
  if (!atomic_load(&progress->is_dead)) {
    if (pthread_equal(pthread_self(), progress->thread)) {
      napi_delete_reference(progress->env, progress->function);
      if (progress->thrown != NULL) napi_delete_reference(progress->env, progress->thrown);
      progress->thrown = NULL;
    }
    napi_release_threadsafe_function(progress->elsewhere, napi_tsfn_release);
  }
  drop_progress(progress);
}

/* True when the function has answered true, or thrown; what it has thrown is pending then. */
static bool ask_function(napi_env env, napi_value function, const double* numbers, int count) {
  napi_value nothing, given[2], answer;
  bool truth = false;
  napi_get_undefined(env, &nothing);
  for (int i = 0; i < count; ++i) napi_create_double(env, numbers[i], &given[i]);
  if (napi_call_function(env, nothing, function, (size_t)count, given, &answer) != napi_ok) return true;
  if (napi_coerce_to_bool(env, answer, &answer) != napi_ok || napi_get_value_bool(env, answer, &truth) != napi_ok) return true;
  return truth;
}

/* On JavaScript's thread, for another one. */
static void pass_on(napi_env env, napi_value function, void* context, void* data) {
  (void)context;
  Told* told = data;
  Progress* progress = told->progress;
  if (env != NULL && function != NULL && !atomic_load(&progress->stops) && ask_function(env, function, told->numbers, told->count)) {
    bool pending = false;
    napi_value thrown;
    napi_is_exception_pending(env, &pending);
    if (pending && napi_get_and_clear_last_exception(env, &thrown) == napi_ok && progress->thrown == NULL)
      napi_create_reference(env, thrown, 1, &progress->thrown);
    atomic_store(&progress->stops, true);
  }
  free(told);
}

static int32_t tell(Progress* progress, const double* numbers, int count) {
  if (atomic_load(&progress->is_dead)) return 0;
  if (pthread_equal(pthread_self(), progress->thread)) {
    napi_handle_scope scope;
    napi_value function;
    bool pending = false;
    napi_is_exception_pending(progress->env, &pending);
    if (pending || napi_open_handle_scope(progress->env, &scope) != napi_ok) return 1;
    const bool stops = napi_get_reference_value(progress->env, progress->function, &function) == napi_ok && ask_function(progress->env, function, numbers, count);
    napi_close_handle_scope(progress->env, scope);
    return stops;
  }
  Told* told = malloc(sizeof *told);
  if (told != NULL) {
    *told = (Told){progress, {numbers[0], count > 1 ? numbers[1] : 0}, count};
    if (napi_call_threadsafe_function(progress->elsewhere, told, napi_tsfn_nonblocking) != napi_ok) free(told);
  }
  return atomic_load(&progress->stops);
}

static int32_t tell_fraction(void* context, double fraction) { return tell(context, &fraction, 1); }
static int32_t tell_bytes(void* context, uint64_t done, uint64_t all) {
  const double numbers[] = {(double)done, (double)all};
  return tell(context, numbers, 2);
}

static Progress* make_progress(napi_env env, napi_value function) {
  napi_value name;
  Progress* progress = calloc(1, sizeof *progress);
  if (progress == NULL) return NULL;
  progress->env = env;
  progress->thread = pthread_self();
  atomic_init(&progress->owners, 2);
  napi_create_string_utf8(env, "braid progress", NAPI_AUTO_LENGTH, &name);
  if (napi_create_reference(env, function, 1, &progress->function) != napi_ok ||
      napi_create_threadsafe_function(env, function, NULL, name, 0, 1, progress, end_progress, NULL, pass_on, &progress->elsewhere) != napi_ok) {
    free(progress);
    return NULL;
  }
  /* It keeps no program running. */
  napi_unref_threadsafe_function(env, progress->elsewhere);
  return progress;
}

/* What the log tells, on its way to JavaScript's thread. */
typedef struct {
  int64_t time;
  int32_t level;
  char* area;
  char* message;
} Logged;

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static napi_threadsafe_function log_function = NULL; /* guarded by log_mutex */

static void free_logged(Logged* logged) {
  free(logged->area);
  free(logged->message);
  free(logged);
}

static void pass_log_on(napi_env env, napi_value function, void* context, void* data) {
  (void)context;
  Logged* logged = data;
  napi_value nothing, given[4];
  if (env != NULL && function != NULL) {
    napi_get_undefined(env, &nothing);
    napi_create_int64(env, logged->time, &given[0]);
    napi_create_int32(env, logged->level, &given[1]);
    napi_create_string_utf8(env, logged->area, NAPI_AUTO_LENGTH, &given[2]);
    napi_create_string_utf8(env, logged->message, NAPI_AUTO_LENGTH, &given[3]);
    napi_call_function(env, nothing, function, 4, given, NULL);
  }
  free_logged(logged);
}

static void log_event(void* context, const braid_event* event) {
  (void)context;
  Logged* logged = calloc(1, sizeof *logged);
  if (logged == NULL) return;
  *logged = (Logged){event->time, event->level, strdup(event->area), strdup(event->message)};
  pthread_mutex_lock(&log_mutex);
  const bool passed = logged->area != NULL && logged->message != NULL && log_function != NULL &&
                      napi_call_threadsafe_function(log_function, logged, napi_tsfn_nonblocking) == napi_ok;
  pthread_mutex_unlock(&log_mutex);
  if (!passed) free_logged(logged);
}

/* ---- A call --------------------------------------------------------------------------------------------------------- */

#define ARGUMENTS_MAX 12

typedef struct {
  int32_t type; /* BRAID_TYPE_* */
  int64_t integer;
  double real;
  char* data;
  int64_t size;
} Cell;

typedef struct {
  Cell* cells;
  size_t count, capacity;
} Cells;

/* One field's values for points. */
typedef struct {
  int32_t type;
  void* values; /* int64_t[], double[] or char*[] */
  uint8_t* nulls;
} Field;

typedef struct Operation Operation;

typedef struct {
  const Operation* operation;
  Handle* handle;
  /* Arguments by their place; which of them holds something is told by the operation's signature. */
  char* text[ARGUMENTS_MAX];
  int64_t text_size[ARGUMENTS_MAX];
  int64_t number[ARGUMENTS_MAX];
  int64_t* array[ARGUMENTS_MAX];
  char** texts[ARGUMENTS_MAX];
  size_t count[ARGUMENTS_MAX];
  Field* fields;
  size_t field_count;
  Cells values;
  bool has_values;
  braid_cancel* cancel;
  Handle* cancel_handle;   /* of `cancel` */
  napi_value cancel_value; /* its external; of the scope in which the arguments are read */
  Progress* progress;
  /* Results. */
  int32_t code;
  char* error;
  int64_t error_offset;
  int64_t out[6];
  double out_double;
  char* out_text[3];
  int64_t* out_array[2];
  size_t out_count[2];
  Cells rows;
  int32_t columns;
  void* made; /* the pointer of a new handle */
  Shared* made_shared;
  struct ArrowSchema schema; /* of a batch; `release` is NULL where there is none */
  struct ArrowArray batch;
  /* Of a promise. */
  napi_deferred deferred;
  napi_async_work work;
  napi_ref kept; /* the handle's external */
  napi_ref cancel_kept;
} Call;

struct Operation {
  const char* name;
  const char* arguments; /* see read_arguments */
  const char* result;    /* see make_result */
  void (*run)(Call* call);
};

static char* copy_text(const char* text) { return text == NULL ? NULL : strdup(text); }

static void free_cells(Cells* cells) {
  for (size_t i = 0; i < cells->count; ++i) free(cells->cells[i].data);
  free(cells->cells);
}

static Cell* add_cell(Cells* cells) {
  if (cells->count == cells->capacity) {
    const size_t capacity = cells->capacity == 0 ? 64 : 2 * cells->capacity;
    Cell* grown = realloc(cells->cells, capacity * sizeof *grown);
    if (grown == NULL) return NULL;
    cells->cells = grown;
    cells->capacity = capacity;
  }
  Cell* cell = &cells->cells[cells->count++];
  memset(cell, 0, sizeof *cell);
  cell->type = BRAID_TYPE_NULL;
  return cell;
}

static void free_call(Call* call) {
  if (call == NULL) return;
  for (int i = 0; i < ARGUMENTS_MAX; ++i) {
    free(call->text[i]);
    free(call->array[i]);
    if (call->texts[i] != NULL) {
      for (size_t k = 0; k < call->count[i]; ++k) free(call->texts[i][k]);
      free(call->texts[i]);
    }
  }
  for (size_t k = 0; call->fields != NULL && k < call->field_count; ++k) {
    Field* field = &call->fields[k];
    if (field->type == BRAID_TYPE_TEXT && field->values != NULL) {
      char** texts = field->values;
      for (size_t row = 0; texts[row] != NULL; ++row) free(texts[row]);
    }
    free(field->values);
    free(field->nulls);
  }
  free(call->fields);
  free_cells(&call->values);
  free_cells(&call->rows);
  free_progress(call->progress);
  if (call->schema.release != NULL) call->schema.release(&call->schema);
  if (call->batch.release != NULL) call->batch.release(&call->batch);
  for (int i = 0; i < 3; ++i) free(call->out_text[i]);
  for (int i = 0; i < 2; ++i) free(call->out_array[i]);
  free(call->error);
  free(call);
}

/* Keeps the code, and the message while it is there. */
static void finish(Call* call, int32_t code) {
  call->code = code;
  call->error_offset = -1;
  if (code == BRAID_OK) return;
  Handle* handle = call->handle;
  if (handle->kind == kDatabase) {
    call->error = copy_text(braid_database_error(handle->pointer));
  } else if (handle->kind == kBatch) {
    call->error = copy_text(braid_batch_error(handle->pointer));
  } else if (handle->kind == kFeed) {
    call->error = copy_text(braid_feed_error(handle->pointer));
  } else if (handle->connection->pointer != NULL) {
    call->error = copy_text(braid_connection_error(handle->connection->pointer));
    call->error_offset = braid_connection_error_offset(handle->connection->pointer);
  }
}

static void fail(Call* call, int32_t code, const char* message) {
  call->code = code;
  call->error = copy_text(message);
  call->error_offset = -1;
}

/* ---- Operations: databases ------------------------------------------------------------------------------------------ */

/* What is wished of a call that makes a database; its time limit is argument `place`. */
static braid_watch watch_of(const Call* call, int place) {
  return (braid_watch){sizeof(braid_watch), call->cancel, call->number[place], call->progress == NULL ? NULL : tell_fraction, call->progress};
}

/* Puts a database that was made among those that are open, or closes it. The mutex is held. */
static Shared* adopt(Call* call, int32_t code, braid_database* database, const char* directory, const char* options) {
  Shared* shared = code == BRAID_OK ? calloc(1, sizeof *shared) : NULL;
  if (shared == NULL) {
    fail(call, code == BRAID_OK ? BRAID_OUT_OF_MEMORY : code, braid_database_error(database));
    braid_close(database);
    return NULL;
  }
  shared->directory = realpath(directory, NULL);
  if (shared->directory == NULL) shared->directory = copy_text(directory);
  shared->options = copy_text(options);
  shared->database = database;
  shared->users = 1;
  shared->next = shared_first;
  shared_first = shared;
  return shared;
}

static void adopt_made(Call* call, int32_t code, braid_database* database, const char* options) {
  pthread_mutex_lock(&shared_mutex);
  Shared* shared = adopt(call, code, database, call->text[1], options);
  pthread_mutex_unlock(&shared_mutex);
  if (shared == NULL) return;
  call->made_shared = shared;
  call->made = shared->database;
}

/* Arguments: source, destination, rate, flags, options, archive, commit, time, token, time limit, progress. */
static void run_restore(Call* call) {
  const braid_watch watch = watch_of(call, 9);
  const braid_restore_options options = {.size_bytes = sizeof options,
                                         .bytes_per_second = (uint64_t)call->number[2],
                                         .flags = (uint32_t)call->number[3],
                                         .open_options = call->text[4],
                                         .archive = call->text[5],
                                         .to_lsn = (uint64_t)call->number[6],
                                         .to_time_us = call->number[7],
                                         .watch = &watch};
  braid_database* database = NULL;
  const int32_t code = braid_restore(call->text[0], call->text[1], &options, NULL, NULL, &database);
  adopt_made(call, code, database, call->text[4] == NULL ? "" : call->text[4]);
}

static void add_line(void* context, const char* line);

/* Arguments: source, destination, token, time limit, progress. */
static void run_repair(Call* call) {
  const braid_watch watch = watch_of(call, 3);
  braid_database* database = NULL;
  call->columns = 1;
  const int32_t code = braid_repair_watched(call->text[0], call->text[1], &watch, add_line, call, &database);
  adopt_made(call, code, database, "");
}

/* Opens a directory, or shares it with whoever has it open in this process. `handle` is none: it is made here. */
static void run_open(Call* call) {
  pthread_mutex_lock(&shared_mutex);
  char* place = realpath(call->text[0], NULL);
  const char* options = call->text[1] == NULL ? "" : call->text[1];
  Shared* shared = shared_first;
  while (shared != NULL && (place == NULL || strcmp(shared->directory, place) != 0)) shared = shared->next;
  if (shared != NULL && (call->text[1] == NULL || strcmp(shared->options, options) == 0)) {
    ++shared->users;
  } else if (shared != NULL) {
    fail(call, BRAID_INVALID_ARGUMENT, "options: the directory is open in this process with others");
    shared = NULL;
  } else {
    braid_database* database = NULL;
    const braid_watch watch = watch_of(call, 3);
    const int32_t code = braid_open_watched(call->text[0], call->text[1], &watch, &database);
    shared = adopt(call, code, database, call->text[0], options);
  }
  pthread_mutex_unlock(&shared_mutex);
  free(place);
  if (shared == NULL) return;
  call->made_shared = shared;
  call->made = shared->database;
}

static void run_close(Call* call) {
  const int32_t code = close_pointer(call->handle);
  if (code != BRAID_OK) fail(call, code, braid_code_text(code));
}

static void run_connect(Call* call) {
  braid_connection* connection = NULL;
  finish(call, braid_connect(call->handle->pointer, &connection));
  call->made = connection;
}

static void run_sync(Call* call) {
  uint64_t lsn = 0;
  finish(call, braid_sync(call->handle->pointer, &lsn));
  call->out[0] = (int64_t)lsn;
}

static void run_checkpoint(Call* call) { finish(call, braid_checkpoint(call->handle->pointer)); }

static void add_line(void* context, const char* line) {
  Call* call = context;
  Cell* cell = add_cell(&call->rows);
  if (cell == NULL) return;
  cell->type = BRAID_TYPE_TEXT;
  cell->data = copy_text(line);
  cell->size = (int64_t)strlen(line);
}

static void run_check(Call* call) {
  call->columns = 1;
  const int32_t code = braid_check(call->handle->pointer, add_line, call);
  /* What was found is the answer. */
  finish(call, code == BRAID_CORRUPT && call->rows.count > 0 ? BRAID_OK : code);
}

static void add_figure(void* context, const braid_figure* figure) {
  Call* call = context;
  add_line(context, figure->name);
  Cell* cell = add_cell(&call->rows);
  if (cell == NULL) return;
  cell->type = BRAID_TYPE_INT64;
  cell->integer = figure->value;
}

static void run_stats(Call* call) {
  call->columns = 2;
  finish(call, braid_stats(call->handle->pointer, add_figure, call));
}

static void run_maintain(Call* call) {
  uint64_t finished = 0;
  finish(call, braid_maintain(call->handle->pointer, call->number[1], &finished));
  call->out[0] = (int64_t)finished;
}

/* Arguments: database, destination, base, rate, flags, progress. */
static void run_backup(Call* call) {
  const braid_backup_options options = {
      .size_bytes = sizeof options, .bytes_per_second = (uint64_t)call->number[3], .base = call->text[2], .flags = (uint32_t)call->number[4]};
  braid_backup_report report = {.size_bytes = sizeof report};
  finish(call, braid_backup(call->handle->pointer, call->text[1], &options, call->progress == NULL ? NULL : tell_bytes, call->progress, &report));
  call->out[0] = (int64_t)report.lsn;
  call->out[1] = (int64_t)report.bytes_written;
  call->out[2] = (int64_t)report.bytes_linked;
  call->out[3] = (int64_t)report.writers_held_us;
}

static void run_database_set_cancel(Call* call) { finish(call, braid_database_set_cancel(call->handle->pointer, call->cancel)); }
static void run_database_set_time_limit(Call* call) { finish(call, braid_database_set_time_limit(call->handle->pointer, call->number[1])); }

static void run_database_on_progress(Call* call) {
  Progress* progress = call->progress;
  finish(call, braid_database_on_progress(call->handle->pointer, progress == NULL ? NULL : tell_fraction, progress));
  if (call->code != BRAID_OK || progress == NULL) return;
  Shared* shared = call->handle->shared;
  pthread_mutex_lock(&shared_mutex);
  progress->next = shared->progress;
  shared->progress = progress;
  pthread_mutex_unlock(&shared_mutex);
  call->progress = NULL;
}

static void run_cancel_open(Call* call) {
  braid_cancel* cancel = NULL;
  const int32_t code = braid_cancel_open(&cancel);
  if (code != BRAID_OK) fail(call, code, NULL);
  call->made = cancel;
}

static void run_cancel_set(Call* call) { braid_cancel_set(call->handle->pointer); }
static void run_cancel_reset(Call* call) { braid_cancel_reset(call->handle->pointer); }
static void run_cancel_is_set(Call* call) { call->out[0] = braid_cancel_is_set(call->handle->pointer); }

static void run_option_get(Call* call) { finish(call, braid_option_get(call->handle->pointer, call->text[1], &call->out[0])); }

/* Name, unit, help, default, minimum and maximum of each. */
static void run_options(Call* call) {
  braid_option option = {.size_bytes = sizeof option};
  call->columns = 6;
  for (size_t i = 0; braid_option_at(i, &option) == BRAID_OK; ++i) {
    const char* const texts[] = {option.name, option.unit, option.help};
    const int64_t numbers[] = {option.default_value, option.minimum, option.maximum};
    for (int k = 0; k < 3; ++k) add_line(call, texts[k]);
    for (int k = 0; k < 3; ++k) {
      Cell* cell = add_cell(&call->rows);
      if (cell == NULL) return;
      cell->type = BRAID_TYPE_INT64;
      cell->integer = numbers[k];
    }
  }
}

/* ---- Operations: connections and statements ------------------------------------------------------------------------- */

static braid_connection* connection_of(const Call* call) { return call->handle->connection->pointer; }

static void run_execute(Call* call) { finish(call, braid_execute(connection_of(call), call->text[1], call->text_size[1])); }
static void run_begin(Call* call) { finish(call, braid_begin(connection_of(call), (int32_t)call->number[1])); }
static void run_commit(Call* call) { finish(call, braid_commit(connection_of(call))); }
static void run_rollback(Call* call) { finish(call, braid_rollback(connection_of(call))); }
static void run_savepoint(Call* call) { finish(call, braid_savepoint(connection_of(call), call->text[1])); }
static void run_release(Call* call) { finish(call, braid_release(connection_of(call), call->text[1])); }
static void run_rollback_to(Call* call) { finish(call, braid_rollback_to(connection_of(call), call->text[1])); }
static void run_set_durability(Call* call) { finish(call, braid_set_durability(connection_of(call), (int32_t)call->number[1])); }
static void run_set_time_limit(Call* call) { finish(call, braid_set_time_limit(connection_of(call), call->number[1])); }
static void run_in_transaction(Call* call) { call->out[0] = braid_in_transaction(connection_of(call)); }

static void run_set_cancel(Call* call) { finish(call, braid_connection_set_cancel(connection_of(call), call->cancel)); }

static void run_on_progress(Call* call) {
  Connection* connection = call->handle->connection;
  finish(call, braid_on_progress(connection->pointer, call->progress == NULL ? NULL : tell_fraction, call->progress));
  if (call->code != BRAID_OK) return;
  /* The one before is freed with the call. */
  Progress* before = connection->progress;
  connection->progress = call->progress;
  call->progress = before;
}

static void run_restrict(Call* call) {
  finish(call, braid_restrict(connection_of(call), (int32_t)call->number[1], call->number[2], call->number[3]));
}

static void run_lsn(Call* call) {
  uint64_t lsn = 0;
  finish(call, braid_lsn(connection_of(call), &lsn));
  call->out[0] = (int64_t)lsn;
}

static void run_prepare(Call* call) {
  braid_statement* statement = NULL;
  int64_t tail = 0;
  finish(call, braid_prepare(connection_of(call), call->text[1], call->text_size[1], &statement, &tail));
  if (call->code == BRAID_OK && statement == NULL) fail(call, BRAID_INVALID_ARGUMENT, "sql: there is no statement in it");
  if (call->code != BRAID_OK) return;
  /* What follows may be white space and comments. */
  braid_statement* second = NULL;
  const int32_t code = braid_prepare(connection_of(call), call->text[1] + tail, call->text_size[1] - tail, &second, NULL);
  const bool only_one = code == BRAID_OK && second == NULL;
  braid_statement_close(second);
  if (only_one) {
    call->made = statement;
    return;
  }
  braid_statement_close(statement);
  fail(call, BRAID_INVALID_ARGUMENT, "sql: one statement at a time; exec takes many");
}

static void run_algorithm(Call* call) {
  braid_statement* statement = NULL;
  finish(call, braid_algorithm(connection_of(call), call->text[1], call->text[2], call->text[3], &statement));
  call->made = statement;
}

/* The next rows as columns. out: whether there are no more. */
static void run_batch(Call* call) {
  const int32_t code = braid_statement_batch(call->handle->pointer, call->number[1], &call->schema, &call->batch);
  call->out[0] = code == BRAID_DONE;
  finish(call, code == BRAID_ROW || code == BRAID_DONE ? BRAID_OK : code);
}

static int32_t bind_cell(braid_statement* statement, int32_t index, const Cell* cell) {
  switch (cell->type) {
    case BRAID_TYPE_INT64: return braid_bind_int64(statement, index, cell->integer);
    case BRAID_TYPE_DOUBLE: return braid_bind_double(statement, index, cell->real);
    case BRAID_TYPE_TEXT: return braid_bind_text(statement, index, cell->data, cell->size);
    case BRAID_TYPE_BLOB: return braid_bind_blob(statement, index, cell->data, cell->size);
    default: return braid_bind_null(statement, index);
  }
}

static int32_t start_statement(Call* call, braid_statement* statement) {
  int32_t code = braid_statement_reset(statement);
  if (code != BRAID_OK) return code;
  if ((size_t)braid_parameter_count(statement) != call->values.count) {
    char message[96];
    snprintf(message, sizeof message, "the statement has %d parameters, %zu are given", (int)braid_parameter_count(statement), call->values.count);
    fail(call, BRAID_INVALID_ARGUMENT, message);
    return call->code;
  }
  for (size_t i = 0; code == BRAID_OK && i < call->values.count; ++i) code = bind_cell(statement, (int32_t)i + 1, &call->values.cells[i]);
  return code;
}

static bool read_cell(braid_statement* statement, int32_t column, Cell* cell) {
  cell->type = braid_column_type(statement, column);
  const void* data = NULL;
  switch (cell->type) {
    case BRAID_TYPE_INT64: cell->integer = braid_column_int64(statement, column); return true;
    case BRAID_TYPE_DOUBLE: cell->real = braid_column_double(statement, column); return true;
    case BRAID_TYPE_TEXT: data = braid_column_text(statement, column, &cell->size); break;
    case BRAID_TYPE_BLOB: data = braid_column_blob(statement, column, &cell->size); break;
    default: return true;
  }
  cell->data = malloc((size_t)cell->size + 1);
  if (cell->data == NULL) return false;
  memcpy(cell->data, data, (size_t)cell->size);
  return true;
}

#define FETCH_BYTES_MAX (1 << 20)

/* Binds and starts where values are given, and reads up to so many rows. out: whether there are no more, changes, rowid. */
static void run_fetch(Call* call) {
  braid_statement* statement = call->handle->pointer;
  int32_t code = call->has_values ? start_statement(call, statement) : BRAID_OK;
  if (call->code != BRAID_OK) return;
  call->columns = braid_column_count(statement);
  int64_t bytes = 0;
  for (int64_t row = 0; code == BRAID_OK && row < call->number[2] && bytes < FETCH_BYTES_MAX; ++row) {
    const int32_t stepped = braid_statement_step(statement);
    if (stepped != BRAID_ROW) {
      code = stepped == BRAID_DONE ? BRAID_OK : stepped;
      call->out[0] = 1;
      break;
    }
    for (int32_t column = 0; column < call->columns; ++column) {
      Cell* cell = add_cell(&call->rows);
      if (cell == NULL || !read_cell(statement, column, cell)) {
        braid_statement_reset(statement);
        fail(call, BRAID_OUT_OF_MEMORY, "out of memory for the rows");
        return;
      }
      bytes += cell->size;
    }
  }
  finish(call, code);
  call->out[1] = braid_changes(connection_of(call));
  call->out[2] = braid_last_insert_rowid(connection_of(call));
  if (code != BRAID_OK || call->out[0] != 0) braid_statement_reset(statement);
}

/* Binds values to a statement that is to be read as columns. */
static void run_bind(Call* call) {
  const int32_t code = start_statement(call, call->handle->pointer);
  if (call->code == BRAID_OK) finish(call, code);
}

static void run_reset(Call* call) { finish(call, braid_statement_reset(call->handle->pointer)); }
static void run_parameter_index(Call* call) { call->out[0] = braid_parameter_index(call->handle->pointer, call->text[1]); }
static void run_parameter_count(Call* call) { call->out[0] = braid_parameter_count(call->handle->pointer); }
static void run_writes(Call* call) { call->out[0] = braid_statement_writes(call->handle->pointer); }

static void run_column_names(Call* call) {
  call->columns = 1;
  const int32_t count = braid_column_count(call->handle->pointer);
  for (int32_t i = 0; i < count; ++i) add_line(call, braid_column_name(call->handle->pointer, i));
}

/* ---- Operations: graph ---------------------------------------------------------------------------------------------- */

static void run_node_create(Call* call) { finish(call, braid_node_create(connection_of(call), call->text[1], call->text[2], &call->out[0])); }
static void run_node_update(Call* call) { finish(call, braid_node_update(connection_of(call), call->number[1], call->text[2], call->text[3])); }
static void run_node_delete(Call* call) { finish(call, braid_node_delete(connection_of(call), call->number[1], (int32_t)call->number[2])); }

static void run_node_find(Call* call) {
  finish(call, braid_node_find(connection_of(call), call->text[1], call->text[2], call->text[3], &call->out[0]));
}

static void run_node_read(Call* call) {
  const char *labels = NULL, *properties = NULL;
  finish(call, braid_node_read(connection_of(call), call->number[1], &labels, &properties));
  call->out_text[0] = copy_text(labels);
  call->out_text[1] = copy_text(properties);
}

static void run_nodes_create(Call* call) {
  const size_t count = call->texts[2] != NULL ? call->count[2] : (size_t)call->number[3];
  finish(call, braid_nodes_create(connection_of(call), call->text[1], (const char* const*)call->texts[2], count, &call->out[0]));
}

static void run_edge_create(Call* call) {
  finish(call, braid_edge_create(connection_of(call), call->number[1], call->text[2], call->number[3], call->text[4], &call->out[0]));
}

static void run_edges_create(Call* call) {
  if (call->count[2] != call->count[3] || (call->texts[4] != NULL && call->count[4] != call->count[2])) {
    fail(call, BRAID_INVALID_ARGUMENT, "sources, targets and properties have different lengths");
    return;
  }
  finish(call, braid_edges_create(connection_of(call), call->text[1], call->array[2], call->array[3], (const char* const*)call->texts[4],
                                  call->count[2], &call->out[0]));
}

static void run_edge_update(Call* call) { finish(call, braid_edge_update(connection_of(call), call->number[1], call->text[2])); }
static void run_edge_delete(Call* call) { finish(call, braid_edge_delete(connection_of(call), call->number[1])); }

static void run_edge_read(Call* call) {
  const char *type = NULL, *properties = NULL;
  finish(call, braid_edge_read(connection_of(call), call->number[1], &call->out[0], &type, &call->out[1], &properties));
  call->out_text[0] = copy_text(type);
  call->out_text[1] = copy_text(properties);
}

/* Four cells for each: edge, node, direction, type. A limit below 0 is none. */
static void run_neighbors(Call* call) {
  const int64_t limit = call->number[4];
  size_t capacity = limit < 0 ? 64 : (size_t)limit, count = 0;
  braid_neighbor* found = NULL;
  while (true) {
    free(found);
    found = calloc(capacity + 1, sizeof *found);
    if (found == NULL) {
      fail(call, BRAID_OUT_OF_MEMORY, "out of memory for the neighbours");
      return;
    }
    finish(call, braid_neighbors(connection_of(call), call->number[1], (int32_t)call->number[2], call->text[3], found, capacity, &count));
    if (call->code != BRAID_OK || limit >= 0 || count < capacity) break;
    capacity *= 8;
  }
  call->columns = 4;
  for (size_t i = 0; call->code == BRAID_OK && i < count; ++i) {
    const int64_t numbers[] = {found[i].edge, found[i].node, found[i].direction};
    for (int k = 0; k < 3; ++k) {
      Cell* cell = add_cell(&call->rows);
      if (cell == NULL) break;
      cell->type = BRAID_TYPE_INT64;
      cell->integer = numbers[k];
    }
    add_line(call, braid_type_name(connection_of(call), found[i].type));
  }
  free(found);
}

/* Room for a path; false when there is none. */
static bool make_room(Call* call, size_t count) {
  for (int i = 0; i < 2; ++i) {
    free(call->out_array[i]);
    call->out_array[i] = calloc(count + 1, sizeof(int64_t));
    if (call->out_array[i] == NULL) {
      fail(call, BRAID_OUT_OF_MEMORY, "out of memory for the path");
      return false;
    }
  }
  return true;
}

static void run_shortest_path(Call* call) {
  size_t capacity = 256, count = 0;
  while (make_room(call, capacity)) {
    finish(call, braid_shortest_path(connection_of(call), call->number[1], call->number[2], (int32_t)call->number[3], call->text[4], call->text[5],
                                     call->out_array[0], call->out_array[1], capacity, &count, &call->out_double));
    call->out_count[0] = count;
    call->out_count[1] = count == 0 ? 0 : count - 1;
    if (call->code != BRAID_OK || count <= capacity) return;
    capacity = count;
  }
}

static void run_algorithm_write(Call* call) {
  finish(call, braid_algorithm_write(connection_of(call), call->text[1], call->text[2], call->text[3], call->text[4], call->text[5], &call->out[0]));
}

/* Arguments: start, direction, least and most hops, types, filters of nodes and edges, limit. */
static void run_expand(Call* call) {
  const braid_expand_options options = {sizeof options,      (int32_t)call->number[2], (int32_t)call->number[3], (int32_t)call->number[4],
                                        call->text[5],       call->text[6],            call->text[7],            call->number[8]};
  braid_statement* statement = NULL;
  finish(call, braid_expand(connection_of(call), call->number[1], &options, &statement));
  call->made = statement;
}

/* Arguments: name, labels, types, weight, orientation. */
static void run_projection_create(Call* call) {
  const braid_projection_options options = {sizeof options, call->text[2], call->text[3], call->text[4], (int32_t)call->number[5]};
  finish(call, braid_projection_create(connection_of(call), call->text[1], &options));
}

static void run_projection_drop(Call* call) { finish(call, braid_projection_drop(connection_of(call), call->text[1])); }

static void run_projections(Call* call) {
  braid_statement* statement = NULL;
  finish(call, braid_projections(connection_of(call), &statement));
  call->made = statement;
}

static void run_projection_open(Call* call) {
  braid_projection* projection = NULL;
  finish(call, braid_projection_open(connection_of(call), call->text[1], &projection));
  call->made = projection;
}

static void run_projection_size(Call* call) {
  finish(call, braid_projection_size(call->handle->pointer, &call->out[0], &call->out[1], &call->out[2]));
}

static void run_projection_hops(Call* call) {
  size_t capacity = 1024, count = 0;
  while (make_room(call, capacity)) {
    finish(call, braid_projection_hops(call->handle->pointer, call->number[1], (uint32_t)call->number[2], (int32_t)call->number[3],
                                       call->out_array[0], capacity, &count));
    call->out_count[0] = count;
    if (call->code != BRAID_OK || count <= capacity) return;
    capacity = count;
  }
}

static void run_projection_path(Call* call) {
  size_t capacity = 256, count = 0;
  while (make_room(call, capacity)) {
    finish(call, braid_projection_path(call->handle->pointer, call->number[1], call->number[2], (int32_t)call->number[3], call->out_array[0],
                                       call->out_array[1], capacity, &count));
    call->out_count[0] = count;
    call->out_count[1] = count == 0 ? 0 : count - 1;
    call->out_double = (double)call->out_count[1];
    if (call->code != BRAID_OK || count <= capacity) return;
    capacity = count;
  }
}

/* ---- Operations: series and batches --------------------------------------------------------------------------------- */

static braid_column* columns_of(Call* call, size_t count) {
  braid_column* columns = calloc(count + 1, sizeof *columns);
  for (size_t i = 0; columns != NULL && i < count; ++i)
    columns[i] = (braid_column){sizeof *columns, call->fields[i].type, call->fields[i].values, call->fields[i].nulls};
  return columns;
}

/* Arguments: hypertable, tags, times, fields, policy. */
static void run_append(Call* call) {
  braid_column* columns = columns_of(call, call->count[4]);
  braid_appender* appender = NULL;
  int32_t code = columns == NULL ? BRAID_OUT_OF_MEMORY : braid_appender_open(connection_of(call), call->text[1], &appender);
  if (code == BRAID_OK && call->text[5] != NULL) code = braid_appender_on_conflict(appender, call->text[5]);
  if (code == BRAID_OK) code = braid_appender_series(appender, (const char* const*)call->texts[2], call->count[2]);
  if (code == BRAID_OK) code = braid_appender_columns(appender, call->array[3], call->count[3], columns, call->count[4]);
  if (code == BRAID_OK) code = braid_appender_flush(appender);
  finish(call, code);
  braid_appender_discard(appender);
  braid_appender_close(appender);
  free(columns);
}

/* Arguments: hypertable, width, start, limit, tags, fields, time zone. */
static void run_rollup(Call* call) {
  const braid_rollup_options options = {sizeof options, call->text[2], call->number[3], call->number[4], call->text[5], call->text[6], call->text[7]};
  braid_statement* statement = NULL;
  finish(call, braid_rollup(connection_of(call), call->text[1], &options, &statement));
  call->made = statement;
}

static void run_last_points(Call* call) {
  braid_statement* statement = NULL;
  finish(call, braid_last_points(connection_of(call), call->text[1], (const char* const*)call->texts[2], call->count[2], &statement));
  call->made = statement;
}

static void run_batch_open(Call* call) {
  braid_batch* batch = NULL;
  finish(call, braid_batch_open(call->handle->pointer, &batch));
  call->made = batch;
}

static void run_batch_execute(Call* call) {
  const size_t count = call->values.count;
  braid_value* values = calloc(count + 1, sizeof *values);
  for (size_t i = 0; values != NULL && i < count; ++i) {
    const Cell* cell = &call->values.cells[i];
    values[i] = (braid_value){cell->type, cell->integer, cell->real, cell->data, cell->size};
  }
  finish(call, values == NULL ? BRAID_OUT_OF_MEMORY : braid_batch_execute(call->handle->pointer, call->text[1], call->text_size[1], values, count));
  free(values);
}

static void run_batch_node(Call* call) { finish(call, braid_batch_node(call->handle->pointer, call->text[1], call->text[2])); }

static void run_batch_edge(Call* call) {
  finish(call, braid_batch_edge(call->handle->pointer, call->number[1], call->text[2], call->number[3], call->text[4]));
}

static void run_batch_points(Call* call) {
  braid_column* columns = columns_of(call, call->count[4]);
  finish(call, columns == NULL ? BRAID_OUT_OF_MEMORY
                               : braid_batch_points(call->handle->pointer, call->text[1], (const char* const*)call->texts[2], call->count[2],
                                                    call->array[3], call->count[3], columns, call->count[4]));
  free(columns);
}

static void run_batch_set_durability(Call* call) { finish(call, braid_batch_set_durability(call->handle->pointer, (int32_t)call->number[1])); }

static void run_batch_commit(Call* call) {
  uint64_t lsn = 0;
  finish(call, braid_batch_commit(call->handle->pointer, &lsn));
  call->out[0] = (int64_t)lsn;
}

/* Arguments: database, models, bytes. */
static void run_feed_open(Call* call) {
  const braid_feed_options options = {.size_bytes = sizeof options, .models = (uint32_t)call->number[1], .bytes_max = (uint64_t)call->number[2]};
  braid_feed* feed = NULL;
  finish(call, braid_feed_open(call->handle->pointer, &options, &feed));
  call->made = feed;
}

/* Arguments: feed, milliseconds. No text: none came in time. */
static void run_feed_next(Call* call) {
  const char* line = NULL;
  size_t length = 0;
  const int32_t code = braid_feed_next(call->handle->pointer, call->number[1], &line, &length);
  if (code == BRAID_ROW) {
    call->out_text[0] = strndup(line, length);
    if (call->out_text[0] == NULL) fail(call, BRAID_OUT_OF_MEMORY, NULL);
  } else if (code != BRAID_DONE) {
    finish(call, code);
  }
}

/* ---- The table ------------------------------------------------------------------------------------------------------ */

/* Arguments: D, C, S, P, B, X, F the handle of a database, connection, statement, projection, batch, cancel token or feed, H any; T text, t text or null, i a whole
 * number, a whole numbers, s texts or null, v values, f fields of points (after their times), x a cancel token or null, p a function or null.
 * Results: D, C, S, P, B, X, F a new handle; T text or null; - nothing; 1 to 4 so many whole numbers; L lines; R rows with `done`, `changes` and `rowid`; M rows of cells;
 * N node, E edge, Y path, A whole numbers, O columns, Q a database and lines. */
static const Operation kOperations[] = {
    {"open", "Ttxip", "D", run_open},
    {"restore", "TTiittiixip", "D", run_restore},
    {"repair", "TTxip", "Q", run_repair},
    {"cancelOpen", "", "X", run_cancel_open},
    {"cancelSet", "X", "-", run_cancel_set},
    {"cancelReset", "X", "-", run_cancel_reset},
    {"cancelIsSet", "X", "1", run_cancel_is_set},
    {"options", "", "M", run_options},
    {"optionGet", "DT", "1", run_option_get},
    {"databaseSetCancel", "Dx", "-", run_database_set_cancel},
    {"databaseSetTimeLimit", "Di", "-", run_database_set_time_limit},
    {"databaseOnProgress", "Dp", "-", run_database_on_progress},
    {"close", "H", "-", run_close},
    {"connect", "D", "C", run_connect},
    {"sync", "D", "1", run_sync},
    {"checkpoint", "D", "-", run_checkpoint},
    {"check", "D", "L", run_check},
    {"stats", "D", "M", run_stats},
    {"maintain", "Di", "1", run_maintain},
    {"backup", "DTtiip", "4", run_backup},
    {"batchOpen", "D", "B", run_batch_open},
    {"exec", "CT", "-", run_execute},
    {"begin", "Ci", "-", run_begin},
    {"commit", "C", "-", run_commit},
    {"rollback", "C", "-", run_rollback},
    {"savepoint", "CT", "-", run_savepoint},
    {"release", "CT", "-", run_release},
    {"rollbackTo", "CT", "-", run_rollback_to},
    {"setDurability", "Ci", "-", run_set_durability},
    {"setTimeLimit", "Ci", "-", run_set_time_limit},
    {"setCancel", "Cx", "-", run_set_cancel},
    {"onProgress", "Cp", "-", run_on_progress},
    {"restrict", "Ciii", "-", run_restrict},
    {"inTransaction", "C", "1", run_in_transaction},
    {"lsn", "C", "1", run_lsn},
    {"prepare", "CT", "S", run_prepare},
    {"algorithm", "CTtt", "S", run_algorithm},
    {"fetch", "Svi", "R", run_fetch},
    {"bind", "Sv", "-", run_bind},
    {"batch", "Si", "O", run_batch},
    {"reset", "S", "-", run_reset},
    {"parameterIndex", "ST", "1", run_parameter_index},
    {"parameterCount", "S", "1", run_parameter_count},
    {"writes", "S", "1", run_writes},
    {"columnNames", "S", "L", run_column_names},
    {"nodeCreate", "Ctt", "1", run_node_create},
    {"nodeUpdate", "Citt", "-", run_node_update},
    {"nodeDelete", "Cii", "-", run_node_delete},
    {"nodeFind", "CTTT", "1", run_node_find},
    {"nodeRead", "Ci", "N", run_node_read},
    {"nodesCreate", "Ctsi", "1", run_nodes_create},
    {"edgeCreate", "CiTit", "1", run_edge_create},
    {"edgesCreate", "CTaas", "1", run_edges_create},
    {"edgeUpdate", "Cit", "-", run_edge_update},
    {"edgeDelete", "Ci", "-", run_edge_delete},
    {"edgeRead", "Ci", "E", run_edge_read},
    {"neighbors", "Ciiti", "M", run_neighbors},
    {"shortestPath", "Ciiitt", "Y", run_shortest_path},
    {"algorithmWrite", "CTtttT", "1", run_algorithm_write},
    {"expand", "Ciiiittti", "S", run_expand},
    {"projectionCreate", "CTttti", "-", run_projection_create},
    {"projectionDrop", "CT", "-", run_projection_drop},
    {"projections", "C", "S", run_projections},
    {"projectionOpen", "Ct", "P", run_projection_open},
    {"projectionSize", "P", "3", run_projection_size},
    {"projectionHops", "Piii", "A", run_projection_hops},
    {"projectionPath", "Piii", "Y", run_projection_path},
    {"append", "CTsaft", "-", run_append},
    {"rollup", "CTTiittt", "S", run_rollup},
    {"lastPoints", "CTs", "S", run_last_points},
    {"batchExecute", "BTv", "-", run_batch_execute},
    {"batchNode", "Btt", "-", run_batch_node},
    {"batchEdge", "BiTit", "-", run_batch_edge},
    {"batchPoints", "BTsaf", "-", run_batch_points},
    {"batchSetDurability", "Bi", "-", run_batch_set_durability},
    {"batchCommit", "B", "1", run_batch_commit},
    {"feedOpen", "Dii", "F", run_feed_open},
    {"feedNext", "Fi", "T", run_feed_next},
};

/* ---- JavaScript's values to C's ------------------------------------------------------------------------------------- */

static const char kHandleLetters[] = "DCSPBXF";

/* Throws an error as index.js expects it: `braidCode`, `offset`. */
static napi_value make_error(napi_env env, int32_t code, const char* message, int64_t offset) {
  napi_value text, error, number;
  if (message == NULL || message[0] == '\0') message = braid_code_text(code);
  napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text);
  napi_create_error(env, NULL, text, &error);
  napi_create_int32(env, code, &number);
  napi_set_named_property(env, error, "braidCode", number);
  napi_create_int64(env, offset, &number);
  napi_set_named_property(env, error, "offset", number);
  return error;
}

static bool refuse(napi_env env, const char* format, int place) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return false;
  char message[160];
  snprintf(message, sizeof message, format, place);
  napi_throw(env, make_error(env, BRAID_INVALID_ARGUMENT, message, -1));
  return false;
}

static napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type;
}

static bool is_nothing(napi_env env, napi_value value) {
  const napi_valuetype type = type_of(env, value);
  return type == napi_undefined || type == napi_null;
}

static bool read_text(napi_env env, napi_value value, char** text, int64_t* size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return false;
  *text = malloc(length + 1);
  if (*text == NULL) return false;
  napi_get_value_string_utf8(env, value, *text, length + 1, &length);
  if (size != NULL) *size = (int64_t)length;
  return true;
}

/* A whole number, exactly: a BigInt of 64 bits or a number without a fraction up to 2^53. */
static bool read_int64(napi_env env, napi_value value, int64_t* number) {
  bool lossless = false;
  if (napi_get_value_bigint_int64(env, value, number, &lossless) == napi_ok) return lossless;
  double real = 0;
  if (napi_get_value_double(env, value, &real) != napi_ok) return false;
  if (!(real >= -9007199254740992.0 && real <= 9007199254740992.0) || real != (double)(int64_t)real) return false;
  *number = (int64_t)real;
  return true;
}

static bool read_int64s(napi_env env, napi_value value, int64_t** array, size_t* count) {
  bool is_typed = false, is_array = false;
  napi_is_typedarray(env, value, &is_typed);
  if (is_typed) {
    napi_typedarray_type type;
    void* data = NULL;
    napi_get_typedarray_info(env, value, &type, count, &data, NULL, NULL);
    if (type == napi_bigint64_array) {
      *array = malloc((*count + 1) * sizeof **array);
      if (*array == NULL) return false;
      if (*count > 0) memcpy(*array, data, *count * sizeof **array);
      return true;
    }
  }
  napi_is_array(env, value, &is_array);
  if (!is_array && !is_typed) return false;
  uint32_t length = (uint32_t)*count;
  if (is_array) napi_get_array_length(env, value, &length);
  *count = length;
  *array = calloc((size_t)length + 1, sizeof **array);
  for (uint32_t i = 0; *array != NULL && i < length; ++i) {
    napi_value each;
    if (napi_get_element(env, value, i, &each) != napi_ok || !read_int64(env, each, &(*array)[i])) return false;
  }
  return *array != NULL;
}

/* Texts and nulls; a NUL in a text would end it. */
static bool read_texts(napi_env env, napi_value value, char*** texts, size_t* count) {
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok) return false;
  *texts = calloc((size_t)length + 1, sizeof **texts);
  *count = *texts == NULL ? 0 : length;
  for (uint32_t i = 0; *texts != NULL && i < length; ++i) {
    napi_value each;
    int64_t size = 0;
    if (napi_get_element(env, value, i, &each) != napi_ok) return false;
    if (is_nothing(env, each)) continue;
    if (!read_text(env, each, &(*texts)[i], &size) || strlen((*texts)[i]) != (size_t)size) return false;
  }
  return *texts != NULL;
}

static bool read_bytes(napi_env env, napi_value value, Cell* cell) {
  bool is_typed = false, is_view = false, is_buffer = false;
  void* data = NULL;
  size_t size = 0;
  napi_is_typedarray(env, value, &is_typed);
  napi_is_dataview(env, value, &is_view);
  napi_is_arraybuffer(env, value, &is_buffer);
  if (is_typed) {
    napi_typedarray_type type;
    napi_get_typedarray_info(env, value, &type, &size, &data, NULL, NULL);
    if (type != napi_uint8_array && type != napi_uint8_clamped_array) return false;
  } else if (is_view) {
    napi_get_dataview_info(env, value, &size, &data, NULL, NULL);
  } else if (!is_buffer || napi_get_arraybuffer_info(env, value, &data, &size) != napi_ok) {
    return false;
  }
  cell->type = BRAID_TYPE_BLOB;
  cell->size = (int64_t)size;
  cell->data = malloc(size + 1);
  if (cell->data == NULL) return false;
  if (size > 0) memcpy(cell->data, data, size);
  return true;
}

static bool read_value(napi_env env, napi_value value, Cell* cell) {
  bool truth = false;
  switch (type_of(env, value)) {
    case napi_undefined:
    case napi_null: return true;
    case napi_boolean:
      cell->type = BRAID_TYPE_INT64;
      napi_get_value_bool(env, value, &truth);
      cell->integer = truth;
      return true;
    case napi_bigint: cell->type = BRAID_TYPE_INT64; return read_int64(env, value, &cell->integer);
    case napi_number:
      napi_get_value_double(env, value, &cell->real);
      /* A whole number is an integer, but for -0. */
      cell->type = read_int64(env, value, &cell->integer) && !(cell->real == 0 && 1 / cell->real < 0) ? BRAID_TYPE_INT64 : BRAID_TYPE_DOUBLE;
      return true;
    case napi_string: cell->type = BRAID_TYPE_TEXT; return read_text(env, value, &cell->data, &cell->size);
    case napi_object: return read_bytes(env, value, cell);
    default: return false;
  }
}

static bool read_values(napi_env env, napi_value value, Call* call) {
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok) return refuse(env, "argument %d: expected an array of values", 1);
  call->has_values = true;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value each;
    napi_get_element(env, value, i, &each);
    Cell* cell = add_cell(&call->values);
    if (cell == NULL || !read_value(env, each, cell))
      return refuse(env, "parameter %d: expected null, a boolean, a number, a BigInt of 64 bits, a string, a Uint8Array or a Date", (int)i + 1);
  }
  return true;
}

/* One field: {type, values}, values an array with nulls, or a Float64Array or BigInt64Array. */
static bool read_field(napi_env env, napi_value value, size_t rows, Field* field) {
  napi_value part;
  int64_t type = 0;
  if (napi_get_named_property(env, value, "type", &part) != napi_ok || !read_int64(env, part, &type)) return false;
  field->type = (int32_t)type;
  if (napi_get_named_property(env, value, "values", &part) != napi_ok) return false;
  bool is_typed = false;
  napi_is_typedarray(env, part, &is_typed);
  if (is_typed) {
    napi_typedarray_type kind;
    size_t count = 0;
    void* data = NULL;
    napi_get_typedarray_info(env, part, &kind, &count, &data, NULL, NULL);
    const bool fits = (kind == napi_float64_array && type == BRAID_TYPE_DOUBLE) || (kind == napi_bigint64_array && type == BRAID_TYPE_INT64);
    if (fits) {
      if (count != rows) return false;
      field->values = malloc((rows + 1) * sizeof(int64_t));
      if (field->values != NULL && rows > 0) memcpy(field->values, data, rows * sizeof(int64_t));
      return field->values != NULL;
    }
  }
  napi_value length_value;
  uint32_t length = 0;
  if (napi_get_named_property(env, part, "length", &length_value) != napi_ok || napi_get_value_uint32(env, length_value, &length) != napi_ok) return false;
  if (length != rows) return false;
  field->values = calloc(rows + 1, type == BRAID_TYPE_TEXT ? sizeof(char*) : sizeof(int64_t));
  field->nulls = calloc(rows + 1, 1);
  if (field->values == NULL || field->nulls == NULL) return false;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value each;
    napi_get_element(env, part, i, &each);
    field->nulls[i] = is_nothing(env, each);
    int64_t size = 0;
    bool truth = false;
    if (type == BRAID_TYPE_TEXT) {
      char** texts = field->values;
      if (field->nulls[i]) texts[i] = calloc(1, 1);
      if (!field->nulls[i] && (!read_text(env, each, &texts[i], &size) || strlen(texts[i]) != (size_t)size)) return false;
      if (texts[i] == NULL) return false;
    } else if (field->nulls[i]) {
      continue;
    } else if (type == BRAID_TYPE_DOUBLE) {
      if (napi_get_value_double(env, each, &((double*)field->values)[i]) != napi_ok) return false;
    } else if (napi_get_value_bool(env, each, &truth) == napi_ok) {
      ((int64_t*)field->values)[i] = truth;
    } else if (!read_int64(env, each, &((int64_t*)field->values)[i])) {
      return false;
    }
  }
  return true;
}

static bool read_fields(napi_env env, napi_value value, int place, Call* call) {
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok) return refuse(env, "argument %d: expected an array of fields", place);
  call->fields = calloc((size_t)length + 1, sizeof *call->fields);
  if (call->fields == NULL) return refuse(env, "argument %d: out of memory", place);
  call->count[place] = call->field_count = length;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value each;
    napi_get_element(env, value, i, &each);
    if (!read_field(env, each, call->count[place - 1], &call->fields[i]))
      return refuse(env, "field %d: its values are not of its type, hold a NUL, or are not as many as the times", (int)i + 1);
  }
  return true;
}

static bool read_handle(napi_env env, napi_value value, char letter, Call* call) {
  void* data = NULL;
  if (type_of(env, value) != napi_external || napi_get_value_external(env, value, &data) != napi_ok) return refuse(env, "argument %d: expected a handle", 0);
  call->handle = data;
  if (letter != 'H' && kHandleLetters[call->handle->kind] != letter) return refuse(env, "argument %d: expected another handle", 0);
  const char* problem = NULL;
  const Connection* connection = call->handle->connection;
  if (call->handle->pointer == NULL && letter != 'H') problem = "the %s is closed";
  if (connection != NULL && connection->pointer == NULL && letter != 'H') problem = "the connection of this %s is closed";
  if (call->handle->is_busy || (connection != NULL && connection->is_busy)) problem = "an asynchronous call of this %s is running; await it first";
  if (letter == 'H' && call->handle->kind != kCancel && call->handle->pending > 0) problem = "an asynchronous call of this %s is running; await it first";
  if (problem == NULL) return true;
  char message[96];
  snprintf(message, sizeof message, problem, kHandleNames[call->handle->kind]);
  napi_throw(env, make_error(env, BRAID_MISUSE, message, -1));
  return false;
}

static bool read_cancel(napi_env env, napi_value value, Call* call) {
  void* data = NULL;
  if (type_of(env, value) != napi_external || napi_get_value_external(env, value, &data) != napi_ok) return false;
  Handle* handle = data;
  if (handle->kind != kCancel || handle->pointer == NULL) return false;
  call->cancel = handle->pointer;
  call->cancel_handle = handle;
  call->cancel_value = value;
  return true;
}

static bool read_arguments(napi_env env, const napi_value* given, Call* call) {
  const char* letters = call->operation->arguments;
  for (int i = 0; letters[i] != '\0'; ++i) {
    const napi_value value = given[i];
    switch (letters[i]) {
      case 't':
      case 'T':
        if (letters[i] == 't' && is_nothing(env, value)) break;
        if (!read_text(env, value, &call->text[i], &call->text_size[i])) return refuse(env, "argument %d: expected a string", i);
        /* SQL has a length, and the library names the place of a NUL in it. */
        if (strlen(call->text[i]) != (size_t)call->text_size[i] && call->operation->run != run_execute && call->operation->run != run_prepare)
          return refuse(env, "argument %d: the text holds a NUL", i);
        break;
      case 'i':
        if (!read_int64(env, value, &call->number[i])) return refuse(env, "argument %d: expected a whole number, or a BigInt, of 64 bits", i);
        break;
      case 'a':
        if (!read_int64s(env, value, &call->array[i], &call->count[i])) return refuse(env, "argument %d: expected an array of whole numbers", i);
        break;
      case 's':
        if (is_nothing(env, value)) break;
        if (!read_texts(env, value, &call->texts[i], &call->count[i])) return refuse(env, "argument %d: expected an array of strings without NUL", i);
        break;
      case 'v':
        if (!is_nothing(env, value) && !read_values(env, value, call)) return false;
        break;
      case 'x':
        if (!is_nothing(env, value) && !read_cancel(env, value, call)) return refuse(env, "argument %d: expected a cancel token that is not closed", i);
        break;
      case 'p':
        if (is_nothing(env, value)) break;
        if (type_of(env, value) != napi_function) return refuse(env, "argument %d: expected a function", i);
        call->progress = make_progress(env, value);
        if (call->progress == NULL) return refuse(env, "argument %d: out of memory", i);
        break;
      case 'f':
        if (!read_fields(env, value, i, call)) return false;
        break;
      default:
        if (!read_handle(env, value, letters[i], call)) return false;
    }
  }
  return true;
}

/* ---- C's values to JavaScript's ------------------------------------------------------------------------------------- */

static napi_value make_int64(napi_env env, int64_t number) {
  napi_value value;
  if (number >= -9007199254740991 && number <= 9007199254740991) {
    napi_create_int64(env, number, &value);
  } else {
    napi_create_bigint_int64(env, number, &value);
  }
  return value;
}

static napi_value make_text(napi_env env, const char* text, size_t size) {
  napi_value value = NULL;
  if (napi_create_string_utf8(env, text == NULL ? "" : text, text == NULL ? 0 : size, &value) != napi_ok) napi_get_undefined(env, &value);
  return value;
}

static napi_value make_cell(napi_env env, const Cell* cell) {
  napi_value value = NULL;
  switch (cell->type) {
    case BRAID_TYPE_INT64: return make_int64(env, cell->integer);
    case BRAID_TYPE_DOUBLE: napi_create_double(env, cell->real, &value); return value;
    case BRAID_TYPE_TEXT: return make_text(env, cell->data, (size_t)cell->size);
    case BRAID_TYPE_BLOB: napi_create_buffer_copy(env, (size_t)cell->size, cell->data, NULL, &value); return value;
    default: napi_get_null(env, &value); return value;
  }
}

static napi_value make_rows(napi_env env, const Call* call) {
  napi_value rows;
  const size_t width = call->columns > 0 ? (size_t)call->columns : 1;
  const size_t count = call->rows.count / width;
  napi_create_array_with_length(env, count, &rows);
  for (size_t i = 0; i < count; ++i) {
    napi_value row;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_create_array_with_length(env, width, &row);
    for (size_t k = 0; k < width; ++k) napi_set_element(env, row, (uint32_t)k, make_cell(env, &call->rows.cells[i * width + k]));
    napi_set_element(env, rows, (uint32_t)i, row);
    napi_close_handle_scope(env, scope);
  }
  return rows;
}

static napi_value make_int64s(napi_env env, const int64_t* numbers, size_t count) {
  napi_value array;
  napi_create_array_with_length(env, count, &array);
  for (size_t i = 0; i < count; ++i) napi_set_element(env, array, (uint32_t)i, make_int64(env, numbers[i]));
  return array;
}

static napi_value make_handle(napi_env env, Call* call, HandleKind kind) {
  napi_value external = NULL;
  Handle* handle = calloc(1, sizeof *handle);
  if (handle == NULL) return NULL;
  handle->kind = kind;
  handle->pointer = call->made;
  handle->shared = call->made_shared;
  if (kind == kConnection) {
    handle->connection = calloc(1, sizeof *handle->connection);
    if (handle->connection == NULL) {
      free(handle);
      return NULL;
    }
    handle->connection->pointer = call->made;
    handle->connection->references = 1;
  } else if (kind == kStatement || kind == kProjection) {
    handle->connection = call->handle->connection;
    ++handle->connection->references;
  }
  if (napi_create_external(env, handle, finalize_handle, NULL, &external) != napi_ok) destroy_handle(handle);
  return external;
}

static void set(napi_env env, napi_value object, const char* name, napi_value value) { napi_set_named_property(env, object, name, value); }

static napi_value make_bytes(napi_env env, const void* bytes, size_t size) {
  napi_value buffer;
  void* data = NULL;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok) return NULL;
  if (size > 0) memcpy(data, bytes, size);
  return buffer;
}

/* {name, format, length, validity, values, texts}: the buffers of Arrow, copied; those that a format has not are left out. */
static napi_value make_column(napi_env env, const struct ArrowSchema* schema, const struct ArrowArray* array) {
  napi_value column, number;
  const size_t length = (size_t)array->length;
  const char* format = schema->format;
  napi_create_object(env, &column);
  set(env, column, "name", make_text(env, schema->name, strlen(schema->name)));
  set(env, column, "format", make_text(env, format, strlen(format)));
  napi_create_int64(env, array->length, &number);
  set(env, column, "length", number);
  if (format[0] == 'n') return column;
  if (array->null_count != 0 && array->buffers[0] != NULL) set(env, column, "validity", make_bytes(env, array->buffers[0], (length + 7) / 8));
  if (format[0] == 'u' || format[0] == 'z') {
    const int32_t* offsets = array->buffers[1];
    set(env, column, "values", make_bytes(env, offsets, (length + 1) * sizeof *offsets));
    set(env, column, "texts", make_bytes(env, array->buffers[2], (size_t)offsets[length]));
  } else {
    set(env, column, "values", make_bytes(env, array->buffers[1], format[0] == 'b' ? (length + 7) / 8 : length * sizeof(int64_t)));
  }
  return column;
}

static napi_value make_columns(napi_env env, const Call* call) {
  napi_value columns;
  const size_t count = call->out[0] != 0 ? 0 : (size_t)call->schema.n_children;
  if (call->out[0] != 0) {
    napi_get_null(env, &columns);
    return columns;
  }
  napi_create_array_with_length(env, count, &columns);
  for (size_t i = 0; i < count; ++i) napi_set_element(env, columns, (uint32_t)i, make_column(env, call->schema.children[i], call->batch.children[i]));
  return columns;
}

static napi_value make_result(napi_env env, Call* call) {
  const char letter = call->operation->result[0];
  napi_value result = NULL, truth;
  const char* handle = strchr(kHandleLetters, letter);
  if (handle != NULL) return make_handle(env, call, (HandleKind)(handle - kHandleLetters));
  switch (letter) {
    case '1': return make_int64(env, call->out[0]);
    case '3':
    case '4': return make_int64s(env, call->out, (size_t)(letter - '0'));
    case 'L':
    case 'M': return make_rows(env, call);
    case 'A': return make_int64s(env, call->out_array[0], call->out_count[0]);
    case 'O': return make_columns(env, call);
    case 'T':
      if (call->out_text[0] != NULL) return make_text(env, call->out_text[0], strlen(call->out_text[0]));
      napi_get_null(env, &result);
      return result;
    case '-': napi_get_undefined(env, &result); return result;
    default: napi_create_object(env, &result);
  }
  switch (letter) {
    case 'R':
      napi_get_boolean(env, call->out[0] != 0, &truth);
      set(env, result, "rows", make_rows(env, call));
      set(env, result, "done", truth);
      set(env, result, "changes", make_int64(env, call->out[1]));
      set(env, result, "rowid", make_int64(env, call->out[2]));
      break;
    case 'E':
      set(env, result, "source", make_int64(env, call->out[0]));
      set(env, result, "target", make_int64(env, call->out[1]));
      /* fall through */
    case 'N':
      set(env, result, "first", make_text(env, call->out_text[0], call->out_text[0] == NULL ? 0 : strlen(call->out_text[0])));
      set(env, result, "properties", make_text(env, call->out_text[1], call->out_text[1] == NULL ? 0 : strlen(call->out_text[1])));
      break;
    case 'Q':
      set(env, result, "database", make_handle(env, call, kDatabase));
      set(env, result, "lost", make_rows(env, call));
      break;
    case 'Y':
      set(env, result, "nodes", make_int64s(env, call->out_array[0], call->out_count[0]));
      set(env, result, "edges", make_int64s(env, call->out_array[1], call->out_count[1]));
      napi_create_double(env, call->out_double, &truth);
      set(env, result, "cost", truth);
      break;
    default: break;
  }
  return result;
}

/* ---- Calling -------------------------------------------------------------------------------------------------------- */

static void set_busy(Call* call, bool is_busy) {
  Handle* cancel = call->cancel_handle;
  if (cancel != NULL) {
    cancel->pending += is_busy ? 1 : (size_t)-1;
    if (cancel->pending == 0 && cancel->closing != NULL) {
      braid_cancel_close(cancel->closing);
      cancel->closing = NULL;
    }
  }
  Handle* handle = call->handle;
  if (handle == NULL) return;
  if (handle->kind == kDatabase) {
    handle->pending += is_busy ? 1 : (size_t)-1;
  } else if (handle->kind == kBatch || handle->kind == kFeed) {
    handle->is_busy = is_busy;
  } else {
    handle->connection->is_busy = is_busy;
    if (!is_busy) close_left(handle->connection);
  }
}

/* What follows the call and has its thread here, or NULL. */
static Progress* progress_of(const Call* call) {
  if (call->progress != NULL || call->handle == NULL) return call->progress;
  Progress* progress = call->handle->connection != NULL ? call->handle->connection->progress : NULL;
  if (call->handle->kind == kDatabase && call->handle->pointer != NULL) progress = call->handle->shared->progress;
  return progress != NULL && !atomic_load(&progress->is_dead) && pthread_equal(pthread_self(), progress->thread) ? progress : NULL;
}

static void run_on_thread(napi_env env, void* data) {
  (void)env;
  Call* call = data;
  call->operation->run(call);
}

static void complete(napi_env env, napi_status status, void* data) {
  Call* call = data;
  set_busy(call, false);
  napi_delete_async_work(env, call->work);
  if (call->kept != NULL) napi_delete_reference(env, call->kept);
  if (call->cancel_kept != NULL) napi_delete_reference(env, call->cancel_kept);
  napi_value result = NULL;
  if (status == napi_ok && call->code == BRAID_OK) result = make_result(env, call);
  Progress* progress = progress_of(call);
  napi_value thrown = NULL;
  if (progress != NULL && progress->thrown != NULL) {
    napi_get_reference_value(env, progress->thrown, &thrown);
    napi_delete_reference(env, progress->thrown);
    progress->thrown = NULL;
  }
  if (result != NULL) {
    napi_resolve_deferred(env, call->deferred, result);
  } else if (thrown != NULL) {
    napi_reject_deferred(env, call->deferred, thrown);
  } else {
    const int32_t code = call->code != BRAID_OK ? call->code : status == napi_ok ? BRAID_OUT_OF_MEMORY : BRAID_INTERRUPTED;
    napi_reject_deferred(env, call->deferred, make_error(env, code, call->error, call->error_offset));
  }
  free_call(call);
}

static napi_value start(napi_env env, Call* call, napi_value handle) {
  napi_value promise, name;
  napi_create_string_utf8(env, call->operation->name, NAPI_AUTO_LENGTH, &name);
  if (call->handle != NULL) napi_create_reference(env, handle, 1, &call->kept);
  if (call->cancel_handle != NULL) napi_create_reference(env, call->cancel_value, 1, &call->cancel_kept);
  if (napi_create_promise(env, &call->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, NULL, name, run_on_thread, complete, call, &call->work) != napi_ok) {
    free_call(call);
    return NULL;
  }
  set_busy(call, true);
  napi_queue_async_work(env, call->work);
  return promise;
}

static napi_value call_operation(napi_env env, napi_callback_info info) {
  napi_value given[ARGUMENTS_MAX + 1];
  size_t count = ARGUMENTS_MAX + 1;
  void* data = NULL;
  napi_get_cb_info(env, info, &count, given, NULL, &data);
  Call* call = calloc(1, sizeof *call);
  if (call == NULL) {
    napi_throw(env, make_error(env, BRAID_OUT_OF_MEMORY, NULL, -1));
    return NULL;
  }
  call->operation = data;
  bool is_async = false;
  napi_get_value_bool(env, given[0], &is_async);
  if (!read_arguments(env, given + 1, call)) {
    free_call(call);
    return NULL;
  }
  Progress* progress = progress_of(call);
  if (progress != NULL) atomic_store(&progress->stops, false);
  if (is_async) return start(env, call, given[1]);
  call->operation->run(call);
  napi_value result = NULL;
  if (call->code == BRAID_OK) {
    result = make_result(env, call);
  } else {
    napi_throw(env, make_error(env, call->code, call->error, call->error_offset));
  }
  free_call(call);
  return result;
}

/* Stops what runs on a connection, or the waiting of a feed; the one call that may be made while a promise is pending. */
static napi_value interrupt(napi_env env, napi_callback_info info) {
  napi_value given[1];
  size_t count = 1;
  void* data = NULL;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  if (type_of(env, given[0]) == napi_external && napi_get_value_external(env, given[0], &data) == napi_ok) {
    const Handle* handle = data;
    if (handle->connection != NULL && handle->connection->pointer != NULL) braid_interrupt(handle->connection->pointer);
    if (handle->kind == kFeed) braid_feed_cancel(handle->pointer);
  }
  return NULL;
}

/* log(level, function): who is told of events up to a level; null: nobody. */
static napi_value on_log(napi_env env, napi_callback_info info) {
  napi_value given[2], name;
  size_t count = 2;
  int32_t level = 0;
  napi_threadsafe_function made = NULL;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  napi_get_value_int32(env, given[0], &level);
  if (type_of(env, given[1]) == napi_function) {
    napi_create_string_utf8(env, "braid log", NAPI_AUTO_LENGTH, &name);
    if (napi_create_threadsafe_function(env, given[1], NULL, name, 0, 1, NULL, NULL, NULL, pass_log_on, &made) != napi_ok) return NULL;
    napi_unref_threadsafe_function(env, made);
  }
  /* Nobody is told any more when this has returned. */
  braid_on_log(0, NULL, NULL);
  pthread_mutex_lock(&log_mutex);
  napi_threadsafe_function before = log_function;
  log_function = made;
  pthread_mutex_unlock(&log_mutex);
  if (before != NULL) napi_release_threadsafe_function(before, napi_tsfn_release);
  if (made == NULL) return NULL;
  const int32_t code = braid_on_log(level, log_event, NULL);
  if (code != BRAID_OK) napi_throw(env, make_error(env, code, NULL, -1));
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function, text;
  for (size_t i = 0; i < sizeof kOperations / sizeof kOperations[0]; ++i) {
    /* Safety: the table is never written; N-API wants a pointer without const. */
    napi_create_function(env, kOperations[i].name, NAPI_AUTO_LENGTH, call_operation, (void*)&kOperations[i], &function);
    set(env, exports, kOperations[i].name, function);
  }
  napi_create_function(env, "interrupt", NAPI_AUTO_LENGTH, interrupt, NULL, &function);
  set(env, exports, "interrupt", function);
  napi_create_function(env, "onLog", NAPI_AUTO_LENGTH, on_log, NULL, &function);
  set(env, exports, "onLog", function);
  napi_create_string_utf8(env, braid_version(), NAPI_AUTO_LENGTH, &text);
  set(env, exports, "version", text);
  return exports;
}
