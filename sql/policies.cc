#include "sql/policies.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "sql/aggregate_refresh.h"
#include "sql/chunk_functions.h"
#include "sql/table_function.h"
#include "sql/time_age.h"
#include "sql/time_text.h"
#include "timeseries/series_view.h"

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

constexpr int64_t kHour = int64_t{3600} * 1'000'000;
constexpr int64_t kScheduleMin = 1'000'000;
constexpr int64_t kScheduleMax = INT64_C(100) * 365 * 24 * kHour;
/// They are read at open, and copied whenever one changes.
constexpr size_t kPoliciesMax = 10'000;

struct KindRow {
  PolicyKind kind;
  std::string_view name;
  int64_t schedule_us;  // unless one is given
};
constexpr KindRow kKinds[] = {{PolicyKind::kRetention, "retention", 24 * kHour},
                              {PolicyKind::kSizeRetention, "size retention", kHour},
                              {PolicyKind::kCompression, "compression", 12 * kHour},
                              {PolicyKind::kRefresh, "continuous aggregate", kHour}};

const KindRow& row_of(PolicyKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [kind](const KindRow& row) { return row.kind == kind; });
}

std::string target_name(const CatalogState& state, const PolicyDefinition& policy) {
  if (policy.kind == PolicyKind::kRefresh) {
    const auto found = state.aggregates.find(AggregateId(policy.target));
    return found == state.aggregates.end() ? std::string() : found->second->name;
  }
  const auto found = state.hypertables.find(HypertableId(policy.target));
  return found == state.hypertables.end() ? std::string() : found->second.name;
}

// ---- Running -------------------------------------------------------------------------------------------------------------

/// Where the intervals end that must go so that what is left of the chunks has at most `bytes_max`; the newest interval stays.
std::optional<Timestamp> limit_of_size(const CatalogState& state, HypertableId table, uint64_t bytes_max) {
  std::map<Timestamp, uint64_t> intervals;  // bytes by where they end
  uint64_t bytes = 0;
  for (const auto& [id, chunk] : state.chunks) {
    if (chunk.hypertable != table) continue;
    intervals[chunk.interval.limit] += chunk.size_bytes;
    bytes += chunk.size_bytes;
  }
  std::optional<Timestamp> limit;
  for (auto interval = intervals.begin(); bytes > bytes_max && interval != intervals.end() && std::next(interval) != intervals.end(); ++interval) {
    limit = interval->first;
    bytes -= interval->second;
  }
  return limit;
}

/// Time passes for a hypertable as its points do: a clock that steps ahead lets nothing go that belongs to the newest points.
Timestamp time_of_points(Connection& connection, HypertableId table, Timestamp now) {
  std::optional<int64_t> newest;
  const auto note = [&](int64_t time) { newest = std::max(newest.value_or(time), time); };
  for (const auto& [id, chunk] : connection.catalog_state().chunks)
    if (chunk.hypertable == table) note(chunk.time_max.value());
  const auto view = connection.series_view();
  if (const TailTable* tail = static_cast<const SeriesView&>(*view).tail().find(table))
    for (const auto& segment : tail->segments)
      if (segment->rows() > 0) note(segment->time_max());
  return newest ? std::min(now, Timestamp(*newest)) : now;
}

Result<bool> run_retention(Connection& connection, const PolicyDefinition& policy, Timestamp now) {
  const auto table = connection.catalog_state().hypertables.find(HypertableId(policy.target));
  if (table == connection.catalog_state().hypertables.end()) return Status(StatusCode::kNotFound, "its hypertable is gone");
  std::optional<Timestamp> limit;
  if (policy.kind == PolicyKind::kSizeRetention) {
    limit = limit_of_size(connection.catalog_state(), table->first, policy.bytes_max);
  } else {
    BRAID_ASSIGN(limit, time_before(time_of_points(connection, table->first, now), *policy.end_offset));
  }
  if (limit) BRAID_TRY(drop_old_chunks(connection, table->second, *limit).status());
  return true;
}

