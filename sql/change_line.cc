#include "sql/change_line.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "engine/commit_record.h"
#include "engine/long_call.h"
#include "graph/edge_run.h"
#include "graph/node_format.h"
#include "graph/removal_run.h"
#include "sql/hypertable_columns.h"
#include "sql/json_output.h"
#include "sql/time_text.h"
#include "timeseries/run_codec.h"
#include "timeseries/tag_codec.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

/// How long a line may become.
class Room {
 public:
  explicit Room(size_t bytes_max) : bytes_max_(bytes_max) {}
  /// Is there room behind a list of so many bytes? It is cut if there is none.
  bool has(size_t bytes) {
    if (taken_ + bytes < bytes_max_) return true;
    cut_ = true;
    return false;
  }
  void take(size_t bytes) { taken_ += bytes; }
  void cut() { cut_ = true; }
  bool is_cut() const { return cut_; }

 private:
  const size_t bytes_max_;
  size_t taken_ = 0;
  bool cut_ = false;
};

// ---- Rows ------------------------------------------------------------------------------------------------------------

void append_json_cell(std::string& json, const RowCell& cell) {
  switch (cell.type) {
    case RowCell::Type::kNull:
    case RowCell::Type::kUnknown:
      json += "null";
      return;
    case RowCell::Type::kInteger:
      json += std::to_string(cell.integer);
      return;
    case RowCell::Type::kReal:
      append_json_real(json, cell.real);
      return;
    case RowCell::Type::kText:
      append_json_text(json, cell.bytes);
      return;
    case RowCell::Type::kBlob:
      append_json_blob(json, cell.bytes);
      return;
  }
}

using Cells = std::vector<RowCell>;

void append_row(std::string& json, const TableShape& shape, const Cells& cells) {
  JsonScope row(json, '{', '}');
  for (size_t i = 0; i < cells.size(); ++i)
    if (cells[i].type != RowCell::Type::kUnknown) append_json_cell(row.member(shape.columns[i].name), cells[i]);
}

/// The primary key; the rowid where there is none, or a part of it is NULL.
std::string row_key_of(const TableShape& shape, const Cells& cells, int64_t rowid) {
  std::vector<std::pair<uint32_t, size_t>> columns;
  for (size_t i = 0; i < shape.columns.size(); ++i)
    if (shape.columns[i].key > 0) columns.emplace_back(shape.columns[i].key, i);
  std::sort(columns.begin(), columns.end());
  const bool is_null = std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return cells[column.second].type == RowCell::Type::kNull; });
  if (columns.empty() || is_null) return "{\"rowid\":" + std::to_string(rowid) + '}';
  std::string json;
  {
    JsonScope key(json, '{', '}');
    for (const auto& [order, i] : columns) append_json_cell(key.member(shape.columns[i].name), cells[i]);
  }
  return json;
}

constexpr std::string_view kRowOperations[] = {"insert", "update", "delete", "create", "alter", "drop"};  // in the order of RowEvent::Kind

void append_row_event(std::string& json, const RowChanges& rows, const RowEvent& event) {
  const TableShape& shape = *rows.tables[event.subject];
  size_t at = event.start;
  const int64_t rowid_before = take_cell(rows.cells, at).integer;
  const int64_t rowid_after = take_cell(rows.cells, at).integer;
  const auto take_row = [&] {
    Cells cells;
    for (size_t i = 0; i < shape.columns.size(); ++i) cells.push_back(take_cell(rows.cells, at));
    return cells;
  };
  const Cells before = event.kind == RowEvent::Kind::kInsert ? Cells() : take_row();
  const Cells after = event.kind == RowEvent::Kind::kDelete ? Cells() : take_row();
  JsonScope item(json, '{', '}');
  item.text("table", shape.name);
  item.text("op", kRowOperations[static_cast<size_t>(event.kind)]);
  const std::string key = before.empty() ? row_key_of(shape, after, rowid_after) : row_key_of(shape, before, rowid_before);
  item.member("key") += key;
  if (event.kind == RowEvent::Kind::kUpdate) {
    const std::string new_key = row_key_of(shape, after, rowid_after);
    if (new_key != key) item.member("new_key") += new_key;
  }
  if (!before.empty()) append_row(item.member("old"), shape, before);
  if (!after.empty()) append_row(item.member("new"), shape, after);
}

void append_schema_change(std::string& json, const SchemaChange& change, RowEvent::Kind kind) {
  JsonScope item(json, '{', '}');
  item.text("table", change.table);
  item.text("op", kRowOperations[static_cast<size_t>(kind)]);
  item.text("type", change.type);
  if (change.type != "table") item.text("name", change.name);
  if (!change.was.empty()) item.text("was", change.was);
  if (kind == RowEvent::Kind::kDrop) return;
  if (!change.columns.empty()) {
    JsonScope columns(item.member("columns"), '[', ']');
    for (const std::string& column : change.columns) append_json_text(columns.item(), column);
  }
  item.text("sql", change.sql);
}

