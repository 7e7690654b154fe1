#include "cli/graph_selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/node_reference.h"

namespace braid::cli {

namespace {

/// Whether the column `type` is one of the types in ?1, a JSON array or NULL for all.
constexpr std::string_view kTypeFits = "(?1 IS NULL OR type IN (SELECT value FROM json_each(?1)))";

std::string json_array(const std::vector<std::string>& texts) {
  if (texts.empty()) return "";
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    append_json_string(&json, text);
  }
  return json + ']';
}

void sort_ids(std::vector<int64_t>* ids) {
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
}

GraphNode node_of(braid_statement* row) {
  return {.id = braid_column_int64(row, 0),
          .labels = column_text(row, 1),
          .properties = column_text(row, 2)};
}

GraphEdge edge_of(braid_statement* row) {
  return {.id = braid_column_int64(row, 0),
          .source = braid_column_int64(row, 1),
          .target = braid_column_int64(row, 2),
          .type = column_text(row, 3),
          .properties = column_text(row, 4)};
}

Done each_row(const Session& session, braid_statement* statement,
              const std::function<Done(braid_statement*)>& visit) {
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) CLI_TRY(visit(statement));
  if (code != BRAID_DONE) return session.failure(code);
  return session.check(braid_statement_reset(statement));
}

int32_t bind_optional(braid_statement* statement, int32_t index, const std::string& text) {
  if (text.empty()) return braid_bind_null(statement, index);
  return braid_bind_text(statement, index, text.data(), static_cast<int64_t>(text.size()));
}

Done check_interrupt() {
  if (!interrupt_requested()) return std::nullopt;
  return interrupted();
}

}  // namespace

GraphSelection::GraphSelection(const Session& session, const GraphArguments& arguments,
                               std::optional<int64_t> nodes_max)
    : session_(&session),
      arguments_(&arguments),
      nodes_max_(nodes_max),
      types_(json_array(arguments.types)) {}

Outcome<GraphSelection> GraphSelection::choose(const Session& session,
                                               const GraphArguments& arguments,
                                               std::optional<int64_t> nodes_max) {
  GraphSelection chosen(session, arguments, nodes_max);
  Done done;
  switch (arguments.selection) {
    case GraphArguments::Selection::kAll:
      chosen.whole_ = true;
      break;
    case GraphArguments::Selection::kFrom:
      done = chosen.choose_from();
      break;
    case GraphArguments::Selection::kLabels:
      done = chosen.choose_labels();
      break;
    case GraphArguments::Selection::kQuery:
      done = chosen.choose_query();
      break;
  }
  if (done.has_value()) return *done;
  return chosen;
}

Done GraphSelection::check_count(size_t count) const {
  if (!nodes_max_.has_value() || static_cast<int64_t>(count) <= *nodes_max_) return std::nullopt;
  const char* advice = "choose fewer, or";
  if (arguments_->selection == GraphArguments::Selection::kFrom)
    advice = "ask for fewer --hops, a --type or one way --along, or";
  return Failure{fmt::format("there are more than {} nodes: {} give a larger --max-nodes{}",
                             *nodes_max_, advice,
                             arguments_->format == GraphArguments::Format::kSvg
                                 ? " (a picture takes up to 1000; --graphml, --dot and "
                                   "--json take any number)"
                                 : "")};
}

bool GraphSelection::has(int64_t node) const {
  return std::binary_search(nodes_.begin(), nodes_.end(), node);
}

