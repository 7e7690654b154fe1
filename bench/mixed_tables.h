// The SQLite and RocksDB halves of an operation, from which the peers of bench/mixed are put
// together.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/mixed_workload.h"
#include "bench/sqlite_peer.h"

namespace bench {

/// The entities' table in a SQLite file.
class SqliteEntities {
 public:
  SqliteEntities(SqliteFile& file, const std::vector<Entity>& entities);
  void update(const Operation& operation);

 private:
  const std::vector<Entity>& entities_;
  std::unique_ptr<SqliteStatement> update_;
};

/// The edges' table, readable in both directions.
class SqliteEdges {
 public:
  explicit SqliteEdges(SqliteFile& file);
  void insert(const Operation& operation);

 private:
  std::unique_ptr<SqliteStatement> insert_;
};

/// The points' table, ordered by sensor and time.
class SqlitePoints {
 public:
  explicit SqlitePoints(SqliteFile& file);
  void insert(const Operation& operation);

 private:
  std::unique_ptr<SqliteStatement> insert_;
};

/// BEGIN IMMEDIATE and COMMIT, kept prepared.
class SqliteTransactions {
 public:
  explicit SqliteTransactions(SqliteFile& file);
  void begin() { begin_.run(); }
  void commit() { commit_.run(); }

 private:
  SqliteStatement begin_;
  SqliteStatement commit_;
};

/// A RocksDB with one column family each for outgoing edges, incoming edges, entities and points.
/// Threads: any.
class RocksdbTables {
 public:
  explicit RocksdbTables(const std::string& path);
  ~RocksdbTables();
  RocksdbTables(const RocksdbTables&) = delete;
  RocksdbTables& operator=(const RocksdbTables&) = delete;

  void load(const std::vector<Entity>& entities);
  void put_entity(rocksdb::WriteBatch& batch, const Entity& entity, const std::string& properties);
  void put_edge(rocksdb::WriteBatch& batch, const Operation& operation);
  void put_points(rocksdb::WriteBatch& batch, const Operation& operation);
  /// Writes the batch and syncs the log.
  void write(rocksdb::WriteBatch& batch);
  uint64_t count_edges() { return count(kOut); }
  uint64_t count_points() { return count(kPoints); }

 private:
  enum Family : size_t { kOut, kIn, kEntities, kPoints };
  uint64_t count(Family family);

  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace bench
