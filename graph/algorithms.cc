#include "graph/algorithms.h"

#include <algorithm>

#include "engine/long_call.h"

namespace braid {

Status AlgorithmContext::check(double fraction) const {
  if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
    return Status(StatusCode::kInterrupted, "the algorithm was cancelled");
  }
  BRAID_TRY(LongCall::check_cancelled());
  if (!deadline && time_max) deadline = std::chrono::steady_clock::now() + *time_max;
  if (deadline && std::chrono::steady_clock::now() > *deadline) {
    return Status(StatusCode::kInterrupted, "the algorithm ran longer than statement_time_max_ms, or the connection's time limit, allows");
  }
  if (progress && !progress(fraction)) return Status(StatusCode::kInterrupted, "the algorithm was stopped");
  return {};
}

std::span<const AlgorithmRow> algorithms() {
  static const std::vector<AlgorithmRow> all = [] {
    std::vector<AlgorithmRow> rows;
    for (const auto part : {path_algorithms(), centrality_algorithms(), community_algorithms(), structure_algorithms(), spatial_algorithms(),
                            layout_algorithms()})
      rows.insert(rows.end(), part.begin(), part.end());
    std::sort(rows.begin(), rows.end(), [](const AlgorithmRow& a, const AlgorithmRow& b) { return std::string_view(a.name) < b.name; });
    return rows;
  }();
  return all;
}

}  // namespace braid
