// time_bucket(width, time[, origin | offset | time zone …]) and the table time_buckets(width, start, finish, …).
#include <fmt/format.h>

#include "engine/engine.h"
#include "engine/sqlite_handle.h"
#include "sql/bucket_arguments.h"
#include "sql/sql_tokens.h"
#include "sql/table_function.h"
#include "sql/text_times.h"
#include "sql/time_value.h"

namespace braid {

namespace {

constexpr size_t kBucketsMax = 4'000'000;
constexpr size_t kBucketsPerCheck = 8192;

/// PostgreSQL's times before and after all others are buckets of their own.
bool is_endless(sqlite3_value* time) {
  return sqlite3_value_type(time) == SQLITE_TEXT && (same_sql_name(text_of(time), "infinity") || same_sql_name(text_of(time), "-infinity"));
}
bool is_integer(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_INTEGER; }

Status time_bucket(BucketArguments& arguments, Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  for (sqlite3_value* value : values)
    if (sqlite3_value_type(value) == SQLITE_NULL) return {};
  const bool integers = is_integer(values[0]) && is_integer(values[1]);
  const auto bucket = arguments.read(connection.engine().env(), values[0], values.subspan(2), integers);
  if (!bucket.ok()) return bucket.status().within("time_bucket");
  if (is_endless(values[1])) {
    result_text(context, text_of(values[1]));
    return {};
  }
  BRAID_ASSIGN(const Timestamp time, time_of(values[1], "time_bucket"));
  const auto start = (*bucket)->checked_floor(time.value());
  if (!start) return Status(StatusCode::kInvalidArgument, "time_bucket: the bucket starts before the first time that can be told");
  if (!integers && *start < kYearZero) return bucket_without_text();
  if (integers)
    sqlite3_result_int64(context, *start);
  else
    result_text(context, format_time(Timestamp(*start)));
  return {};
}

class BucketRows final : public FunctionResult {
 public:
  BucketRows(std::vector<int64_t> starts, int64_t limit, bool integers) : starts_(std::move(starts)), limit_(limit), integers_(integers) {}
  size_t size() const override { return starts_.size(); }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const int64_t value = column == 0 ? starts_[row] : row + 1 < starts_.size() ? starts_[row + 1] : limit_;
    if (integers_)
      sqlite3_result_int64(context, value);
    else
      result_text(context, format_time(Timestamp(value)));
  }

 private:
  const std::vector<int64_t> starts_;
  const int64_t limit_;  // where the last bucket ends
  const bool integers_;
};

/// '[)' as PostgreSQL's ranges: the times on which start and finish themselves lie in the range or not.
Status read_bounds(std::optional<std::string_view> text, int64_t& start, int64_t& finish) {
  const std::string_view bounds = text.value_or("[)");
  if (bounds != "[)" && bounds != "[]" && bounds != "(]" && bounds != "()")
    return Status(StatusCode::kInvalidArgument, fmt::format("time_buckets: bounds '{}': expected '[)', '[]', '(]' or '()'", bounds));
  if (bounds[0] == '(' && start < INT64_MAX) ++start;
  if (bounds[1] == ']' && finish < INT64_MAX) ++finish;
  return {};
}

/// All buckets that begin before `finish`, from the one in which `start` lies.
Result<std::unique_ptr<FunctionResult>> run_buckets(BucketArguments& arguments, Connection& connection, std::span<sqlite3_value* const> parameters) {
  enum Parameter { kWidth, kStart, kFinish, kFirstOption, kLastOption = kFirstOption + 2, kBounds };
  std::vector<sqlite3_value*> options;
  for (int i = kFirstOption; i <= kLastOption; ++i)
    if (parameters[i] != nullptr && sqlite3_value_type(parameters[i]) != SQLITE_NULL) options.push_back(parameters[i]);
  const bool integers = is_integer(parameters[kWidth]) && is_integer(parameters[kStart]) && is_integer(parameters[kFinish]);
  const auto bucket = arguments.read(connection.engine().env(), parameters[kWidth], options, integers);
  if (!bucket.ok()) return bucket.status().within("time_buckets");
  BRAID_ASSIGN(const Timestamp first, time_of(parameters[kStart], "time_buckets: start"));
  BRAID_ASSIGN(const Timestamp last, time_of(parameters[kFinish], "time_buckets: finish"));
  int64_t start = first.value();
  int64_t finish = last.value();
  BRAID_TRY(read_bounds(text_parameter(parameters, kBounds), start, finish));
  const AlgorithmContext context = connection.algorithm_context();
  std::vector<int64_t> starts;
  auto at = (*bucket)->checked_floor(start);
  if (!at) return Status(StatusCode::kInvalidArgument, "time_buckets: the first bucket starts before the first time that can be told");
  if (!integers && *at < kYearZero) return bucket_without_text();
  while (start < finish && *at < finish) {
    if (starts.size() >= kBucketsMax)
      return Status(StatusCode::kLimit, fmt::format("time_buckets: more than {} buckets; take a greater width or a shorter range", kBucketsMax));
    if (starts.size() % kBucketsPerCheck == 0) BRAID_TRY(context.check(0));
    starts.push_back(*at);
    const int64_t next = (*bucket)->next(*at);
    if (next <= *at) break;
    at = next;
  }
  return std::unique_ptr<FunctionResult>(std::make_unique<BucketRows>(std::move(starts), *at, integers));
}

}  // namespace

Status register_bucket_functions(Connection& connection) {
  // Shared: each form of the function keeps the arguments of its last call.
  const auto arguments = std::make_shared<BucketArguments>();
  for (int count = 2; count <= 5; ++count)
    BRAID_TRY(register_function(
        connection, "time_bucket", count, FunctionUse::kInnocuous,
        [arguments](Connection& called_on, sqlite3_context* context, std::span<sqlite3_value*> values) {
          return time_bucket(*arguments, called_on, context, values);
        },
        true));
  static const TableFunction kBuckets{
      "time_buckets", "bucket, next", 2,
      {{"width", true}, {"start", true}, {"finish", true}, {"timezone"}, {"origin"}, {"offset"}, {"bounds"}},
      [](Connection& called_on, std::span<sqlite3_value* const> parameters) {
        BucketArguments own;
        return run_buckets(own, called_on, parameters);
      }};
  return register_table_function(connection, kBuckets);
}

}  // namespace braid
