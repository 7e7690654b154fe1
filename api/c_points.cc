// The C API: appenders.
#include <fmt/format.h>

#include <algorithm>

#include "api/c_guard.h"
#include "api/column_argument.h"
#include "api/remote_columns.h"
#include "sql/hypertable_columns.h"
#include "timeseries/point_checks.h"

using namespace braid;

namespace {

/// SQLite's bound, and so a hypertable's.
constexpr int64_t kColumnsMax = 2000;

/// A call on an appender that another process keeps.
Status send_points(braid_appender& appender, Operation operation, std::vector<Value> values) {
  if (appender.state->remote == nullptr) return Status(StatusCode::kMisuse, "the connection is closed");
  return appender.state->remote->call_for_numbers(operation, std::move(values), {}, appender.remote_handle);
}

bool is_cancelled(const braid_appender& appender) { return appender.state->remote != nullptr && appender.state->remote->cancelled(); }

int32_t remote_points(braid_appender* appender, Operation operation, std::initializer_list<Value> values) {
  return guard(appender, [&] { return send_points(*appender, operation, values); });
}

Result<const HypertableDefinition*> find_table(Connection& connection, const std::string& name) {
  const HypertableDefinition* table = connection.catalog_state().hypertable(name);
  if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", name));
  return table;
}

bool same_fields(const std::vector<FieldDefinition>& a, const std::vector<FieldDefinition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x.id == y.id && x.type == y.type; });
}

Status append_run(Connection& connection, const braid_appender& appender, const braid_appender::Run& run) {
  BRAID_ASSIGN(const HypertableDefinition* table, find_table(connection, appender.table.name));
  if (!same_fields(table->fields, appender.table.fields))
    return Status(StatusCode::kMisuse, fmt::format("the fields of hypertable '{}' have changed; open another appender", table->name));
  std::vector<std::optional<std::string_view>> tags(run.tags.begin(), run.tags.end());
  SeriesWriter& writer = connection.series_writer();
  BRAID_ASSIGN(const SeriesId series, writer.series(*table, tags));
  return writer.append_columns(*table, series, run.times, run.columns, run.policy);
}

/// Inside a transaction points are staged at once, so that they belong to it; outside one they wait for the flush.
Status add_run(braid_appender& appender, braid_appender::Run run) {
  BRAID_ASSIGN(Connection * open, open_connection(*appender.state));
  if (open->in_transaction()) return open->write([&]() -> Status { return append_run(*open, appender, run); });
  appender.pending_rows += run.times.size();
  if (!appender.pending.empty() && appender.pending.back().tags == run.tags && appender.pending.back().policy == run.policy && run.times.size() == 1) {
    auto& last = appender.pending.back();
    last.times.push_back(run.times.front());
    for (size_t i = 0; i < run.columns.size(); ++i) last.columns[i].push(run.columns[i].value(0));
    return {};
  }
  appender.pending.push_back(std::move(run));
  return {};
}

/// Memory of an appender outside a transaction is bounded by committing what it holds.
constexpr size_t kPendingRowsMax = 1 << 17;

Status flush(braid_appender& appender) {
  if (appender.pending.empty()) return {};
  BRAID_ASSIGN(Connection * open, open_connection(*appender.state));
  BRAID_TRY(open->write([&]() -> Status {
    size_t done = 0;
    for (const auto& run : appender.pending) {
      BRAID_TRY(LongCall::check(static_cast<double>(done) / static_cast<double>(appender.pending_rows)));
      BRAID_TRY(append_run(*open, appender, run));
      done += run.times.size();
    }
    return {};
  }));
  appender.pending.clear();
  appender.pending_rows = 0;
  return {};
}

/// Before as much is read: the caller's array may be as long as the hypertable has tags, and no longer.
Status check_tag_count(const braid_appender& appender, size_t count) {
  if (count == appender.table.tags.size()) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("{} tags are given, hypertable '{}' has {}", count, appender.table.name, appender.table.tags.size()));
}

/// The same for arrays with an element for each field; `what` is in them.
Status check_field_count(const braid_appender& appender, const char* what, size_t count) {
  if (count == appender.table.fields.size()) return {};
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{} {} are given, hypertable '{}' has {} fields", count, what, appender.table.name, appender.table.fields.size()));
}

Status check_series(const braid_appender& appender) {
  if (appender.has_series) return {};
  return Status(StatusCode::kMisuse, "no series is set; call braid_appender_series first");
}

