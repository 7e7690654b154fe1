// What algorithms have in common: how they are named and described, what they are given and what they answer.
//
// graph/algorithms.cc has the table. An algorithm works on a Projection and answers columns of numbers; nodes are answered as vertices of
// the projection and become node ids at the surface.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/memory_budget.h"
#include "engine/result.h"
#include "graph/projection.h"

namespace braid {

/// Where an algorithm asks whether to go on. Threads: the algorithm's one.
class AlgorithmContext {
 public:
  const std::atomic<bool>* cancel = nullptr;                                   ///< set by another thread
  /// kInterrupted past it. Made by the first question where only `time_max` is given: what ends before it asks need not read the clock.
  mutable std::optional<std::chrono::steady_clock::time_point> deadline;
  std::optional<std::chrono::milliseconds> time_max;
  uint64_t rows_max = UINT64_MAX;                                              ///< of the result; more is kLimit
  MemoryShare* memory = nullptr;                                               ///< of the result, kept by who keeps that; may be null
  std::function<bool(double fraction)> progress;                               ///< false ends it: kInterrupted
  /// A property of a vertex's node as a number; none where it has none, kInvalidArgument for what is no number. May be null: what needs it
  /// is then refused.
  std::function<Result<std::optional<double>>(Vertex vertex, std::string_view property)> node_number;

  /// Reserves memory for what is worked on and answered; kLimit when it is not to be had.
  Status take(uint64_t bytes) const { return memory == nullptr ? Status() : memory->grow_to(bytes); }
  /// Cheap: called in inner loops, once for some thousand steps of work at most.
  Status check(double fraction = 0) const;
};

enum class ColumnKind : uint8_t { kNode, kInteger, kReal };

struct ResultColumnRow {
  const char* name;
  ColumnKind kind;
};

/// One column of a result; only the vector of its kind is used. kNoValue and NaN are NULL.
struct ResultColumn {
  static constexpr int64_t kNoValue = INT64_MIN;
  std::vector<int64_t> integers;  ///< kNode: a vertex; kInteger
  std::vector<double> reals;      ///< kReal
};

struct AlgorithmResult {
  std::vector<ResultColumn> columns;
  size_t row_count = 0;
};

enum class ParameterKind : uint8_t { kNode, kInteger, kReal, kText };

struct AlgorithmParameter {
  const char* name;
  ParameterKind kind;
  bool required = false;
  double fallback = 0;  ///< kInteger, kReal: when it is not given
  double minimum = 0;   ///< kInteger, kReal
  double maximum = 0;
  const char* choices = nullptr;  ///< kText: the words allowed, the first the default, separated by '|'; null: any text
  const char* text = nullptr;     ///< kText without choices: when it is not given
};

/// Values by the place of their parameter. A node that is not in the projection never gets here.
using ArgumentValue = std::variant<std::monostate, int64_t, double, std::string, Vertex>;

class AlgorithmArguments {
 public:
  explicit AlgorithmArguments(std::vector<ArgumentValue> values) : values_(std::move(values)) {}
  bool given(size_t parameter) const { return values_[parameter].index() != 0; }
  Vertex vertex(size_t parameter) const { return std::get<Vertex>(values_[parameter]); }
  int64_t integer(size_t parameter) const { return std::get<int64_t>(values_[parameter]); }
  double real(size_t parameter) const { return std::get<double>(values_[parameter]); }
  const std::string& text(size_t parameter) const { return std::get<std::string>(values_[parameter]); }

 private:
  std::vector<ArgumentValue> values_;
};

struct AlgorithmRow {
  const char* name;   ///< in SQL with "graph_" before it
  const char* about;  ///< one sentence
  std::span<const ResultColumnRow> columns;
  std::span<const AlgorithmParameter> parameters;
  const char* source;  ///< "Boost" or "Braid", and the paper
  const char* cost;    ///< time and memory in nodes n and edges m
  Status (*run)(const Projection&, const AlgorithmArguments&, const AlgorithmContext&, AlgorithmResult&);
};

/// All algorithms, by name.
std::span<const AlgorithmRow> algorithms();

}  // namespace braid
