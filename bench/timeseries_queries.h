// The questions of the benchmark `timeseries`: those of TSBS's devops use case, and passes over everything, in the SQL of each subject.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/timeseries_data.h"

namespace bench {

/// How a subject writes what its SQL does not share with the others.
struct SeriesDialect {
  std::string (*time)(int64_t us);           ///< a literal
  std::string (*bucket)(const char* unit);   ///< start of the minute or hour of the column `time`
  const char* every_host;                    ///< a condition that lets an index by host be used for all hosts; may be ""
  std::string (*last_point)();               ///< the newest row of each host
};

extern const SeriesDialect kBraidDialect;
extern const SeriesDialect kDuckdbDialect;
extern const SeriesDialect kSqliteDialect;
extern const SeriesDialect kPostgresDialect;

/// `time, hostname` and the metrics: the columns of a row in every subject.
std::string row_columns(const char* table = "");

struct SeriesQuery {
  std::string name;
  bool ordered;                      ///< the rows of an answer have an order
  bool wide;                         ///< answers have many rows: a caller takes them as batches where that can be had
  std::vector<std::string> texts;    ///< one for each random choice of hosts and times
};

/// Ten choices of each, the same for every dialect.
std::vector<SeriesQuery> series_queries(const CpuShape& shape, const SeriesDialect& dialect);

}  // namespace bench
