// Points of one series as columns: what codecs encode and decode, and what a scan steps through.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/column_data.h"

namespace braid {

/// No block of a chunk file has more rows; decoders size their buffers by it.
inline constexpr size_t kBlockRowsMax = 1024;
/// A block ends early when its texts reach this size, so that one read stays bounded.
inline constexpr size_t kBlockTextBytes = 1 << 20;

/// One column. Texts are views: into `text_bytes` or `shared_texts`, or into whatever the maker of the block keeps
/// alive. `nulls` is empty while there is no null, else one byte per row; a null row holds 0 or "".
/// Not copied, because the views would still point into the original.
struct PointColumn {
  PointColumn() = default;
  explicit PointColumn(FieldType field_type) : type(field_type) {}
  PointColumn(PointColumn&&) noexcept = default;
  PointColumn& operator=(PointColumn&&) noexcept = default;
  PointColumn(const PointColumn&) = delete;
  PointColumn& operator=(const PointColumn&) = delete;

  FieldType type = FieldType::kDouble;
  bool loaded = false;  ///< false: the column was not asked for, and reads as null
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string_view> texts;
  std::vector<char> text_bytes;
  std::shared_ptr<const void> shared_texts;  ///< keeps texts alive that a chunk has once for many blocks
  std::vector<uint8_t> nulls;

  bool is_null(size_t row) const { return !nulls.empty() && nulls[row] != 0; }

  FieldValue value(size_t row) const {
    FieldValue out;
    if (!loaded || is_null(row)) return out;
    out.is_null = false;
    switch (type) {
      case FieldType::kDouble:
        out.real = reals[row];
        break;
      case FieldType::kInt64:
      case FieldType::kBool:
        out.integer = integers[row];
        break;
      case FieldType::kText:
      case FieldType::kJson:
        out.text = texts[row];
        break;
    }
    return out;
  }

  void clear() {
    loaded = false;
    integers.clear();
    reals.clear();
    texts.clear();
    text_bytes.clear();
    shared_texts.reset();
    nulls.clear();
  }
};

struct PointBlock {
  std::vector<int64_t> times;
  /// Empty when no row is deleted, else one byte per row: 1 takes away the point of older sources; its
  /// fields are null.
  std::vector<uint8_t> deleted;
  std::vector<PointColumn> columns;
  std::string stripes;  ///< bytes that a reader decoded from; kept so that the next block finds memory

  bool is_deleted(size_t row) const { return !deleted.empty() && deleted[row] != 0; }
};

}  // namespace braid
