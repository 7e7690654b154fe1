#include "sql/node_numbers.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <unordered_map>

#include "graph/pace.h"
#include "sql/graph_access.h"
#include "sql/algorithm_access.h"

namespace braid {

namespace {

/// Rows that are read by their keys; where there are more, the whole table is read.
constexpr size_t kRowsByKeyMax = 1000;
/// Nodes are read one by one where the part has less than one in so many of them, else all in order.
constexpr size_t kNodesPerScan = 8;
constexpr size_t kScanBatch = 1024;

class NodeNumbers {
 public:
  NodeNumbers(Connection& connection, const Projection& projection, const HierarchyPart& part, std::string_view property,
              const AlgorithmContext& context)
      : connection_(connection), projection_(projection), part_(part), property_(property), pace_(context), numbers_(part.size()) {
    if (const auto key = connection.find_name(NameKind::kPropertyKey, property)) key_ = KeyId(*key);
  }

  Result<std::vector<Totals>> read() {
    BRAID_TRY(part_.size() < projection_.vertex_count() / kNodesPerScan ? read_each() : scan());
    bool can_have = key_.has_value() || part_.size() == 0;
    for (const auto& [label, table] : tables_) {
      can_have |= table.has_column;
      if (table.has_column) BRAID_TRY(table.nodes.size() <= kRowsByKeyMax ? read_rows_by_key(table) : read_table(table));
    }
    if (!can_have) return Status(StatusCode::kNotFound, fmt::format("no node has a property '{}'", property_));
    return std::move(numbers_);
  }

 private:
  /// A bound table and the nodes whose rows are asked for.
  struct Table {
    BindingDefinition binding;
    bool has_column = false;
    std::vector<std::pair<PropertyValue, size_t>> nodes = {};  // key and place
  };

  Status read_each() {
    const GraphView view = connection_.graph();
    for (size_t place = 0; place < part_.size(); ++place) {
      BRAID_TRY(pace_.step(1));
      BRAID_ASSIGN(const auto node, view.node(projection_.node(part_.vertices()[place])));
      if (node) BRAID_TRY(take(*node, place));
    }
    return {};
  }

  Status scan() {
    const GraphView view = connection_.graph();
    std::vector<Node> nodes;
    for (NodeId after;; after = nodes.back().id) {
      nodes.clear();
      BRAID_TRY(view.scan_nodes(after, kScanBatch, nodes));
      if (nodes.empty()) return {};
      BRAID_TRY(pace_.step(nodes.size()));
      for (const Node& node : nodes) {
        const auto vertex = projection_.vertex(node.id);
        const auto place = vertex ? part_.place(*vertex) : std::nullopt;
        if (place) BRAID_TRY(take(node, *place));
      }
    }
  }

  Status take(const Node& node, size_t place) {
    if (const BindingDefinition* binding = binding_of(connection_.catalog_state(), node.labels)) {
      BRAID_ASSIGN(Table * table, table_of(*binding));
      const PropertyValue* key = find_property(node.properties, binding->key);
      if (table->has_column) {
        if (key != nullptr) table->nodes.emplace_back(*key, place);
        return {};
      }
    }
    const PropertyValue* value = key_ ? find_property(node.properties, *key_) : nullptr;
    if (value == nullptr) return {};
    if (const auto* whole = std::get_if<int64_t>(&value->value)) return add(place, *whole);
    if (const auto* real = std::get_if<double>(&value->value)) return std::isnan(*real) ? Status() : add(place, *real);
    return no_number(place);
  }

  Result<Table*> table_of(const BindingDefinition& binding) {
    const auto [entry, added] = tables_.try_emplace(binding.label, Table{.binding = binding});
    if (!added) return &entry->second;
    BRAID_ASSIGN(const auto columns, sqlite_prepare(connection_.db(), fmt::format("SELECT * FROM main.{}", quote_identifier(binding.table))));
    for (int i = 0; i < sqlite3_column_count(columns.get()); ++i)
      entry->second.has_column |= property_ == sqlite3_column_name(columns.get(), i);
    return &entry->second;
  }

  Status read_rows_by_key(const Table& table) {
    // Compared twice: by the column's own collation, which its index has, and exactly, as the graph tells keys apart.
    BRAID_ASSIGN(auto row, sqlite_prepare(connection_.db(), fmt::format("SELECT {0} FROM main.{1} WHERE {2} = ?1 AND {2} = ?1 COLLATE BINARY LIMIT 1",
                                                                        quote_identifier(property_), quote_identifier(table.binding.table),
                                                                        quote_identifier(table.binding.key_column))));
    for (const auto& [key, place] : table.nodes) {
      BRAID_TRY(pace_.step(1));
      bind_key(row, key);
      BRAID_ASSIGN(const bool found, step_within(row, pace_.context()));
      if (found) BRAID_TRY(take_column(row, 0, place));
      row.reset();
    }
    return {};
  }

  Status read_table(const Table& table) {
    std::unordered_map<std::string, size_t> places;
    for (const auto& [key, place] : table.nodes) {
      BRAID_ASSIGN(std::string encoded, encode_index_value(key));
      places.emplace(std::move(encoded), place);
    }
    BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), fmt::format("SELECT {}, {} FROM main.{}", quote_identifier(table.binding.key_column),
                                                                         quote_identifier(property_), quote_identifier(table.binding.table))));
    for (;;) {
      BRAID_TRY(pace_.step(1));
      BRAID_ASSIGN(const bool more, step_within(rows, pace_.context()));
      if (!more) return {};
      BRAID_ASSIGN(const std::string encoded, encode_index_value(property_of(sqlite3_column_value(rows.get(), 0))));
      if (const auto found = places.find(encoded); found != places.end()) BRAID_TRY(take_column(rows, 1, found->second));
    }
  }

  Status take_column(const SqliteStatement& row, int column, size_t place) {
    switch (sqlite3_column_type(row.get(), column)) {
      case SQLITE_NULL: return {};
      case SQLITE_INTEGER: return add(place, int64_t{sqlite3_column_int64(row.get(), column)});
      case SQLITE_FLOAT: return add(place, sqlite3_column_double(row.get(), column));
      default: return no_number(place);
    }
  }

  Status add(size_t place, Number number) {
    numbers_[place].add(number);
    return {};
  }
  Status no_number(size_t place) const {
    return Status(StatusCode::kInvalidArgument, fmt::format("property '{}' of node {} is not a number", property_,
                                                            projection_.node(part_.vertices()[place]).value()));
  }

  Connection& connection_;
  const Projection& projection_;
  const HierarchyPart& part_;
  const std::string_view property_;
  std::optional<KeyId> key_;
  Pace pace_;
  std::vector<Totals> numbers_;
  std::map<LabelId, Table> tables_;
};

}  // namespace

Result<std::vector<Totals>> read_node_numbers(Connection& connection, const Projection& projection, const HierarchyPart& part,
                                              std::string_view property, const AlgorithmContext& context) {
  return NodeNumbers(connection, projection, part, property, context).read();
}

}  // namespace braid
