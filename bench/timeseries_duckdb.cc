// DuckDB in the benchmark `timeseries`: its appender, a commit for each batch, two threads.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "bench/duckdb_library.h"
#include "bench/harness.h"
#include "bench/timeseries_subject.h"

namespace bench {
namespace {

using Handle = DuckdbLibrary::Handle;
constexpr size_t kColumnCount = kMetricCount + 2;

/// A text in a vector: the length, then the bytes of a short one, or a prefix and a pointer.
struct DuckdbText {
  uint32_t size;
  char bytes[12];

  std::string_view view() const {
    if (size <= sizeof(bytes)) return {bytes, size};
    const char* far = nullptr;
    std::memcpy(&far, bytes + 4, sizeof(far));
    return {far, size};
  }
};

class DuckdbSeries final : public SeriesSubject {
 public:
  DuckdbSeries(const std::string& directory, const std::string& library) : directory_(directory), duckdb_(library) {
    std::filesystem::create_directory(directory);
    open();
    std::string columns;
    for (const char* metric : kMetrics) columns += fmt::format(", {} DOUBLE", metric);
    execute(fmt::format("CREATE TABLE cpu(hostname VARCHAR NOT NULL, time TIMESTAMP NOT NULL{})", columns));
    std::array<Handle, kColumnCount> types;
    types[0] = duckdb_.create_logical_type(DuckdbLibrary::kVarchar);
    types[1] = duckdb_.create_logical_type(DuckdbLibrary::kTimestamp);
    for (size_t i = 2; i < kColumnCount; ++i) types[i] = duckdb_.create_logical_type(DuckdbLibrary::kDouble);
    chunk_ = duckdb_.create_data_chunk(types.data(), types.size());
    for (Handle& type : types) duckdb_.destroy_logical_type(&type);
  }
  ~DuckdbSeries() override {
    duckdb_.destroy_data_chunk(&chunk_);
    close();
  }

  const SeriesDialect& dialect() const override { return kDuckdbDialect; }

  void append(const CpuData& data, std::span<const uint32_t> rows) override {
    while (names_.size() < data.shape.hosts) names_.push_back(host_name(static_cast<uint32_t>(names_.size())));
    execute("BEGIN");
    Handle appender = nullptr;
    if (duckdb_.appender_create(connection_, nullptr, "cpu", &appender) != 0) fail("duckdb: appender");
    const size_t chunk_rows = duckdb_.vector_size();
    for (size_t start = 0; start < rows.size(); start += chunk_rows) {
      fill_chunk(data, rows.subspan(start, std::min(chunk_rows, rows.size() - start)));
      if (duckdb_.append_data_chunk(appender, chunk_) != 0) fail("duckdb: append");
    }
    if (duckdb_.appender_destroy(&appender) != 0) fail("duckdb: append");
    execute("COMMIT");
  }

  void settle() override { execute("CHECKPOINT"); }

  uint64_t stored_bytes() override {
    close();
    const uint64_t bytes = directory_bytes(directory_);
    open();
    return bytes;
  }

  Tally ask(const std::string& sql, bool) override {
    Tally tally;
    visit(sql, [&](DuckdbLibrary::Result& result, Handle chunk) {
      const size_t rows = duckdb_.data_chunk_get_size(chunk);
      tally.rows += rows;
      for (size_t i = 0; i < duckdb_.column_count(&result); ++i) add_column(column(result, chunk, i), rows, tally);
    });
    return tally;
  }

  AnswerTable read(const std::string& sql) override {
    AnswerTable table;
    visit(sql, [&](DuckdbLibrary::Result& result, Handle chunk) {
      const size_t rows = duckdb_.data_chunk_get_size(chunk);
      for (size_t row = 0; row < rows; ++row) {
        AnswerRow& answer = table.emplace_back();
        for (size_t i = 0; i < duckdb_.column_count(&result); ++i) answer.push_back(cell(column(result, chunk, i), row));
      }
    });
    return table;
  }

 private:
  struct Column {
    DuckdbLibrary::Type type;
    const void* data;
    const uint64_t* validity;  // null: every row has a value

