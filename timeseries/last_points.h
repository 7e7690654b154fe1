// The last point of each series, without reading what lies before it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/catalog.h"
#include "engine/column_data.h"
#include "engine/result.h"
#include "engine/store.h"

namespace braid {

class SeriesOverlay;

/// Visits the last point of each series in turn. One thread at a time; holds what it reads from.
class LastPoints {
 public:
  /// `series`: ascending ids; none means all series of the table. `fields` as in SeriesScanOptions. `before`: points at or after it are not looked at.
  LastPoints(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
             std::optional<std::vector<SeriesId>> series, std::vector<bool> fields, Timestamp before);
  ~LastPoints();
  LastPoints(LastPoints&&) noexcept;

  /// Moves to the next series that has a point; false at the end.
  Result<bool> next();
  SeriesId series() const;
  Timestamp time() const;
  /// Valid until the next call of `next`.
  FieldValue field(size_t index) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid
