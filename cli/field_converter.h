// Fields of a file as values of their columns' types.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/csv_reader.h"
#include "cli/import_column.h"
#include "cli/value_reader.h"

namespace braid::cli {

class FieldConverter {
 public:
  struct Rules {
    std::optional<TimeUnit> time_unit;
    std::string null_text;  ///< a further text that means NULL; "" for none
    int64_t sampled_records =
        0;  ///< types were taken from this many records only; 0: from all, or given
  };

  FieldConverter(std::vector<ImportColumn> columns, Rules rules)
      : columns_(std::move(columns)), rules_(std::move(rules)) {}

  /// The values of a record with as many fields as there are columns. They borrow from the record
  /// and from the converter, until the next call.
  Outcome<std::span<const ImportValue>> convert(const CsvRecord& record);

 private:
  Done convert_field(const CsvField& field, size_t index, ImportValue* value);
  bool read(std::string_view text, size_t index, ImportValue* value);
  bool read_time(std::string_view text, size_t index, ImportValue* value);
  Failure refuse(std::string_view text, size_t index) const;

  const std::vector<ImportColumn> columns_;
  const Rules rules_;
  std::vector<ImportValue> values_;
  std::vector<std::string> time_texts_;
};

/// Whether a field means NULL. An empty field in quotes is the empty text, which only columns of
/// text have.
bool is_null_field(const CsvField& field, ColumnType type, std::string_view null_text);

}  // namespace braid::cli