// Breadth first, level by level.
Done GraphSelection::choose_from() {
  for (const std::string& name : arguments_->from) {
    Outcome<int64_t> start = find_named_node(*session_, name);
    if (!start.ok()) return start.failure();
    starts_.push_back(*start);
  }
  sort_ids(&starts_);
  nodes_ = starts_;
  CLI_TRY(check_count(nodes_.size()));
  Outcome<PreparedStatement> neighbors = session_->prepare(
      fmt::format("SELECT node FROM graph_neighbors(?2, ?3) WHERE {}", kTypeFits));
  if (!neighbors.ok()) return neighbors.failure();
  CLI_TRY(session_->check(bind_optional(neighbors->handle.get(), 1, types_)));
  CLI_TRY(session_->check(bind_optional(neighbors->handle.get(), 3, arguments_->along)));
  std::vector<int64_t> frontier = starts_;
  for (int64_t hop = 0; hop < arguments_->hops && !frontier.empty(); ++hop) {
    CLI_TRY(step_out(&frontier, neighbors->handle.get()));
  }
  return std::nullopt;
}

// Adds what is one step from the frontier, which becomes what was added.
Done GraphSelection::step_out(std::vector<int64_t>* frontier, braid_statement* neighbors) {
  std::vector<int64_t> found;
  for (const int64_t node : *frontier) {
    CLI_TRY(check_interrupt());
    CLI_TRY(session_->check(braid_bind_int64(neighbors, 2, node)));
    CLI_TRY(each_row(*session_, neighbors, [&](braid_statement* row) -> Done {
      const int64_t neighbor = braid_column_int64(row, 0);
      if (!has(neighbor)) found.push_back(neighbor);
      return std::nullopt;
    }));
    sort_ids(&found);
    CLI_TRY(check_count(nodes_.size() + found.size()));
  }
  nodes_.insert(nodes_.end(), found.begin(), found.end());
  std::sort(nodes_.begin(), nodes_.end());
  *frontier = std::move(found);
  return std::nullopt;
}

Done GraphSelection::choose_labels() {
  const std::string labels = json_array(arguments_->labels);
  Outcome<PreparedStatement> scan = session_->prepare(
      "SELECT id FROM graph_nodes WHERE EXISTS (SELECT 1 FROM json_each(labels) WHERE value IN "
      "(SELECT value FROM json_each(?1))) "
      "ORDER BY id");
  if (!scan.ok()) return scan.failure();
  CLI_TRY(session_->check(bind_optional(scan->handle.get(), 1, labels)));
  CLI_TRY(each_row(*session_, scan->handle.get(), [&](braid_statement* row) -> Done {
    nodes_.push_back(braid_column_int64(row, 0));
    return check_count(nodes_.size());
  }));
  if (nodes_.empty())
    return Failure{fmt::format("no node has the label {}", fmt::join(arguments_->labels, " or "))};
  return std::nullopt;
}

Done GraphSelection::choose_query() {
  Outcome<PreparedStatement> query = session_->prepare(arguments_->query);
  if (!query.ok()) return query.failure();
  braid_statement* statement = query->handle.get();
  if (statement == nullptr || braid_statement_writes(statement) != 0)
    return Failure{"--query: give one SELECT"};
  Outcome<PreparedStatement> more = session_->prepare(std::string_view(arguments_->query).substr(query->tail));
  if (!more.ok() || more->handle.get() != nullptr) return Failure{"--query: give one SELECT; there is more behind the first"};
  int node_column = -1, edge_column = -1;
  for (int column = 0; column < braid_column_count(statement); ++column) {
    const std::string_view name = braid_column_name(statement, column);
    if (name == "node") node_column = column;
    if (name == "edge") edge_column = column;
  }
  if (node_column < 0 && edge_column < 0) {
    return Failure{
        "--query: no column of the result is named node or edge; name one, as in SELECT id AS node "
        "FROM graph_nodes"};
  }
  auto take = [&](braid_statement* row, int column, std::vector<int64_t>* ids) -> Done {
    if (column < 0 || braid_column_type(row, column) == BRAID_TYPE_NULL) return std::nullopt;
    if (braid_column_type(row, column) != BRAID_TYPE_INT64) {
      return Failure{fmt::format("--query: '{}' in the column {} is no id",
                                 column_text(row, column), braid_column_name(row, column))};
    }
    ids->push_back(braid_column_int64(row, column));
    return std::nullopt;
  };
  CLI_TRY(each_row(*session_, statement, [&](braid_statement* row) -> Done {
    CLI_TRY(take(row, node_column, &nodes_));
    return take(row, edge_column, &edges_);
  }));
  edges_named_ = edge_column >= 0;
  sort_ids(&nodes_);
  sort_ids(&edges_);
  if (edges_named_) CLI_TRY(add_ends_of_edges());
  return check_count(nodes_.size());
}

