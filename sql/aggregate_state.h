// What a continuous aggregate keeps of one bucket and group: partial states, which can be put together to wider ones and still give each
// aggregate exactly. (An average of averages would not.)
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/sqlite_handle.h"
#include "timeseries/rollup.h"

namespace braid {

/// NULL, a whole number or a real one.
using StateNumber = std::variant<std::monostate, int64_t, double>;

struct FieldState {
  int64_t count = 0;
  StateNumber sum;  ///< of integers beyond int64: a real number
  StateNumber min;
  StateNumber max;
  StateNumber first;
  StateNumber last;
};

struct AggregateState {
  int64_t bucket = 0;
  std::vector<std::optional<std::string>> tags;  ///< of the group, in the order of the definition
  int64_t rows = 0;                              ///< points
  int64_t time_min = 0;
  int64_t time_max = 0;
  std::vector<FieldState> fields;

  /// Adds what other points of the same bucket and group have come to. Of points at one time, those that are here stay first and last.
  void merge(const AggregateState& other);
};

/// The fields and tags that an aggregate's columns speak of, each once, in the order in which they come.
struct AggregateLayout {
  explicit AggregateLayout(const AggregateDefinition& definition);

  std::vector<std::string> tags;
  std::vector<std::string> fields;
  /// Of each column of the definition: its place among tags or fields; kNone for what has no source.
  std::vector<size_t> place;
  static constexpr size_t kNone = SIZE_MAX;
};

/// The rollup that gives the states of `fields`, which are fields of the table; text fields are counted only.
Result<std::vector<RollupColumn>> state_columns(const HypertableDefinition& table, const std::vector<std::string>& fields);
AggregateState state_of(const RollupAnswer& answer, size_t row, size_t field_count);

/// Gives the value of a column to SQLite. kInvalidArgument for a sum of integers that is out of range.
Status result_column(sqlite3_context* context, const AggregateColumn& column, size_t place, const AggregateState& state, bool integer_field);

// The table `_braid_aggregate_ID` of the states.
enum class StatePart : uint8_t { kKept = 0, kDropped = 1 };
std::string state_table(AggregateId id);
std::string create_state_table(const AggregateDefinition& definition);
/// INSERT of one state: part, bucket, seq, then the state.
std::string insert_state(const AggregateDefinition& definition);
void bind_state(SqliteStatement& insert, StatePart part, int64_t sequence, const AggregateState& state);
/// The columns that read_state reads, from its first on.
std::string state_column_list(const AggregateDefinition& definition);
AggregateState read_state(const SqliteStatement& row, size_t tag_count, size_t field_count);

}  // namespace braid
