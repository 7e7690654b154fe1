#include "cli/export_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <list>
#include <nlohmann/json.hpp>

#include "cli/csv_writer.h"
#include "cli/dump_parts.h"
#include "cli/import_column.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/sql_text.h"

namespace braid::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFinishFile = "graph_end.sql";
/// A label for nodes that have none, while they are imported.
constexpr const char* kNoLabel = "export_without_label";

/// What a column of the file holds of a property.
struct Column {
  std::string name;
  std::string type;  ///< as in --type; JSON when values differ in type
};

std::string type_of(const Json& value) {
  if (value.is_boolean()) return "BOOLEAN";
  if (value.is_number_integer()) return "INTEGER";
  if (value.is_number_float()) return "DOUBLE";
  return value.is_string() ? "TEXT" : "JSON";
}

/// The columns of what has been seen so far.
class Columns {
 public:
  void see(const Json& properties) {
    for (const auto& [name, value] : properties.items()) {
      const auto found = std::find_if(columns_.begin(), columns_.end(), [&name = name](const Column& column) { return column.name == name; });
      if (found == columns_.end()) columns_.push_back({name, type_of(value)});
      else if (found->type != type_of(value)) found->type = "JSON";
    }
  }
  const std::vector<Column>& all() const { return columns_; }
  /// Why an import refuses these columns, which it tells apart without regard to case; "": it takes them.
  std::string refusal() const {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].name.empty()) return "a property without a name";
      const auto same = [&](const Column& other) { return same_name(other.name, columns_[i].name); };
      const auto found = std::find_if(columns_.begin(), columns_.begin() + static_cast<ptrdiff_t>(i), same);
      if (found != columns_.begin() + static_cast<ptrdiff_t>(i)) return fmt::format("properties of one name, \"{}\" and \"{}\"", found->name, columns_[i].name);
    }
    return "";
  }
  /// A name for a column beside them.
  std::string free_name(std::string name) const {
    const auto taken = [&](const Column& column) { return same_name(column.name, name); };
    while (std::any_of(columns_.begin(), columns_.end(), taken)) name += '_';
    return name;
  }

 private:
  std::vector<Column> columns_;
};

std::string field_text(const Json& value, const std::string& type) {
  if (type == "JSON") return value.dump();
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Cells of a row; a property that is not there is NULL.
class Row {
 public:
  explicit Row(size_t size) : texts_(size), cells_(size) {}
  void set(size_t index, std::string text) {
    texts_[index] = std::move(text);
    cells_[index] = Cell::of(std::string_view(texts_[index]));
  }
  void clear(size_t index) { cells_[index] = {}; }
  std::span<const Cell> cells() const { return cells_; }

 private:
  std::vector<std::string> texts_;
  std::vector<Cell> cells_;
};

void set_properties(const Json& properties, const std::vector<Column>& columns, size_t first, Row* row) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto found = properties.find(columns[i].name);
    if (found == properties.end()) row->clear(first + i);
    else row->set(first + i, field_text(*found, columns[i].type));
  }
}

void add_types(const std::vector<Column>& columns, std::vector<std::string>* words) {
  for (const Column& column : columns) {
    words->emplace_back("--type");
    words->push_back(column.name + "=" + column.type);
  }
}

class GraphExport {
 public:
  GraphExport(const Session& session, bool rows, ExportScript* script) : session_(session), rows_(rows), script_(script) {}

  Done run() {
    CLI_TRY(read_bindings());
    CLI_TRY(export_nodes());
    CLI_TRY(export_edges());
    return write_finish();
  }

 private:
  /// Nodes whose first label is the same, and how one of them is found.
  struct Group {
    std::string label;  ///< "" for none
    std::string key;
    bool keyed = true;  ///< by a property of theirs
    bool bound = false;
  };

  using Visit = std::function<Done(braid_statement* row)>;

  /// Calls `visit` for each row until it fails.
  Done each(std::string_view sql, std::span<const std::string_view> texts, const Visit& visit) const {
    Done failed;
    CLI_TRY(session_.query(sql, texts, [&](braid_statement* row) {
      if (!failed.has_value() && interrupt_requested()) failed = interrupted();
      if (!failed.has_value()) failed = visit(row);
    }));
    return failed;
  }

  static Outcome<Json> read_json(std::string_view text) {
    Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (json.is_discarded()) return Failure{"the graph holds properties that are no JSON; braid check tells more"};
    return json;
  }

  Done read_bindings() {
    if (!rows_) return std::nullopt;
    return session_.query("SELECT label, key_column FROM graph_bindings", {}, [this](braid_statement* row) {
      groups_.push_back({.label = std::string(column_text(row, 0)), .key = std::string(column_text(row, 1)), .bound = true});
    });
  }

