// PostgreSQL in the benchmark `timeseries`: binary COPY, a commit for each batch, an index by host and time and a BRIN index by time.
#include <endian.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <cstring>

#include "bench/harness.h"
#include "bench/timeseries_subject.h"

namespace bench {
namespace {

constexpr int64_t kEpochUs = 946'684'800 * kSecondUs;  // PostgreSQL counts from 2000-01-01
constexpr Oid kDouble = 701, kText = 25, kTimestamptz = 1184;

/// The format of binary COPY: big-endian, each value behind its length.
class CopyBuffer {
 public:
  void start() {
    bytes_.assign("PGCOPY\n\377\r\n\0", 11);
    bytes_.append(8, '\0');
  }
  void row(uint16_t columns) { number(columns, htobe16(columns)); }
  void end() { row(0xFFFF); }
  void text(std::string_view value) {
    size(value.size());
    bytes_.append(value);
  }
  void int64(int64_t value) {
    size(sizeof(value));
    number(value, htobe64(static_cast<uint64_t>(value)));
  }
  void real(double value) {
    int64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    int64(bits);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  template <typename Value, typename Stored>
  void number(Value, Stored big_endian) {
    char raw[sizeof(Stored)];
    std::memcpy(raw, &big_endian, sizeof(raw));
    bytes_.append(raw, sizeof(raw));
  }
  void size(size_t value) { number(value, htobe32(static_cast<uint32_t>(value))); }

  std::string bytes_;
};

uint64_t read_uint64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return be64toh(value);
}

/// Rows of an answer in binary form.
class PostgresAnswer {
 public:
  explicit PostgresAnswer(PGresult* result) : result_(result) {}
  ~PostgresAnswer() { PQclear(result_); }
  PostgresAnswer(const PostgresAnswer&) = delete;
  PostgresAnswer& operator=(const PostgresAnswer&) = delete;

  int rows() const { return PQntuples(result_); }
  int columns() const { return PQnfields(result_); }
  Oid type(int column) const { return PQftype(result_, column); }
  bool is_null(int row, int column) const { return PQgetisnull(result_, row, column) != 0; }
  std::string_view text(int row, int column) const {
    return {PQgetvalue(result_, row, column), static_cast<size_t>(PQgetlength(result_, row, column))};
  }
  double number(int row, int column) const {
    const uint64_t bits = read_uint64(PQgetvalue(result_, row, column));
    if (type(column) == kTimestamptz) return static_cast<double>(static_cast<int64_t>(bits) + kEpochUs);
    if (type(column) != kDouble) return static_cast<double>(static_cast<int64_t>(bits));
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

 private:
  PGresult* const result_;
};

class PostgresSeries final : public SeriesSubject {
 public:
  explicit PostgresSeries(const std::string& connection) : connection_(PQconnectdb(connection.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) fail(fmt::format("postgres: {}", PQerrorMessage(connection_)));
    execute("SET client_min_messages=warning; SET timezone='UTC'");
    std::string columns;
    for (const char* metric : kMetrics) columns += fmt::format(", {} double precision", metric);
    execute("DROP TABLE IF EXISTS cpu CASCADE; DROP TABLE IF EXISTS hosts; CREATE TABLE hosts(hostname text PRIMARY KEY)");
    execute(fmt::format("CREATE TABLE cpu(hostname text NOT NULL, time timestamptz NOT NULL{})", columns));
    execute("CREATE INDEX ON cpu(hostname, time DESC)");
    execute("CREATE INDEX ON cpu USING brin(time)");
  }
  ~PostgresSeries() override { PQfinish(connection_); }

  const SeriesDialect& dialect() const override { return kPostgresDialect; }

  void append(const CpuData& data, std::span<const uint32_t> rows) override {
    while (names_.size() < data.shape.hosts) names_.push_back(host_name(static_cast<uint32_t>(names_.size())));
    buffer_.start();
    for (const uint32_t row : rows) {
      buffer_.row(kMetricCount + 2);
      buffer_.text(names_[data.shape.host(row)]);
      buffer_.int64(data.shape.time_us(row) - kEpochUs);
      for (const double value : data.at(row)) buffer_.real(value);
    }
    buffer_.end();
    execute("COPY cpu FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
    const std::string& bytes = buffer_.bytes();
    if (PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size())) != 1 || PQputCopyEnd(connection_, nullptr) != 1)
      fail(fmt::format("postgres: {}", PQerrorMessage(connection_)));
    while (PGresult* result = PQgetResult(connection_)) check(result, PGRES_COMMAND_OK, "COPY");
  }

  void settle() override {
    execute("INSERT INTO hosts SELECT DISTINCT hostname FROM cpu ON CONFLICT DO NOTHING");
    execute("VACUUM ANALYZE cpu");
    execute("CHECKPOINT");
  }

  uint64_t stored_bytes() override {
    const AnswerTable table = read("SELECT pg_total_relation_size('cpu')");
    return static_cast<uint64_t>(std::get<double>(table.at(0).at(0)));
  }

  Tally ask(const std::string& sql, bool) override {
    const PostgresAnswer answer(run(sql));
    Tally tally;
    tally.rows = static_cast<uint64_t>(answer.rows());
    for (int column = 0; column < answer.columns(); ++column) {
      for (int row = 0; row < answer.rows(); ++row) {
        if (answer.is_null(row, column)) continue;
        if (answer.type(column) == kText) tally.text_bytes += answer.text(row, column).size();
        else tally.sum += answer.number(row, column);
      }
    }
    return tally;
  }

  AnswerTable read(const std::string& sql) override {
    const PostgresAnswer answer(run(sql));
    AnswerTable table;
    for (int row = 0; row < answer.rows(); ++row) {
      AnswerRow& cells = table.emplace_back();
      for (int column = 0; column < answer.columns(); ++column) {
        if (answer.is_null(row, column)) cells.emplace_back();
        else if (answer.type(column) == kText) cells.emplace_back(std::string(answer.text(row, column)));
        else cells.emplace_back(answer.number(row, column));
      }
    }
    return table;
  }

 private:
  void check(PGresult* result, ExecStatusType expected, std::string_view doing) {
    if (PQresultStatus(result) != expected) fail(fmt::format("postgres: {}: {}", doing, PQerrorMessage(connection_)));
    PQclear(result);
  }
  void execute(const std::string& sql, ExecStatusType expected = PGRES_COMMAND_OK) { check(PQexec(connection_, sql.c_str()), expected, sql); }
  PGresult* run(const std::string& sql) {
    constexpr int kBinary = 1;
    PGresult* const result = PQexecParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, kBinary);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) fail(fmt::format("postgres: {}: {}", sql, PQerrorMessage(connection_)));
    return result;
  }

  PGconn* const connection_;
  CopyBuffer buffer_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<SeriesSubject> make_postgres_series(const std::string& connection) { return std::make_unique<PostgresSeries>(connection); }

std::string why_no_postgres(const std::string& connection) {
  if (connection.empty()) return "no --postgres CONNINFO is given";
  PGconn* const tried = PQconnectdb(connection.c_str());
  const std::string why = PQstatus(tried) == CONNECTION_OK ? "" : PQerrorMessage(tried);
  PQfinish(tried);
  return why;
}

}  // namespace bench