std::string rows_text(const RowChanges& rows, Room& room) {
  std::string json;
  {
    JsonScope list(json, '[', ']');
    for (const RowEvent& event : rows.events) {
      if (!room.has(json.size())) break;
      if (event.kind < RowEvent::Kind::kCreate)
        append_row_event(list.item(), rows, event);
      else
        append_schema_change(list.item(), rows.schema[event.subject], event.kind);
    }
  }
  if (rows.truncated) room.cut();
  return json;
}

// ---- The graph -------------------------------------------------------------------------------------------------------

class GraphText {
 public:
  GraphText(const Catalog& catalog, Room& room) : catalog_(catalog), room_(room) {}

  /// Nodes that are put, then edges, then nodes that are gone: so no edge ever lacks an end.
  Result<std::string> text(const GraphChanges& changes) {
    std::string json;
    {
      JsonScope list(json, '[', ']');
      for (const NodeChange& change : changes.nodes)
        if (change.kind == ChangeKind::kPut && room_.has(json.size())) BRAID_TRY(put_node(list.item(), change));
      for (const EdgeChange& change : changes.edges)
        if (room_.has(json.size())) BRAID_TRY(edge(list, change, json));
      for (const NodeChange& change : changes.nodes)
        if (change.kind == ChangeKind::kRemove && room_.has(json.size())) remove_node(list.item(), change.id);
    }
    return json;
  }

 private:
  struct Ends {
    EdgeId id;
    TypeId type;
    NodeId source, target;
  };

  std::string properties(const Properties& properties) const {
    return properties_to_json(properties, [this](KeyId key) -> std::string_view { return catalog_.name(NameKind::kPropertyKey, key.value()); });
  }

  Status put_node(std::string& json, const NodeChange& change) const {
    Node node;
    BRAID_TRY(decode_node(change.value, node));
    JsonScope item(json, '{', '}');
    item.text("op", "put");
    item.number("node", change.id.value());
    {
      JsonScope labels(item.member("labels"), '[', ']');
      for (const LabelId label : node.labels) append_json_text(labels.item(), catalog_.name(NameKind::kLabel, label.value()));
    }
    item.member("properties") += properties(node.properties);
    return {};
  }

  static void remove_node(std::string& json, NodeId id) {
    JsonScope item(json, '{', '}');
    item.text("op", "remove");
    item.number("node", id.value());
  }

  void append_ends(JsonScope& item, std::string_view operation, const Ends& ends) const {
    item.text("op", operation);
    item.number("edge", ends.id.value());
    item.text("type", catalog_.name(NameKind::kEdgeType, ends.type.value()));
    item.number("source", ends.source.value());
    item.number("target", ends.target.value());
  }

  Status put_edge(std::string& json, const Ends& ends, std::string_view encoded) const {
    BRAID_ASSIGN(const Properties decoded, decode_properties(encoded));
    JsonScope item(json, '{', '}');
    append_ends(item, "put", ends);
    item.member("properties") += properties(decoded);
    return {};
  }

  void remove_edge(std::string& json, const Ends& ends) const {
    JsonScope item(json, '{', '}');
    append_ends(item, "remove", ends);
  }

  Status edge(JsonScope& list, const EdgeChange& change, const std::string& json) {
    const Ends ends{change.id, change.type, change.source, change.target};
    switch (change.kind) {
      case ChangeKind::kPut:
        return put_edge(list.item(), ends, change.properties);
      case ChangeKind::kRemove:
        remove_edge(list.item(), ends);
        return {};
      case ChangeKind::kIndexOnly:
        return {};
      case ChangeKind::kRun:
        return put_run(list, change, json);
      case ChangeKind::kRemovalRun:
        return remove_run(list, change, json);
    }
    return {};
  }

  Status put_run(JsonScope& list, const EdgeChange& change, const std::string& json) {
    BRAID_ASSIGN(const DecodedEdgeRun decoded, DecodedEdgeRun::decode(change.type, change.id, change.properties));
    const EdgeRun run = decoded.run();
    for (size_t i = 0; i < run.size() && room_.has(json.size()); ++i)
      BRAID_TRY(put_edge(list.item(), {run.id(i), run.type, run.sources[i], run.targets[i]}, run.properties_of(i)));
    return {};
  }

  Status remove_run(JsonScope& list, const EdgeChange& change, const std::string& json) {
    BRAID_ASSIGN(const DecodedRemovalRun decoded, DecodedRemovalRun::decode(change.type, change.properties));
    const RemovalRun run = decoded.run();
    for (size_t i = 0; i < run.size() && room_.has(json.size()); ++i)
      remove_edge(list.item(), {run.edges[i], run.type, run.outgoing ? run.node : run.neighbors[i], run.outgoing ? run.neighbors[i] : run.node});
    return {};
  }

