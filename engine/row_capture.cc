#include "engine/row_capture.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "engine/caught.h"

namespace braid {

namespace {

constexpr const char* kReadObjects =
    "WITH listed AS MATERIALIZED (SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main') "
    "SELECT s.type, s.name, s.tbl_name, coalesce(s.sql, ''), s.rootpage, coalesce(l.type = 'virtual', 0), coalesce(l.wr, 0), coalesce(l.strict, 0) "
    "FROM main.sqlite_schema s LEFT JOIN listed l ON l.name = s.name AND s.type = 'table' "
    "WHERE s.tbl_name NOT IN (SELECT name FROM listed WHERE type = 'shadow') AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND s.name NOT LIKE '\\_braid\\_%' ESCAPE '\\' AND s.tbl_name NOT LIKE '\\_braid\\_%' ESCAPE '\\'";

// The affinity's number; ANY converts nothing in STRICT tables (?2).
constexpr const char* kReadColumns =
    "SELECT name, pk, hidden, coalesce(dflt_value, ''), "
    "CASE WHEN type LIKE '%INT%' THEN 3 WHEN type LIKE '%CHAR%' OR type LIKE '%CLOB%' OR type LIKE '%TEXT%' THEN 1 "
    "WHEN type LIKE '%BLOB%' OR type = '' OR (?2 AND type LIKE 'ANY') THEN 0 WHEN type LIKE '%REAL%' OR type LIKE '%FLOA%' OR type LIKE '%DOUB%' THEN 4 ELSE 2 END, "
    "type LIKE 'INTEGER' FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";

RowCell cell_of(sqlite3_value* value) {
  RowCell cell;
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      cell.type = RowCell::Type::kInteger;
      cell.integer = sqlite3_value_int64(value);
      break;
    case SQLITE_FLOAT:
      cell.type = RowCell::Type::kReal;
      cell.real = sqlite3_value_double(value);
      break;
    case SQLITE_TEXT:
      cell.type = RowCell::Type::kText;
      cell.bytes = {reinterpret_cast<const char*>(sqlite3_value_text(value)), static_cast<size_t>(sqlite3_value_bytes(value))};
      break;
    case SQLITE_BLOB: {
      cell.type = RowCell::Type::kBlob;
      const auto* data = static_cast<const char*>(sqlite3_value_blob(value));
      cell.bytes = {data == nullptr ? "" : data, static_cast<size_t>(sqlite3_value_bytes(value))};
      break;
    }
    default:
      break;
  }
  // Without memory for it SQLite answers no text.
  if (cell.type == RowCell::Type::kText && cell.bytes.data() == nullptr) cell.bytes = "";
  return cell;
}

RowCell as_real(RowCell cell) {
  if (cell.type != RowCell::Type::kInteger) return cell;
  cell.type = RowCell::Type::kReal;
  cell.real = static_cast<double>(cell.integer);
  return cell;
}

/// Below this each integer has a real of its own; and this is above all integers.
constexpr double kExactLimit = 0x1p53, kIntegerLimit = 0x1p63;

/// A whole number below `limit` as an integer.
RowCell as_integer(RowCell cell, double limit) {
  if (cell.type != RowCell::Type::kReal || !(std::abs(cell.real) < limit) || cell.real != std::trunc(cell.real)) return cell;
  cell.type = RowCell::Type::kInteger;
  cell.integer = static_cast<int64_t>(cell.real);
  return cell;
}

/// What stands in a column that SQLite takes for a REAL one.
RowCell before_it_was_real(RowCell cell, const TableShape::Column& column) {
  // 5 and 5.0 are two values where nothing is converted; those of a key are taken for integers.
  if (column.affinity != Affinity::kBlob || column.key > 0) cell = as_integer(cell, kExactLimit);
  // Above that several integers are one real.
  const bool is_ambiguous = cell.type == RowCell::Type::kReal && cell.real == std::trunc(cell.real) && std::abs(cell.real) <= kIntegerLimit;
  return is_ambiguous ? RowCell{.type = RowCell::Type::kUnknown} : cell;
}

/// What a column keeps of a default.
RowCell stored(sqlite3_value* value, Affinity affinity) {
  if (affinity == Affinity::kBlob || affinity == Affinity::kText) return cell_of(value);
  sqlite3_value_numeric_type(value);  // converts text that is a number
  const RowCell cell = cell_of(value);
  return affinity == Affinity::kReal ? as_real(cell) : as_integer(cell, kIntegerLimit);
}

/// A default that names no function: ALTER TABLE ADD COLUMN takes no other.
bool is_literal(std::string_view expression) {
  if (!expression.starts_with('\'')) return !expression.empty() && expression.find_first_of("()\"") == std::string_view::npos;
  for (size_t at = 1; at < expression.size(); ++at) {
    if (expression[at] != '\'') continue;
    if (at + 1 == expression.size()) return true;
    if (expression[++at] != '\'') return false;
  }
  return false;
}

/// How SQLite 3.40's preupdate hook names the columns, and what it answers of the rows before. Pre: `old_place` is each one's declared place.
///
/// For tables with rowids it takes places among the stored columns. Without rowids it takes declared ones, but for the row after an update, and looks
/// them up in the primary key's index: the key's columns, then the others. The place that it then has it takes for a declared one, to see whether the
/// column is the INTEGER PRIMARY KEY or a REAL.
void place_columns(TableShape& shape, const std::vector<Affinity>& declared) {
  std::vector<size_t> indexed(shape.columns.size());
  for (size_t i = 0; i < indexed.size(); ++i) indexed[i] = i;
  if (!shape.has_rowid) {
    const auto rank = [&](size_t i) { return shape.columns[i].key > 0 ? shape.columns[i].key : UINT32_MAX; };
    std::stable_sort(indexed.begin(), indexed.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  }
  const int rowid_place = shape.rowid_column ? shape.columns[*shape.rowid_column].old_place : -1;
  for (size_t place = 0; place < indexed.size(); ++place) {
    const size_t i = indexed[place];
    TableShape::Column& column = shape.columns[i];
    column.updated_place = static_cast<int>(i);
    if (shape.has_rowid) column.old_place = static_cast<int>(i);
    column.inserted_place = column.old_place;
    const bool may_hold_integers = column.affinity != Affinity::kReal && column.affinity != Affinity::kText;
    column.old_is_real = may_hold_integers && declared[place] == Affinity::kReal;
    column.is_unreadable = rowid_place == static_cast<int>(i) && shape.rowid_column != i;
  }
}

bool is_own_table(std::string_view table) { return table.starts_with("_braid_") || table.starts_with("sqlite_"); }

}  // namespace

struct RowCapture::Schema {
  struct Object {
    std::string table;
    std::string sql;
    int64_t root = 0;
    bool is_virtual = false;
    std::shared_ptr<const TableShape> shape;  // shared: with the schemas before and after; null for what is no table of rows
  };