Done GraphSelection::add_ends_of_edges() {
  std::vector<int64_t> ends;
  for (const int64_t edge : edges_) {
    int64_t source = 0, target = 0;
    CLI_TRY(session_->check(
        braid_edge_read(session_->connection(), edge, &source, nullptr, &target, nullptr)));
    ends.push_back(source);
    ends.push_back(target);
  }
  nodes_.insert(nodes_.end(), ends.begin(), ends.end());
  sort_ids(&nodes_);
  return std::nullopt;
}

// Runs the statement, whose last parameter is ?2, with each id.
Done GraphSelection::visit_each(std::string_view sql, const std::vector<int64_t>& ids,
                                const std::function<Done(braid_statement*)>& visit) const {
  Outcome<PreparedStatement> prepared = session_->prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  braid_statement* statement = prepared->handle.get();
  CLI_TRY(session_->check(bind_optional(statement, 1, types_)));
  for (const int64_t id : ids) {
    CLI_TRY(check_interrupt());
    CLI_TRY(session_->check(braid_bind_int64(statement, 2, id)));
    CLI_TRY(each_row(*session_, statement, visit));
  }
  return std::nullopt;
}

Done GraphSelection::visit_nodes(const std::function<Done(const GraphNode&)>& visit) const {
  size_t count = 0;
  const auto visit_row = [&](braid_statement* row) -> Done {
    CLI_TRY(check_count(++count));
    return visit(node_of(row));
  };
  if (whole_) {
    Outcome<PreparedStatement> scan =
        session_->prepare("SELECT id, labels, properties FROM graph_nodes ORDER BY id");
    if (!scan.ok()) return scan.failure();
    return each_row(*session_, scan->handle.get(), visit_row);
  }
  CLI_TRY(visit_each(
      "SELECT id, labels, properties FROM graph_nodes WHERE id = ?2 AND (?1 IS NULL OR 1)", nodes_,
      visit_row));
  if (count == nodes_.size()) return std::nullopt;
  return Failure{fmt::format("--query: {} of the {} nodes named do not exist",
                             nodes_.size() - count, nodes_.size())};
}

Done GraphSelection::visit_edges(const std::function<Done(const GraphEdge&)>& visit) const {
  const auto visit_row = [&](braid_statement* row) { return visit(edge_of(row)); };
  if (whole_) {
    Outcome<PreparedStatement> scan = session_->prepare(fmt::format(
        "SELECT id, src, dst, type, properties FROM graph_edges WHERE {} ORDER BY id", kTypeFits));
    if (!scan.ok()) return scan.failure();
    CLI_TRY(session_->check(bind_optional(scan->handle.get(), 1, types_)));
    return each_row(*session_, scan->handle.get(), visit_row);
  }
  if (edges_named_) {
    return visit_each(
        fmt::format("SELECT id, src, dst, type, properties FROM graph_edges WHERE id = ?2 AND {}",
                    kTypeFits),
        edges_, visit_row);
  }
  return visit_each(
      fmt::format("SELECT id, src, dst, type, properties FROM graph_edges WHERE src = ?2 AND {}",
                  kTypeFits),
      nodes_, [&](braid_statement* row) -> Done {
        const GraphEdge edge = edge_of(row);
        return has(edge.target) ? visit(edge) : std::nullopt;
      });
}

}  // namespace braid::cli