/// What waits for the flush, as it was.
class PendingMark {
 public:
  explicit PendingMark(braid_appender& appender)
      : appender_(appender), runs_(appender.pending.size()), last_rows_(runs_ == 0 ? 0 : appender.pending.back().times.size()), rows_(appender.pending_rows) {}
  void restore() {
    appender_.pending.resize(runs_);
    if (runs_ > 0) {
      appender_.pending.back().times.resize(last_rows_);
      for (ColumnData& column : appender_.pending.back().columns) column.truncate(last_rows_);
    }
    appender_.pending_rows = rows_;
  }

 private:
  braid_appender& appender_;
  const size_t runs_, last_rows_, rows_;
};

/// A call that is stopped has added nothing. Other errors are those of the flush, which keeps the points.
Status add_and_bound(braid_appender& appender, braid_appender::Run run) {
  PendingMark before(appender);
  BRAID_TRY(add_run(appender, std::move(run)));
  if (appender.pending_rows < kPendingRowsMax) return {};
  const Status flushed = flush(appender);
  if (flushed.code() == StatusCode::kInterrupted) before.restore();
  return flushed;
}

}  // namespace

int32_t braid_appender::finish(const Status& status) {
  if (status.ok()) return BRAID_OK;
  state->error = status.message();
  state->error_offset = -1;
  return static_cast<int32_t>(status.code());
}

extern "C" {

int32_t braid_appender_open(braid_connection* connection, const char* hypertable, braid_appender** appender) {
  if (is_remote(connection) && appender != nullptr) {
    auto made = std::unique_ptr<braid_appender>(new (std::nothrow) braid_appender{connection->state});
    if (made == nullptr) return BRAID_OUT_OF_MEMORY;
    int64_t handle = 0, tags = 0, fields = 0;
    const int32_t code = remote_call(connection, Operation::kAppenderOpen, {Value::text_or_null(hypertable)}, {&handle, &tags, &fields});
    made->remote_handle = static_cast<uint64_t>(handle);
    if (code == BRAID_OK) {
      made->table.name = hypertable;
      made->table.tags.resize(static_cast<size_t>(std::clamp<int64_t>(tags, 0, kColumnsMax)));
      made->table.fields.resize(static_cast<size_t>(std::clamp<int64_t>(fields, 0, kColumnsMax)));
      made->has_series = made->table.tags.empty();
    }
    *appender = code == BRAID_OK ? made.release() : nullptr;
    return code;
  }
  if (appender != nullptr) *appender = nullptr;
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(hypertable);
    BRAID_NOT_NULL(appender);
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    auto made = std::make_unique<braid_appender>();
    BRAID_TRY(open->read([&]() -> Status {
      BRAID_ASSIGN(const HypertableDefinition* table, find_table(*open, hypertable));
      made->table = *table;
      return {};
    }));
    made->state = connection->state;
    made->has_series = made->table.tags.empty();
    *appender = made.release();
    return {};
  });
}

int32_t braid_appender_series(braid_appender* appender, const char* const* tags, size_t count) {
  if (appender != nullptr && appender->remote_handle != 0) {
    return guard(appender, [&]() -> Status {
      BRAID_TRY(check_tag_count(*appender, count));
      std::vector<Value> values = {Value::number(static_cast<int64_t>(count)), Value::number(tags != nullptr ? 1 : 0)};
      for (size_t i = 0; tags != nullptr && i < count; ++i) values.push_back(Value::text_or_null(tags[i]));
      BRAID_TRY(send_points(*appender, Operation::kAppenderSeries, std::move(values)));
      appender->has_series = true;
      return {};
    });
  }
  return guard(appender, [&]() -> Status {
    BRAID_TRY(check_tag_count(*appender, count));
    if (tags == nullptr && count > 0) return null_argument("tags");
    auto given = tags_argument(tags, count);
    for (size_t i = 0; i < count; ++i)
      if (given[i] && appender->table.tag_type(i) == FieldType::kInt64) BRAID_TRY(whole_number_tag(appender->table, i, *given[i]).status());
    appender->tags = std::move(given);
    appender->has_series = true;
    return {};
  });
}

int32_t braid_appender_on_conflict(braid_appender* appender, const char* policy) {
  if (appender != nullptr && appender->remote_handle != 0)
    return remote_points(appender, Operation::kAppenderOnConflict, {Value::text_or_null(policy)});
  return guard(appender, [&]() -> Status {
    HypertableDefinition rule;
    if (policy != nullptr) BRAID_TRY(apply_setting(rule, "on_conflict", policy));
    appender->policy = policy == nullptr ? std::nullopt : std::optional(rule.on_conflict);
    return {};
  });
}

