// The C API: batches.
#include <fmt/format.h>

#include "api/c_guard.h"
#include "api/column_argument.h"
#include "api/remote_columns.h"
#include "timeseries/point_checks.h"

using namespace braid;

namespace {

std::optional<std::string> optional_copy(const char* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

Result<SqlValue> value_argument(const braid_value& value) {
  switch (value.type) {
    case BRAID_TYPE_NULL: return SqlValue();
    case BRAID_TYPE_INT64: return SqlValue(value.int64_value);
    case BRAID_TYPE_DOUBLE: return SqlValue(value.double_value);
    case BRAID_TYPE_TEXT: {
      BRAID_ASSIGN(const std::string_view text, text_argument(static_cast<const char*>(value.data), value.size, "text value"));
      return SqlValue(std::string(text));
    }
    case BRAID_TYPE_BLOB:
      if (value.data == nullptr && value.size > 0) return null_argument("blob value");
      if (value.size < 0) return Status(StatusCode::kInvalidArgument, "the blob's size is negative");
      return SqlValue(BlobValue{std::string(static_cast<const char*>(value.data), static_cast<size_t>(value.size))});
    default: return Status(StatusCode::kInvalidArgument, fmt::format("value type {} is none of BRAID_TYPE_*", value.type));
  }
}

/// A value that `value_argument` takes, as it is.
Value borrowed(const braid_value& value) {
  const auto* data = static_cast<const char*>(value.data);
  const auto bytes = [&] {
    return value.size == BRAID_NUL_TERMINATED ? std::string_view(data) : std::string_view(data, static_cast<size_t>(value.size));
  };
  switch (value.type) {
    case BRAID_TYPE_INT64:
      return Value::number(value.int64_value);
    case BRAID_TYPE_DOUBLE:
      return Value::real_number(value.double_value);
    case BRAID_TYPE_TEXT:
      return Value::text(bytes());
    case BRAID_TYPE_BLOB:
      return Value::blob(data == nullptr ? std::string_view("") : bytes());
    default:
      return {};
  }
}

int32_t remote_step(braid_batch* batch, Operation operation, std::initializer_list<Value> values, std::initializer_list<int64_t*> numbers = {}) {
  return guard(batch, [&] { return batch->remote->call_for_numbers(operation, values, numbers, batch->remote_handle); });
}

/// A step that may take long, as is wished of the calls on the database handle.
Status long_step_there(braid_batch& batch, Operation operation, std::vector<Value> values, int64_t* number = nullptr) {
  BRAID_ASSIGN(const Message answer, batch.remote->database().call_on(*batch.remote, operation, std::move(values), batch.remote_handle));
  BRAID_TRY(status_of(answer));
  if (number != nullptr && !answer.values.empty()) *number = answer.values[0].integer;
  return {};
}

Status add_step(braid_batch& batch, BatchStep step, uint64_t size_bytes) {
  const auto limit = static_cast<uint64_t>(batch.database->engine().options()[OptionId::kBatchBytesMax]);
  if (batch.batch.size_bytes + size_bytes > limit)
    return Status(StatusCode::kLimit, fmt::format("the batch would hold {} bytes, batch_bytes_max allows {}",
                                                  batch.batch.size_bytes + size_bytes, limit));
  BRAID_TRY(batch.batch.memory.grow_to(batch.batch.size_bytes + size_bytes));
  batch.batch.size_bytes += size_bytes;
  batch.batch.steps.push_back(std::move(step));
  return {};
}

}  // namespace

int32_t braid_batch::finish(const Status& status) {
  if (status.ok()) return BRAID_OK;
  error = status.message();
  return static_cast<int32_t>(status.code());
}

extern "C" {

void braid_batch_close(braid_batch* batch) {
  if (!forked()) delete batch;
}

const char* braid_batch_error(braid_batch* batch) { return batch == nullptr ? "" : batch->error.c_str(); }

int32_t braid_batch_execute(braid_batch* batch, const char* sql, int64_t sql_size, const braid_value* values, size_t count) {
  if (is_remote(batch)) {
    return guard(batch, [&]() -> Status {
      BRAID_ASSIGN(const std::string_view text, sql_argument(sql, sql_size));
      if (values == nullptr && count > 0) return null_argument("values");
      std::vector<Value> step = {Value::text(text), Value::number(static_cast<int64_t>(count))};
      for (size_t i = 0; i < count; ++i) step.push_back(Value::number(values[i].type));
      for (size_t i = 0; i < count; ++i) {
        BRAID_TRY(value_argument(values[i]).status());
        step.push_back(borrowed(values[i]));
      }
      return batch->remote->call_for_numbers(Operation::kBatchExecute, std::move(step), {}, batch->remote_handle);
    });
  }
  return guard(batch, [&]() -> Status {
    BRAID_ASSIGN(const std::string_view text, sql_argument(sql, sql_size));
    if (values == nullptr && count > 0) return null_argument("values");
    ExecuteStep step{std::string(text), {}};
    uint64_t size = text.size();
    for (size_t i = 0; i < count; ++i) {
      BRAID_ASSIGN(SqlValue value, value_argument(values[i]));
      size += sizeof(SqlValue);
      if (const auto* held = std::get_if<std::string>(&value)) size += held->size();
      if (const auto* held = std::get_if<BlobValue>(&value)) size += held->bytes.size();
      step.values.push_back(std::move(value));
    }
    return add_step(*batch, std::move(step), size);
  });
}

int32_t braid_batch_edge(braid_batch* batch, int64_t source, const char* type, int64_t target, const char* properties) {
  if (is_remote(batch))
    return remote_step(batch, Operation::kBatchEdge,
                       {Value::number(source), Value::text_or_null(type), Value::number(target), Value::text_or_null(properties)});
  return guard(batch, [&]() -> Status {
    BRAID_NOT_NULL(type);
    if (source <= 0 || target <= 0) return Status(StatusCode::kInvalidArgument, "source and target: ids are positive");
    EdgeStep step{NodeId(static_cast<uint64_t>(source)), type, NodeId(static_cast<uint64_t>(target)), optional_copy(properties), {}};
    const uint64_t size = sizeof step + step.type.size() + (step.properties ? step.properties->size() : 0);
    return add_step(*batch, std::move(step), size);
  });
}

int32_t braid_batch_node(braid_batch* batch, const char* labels, const char* properties) {
  if (is_remote(batch))
    return remote_step(batch, Operation::kBatchNode, {Value::text_or_null(labels), Value::text_or_null(properties)});
  return guard(batch, [&]() -> Status {
    NodeStep step{optional_copy(labels), optional_copy(properties)};
    const uint64_t size = sizeof step + (step.labels ? step.labels->size() : 0) + (step.properties ? step.properties->size() : 0);
    return add_step(*batch, std::move(step), size);
  });
}

int32_t braid_batch_points(braid_batch* batch, const char* hypertable, const char* const* tags, size_t tag_count,
                           const int64_t* times, size_t count, const braid_column* columns, size_t column_count) {
  if (is_remote(batch)) {
    return guard(batch, [&]() -> Status {
      std::vector<Value> values = {Value::text_or_null(hypertable), Value::number(static_cast<int64_t>(tag_count)),
                                   Value::number(tags != nullptr ? 1 : 0)};
      for (size_t i = 0; tags != nullptr && i < tag_count; ++i) values.push_back(Value::text_or_null(tags[i]));
      add_columns(times, count, columns, column_count, values);
      return long_step_there(*batch, Operation::kBatchPoints, std::move(values));
    });
  }
  return guard(batch, [&]() -> Status {
    BRAID_NOT_NULL(hypertable);
    if (tags == nullptr && tag_count > 0) return null_argument("tags");
    if (count == 0) return {};
    BRAID_NOT_NULL(times);
    return followed(settings_of(*batch).wishes(), [&]() -> Status {
      PointsStep step{hypertable, tags_argument(tags, tag_count), std::vector<int64_t>(times, times + count), {}};
      const auto newest = batch->database->engine().versions().newest();
      const HypertableDefinition* table = newest->catalog->hypertable(hypertable);
      if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", hypertable));
      BRAID_TRY(check_point_times(*table, step.times));
      BRAID_ASSIGN(step.columns, columns_argument(columns, column_count, count, &table->fields));
      uint64_t size = sizeof step + count * 8;
      for (const ColumnData& column : step.columns) {
        size += (column.integers.size() + column.reals.size()) * 8 + column.nulls.size();
        for (const std::string& text : column.texts) size += text.size() + sizeof text;
      }
      return add_step(*batch, std::move(step), size);
    });
  });
}

int32_t braid_batch_set_durability(braid_batch* batch, int32_t durability) {
  if (is_remote(batch)) return remote_step(batch, Operation::kBatchSetDurability, {Value::number(durability)});
  return guard(batch, [&]() -> Status {
    BRAID_ASSIGN(batch->batch.durability, durability_argument(durability));
    return {};
  });
}

int32_t braid_batch_commit(braid_batch* batch, uint64_t* lsn) {
  if (is_remote(batch)) {
    return guard(batch, [&]() -> Status {
      const bool cancelled = !batch->remote->database().settings().wishes().check_cancelled().ok();
      int64_t number = 0;
      BRAID_TRY(long_step_there(*batch, Operation::kBatchCommit, {Value::number(cancelled ? 1 : 0)}, &number));
      if (lsn != nullptr) *lsn = static_cast<uint64_t>(number);
      return {};
    });
  }
  return guard(batch, [&]() -> Status {
    const CallWishes wishes = settings_of(*batch).wishes();
    Status status = wishes.check_cancelled();
    if (status.ok() && !batch->batch.steps.empty()) status = followed(wishes, [&] { return batch->database->groups().commit(batch->batch); });
    if (status.ok() && lsn != nullptr) *lsn = batch->batch.lsn.value();
    batch->batch.clear();
    return status;
  });
}

}  // extern "C"