  const Catalog& catalog_;
  Room& room_;
};

// ---- Series ----------------------------------------------------------------------------------------------------------

void append_json_field(std::string& json, const ColumnData& column, size_t row) {
  if (column.is_null(row)) {
    json += "null";
    return;
  }
  switch (column.type) {
    case FieldType::kDouble:
      append_json_real(json, column.reals[row]);
      return;
    case FieldType::kInt64:
    case FieldType::kBool:
      json += std::to_string(column.integers[row]);
      return;
    case FieldType::kText:
    case FieldType::kJson:
      append_json_text(json, column.texts[row]);
      return;
  }
}

void append_time(std::string& json, int64_t time) { append_json_text(json, format_time(Timestamp(time))); }

/// Null where the range has no bound.
void append_bound(std::string& json, Timestamp bound) {
  if (bound == TimeRange{}.start || bound == TimeRange{}.limit)
    json += "null";
  else
    append_time(json, bound.value());
}

bool same_definition(const HypertableDefinition& one, const HypertableDefinition& other) {
  const auto same_field = [](const FieldDefinition& a, const FieldDefinition& b) { return a.id == b.id && a.name == b.name && a.type == b.type; };
  return one.name == other.name && one.time_column == other.time_column && one.tags == other.tags &&
         std::equal(one.fields.begin(), one.fields.end(), other.fields.begin(), other.fields.end(), same_field);
}

class SeriesText {
 public:
  SeriesText(const CommitChanges& changes, const Catalog& catalog, Room& room) : changes_(changes), catalog_(catalog), room_(room) {}

  Result<std::string> text(const SeriesChanges& series) {
    {
      JsonScope list(json_, '[', ']');
      tell_definitions(list);
      for (const SeriesDeletion& deletion : series.deletions)
        if (const HypertableDefinition* table = table_of(deletion.hypertable)) BRAID_TRY(tell_deletion(list, *table, deletion));
      BRAID_TRY(read_runs(series.runs, [&](const SeriesRun& run) { return tell_run(list, run); }));
      flush(list);
    }
    return std::move(json_);
  }

 private:
  /// Of the commit's own definitions: what a dropped one loses needs no telling.
  const HypertableDefinition* table_of(HypertableId id) const {
    const auto at = changes_.after->hypertables.find(id);
    return at == changes_.after->hypertables.end() ? nullptr : &at->second;
  }

  void tell_definitions(JsonScope& list) {
    if (changes_.before == changes_.after) return;
    const auto& before = changes_.before->hypertables;
    const auto& after = changes_.after->hypertables;
    for (const auto& [id, table] : before)
      if (!after.contains(id)) tell_definition(list, table, "drop", nullptr);
    for (const auto& [id, table] : after) {
      const auto known = before.find(id);
      if (known == before.end())
        tell_definition(list, table, "create", nullptr);
      else if (!same_definition(known->second, table))
        tell_definition(list, table, "alter", &known->second);
    }
  }

  static void tell_definition(JsonScope& list, const HypertableDefinition& table, std::string_view operation, const HypertableDefinition* was) {
    JsonScope item(list.item(), '{', '}');
    item.text("hypertable", table.name);
    item.text("op", operation);
    if (was != nullptr && was->name != table.name) item.text("was", was->name);
    if (operation == "drop") return;
    item.text("time", table.time_column);
    {
      JsonScope tags(item.member("tags"), '{', '}');
      for (size_t i = 0; i < table.tags.size(); ++i) tags.text(table.tags[i], table.tag_type(i) == FieldType::kInt64 ? "INTEGER" : "TEXT");
    }
    JsonScope fields(item.member("fields"), '{', '}');
    for (const FieldDefinition& field : table.fields) fields.text(field.name, declared_field_type(field.type));
  }

  /// Of a series, as members of an object that goes on or ends behind them.
  Result<std::string> tags_text(const HypertableDefinition& table, SeriesId series) const {
    BRAID_ASSIGN(const TagValues values, decode_tags(catalog_.series_tags(series)));
    std::string json;
    for (size_t i = 0; i < values.size() && i < table.tags.size(); ++i) {
      if (i > 0) json += ',';
      append_json_text(json, table.tags[i]);
      json += ':';
      const auto number = values[i] && table.tag_type(i) == FieldType::kInt64 ? integer_of_tag(*values[i]) : std::nullopt;
      if (!values[i]) json += "null";
      else if (number) json += std::to_string(*number);
      else append_json_text(json, *values[i]);
    }
    return json;
  }

