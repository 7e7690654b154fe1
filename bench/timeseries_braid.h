// Braid in the benchmark `timeseries`. As everywhere in bench/, it is used through braid.h alone.
//
// Failures end the benchmark. Threads: one at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/braid_subject.h"
#include "bench/timeseries_subject.h"

namespace bench {

class BraidSeries final : public SeriesSubject {
 public:
  explicit BraidSeries(const std::string& directory);
  ~BraidSeries() override;

  const SeriesDialect& dialect() const override { return kBraidDialect; }
  /// The rows are gathered by host: one run of columns for each.
  void append(const CpuData& data, std::span<const uint32_t> rows) override;
  void settle() override;
  uint64_t stored_bytes() override;
  /// Those of chunk files alone.
  uint64_t chunk_bytes() const;
  Tally ask(const std::string& sql, bool wide) override;
  AnswerTable read(const std::string& sql) override;

 private:
  /// Points of one host, column by column.
  struct Run {
    std::vector<int64_t> times;
    std::array<std::vector<double>, kMetricCount> columns;
  };
  void open();
  void close();
  void send(uint32_t host, const Run& run);

  const std::string directory_;
  std::unique_ptr<BraidDatabase> database_;
  std::unique_ptr<BraidConnection> connection_;
  braid_appender* appender_ = nullptr;
  std::vector<Run> runs_;  // by host; kept for their memory
  std::vector<uint32_t> touched_;
};

}  // namespace bench
