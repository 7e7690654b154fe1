#include "timeseries/run_codec.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/coding.h"
#include "timeseries/append_part.h"
#include "timeseries/codecs/bit_packing.h"
#include "timeseries/codecs/column_codec.h"
#include "timeseries/codecs/integer_codec.h"

namespace braid {
namespace {

/// How a block's rows are marked. Values are frozen: they are stored.
enum class RowMarking : uint8_t { kNone = 0, kDeleted = 1 };

/// What `append` adds to `out`, behind its size.
template <typename Append>
void append_sized(std::string& out, Append append) {
  const size_t at = out.size();
  append_fixed(out, uint32_t{0});
  append();
  store_fixed(out.data() + at, static_cast<uint32_t>(out.size() - at - sizeof(uint32_t)));
}

bool read_sized(ByteReader& in, std::string_view& bytes) {
  uint32_t size;
  return in.fixed(size) && in.bytes(size, bytes);
}

}  // namespace

void RunEncoder::add(const RunOwner& owner, std::span<const int64_t> times, std::span<const ColumnData> columns, std::span<const uint8_t> deleted,
                     size_t start, size_t limit) {
  add_rows(owner, times, columns, deleted, start, limit);
}

void RunEncoder::add(const RunOwner& owner, const PointBlock& points) {
  add_rows(owner, std::span(points.times), std::span(points.columns), points.deleted, 0, points.times.size());
}

template <typename Column>
void RunEncoder::add_rows(const RunOwner& owner, std::span<const int64_t> times, std::span<const Column> columns, std::span<const uint8_t> deleted,
                          size_t start, size_t limit) {
  BRAID_ASSERT(columns.size() == owner.fields.types.size());
  while (start < limit) {
    begin_block(owner);
    const size_t before = block_.times.size();
    size_t count = std::min(limit - start, kBlockRowsMax - before);
    if (holds_text_) count = std::min<size_t>(count, 1);
    const auto part = times.subspan(start, count);
    block_.times.insert(block_.times.end(), part.begin(), part.end());
    append_marks(block_.deleted, deleted, before, start, count);
    for (size_t i = 0; i < columns.size(); ++i) {
      PointColumn& to = block_.columns[i];
      append_part(to.integers, columns[i].integers, start, count);
      append_part(to.reals, columns[i].reals, start, count);
      append_part(to.texts, columns[i].texts, start, count);
      append_marks(to.nulls, columns[i].nulls, before, start, count);
      for (size_t row = before; row < to.texts.size(); ++row) text_bytes_ += to.texts[row].size();
    }
    if (!pieces_.empty() && pieces_.back().series == owner.series) {
      pieces_.back().rows += count;
    } else {
      pieces_.push_back({owner.series, count});
    }
    if (block_.times.size() == kBlockRowsMax || text_bytes_ >= kBlockTextBytes) flush();
    start += count;
  }
}

/// Rows of the same fields of one hypertable go to one block.
void RunEncoder::begin_block(const RunOwner& owner) {
  const auto is_owners = [&](const Schema& schema) { return schema.hypertable == owner.hypertable && schema.fields == owner.fields; };
  if (!pieces_.empty() && is_owners(schemas_[schema_])) return;
  flush();
  const auto known = std::find_if(schemas_.begin(), schemas_.end(), is_owners);
  schema_ = static_cast<size_t>(known - schemas_.begin());
  if (known == schemas_.end()) schemas_.push_back({owner.hypertable, owner.fields});
  block_.columns.resize(owner.fields.types.size());
  holds_text_ = false;
  for (size_t i = 0; i < block_.columns.size(); ++i) {
    const FieldType type = owner.fields.types[i];
    block_.columns[i].clear();
    block_.columns[i].type = type;
    block_.columns[i].loaded = true;
    holds_text_ |= type == FieldType::kText || type == FieldType::kJson;
  }
}

void RunEncoder::append_header() {
  append_varint(out_, schema_);
  if (schema_ == schemas_written_) {
    const Schema& schema = schemas_[schema_];
    append_varint(out_, schema.hypertable.value());
    append_varint(out_, schema.fields.ids.size());
    for (size_t i = 0; i < schema.fields.ids.size(); ++i) {
      append_varint(out_, schema.fields.ids[i].value());
      out_.push_back(static_cast<char>(schema.fields.types[i]));
    }
    ++schemas_written_;
  }
  append_varint(out_, block_.times.size());
  append_varint(out_, pieces_.size());
  uint64_t before = 0;
  for (const Piece& piece : pieces_) {
    append_varint(out_, zigzag(static_cast<int64_t>(piece.series.value() - before)));
    append_varint(out_, piece.rows);
    before = piece.series.value();
  }
}

void RunEncoder::flush() {
  if (pieces_.empty()) return;
  append_header();
  const bool marked = std::find(block_.deleted.begin(), block_.deleted.end(), 1) != block_.deleted.end();
  out_.push_back(static_cast<char>(marked ? RowMarking::kDeleted : RowMarking::kNone));
  if (marked) append_bitmap(out_, block_.deleted);
  append_sized(out_, [&] { encode_integers(block_.times, out_); });
  for (const PointColumn& column : block_.columns) {
    append_sized(out_, [&] { encode_column(column, 0, block_.times.size(), out_); });
  }
  pieces_.clear();
  block_.times.clear();
  block_.deleted.clear();
  for (PointColumn& column : block_.columns) column.clear();
  text_bytes_ = 0;
}

namespace {

/// Reads blocks one after the other; every function answers false on damage.
class RunReader {
 public:
  explicit RunReader(std::string_view bytes) : in_(bytes) {}
  bool done() const { return in_.done(); }