  Status tell_deletion(JsonScope& list, const HypertableDefinition& table, const SeriesDeletion& deletion) {
    if (!room_.has(json_.size())) return {};
    JsonScope item(list.item(), '{', '}');
    item.text("hypertable", table.name);
    item.text("op", "delete");
    append_bound(item.member("start"), deletion.range.start);
    append_bound(item.member("limit"), deletion.range.limit);
    if (deletion.series.empty()) return {};
    JsonScope all(item.member("series"), '[', ']');
    for (const SeriesId series : deletion.series) {
      if (!room_.has(json_.size())) break;
      BRAID_ASSIGN(const std::string tags, tags_text(table, series));
      all.item() += '{' + tags + '}';
    }
    return {};
  }

  /// Points of one hypertable that were written, or taken away, one after the other.
  struct Entry {
    const HypertableDefinition* table = nullptr;
    bool removes = false;
    uint64_t count = 0;
    int64_t first = 0, last = 0;
    std::string points;
    bool cut = false;
  };

  void flush(JsonScope& list) {
    const Entry entry = std::exchange(entry_, {});
    if (entry.count == 0) return;
    JsonScope item(list.item(), '{', '}');
    item.text("hypertable", entry.table->name);
    item.text("op", entry.removes ? "remove" : "write");
    item.number("count", entry.count);
    append_time(item.member("first"), entry.first);
    append_time(item.member("last"), entry.last);
    item.member("points") += '[' + entry.points + ']';
    if (entry.cut) item.member("truncated") += "true";
  }

  Status tell_run(JsonScope& list, const SeriesRun& run) {
    BRAID_TRY(LongCall::check());
    const HypertableDefinition* table = table_of(run.hypertable);
    if (table == nullptr) return {};
    BRAID_ASSIGN(const std::string tags, tags_text(*table, run.series));
    std::vector<std::pair<std::string_view, const ColumnData*>> fields;
    for (const FieldDefinition& field : table->fields)
      for (size_t i = 0; i < run.fields.size(); ++i)
        if (run.fields[i] == field.id) fields.emplace_back(field.name, &run.columns[i]);
    for (size_t row = 0; row < run.times.size(); ++row) {
      const bool removes = !run.deleted.empty() && run.deleted[row] != 0;
      if (entry_.table != table || entry_.removes != removes) flush(list);
      const int64_t time = run.times[row];
      if (entry_.count++ == 0) {
        entry_.table = table;
        entry_.removes = removes;
        entry_.first = entry_.last = time;
      }
      entry_.first = std::min(entry_.first, time);
      entry_.last = std::max(entry_.last, time);
      entry_.cut = entry_.cut || !room_.has(json_.size() + entry_.points.size());
      if (entry_.cut) continue;
      if (!entry_.points.empty()) entry_.points += ',';
      JsonScope point(entry_.points, '{', '}');
      append_time(point.member(table->time_column), time);
      if (!tags.empty()) point.item() += tags;
      if (removes) continue;
      for (const auto& [name, column] : fields) append_json_field(point.member(name), *column, row);
    }
    return {};
  }

  const CommitChanges& changes_;
  const Catalog& catalog_;
  Room& room_;
  std::string json_;
  Entry entry_;
};

}  // namespace

Result<std::string> change_line(const CommitChanges& changes, const Catalog& catalog, ChangeModels models, size_t bytes_max) {
  CommitRecord record;
  if (!changes.record.empty()) {
    BRAID_ASSIGN(record, decode_commit_record(changes.record));
  }
  Room room(bytes_max);
  std::string lists;
  const auto add = [&](std::string_view name, const std::string& list) {
    if (list == "[]") return;
    lists.append(",\"").append(name).append("\":").append(list);
    room.take(list.size());
  };
  if (models.rows) add("rows", rows_text(changes.rows, room));
  if (models.graph) {
    BRAID_ASSIGN(const std::string graph, GraphText(catalog, room).text(record.graph));
    add("graph", graph);
  }
  if (models.series) {
    BRAID_ASSIGN(const std::string series, SeriesText(changes, catalog, room).text(record.series));
    add("series", series);
  }
  if (lists.empty() && !room.is_cut()) return std::string();
  std::string line = "{\"lsn\":" + std::to_string(changes.lsn.value()) + ",\"time\":";
  append_json_text(line, format_time(changes.time));
  line.append(",\"durability\":\"").append(changes.relaxed ? "relaxed" : "full").append("\"").append(lists);
  if (room.is_cut()) line += ",\"truncated\":true";
  line += '}';
  return line;
}

std::string start_line(Lsn start) { return "{\"start\":" + std::to_string(start.value()) + '}'; }

std::string gap_line(CommitFeed::Gap gap) {
  return "{\"gap\":{\"from\":" + std::to_string(gap.first.value()) + ",\"to\":" + std::to_string(gap.last.value()) + "}}";
}

}  // namespace braid