  const Group* group_of(const Json& labels) const {
    const auto has = [&](const std::string& label) { return label.empty() ? labels.empty() : std::find(labels.begin(), labels.end(), label) != labels.end(); };
    const auto bound = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) { return group.bound && has(group.label); });
    if (bound != groups_.end()) return &*bound;
    const std::string first = labels.empty() ? "" : labels[0].get<std::string>();
    const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) { return !group.bound && group.label == first; });
    return found == groups_.end() ? nullptr : &*found;
  }

  Done export_nodes() {
    Outcome<std::vector<std::string>> labels = texts_of(session_, "SELECT DISTINCT coalesce(json_extract(labels, '$[0]'), '') FROM graph_nodes");
    if (!labels.ok()) return labels.failure();
    for (const std::string& label : *labels) {
      Group group{.label = label};
      CLI_TRY(choose_key(&group));
      groups_.push_back(group);
    }
    for (const Group& group : groups_) {
      if (group.bound) continue;
      CLI_TRY(export_group(group));
    }
    return export_labels();
  }

  /// A property that a unique index has for every node of the group, all numbers or all texts: "7" and 7 are one key in a file.
  Done choose_key(Group* group) {
    group->keyed = false;
    group->key = kExportKey;
    const std::array<std::string_view, 1> texts = {group->label};
    return session_.query(
        "SELECT i.property FROM graph_indexes AS i WHERE i.kind = 'node' AND i.name = ?1 AND i.is_unique AND NOT i.is_bound AND instr(i.property, '.') = 0 AND instr(i.property, '=') = 0 "
        "AND NOT EXISTS(SELECT 1 FROM graph_nodes AS n WHERE json_extract(n.labels, '$[0]') = ?1 "
        "AND NOT EXISTS(SELECT 1 FROM json_each(n.properties) AS p WHERE p.key = i.property AND p.type IN ('integer', 'text'))) "
        "AND (SELECT count(DISTINCT p.type) FROM graph_nodes AS n, json_each(n.properties) AS p WHERE json_extract(n.labels, '$[0]') = ?1 AND p.key = i.property) = 1 "
        "LIMIT 1",
        texts, [group](braid_statement* row) {
          group->keyed = true;
          group->key = column_text(row, 0);
        });
  }

  /// Nodes of a group, by id; of each its id, labels and properties.
  Done each_node(const Group& group, const std::function<Done(int64_t id, const Json& labels, const Json& properties)>& visit) const {
    const std::array<std::string_view, 1> texts = {group.label};
    return each("SELECT id, labels, properties FROM graph_nodes WHERE coalesce(json_extract(labels, '$[0]'), '') = ?1 ORDER BY id", texts,
                [&](braid_statement* row) -> Done {
                  Outcome<Json> labels = read_json(column_text(row, 1));
                  if (!labels.ok()) return labels.failure();
                  Outcome<Json> properties = read_json(column_text(row, 2));
                  if (!properties.ok()) return properties.failure();
                  // Those of bound tables come with their rows.
                  const Group* owner = group_of(*labels);
                  if (owner != nullptr && owner->bound) return std::nullopt;
                  return visit(braid_column_int64(row, 0), *labels, *properties);
                });
  }

  void tell_of_columns(const Columns& columns, const std::string& file) const {
    if (const std::string refusal = columns.refusal(); !refusal.empty())
      script_->warn(fmt::format("{}: an import refuses {}; --format sql keeps them", file, refusal));
  }
  /// A label and a key as `.import` reads them, LABEL.KEY=COLUMN.
  void tell_of_end(const Group& group, const std::string& file) const {
    if (import_label(group).find('=') == std::string::npos && group.key.find_first_of(".=") == std::string::npos) return;
    script_->warn(fmt::format("{}: an import cannot be told of {} nodes by {}: '=' and, in a key, '.' have a meaning there; --format sql keeps the edges", file,
                              import_label(group), group.key));
  }

  static std::string import_label(const Group& group) { return group.label.empty() ? kNoLabel : group.label; }

  Done export_group(const Group& group) {
    Columns columns;
    int64_t nodes = 0;
    CLI_TRY(each_node(group, [&](int64_t, const Json&, const Json& properties) -> Done {
      columns.see(properties);
      ++nodes;
      return std::nullopt;
    }));
    if (nodes == 0) return std::nullopt;
    Outcome<std::string> name = script_->csv_name("nodes", {import_label(group)});
    if (!name.ok()) return name.failure();
    auto file = OutputFile::open(script_->place(*name));
    if (!file.ok()) return file.failure();
    CsvWriter writer((*file)->stream());
    const size_t first = group.keyed ? 0 : 1;
    std::vector<std::string> names;
    if (!group.keyed) names.push_back(group.key);
    for (const Column& column : columns.all()) names.push_back(column.name);
    writer.begin(names);
    Row row(names.size());
    CLI_TRY(each_node(group, [&](int64_t id, const Json& labels, const Json& properties) -> Done {
      if (!group.keyed) row.set(0, std::to_string(id));
      set_properties(properties, columns.all(), first, &row);
      writer.row(row.cells());
      progress_.show({.what = "exporting", .rows = ++done_});
      if (labels.size() == 1) return std::nullopt;
      const std::string key = group.keyed ? sql_of(properties[group.key]) : std::to_string(id);
      further_labels_.push_back(fmt::format("UPDATE graph_nodes SET labels = {} WHERE id = graph_node({}, {}, {})", sql_string(labels.dump()),
                                            sql_string(import_label(group)), sql_string(group.key), key));
      return std::nullopt;
    }));
    CLI_TRY((*file)->finish());
    tell_of_columns(columns, *name);
    std::vector<std::string> words = {".import", *name, "--nodes", import_label(group), "--key", group.key};
    add_types(columns.all(), &words);
    if (!group.keyed) {
      words.insert(words.end(), {"--type", fmt::format("{}=INTEGER", group.key)});
      key_removals_.push_back(group);
    }
    script_->line(words);
    return std::nullopt;
  }

  static std::string sql_of(const Json& value) { return value.is_string() ? sql_string(value.get<std::string>()) : value.dump(); }

  /// What bound nodes have beside their rows.
  Done export_labels() {
    for (const Group& group : groups_) {
      if (!group.bound) continue;
      const std::array<std::string_view, 1> texts = {group.label};
      CLI_TRY(each("SELECT n.labels, n.properties FROM graph_nodes AS n WHERE n.label = ?1 AND (json_array_length(n.labels) > 1 OR EXISTS(SELECT 1 FROM "
                   "json_each(n.properties) WHERE key NOT IN (SELECT name FROM pragma_table_xinfo((SELECT table_name FROM graph_bindings WHERE label = ?1)))))",
                   texts, [&](braid_statement* row) -> Done {
                     Outcome<Json> properties = read_json(column_text(row, 1));
                     if (!properties.ok()) return properties.failure();
                     further_labels_.push_back(fmt::format("UPDATE graph_nodes SET labels = {}, properties = {} WHERE id = graph_node({}, {}, {})",
                                                           sql_string(column_text(row, 0)), sql_string(column_text(row, 1)), sql_string(group.label),
                                                           sql_string(group.key), sql_of((*properties)[group.key])));
                     return std::nullopt;
                   }));
    }
    return std::nullopt;
  }

  /// An end of an edge as it is found at import.
  struct End {
    const Group* group = nullptr;
    std::string key;
  };

  Outcome<End> end_of(int64_t id, std::string_view labels_text, std::string_view properties_text) const {
    Outcome<Json> labels = read_json(labels_text);
    if (!labels.ok()) return labels.failure();
    End end{.group = group_of(*labels)};
    if (end.group == nullptr) return Failure{fmt::format("node {} has labels that no other node has: the graph has changed", id)};
    if (!end.group->keyed && !end.group->bound) {
      end.key = std::to_string(id);
      return end;
    }
    Outcome<Json> properties = read_json(properties_text);
    if (!properties.ok()) return properties.failure();
    end.key = field_text((*properties)[end.group->key], "");
    return end;
  }

  /// A file of edges that lie between nodes of two groups.
  struct EdgeFile {
    std::string type;
    const Group* from = nullptr;
    const Group* to = nullptr;
    Columns columns;
    std::string from_column;
    std::string to_column;
    std::unique_ptr<OutputFile> file;
    std::unique_ptr<CsvWriter> writer;
    std::unique_ptr<Row> row;
    std::string name;
  };

  using VisitEdge = std::function<Done(const std::string& type, const End& from, const End& to, const Json& properties)>;
  Done each_edge(const VisitEdge& visit) const {
    return each("SELECT e.type, s.id, s.labels, s.properties, d.id, d.labels, d.properties, e.properties FROM graph_edges AS e "
                "CROSS JOIN graph_nodes AS s ON s.id = e.src CROSS JOIN graph_nodes AS d ON d.id = e.dst ORDER BY e.id",
                {}, [&](braid_statement* row) -> Done {
                  Outcome<End> from = end_of(braid_column_int64(row, 1), column_text(row, 2), column_text(row, 3));
                  if (!from.ok()) return from.failure();
                  Outcome<End> to = end_of(braid_column_int64(row, 4), column_text(row, 5), column_text(row, 6));
                  if (!to.ok()) return to.failure();
                  Outcome<Json> properties = read_json(column_text(row, 7));
                  if (!properties.ok()) return properties.failure();
                  return visit(std::string(column_text(row, 0)), *from, *to, *properties);
                });
  }

  EdgeFile* edge_file(const std::string& type, const End& from, const End& to) {
    for (EdgeFile& file : files_) {
      if (file.type == type && file.from == from.group && file.to == to.group) return &file;
    }
    EdgeFile& file = files_.emplace_back();
    file.type = type;
    file.from = from.group;
    file.to = to.group;
    return &file;
  }

  Done open(EdgeFile* edges) {
    const auto same_type = [&](const EdgeFile& other) { return other.type == edges->type; };
    const bool alone = std::count_if(files_.begin(), files_.end(), same_type) == 1;
    std::vector<std::string> names_of_file = {edges->type};
    if (!alone) names_of_file.insert(names_of_file.end(), {import_label(*edges->from), import_label(*edges->to)});
    Outcome<std::string> name = script_->csv_name("edges", names_of_file);
    if (!name.ok()) return name.failure();
    edges->name = *name;
    auto file = OutputFile::open(script_->place(edges->name));
    if (!file.ok()) return file.failure();
    edges->file = file.take();
    edges->from_column = edges->columns.free_name("source");
    edges->to_column = edges->columns.free_name("target");
    std::vector<std::string> names = {edges->from_column, edges->to_column};
    for (const Column& column : edges->columns.all()) names.push_back(column.name);
    edges->writer = std::make_unique<CsvWriter>(edges->file->stream());
    edges->writer->begin(names);
    edges->row = std::make_unique<Row>(names.size());
    return std::nullopt;
  }

  Done export_edges() {
    CLI_TRY(each_edge([this](const std::string& type, const End& from, const End& to, const Json& properties) -> Done {
      edge_file(type, from, to)->columns.see(properties);
      return std::nullopt;
    }));
    for (EdgeFile& file : files_) CLI_TRY(open(&file));
    CLI_TRY(each_edge([this](const std::string& type, const End& from, const End& to, const Json& properties) -> Done {
      EdgeFile* file = edge_file(type, from, to);
      file->row->set(0, from.key);
      file->row->set(1, to.key);
      set_properties(properties, file->columns.all(), 2, file->row.get());
      file->writer->row(file->row->cells());
      progress_.show({.what = "exporting", .rows = ++done_});
      return std::nullopt;
    }));
    for (const EdgeFile& file : files_) {
      CLI_TRY(file.file->finish());
      tell_of_columns(file.columns, file.name);
      tell_of_end(*file.from, file.name);
      if (file.to != file.from) tell_of_end(*file.to, file.name);
      std::vector<std::string> words = {".import", file.name, "--edges", file.type};
      words.insert(words.end(), {"--from", fmt::format("{}.{}={}", import_label(*file.from), file.from->key, file.from_column)});
      words.insert(words.end(), {"--to", fmt::format("{}.{}={}", import_label(*file.to), file.to->key, file.to_column)});
      add_types(file.columns.all(), &words);
      script_->line(words);
    }
    return std::nullopt;
  }

  /// What stands in no CSV file: further labels; and the keys that were only for the import.
  Done write_finish() const {
    if (further_labels_.empty() && key_removals_.empty()) return std::nullopt;
    auto file = OutputFile::open(script_->place(kFinishFile));
    if (!file.ok()) return file.failure();
    (*file)->write("CREATE TEMP TABLE export_call(answer);\nBEGIN;\n");
    for (const std::string& sql : further_labels_) (*file)->write(sql + ";\n");
    for (const Group& group : key_removals_) {
      (*file)->write(fmt::format("UPDATE graph_nodes SET properties = json_remove(properties, '$.{0}') WHERE json_type(properties, '$.{0}') IS NOT NULL;\n", kExportKey));
      (*file)->write(fmt::format("INSERT INTO temp.export_call SELECT graph_drop_index({}, '{}');\n", sql_string(import_label(group)), kExportKey));
    }
    (*file)->write("COMMIT;\nDROP TABLE temp.export_call;\n");
    CLI_TRY((*file)->finish());
    script_->line({".read", kFinishFile});
    return std::nullopt;
  }

  const Session& session_;
  const bool rows_;
  ExportScript* const script_;
  std::vector<Group> groups_;
  std::vector<Group> key_removals_;
  std::vector<std::string> further_labels_;
  std::list<EdgeFile> files_;
  Progress progress_;
  int64_t done_ = 0;
};

}  // namespace

Done export_graph(const Session& session, bool rows, ExportScript* script) { return GraphExport(session, rows, script).run(); }

}  // namespace braid::cli