int32_t braid_appender_point(braid_appender* appender, int64_t time, const double* values, const uint8_t* nulls, size_t count) {
  if (appender != nullptr && appender->remote_handle != 0) {
    return guard(appender, [&]() -> Status {
      BRAID_TRY(check_series(*appender));
      BRAID_TRY(check_field_count(*appender, "values", count));
      return send_points(*appender, Operation::kAppenderPoint,
                         {Value::number(time), Value::number(static_cast<int64_t>(count)), Value::array(values, count), Value::array(nulls, count)});
    });
  }
  return guard(appender, [&]() -> Status {
    BRAID_TRY(check_series(*appender));
    if (values == nullptr && count > 0) return null_argument("values");
    BRAID_TRY(check_field_count(*appender, "values", count));
    BRAID_TRY(check_point_times(appender->table, {&time, 1}));
    braid_appender::Run run{appender->tags, {time}, {}, appender->policy};
    run.columns.resize(count);
    for (size_t i = 0; i < count; ++i) {
      run.columns[i].type = appender->table.fields[i].type;
      FieldValue value;
      value.is_null = nulls != nullptr && nulls[i] != 0;
      if (!value.is_null && run.columns[i].type == FieldType::kDouble) value.real = values[i];
      if (!value.is_null && run.columns[i].type != FieldType::kDouble) {
        const bool text = run.columns[i].type == FieldType::kText || run.columns[i].type == FieldType::kJson;
        if (text || !(values[i] >= -9007199254740992.0 && values[i] <= 9007199254740992.0) ||
            values[i] != static_cast<double>(static_cast<int64_t>(values[i])))
          return Status(StatusCode::kInvalidArgument,
                        fmt::format("field '{}': {} is no value of its type; use braid_appender_columns", appender->table.fields[i].name, values[i]));
        value.integer = static_cast<int64_t>(values[i]);
        if (run.columns[i].type == FieldType::kBool && value.integer != 0 && value.integer != 1)
          return Status(StatusCode::kInvalidArgument, fmt::format("field '{}': {} is not a boolean, expected 0 or 1",
                                                                  appender->table.fields[i].name, value.integer));
      }
      run.columns[i].push(value);
    }
    return add_and_bound(*appender, std::move(run));
  });
}

int32_t braid_appender_columns(braid_appender* appender, const int64_t* times, size_t count, const braid_column* columns,
                               size_t column_count) {
  if (appender != nullptr && appender->remote_handle != 0) {
    return guard(appender, [&]() -> Status {
      BRAID_TRY(check_series(*appender));
      if (count > 0) BRAID_TRY(check_field_count(*appender, "columns", column_count));
      std::vector<Value> values;
      add_columns(times, count, columns, column_count, values);
      return send_points(*appender, Operation::kAppenderColumns, std::move(values));
    });
  }
  return guard(appender, [&]() -> Status {
    BRAID_TRY(check_series(*appender));
    if (count == 0) return {};
    BRAID_NOT_NULL(times);
    BRAID_TRY(check_field_count(*appender, "columns", column_count));
    BRAID_TRY(check_point_times(appender->table, {times, count}));
    braid_appender::Run run{appender->tags, std::vector<int64_t>(times, times + count), {}, appender->policy};
    BRAID_ASSIGN(run.columns, columns_argument(columns, column_count, count, &appender->table.fields));
    return add_and_bound(*appender, std::move(run));
  });
}

int32_t braid_appender_flush(braid_appender* appender) {
  if (appender != nullptr && appender->remote_handle != 0) return remote_points(appender, Operation::kAppenderFlush, {});
  return guard(appender, [&] { return flush(*appender); });
}

int32_t braid_appender_discard(braid_appender* appender) {
  if (appender != nullptr && appender->remote_handle != 0) return remote_points(appender, Operation::kAppenderDiscard, {});
  return guard(appender, [&]() -> Status {
    appender->pending.clear();
    appender->pending_rows = 0;
    return {};
  });
}

int32_t braid_appender_close(braid_appender* appender) {
  if (appender == nullptr) return BRAID_OK;
  if (forked()) return BRAID_MISUSE;
  const int32_t code =
      appender->remote_handle != 0 ? remote_points(appender, Operation::kAppenderClose, {Value::number(is_cancelled(*appender) ? 1 : 0)}) : guard(appender, [&] { return flush(*appender); });
  delete appender;
  return code;
}

}  // extern "C"
