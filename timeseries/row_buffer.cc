#include "timeseries/row_buffer.h"

#include "timeseries/append_part.h"

namespace braid {
void RowBuffer::append(const PointBlock& from, size_t start, size_t count) {
  const size_t before = rows();
  append_part(block_.times, from.times, start, count);
  append_marks(block_.deleted, from.deleted, before, start, count);
  block_.columns.resize(from.columns.size());
  text_ends_.resize(from.columns.size());
  for (size_t i = 0; i < from.columns.size(); ++i) {
    const PointColumn& source = from.columns[i];
    PointColumn& target = block_.columns[i];
    target.type = source.type;
    target.loaded = true;
    append_marks(target.nulls, source.loaded ? source.nulls : std::vector<uint8_t>(from.times.size(), 1), before, start, count);
    switch (source.type) {
      case FieldType::kDouble:
        if (source.loaded) append_part(target.reals, source.reals, start, count);
        target.reals.resize(before + count, 0);
        break;
      case FieldType::kInt64:
      case FieldType::kBool:
        if (source.loaded) append_part(target.integers, source.integers, start, count);
        target.integers.resize(before + count, 0);
        break;
      case FieldType::kText:
      case FieldType::kJson:
        for (size_t row = start; row < start + count; ++row) {
          if (source.loaded) target.text_bytes.insert(target.text_bytes.end(), source.texts[row].begin(), source.texts[row].end());
          text_ends_[i].push_back(target.text_bytes.size());
          if (source.loaded) text_bytes_ += source.texts[row].size();
        }
        break;
    }
  }
}

const PointBlock& RowBuffer::block() {
  for (size_t i = 0; i < block_.columns.size(); ++i) {
    PointColumn& column = block_.columns[i];
    column.texts.clear();
    size_t start = 0;
    for (const size_t end : text_ends_[i]) {
      column.texts.emplace_back(column.text_bytes.data() + start, end - start);
      start = end;
    }
  }
  return block_;
}

void RowBuffer::clear() {
  block_.times.clear();
  block_.deleted.clear();
  for (PointColumn& column : block_.columns) column.clear();
  for (auto& ends : text_ends_) ends.clear();
  text_bytes_ = 0;
}

}  // namespace braid
