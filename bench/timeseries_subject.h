// What the benchmark `timeseries` asks of Braid and of each peer.
//
// Failures end the benchmark. Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bench/timeseries_data.h"
#include "bench/timeseries_queries.h"

namespace bench {

/// What was read from an answer: every value is looked at, as a caller would.
struct Tally {
  uint64_t rows = 0;
  uint64_t text_bytes = 0;
  double sum = 0;
};

/// A number, also microseconds of a time; text; or NULL.
using AnswerCell = std::variant<std::monostate, double, std::string>;
using AnswerRow = std::vector<AnswerCell>;
using AnswerTable = std::vector<AnswerRow>;

class SeriesSubject {
 public:
  virtual ~SeriesSubject() = default;

  virtual const SeriesDialect& dialect() const = 0;
  /// Appends rows in one durable commit.
  virtual void append(const CpuData& data, std::span<const uint32_t> rows) = 0;
  /// Brings everything into the form in which it stays.
  virtual void settle() = 0;
  /// Bytes on disk after `settle`.
  virtual uint64_t stored_bytes() = 0;
  /// Prepares and runs a query, and reads all of its answer; the answer of a `wide` one in the fastest form.
  virtual Tally ask(const std::string& sql, bool wide) = 0;
  /// The same, to be compared.
  virtual AnswerTable read(const std::string& sql) = 0;
};

/// All files below a path.
uint64_t directory_bytes(const std::string& path);

/// A directory that does not exist yet.
std::unique_ptr<SeriesSubject> make_sqlite_series(const std::string& directory);
/// `library`: path of libduckdb.so.
std::unique_ptr<SeriesSubject> make_duckdb_series(const std::string& directory, const std::string& library);
/// Makes the tables anew.
std::unique_ptr<SeriesSubject> make_postgres_series(const std::string& connection);
/// "" when the server answers; else what it says.
std::string why_no_postgres(const std::string& connection);

}  // namespace bench
