// How stored columns stand for the fields of a table: by the fields' ids, whatever was added, dropped or widened since they were written.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "timeseries/point_block.h"

namespace braid {

/// Which fields the columns of a chunk, a segment or a record are of.
struct StoredFields {
  std::vector<FieldId> ids;
  std::vector<FieldType> types;

  static StoredFields of(std::span<const FieldDefinition> fields);
  bool are(std::span<const FieldDefinition> fields) const { return are_fields(ids, types, fields); }
  static bool are_fields(std::span<const FieldId> ids, std::span<const FieldType> types, std::span<const FieldDefinition> fields);
  bool operator==(const StoredFields&) const = default;
};

/// Can a field's type be changed so that values written before are read as the new one?
bool can_widen(FieldType from, FieldType to);

/// What values written before read as: the type of a field, and what it was on the way there.
struct FieldForm {
  FieldType type = FieldType::kDouble;
  bool was_real = false;

  static FieldForm of(const FieldDefinition& field) { return {field.type, field.was_real}; }
};

/// A value of a field that was `from` when it was written; a text made here is kept in `text`.
FieldValue widened(const FieldValue& value, FieldType from, FieldForm to, std::string& text);

class FieldMapping {
 public:
  FieldMapping() = default;  ///< each column is the field of its place
  /// kCorrupt when a stored column's type cannot be read as its field's.
  static Result<FieldMapping> make(std::span<const FieldId> ids, std::span<const FieldType> types, std::span<const FieldDefinition> fields);

  bool is_identity() const { return identity_; }
  /// The stored column of a field, if it was there.
  std::optional<size_t> column_of(size_t field) const;
  /// The stored columns to read for the fields wanted, both by index; empty means all.
  std::vector<bool> columns_for(const std::vector<bool>& wanted) const;
  /// Makes a block of stored columns one of the table's fields; those wanted (empty means all) that were not there are null.
  void apply(PointBlock& block, const std::vector<bool>& wanted) const;

 private:
  bool identity_ = true;
  size_t stored_count_ = 0;
  std::vector<std::optional<size_t>> columns_;  // by field
  std::vector<FieldForm> forms_;                // by field
};

}  // namespace braid
