#include <fmt/format.h>

#include "bench/braid_subject.h"
#include "bench/harness.h"
#include "bench/mixed_subject.h"

namespace bench {

static constexpr const char* kUpdate = "UPDATE entities SET props = ? WHERE id = ?";
static constexpr const char* kEdgeType = "FEEDS";
static constexpr const char* kHypertable = "points";

static braid_column value_column(const Operation& operation) {
  braid_column column{};
  column.size_bytes = sizeof(column);
  column.type = BRAID_TYPE_DOUBLE;
  column.values = operation.values.data();
  return column;
}

static braid_value text_value(const std::string& text) {
  braid_value value{};
  value.type = BRAID_TYPE_TEXT;
  value.data = text.data();
  value.size = static_cast<int64_t>(text.size());
  return value;
}

namespace {

/// What the workers need to name an operation's objects to Braid.
struct Names {
  const std::vector<Entity>& entities;
  std::vector<int64_t> nodes;        // by entity number
  std::vector<std::string> sensors;  // by sensor number
};

class BatchWorker final : public Worker {
 public:
  BatchWorker(BraidDatabase& database, const Names& names) : names_(names) {
    if (braid_batch_open(database.handle(), &batch_) != BRAID_OK) {
      fail(fmt::format("braid: batch: {}", braid_database_error(database.handle())));
    }
  }
  ~BatchWorker() override { braid_batch_close(batch_); }

  void run(const Operation& operation) override {
    const braid_value values[] = {text_value(operation.properties),
                                  text_value(names_.entities[operation.entity].key)};
    check(braid_batch_execute(batch_, kUpdate, BRAID_NUL_TERMINATED, values, 2));
    check(braid_batch_edge(batch_, names_.nodes[operation.source], kEdgeType,
                           names_.nodes[operation.target], nullptr));
    const char* tag = names_.sensors[operation.sensor].c_str();
    const braid_column column = value_column(operation);
    check(braid_batch_points(batch_, kHypertable, &tag, 1, operation.times.data(),
                             kPointsPerOperation, &column, 1));
    check(braid_batch_commit(batch_, nullptr));
  }

 private:
  void check(int32_t code) {
    if (code != BRAID_OK) fail(fmt::format("braid: batch: {}", braid_batch_error(batch_)));
  }

  const Names& names_;
  braid_batch* batch_ = nullptr;
};

class InteractiveWorker final : public Worker {
 public:
  InteractiveWorker(BraidDatabase& database, const Names& names)
      : names_(names), connection_(database), update_(connection_, kUpdate) {
    connection_.check(braid_appender_open(connection_.handle(), kHypertable, &appender_),
                      "appender");
  }
  ~InteractiveWorker() override { braid_appender_close(appender_); }

  void run(const Operation& operation) override {
    connection_.begin();
    update_.bind(1, operation.properties);
    update_.bind(2, names_.entities[operation.entity].key);
    update_.run();
    int64_t edge = 0;
    connection_.check(braid_edge_create(connection_.handle(), names_.nodes[operation.source],
                                        kEdgeType, names_.nodes[operation.target], nullptr, &edge),
                      "edge");
    append(operation);
    connection_.commit();
  }

 private:
  void append(const Operation& operation) {
    const char* tag = names_.sensors[operation.sensor].c_str();
    connection_.check(braid_appender_series(appender_, &tag, 1), "series");
    const braid_column column = value_column(operation);
    connection_.check(
        braid_appender_columns(appender_, operation.times.data(), kPointsPerOperation, &column, 1),
        "points");
    connection_.check(braid_appender_flush(appender_), "flush");
  }

  const Names& names_;
  BraidConnection connection_;
  BraidStatement update_;
  braid_appender* appender_ = nullptr;
};

class Braid final : public Subject {
 public:
  Braid(const std::string& path, const std::vector<Entity>& entities)
      : database_(path, braid_options({{"cache_bytes", kMixedCacheBytes}})),
        connection_(database_),
        names_{entities, {}, {}} {
    connection_.execute(
        "CREATE TABLE entities(id TEXT PRIMARY KEY, type TEXT, name TEXT, props TEXT, "
        "created_at INTEGER);"
        "CREATE VIRTUAL TABLE points USING hypertable(time TIMESTAMP, sensor TEXT TAG, "
        "value DOUBLE)");
    for (uint64_t sensor = 0; sensor < kSensorCount; ++sensor) {
      names_.sensors.push_back(fmt::format("sensor-{:03}", sensor));
    }
    constexpr size_t kEntitiesPerTransaction = 10'000;
    for (size_t start = 0; start < entities.size(); start += kEntitiesPerTransaction) {
      load(start, std::min(start + kEntitiesPerTransaction, entities.size()));
    }
    if (braid_checkpoint(database_.handle()) != BRAID_OK) {
      fail(fmt::format("braid: checkpoint: {}", braid_database_error(database_.handle())));
    }
  }

  std::unique_ptr<Worker> start_worker(Style style) override {
    if (style == Style::kWhole) return std::make_unique<BatchWorker>(database_, names_);
    return std::make_unique<InteractiveWorker>(database_, names_);
  }
  std::map<std::string, int64_t> counters() override {
    std::map<std::string, int64_t> counters = database_.figures("syncs");
    counters.merge(database_.figures("groups"));
    return counters;
  }
  uint64_t count_edges() override {
    return static_cast<uint64_t>(connection_.query("SELECT count(*) FROM graph_edges"));
  }
  uint64_t count_points() override {
    return static_cast<uint64_t>(connection_.query("SELECT count(*) FROM points"));
  }

 private:
  /// Makes the row and the node of each entity.
  void load(size_t start, size_t limit) {
    BraidStatement insert(connection_, "INSERT INTO entities VALUES(?,?,?,?,?)");
    connection_.begin();
    for (size_t index = start; index < limit; ++index) {
      const Entity& entity = names_.entities[index];
      insert.bind(1, entity.key);
      insert.bind(2, entity.type);
      insert.bind(3, entity.name);
      insert.bind(4, entity.properties);
      insert.bind(5, entity.created_at);
      insert.run();
      const std::string properties = fmt::format(R"({{"id":"{}"}})", entity.key);
      int64_t node = 0;
      connection_.check(
          braid_node_create(connection_.handle(), R"(["Entity"])", properties.c_str(), &node),
          "node");
      names_.nodes.push_back(node);
    }
    connection_.commit();
  }

  BraidDatabase database_;
  BraidConnection connection_;
  Names names_;
};

}  // namespace

std::unique_ptr<Subject> open_mixed_braid(const std::string& path,
                                          const std::vector<Entity>& entities) {
  return std::make_unique<Braid>(path, entities);
}

}  // namespace bench
