// A database that one input after the other is run on, made anew now and then, with bounds that keep each input short.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "fuzz/input.h"
#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

namespace braid {

class ScratchDatabase {
 public:
  static constexpr const char* kOptions =
      "busy_timeout_ms=100;statement_time_max_ms=100;value_bytes_max=1000000;traversal_bytes_max=16000000;traversal_nodes_max=100000;"
      "transaction_bytes_max=16000000;rollup_bytes_max=16000000;projection_bytes_max=16000000;batch_bytes_max=16000000;tail_bytes_max=1000000;"
      "log_soft_bytes=1000000;wal_soft_bytes=1000000;maintenance_interval_ms=0";

  /// The database, with a table, a graph and a hypertable; after some inputs a new one. What names files is relative to its directory.
  TestDatabase& get() {
    if (inputs_++ % kInputsMax == 0) renew();
    return *database_;
  }
  /// Closes, opens and checks it: an input may be refused, and must not damage.
  void reopen() {
    database_.reset();
    database_ = std::make_unique<TestDatabase>(path(), kOptions);
    must(database_->ok() && database_->check().empty());
  }
  std::string path() const { return *directory_ / "db"; }

 private:
  static constexpr uint64_t kInputsMax = 500;

  void renew() {
    if (database_ != nullptr) reopen();
    database_.reset();
    directory_ = std::make_unique<TempDir>(memory_directory());
    std::filesystem::current_path(directory_->path());
    database_ = std::make_unique<TestDatabase>(path(), kOptions);
    TestConnection connection(*database_);
    must(connection.run("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, v); INSERT INTO t VALUES(1, 'a', 1.5), (2, 'b', NULL), (3, 'c', x'00');"
                        "SELECT graph_bind('T', 't', 'name');"
                        "INSERT INTO graph_nodes(labels, properties) VALUES('[\"P\"]', '{\"x\": 1}'), ('[\"P\"]', '{\"x\": 2}'), ('[\"P\"]', NULL);"
                        "INSERT INTO graph_edges(src, type, dst, properties) VALUES(4, 'E', 5, '{\"w\": 2}'), (5, 'E', 6, NULL), (6, 'E', 4, NULL);"
                        "CREATE VIRTUAL TABLE h USING hypertable(time TIMESTAMP, host TEXT TAG, f DOUBLE, n BIGINT, s TEXT);"
                        "INSERT INTO h VALUES('2024-01-01', 'a', 1.5, 1, 'x'), ('2024-01-01 01:00', 'a', 2.5, 2, 'y'), ('2024-01-02', 'b', NULL, 3, NULL)") ==
         BRAID_OK);
  }

  uint64_t inputs_ = 0;
  std::unique_ptr<TempDir> directory_;
  std::unique_ptr<TestDatabase> database_;
};

}  // namespace braid
