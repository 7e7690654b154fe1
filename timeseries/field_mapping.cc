#include "timeseries/field_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/real_text.h"

namespace braid {
namespace {

struct Widening {
  FieldType from;
  FieldType to;
};
constexpr Widening kWidenings[] = {
    {FieldType::kBool, FieldType::kInt64},  {FieldType::kBool, FieldType::kDouble}, {FieldType::kInt64, FieldType::kDouble},
    {FieldType::kBool, FieldType::kText},   {FieldType::kInt64, FieldType::kText},  {FieldType::kDouble, FieldType::kText},
    {FieldType::kJson, FieldType::kText},
};

bool is_text(FieldType type) { return type == FieldType::kText || type == FieldType::kJson; }

void widen_to_real(PointColumn& column) {
  column.reals.assign(column.integers.begin(), column.integers.end());
  column.integers.clear();
}

void widen_to_text(PointColumn& column, FieldForm to) {
  std::vector<size_t> ends;
  const size_t rows = std::max(column.integers.size(), column.reals.size());
  for (size_t row = 0; row < rows; ++row) {
    std::string text;
    const FieldValue value = column.value(row);
    if (widened(value, column.type, to, text).is_null && !value.is_null) {
      column.nulls.resize(rows, 0);
      column.nulls[row] = 1;
    }
    column.text_bytes.insert(column.text_bytes.end(), text.begin(), text.end());
    ends.push_back(column.text_bytes.size());
  }
  column.texts.clear();
  size_t start = 0;
  for (const size_t end : ends) {
    column.texts.emplace_back(column.text_bytes.data() + start, end - start);
    start = end;
  }
  column.integers.clear();
  column.reals.clear();
}

PointColumn nulls_of(FieldType type, size_t rows) {
  PointColumn column(type);
  column.loaded = true;
  column.nulls.assign(rows, 1);
  if (type == FieldType::kDouble) column.reals.assign(rows, 0);
  if (type == FieldType::kInt64 || type == FieldType::kBool) column.integers.assign(rows, 0);
  if (is_text(type)) column.texts.assign(rows, {});
  return column;
}

void widen(PointColumn& column, FieldForm to) {
  if (column.type == to.type) return;
  if (column.loaded && to.type == FieldType::kDouble) widen_to_real(column);
  if (column.loaded && to.type == FieldType::kText && !is_text(column.type)) widen_to_text(column, to);
  column.type = to.type;
}

}  // namespace

bool can_widen(FieldType from, FieldType to) {
  return std::any_of(std::begin(kWidenings), std::end(kWidenings), [&](const Widening& one) { return one.from == from && one.to == to; });
}

FieldValue widened(const FieldValue& value, FieldType from, FieldForm to, std::string& text) {
  FieldValue out = value;
  if (value.is_null || from == to.type) return out;
  if (from != FieldType::kDouble && (to.type == FieldType::kDouble || to.was_real)) out.real = static_cast<double>(value.integer);
  if (to.type == FieldType::kText && !is_text(from)) {
    const bool is_real = from == FieldType::kDouble || to.was_real;
    out.is_null = is_real && std::isnan(out.real);
    text = out.is_null ? "" : is_real ? real_text(out.real) : fmt::format("{}", value.integer);
    out.text = text;
  }
  return out;
}

bool StoredFields::are_fields(std::span<const FieldId> ids, std::span<const FieldType> types, std::span<const FieldDefinition> fields) {
  if (ids.size() != fields.size()) return false;
  for (size_t i = 0; i < fields.size(); ++i)
    if (ids[i] != fields[i].id || types[i] != fields[i].type) return false;
  return true;
}

StoredFields StoredFields::of(std::span<const FieldDefinition> fields) {
  StoredFields out;
  for (const FieldDefinition& field : fields) {
    out.ids.push_back(field.id);
    out.types.push_back(field.type);
  }
  return out;
}

Result<FieldMapping> FieldMapping::make(std::span<const FieldId> ids, std::span<const FieldType> types, std::span<const FieldDefinition> fields) {
  FieldMapping out;
  out.stored_count_ = ids.size();
  out.identity_ = ids.size() == fields.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    out.forms_.push_back(FieldForm::of(fields[i]));
    const auto found = std::find(ids.begin(), ids.end(), fields[i].id);
    if (found == ids.end()) {
      out.columns_.emplace_back();
      out.identity_ = false;
      continue;
    }
    const auto column = static_cast<size_t>(found - ids.begin());
    if (types[column] != fields[i].type && !can_widen(types[column], fields[i].type))
      return Status(StatusCode::kCorrupt, fmt::format("the column of field '{}' has a type that the field never had", fields[i].name));
    out.identity_ = out.identity_ && column == i && types[column] == fields[i].type;
    out.columns_.emplace_back(column);
  }
  return out;
}

std::optional<size_t> FieldMapping::column_of(size_t field) const { return identity_ ? std::optional(field) : columns_[field]; }

std::vector<bool> FieldMapping::columns_for(const std::vector<bool>& wanted) const {
  if (identity_) return wanted;
  std::vector<bool> out(stored_count_, false);
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool asked = wanted.empty() || (i < wanted.size() && wanted[i]);
    if (asked && columns_[i].has_value()) out[*columns_[i]] = true;
  }
  return out;
}

void FieldMapping::apply(PointBlock& block, const std::vector<bool>& wanted) const {
  if (identity_) return;
  std::vector<PointColumn> columns;
  columns.reserve(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].has_value()) {
      columns.push_back(std::move(block.columns[*columns_[i]]));
      widen(columns.back(), forms_[i]);
    } else if (!wanted.empty() && (i >= wanted.size() || !wanted[i])) {
      columns.emplace_back(forms_[i].type);
    } else {
      columns.push_back(nulls_of(forms_[i].type, block.times.size()));
    }
  }
  block.columns = std::move(columns);
}

}  // namespace braid
