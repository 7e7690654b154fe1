#include "api/arrow_array.h"

#include <bit>
#include <limits>
#include <memory>

#include "engine/real_text.h"

namespace braid {

bool is_exact_double(int64_t value) {
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  return magnitude == 0 || (magnitude >> std::countr_zero(magnitude)) >> std::numeric_limits<double>::digits == 0;
}

void ArrowColumn::note(bool valid) {
  constexpr size_t kBits = 8;
  if (!valid && nulls_ == 0) validity_.assign(rows_ / kBits + 1, 0xff);
  if (!valid || nulls_ > 0) {
    if (rows_ / kBits >= validity_.size()) validity_.push_back(0xff);
    if (!valid) validity_[rows_ / kBits] &= static_cast<uint8_t>(~(1U << (rows_ % kBits)));
  }
  nulls_ += valid ? 0 : 1;
  ++rows_;
}

void ArrowColumn::push_null() {
  note(false);
  switch (type_) {
    case ArrowType::kInt64:
    case ArrowType::kTimestamp:
    case ArrowType::kBool: integers_.push_back(0); break;
    case ArrowType::kDouble: reals_.push_back(0); break;
    case ArrowType::kText:
    case ArrowType::kBinary: offsets_.push_back(offsets_.back()); break;
    case ArrowType::kNull: break;
  }
}

void ArrowColumn::push(int64_t value) {
  if (type_ == ArrowType::kDouble) return push(static_cast<double>(value));
  note(true);
  integers_.push_back(value);
}

void ArrowColumn::push(double value) {
  if (value != value) return push_null();
  note(true);
  reals_.push_back(value);
}

void ArrowColumn::push(std::string_view value) {
  note(true);
  bytes_ += value;
  offsets_.push_back(static_cast<int32_t>(bytes_.size()));
}

void ArrowColumn::note_valid(size_t count) {
  if (nulls_ == 0) {
    rows_ += count;
    return;
  }
  for (size_t i = 0; i < count; ++i) note(true);
}

template <typename Value>
void ArrowColumn::push_one_by_one(const Value* values, const uint8_t* nulls, std::span<const uint32_t> rows) {
  for (const uint32_t row : rows) {
    if (nulls != nullptr && nulls[row] != 0) push_null();
    else push(values[row]);
  }
}

void ArrowColumn::push_rows(const int64_t* values, const uint8_t* nulls, std::span<const uint32_t> rows) {
  if (nulls != nullptr || type_ == ArrowType::kDouble) return push_one_by_one(values, nulls, rows);
  const size_t before = integers_.size();
  integers_.resize(before + rows.size());
  for (size_t i = 0; i < rows.size(); ++i) integers_[before + i] = values[rows[i]];
  note_valid(rows.size());
}

void ArrowColumn::push_rows(const double* values, const uint8_t* nulls, std::span<const uint32_t> rows) {
  if (nulls != nullptr) return push_one_by_one(values, nulls, rows);
  const size_t before = reals_.size();
  reals_.resize(before + rows.size());
  bool any_nan = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double value = values[rows[i]];
    any_nan |= value != value;
    reals_[before + i] = value;
  }
  if (!any_nan) return note_valid(rows.size());
  reals_.resize(before);
  push_one_by_one(values, nulls, rows);
}

void ArrowColumn::push_repeated(std::string_view value, size_t count) {
  bytes_.reserve(bytes_.size() + value.size() * count);
  for (size_t i = 0; i < count; ++i) {
    bytes_ += value;
    offsets_.push_back(static_cast<int32_t>(bytes_.size()));
  }
  note_valid(count);
}

bool ArrowColumn::widen(ArrowType type) {
  if (type == ArrowType::kDouble && holds_integers()) {
    for (size_t row = 0; row < rows_; ++row)
      if (is_valid(row) && !is_exact_double(integers_[row])) return false;
  }
  ArrowColumn wide(type);
  for (size_t row = 0; row < rows_; ++row) {
    if (!is_valid(row)) {
      wide.push_null();
    } else if (holds_integers()) {
      if (type == ArrowType::kText) wide.push(std::string_view(std::to_string(integers_[row])));
      else wide.push(integers_[row]);
    } else if (type_ == ArrowType::kDouble) {
      wide.push(std::string_view(real_text(reals_[row])));
    } else {
      const auto start = static_cast<size_t>(offsets_[row]);
      wide.push(std::string_view(bytes_).substr(start, static_cast<size_t>(offsets_[row + 1]) - start));
    }
  }
  *this = std::move(wide);
  return true;
}

