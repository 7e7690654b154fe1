// Aggregate functions, which are window functions too, as one class each.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <span>

#include "engine/result.h"
#include "sql/connection.h"

namespace braid {

/// What one group, or one window's frame, has come to.
class Aggregate {
 public:
  using Values = std::span<sqlite3_value*>;

  virtual ~Aggregate() = default;
  virtual Status add(Values values) = 0;
  /// The row that was added first of those that are left leaves the frame.
  virtual Status remove(Values values) = 0;
  /// May be asked again and again, between rows.
  virtual Status result(sqlite3_context* context) = 0;
};

/// One name with one number of arguments.
struct AggregateFunction {
  const char* name;
  int arguments;
  std::unique_ptr<Aggregate> (*make)();
};

template <typename State>
std::unique_ptr<Aggregate> make_aggregate() {
  return std::make_unique<State>();
}

/// `function` lives as long as the process. Its result without any row is that of a fresh state.
Status register_aggregate(Connection& connection, const AggregateFunction& function);

}  // namespace braid
