// graph_nodes(id, labels, properties, label HIDDEN) and graph_edges(id, src, type, dst, properties): the graph as tables.
//
// Plans: by id; nodes by label (WHERE label = 'Device'); edges by src or dst, narrowed by type; else a scan in id order.
#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

constexpr size_t kScanRows = 256;  // fetched at a time
constexpr size_t kAllNeighbors = SIZE_MAX;

Status refuse_given_id(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return {};
  return Status(StatusCode::kConstraint, "ids of nodes and edges are assigned by Braid; leave id out, and keep your own key as a "
                                         "property under a unique index");
}

/// Chooses among equality constraints: the first row of `wanted` that can be used gets argument 1.
struct PlanRow {
  int column;
  int plan;
  double cost;
  double rows;
};

/// Whether rows are wanted in the order of their ids, column 0, and nothing else.
bool by_id(const sqlite3_index_info& info) {
  return info.nOrderBy == 1 && info.aOrderBy[0].desc == 0 && (info.aOrderBy[0].iColumn == 0 || info.aOrderBy[0].iColumn == -1);
}

int choose_plan(sqlite3_index_info& info, std::span<const PlanRow> wanted, double scan_rows) {
  info.idxNum = 0;
  // A scan is in that order already: sorting it would hold the whole graph.
  info.orderByConsumed = by_id(info) ? 1 : 0;
  info.estimatedCost = scan_rows * 2;
  info.estimatedRows = static_cast<sqlite3_int64>(scan_rows);
  for (const PlanRow& row : wanted) {
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      if (constraint.usable == 0 || constraint.iColumn != row.column || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      info.aConstraintUsage[i].argvIndex = 1;
      info.orderByConsumed = 0;
      info.idxNum = row.plan;
      info.estimatedCost = row.cost;
      info.estimatedRows = static_cast<sqlite3_int64>(row.rows);
      return SQLITE_OK;
    }
  }
  return SQLITE_OK;
}

// ---- Nodes -----------------------------------------------------------------------------------------------------------

enum NodeColumn { kNodeId, kLabels, kNodeProperties, kLabel };
enum NodePlan { kNodeScan, kNodeById, kNodeByLabel };
constexpr PlanRow kNodePlans[] = {{kNodeId, kNodeById, 1, 1}, {-1, kNodeById, 1, 1}, {kLabel, kNodeByLabel, 1e5, 1e4}};

class NodeCursor final : public VirtualCursor {
 public:
  explicit NodeCursor(Connection& connection) : connection_(connection) {}

  Status filter(int plan, const char*, std::span<sqlite3_value*> values) override {
    view_.emplace(connection_.graph());
    nodes_.clear();
    index_ = 0;
    plan_ = plan;
    after_ = NodeId(0);
    finished_ = false;
    if (plan == kNodeById) {
      finished_ = true;
      const auto id = id_of(values[0]);
      if (!id) return {};
      BRAID_ASSIGN(auto node, view_->node(NodeId(*id)));
      if (node) nodes_.push_back(std::move(*node));
      return {};
    }
    if (plan == kNodeByLabel) {
      const auto label = connection_.find_name(NameKind::kLabel, text_of(values[0]));
      if (!label) {
        finished_ = true;
        return {};
      }
      label_ = LabelId(*label);
    }
    return fetch();
  }

  Status next() override {
    if (++index_ < nodes_.size() || finished_) return {};
    return fetch();
  }
  bool at_end() const override { return index_ >= nodes_.size(); }
  int64_t rowid() const override { return static_cast<int64_t>(nodes_[index_].id.value()); }

  Status column(sqlite3_context* context, int column) override {
    const Node& node = nodes_[index_];
    switch (column) {
      case kNodeId: sqlite3_result_int64(context, static_cast<int64_t>(node.id.value())); break;
      case kLabels: result_text(context, labels_to_json(connection_, node.labels)); break;
      case kNodeProperties: {
        BRAID_ASSIGN(const std::string json, node_properties_json(connection_, node));
        result_text(context, json);
        break;
      }
      case kLabel:
        // What the plan asked for; without it the first label, so that `label` can be selected.
        if (plan_ == kNodeByLabel)
          result_text(context, connection_.name(NameKind::kLabel, label_.value()));
        else if (!node.labels.empty())
          result_text(context, connection_.name(NameKind::kLabel, node.labels.front().value()));
        break;
      default: break;
    }
    return {};
  }

