// What type the values of a column have in common.
//
// The rule is cautious: a type is chosen only when every value reads back as the same text would be
// expected to. "007", "+1" and integers past 64 bits stay text, since a number would lose what they
// say.
#pragma once

#include <string_view>

#include "cli/column_type.h"

namespace braid::cli {

class TypeInference {
 public:
  /// Looks at one value that is not null.
  void add(std::string_view value);
  /// kInteger, kDouble, kBoolean or kText; kText when there was no value.
  ColumnType type() const;

 private:
  bool any_ = false;
  bool integer_ = true;
  bool number_ = true;
  bool boolean_ = true;
};

}  // namespace braid::cli
