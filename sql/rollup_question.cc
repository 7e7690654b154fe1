#include "sql/rollup_question.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "sql/text_times.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

/// Buckets of months, or on a zone's clock.
class CalendarBuckets final : public TimeBuckets {
 public:
  explicit CalendarBuckets(TimeBucket bucket) : bucket_(std::move(bucket)) {}
  int64_t start_of(int64_t time) const override { return bucket_.floor(time); }
  int64_t next(int64_t start) const override { return bucket_.next(start); }

 private:
  const TimeBucket bucket_;
};

/// What the conditions of a plan leave.
class Narrowing {
 public:
  Narrowing(const HypertableDefinition& table, RollupQuestion& question) : choices(table.tags.size()), table_(table), question_(question) {}

  Status apply(const RollupCondition& condition, std::span<sqlite3_value* const> parameters) {
    sqlite3_value* value = condition.parameter ? parameters[*condition.parameter] : nullptr;
    switch (condition.target) {
      case ConditionTarget::kTime: {
        BRAID_ASSIGN(const bool may, narrow_range(condition.op, value, question_.range));
        possible = possible && may;
        return {};
      }
      case ConditionTarget::kField: possible = narrow_field(condition.op, value, condition.index, question_.filters) && possible; return {};
      case ConditionTarget::kSeries: return narrow_tag(condition.op, value, table_.tag_type(condition.index), choices[condition.index]);
      case ConditionTarget::kConstant: possible = possible && sqlite3_value_int(value) != 0; return {};
    }
    return {};
  }

  std::vector<TagChoice> choices;
  bool possible = true;

 private:
  const HypertableDefinition& table_;
  RollupQuestion& question_;
};

/// kCorrupt for a tag of a whole number that is none.
Result<TagKey> tag_key(const HypertableDefinition& table, size_t tag, std::optional<std::string> value) {
  if (!value) return TagKey();
  if (table.tag_type(tag) != FieldType::kInt64) return TagKey(std::move(*value));
  const auto number = integer_of_tag(*value);
  if (!number) return Status(StatusCode::kCorrupt, fmt::format("tag '{}' of '{}' is '{}', no whole number", table.tags[tag], table.name, *value));
  return TagKey(*number);
}

/// Numbers the groups of the chosen series, in the order of their tags.
Status make_groups(Connection& connection, const HypertableDefinition& table, const std::vector<size_t>& keys, AskedRollup& asked) {
  RollupQuestion& question = asked.question;
  if (!question.series) {
    BRAID_ASSIGN(question.series, all_series(connection, table));
  }
  BRAID_ASSIGN(SeriesGroups found, group_series(connection, table, keys, *question.series));
  std::vector<std::pair<GroupTags, uint32_t>> groups;
  for (TagValues& tags : found.tags) {
    GroupTags group;
    for (size_t i = 0; i < keys.size(); ++i) {
      BRAID_ASSIGN(TagKey value, tag_key(table, keys[i], std::move(tags[i])));
      group.push_back(std::move(value));
    }
    groups.emplace_back(std::move(group), static_cast<uint32_t>(groups.size()));
  }
  std::sort(groups.begin(), groups.end());
  std::vector<uint32_t> numbers(groups.size());
  for (auto& [tags, number] : groups) {
    numbers[number] = static_cast<uint32_t>(asked.groups.size());
    asked.groups.push_back(std::move(tags));
  }
  question.groups = std::move(found.of_series);
  for (uint32_t& group : question.groups) group = numbers[group];
  asked.no_rows = question.series->empty();
  return {};
}

size_t buckets_max(const RollupPlan::Limit& limit, std::span<sqlite3_value* const> parameters) {
  // What is no integer may be taken for one by SQLite (2.0): then nothing is known.
  const auto is_whole = [&](size_t parameter) { return sqlite3_value_numeric_type(parameters[parameter]) == SQLITE_INTEGER; };
  if (!is_whole(limit.count) || (limit.offset && !is_whole(*limit.offset))) return 0;
  const int64_t count = sqlite3_value_int64(parameters[limit.count]);
  const int64_t offset = limit.offset ? std::max<int64_t>(sqlite3_value_int64(parameters[*limit.offset]), 0) : 0;
  constexpr int64_t kMost = INT64_C(1) << 40;
  if (count < 1 || count > kMost || offset > kMost) return 0;
  return static_cast<size_t>(count + offset);
}

}  // namespace

