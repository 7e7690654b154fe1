#include "api/remote_columns.h"

namespace braid {

namespace {

bool has_numbers(const braid_column& column) { return column.type == BRAID_TYPE_INT64 || column.type == BRAID_TYPE_DOUBLE; }

/// May the arrays of a caller's column be read?
bool is_whole(const braid_column& column) {
  return column.size_bytes >= sizeof column && column.values != nullptr && (has_numbers(column) || column.type == BRAID_TYPE_TEXT);
}

}  // namespace

void add_columns(const int64_t* times, size_t count, const braid_column* columns, size_t column_count, std::vector<Value>& values) {
  values.push_back(Value::number(static_cast<int64_t>(count)));
  values.push_back(Value::array(times, count));
  values.push_back(Value::number(static_cast<int64_t>(column_count)));
  values.push_back(Value::number(columns != nullptr ? 1 : 0));
  for (size_t i = 0; columns != nullptr && i < column_count; ++i) {
    const braid_column& column = columns[i];
    const bool whole = is_whole(column);
    const size_t readable = whole ? count : 0;
    values.push_back(Value::number(static_cast<int64_t>(column.size_bytes)));
    values.push_back(Value::number(whole || column.size_bytes >= sizeof column ? column.type : 0));
    values.push_back(Value::number(whole ? 1 : 0));
    values.push_back(Value::array(whole ? column.nulls : nullptr, readable));
    if (!whole) continue;
    if (has_numbers(column)) {
      values.push_back(Value::array(static_cast<const uint64_t*>(column.values), count));
      continue;
    }
    const auto* texts = static_cast<const char* const*>(column.values);
    for (size_t row = 0; row < count; ++row)
      values.push_back(column.nulls != nullptr && column.nulls[row] != 0 ? Value() : Value::text_or_null(texts[row]));
  }
}

bool GivenColumns::read(const CallArguments& given, size_t start) {
  if (!given.holds(start, 4)) return false;
  count_ = given.size(start);
  has_times_ = given.value(start + 1).type == Value::Type::kBlob;
  times_ = array_of<int64_t>(given.value(start + 1));
  column_count_ = given.size(start + 2);
  has_columns_ = given.number(start + 3) != 0;
  if (has_times_ && times_.size() != count_) return false;
  size_t at = start + 4;
  if (!has_columns_) return true;
  if (!given.holds(at, column_count_)) return false;
  columns_.resize(column_count_);
  texts_.resize(column_count_);
  numbers_.resize(column_count_);
  for (size_t i = 0; i < column_count_; ++i)
    if (!read_column(given, at, i)) return false;
  return true;
}

bool GivenColumns::read_column(const CallArguments& given, size_t& at, size_t i) {
  if (!given.holds(at, 4)) return false;
  braid_column& column = columns_[i];
  column.size_bytes = given.size(at);
  column.type = given.number32(at + 1);
  const bool whole = given.number(at + 2) != 0;
  const Value nulls = given.value(at + 3);
  at += 4;
  if (!whole) return true;
  if (nulls.type == Value::Type::kBlob) {
    if (nulls.bytes.size() != count_) return false;
    // Safety: unsigned char may alias any object; the call holds the bytes.
    column.nulls = reinterpret_cast<const uint8_t*>(nulls.bytes.data());
  }
  if (has_numbers(column)) {
    if (given.value(at).type != Value::Type::kBlob || given.value(at).bytes.size() / sizeof(int64_t) != count_) return false;
    numbers_[i] = array_of<std::byte>(given.value(at++));
    // Safety: a vector's memory is aligned for numbers, and copying their bytes made them there.
    column.values = numbers_[i].data();
    return true;
  }
  if (column.type != BRAID_TYPE_TEXT || !given.holds(at, count_)) return false;
  texts_[i] = given.texts(at, count_);
  at += count_;
  column.values = texts_[i].data();
  return true;
}

}  // namespace braid
