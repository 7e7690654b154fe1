#include "bench/mixed_tables.h"

#include <fmt/format.h>

#include <bit>

#include "bench/harness.h"

namespace bench {

SqliteEntities::SqliteEntities(SqliteFile& file, const std::vector<Entity>& entities)
    : entities_(entities) {
  file.execute(
      "CREATE TABLE entities(id TEXT PRIMARY KEY, type TEXT, name TEXT, props TEXT, "
      "created_at INTEGER)");
  file.execute("BEGIN");
  SqliteStatement insert(file.handle(), "INSERT INTO entities VALUES(?,?,?,?,?)");
  for (const Entity& entity : entities) {
    insert.bind(1, entity.key);
    insert.bind(2, entity.type);
    insert.bind(3, entity.name);
    insert.bind(4, entity.properties);
    insert.bind(5, entity.created_at);
    insert.run();
  }
  file.execute("COMMIT");
  file.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  update_ = std::make_unique<SqliteStatement>(file.handle(),
                                              "UPDATE entities SET props = ? WHERE id = ?");
}

void SqliteEntities::update(const Operation& operation) {
  update_->bind(1, operation.properties);
  update_->bind(2, entities_[operation.entity].key);
  update_->run();
}

SqliteEdges::SqliteEdges(SqliteFile& file) {
  file.execute(
      "CREATE TABLE edges(source INTEGER, target INTEGER, PRIMARY KEY(source, target)) "
      "WITHOUT ROWID; CREATE UNIQUE INDEX edges_in ON edges(target, source)");
  insert_ = std::make_unique<SqliteStatement>(file.handle(), "INSERT INTO edges VALUES(?,?)");
}

void SqliteEdges::insert(const Operation& operation) {
  insert_->bind(1, static_cast<int64_t>(operation.source));
  insert_->bind(2, static_cast<int64_t>(operation.target));
  insert_->run();
}

SqlitePoints::SqlitePoints(SqliteFile& file) {
  file.execute(
      "CREATE TABLE points(sensor INTEGER, time INTEGER, value REAL, PRIMARY KEY(sensor, time)) "
      "WITHOUT ROWID");
  insert_ = std::make_unique<SqliteStatement>(file.handle(),
                                              "INSERT OR REPLACE INTO points VALUES(?,?,?)");
}

void SqlitePoints::insert(const Operation& operation) {
  for (size_t index = 0; index < kPointsPerOperation; ++index) {
    insert_->bind(1, static_cast<int64_t>(operation.sensor));
    insert_->bind(2, operation.times[index]);
    insert_->bind(3, operation.values[index]);
    insert_->run();
  }
}

SqliteTransactions::SqliteTransactions(SqliteFile& file)
    : begin_(file.handle(), "BEGIN IMMEDIATE"), commit_(file.handle(), "COMMIT") {}

static void check(const rocksdb::Status& status, std::string_view doing) {
  if (!status.ok()) fail(fmt::format("rocksdb: {}: {}", doing, status.ToString()));
}

RocksdbTables::RocksdbTables(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.IncreaseParallelism(2);
  options.max_total_wal_size = uint64_t{256} << 20;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, options},
      {"in", options},
      {"entities", options},
      {"points", options}};
  rocksdb::DB* database = nullptr;
  check(rocksdb::DB::Open(options, path, families, &families_, &database), path);
  database_.reset(database);
}

RocksdbTables::~RocksdbTables() {
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    database_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
}

void RocksdbTables::load(const std::vector<Entity>& entities) {
  rocksdb::WriteBatch batch;
  for (const Entity& entity : entities) put_entity(batch, entity, entity.properties);
  write(batch);
}

/// Bytes that sort as the number does.
template <typename Integer>
static std::string big_endian(Integer value) {
  std::string bytes(sizeof(value), '\0');
  for (size_t index = 0; index < sizeof(value); ++index) {
    bytes[index] = static_cast<char>(value >> (8 * (sizeof(value) - 1 - index)));
  }
  return bytes;
}

static std::string pair_key(uint64_t first, uint64_t second) {
  return big_endian(static_cast<uint32_t>(first)) + big_endian(static_cast<uint32_t>(second));
}

void RocksdbTables::put_entity(rocksdb::WriteBatch& batch, const Entity& entity,
                               const std::string& properties) {
  check(batch.Put(families_[kEntities], entity.key, properties), "put");
}

void RocksdbTables::put_edge(rocksdb::WriteBatch& batch, const Operation& operation) {
  check(batch.Put(families_[kOut], pair_key(operation.source, operation.target), ""), "put");
  check(batch.Put(families_[kIn], pair_key(operation.target, operation.source), ""), "put");
}

void RocksdbTables::put_points(rocksdb::WriteBatch& batch, const Operation& operation) {
  for (size_t index = 0; index < kPointsPerOperation; ++index) {
    const std::string key = big_endian(static_cast<uint32_t>(operation.sensor)) +
                            big_endian(static_cast<uint64_t>(operation.times[index]));
    check(batch.Put(families_[kPoints], key,
                    big_endian(std::bit_cast<uint64_t>(operation.values[index]))),
          "put");
  }
}

void RocksdbTables::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  check(database_->Write(options, &batch), "write");
}

uint64_t RocksdbTables::count(Family family) {
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_->NewIterator(rocksdb::ReadOptions(), families_[family]));
  uint64_t count = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++count;
  check(iterator->status(), "count");
  return count;
}

}  // namespace bench
