// The rules on threads of braid.h, each kept by several threads at a time. The thread sanitizer says whether keeping them is enough.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/braid.h"
#include "tests/support/temp_dir.h"

namespace {

constexpr int kThreads = 6;
constexpr int kRounds = 12;
constexpr int64_t kNul = BRAID_NUL_TERMINATED;

std::atomic<int> failures{0};

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);           \
      failures.fetch_add(1);                                                         \
    }                                                                                \
  } while (false)

/// Runs `body(i)` on threads 0 to kThreads - 1 at a time.
void on_threads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

braid_connection* connect(braid_database* database) {
  braid_connection* connection = nullptr;
  CHECK(braid_connect(database, &connection) == BRAID_OK);
  return connection;
}

int32_t run(braid_connection* connection, const std::string& sql) { return braid_execute(connection, sql.c_str(), kNul); }

int64_t number(braid_connection* connection, const char* sql) {
  braid_statement* statement = nullptr;
  int64_t value = -1;
  if (braid_prepare(connection, sql, kNul, &statement, nullptr) == BRAID_OK && braid_statement_step(statement) == BRAID_ROW) value = braid_column_int64(statement, 0);
  braid_statement_close(statement);
  return value;
}

void count_figure(void* context, const braid_figure*) { ++*static_cast<int*>(context); }

/// A database handle is for all threads, and each has its own message.
void a_database_is_shared(braid_database* database) {
  on_threads([&](int i) {
    const std::string name = "no_such_option_" + std::to_string(i);
    for (int round = 0; round < kRounds; ++round) {
      int64_t value = 0;
      int figures = 0;
      uint64_t lsn = 0;
      braid_option option = {};
      option.size_bytes = sizeof option;
      CHECK(braid_option_get(database, name.c_str(), &value) == BRAID_NOT_FOUND);
      std::this_thread::yield();
      CHECK(std::strstr(braid_database_error(database), name.c_str()) != nullptr);
      CHECK(braid_stats(database, count_figure, &figures) == BRAID_OK && figures > 10);
      CHECK(braid_sync(database, &lsn) == BRAID_OK);
      CHECK(braid_option_at(static_cast<size_t>(i), &option) == BRAID_OK);
      CHECK(std::strcmp(braid_code_name(braid_option_at(SIZE_MAX, &option)), "BRAID_NOT_FOUND") == 0);
      if (round % 4 == i % 4) CHECK(braid_checkpoint(database) == BRAID_OK);
      if (round == i) CHECK(braid_check(database, nullptr, nullptr) == BRAID_OK);
      CHECK(braid_maintain(database, 1, nullptr) == BRAID_OK);
      CHECK(braid_database_set_time_limit(database, 0) == BRAID_OK);
    }
  });
}

/// Connections are independent: rows, graph and points of several are written and read at a time.
void connections_are_independent(braid_database* database) {
  on_threads([&](int i) {
    braid_connection* connection = connect(database);
    braid_appender* appender = nullptr;
    braid_projection* projection = nullptr;
    const std::string host = "h" + std::to_string(i);
    const char* tags[] = {host.c_str()};
    CHECK(braid_appender_open(connection, "m", &appender) == BRAID_OK);
    CHECK(braid_appender_series(appender, tags, 1) == BRAID_OK);
    for (int round = 0; round < kRounds; ++round) {
      const double value = round;
      int64_t node = 0;
      size_t reached = 0;
      CHECK(braid_begin(connection, BRAID_WRITE) == BRAID_OK);
      CHECK(run(connection, "INSERT INTO t VALUES(" + std::to_string(i) + ")") == BRAID_OK);
      CHECK(braid_node_create(connection, nullptr, nullptr, &node) == BRAID_OK);
      CHECK(braid_edge_create(connection, node, "T", node, nullptr, nullptr) == BRAID_OK);
      CHECK(braid_appender_point(appender, round, &value, nullptr, 1) == BRAID_OK);
      CHECK(braid_commit(connection) == BRAID_OK);
      CHECK(braid_projection_open(connection, nullptr, &projection) == BRAID_OK);
      CHECK(braid_projection_hops(projection, node, 2, BRAID_BOTH, nullptr, 0, &reached) == BRAID_OK && reached == 0);
      braid_projection_close(projection);
      CHECK(braid_begin(connection, BRAID_READ) == BRAID_OK);
      CHECK(number(connection, "SELECT (SELECT count(*) FROM t) = (SELECT count(*) FROM m) AND (SELECT count(*) FROM m) = (SELECT count(*) FROM graph_nodes)") == 1);
      CHECK(braid_rollback(connection) == BRAID_OK);
    }
    CHECK(braid_appender_close(appender) == BRAID_OK);
    braid_disconnect(connection);
  });
}