    bool is_null(size_t row) const { return validity != nullptr && (validity[row / 64] >> row % 64 & 1) == 0; }
    template <typename Value>
    const Value* values() const {
      return static_cast<const Value*>(data);
    }
  };

  void open() {
    if (duckdb_.open((directory_ + "/cpu.duckdb").c_str(), &database_) != 0 || duckdb_.connect(database_, &connection_) != 0)
      fail("duckdb: cannot open " + directory_);
    execute("SET threads=2");
    execute("SET checkpoint_threshold='256MB'");
  }
  void close() {
    duckdb_.disconnect(&connection_);
    duckdb_.close(&database_);
  }

  template <typename Visit>
  void visit(const std::string& sql, Visit see) {
    DuckdbLibrary::Result result{};
    if (duckdb_.query(connection_, sql.c_str(), &result) != 0) fail(fmt::format("duckdb: {}: {}", sql, duckdb_.result_error(&result)));
    while (Handle chunk = duckdb_.fetch_chunk(result)) {
      see(result, chunk);
      duckdb_.destroy_data_chunk(&chunk);
    }
    duckdb_.destroy_result(&result);
  }
  void execute(const std::string& sql) {
    visit(sql, [](auto&, Handle) {});
  }

  void fill_chunk(const CpuData& data, std::span<const uint32_t> rows) {
    duckdb_.data_chunk_reset(chunk_);
    const Handle names = duckdb_.data_chunk_get_vector(chunk_, 0);
    auto* const times = static_cast<int64_t*>(duckdb_.vector_get_data(duckdb_.data_chunk_get_vector(chunk_, 1)));
    std::array<double*, kMetricCount> metrics;
    for (size_t i = 0; i < kMetricCount; ++i) metrics[i] = static_cast<double*>(duckdb_.vector_get_data(duckdb_.data_chunk_get_vector(chunk_, i + 2)));
    for (size_t place = 0; place < rows.size(); ++place) {
      const std::string& name = names_[data.shape.host(rows[place])];
      duckdb_.vector_assign_string_element_len(names, place, name.data(), name.size());
      times[place] = data.shape.time_us(rows[place]);
      for (size_t i = 0; i < kMetricCount; ++i) metrics[i][place] = data.at(rows[place])[i];
    }
    duckdb_.data_chunk_set_size(chunk_, rows.size());
  }

  Column column(DuckdbLibrary::Result& result, Handle chunk, size_t index) {
    const Handle vector = duckdb_.data_chunk_get_vector(chunk, index);
    return {duckdb_.column_type(&result, index), duckdb_.vector_get_data(vector), duckdb_.vector_get_validity(vector)};
  }

  static void add_column(const Column& column, size_t rows, Tally& tally) {
    for (size_t row = 0; row < rows; ++row) {
      if (column.is_null(row)) continue;
      if (column.type == DuckdbLibrary::kDouble) tally.sum += column.values<double>()[row];
      else if (column.type == DuckdbLibrary::kTimestamp) tally.sum += static_cast<double>(column.values<int64_t>()[row]);
      else if (column.type == DuckdbLibrary::kVarchar) tally.text_bytes += column.values<DuckdbText>()[row].size;
      else fail(fmt::format("duckdb: a column of type {} is not expected", static_cast<int>(column.type)));
    }
  }

  static AnswerCell cell(const Column& column, size_t row) {
    if (column.is_null(row)) return {};
    switch (column.type) {
      case DuckdbLibrary::kDouble: return column.values<double>()[row];
      case DuckdbLibrary::kTimestamp: return static_cast<double>(column.values<int64_t>()[row]);
      case DuckdbLibrary::kVarchar: return std::string(column.values<DuckdbText>()[row].view());
      default: fail(fmt::format("duckdb: a column of type {} is not expected", static_cast<int>(column.type)));
    }
  }

  const std::string directory_;
  const DuckdbLibrary duckdb_;
  Handle database_ = nullptr, connection_ = nullptr, chunk_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<SeriesSubject> make_duckdb_series(const std::string& directory, const std::string& library) {
  return std::make_unique<DuckdbSeries>(directory, library);
}

}  // namespace bench