 private:
  Status fetch() {
    nodes_.clear();
    index_ = 0;
    if (plan_ == kNodeScan) {
      BRAID_TRY(view_->scan_nodes(after_, kScanRows, nodes_));
      if (!nodes_.empty()) after_ = nodes_.back().id;
      return {};
    }
    std::vector<NodeId> ids;
    BRAID_TRY(view_->scan_label(label_, after_, kScanRows, ids));
    for (const NodeId id : ids) {
      BRAID_ASSIGN(auto node, view_->node(id));
      if (node) nodes_.push_back(std::move(*node));
      after_ = id;
    }
    return {};
  }

  Connection& connection_;
  std::optional<GraphView> view_;
  int plan_ = kNodeScan;
  LabelId label_;
  NodeId after_;
  bool finished_ = false;
  std::vector<Node> nodes_;
  size_t index_ = 0;
};

class NodeTable final : public VirtualTable {
 public:
  using VirtualTable::VirtualTable;
  int best_index(sqlite3_index_info& info) override { return choose_plan(info, kNodePlans, 1e6); }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<NodeCursor>(connection); }

  // values: old rowid, new rowid, id, labels, properties, label
  Status update(std::span<sqlite3_value*> values, sqlite3_int64& rowid) override {
    if (values.size() == 1)
      return delete_node(connection, NodeId(static_cast<uint64_t>(sqlite3_value_int64(values[0]))), DeleteRule::kRestrict);
    const auto labels = changed(values[2 + kLabels]);
    const auto properties = changed(values[2 + kNodeProperties]);
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) {
      BRAID_TRY(refuse_given_id(values[2 + kNodeId]));
      BRAID_TRY(refuse_given_id(values[1]));
      BRAID_ASSIGN(const NodeId id, create_node(connection, labels, properties));
      rowid = static_cast<sqlite3_int64>(id.value());
      return {};
    }
    if (sqlite3_value_int64(values[0]) != sqlite3_value_int64(values[2 + kNodeId]))
      return Status(StatusCode::kConstraint, "a node's id cannot be changed");
    return update_node(connection, NodeId(static_cast<uint64_t>(sqlite3_value_int64(values[0]))), labels, properties);
  }

 private:
  static std::optional<std::string_view> changed(sqlite3_value* value) {
    return sqlite3_value_nochange(value) != 0 ? std::nullopt : optional_text(value);
  }
};

// ---- Edges -----------------------------------------------------------------------------------------------------------

enum EdgeColumn { kEdgeId, kSource, kType, kTarget, kEdgeProperties };
enum EdgePlan { kEdgeScan, kEdgeById, kEdgeBySource, kEdgeByTarget };
constexpr PlanRow kEdgePlans[] = {{kEdgeId, kEdgeById, 1, 1},
                                  {-1, kEdgeById, 1, 1},
                                  {kSource, kEdgeBySource, 20, 10},
                                  {kTarget, kEdgeByTarget, 20, 10}};

class EdgeCursor final : public VirtualCursor {
 public:
  explicit EdgeCursor(Connection& connection) : connection_(connection) {}

  Status filter(int plan, const char*, std::span<sqlite3_value*> values) override {
    view_.emplace(connection_.graph());
    edges_.clear();
    neighbors_.clear();
    index_ = 0;
    after_ = EdgeId(0);
    plan_ = plan;
    if (plan == kEdgeScan) return fetch_scan();
    const auto id = id_of(values[0]);
    if (!id) return {};
    if (plan == kEdgeById) {
      BRAID_ASSIGN(auto edge, view_->edge(EdgeId(*id)));
      if (edge) edges_.push_back(std::move(*edge));
      return {};
    }
    node_ = NodeId(*id);
    return view_->neighbors(node_, plan == kEdgeBySource ? Direction::kOut : Direction::kIn, std::nullopt, kAllNeighbors,
                            neighbors_);
  }

  Status next() override {
    ++index_;
    if (plan_ != kEdgeScan || index_ < edges_.size()) return {};
    return fetch_scan();
  }
  bool at_end() const override { return index_ >= (by_neighbor() ? neighbors_.size() : edges_.size()); }
  int64_t rowid() const override {
    return static_cast<int64_t>(by_neighbor() ? neighbors_[index_].edge.value() : edges_[index_].id.value());
  }