  /// By type and name: a trigger may be named as a table is.
  using Objects = std::map<std::pair<std::string, std::string>, Object>;

  int64_t cookie = 0;
  Objects objects;
  std::map<std::string, std::shared_ptr<const TableShape>, std::less<>> tables;  ///< those of rows
  std::set<std::string, std::less<>> hidden;                                     ///< those behind virtual ones
};

RowCapture::RowCapture(sqlite3* db, MemoryShare memory, uint64_t bytes_max) : db_(db), bytes_max_(bytes_max), memory_(std::move(memory)) {
  if (auto made = sqlite_prepare(db, "SELECT 1"); made.ok()) {
    missing_holder_ = made.take();
    // A column beyond the last one is the same constant.
    missing_ = sqlite3_column_value(missing_holder_.get(), 1);
  }
  sqlite3_preupdate_hook(db, note, this);
}

RowCapture::~RowCapture() { sqlite3_preupdate_hook(db_, nullptr, nullptr); }

// ---- Rows ------------------------------------------------------------------------------------------------------------

void RowCapture::note(void* self, sqlite3*, int operation, const char* database, const char* table, sqlite3_int64 before, sqlite3_int64 after) {
  auto& capture = *static_cast<RowCapture*>(self);
  if (std::strcmp(database, "main") != 0 || is_own_table(table) || capture.changes_.truncated) return;
  const auto kind = operation == SQLITE_INSERT ? RowEvent::Kind::kInsert : operation == SQLITE_DELETE ? RowEvent::Kind::kDelete : RowEvent::Kind::kUpdate;
  const Status noted = caught([&]() -> Status {
    capture.note_row(kind, table, before, after);
    return {};
  });
  if (!noted.ok()) capture.truncate();
}

void RowCapture::note_row(RowEvent::Kind kind, std::string_view table, int64_t before, int64_t after) {
  if (schema_ == nullptr) return truncate();
  const auto found = schema_->tables.find(table);
  if (found == schema_->tables.end()) {
    // What a virtual table makes for itself is written to by the statement that makes it; what it is is known after that.
    if (!schema_->hidden.contains(table)) unknown_.emplace(table);
    return;
  }
  const std::shared_ptr<const TableShape>& shape = found->second;
  if (static_cast<size_t>(sqlite3_preupdate_count(db_)) != shape->declared_columns) return truncate();
  const size_t start = changes_.cells.size();
  append_cell(changes_.cells, {.type = RowCell::Type::kInteger, .integer = before});
  append_cell(changes_.cells, {.type = RowCell::Type::kInteger, .integer = after});
  if (kind != RowEvent::Kind::kInsert) append_row(*shape, kind, false, before);
  if (kind != RowEvent::Kind::kDelete) append_row(*shape, kind, true, after);
  add_event(kind, place_of(shape), start);
}

void RowCapture::append_row(const TableShape& shape, RowEvent::Kind kind, bool is_new, int64_t rowid) {
  const bool is_insert = kind == RowEvent::Kind::kInsert;
  for (size_t i = 0; i < shape.columns.size(); ++i) {
    const TableShape::Column& column = shape.columns[i];
    if (shape.rowid_column == i) {
      append_cell(changes_.cells, {.type = RowCell::Type::kInteger, .integer = rowid});
      continue;
    }
    if (column.is_unreadable) {
      append_cell(changes_.cells, {.type = RowCell::Type::kUnknown});
      continue;
    }
    sqlite3_value* value = nullptr;
    const int code = is_new ? sqlite3_preupdate_new(db_, is_insert ? column.inserted_place : column.updated_place, &value)
                            : sqlite3_preupdate_old(db_, column.old_place, &value);
    if (code != SQLITE_OK || value == nullptr) return truncate();
    if (value == missing_ && !column.added.empty()) {
      changes_.cells += column.added;
      continue;
    }
    RowCell cell = cell_of(value);
    if (column.affinity == Affinity::kReal) cell = as_real(cell);
    if (!is_new && column.old_is_real) {
      cell = before_it_was_real(cell, column);
      // A row without its key is of no use.
      if (column.key > 0 && cell.type == RowCell::Type::kUnknown) return truncate();
    }
    append_cell(changes_.cells, cell);
  }
}

/// Undone when it is too much.
void RowCapture::add_event(RowEvent::Kind kind, uint32_t subject, size_t cells_before) {
  if (!changes_.truncated) changes_.events.push_back({kind, subject, cells_before});
  if (changes_.truncated || changes_.bytes() > bytes_max_ || !memory_.grow_to(changes_.bytes()).ok()) {
    if (!changes_.truncated) changes_.events.pop_back();
    changes_.cells.resize(cells_before);
    truncate();
  }
}

uint32_t RowCapture::place_of(const std::shared_ptr<const TableShape>& shape) {
  // A transaction changes few tables, and mostly the last one again.
  for (size_t i = changes_.tables.size(); i-- > 0;)
    if (changes_.tables[i] == shape) return static_cast<uint32_t>(i);
  changes_.tables.push_back(shape);
  return static_cast<uint32_t>(changes_.tables.size() - 1);
}

// ---- The transaction -------------------------------------------------------------------------------------------------

void RowCapture::begin() {
  changes_ = {};
  unknown_.clear();
  const Status read = caught([&]() -> Status {
    BRAID_ASSIGN(const int64_t now, cookie());
    if (schema_ == nullptr || schema_->cookie != now) {
      BRAID_ASSIGN(schema_, read_schema());
    }
    return {};
  });
  if (!read.ok()) {
    schema_ = nullptr;
    truncate();
  }
  first_schema_ = schema_;
}

RowCapture::Mark RowCapture::mark() const {
  return {changes_.events.size(), changes_.schema.size(), changes_.cells.size(), changes_.truncated, schema_};
}

void RowCapture::rollback_to(const Mark& mark) {
  changes_.events.resize(std::min(changes_.events.size(), mark.events));
  changes_.schema.resize(std::min(changes_.schema.size(), mark.schema_changes));
  changes_.cells.resize(std::min(changes_.cells.size(), mark.bytes));
  unknown_.clear();
  schema_ = mark.schema == nullptr ? first_schema_ : mark.schema;
  changes_.truncated = mark.truncated || schema_ == nullptr;
}

RowChanges RowCapture::take() {
  RowChanges taken = std::exchange(changes_, {});
  memory_.clear();
  if (schema_ == nullptr) truncate();
  return taken;
}

void RowCapture::end(bool undo) {
  if (undo) schema_ = first_schema_;
  changes_ = {};
  memory_.clear();
}

// ---- The schema ------------------------------------------------------------------------------------------------------

Result<int64_t> RowCapture::cookie() {
  if (cookie_.get() == nullptr) {
    BRAID_ASSIGN(cookie_, sqlite_prepare(db_, "PRAGMA main.schema_version"));
  }
  const auto row = cookie_.step();
  const int64_t cookie = row.ok() && *row ? cookie_.integer(0) : 0;
  cookie_.reset();
  BRAID_TRY(row.status());
  return cookie;
}

Result<std::string> RowCapture::read_default(const std::string& expression, Affinity affinity) {
  if (!is_literal(expression)) return std::string();
  auto statement = sqlite_prepare(db_, "SELECT (" + expression + "), CAST((" + expression + ") AS TEXT)");
  if (!statement.ok()) return std::string();
  BRAID_ASSIGN(const bool row, statement->step());
  if (!row) return std::string();
  const int type = sqlite3_column_type(statement->get(), 0);
  if (type == SQLITE_NULL) return std::string();
  const bool becomes_text = affinity == Affinity::kText && (type == SQLITE_INTEGER || type == SQLITE_FLOAT);
  const std::unique_ptr<sqlite3_value, decltype(&sqlite3_value_free)> value(sqlite3_value_dup(sqlite3_column_value(statement->get(), becomes_text ? 1 : 0)),
                                                                            sqlite3_value_free);
  if (value == nullptr) return Status(StatusCode::kOutOfMemory, "no memory for a column's default");
  std::string out;
  append_cell(out, stored(value.get(), affinity));
  return out;
}

Result<std::shared_ptr<const TableShape>> RowCapture::read_shape(const std::string& name, bool has_rowid, bool is_strict) {
  constexpr int64_t kVirtualColumn = 2;
  BRAID_ASSIGN(auto columns, sqlite_prepare(db_, kReadColumns));
  columns.bind_text(1, name).bind(2, is_strict ? 1 : 0);
  auto shape = std::make_shared<TableShape>();
  shape->name = name;
  shape->has_rowid = has_rowid;
  std::vector<Affinity> declared;
  size_t keys = 0;
  std::optional<size_t> integer_key;
  for (;;) {
    BRAID_ASSIGN(const bool more, columns.step());
    if (!more) break;
    declared.push_back(static_cast<Affinity>(columns.integer(4)));
    if (columns.integer(2) == kVirtualColumn) continue;
    TableShape::Column column{.name = std::string(columns.bytes(0)), .key = static_cast<uint32_t>(columns.integer(1)), .affinity = declared.back(), .added = {}};
    column.old_place = static_cast<int>(declared.size() - 1);
    if (column.key > 0 && ++keys == 1 && columns.integer(5) != 0) integer_key = shape->columns.size();
    BRAID_ASSIGN(column.added, read_default(std::string(columns.bytes(3)), column.affinity));
    shape->columns.push_back(std::move(column));
  }
  shape->declared_columns = declared.size();
  if (has_rowid && keys == 1 && integer_key) {
    // INTEGER PRIMARY KEY DESC is no name of the rowid: it has an index.
    BRAID_ASSIGN(auto index, sqlite_prepare(db_, "SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'"));
    index.bind_text(1, name);
    BRAID_ASSIGN(const bool has_index, index.step());
    if (!has_index) shape->rowid_column = integer_key;
  }
  place_columns(*shape, declared);
  return std::shared_ptr<const TableShape>(std::move(shape));
}

Result<std::shared_ptr<const RowCapture::Schema>> RowCapture::read_schema() {
  auto schema = std::make_shared<Schema>();
  BRAID_ASSIGN(schema->cookie, cookie());
  BRAID_ASSIGN(auto rows, sqlite_prepare(db_, kReadObjects));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) break;
    const std::pair<std::string, std::string> key(rows.bytes(0), rows.bytes(1));
    Schema::Object object{.table = std::string(rows.bytes(2)), .sql = std::string(rows.bytes(3)), .root = rows.integer(4), .is_virtual = rows.integer(5) != 0, .shape = nullptr};
    if (key.first == "table" && !object.is_virtual) {
      const Schema::Object* known = nullptr;
      if (schema_ != nullptr) {
        const auto at = schema_->objects.find(key);
        if (at != schema_->objects.end() && at->second.sql == object.sql) known = &at->second;
      }
      if (known != nullptr) {
        object.shape = known->shape;
      } else {
        BRAID_ASSIGN(object.shape, read_shape(key.second, rows.integer(6) == 0, rows.integer(7) != 0));
      }
      schema->tables.emplace(key.second, object.shape);
    }
    schema->objects.emplace(key, std::move(object));
  }
  BRAID_ASSIGN(auto hidden, sqlite_prepare(db_, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"));
  for (;;) {
    BRAID_ASSIGN(const bool more, hidden.step());
    if (!more) break;
    schema->hidden.emplace(hidden.bytes(0));
  }
  return std::shared_ptr<const Schema>(std::move(schema));
}

void RowCapture::note_schema(const CatalogState& before, const CatalogState& now) {
  if (schema_ == nullptr) return;
  const Status noted = caught([&]() -> Status {
    BRAID_ASSIGN(const int64_t newest, cookie());
    if (newest != schema_->cookie)
      BRAID_TRY(compare_schema([&](const std::string& name) { return before.hypertable(name) != nullptr || now.hypertable(name) != nullptr; }));
    for (const std::string& name : unknown_)
      if (!schema_->hidden.contains(name)) truncate();
    unknown_.clear();
    return {};
  });
  if (noted.ok()) return;
  schema_ = nullptr;
  truncate();
}

/// A table that lost its name and one that has a new one are the same when their rows are in the same place.
Status RowCapture::compare_schema(const std::function<bool(const std::string&)>& is_left_out) {
  const std::shared_ptr<const Schema> old = schema_;
  BRAID_ASSIGN(schema_, read_schema());
  const auto tell = [&](RowEvent::Kind kind, const Schema::Objects::value_type& object, std::string was = {}) {
    const auto& [key, value] = object;
    if (value.is_virtual && is_left_out(key.second)) return;
    SchemaChange change{.type = key.first, .name = key.second, .table = value.table, .was = std::move(was), .sql = {}, .columns = {}};
    if (kind != RowEvent::Kind::kDrop) {
      change.sql = value.sql;
      if (value.shape != nullptr)
        for (const TableShape::Column& column : value.shape->columns) change.columns.push_back(column.name);
    }
    changes_.schema.push_back(std::move(change));
    add_event(kind, static_cast<uint32_t>(changes_.schema.size() - 1), changes_.cells.size());
  };
  const auto renamed_from = [&](const Schema::Objects::value_type& object) -> const std::string* {
    if (object.second.shape == nullptr || old->objects.contains(object.first)) return nullptr;
    for (const auto& [key, value] : old->objects)
      if (value.shape != nullptr && value.root == object.second.root && !schema_->objects.contains(key)) return &key.second;
    return nullptr;
  };
  std::vector<std::string> renamed;
  for (const auto& object : schema_->objects)
    if (const std::string* was = renamed_from(object)) renamed.push_back(*was);
  for (const auto& object : old->objects) {
    if (schema_->objects.contains(object.first)) continue;
    if (object.first.first != "table" || std::find(renamed.begin(), renamed.end(), object.first.second) == renamed.end()) tell(RowEvent::Kind::kDrop, object);
  }
  for (const auto& object : schema_->objects) {
    const auto known = old->objects.find(object.first);
    if (known != old->objects.end()) {
      // Indexes, views and triggers are rewritten when a table or a column is renamed; they stay what they are.
      if (object.first.first == "table" && known->second.sql != object.second.sql) tell(RowEvent::Kind::kAlter, object);
      continue;
    }
    const std::string* was = renamed_from(object);
    tell(was == nullptr ? RowEvent::Kind::kCreate : RowEvent::Kind::kAlter, object, was == nullptr ? std::string() : *was);
    if (was == nullptr && object.second.shape != nullptr) BRAID_TRY(note_rows_of(object.second.shape));
  }
  return {};
}

Status RowCapture::note_rows_of(const std::shared_ptr<const TableShape>& shape) {
  if (!shape->has_rowid) return {};
  std::string columns;
  for (const TableShape::Column& column : shape->columns) columns += ", " + quote_identifier(column.name);
  BRAID_ASSIGN(auto rows, sqlite_prepare(db_, "SELECT _rowid_" + columns + " FROM main." + quote_identifier(shape->name)));
  while (!changes_.truncated) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const size_t start = changes_.cells.size();
    append_cell(changes_.cells, {.type = RowCell::Type::kInteger, .integer = rows.integer(0)});
    append_cell(changes_.cells, {.type = RowCell::Type::kInteger, .integer = rows.integer(0)});
    for (size_t i = 0; i < shape->columns.size(); ++i)
      append_cell(changes_.cells, cell_of(sqlite3_column_value(rows.get(), static_cast<int>(i) + 1)));
    add_event(RowEvent::Kind::kInsert, place_of(shape), start);
  }
  return {};
}

}  // namespace braid
