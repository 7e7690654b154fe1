// Approximate percentiles: percentile(value, fraction), and sketches that are stored, merged and asked later.
#include "sql/aggregate_function.h"
#include "sql/number_argument.h"
#include "sql/virtual_table.h"
#include "timeseries/percentile_sketch.h"

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

Result<PercentileSketch> sketch_of(sqlite3_value* value) { return PercentileSketch::decode(bytes_of(value)); }

enum class Adds : uint8_t { kNumbers, kSketches };
enum class Gives : uint8_t { kSketch, kNumber };

template <Adds kAdds, Gives kGives>
class Sketching final : public Aggregate {
 public:
  Status add(Values values) override {
    if (kGives == Gives::kNumber) {
      BRAID_ASSIGN(fraction_, fraction_of(values[1], "fraction"));
    }
    if (kAdds == Adds::kSketches) {
      if (sqlite3_value_type(values[0]) == SQLITE_NULL) return {};
      BRAID_ASSIGN(PercentileSketch other, sketch_of(values[0]));
      sketch_.merge(std::move(other));
      return {};
    }
    BRAID_ASSIGN(const auto number, number_of(values[0], "value"));
    if (number) sketch_.add(*number);
    return {};
  }
  Status remove(Values) override {
    return Status(StatusCode::kInvalidArgument, "a frame whose start moves is not possible; percentile_cont(value, fraction) allows it");
  }
  Status result(sqlite3_context* context) override {
    if (sketch_.count() == 0) return {};
    if (kGives == Gives::kNumber) {
      sqlite3_result_double(context, *sketch_.quantile(fraction_));
      return {};
    }
    const std::string bytes = sketch_.encode();
    sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return {};
  }

 private:
  PercentileSketch sketch_;
  double fraction_ = 0.5;
};

bool any_null(Values values) {
  for (sqlite3_value* value : values)
    if (sqlite3_value_type(value) == SQLITE_NULL) return true;
  return false;
}

Status approx_percentile(Connection&, sqlite3_context* context, Values values) {
  if (any_null(values)) return {};
  BRAID_ASSIGN(const double fraction, fraction_of(values[0], "approx_percentile"));
  BRAID_ASSIGN(PercentileSketch sketch, sketch_of(values[1]));
  if (const auto number = sketch.quantile(fraction)) sqlite3_result_double(context, *number);
  return {};
}

Status approx_percentile_rank(Connection&, sqlite3_context* context, Values values) {
  if (any_null(values)) return {};
  BRAID_ASSIGN(const auto number, number_of(values[0], "approx_percentile_rank"));
  BRAID_ASSIGN(PercentileSketch sketch, sketch_of(values[1]));
  if (const auto share = sketch.rank(*number)) sqlite3_result_double(context, *share);
  return {};
}

Status percentile_error(Connection&, sqlite3_context* context, Values values) {
  if (any_null(values)) return {};
  BRAID_ASSIGN(const PercentileSketch sketch, sketch_of(values[0]));
  sqlite3_result_double(context, sketch.error());
  return {};
}

Status percentile_count(Connection&, sqlite3_context* context, Values values) {
  if (any_null(values)) return {};
  BRAID_ASSIGN(const PercentileSketch sketch, sketch_of(values[0]));
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(sketch.count()));
  return {};
}

}  // namespace

Status register_percentile_functions(Connection& connection) {
  static const AggregateFunction kAggregates[] = {
      {"percentile", 2, make_aggregate<Sketching<Adds::kNumbers, Gives::kNumber>>},
      {"percentile_agg", 1, make_aggregate<Sketching<Adds::kNumbers, Gives::kSketch>>},
      {"percentile_merge", 1, make_aggregate<Sketching<Adds::kSketches, Gives::kSketch>>},
  };
  for (const AggregateFunction& function : kAggregates) BRAID_TRY(register_aggregate(connection, function));
  BRAID_TRY(register_function(connection, "approx_percentile", 2, FunctionUse::kInnocuous, approx_percentile, true));
  BRAID_TRY(register_function(connection, "approx_percentile_rank", 2, FunctionUse::kInnocuous, approx_percentile_rank, true));
  BRAID_TRY(register_function(connection, "percentile_error", 1, FunctionUse::kInnocuous, percentile_error, true));
  return register_function(connection, "percentile_count", 1, FunctionUse::kInnocuous, percentile_count, true);
}

}  // namespace braid
