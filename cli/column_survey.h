// What the columns of a table hold that CSV does not say: SQLite keeps values of any type in a column, CSV only their texts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/column_type.h"
#include "cli/output.h"

namespace braid::cli {

class ColumnSurvey {
 public:
  /// `declared` is the column's type in the table; `strict`: the table's values have that type, and those of ANY are kept as they are.
  ColumnSurvey(std::string name, std::string_view declared, bool strict);

  void see(const Cell& cell, int64_t row);

  const std::string& name() const { return name_; }
  /// The type by which an import reads what the column's own would refuse or change.
  std::optional<ColumnType> import_type() const;
  /// How many rows come before the first text with a NUL character.
  std::optional<int64_t> first_nul() const { return nul_; }
  /// What an import makes of values that no type brings back, as "blobs become hexadecimal digits (first in row 3)"; "" when there are none.
  std::string losses() const;

 private:
  /// Values of one kind: how many rows come before the first.
  using First = std::optional<int64_t>;

  bool has_numbers() const { return integer_ || real_; }

  std::string name_;
  ColumnType type_;
  bool converts_text_;  // to the numbers that it stands for, where it is stored
  First integer_, real_, text_, blob_;
  First infinity_, no_truth_, not_utf8_, nul_;
};

}  // namespace braid::cli