  bool read_block() {
    return read_schema() && read_pieces() && read_deleted() && read_times() && read_columns();
  }

  /// Calls `visit` for each run of the block.
  Status visit_runs(const std::function<Status(const SeriesRun&)>& visit) const {
    size_t start = 0;
    for (const auto& [series, rows] : pieces_) {
      BRAID_TRY(visit(run_of(series, start, rows)));
      start += rows;
    }
    return Status();
  }

 private:
  struct Schema {
    HypertableId hypertable;
    std::vector<FieldId> ids;
    std::vector<FieldType> types;
  };

  bool read_schema() {
    uint64_t index;
    if (!in_.varint(index) || index > schemas_.size()) return false;
    schema_ = static_cast<size_t>(index);
    if (index < schemas_.size()) return true;
    Schema& schema = schemas_.emplace_back();
    uint64_t table;
    uint64_t fields;
    if (!in_.varint(table) || table > UINT32_MAX || !in_.varint(fields) || fields > kRunFieldsMax) return false;
    schema.hypertable = HypertableId(static_cast<uint32_t>(table));
    for (uint64_t i = 0; i < fields; ++i) {
      uint64_t id;
      uint8_t type;
      if (!in_.varint(id) || id > UINT16_MAX || !in_.fixed(type)) return false;
      if (type < static_cast<uint8_t>(FieldType::kDouble) || type > static_cast<uint8_t>(FieldType::kJson)) return false;
      schema.ids.emplace_back(static_cast<uint16_t>(id));
      schema.types.push_back(static_cast<FieldType>(type));
    }
    return true;
  }

  bool read_pieces() {
    uint64_t rows;
    uint64_t count;
    if (!in_.varint(rows) || rows == 0 || rows > kBlockRowsMax || !in_.varint(count) || count > rows) return false;
    rows_ = static_cast<size_t>(rows);
    pieces_.clear();
    uint64_t series = 0;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t delta;
      uint64_t piece_rows;
      if (!in_.varint(delta) || !in_.varint(piece_rows) || piece_rows == 0 || piece_rows > rows - sum) return false;
      series += static_cast<uint64_t>(unzigzag(delta));
      sum += piece_rows;
      pieces_.emplace_back(SeriesId(series), static_cast<size_t>(piece_rows));
    }
    return sum == rows;
  }

  bool read_deleted() {
    uint8_t marking;
    if (!in_.fixed(marking) || marking > static_cast<uint8_t>(RowMarking::kDeleted)) return false;
    deleted_.clear();
    if (static_cast<RowMarking>(marking) == RowMarking::kNone) return true;
    deleted_.resize(rows_);
    return read_bitmap(in_, deleted_);
  }

  bool read_times() {
    std::string_view bytes;
    if (!read_sized(in_, bytes)) return false;
    ByteReader stripe(bytes);
    times_.resize(rows_);
    return decode_integers(stripe, times_) && stripe.done();
  }

  bool read_columns() {
    const Schema& schema = schemas_[schema_];
    columns_.resize(schema.types.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].clear();
      columns_[i].type = schema.types[i];
      std::string_view stripe;
      if (!read_sized(in_, stripe) || !decode_column(stripe, rows_, columns_[i])) return false;
    }
    return true;
  }

  SeriesRun run_of(SeriesId series, size_t start, size_t rows) const {
    const Schema& schema = schemas_[schema_];
    SeriesRun run{.hypertable = schema.hypertable, .series = series, .times = {}, .columns = {}, .fields = schema.ids, .deleted = {}};
    append_part(run.times, times_, start, rows);
    append_marks(run.deleted, deleted_, 0, start, rows);
    run.columns.resize(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      ColumnData& to = run.columns[i];
      to.type = columns_[i].type;
      append_part(to.integers, columns_[i].integers, start, rows);
      append_part(to.reals, columns_[i].reals, start, rows);
      append_part(to.texts, columns_[i].texts, start, rows);
      append_marks(to.nulls, columns_[i].nulls, 0, start, rows);
    }
    return run;
  }

  ByteReader in_;
  std::vector<Schema> schemas_;
  size_t schema_ = 0;
  size_t rows_ = 0;
  std::vector<std::pair<SeriesId, size_t>> pieces_;
  std::vector<uint8_t> deleted_;
  std::vector<int64_t> times_;
  std::vector<PointColumn> columns_;
};

}  // namespace

Status read_runs(std::string_view bytes, const std::function<Status(const SeriesRun&)>& visit) {
  RunReader reader(bytes);
  while (!reader.done()) {
    if (!reader.read_block()) return Status(StatusCode::kCorrupt, "the points of the commit record cannot be read");
    BRAID_TRY(reader.visit_runs(visit));
  }
  return Status();
}

}  // namespace braid
