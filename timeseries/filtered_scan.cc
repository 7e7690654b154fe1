#include "timeseries/filtered_scan.h"

#include <algorithm>

namespace braid {

FilteredScan::FilteredScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
                           SeriesScanOptions options, const std::vector<FieldFilter>& filters)
    : conditions_(std::make_unique<Conditions>()),
      scan_(std::move(base), std::move(overlay), table, with_fields(std::move(options), table, filters), [conditions = conditions_.get()](const LoneBlock& block) {
        if (!conditions->rule_out(block)) return BlockUse::kRead;
        ++conditions->blocks_pruned;
        return BlockUse::kDone;
      }) {
  for (const FieldFilter& filter : filters) conditions_->all.emplace_back(filter, table.fields[filter.field].type);
}

/// Fields that are looked at are read; no field asked means all.
SeriesScanOptions FilteredScan::with_fields(SeriesScanOptions options, const HypertableDefinition& table, const std::vector<FieldFilter>& filters) {
  if (options.fields.empty()) options.fields.assign(table.fields.size(), true);
  for (const FieldFilter& filter : filters) options.fields[filter.field] = true;
  return options;
}

bool FilteredScan::Conditions::rule_out(const LoneBlock& block) const {
  return block.entry.has_statistics() && std::any_of(all.begin(), all.end(), [&](const FieldCondition& condition) {
    const ColumnStatistics& statistics = block.footer.statistics[block.entry.statistics_start + condition.field()];
    return condition.judge(statistics, block.entry.rows) == FieldCondition::Verdict::kNoRow;
  });
}

Result<bool> FilteredScan::next() {
  do {
    BRAID_ASSIGN(const bool more, scan_.next());
    if (!more) return false;
    select();
  } while (rows_.empty());
  return true;
}

void FilteredScan::select() {
  const PointRun& run = scan_.run();
  rows_.clear();
  passes_.assign(run.count, 1);
  for (const FieldCondition& condition : conditions_->all) condition.apply(run.block->columns[condition.field()], run.start, passes_);
  for (size_t i = 0; i < run.count; ++i)
    if (passes_[i] != 0) rows_.push_back(static_cast<uint32_t>(run.start + i));
  if (run.reversed) std::reverse(rows_.begin(), rows_.end());
}

SeriesScanCounts FilteredScan::counts() const {
  SeriesScanCounts counts = scan_.counts();
  counts.blocks_pruned += conditions_->blocks_pruned;
  return counts;
}

}  // namespace braid
