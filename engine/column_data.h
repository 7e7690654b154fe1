// A column of typed values with nulls: what points are made of on their way to the log, the tail and chunk files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// Types of hypertable fields. Values are frozen: they are stored.
enum class FieldType : uint8_t { kDouble = 1, kInt64 = 2, kBool = 3, kText = 4, kJson = 5 };

/// One field of one point. Text is borrowed.
struct FieldValue {
  bool is_null = true;
  int64_t integer = 0;      ///< kInt64; kBool as 0 or 1
  double real = 0;          ///< kDouble
  std::string_view text{};  ///< kText and kJson
};

/// Values of one column; exactly one of the vectors is used, by type (bools are in `integers`).
/// `nulls` is empty while there is no null, else one byte per row (1 = null); a null row holds 0 or "".
struct ColumnData {
  FieldType type = FieldType::kDouble;
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  std::vector<uint8_t> nulls;

  size_t size() const {
    switch (type) {
      case FieldType::kDouble: return reals.size();
      case FieldType::kInt64:
      case FieldType::kBool: return integers.size();
      case FieldType::kText:
      case FieldType::kJson: return texts.size();
    }
    return 0;
  }
  bool is_null(size_t row) const { return !nulls.empty() && nulls[row] != 0; }
  FieldValue value(size_t row) const {
    FieldValue out;
    if (is_null(row)) return out;
    out.is_null = false;
    switch (type) {
      case FieldType::kDouble: out.real = reals[row]; break;
      case FieldType::kInt64:
      case FieldType::kBool: out.integer = integers[row]; break;
      case FieldType::kText:
      case FieldType::kJson: out.text = texts[row]; break;
    }
    return out;
  }
  void push(const FieldValue& value) {
    if (value.is_null && nulls.empty()) nulls.assign(size(), 0);
    switch (type) {
      case FieldType::kDouble: reals.push_back(value.is_null ? 0 : value.real); break;
      case FieldType::kInt64:
      case FieldType::kBool: integers.push_back(value.is_null ? 0 : value.integer); break;
      case FieldType::kText:
      case FieldType::kJson: texts.emplace_back(value.is_null ? std::string_view() : value.text); break;
    }
    if (!nulls.empty() || value.is_null) nulls.push_back(value.is_null ? 1 : 0);
  }
  void truncate(size_t rows) {
    if (reals.size() > rows) reals.resize(rows);
    if (integers.size() > rows) integers.resize(rows);
    if (texts.size() > rows) texts.resize(rows);
    if (nulls.size() > rows) nulls.resize(rows);
  }
};

}  // namespace braid
