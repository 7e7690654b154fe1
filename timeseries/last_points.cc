#include "timeseries/last_points.h"

#include <bit>

#include "timeseries/block_scan.h"

namespace braid {
namespace {

SeriesScanOptions options_of(std::optional<std::vector<SeriesId>> series, std::vector<bool> fields, Timestamp before) {
  return {{TimeRange{}.start, before}, std::move(series), std::move(fields), true};
}

}  // namespace

// The newest block of a series tells its last row by its statistics, unless a value is missing in it or is a text.
struct LastPoints::State {
  State(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
        SeriesScanOptions options)
      : fields(options.fields),
        scan(std::move(base), std::move(overlay), table, std::move(options), [this](const LoneBlock& block) { return take(block); }) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  BlockUse take(const LoneBlock& block);
  bool tells_last(const LoneBlock& block, size_t field) const;

  const std::vector<bool> fields;
  SeriesId series;
  int64_t time = 0;
  std::vector<FieldValue> values;  // of the last row; texts lie in the scan's block
  BlockScan scan;
};

bool LastPoints::State::tells_last(const LoneBlock& block, size_t field) const {
  if (!fields.empty() && (field >= fields.size() || !fields[field])) return true;
  const FieldType type = block.footer.types[field];
  if (type == FieldType::kText || type == FieldType::kJson || !block.entry.has_statistics()) return false;
  return block.footer.statistics[block.entry.statistics_start + field].value_count == block.entry.rows;
}

BlockUse LastPoints::State::take(const LoneBlock& block) {
  if (!block.whole) return BlockUse::kRead;
  for (size_t field = 0; field < block.footer.types.size(); ++field) {
    if (!tells_last(block, field)) return BlockUse::kRead;
  }
  series = block.entry.series;
  time = block.entry.time_max;
  values.assign(block.footer.types.size(), FieldValue{});
  for (size_t field = 0; field < values.size(); ++field) {
    if (!fields.empty() && (field >= fields.size() || !fields[field])) continue;
    const uint64_t bits = block.footer.statistics[block.entry.statistics_start + field].last;
    values[field].is_null = false;
    if (block.footer.types[field] == FieldType::kDouble) values[field].real = std::bit_cast<double>(bits);
    else values[field].integer = static_cast<int64_t>(bits);
  }
  return BlockUse::kSeriesDone;
}

LastPoints::LastPoints(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
                       std::optional<std::vector<SeriesId>> series, std::vector<bool> fields, Timestamp before)
    : state_(std::make_unique<State>(std::move(base), std::move(overlay), table, options_of(std::move(series), std::move(fields), before))) {}

LastPoints::~LastPoints() = default;
LastPoints::LastPoints(LastPoints&&) noexcept = default;

Result<bool> LastPoints::next() {
  State& state = *state_;
  state.scan.skip_series();
  BRAID_ASSIGN(const bool found, state.scan.next());
  const PointRun& run = state.scan.run();
  if (!found || run.count == 0) return found;
  const size_t row = run.reversed ? run.start + run.count - 1 : run.start;
  state.series = run.series;
  state.time = run.block->times[row];
  state.values.clear();
  for (const PointColumn& column : run.block->columns) state.values.push_back(column.value(row));
  return true;
}

SeriesId LastPoints::series() const { return state_->series; }
Timestamp LastPoints::time() const { return Timestamp(state_->time); }
FieldValue LastPoints::field(size_t index) const { return state_->values[index]; }

}  // namespace braid