Result<std::shared_ptr<const TimeBuckets>> make_buckets(Connection& connection, sqlite3_value* width, std::span<sqlite3_value* const> options,
                                                        BucketArguments& arguments) {
  using Buckets = std::shared_ptr<const TimeBuckets>;
  const auto is_null = [](sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; };
  if (is_null(width) || std::any_of(options.begin(), options.end(), is_null)) return Buckets();
  const auto bucket = arguments.read(connection.engine().env(), width, options, false);
  if (!bucket.ok()) return bucket.status().within("time_bucket");
  if (const auto fixed = (*bucket)->fixed_width()) return Buckets(std::make_shared<FixedBuckets>(*fixed, (*bucket)->phase()));
  return Buckets(std::make_shared<CalendarBuckets>(**bucket));
}

Result<AskedRollup> ask_rollup(Connection& connection, const HypertableDefinition& table, const RollupPlan& plan,
                               std::span<sqlite3_value* const> parameters, BucketArguments& bucket_arguments) {
  AskedRollup asked;
  RollupQuestion& question = asked.question;
  Narrowing narrowing(table, question);
  for (const RollupCondition& condition : plan.conditions) BRAID_TRY(narrowing.apply(condition, parameters));
  question.columns = plan.columns;
  if (narrowing.possible && question.range.start < question.range.limit) {
    BRAID_ASSIGN(question.series, choose_series(connection, table, narrowing.choices));
  } else {
    question.series.emplace();
    question.range = {};
  }
  if (plan.bucket) {
    std::vector<sqlite3_value*> options;
    for (const size_t option : plan.bucket->options) options.push_back(parameters[option]);
    auto buckets = make_buckets(connection, parameters[plan.bucket->width], options, bucket_arguments);
    // Where there is no row, time_bucket is not called.
    if (!buckets.ok() && question.series && question.series->empty()) {
      asked.no_rows = true;
      return asked;
    }
    BRAID_ASSIGN(question.buckets, std::move(buckets));
    asked.null_bucket = question.buckets == nullptr;
    asked.no_rows = question.series && question.series->empty();
  }
  if (!plan.tags.empty()) BRAID_TRY(make_groups(connection, table, plan.tags, asked));
  if (plan.limit) {
    question.buckets_max = buckets_max(*plan.limit, parameters);
    question.newest_first = plan.limit->newest_first;
  }
  return asked;
}

Result<RollupAnswer> answer_rollup(Connection& connection, const HypertableDefinition& table, AskedRollup& asked) {
  RollupQuestion& question = asked.question;
  const Options& options = connection.engine().options();
  question.bytes_max = static_cast<uint64_t>(options[OptionId::kRollupBytesMax]);
  question.memory = connection.engine().memory();
  question.check = [&connection, deadline = connection.statement_deadline()]() -> Status {
    if (connection.interrupted()) return Status(StatusCode::kInterrupted, "interrupted");
    if (std::chrono::steady_clock::now() < deadline) return {};
    return Status(StatusCode::kInterrupted, "the statement ran longer than statement_time_max_ms, or the connection's time limit, allows");
  };
  if (question.buckets_max > 0 && question.range.limit > Timestamp(kYearTenThousand)) {
    RollupQuestion late = question;
    late.range.start = std::max(late.range.start, Timestamp(kYearTenThousand));
    late.buckets = nullptr;
    late.buckets_max = 0;
    late.columns = {{RollupFunction::kCount, kAllRows}};
    BRAID_ASSIGN(const RollupAnswer found, roll_up(connection.series_view(), connection.series_overlay(), table, late));
    if (found.value(0, 0).integer > 0) question.buckets_max = 0;
  }
  return roll_up(connection.series_view(), connection.series_overlay(), table, question);
}

}  // namespace braid
