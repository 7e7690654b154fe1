#include <filesystem>
#include <functional>
#include <mutex>

#include "bench/harness.h"
#include "bench/mixed_subject.h"
#include "bench/mixed_tables.h"

namespace bench {

static constexpr SqliteSettings kSqliteSettings{.cache_bytes = kMixedCacheBytes};

static const std::string& make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail(path + ": cannot be created");
  return path;
}

namespace {

/// A worker that asks its subject; the subject locks what threads may not share.
class SharedWorker final : public Worker {
 public:
  explicit SharedWorker(std::function<void(const Operation&)> run) : run_(std::move(run)) {}
  void run(const Operation& operation) override { run_(operation); }

 private:
  std::function<void(const Operation&)> run_;
};

class Glue final : public Subject {
 public:
  Glue(const std::string& path, const std::vector<Entity>& entities)
      : rows_(make_directory(path) + "/rows.db", kSqliteSettings),
        points_file_(path + "/points.db", kSqliteSettings),
        edges_(path + "/edges"),
        entities_(rows_, entities),
        points_(points_file_),
        rows_transactions_(rows_),
        points_transactions_(points_file_) {}

  std::unique_ptr<Worker> start_worker(Style style) override {
    if (style != Style::kWhole) return nullptr;
    return std::make_unique<SharedWorker>([this](const Operation& operation) { run(operation); });
  }
  uint64_t count_edges() override { return edges_.count_edges(); }
  uint64_t count_points() override {
    return static_cast<uint64_t>(points_file_.query("SELECT count(*) FROM points"));
  }

 private:
  void run(const Operation& operation) {
    {
      const std::lock_guard lock(rows_mutex_);
      rows_transactions_.begin();
      entities_.update(operation);
      rows_transactions_.commit();
    }
    rocksdb::WriteBatch batch;
    edges_.put_edge(batch, operation);
    edges_.write(batch);
    const std::lock_guard lock(points_mutex_);
    points_transactions_.begin();
    points_.insert(operation);
    points_transactions_.commit();
  }

  SqliteFile rows_;
  SqliteFile points_file_;
  RocksdbTables edges_;
  std::mutex rows_mutex_;
  SqliteEntities entities_;  // rows_mutex_
  std::mutex points_mutex_;
  SqlitePoints points_;                     // points_mutex_
  SqliteTransactions rows_transactions_;    // rows_mutex_
  SqliteTransactions points_transactions_;  // points_mutex_
};

class OneSqlite final : public Subject {
 public:
  OneSqlite(const std::string& path, const std::vector<Entity>& entities)
      : file_(make_directory(path) + "/all.db", kSqliteSettings),
        entities_(file_, entities),
        edges_(file_),
        points_(file_),
        transactions_(file_) {}

  std::unique_ptr<Worker> start_worker(Style style) override {
    if (style != Style::kWhole) return nullptr;
    return std::make_unique<SharedWorker>([this](const Operation& operation) { run(operation); });
  }
  uint64_t count_edges() override {
    return static_cast<uint64_t>(file_.query("SELECT count(*) FROM edges"));
  }
  uint64_t count_points() override {
    return static_cast<uint64_t>(file_.query("SELECT count(*) FROM points"));
  }

 private:
  void run(const Operation& operation) {
    const std::lock_guard lock(mutex_);
    transactions_.begin();
    entities_.update(operation);
    edges_.insert(operation);
    points_.insert(operation);
    transactions_.commit();
  }

  std::mutex mutex_;  // guards all below
  SqliteFile file_;
  SqliteEntities entities_;
  SqliteEdges edges_;
  SqlitePoints points_;
  SqliteTransactions transactions_;
};

class OneRocksdb final : public Subject {
 public:
  OneRocksdb(const std::string& path, const std::vector<Entity>& entities)
      : entities_(entities), tables_(path) {
    tables_.load(entities);
  }

  std::unique_ptr<Worker> start_worker(Style style) override {
    if (style != Style::kWhole) return nullptr;
    return std::make_unique<SharedWorker>([this](const Operation& operation) { run(operation); });
  }
  uint64_t count_edges() override { return tables_.count_edges(); }
  uint64_t count_points() override { return tables_.count_points(); }

 private:
  void run(const Operation& operation) {
    rocksdb::WriteBatch batch;
    tables_.put_entity(batch, entities_[operation.entity], operation.properties);
    tables_.put_edge(batch, operation);
    tables_.put_points(batch, operation);
    tables_.write(batch);
  }

  const std::vector<Entity>& entities_;
  RocksdbTables tables_;
};

}  // namespace

std::unique_ptr<Subject> open_mixed_glue(const std::string& path,
                                         const std::vector<Entity>& entities) {
  return std::make_unique<Glue>(path, entities);
}

std::unique_ptr<Subject> open_mixed_sqlite(const std::string& path,
                                           const std::vector<Entity>& entities) {
  return std::make_unique<OneSqlite>(path, entities);
}

std::unique_ptr<Subject> open_mixed_rocksdb(const std::string& path,
                                            const std::vector<Entity>& entities) {
  return std::make_unique<OneRocksdb>(path, entities);
}

}  // namespace bench
