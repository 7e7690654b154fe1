// Any bytes as a sequence of calls of the C API on a few handles, valid ones and NULL, in any order and state.
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "fuzz/scratch_database.h"

using namespace braid;

namespace {

constexpr const char* kStatements[] = {
    "BEGIN", "COMMIT", "ROLLBACK", "SELECT * FROM t", "INSERT INTO t(name, v) VALUES(?, ?) RETURNING id", "UPDATE t SET v = ? WHERE id = ?",
    "DELETE FROM t WHERE id = ?", "INSERT INTO h(time, host, f) VALUES(?, ?, ?)", "DELETE FROM h WHERE time < ?", "SELECT * FROM h ORDER BY time",
    "SELECT time_bucket('1 hour', time), avg(f), host FROM h GROUP BY 1, 3", "SELECT * FROM graph_nodes", "SELECT * FROM graph_neighbors(?)",
    "INSERT INTO graph_edges(src, type, dst) VALUES(?, 'E', ?)", "DELETE FROM graph_nodes WHERE id = ?", "SELECT * FROM graph_pagerank", "SELECT hypertable_compact('h')", "SELECT ?1, ?3",
    "CREATE TABLE IF NOT EXISTS other(x)", "DROP TABLE IF EXISTS other", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s", "SELECT count(*) FROM t, t, t, t", ""};
constexpr const char* kTexts[] = {"a", "b", "", "E", "P", "T", "h", "t", "name", "x", "pagerank", "{\"x\": 3}", "[\"P\"]", "{", "\"a\"", "2"};

/// Handles that were opened and are not closed; the last place is NULL for ever.
template <typename Handle, void (*Close)(Handle*)>
class Handles {
 public:
  ~Handles() {
    for (Handle* one : all_) Close(one);
  }
  Handle* pick(Input& input) { return all_[input.below(all_.size())]; }
  void put(Input& input, Handle* handle) {
    Handle*& place = all_[input.below(all_.size() - 1)];
    Close(place);
    place = handle;
  }

 private:
  std::array<Handle*, 4> all_ = {};
};

void close_appender(braid_appender* appender) { braid_appender_close(appender); }

class Calls {
 public:
  Calls(braid_database* database, Input& input) : database_(database), input_(input) {}

  void run() {
    for (int call = 0; call < 64 && !input_.empty(); ++call) {
      kept_.clear();
      const int32_t code = next();
      must(code != BRAID_INTERNAL && code != BRAID_CORRUPT);
      must(braid_code_text(code) != nullptr);
    }
  }

 private:
  braid_connection* connection() { return connections_.pick(input_); }
  const char* text() {
    const uint64_t which = input_.below(std::size(kTexts) + 2);
    if (which == std::size(kTexts)) return nullptr;
    if (which > std::size(kTexts)) return kept_.emplace_back(input_.text()).c_str();
    return kTexts[which];
  }
  std::string_view sql() {
    const uint64_t which = input_.below(std::size(kStatements) + 1);
    if (which < std::size(kStatements)) return kStatements[which];
    return kept_.emplace_back(input_.text());
  }

  int32_t next() {
    switch (input_.below(8)) {
      case 0: return connect();
      case 1: return transact();
      case 2:
      case 3: return state();
      case 4: return graph();
      case 5: return points();
      case 6: return batch();
      default: return project();
    }
  }

  int32_t connect() {
    if (input_.below(4) == 0) {
      const int32_t code = braid_checkpoint(input_.flag() ? database_ : nullptr);
      return code;
    }
    braid_connection* made = nullptr;
    const int32_t code = braid_connect(database_, &made);
    connections_.put(input_, made);
    return code;
  }

  int32_t transact() {
    braid_connection* on = connection();
    uint64_t lsn = 0;
    switch (input_.below(8)) {
      case 0: return braid_begin(on, static_cast<int32_t>(input_.below(4)));
      case 1: return braid_commit(on);
      case 2: return braid_rollback(on);
      case 3: return braid_savepoint(on, text());
      case 4: return braid_release(on, text());
      case 5: return braid_rollback_to(on, text());
      case 6: return braid_lsn(on, &lsn);
      default: braid_interrupt(on); return braid_set_time_limit(on, input_.number() % 50);
    }
  }

  int32_t state() {
    if (input_.below(3) == 0) {
      const std::string_view text = sql();
      braid_statement* made = nullptr;
      int64_t tail = 0;
      const int32_t code = braid_prepare(connection(), text.data(), static_cast<int64_t>(text.size()), &made, &tail);
      statements_.put(input_, made);
      return code;
    }
    braid_statement* on = statements_.pick(input_);
    const auto column = static_cast<int32_t>(input_.number());
    int64_t size = 0;
    switch (input_.below(10)) {
      case 0: return braid_statement_reset(on);
      case 1: return braid_bind_int64(on, column, input_.number());
      case 2: return braid_bind_double(on, column, input_.real());
      case 3: {
        const std::string value = input_.text();
        return braid_bind_text(on, column, value.data(), static_cast<int64_t>(value.size()));
      }
      case 4: return braid_bind_null(on, column);
      case 5: must(braid_column_text(on, column, &size) != nullptr && size >= 0); return BRAID_OK;
      case 6: must(braid_column_name(on, column) != nullptr); return braid_column_type(on, column);
      case 7: return read_batch(on);
      default: return braid_statement_step(on);
    }
  }

  int32_t read_batch(braid_statement* on) {
    ArrowSchema schema = {};
    ArrowArray array = {};
    const int32_t code = braid_statement_batch(on, input_.number() % 100, &schema, &array);
    must((code == BRAID_ROW) == (array.release != nullptr));
    if (array.release != nullptr) array.release(&array);
    if (schema.release != nullptr) schema.release(&schema);
    return code;
  }

  int32_t graph() {
    braid_connection* on = connection();
    const int64_t id = input_.number();
    const int64_t other = input_.number();
    int64_t made = 0;
    const char *labels = nullptr, *properties = nullptr;
    size_t count = 0;
    switch (input_.below(10)) {
      case 0: return braid_node_create(on, text(), text(), &made);
      case 1: return braid_node_update(on, id, text(), text());
      case 2: return braid_node_delete(on, id, static_cast<int32_t>(input_.below(4)));
      case 3: return braid_node_find(on, text(), text(), text(), &made);
      case 4: return braid_node_read(on, id, &labels, &properties);
      case 5: return braid_edge_create(on, id, text(), other, text(), &made);
      case 6: return braid_edge_delete(on, id);
      case 7: return braid_edges_create(on, text(), &id, &other, nullptr, input_.below(2), &made);
      case 8: {
        std::array<braid_neighbor, 8> found;
        return braid_neighbors(on, id, static_cast<int32_t>(input_.below(5)), text(), found.data(), input_.below(9), &count);
      }
      default: {
        double cost = 0;
        return braid_shortest_path(on, id, other, static_cast<int32_t>(input_.below(5)), text(), text(), nullptr, nullptr, 0, &count, &cost);
      }
    }
  }

  int32_t points() {
    const char* tag = text();
    if (input_.below(4) == 0) {
      braid_appender* made = nullptr;
      const int32_t code = braid_appender_open(connection(), input_.flag() ? "h" : tag, &made);
      appenders_.put(input_, made);
      return code;
    }
    braid_appender* on = appenders_.pick(input_);
    const double values[] = {input_.real(), input_.real(), input_.real()};
    switch (input_.below(6)) {
      case 0: return braid_appender_series(on, &tag, input_.below(3));
      case 1: return braid_appender_on_conflict(on, tag);
      case 2: return braid_appender_flush(on);
      case 3: return braid_appender_discard(on);
      case 4: return append_columns(on);
      default: return braid_appender_point(on, input_.number(), values, nullptr, input_.below(4));
    }
  }

  int32_t append_columns(braid_appender* on) {
    const int64_t times[] = {input_.number(), input_.number()};
    const double reals[] = {input_.real(), 2};
    const int64_t integers[] = {input_.number(), 2};
    const char* texts[] = {text(), "y"};
    const braid_column columns[] = {{sizeof(braid_column), static_cast<int32_t>(1 + input_.below(3)), reals, nullptr},
                                    {sizeof(braid_column), BRAID_TYPE_INT64, integers, nullptr},
                                    {input_.flag() ? sizeof(braid_column) : 0, BRAID_TYPE_TEXT, texts, nullptr}};
    // A type that does not fit its values' array may be taken for one of the same size only.
    if (columns[0].type == BRAID_TYPE_TEXT) return BRAID_OK;
    return braid_appender_columns(on, times, input_.below(3), columns, input_.below(4));
  }

  int32_t batch() {
    if (input_.below(4) == 0) {
      braid_batch* made = nullptr;
      const int32_t code = braid_batch_open(database_, &made);
      batches_.put(input_, made);
      return code;
    }
    braid_batch* on = batches_.pick(input_);
    const std::string_view text_of_sql = sql();
    uint64_t lsn = 0;
    switch (input_.below(4)) {
      case 0: {
        braid_value values[2] = {};
        values[0].type = BRAID_TYPE_INT64;
        values[0].int64_value = input_.number();
        values[1].type = BRAID_TYPE_TEXT;
        values[1].data = "z";
        values[1].size = BRAID_NUL_TERMINATED;
        return braid_batch_execute(on, text_of_sql.data(), static_cast<int64_t>(text_of_sql.size()), values, input_.below(3));
      }
      case 1: return braid_batch_edge(on, input_.number(), text(), input_.number(), text());
      case 2: return braid_batch_node(on, text(), text());
      default: return braid_batch_commit(on, &lsn);
    }
  }

  int32_t project() {
    if (input_.below(3) == 0) {
      braid_projection* made = nullptr;
      const int32_t code = braid_projection_open(connection(), text(), &made);
      projections_.put(input_, made);
      return code;
    }
    braid_projection* on = projections_.pick(input_);
    int64_t nodes[4];
    size_t count = 0;
    if (input_.flag()) return braid_projection_hops(on, input_.number(), static_cast<uint32_t>(input_.below(5)), static_cast<int32_t>(input_.below(5)), nodes, 4, &count);
    if (input_.flag()) {
      braid_statement* made = nullptr;
      const int32_t code = braid_algorithm(connection(), text(), text(), text(), &made);
      statements_.put(input_, made);
      return code;
    }
    return braid_projection_path(on, input_.number(), input_.number(), static_cast<int32_t>(input_.below(5)), nodes, nullptr, input_.below(5), &count);
  }

  braid_database* const database_;
  Input& input_;
  std::deque<std::string> kept_;  // what this call was given
  Handles<braid_connection, braid_disconnect> connections_;
  Handles<braid_statement, braid_statement_close> statements_;
  Handles<braid_appender, close_appender> appenders_;
  Handles<braid_batch, braid_batch_close> batches_;
  Handles<braid_projection, braid_projection_close> projections_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Never closed: RocksDB is gone by the time that a static object is destroyed.
  static ScratchDatabase& scratch = *new ScratchDatabase;
  Input input(data, size);
  Calls(scratch.get().get(), input).run();
  return 0;
}
