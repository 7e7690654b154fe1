// SQLite in the benchmark `timeseries`: a table clustered by host and time.
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "bench/harness.h"
#include "bench/sqlite_peer.h"
#include "bench/timeseries_subject.h"

namespace bench {
namespace {

constexpr int64_t kSqliteCacheBytes = int64_t{2} << 30;

class SqliteSeries final : public SeriesSubject {
 public:
  explicit SqliteSeries(const std::string& directory) : directory_(directory) {
    std::filesystem::create_directory(directory);
    open();
    std::string columns;
    for (const char* metric : kMetrics) columns += fmt::format(", {} REAL", metric);
    file_->execute("CREATE TABLE hosts(hostname TEXT PRIMARY KEY)");
    file_->execute(fmt::format("CREATE TABLE cpu(hostname TEXT NOT NULL, time INTEGER NOT NULL{}, PRIMARY KEY(hostname, time)) WITHOUT ROWID", columns));
    insert_ = std::make_unique<SqliteStatement>(file_->handle(), "INSERT INTO cpu VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  }

  const SeriesDialect& dialect() const override { return kSqliteDialect; }

  void append(const CpuData& data, std::span<const uint32_t> rows) override {
    while (names_.size() < data.shape.hosts) names_.push_back(host_name(static_cast<uint32_t>(names_.size())));
    file_->execute("BEGIN");
    for (const uint32_t row : rows) {
      insert_->bind(1, std::string_view(names_[data.shape.host(row)]));
      insert_->bind(2, data.shape.time_us(row));
      for (size_t i = 0; i < kMetricCount; ++i) insert_->bind(static_cast<int>(i) + 3, data.at(row)[i]);
      insert_->run();
    }
    file_->execute("COMMIT");
  }

  void settle() override {
    file_->execute("INSERT OR IGNORE INTO hosts SELECT DISTINCT hostname FROM cpu");
    file_->execute("ANALYZE");
    file_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  uint64_t stored_bytes() override { return directory_bytes(directory_); }

  Tally ask(const std::string& sql, bool) override {
    SqliteStatement statement(file_->handle(), sql.c_str());
    const int columns = statement.columns();
    Tally tally;
    for (; statement.row(); ++tally.rows) {
      for (int i = 0; i < columns; ++i) {
        const int type = statement.type(i);
        if (type == SQLITE_TEXT) tally.text_bytes += statement.text(i).size();
        else if (type != SQLITE_NULL) tally.sum += statement.real(i);
      }
    }
    return tally;
  }

  AnswerTable read(const std::string& sql) override {
    SqliteStatement statement(file_->handle(), sql.c_str());
    AnswerTable table;
    while (statement.row()) {
      AnswerRow& row = table.emplace_back();
      for (int i = 0; i < statement.columns(); ++i) {
        const int type = statement.type(i);
        if (type == SQLITE_NULL) row.emplace_back();
        else if (type == SQLITE_TEXT) row.emplace_back(std::string(statement.text(i)));
        else row.emplace_back(statement.real(i));
      }
    }
    return table;
  }

 private:
  void open() {
    file_ = std::make_unique<SqliteFile>(directory_ + "/cpu.db", SqliteSettings{.cache_bytes = kSqliteCacheBytes});
    file_->execute("PRAGMA mmap_size=8589934592; PRAGMA temp_store=MEMORY");
  }

  const std::string directory_;
  std::unique_ptr<SqliteFile> file_;
  std::unique_ptr<SqliteStatement> insert_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<SeriesSubject> make_sqlite_series(const std::string& directory) { return std::make_unique<SqliteSeries>(directory); }

}  // namespace bench