Result<bool> run_refresh(Connection& connection, const PolicyDefinition& policy, Timestamp now, std::chrono::steady_clock::time_point stop_at) {
  const AggregateId id(policy.target);
  if (!connection.catalog_state().aggregates.contains(id)) return Status(StatusCode::kNotFound, "its continuous aggregate is gone");
  RefreshWindow window;
  window.stop_at = stop_at;
  if (policy.start_offset) {
    BRAID_ASSIGN(window.points.start, time_before(now, *policy.start_offset));
  }
  if (policy.end_offset) {
    BRAID_ASSIGN(window.points.limit, time_before(now, *policy.end_offset));
  }
  return refresh_aggregate(connection, id, window);
}

// ---- Functions -----------------------------------------------------------------------------------------------------------

const PolicyDefinition* find_policy(const CatalogState& state, PolicyKind kind, uint32_t target) {
  for (const auto& [id, policy] : state.policies)
    if (policy->kind == kind && policy->target == target) return policy.get();
  return nullptr;
}

Status check_positive(const CalendarLength& length, std::string_view what) {
  if (length.months >= 0 && length.microseconds >= 0 && (length.months > 0 || length.microseconds > 0)) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("{}: expected a length above zero, for example '7 days'", what));
}

Result<int64_t> schedule_of(Values values, size_t index, PolicyKind kind, std::string_view caller) {
  if (values.size() <= index || sqlite3_value_type(values[index]) == SQLITE_NULL) return row_of(kind).schedule_us;
  const std::string what = fmt::format("{}: schedule_interval", caller);
  BRAID_ASSIGN(const CalendarLength length, length_of(values[index], what));
  // A month is thirty days here: what counts is about how often.
  int64_t us = 0;
  if (__builtin_mul_overflow(length.months, 30 * 24 * kHour, &us) || __builtin_add_overflow(us, length.microseconds, &us) || us < kScheduleMin || us > kScheduleMax)
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: expected at least one second and at most 100 years", what));
  return us;
}

Status add_policy(Connection& connection, sqlite3_context* context, PolicyDefinition policy, std::string_view caller) {
  CatalogWriter& catalog = connection.session().catalog_writer();
  if (find_policy(catalog.state(), policy.kind, policy.target) != nullptr)
    return Status(StatusCode::kConstraint, fmt::format("{}: '{}' has a {} policy already; remove that first", caller, target_name(catalog.state(), policy),
                                                       row_of(policy.kind).name));
  if (catalog.state().policies.size() >= kPoliciesMax)
    return Status(StatusCode::kLimit, fmt::format("{}: there are {} policies, which is the most", caller, kPoliciesMax));
  policy.next_run = connection.engine().env().now();
  sqlite3_result_int64(context, catalog.add_policy(std::move(policy)).value());
  return {};
}

/// What the policies of hypertables have in common.
Result<PolicyDefinition> table_policy(Connection& connection, Values values, PolicyKind kind, std::string_view caller) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_of(values[0]), caller));
  PolicyDefinition policy;
  policy.kind = kind;
  policy.target = table->id.value();
  BRAID_ASSIGN(policy.schedule_us, schedule_of(values, 2, kind, caller));
  return policy;
}

Status add_aged_policy(Connection& connection, sqlite3_context* context, Values values, PolicyKind kind, std::string_view caller, std::string_view age) {
  BRAID_ASSIGN(PolicyDefinition policy, table_policy(connection, values, kind, caller));
  const std::string what = fmt::format("{}: {}", caller, age);
  BRAID_ASSIGN(policy.end_offset, length_of(values[1], what));
  BRAID_TRY(check_positive(*policy.end_offset, what));
  return add_policy(connection, context, std::move(policy), caller);
}

Status add_retention_function(Connection& connection, sqlite3_context* context, Values values) {
  return add_aged_policy(connection, context, values, PolicyKind::kRetention, "add_retention_policy", "drop_after");
}

Status add_compression_function(Connection& connection, sqlite3_context* context, Values values) {
  return add_aged_policy(connection, context, values, PolicyKind::kCompression, "add_compression_policy", "compress_after");
}

