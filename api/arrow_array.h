// Columns under construction, and their way out through Arrow's C data interface.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/braid.h"

namespace braid {

/// The C header's BRAID_ARROW_*, less one. kNull: a column in which no value was met.
enum class ArrowType : uint8_t { kInt64, kDouble, kText, kBinary, kTimestamp, kBool, kNull };

/// Is there a double of the same value?
bool is_exact_double(int64_t value);

/// Values of one column; a null has a value too, which nobody reads.
class ArrowColumn {
 public:
  explicit ArrowColumn(ArrowType type = ArrowType::kText) : type_(type) {}

  ArrowType type() const { return type_; }
  size_t size() const { return rows_; }
  size_t text_bytes() const { return bytes_.size(); }

  void push_null();
  void push(int64_t value);       ///< kInt64, kTimestamp, kBool; a double where the column has doubles
  void push(double value);        ///< NaN is null, as in SQL
  void push(std::string_view value);
  /// The values of `rows`; `nulls` has a mark for each value, or is null.
  void push_rows(const int64_t* values, const uint8_t* nulls, std::span<const uint32_t> rows);
  void push_rows(const double* values, const uint8_t* nulls, std::span<const uint32_t> rows);
  void push_repeated(std::string_view value, size_t count);
  /// Gives another type to what is there: integers for booleans, doubles for those, texts for all of them, bytes for texts, any for nulls. False, and
  /// nothing done, when an integer is no double. Only before the column is exported.
  bool widen(ArrowType type);

 private:
  friend struct ExportedColumn;
  void note(bool valid);
  void note_valid(size_t count);
  bool is_valid(size_t row) const { return nulls_ == 0 || (validity_[row / 8] >> (row % 8) & 1) != 0; }
  bool holds_integers() const { return type_ == ArrowType::kInt64 || type_ == ArrowType::kTimestamp || type_ == ArrowType::kBool; }
  template <typename Value>
  void push_one_by_one(const Value* values, const uint8_t* nulls, std::span<const uint32_t> rows);

  ArrowType type_;
  size_t rows_ = 0;
  size_t nulls_ = 0;
  std::vector<uint8_t> validity_;  // a bit per row; empty while there is no null
  std::vector<int64_t> integers_;
  std::vector<double> reals_;
  std::vector<int32_t> offsets_{0};
  std::string bytes_;
};

/// Moves the columns, all of `rows` rows, into `array`. On bad_alloc nothing is filled in.
void export_array(std::vector<ArrowColumn> columns, size_t rows, ArrowArray& array);
void export_schema(const std::vector<std::string>& names, const std::vector<ArrowType>& types, ArrowSchema& schema);

}  // namespace braid