  Status column(sqlite3_context* context, int column) override {
    if (column == kEdgeProperties) {
      if (!by_neighbor()) {
        result_text(context, edge_properties_json(connection_, edges_[index_]));
        return {};
      }
      BRAID_ASSIGN(const auto edge, view_->edge(neighbors_[index_].edge));
      if (edge) result_text(context, edge_properties_json(connection_, *edge));
      return {};
    }
    const Edge edge = by_neighbor() ? from_neighbor(neighbors_[index_]) : ends_of(edges_[index_]);
    switch (column) {
      case kEdgeId: sqlite3_result_int64(context, static_cast<int64_t>(edge.id.value())); break;
      case kSource: sqlite3_result_int64(context, static_cast<int64_t>(edge.source.value())); break;
      case kType: result_text(context, connection_.name(NameKind::kEdgeType, edge.type.value())); break;
      case kTarget: sqlite3_result_int64(context, static_cast<int64_t>(edge.target.value())); break;
      default: break;
    }
    return {};
  }

 private:
  bool by_neighbor() const { return plan_ == kEdgeBySource || plan_ == kEdgeByTarget; }
  static Edge ends_of(const Edge& edge) { return {edge.id, edge.source, edge.type, edge.target, {}}; }
  Edge from_neighbor(const Neighbor& neighbor) const {
    const bool out = plan_ == kEdgeBySource;
    return {neighbor.edge, out ? node_ : neighbor.node, neighbor.type, out ? neighbor.node : node_, {}};
  }
  Status fetch_scan() {
    edges_.clear();
    index_ = 0;
    BRAID_TRY(view_->scan_edges(after_, kScanRows, edges_));
    if (!edges_.empty()) after_ = edges_.back().id;
    return {};
  }

  Connection& connection_;
  std::optional<GraphView> view_;
  int plan_ = kEdgeScan;
  NodeId node_;
  EdgeId after_;
  std::vector<Edge> edges_;
  std::vector<Neighbor> neighbors_;
  size_t index_ = 0;
};

class EdgeTable final : public VirtualTable {
 public:
  using VirtualTable::VirtualTable;
  int best_index(sqlite3_index_info& info) override { return choose_plan(info, kEdgePlans, 1e7); }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<EdgeCursor>(connection); }

  // values: old rowid, new rowid, id, src, type, dst, properties
  Status update(std::span<sqlite3_value*> values, sqlite3_int64& rowid) override {
    const EdgeId old(static_cast<uint64_t>(sqlite3_value_int64(values[0])));
    if (values.size() == 1) return connection.graph_writer().delete_edge(old);
    const auto properties = optional_text(values[2 + kEdgeProperties]);
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) {
      BRAID_TRY(refuse_given_id(values[2 + kEdgeId]));
      BRAID_TRY(refuse_given_id(values[1]));
      BRAID_ASSIGN(const auto source, node_id_of(values[2 + kSource]));
      BRAID_ASSIGN(const auto target, node_id_of(values[2 + kTarget]));
      BRAID_ASSIGN(const EdgeId id, create_edge(connection, source, text_of(values[2 + kType]), target, properties));
      rowid = static_cast<sqlite3_int64>(id.value());
      return {};
    }
    BRAID_ASSIGN(const auto edge, connection.graph().edge(old));
    if (!edge) return Status(StatusCode::kNotFound, fmt::format("there is no edge {}", old.value()));
    const bool same_ends = id_of(values[2 + kSource]) == edge->source.value() && id_of(values[2 + kTarget]) == edge->target.value() &&
                           id_of(values[2 + kEdgeId]) == old.value() &&
                           text_of(values[2 + kType]) == connection.name(NameKind::kEdgeType, edge->type.value());
    if (!same_ends)
      return Status(StatusCode::kConstraint,
                    "an edge keeps its id, ends and type; delete it and insert another, or update its properties");
    return update_edge(connection, old, properties.value_or("{}"));
  }
};

template <typename Table>
TableFactory factory(const char* declaration) {
  return [declaration](Connection& connection, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
    BRAID_TRY(declare_table(connection, declaration));
    return std::unique_ptr<VirtualTable>(std::make_unique<Table>(connection));
  };
}

}  // namespace

Status register_graph_tables(Connection& connection) {
  BRAID_TRY(register_module(connection, "graph_nodes", ModuleKind::kEponymousWritable,
                            factory<NodeTable>("CREATE TABLE x(id INTEGER, labels TEXT, properties TEXT, label TEXT HIDDEN)")));
  return register_module(connection, "graph_edges", ModuleKind::kEponymousWritable,
                         factory<EdgeTable>("CREATE TABLE x(id INTEGER, src INTEGER, type TEXT, dst INTEGER, properties TEXT)"));
}

}  // namespace braid