Status add_size_function(Connection& connection, sqlite3_context* context, Values values) {
  constexpr std::string_view kCaller = "add_size_retention_policy";
  BRAID_ASSIGN(PolicyDefinition policy, table_policy(connection, values, PolicyKind::kSizeRetention, kCaller));
  if (sqlite3_value_type(values[1]) != SQLITE_INTEGER || sqlite3_value_int64(values[1]) < 1)
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: bytes_max: expected a whole number of bytes above zero", kCaller));
  policy.bytes_max = static_cast<uint64_t>(sqlite3_value_int64(values[1]));
  return add_policy(connection, context, std::move(policy), kCaller);
}

Status add_refresh_function(Connection& connection, sqlite3_context* context, Values values) {
  constexpr std::string_view kCaller = "add_continuous_aggregate_policy";
  BRAID_TRY(connection.check_writing());
  const AggregateDefinition* aggregate = connection.catalog_state().aggregate(text_of(values[0]));
  if (aggregate == nullptr) return Status(StatusCode::kNotFound, fmt::format("{}: there is no continuous aggregate '{}'", kCaller, text_of(values[0])));
  PolicyDefinition policy;
  policy.kind = PolicyKind::kRefresh;
  policy.target = aggregate->id.value();
  if (sqlite3_value_type(values[1]) != SQLITE_NULL) {
    BRAID_ASSIGN(policy.start_offset, length_of(values[1], fmt::format("{}: start_offset", kCaller)));
  }
  if (sqlite3_value_type(values[2]) != SQLITE_NULL) {
    BRAID_ASSIGN(policy.end_offset, length_of(values[2], fmt::format("{}: end_offset", kCaller)));
  }
  BRAID_ASSIGN(policy.schedule_us, schedule_of(values, 3, PolicyKind::kRefresh, kCaller));
  if (policy.start_offset && policy.end_offset) {
    const Timestamp now = connection.engine().env().now();
    BRAID_ASSIGN(const Timestamp start, time_before(now, *policy.start_offset));
    BRAID_ASSIGN(const Timestamp limit, time_before(now, *policy.end_offset));
    if (start >= limit) return Status(StatusCode::kInvalidArgument, fmt::format("{}: start_offset reaches no further back than end_offset", kCaller));
  }
  return add_policy(connection, context, std::move(policy), kCaller);
}

Status remove_policies(Connection& connection, sqlite3_context* context, uint32_t target, std::initializer_list<PolicyKind> kinds, std::string_view caller,
                       std::string_view name) {
  CatalogWriter& catalog = connection.session().catalog_writer();
  int64_t removed = 0;
  for (const PolicyKind kind : kinds) {
    const PolicyDefinition* policy = find_policy(catalog.state(), kind, target);
    if (policy == nullptr) continue;
    catalog.remove_policy(PolicyId(policy->id));
    ++removed;
  }
  if (removed == 0) return Status(StatusCode::kNotFound, fmt::format("{}: '{}' has no such policy", caller, name));
  sqlite3_result_int64(context, removed);
  return {};
}

Status remove_table_policies(Connection& connection, sqlite3_context* context, Values values, std::initializer_list<PolicyKind> kinds, std::string_view caller) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_of(values[0]), caller));
  return remove_policies(connection, context, table->id.value(), kinds, caller, text_of(values[0]));
}

Status remove_retention_function(Connection& connection, sqlite3_context* context, Values values) {
  return remove_table_policies(connection, context, values, {PolicyKind::kRetention, PolicyKind::kSizeRetention}, "remove_retention_policy");
}

Status remove_compression_function(Connection& connection, sqlite3_context* context, Values values) {
  return remove_table_policies(connection, context, values, {PolicyKind::kCompression}, "remove_compression_policy");
}

