#include "api/column_argument.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/long_call.h"

namespace braid {

namespace {

/// So many values are copied at once before it is asked whether the call is to go on.
constexpr size_t kRowsPerQuestion = 65536;

int32_t c_type(FieldType type) {
  switch (type) {
    case FieldType::kDouble: return BRAID_TYPE_DOUBLE;
    case FieldType::kInt64:
    case FieldType::kBool: return BRAID_TYPE_INT64;
    case FieldType::kText:
    case FieldType::kJson: return BRAID_TYPE_TEXT;
  }
  return 0;
}

Result<FieldType> default_type(int32_t type) {
  if (type == BRAID_TYPE_DOUBLE) return FieldType::kDouble;
  if (type == BRAID_TYPE_INT64) return FieldType::kInt64;
  if (type == BRAID_TYPE_TEXT) return FieldType::kText;
  return Status(StatusCode::kInvalidArgument,
                fmt::format("column type {}: expected BRAID_TYPE_DOUBLE, BRAID_TYPE_INT64 or BRAID_TYPE_TEXT", type));
}

Status copy_column(const braid_column& in, size_t rows, ColumnData& out) {
  if (in.values == nullptr && rows > 0) return Status(StatusCode::kInvalidArgument, "a column's values are NULL");
  const auto null = [&](size_t row) { return in.nulls != nullptr && in.nulls[row] != 0; };
  for (size_t row = 0; row < rows; ++row) {
    if (row % kRowsPerQuestion == 0) BRAID_TRY(LongCall::check());
    FieldValue value;
    value.is_null = null(row);
    if (!value.is_null) {
      if (in.type == BRAID_TYPE_DOUBLE) value.real = static_cast<const double*>(in.values)[row];
      if (in.type == BRAID_TYPE_INT64) value.integer = static_cast<const int64_t*>(in.values)[row];
      if (in.type == BRAID_TYPE_INT64 && out.type == FieldType::kDouble) value.real = static_cast<double>(value.integer);
      if (in.type == BRAID_TYPE_TEXT) {
        const char* text = static_cast<const char* const*>(in.values)[row];
        if (text == nullptr) value.is_null = true;
        else value.text = text;
      }
      if (out.type == FieldType::kBool && value.integer != 0 && value.integer != 1)
        return Status(StatusCode::kInvalidArgument, fmt::format("row {}: {} is not a boolean, expected 0 or 1", row, value.integer));
    }
    out.push(value);
  }
  return {};
}

template <typename T>
Status copy_numbers(const void* in, size_t rows, std::vector<T>& out) {
  const auto* const values = static_cast<const T*>(in);
  out.reserve(rows);
  for (size_t at = 0; at < rows; at += kRowsPerQuestion) {
    BRAID_TRY(LongCall::check());
    out.insert(out.end(), values + at, values + std::min(at + kRowsPerQuestion, rows));
  }
  return {};
}

/// Arrays of numbers without nulls are copied as they are.
Status copy_values(const braid_column& in, size_t rows, ColumnData& out) {
  if (in.nulls == nullptr && in.values != nullptr) {
    if (in.type == BRAID_TYPE_DOUBLE && out.type == FieldType::kDouble) return copy_numbers(in.values, rows, out.reals);
    if (in.type == BRAID_TYPE_INT64 && out.type == FieldType::kInt64) return copy_numbers(in.values, rows, out.integers);
  }
  return copy_column(in, rows, out);
}

}  // namespace

Result<std::vector<ColumnData>> columns_argument(const braid_column* columns, size_t count, size_t rows,
                                                 const std::vector<FieldDefinition>* fields) {
  if (columns == nullptr && count > 0) return Status(StatusCode::kInvalidArgument, "columns is NULL");
  if (fields != nullptr && fields->size() != count)
    return Status(StatusCode::kInvalidArgument, fmt::format("{} columns are given, the hypertable has {} fields", count, fields->size()));
  std::vector<ColumnData> out(count);
  for (size_t i = 0; i < count; ++i) {
    if (columns[i].size_bytes < sizeof(braid_column))
      return Status(StatusCode::kInvalidArgument, "a column's size_bytes is not set to sizeof(braid_column)");
    BRAID_ASSIGN(out[i].type, default_type(columns[i].type));
    if (fields != nullptr) {
      const FieldDefinition& field = (*fields)[i];
      const bool fits = columns[i].type == c_type(field.type) ||
                        (columns[i].type == BRAID_TYPE_INT64 && field.type == FieldType::kDouble);
      if (!fits) return Status(StatusCode::kInvalidArgument, fmt::format("the column for field '{}' has another type than the field", field.name));
      out[i].type = field.type;
    }
    BRAID_TRY(copy_values(columns[i], rows, out[i]));
  }
  return out;
}

std::vector<std::optional<std::string>> tags_argument(const char* const* tags, size_t count) {
  std::vector<std::optional<std::string>> out;
  for (size_t i = 0; i < count; ++i)
    out.push_back(tags[i] == nullptr ? std::nullopt : std::optional<std::string>(tags[i]));
  return out;
}

}  // namespace braid
