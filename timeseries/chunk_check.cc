#include "timeseries/chunk_check.h"

#include <fmt/format.h>

#include "timeseries/field_mapping.h"

namespace braid {
namespace {

class ChunkChecker {
 public:
  ChunkChecker(const ChunkHandle& chunk, const ChunkReader& reader,
               std::vector<std::string>& problems)
      : chunk_(chunk), reader_(reader), problems_(problems) {}

  void check_types(const HypertableDefinition* table) {
    if (table == nullptr) return report("its hypertable does not exist");
    const ChunkFooter& footer = reader_.footer();
    if (!FieldMapping::make(footer.fields, footer.types, table->fields).ok()) report("its field types are not those of its hypertable");
  }

  void check_blocks() {
    const ChunkDefinition& definition = chunk_.definition();
    uint64_t rows = 0;
    uint64_t deleted_rows = 0;
    int64_t time_min = INT64_MAX;
    int64_t time_max = INT64_MIN;
    for (const BlockEntry& block : reader_.footer().blocks) {
      rows += block.rows;
      deleted_rows += block.deleted_rows;
      time_min = std::min(time_min, block.time_min);
      time_max = std::max(time_max, block.time_max);
      check_block(block);
    }
    if (rows != definition.rows)
      report(fmt::format("{} rows, but the catalogue says {}", rows, definition.rows));
    if (deleted_rows != definition.deleted_rows)
      report(fmt::format("{} deleted rows, but the catalogue says {}", deleted_rows, definition.deleted_rows));
    if (rows == 0) return;
    if (time_min != definition.time_min.value() || time_max != definition.time_max.value())
      report("its first or last time is not the catalogue's");
    if (time_min < definition.interval.start.value() ||
        time_max >= definition.interval.limit.value())
      report("points outside of the chunk's interval");
  }

 private:
  void report(std::string_view what) {
    problems_.push_back(fmt::format("{}: {}", chunk_.path(), what));
  }

  void check_block(const BlockEntry& block) {
    PointBlock points;
    const Status status = reader_.read_block(block, {}, points);
    if (!status.ok()) {
      problems_.push_back(status.message());
      return;
    }
    if (!block.has_statistics()) return;
    for (size_t i = 0; i < points.columns.size(); ++i) {
      const ColumnStatistics& kept = reader_.footer().statistics[block.statistics_start + i];
      if (kept == statistics_of(points.columns[i], 0, block.rows, points.deleted)) continue;
      report(fmt::format("statistics of field {} differ from its values in a block of series {}", i,
                         block.series.value()));
    }
  }

  const ChunkHandle& chunk_;
  const ChunkReader& reader_;
  std::vector<std::string>& problems_;
};

}  // namespace

void check_chunk(const ChunkHandle& chunk, const HypertableDefinition* table,
                 std::vector<std::string>& problems) {
  const auto reader = chunk.reader();
  if (!reader.ok()) {
    problems.push_back(reader.status().message());
    return;
  }
  ChunkChecker checker(chunk, **reader, problems);
  checker.check_types(table);
  checker.check_blocks();
}

}  // namespace braid