Status remove_refresh_function(Connection& connection, sqlite3_context* context, Values values) {
  constexpr std::string_view kCaller = "remove_continuous_aggregate_policy";
  BRAID_TRY(connection.check_writing());
  const AggregateDefinition* aggregate = connection.catalog_state().aggregate(text_of(values[0]));
  if (aggregate == nullptr) return Status(StatusCode::kNotFound, fmt::format("{}: there is no continuous aggregate '{}'", kCaller, text_of(values[0])));
  return remove_policies(connection, context, aggregate->id.value(), {PolicyKind::kRefresh}, kCaller, text_of(values[0]));
}

Result<std::unique_ptr<FunctionResult>> list_policies(Connection& connection, std::span<sqlite3_value* const>) {
  std::vector<Row> rows;
  const CatalogState& state = connection.catalog_state();
  for (const auto& [id, policy] : state.policies) {
    rows.push_back({static_cast<int64_t>(id.value()), std::string(row_of(policy->kind).name), target_name(state, *policy), describe_policy(*policy),
                    length_text({0, policy->schedule_us}), policy->last_run ? Cell(format_time(*policy->last_run)) : Cell(), format_time(policy->next_run),
                    static_cast<int64_t>(policy->runs), static_cast<int64_t>(policy->failures),
                    policy->last_error.empty() ? Cell() : Cell(policy->last_error)});
  }
  return make_rows(std::move(rows));
}

const TableFunction kPolicyList = {"maintenance_policies",
                             "id INTEGER, kind TEXT, target TEXT, config TEXT, schedule_interval TEXT, last_run TEXT, next_run TEXT, runs INTEGER, "
                             "failures INTEGER, last_error TEXT",
                             10,
                             {},
                             list_policies};

constexpr FunctionRow kPolicyFunctions[] = {
    {"add_retention_policy", 2, 3, add_retention_function},
    {"add_size_retention_policy", 2, 3, add_size_function},
    {"add_compression_policy", 2, 3, add_compression_function},
    {"add_continuous_aggregate_policy", 4, 4, add_refresh_function},
    {"remove_retention_policy", 1, 1, remove_retention_function},
    {"remove_compression_policy", 1, 1, remove_compression_function},
    {"remove_continuous_aggregate_policy", 1, 1, remove_refresh_function},
};

}  // namespace

std::string describe_policy(const PolicyDefinition& policy) {
  const auto age = [](const std::optional<CalendarLength>& length, std::string_view otherwise) { return length ? length_text(*length) : std::string(otherwise); };
  switch (policy.kind) {
    case PolicyKind::kRetention: return fmt::format("drop after {}", age(policy.end_offset, ""));
    case PolicyKind::kSizeRetention: return fmt::format("at most {} bytes of chunks", policy.bytes_max);
    case PolicyKind::kCompression: return fmt::format("compress after {}", age(policy.end_offset, ""));
    case PolicyKind::kRefresh:
      return fmt::format("refresh from {} to {} ago", age(policy.start_offset, "the first point"), age(policy.end_offset, "the newest point"));
  }
  return {};
}

Status run_compression(Engine& engine, const PolicyDefinition& policy, Timestamp now, const std::function<Status()>& between) {
  RewriteWish wish;
  wish.table = HypertableId(policy.target);
  wish.compress = true;
  BRAID_ASSIGN(wish.before, time_before(now, *policy.end_offset));
  return engine.rewrite(wish, between).status();
}

Result<bool> run_policy(Connection& connection, const PolicyDefinition& policy, Timestamp now, std::chrono::steady_clock::time_point stop_at) {
  switch (policy.kind) {
    case PolicyKind::kRetention:
    case PolicyKind::kSizeRetention: return run_retention(connection, policy, now);
    case PolicyKind::kRefresh: return run_refresh(connection, policy, now, stop_at);
    case PolicyKind::kCompression: break;
  }
  return Status(StatusCode::kInternal, "a compression policy runs outside of a transaction");
}

Status register_policies(Connection& connection) {
  BRAID_TRY(register_table_function(connection, kPolicyList));
  return register_functions(connection, FunctionUse::kDirectOnly, kPolicyFunctions);
}

}  // namespace braid
