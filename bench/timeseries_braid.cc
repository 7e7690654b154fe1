#include "bench/timeseries_braid.h"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <filesystem>

#include "bench/harness.h"

namespace bench {
namespace {

constexpr int64_t kTailBytes = 64 << 20;
constexpr int64_t kBraidCacheBytes = 64 << 20;

/// Microseconds of a time as Braid writes it.
std::optional<double> time_of(std::string_view text) {
  std::tm parts{};
  int microseconds = 0;
  if (text.size() < 19 || text[4] != '-' || text[10] != ' ') return std::nullopt;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%d-%d-%d %d:%d:%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6)
    return std::nullopt;
  if (text.size() > 20) microseconds = std::stoi((copy.substr(20) + "000000").substr(0, 6));
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<double>(timegm(&parts) * kSecondUs + microseconds);
}

/// A statement that runs once.
class BraidQuery {
 public:
  BraidQuery(BraidConnection& connection, const std::string& sql) : connection_(connection) {
    connection.check(braid_prepare(connection.handle(), sql.data(), static_cast<int64_t>(sql.size()), &statement_, nullptr), sql);
    columns_ = braid_column_count(statement_);
  }
  ~BraidQuery() { braid_statement_close(statement_); }
  BraidQuery(const BraidQuery&) = delete;
  BraidQuery& operator=(const BraidQuery&) = delete;

  bool row() {
    const int32_t code = braid_statement_step(statement_);
    if (code == BRAID_ROW) return true;
    if (code != BRAID_DONE) connection_.check(code, "step");
    return false;
  }
  int32_t columns() const { return columns_; }
  int32_t type(int32_t column) { return braid_column_type(statement_, column); }
  double number(int32_t column) { return braid_column_double(statement_, column); }
  std::string_view text(int32_t column) {
    int64_t size = 0;
    const char* bytes = braid_column_text(statement_, column, &size);
    return {bytes, static_cast<size_t>(size)};
  }

  /// The next rows as Arrow columns; `visit` is given each array in turn.
  template <typename Visit>
  void batches(Visit visit) {
    constexpr int64_t kRowsMax = 65'536;
    while (true) {
      ArrowSchema schema{};
      ArrowArray array{};
      const int32_t code = braid_statement_batch(statement_, kRowsMax, &schema, &array);
      if (code == BRAID_DONE) return;
      if (code != BRAID_ROW) connection_.check(code, "batch");
      visit(schema, array);
      schema.release(&schema);
      array.release(&array);
    }
  }

 private:
  BraidConnection& connection_;
  braid_statement* statement_ = nullptr;
  int32_t columns_ = 0;
};

/// Reads all doubles and the ends of all texts.
Tally tally_batches(BraidQuery& query) {
  Tally tally;
  query.batches([&](const ArrowSchema& schema, const ArrowArray& array) {
    tally.rows += static_cast<uint64_t>(array.length);
    for (int64_t column = 0; column < array.n_children; ++column) {
      const ArrowArray& values = *array.children[column];
      const char format = schema.children[column]->format[0];
      if (format == 'g') {
        const auto* reals = static_cast<const double*>(values.buffers[1]);
        for (int64_t row = 0; row < values.length; ++row) tally.sum += reals[values.offset + row];
      } else if (format == 'u') {
        tally.text_bytes += static_cast<uint64_t>(static_cast<const int32_t*>(values.buffers[1])[values.offset + values.length]);
      }
    }
  });
  return tally;
}

Tally tally_rows(BraidQuery& query) {
  Tally tally;
  for (; query.row(); ++tally.rows) {
    for (int32_t i = 0; i < query.columns(); ++i) {
      const int32_t type = query.type(i);
      if (type == BRAID_TYPE_TEXT) tally.text_bytes += query.text(i).size();
      else if (type != BRAID_TYPE_NULL) tally.sum += query.number(i);
    }
  }
  return tally;
}

}  // namespace

BraidSeries::BraidSeries(const std::string& directory) : directory_(directory) {
  open();
  std::string columns;
  for (const char* metric : kMetrics) columns += fmt::format(", {} DOUBLE", metric);
  connection_->execute(fmt::format("CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, hostname TEXT TAG{})", columns));
}

BraidSeries::~BraidSeries() { close(); }

void BraidSeries::open() {
  database_ = std::make_unique<BraidDatabase>(directory_, braid_options({{"tail_bytes_max", kTailBytes}, {"cache_bytes", kBraidCacheBytes}}));
  connection_ = std::make_unique<BraidConnection>(*database_);
}

void BraidSeries::close() {
  if (appender_ != nullptr) connection_->check(braid_appender_close(appender_), "close the appender");
  appender_ = nullptr;
  connection_.reset();
  database_.reset();
}

void BraidSeries::send(uint32_t host, const Run& run) {
  const std::string name = host_name(host);
  const char* const tags[] = {name.c_str()};
  if (appender_ == nullptr) connection_->check(braid_appender_open(connection_->handle(), "cpu", &appender_), "open an appender");
  connection_->check(braid_appender_series(appender_, tags, 1), "appender series");
  std::array<braid_column, kMetricCount> columns{};
  for (size_t i = 0; i < kMetricCount; ++i) columns[i] = {sizeof(braid_column), BRAID_TYPE_DOUBLE, run.columns[i].data(), nullptr};
  connection_->check(braid_appender_columns(appender_, run.times.data(), run.times.size(), columns.data(), columns.size()), "append columns");
}

void BraidSeries::append(const CpuData& data, std::span<const uint32_t> rows) {
  runs_.resize(data.shape.hosts);
  for (const uint32_t row : rows) {
    const uint32_t host = data.shape.host(row);
    Run& run = runs_[host];
    if (run.times.empty()) touched_.push_back(host);
    run.times.push_back(data.shape.time_us(row));
    for (size_t i = 0; i < kMetricCount; ++i) run.columns[i].push_back(data.at(row)[i]);
  }
  for (const uint32_t host : touched_) {
    send(host, runs_[host]);
    runs_[host].times.clear();
    for (auto& column : runs_[host].columns) column.clear();
  }
  touched_.clear();
  connection_->check(braid_appender_flush(appender_), "append");
}

void BraidSeries::settle() {
  if (braid_checkpoint(database_->handle()) != BRAID_OK) fail(fmt::format("braid: checkpoint: {}", braid_database_error(database_->handle())));
}

uint64_t BraidSeries::stored_bytes() {
  // The log that SQLite keeps for reuse goes when the database is closed.
  close();
  const uint64_t bytes = directory_bytes(directory_);
  open();
  return bytes;
}

uint64_t BraidSeries::chunk_bytes() const { return directory_bytes(directory_ + "/chunks"); }

Tally BraidSeries::ask(const std::string& sql, bool wide) {
  BraidQuery query(*connection_, sql);
  return wide ? tally_batches(query) : tally_rows(query);
}

AnswerTable BraidSeries::read(const std::string& sql) {
  BraidQuery query(*connection_, sql);
  AnswerTable table;
  while (query.row()) {
    AnswerRow& row = table.emplace_back();
    for (int32_t i = 0; i < query.columns(); ++i) {
      const int32_t type = query.type(i);
      if (type == BRAID_TYPE_NULL) {
        row.emplace_back();
      } else if (type != BRAID_TYPE_TEXT) {
        row.emplace_back(query.number(i));
      } else if (const auto time = time_of(query.text(i))) {
        row.emplace_back(*time);
      } else {
        row.emplace_back(std::string(query.text(i)));
      }
    }
  }
  return table;
}

}  // namespace bench