/// What an exported child keeps alive.
struct ExportedColumn {
  explicit ExportedColumn(ArrowColumn from) : column(std::move(from)) {
    buffers[0] = column.nulls_ > 0 ? column.validity_.data() : nullptr;
    switch (column.type_) {
      case ArrowType::kInt64:
      case ArrowType::kTimestamp: buffers[1] = column.integers_.data(); break;
      case ArrowType::kDouble: buffers[1] = column.reals_.data(); break;
      case ArrowType::kBool: buffers[1] = pack_booleans(); break;
      case ArrowType::kText:
      case ArrowType::kBinary:
        buffers[1] = column.offsets_.data();
        buffers[2] = column.bytes_.data();
        buffer_count = 3;
        break;
      case ArrowType::kNull: buffer_count = 0; break;
    }
  }
  int64_t nulls() const { return static_cast<int64_t>(column.nulls_); }

  ArrowColumn column;
  std::vector<uint8_t> booleans;  // a bit per row
  const void* buffers[3] = {};
  int64_t buffer_count = 2;

 private:
  const void* pack_booleans() {
    booleans.assign(column.rows_ / 8 + 1, 0);
    for (size_t row = 0; row < column.rows_; ++row)
      if (column.integers_[row] != 0) booleans[row / 8] |= static_cast<uint8_t>(1U << (row % 8));
    column.integers_ = {};
    return booleans.data();
  }
};

namespace {

struct ExportedArray {
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  const void* buffers[1] = {nullptr};
};

struct ExportedSchema {
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  std::vector<std::string> names;
};

template <typename Private, typename Arrow>
void release(Arrow* exported) {
  const std::unique_ptr<Private> owned(static_cast<Private*>(exported->private_data));
  if constexpr (requires { owned->children; }) {
    // A child that was moved away has no release any more.
    for (Arrow& child : owned->children)
      if (child.release != nullptr) child.release(&child);
  }
  exported->release = nullptr;
}

void release_leaf(ArrowSchema* schema) { schema->release = nullptr; }

const char* format_of(ArrowType type) {
  switch (type) {
    case ArrowType::kInt64: return "l";
    case ArrowType::kDouble: return "g";
    case ArrowType::kText: return "u";
    case ArrowType::kBinary: return "z";
    case ArrowType::kTimestamp: return "tsu:UTC";
    case ArrowType::kBool: return "b";
    case ArrowType::kNull: return "n";
  }
  return "";
}

}  // namespace

void export_array(std::vector<ArrowColumn> columns, size_t rows, ArrowArray& array) {
  auto exported = std::make_unique<ExportedArray>();
  std::vector<std::unique_ptr<ExportedColumn>> kept;
  for (ArrowColumn& column : columns) kept.push_back(std::make_unique<ExportedColumn>(std::move(column)));
  exported->children.resize(kept.size());
  for (ArrowArray& child : exported->children) exported->pointers.push_back(&child);
  for (size_t i = 0; i < kept.size(); ++i) {
    ArrowArray& child = exported->children[i];
    child = {};
    child.length = static_cast<int64_t>(rows);
    child.null_count = kept[i]->nulls();
    child.n_buffers = kept[i]->buffer_count;
    child.buffers = kept[i]->buffers;
    child.private_data = kept[i].release();
    child.release = release<ExportedColumn, ArrowArray>;
  }
  array = {};
  array.length = static_cast<int64_t>(rows);
  array.n_buffers = 1;
  array.buffers = exported->buffers;
  array.n_children = static_cast<int64_t>(exported->children.size());
  array.children = exported->pointers.data();
  array.private_data = exported.release();
  array.release = release<ExportedArray, ArrowArray>;
}

void export_schema(const std::vector<std::string>& names, const std::vector<ArrowType>& types, ArrowSchema& schema) {
  auto exported = std::make_unique<ExportedSchema>();
  exported->names = names;
  exported->children.resize(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    ArrowSchema& child = exported->children[i];
    child = {};
    child.format = format_of(types[i]);
    child.name = exported->names[i].c_str();
    child.flags = ARROW_FLAG_NULLABLE;
    child.release = release_leaf;
    exported->pointers.push_back(&child);
  }
  schema = {};
  schema.format = "+s";
  schema.name = "";
  schema.n_children = static_cast<int64_t>(names.size());
  schema.children = exported->pointers.data();
  schema.private_data = exported.release();
  schema.release = release<ExportedSchema, ArrowSchema>;
}

}  // namespace braid