/// One connection, and a statement of it, used in turns.
void a_connection_is_used_in_turns(braid_database* database) {
  braid_connection* connection = connect(database);
  braid_statement* statement = nullptr;
  std::mutex turn;
  CHECK(braid_prepare(connection, "SELECT ?1 + 1", kNul, &statement, nullptr) == BRAID_OK);
  on_threads([&](int i) {
    for (int round = 0; round < kRounds; ++round) {
      const std::lock_guard lock(turn);
      CHECK(braid_bind_int64(statement, 1, i) == BRAID_OK);
      CHECK(braid_statement_step(statement) == BRAID_ROW && braid_column_int64(statement, 0) == i + 1);
      CHECK(braid_statement_reset(statement) == BRAID_OK);
      CHECK(run(connection, "no SQL") == BRAID_SQL && std::strlen(braid_connection_error(connection)) > 0);
    }
  });
  braid_statement_close(statement);
  braid_disconnect(connection);
}

/// A batch per thread, committed together.
void batches_are_independent(braid_database* database) {
  on_threads([&](int i) {
    braid_batch* batch = nullptr;
    CHECK(braid_batch_open(database, &batch) == BRAID_OK);
    for (int round = 0; round < kRounds; ++round) {
      const braid_value value = {BRAID_TYPE_INT64, i, 0, nullptr, 0};
      uint64_t lsn = 0;
      CHECK(braid_batch_execute(batch, "INSERT INTO written VALUES(?1)", kNul, &value, 1) == BRAID_OK);
      CHECK(braid_batch_node(batch, nullptr, "{\"batch\": true}") == BRAID_OK);
      if (round % 5 == 4) CHECK(braid_batch_execute(batch, "INSERT INTO no_such VALUES(1)", kNul, nullptr, 0) == BRAID_OK);
      const int32_t code = braid_batch_commit(batch, &lsn);
      CHECK(round % 5 == 4 ? code == BRAID_SQL && std::strlen(braid_batch_error(batch)) > 0 : code == BRAID_OK && lsn > 0);
    }
    braid_batch_close(batch);
  });
}

