#include "cli/graphml_import.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "cli/graphml_reader.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/node_target.h"
#include "cli/progress.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

using nlohmann::json;

/// The value of a property as JSON; "" when the object has none.
std::string property_json(const std::string& properties, const std::string& name) {
  const json parsed = json::parse(properties, nullptr, false);
  const auto found = parsed.find(name);
  if (found == parsed.end() || found->is_null()) return "";
  return found->dump(-1, ' ', false, json::error_handler_t::replace);
}

class GraphmlImport {
 public:
  GraphmlImport(const Session& session, const ImportArguments& arguments, InputFile& file)
      : session_(session), arguments_(arguments), file_(file) {}

  Done load() {
    GraphmlReader reader(file_);
    CLI_TRY(reader.read([this](const GraphmlItem& item) { return add(item); }));
    if (interrupt_requested()) return interrupted();
    for (const GraphmlItem& edge : waiting_) {
      Done done = add_edge(edge);
      if (done.has_value()) return at_line(edge.line, *done);
    }
    progress_.clear();
    return std::nullopt;
  }
  void release() { find_edge_.reset(); }

  std::string summary(double seconds) const {
    return fmt::format(
        "imported {} nodes ({} of them new) and {} edges ({} of them new) of {} in {:.2f} s",
        grouped(nodes_), grouped(nodes_ - nodes_updated_), grouped(edges_),
        grouped(edges_ - edges_updated_), file_.name(), seconds);
  }

 private:

  Done add(const GraphmlItem& item) {
    if ((nodes_ + edges_) % 256 == 0) {
      if (interrupt_requested()) return interrupted();
      progress_.show({"importing", nodes_ + edges_, file_.position_bytes(), file_.size_bytes()});
    }
    if (!item.edge) return add_node(item);
    // An end may come later in the file.
    if (ids_.contains(item.source) && ids_.contains(item.target)) return add_edge(item);
    waiting_.push_back(item);
    return std::nullopt;
  }

  Done add_node(const GraphmlItem& item) {
    std::vector<std::string> labels = item.labels;
    if (labels.empty() && !arguments_.label.empty()) labels.push_back(arguments_.label);
    int64_t node = 0;
    if (!arguments_.key.empty()) CLI_TRY(find_node(item, labels, &node));
    if (node != 0) {
      ++nodes_updated_;
      CLI_TRY(session_.check(
          braid_node_update(session_.connection(), node, nullptr, item.properties.c_str())));
    } else {
      CLI_TRY(session_.check(braid_node_create(session_.connection(), json(labels).dump().c_str(),
                                               item.properties.c_str(), &node)));
    }
    ++nodes_;
    if (ids_.emplace(item.id, node).second) return std::nullopt;
    return Failure{fmt::format("a second node has the id '{}'", item.id)};
  }

  // Nodes are told apart by the key within their first label.
  Done find_node(const GraphmlItem& item, const std::vector<std::string>& labels, int64_t* node) {
    if (labels.empty())
      return Failure{fmt::format("node '{}' has no label to find it by {}; give --label LABEL",
                                 item.id, arguments_.key)};
    CLI_TRY(make_index(labels.front()));
    const std::string value = property_json(item.properties, arguments_.key);
    if (value.empty())
      return Failure{fmt::format("node '{}' has no property {} (--key)", item.id, arguments_.key)};
    return session_.check(braid_node_find(session_.connection(), labels.front().c_str(),
                                          arguments_.key.c_str(), value.c_str(), node));
  }

  Done make_index(const std::string& label) {
    if (!indexed_.insert(label).second) return std::nullopt;
    Outcome<bool> has = has_node_index(session_, label, arguments_.key);
    if (!has.ok()) return has.failure();
    if (*has) return std::nullopt;
    const std::array<std::string_view, 2> texts = {label, arguments_.key};
    return session_.run("SELECT graph_create_index(?1, ?2, 1)", texts);
  }

  Outcome<int64_t> end_of(const char* side, const std::string& id) const {
    const auto found = ids_.find(id);
    if (found != ids_.end()) return found->second;
    return Failure{
        fmt::format("an edge's {} is '{}', and no node of the file has that id", side, id)};
  }

  Done add_edge(const GraphmlItem& item) {
    Outcome<int64_t> source = end_of("source", item.source);
    if (!source.ok()) return source.failure();
    Outcome<int64_t> target = end_of("target", item.target);
    if (!target.ok()) return target.failure();
    const std::string& type = item.type.empty() ? arguments_.edge_type : item.type;
    int64_t edge = 0;
    ++edges_;
    if (!arguments_.edge_key.empty()) CLI_TRY(find_edge(item, *source, type, *target, &edge));
    if (edge == 0) {
      return session_.check(braid_edge_create(session_.connection(), *source, type.c_str(), *target,
                                              item.properties.c_str(), &edge));
    }
    ++edges_updated_;
    return session_.check(braid_edge_update(session_.connection(), edge, item.properties.c_str()));
  }

  Done find_edge(const GraphmlItem& item, int64_t source, const std::string& type, int64_t target,
                 int64_t* edge) {
    const std::string value = property_json(item.properties, arguments_.edge_key);
    if (value.empty())
      return Failure{fmt::format("the edge has no property {} (--edge-key)", arguments_.edge_key)};
    std::string path = "$.";
    append_json_string(&path, arguments_.edge_key);
    if (find_edge_ == nullptr) {
      Outcome<PreparedStatement> prepared = session_.prepare(
          "SELECT min(id) FROM graph_edges WHERE src = ?1 AND dst = ?2 AND type = ?3 AND "
          "json_extract(properties, ?4) = json_extract(?5, '$')");
      if (!prepared.ok()) return prepared.failure();
      find_edge_ = std::move(prepared->handle);
    }
    braid_statement* find = find_edge_.get();
    const auto bind = [&](int32_t index, const std::string& text) {
      return session_.check(
          braid_bind_text(find, index, text.data(), static_cast<int64_t>(text.size())));
    };
    CLI_TRY(session_.check(braid_bind_int64(find, 1, source)));
    CLI_TRY(session_.check(braid_bind_int64(find, 2, target)));
    CLI_TRY(bind(3, type));
    CLI_TRY(bind(4, path));
    CLI_TRY(bind(5, value));
    const int32_t code = braid_statement_step(find);
    if (code != BRAID_ROW) return session_.failure(code);
    *edge = braid_column_int64(find, 0);
    return session_.check(braid_statement_reset(find));
  }

  const Session& session_;
  const ImportArguments& arguments_;
  InputFile& file_;
  std::unordered_map<std::string, int64_t> ids_;  ///< nodes by their ids in the file
  std::vector<GraphmlItem> waiting_;              ///< edges that came before one of their ends
  std::set<std::string> indexed_;                 ///< labels whose key has an index
  StatementHandle find_edge_;
  int64_t nodes_ = 0;
  int64_t nodes_updated_ = 0;
  int64_t edges_ = 0;
  int64_t edges_updated_ = 0;
  Progress progress_;
};

}  // namespace

ImportEnd import_graphml(const Session& session, const ImportArguments& arguments,
                         InputFile* file) {
  const auto start = std::chrono::steady_clock::now();
  GraphmlImport import(session, arguments, *file);
  ImportEnd end = import_in_transaction(session, {.load = [&import] { return import.load(); },
                                                  .release = [&import] { import.release(); }});
  if (!end.done.has_value() && (arguments.verbose || is_terminal(STDERR_FILENO))) {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::fprintf(stderr, "%s\n", import.summary(seconds).c_str());
  }
  return end;
}

}  // namespace braid::cli
