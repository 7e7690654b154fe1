#include "cli/field_converter.h"

#include <fmt/format.h>

#include "cli/json_text.h"
#include "cli/terminal.h"

namespace braid::cli {

bool is_null_field(const CsvField& field, ColumnType type, std::string_view null_text) {
  if (field.is_null()) return true;
  if (!null_text.empty() && !field.quoted && field.text == null_text) return true;
  return field.text.empty() && type != ColumnType::kText && type != ColumnType::kAny;
}

Outcome<std::span<const ImportValue>> FieldConverter::convert(const CsvRecord& record) {
  if (record.fields.size() != columns_.size()) {
    return Failure{
        fmt::format("{} fields where the header has {}", record.fields.size(), columns_.size())};
  }
  values_.assign(columns_.size(), {});
  time_texts_.resize(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    CLI_TRY(convert_field(record.fields[i], i, &values_[i]));
  }
  return std::span<const ImportValue>(values_);
}

Done FieldConverter::convert_field(const CsvField& field, size_t index, ImportValue* value) {
  value->type = *columns_[index].type;
  if (is_null_field(field, value->type, rules_.null_text)) return std::nullopt;
  value->null = false;
  value->text = field.text;
  if (!read(field.text, index, value)) return refuse(field.text, index);
  return std::nullopt;
}

bool FieldConverter::read(std::string_view text, size_t index, ImportValue* value) {
  switch (value->type) {
    case ColumnType::kInteger: {
      const std::optional<int64_t> integer = read_integer(text);
      value->integer = integer.value_or(0);
      return integer.has_value();
    }
    case ColumnType::kDouble: {
      const std::optional<double> number = read_double(text);
      value->real = number.value_or(0);
      return number.has_value();
    }
    case ColumnType::kBoolean: {
      const std::optional<bool> truth = read_boolean(text);
      value->integer = truth.value_or(false) ? 1 : 0;
      return truth.has_value();
    }
    case ColumnType::kTimestamp:
      return read_time(text, index, value);
    case ColumnType::kJson:
      return is_json(text);
    case ColumnType::kText:
    case ColumnType::kAny:
      return true;
  }
  return false;
}

bool FieldConverter::read_time(std::string_view text, size_t index, ImportValue* value) {
  std::optional<int64_t> time = read_calendar_time(text);
  if (!time.has_value() && rules_.time_unit.has_value()) {
    time = read_epoch_time(text, *rules_.time_unit);
  }
  if (!time.has_value()) return false;
  value->integer = *time;
  time_texts_[index] = time_text(*time);
  value->text = time_texts_[index];
  return true;
}

Failure FieldConverter::refuse(std::string_view text, size_t index) const {
  constexpr size_t kShownBytesMax = 60;
  const ImportColumn& column = columns_[index];
  const ColumnTypeRow& type = column_type_row(*column.type);
  std::string shown = printable(text.substr(0, kShownBytesMax), false);
  if (text.size() > kShownBytesMax) shown += "...";
  std::string message =
      fmt::format("column \"{}\": \"{}\" is not {} {} (such as {})", column.name, shown,
                  type.name == "INTEGER" ? "an" : "a", type.name, type.example);
  if (*column.type == ColumnType::kTimestamp) {
    if (!rules_.time_unit.has_value() && read_double(text).has_value()) {
      message += "; for a number since 1970 say its unit with --time-unit s, ms, us or ns";
    }
    return {message};
  }
  if (column.fixed) {
    message += ", which is what the column holds in the database";
    return {message};
  }
  if (rules_.sampled_records > 0) {
    message +=
        fmt::format("; the type was taken from the first {} records", rules_.sampled_records);
  }
  message += fmt::format("; --type {}=TEXT keeps it as text", column.name);
  if (rules_.null_text.empty()) message += fmt::format(", --null '{}' reads it as NULL", shown);
  return {message};
}

}  // namespace braid::cli