/// Interrupts and tokens come from anywhere, while connections work, come and go.
void stops_come_from_anywhere(braid_database* database) {
  braid_cancel* cancel = nullptr;
  CHECK(braid_cancel_open(&cancel) == BRAID_OK);
  braid_connection* interrupted = connect(database);
  std::atomic<int> working{kThreads / 2};
  on_threads([&](int i) {
    if (i == 0) {
      while (working.load() > 0) {
        braid_cancel_set(cancel);
        braid_interrupt(interrupted);
        std::this_thread::yield();
        braid_cancel_reset(cancel);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
      return;
    }
    if (i == 1) {
      while (working.load() > 0) run(interrupted, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT max(i) FROM n");
      return;
    }
    if (i >= 2 + kThreads / 2) return;
    for (int round = 0; round < kRounds; ++round) {
      braid_connection* connection = connect(database);
      CHECK(braid_connection_set_cancel(connection, cancel) == BRAID_OK);
      const int32_t code = run(connection, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT max(i) FROM n");
      CHECK(code == BRAID_OK || code == BRAID_INTERRUPTED);
      const int32_t written = braid_nodes_create(connection, nullptr, nullptr, 100, nullptr);
      CHECK(written == BRAID_OK || written == BRAID_INTERRUPTED);
      braid_cancel_is_set(cancel);
      braid_disconnect(connection);
    }
    working.fetch_sub(1);
  });
  braid_disconnect(interrupted);
  braid_cancel_close(cancel);
}

/// Arrays of Arrow go to other threads, and outlive stream, statement and connection.
void arrays_belong_to_whoever_has_them(braid_database* database) {
  std::mutex mutex;
  std::deque<ArrowArray> handed;
  std::atomic<int> making{kThreads / 2};
  std::atomic<int64_t> sum{0};
  on_threads([&](int i) {
    if (i < kThreads / 2) {
      braid_connection* connection = connect(database);
      braid_statement* statement = nullptr;
      ArrowArrayStream stream = {};
      braid_arrow_options options = {};
      options.size_bytes = sizeof options;
      options.rows_max = 50;
      CHECK(braid_prepare(connection, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, 'text ' || i FROM n", kNul, &statement,
                          nullptr) == BRAID_OK);
      CHECK(braid_statement_arrow(statement, &options, &stream) == BRAID_OK);
      for (;;) {
        ArrowArray array = {};
        CHECK(stream.get_next(&stream, &array) == 0);
        if (array.release == nullptr) break;
        const std::lock_guard lock(mutex);
        handed.push_back(array);
      }
      stream.release(&stream);
      braid_statement_close(statement);
      braid_disconnect(connection);
      making.fetch_sub(1);
      return;
    }
    for (;;) {
      const bool last = making.load() == 0;
      ArrowArray array = {};
      {
        const std::lock_guard lock(mutex);
        if (!handed.empty()) {
          array = handed.front();
          handed.pop_front();
        }
      }
      if (array.release == nullptr) {
        if (last) return;
        std::this_thread::yield();
        continue;
      }
      const auto* values = static_cast<const int64_t*>(array.children[0]->buffers[1]);
      for (int64_t row = 0; row < array.length; ++row) sum.fetch_add(values[row]);
      array.release(&array);
    }
  });
  CHECK(sum.load() == int64_t{kThreads / 2} * 1000 * 1001 / 2);
}

struct Told {
  int events = 0;  // written by whichever thread meets one, without a lock: they come one at a time
};

/// Events come one at a time, from any thread; progress comes on the thread of the call.
void callbacks_keep_their_threads(braid_database* database) {
  Told told;
  CHECK(braid_on_log(BRAID_LOG_INFO, [](void* context, const braid_event* event) { static_cast<Told*>(context)->events += event->message != nullptr ? 1 : 0; }, &told) ==
        BRAID_OK);
  on_threads([&](int i) {
    braid_connection* connection = connect(database);
    std::thread::id own = std::this_thread::get_id();
    CHECK(braid_on_progress(connection,
                            [](void* context, double fraction) -> int32_t {
                              CHECK(*static_cast<std::thread::id*>(context) == std::this_thread::get_id());
                              CHECK(fraction >= 0 && fraction <= 1);
                              return 0;
                            },
                            &own) == BRAID_OK);
    for (int round = 0; round < 3; ++round) {
      CHECK(run(connection, "INSERT INTO written VALUES(" + std::to_string(i) + ")") == BRAID_OK);
      CHECK(braid_checkpoint(database) == BRAID_OK);
    }
    braid_disconnect(connection);
  });
  CHECK(braid_on_log(0, nullptr, nullptr) == BRAID_OK);
  CHECK(told.events > 0);
  const int before = told.events;
  CHECK(braid_checkpoint(database) == BRAID_OK);
  CHECK(told.events == before);
}

void run_all(const std::string& directory) {
  braid_database* database = nullptr;
  CHECK(braid_open(directory.c_str(), "busy_timeout_ms=120000", &database) == BRAID_OK);
  braid_connection* connection = connect(database);
  CHECK(run(connection, "CREATE TABLE t(x); CREATE TABLE written(x); CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE)") == BRAID_OK);
  connections_are_independent(database);
  a_database_is_shared(database);
  a_connection_is_used_in_turns(database);
  batches_are_independent(database);
  CHECK(number(connection, "SELECT count(*) FROM written") == kThreads * (kRounds - kRounds / 5));
  stops_come_from_anywhere(database);
  arrays_belong_to_whoever_has_them(database);
  callbacks_keep_their_threads(database);
  CHECK(braid_check(database, nullptr, nullptr) == BRAID_OK);
  // Children keep their parents: the last handle closes the database, on whichever thread.
  CHECK(braid_close(database) == BRAID_OK);
  std::thread([&] { braid_disconnect(connection); }).join();
  CHECK(braid_open(directory.c_str(), nullptr, &database) == BRAID_OK);
  CHECK(braid_close(database) == BRAID_OK);
}

}  // namespace

int main() {
  const braid::TempDir folder;
  run_all(folder / "db");
  std::printf("%d failures\n", failures.load());
  return failures.load() == 0 ? 0 : 1;
}
