// Random operations on a graph through the C API and SQL, each beside the same one on plain maps: what is refused, what is there
// afterwards, by every way of reading it, and what a projection says that is kept up to date by patches.
//
// BRAID_GRAPH_OPERATIONS: how many (60000). BRAID_SEED: the seed that the run prints.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <random>
#include <variant>

#include "tests/api/plain_graph.h"
#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int64_t kKeys = 400;        // values of properties
constexpr int64_t kRows = 150;        // keys of the rows of each table
constexpr size_t kNodesMax = 1200;    // past these, what would be created is deleted
constexpr size_t kEdgesMax = 6000;
constexpr uint64_t kOperationsPerRound = 50'000;
constexpr const char* kTypes[] = {"T", "U", "V"};
constexpr std::pair<uint8_t, const char*> kLabels[] = {
    {kLabelA, "A"}, {kLabelB, "B"}, {kLabelPump, "Pump"}, {kLabelValve, "Valve"}, {kLabelC, "C"}};
// In turn: defaults, and bounds so small that checkpoints and copies of the WAL happen all the time.
constexpr const char* kOptions[] = {"", "graph_buffer_bytes=1048576;wal_soft_bytes=262144;log_soft_bytes=65536"};

struct TableRow {
  const char* table;
  uint8_t label;
  PlainIndex index;
  bool detaches;
};
constexpr TableRow kTables[] = {{"pumps", kLabelPump, PlainIndex::kPump, false}, {"valves", kLabelValve, PlainIndex::kValve, true}};

// --- Texts of the model's values ---------------------------------------------------------------

std::string labels_text(uint8_t labels) {
  std::string text;
  for (const auto& [bit, name] : kLabels)
    if ((labels & bit) != 0) text += fmt::format("{}\"{}\"", text.empty() ? "" : ",", name);
  return "[" + text + "]";
}

/// A JSON object without what has no value.
template <typename... Members>
std::string object_text(const Members&... members) {
  std::string text;
  const auto add = [&text](const auto& member) {
    if (member.second) text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", member.first, *member.second);
  };
  (add(members), ...);
  return "{" + text + "}";
}

std::optional<std::string> quoted(const std::optional<int64_t>& letters) {
  if (!letters) return std::nullopt;
  return "\"" + std::string(static_cast<size_t>(*letters), 'p') + "\"";
}

std::string properties_text(const PlainNode& node) {
  if (!node.is_row()) return object_text(std::pair("k", node.key), std::pair("note", quoted(node.note)));
  return object_text(std::pair("id", std::optional(node.row)), std::pair("name", node.row_name), std::pair("k", node.key),
                     std::pair("note", quoted(node.note)));
}
std::string properties_text(const PlainEdge& edge) { return object_text(std::pair("k", edge.key), std::pair("w", edge.weight)); }

// --- The database under test -------------------------------------------------------------------

using PlainValue = std::variant<std::monostate, int64_t, std::string>;
template <typename T>
PlainValue value_of(const std::optional<T>& value) {
  return value ? PlainValue(*value) : PlainValue();
}

/// An open database with a connection, whose statements are prepared once.
class Session {
 public:
  Session(const std::string& path, const char* options) : database_(path, options), connection_(database_) {}
  ~Session() {
    for (const auto& [sql, statement] : statements_) braid_statement_close(statement);
  }

  TestDatabase& database() { return database_; }
  braid_connection* get() { return connection_.get(); }
  std::string error() { return database_.ok() ? connection_.error() : database_.message(); }

  /// Runs one statement; its rows, as whole numbers and texts in one list, go to `rows` if that is given.
  int32_t execute(const std::string& sql, std::initializer_list<PlainValue> values = {}, std::vector<std::vector<std::string>>* rows = nullptr) {
    braid_statement*& statement = statements_[sql];
    if (statement == nullptr)
      if (const int32_t code = braid_prepare(get(), sql.data(), static_cast<int64_t>(sql.size()), &statement, nullptr)) return code;
    int32_t index = 0;
    for (const PlainValue& value : values) bind(statement, ++index, value);
    int32_t code = braid_statement_step(statement);
    for (; code == BRAID_ROW; code = braid_statement_step(statement)) {
      if (rows == nullptr) continue;
      rows->emplace_back();
      for (int32_t i = 0; i < braid_column_count(statement); ++i) {
        const char* text = braid_column_text(statement, i, nullptr);
        rows->back().emplace_back(text == nullptr ? "" : text);
      }
    }
    braid_statement_reset(statement);
    return code == BRAID_DONE ? BRAID_OK : code;
  }

 private:
  static void bind(braid_statement* statement, int32_t index, const PlainValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value))
      braid_bind_int64(statement, index, *number);
    else if (const auto* text = std::get_if<std::string>(&value))
      braid_bind_text(statement, index, text->data(), static_cast<int64_t>(text->size()));
    else
      braid_bind_null(statement, index);
  }

  TestDatabase database_;
  TestConnection connection_;
  std::map<std::string, braid_statement*> statements_;
};

struct Totals {
  uint64_t operations = 0;
  uint64_t refused = 0;  ///< as the model refuses them
  uint64_t commits = 0;
  uint64_t rollbacks = 0;
  uint64_t undone_savepoints = 0;
  uint64_t checkpoints = 0;
  uint64_t reopened = 0;
  uint64_t comparisons = 0;  ///< of everything
  uint64_t projections = 0;
  uint64_t rounds = 0;
  std::map<std::string, uint64_t> by_kind;
};

// --- A round: one database from empty to its end -----------------------------------------------

class Round {
 public:
  Round(uint64_t seed, Totals& totals) : random_(seed), options_(kOptions[seed % 2]), totals_(totals) {}

  /// "" or what is wrong.
  std::string run(uint64_t operations) {
    open();
    set_up();
    const uint64_t limit = totals_.operations + operations;
    while (problem_.empty() && totals_.operations < limit) {
      transact();
      if (pick(span_ == Span::kAll ? 10 : 3) == 0) compare_projections();
      if (pick(60) == 0) compare_all();
      if (pick(40) == 0) read_old_snapshot();
      if (pick(60) == 0) checkpoint();
      if (pick(100) == 0) reopen();
    }
    compare_all();
    check();
    reopen();
    compare_all();
    check();
    ++totals_.rounds;
    return problem_;
  }

 private:
  // --- Means ---

  uint64_t pick(uint64_t limit) { return random_() % limit; }
  bool toss() { return pick(2) == 0; }
  int64_t number(int64_t limit) { return static_cast<int64_t>(pick(static_cast<uint64_t>(limit))); }
  std::optional<int64_t> maybe(int64_t limit) { return toss() ? std::optional(number(limit)) : std::nullopt; }

  void expect(bool good, const std::string& what) {
    if (good || !problem_.empty()) return;
    problem_ = fmt::format("operation {}, {}: {} (last error: {})", totals_.operations, kind_, what, session_->error());
  }
  /// Whether it was done, as it had to be or not.
  bool expect_code(int32_t code, int32_t wanted, const std::string& what) {
    if (code != BRAID_OK) ++totals_.refused;
    expect(code == wanted, fmt::format("{}: {} instead of {}", what, code, wanted));
    return code == BRAID_OK && wanted == BRAID_OK;
  }

  void open() {
    session_ = std::make_unique<Session>(directory_ / "db", options_);
    expect(session_->database().ok(), "open");
  }
  void set_up() {
    kind_ = "set up";
    for (const char* sql :
         {"CREATE TABLE pumps(id INTEGER PRIMARY KEY, name INTEGER)", "CREATE TABLE valves(id INTEGER PRIMARY KEY, name INTEGER)",
          "SELECT graph_create_index('A', 'k', 0)", "SELECT graph_create_index('B', 'k', 1)",
          "SELECT graph_bind('Pump', 'pumps', 'id', 'restrict')",
          "SELECT graph_bind('Valve', 'valves', 'id', 'detach')"})
      expect(session_->execute(sql) == BRAID_OK, sql);
    for (int i = 0; i < 3; ++i) insert_node({.labels = kLabelC, .note = 1});
    // Neighbours are ordered by type as types were first used: here.
    for (size_t type = 0; type < std::size(kTypes); ++type) insert_edge({1, type, 2, std::nullopt, 1});
    expect(session_->execute("SELECT graph_create_edge_index('U', 'k', 1)") == BRAID_OK, "index of edges");
    note_commit();
    define_projections();
  }
  void define_projections() {
    for (const char* sql : {"SELECT graph_project('all')", "SELECT graph_project('both', NULL, NULL, 'w', 'undirected')",
                            "SELECT graph_project('part', '[\"A\",\"B\"]', 'T', NULL, 'reverse')"})
      expect(session_->execute(sql) == BRAID_OK, sql);
  }
  void checkpoint() {
    kind_ = "checkpoint";
    expect(braid_checkpoint(session_->database().get()) == BRAID_OK, "checkpoint");
    ++totals_.checkpoints;
  }
  void reopen() {
    kind_ = "reopen";
    session_.reset();
    open();
    define_projections();
    ++totals_.reopened;
  }
  void check() {
    kind_ = "check";
    const std::string problems = session_->database().check();
    expect(problems.empty(), problems);
  }

  /// Mostly a few hubs, whose blocks fill and are split; now and then one that is not there.
  int64_t some_node() {
    const auto& nodes = model_.nodes();
    if (nodes.empty() || pick(25) == 0) return 1 + number(5000);
    if (pick(3) == 0) return std::next(nodes.begin(), static_cast<ptrdiff_t>(pick(std::min<size_t>(4, nodes.size()))))->first;
    return near(nodes);
  }
  int64_t some_edge() {
    if (model_.edges().empty() || pick(25) == 0) return 1 + number(50'000);
    return near(model_.edges());
  }
  /// The first at or after a random id.
  template <typename Map>
  int64_t near(const Map& map) {
    const int64_t first = map.begin()->first, last = map.rbegin()->first;
    return map.lower_bound(first + number(last - first + 1))->first;
  }
  uint8_t some_labels() {
    uint8_t labels = 0;
    for (const uint8_t label : {kLabelA, kLabelB, kLabelC})
      if (toss()) labels |= label;
    return labels;
  }
  PlainNode some_values(PlainNode node) {
    node.key = maybe(kKeys);
    node.note = pick(4) == 0 ? std::optional(number(60)) : std::nullopt;
    return node;
  }
  PlainEdge some_edge_values(PlainEdge edge) {
    edge.key = maybe(kKeys * 10);
    edge.weight = maybe(9);
    return edge;
  }

  // --- Transactions ---

  void transact() {
    // Several in a row, so that projections live long enough to be patched.
    if (pick(12) == 0) span_ = static_cast<Span>(pick(3));
    if (pick(10) == 0) {  // each operation a transaction of its own
      for (uint64_t i = 1 + pick(3); i > 0 && problem_.empty(); --i) {
        operate();
        note_commit();
      }
      return;
    }
    kind_ = "begin";
    expect((toss() ? braid_begin(session_->get(), BRAID_WRITE) : session_->execute("BEGIN IMMEDIATE")) == BRAID_OK, "begin");
    marks_.clear();
    for (uint64_t i = 1 + pick(pick(3) == 0 ? 10 : 300); i > 0 && problem_.empty(); --i) {
      if (pick(25) == 0) set_savepoint();
      if (pick(30) == 0) undo_savepoint();
      if (pick(60) == 0) release_savepoint();
      operate();
    }
    if (pick(25) == 0) compare_projections();
    kind_ = "end";
    if (pick(6) == 0) {
      expect((toss() ? braid_rollback(session_->get()) : session_->execute("ROLLBACK")) == BRAID_OK, "rollback");
      model_.undo_to(0);
      ++totals_.rollbacks;
      return;
    }
    expect((toss() ? braid_commit(session_->get()) : session_->execute("COMMIT")) == BRAID_OK, "commit");
    note_commit();
    ++totals_.commits;
  }
  void note_commit() {
    if (!model_.nodes().empty()) committed_node_ = std::max(committed_node_, model_.nodes().rbegin()->first);
    if (!model_.edges().empty()) committed_edge_ = std::max(committed_edge_, model_.edges().rbegin()->first);
    model_.commit();
  }
  static std::string savepoint_name(size_t number) { return fmt::format("s{}", number); }
  void set_savepoint() {
    kind_ = "savepoint";
    const std::string name = savepoint_name(marks_.size());
    expect((toss() ? braid_savepoint(session_->get(), name.c_str()) : session_->execute("SAVEPOINT " + name)) == BRAID_OK, name);
    marks_.push_back(model_.mark());
  }
  void undo_savepoint() {
    if (marks_.empty()) return;
    kind_ = "rollback to";
    const size_t to = pick(marks_.size());
    const std::string name = savepoint_name(to);
    expect((toss() ? braid_rollback_to(session_->get(), name.c_str()) : session_->execute("ROLLBACK TO " + name)) == BRAID_OK, name);
    model_.undo_to(marks_[to]);
    marks_.resize(to + 1);
    ++totals_.undone_savepoints;
  }
  void release_savepoint() {
    if (marks_.empty()) return;
    kind_ = "release";
    const size_t to = pick(marks_.size());
    const std::string name = savepoint_name(to);
    expect((toss() ? braid_release(session_->get(), name.c_str()) : session_->execute("RELEASE " + name)) == BRAID_OK, name);
    marks_.resize(to);
  }

  /// How much a transaction may change: the less, the more projections are patched and not built again.
  enum class Span : uint8_t { kEdges, kNewNodes, kAll };
  struct Kind {
    const char* name;
    uint64_t weight;
    Span span;
    void (Round::*run)();
  };
  void operate() {
    using enum Span;
    static constexpr Kind kKinds[] = {
        {"create edge", 28, kEdges, &Round::create_edge},      {"link", 4, kEdges, &Round::link},
        {"delete edge", 10, kEdges, &Round::delete_edge},      {"delete edges", 1, kEdges, &Round::delete_edges},
        {"read", 10, kEdges, &Round::read},                    {"create node", 10, kNewNodes, &Round::create_node},
        {"insert row", 4, kNewNodes, &Round::insert_row},      {"update row", 4, kNewNodes, &Round::update_row},
        {"insert nodes", 1, kNewNodes, &Round::insert_nodes},  {"update edge", 9, kNewNodes, &Round::update_edge},
        {"update edges", 1, kNewNodes, &Round::update_edges},  {"update node", 10, kAll, &Round::update_node},
        {"delete node", 3, kAll, &Round::delete_node},         {"replace row", 2, kAll, &Round::replace_row},
        {"delete row", 2, kAll, &Round::delete_row},           {"delete rows", 1, kAll, &Round::delete_rows},
    };
    static constexpr uint64_t kWeights = std::accumulate(std::begin(kKinds), std::end(kKinds), uint64_t{0},
                                                         [](uint64_t sum, const Kind& kind) { return sum + kind.weight; });
    const Kind* kind = nullptr;
    do {
      uint64_t at = pick(kWeights);
      for (kind = kKinds; at >= kind->weight; ++kind) at -= kind->weight;
    } while (kind->span > span_);
    kind_ = kind->name;
    ++totals_.operations;
    ++totals_.by_kind[kind->name];
    (this->*kind->run)();
  }

  // --- Nodes ---

  /// An id of what was undone may come again; one that was committed may not, not even when it is gone.
  void add_node(int64_t id, const PlainNode& node) {
    expect(id > committed_node_ && !model_.nodes().contains(id), fmt::format("node {} was there before", id));
    model_.put_node(id, node);
  }
  void add_edge(int64_t id, const PlainEdge& edge) {
    expect(id > committed_edge_ && !model_.edges().contains(id), fmt::format("edge {} was there before", id));
    model_.put_edge(id, edge);
  }

  void insert_node(const PlainNode& node) {
    const std::string labels = labels_text(node.labels), properties = properties_text(node);
    int64_t id = 0;
    int32_t code = BRAID_OK;
    if (toss()) {
      code = braid_node_create(session_->get(), labels.c_str(), properties.c_str(), &id);
    } else {
      code = session_->execute("INSERT INTO graph_nodes(labels, properties) VALUES(?, ?)", {labels, properties});
      id = braid_last_insert_rowid(session_->get());
    }
    if (!expect_code(code, model_.is_taken(0, node) ? BRAID_CONSTRAINT : BRAID_OK, labels + properties)) return;
    add_node(id, node);
  }
  void create_node() {
    if (model_.nodes().size() > kNodesMax && span_ == Span::kAll) return remove_node(some_node(), true);
    if (pick(20) == 0) {
      expect_code(braid_node_create(session_->get(), pick(2) == 0 ? "[\"Pump\"]" : "[\"A\",\"Valve\"]", nullptr, nullptr),
                  BRAID_CONSTRAINT, "a bound label");
      expect_code(braid_node_create(session_->get(), "{\"A\":1}", nullptr, nullptr), BRAID_INVALID_ARGUMENT, "labels that are none");
      return;
    }
    insert_node(some_values({.labels = some_labels()}));
  }
  void update_node() {
    const int64_t id = some_node();
    const auto found = model_.nodes().find(id);
    PlainNode node = found == model_.nodes().end() ? PlainNode() : found->second;
    const uint8_t bound = node.labels & (kLabelPump | kLabelValve);
    const bool with_labels = pick(3) > 0, with_values = !with_labels || toss();
    // The label of a row stays with the row.
    const bool changes_bound = with_labels && pick(20) == 0;
    if (with_labels) node.labels = some_labels() | bound;
    if (changes_bound) node.labels ^= kLabelPump;
    if (with_values) node = some_values(node);
    const std::string labels = labels_text(node.labels);
    // Columns may be repeated or left out; they may not be changed.
    PlainNode given = node;
    if (bound != 0 && toss()) given.row_name.reset();
    const bool changes_column = bound != 0 && with_values && pick(10) == 0;
    if (changes_column) given.row_name = node.row_name.value_or(0) + 1;
    const std::string properties =
        bound != 0 ? properties_text(given) : object_text(std::pair("k", node.key), std::pair("note", quoted(node.note)));
    const bool is_there = found != model_.nodes().end();
    int32_t wanted = BRAID_OK;
    if (changes_bound || changes_column || model_.is_taken(id, node)) wanted = BRAID_CONSTRAINT;
    int32_t code = BRAID_OK;
    if (toss()) {
      code = braid_node_update(session_->get(), id, with_labels ? labels.c_str() : nullptr, with_values ? properties.c_str() : nullptr);
      if (!is_there) wanted = BRAID_NOT_FOUND;
    } else {
      if (with_labels && with_values)
        code = session_->execute("UPDATE graph_nodes SET labels = ?, properties = ? WHERE id = ?", {labels, properties, id});
      else if (with_labels)
        code = session_->execute("UPDATE graph_nodes SET labels = ? WHERE id = ?", {labels, id});
      else
        code = session_->execute("UPDATE graph_nodes SET properties = ? WHERE id = ?", {properties, id});
      if (!is_there) wanted = BRAID_OK;
    }
    if (expect_code(code, wanted, fmt::format("node {} to {} {}", id, labels, properties)) && is_there) model_.put_node(id, node);
  }
  void delete_node() { remove_node(some_node(), toss()); }
  void remove_node(int64_t id, bool detaches) {
    const auto found = model_.nodes().find(id);
    int32_t wanted = BRAID_OK;
    if (found == model_.nodes().end())
      wanted = BRAID_NOT_FOUND;
    else if (found->second.is_row() || (!detaches && !model_.edges_of(id).empty()))
      wanted = BRAID_CONSTRAINT;
    int32_t code = BRAID_OK;
    if (toss()) {
      code = braid_node_delete(session_->get(), id, detaches ? BRAID_DETACH : BRAID_RESTRICT);
    } else if (detaches) {
      code = session_->execute("SELECT graph_delete(?, 'detach')", {id});
    } else {
      code = session_->execute("DELETE FROM graph_nodes WHERE id = ?", {id});
      if (wanted == BRAID_NOT_FOUND) wanted = BRAID_OK;  // no row to delete
    }
    if (expect_code(code, wanted, fmt::format("node {}, detach {}", id, detaches)) && found != model_.nodes().end())
      model_.remove_with_edges(id);
  }
  void insert_nodes() {
    std::vector<PlainNode> nodes;
    std::string sql = "INSERT INTO graph_nodes(labels, properties) VALUES";
    for (uint64_t i = 2 + pick(4); i > 0; --i) {
      nodes.push_back(some_values({.labels = some_labels()}));
      sql += fmt::format("{}('{}', '{}')", nodes.size() == 1 ? "" : ", ", labels_text(nodes.back().labels), properties_text(nodes.back()));
    }
    // What the statement does is all or nothing: a value that is taken by a row before is taken too.
    const size_t mark = model_.mark();
    bool taken = false;
    int64_t stand_in = INT64_MAX;
    for (const PlainNode& node : nodes) {
      taken |= model_.is_taken(0, node);
      if (!taken) model_.put_node(stand_in--, node);
    }
    model_.undo_to(mark);
    const int32_t code = braid_execute(session_->get(), sql.data(), static_cast<int64_t>(sql.size()));
    if (!expect_code(code, taken ? BRAID_CONSTRAINT : BRAID_OK, sql)) return;
    int64_t id = braid_last_insert_rowid(session_->get()) - static_cast<int64_t>(nodes.size());
    for (const PlainNode& node : nodes) {
      add_node(++id, node);
    }
  }

  // --- Edges ---

  bool are_there(const PlainEdge& edge) const {
    return model_.nodes().contains(edge.source) && model_.nodes().contains(edge.target);
  }
  void insert_edge(const PlainEdge& edge) {
    const std::string properties = properties_text(edge);
    int64_t id = 0;
    int32_t code = BRAID_OK;
    if (pick(3) > 0) {
      code = braid_edge_create(session_->get(), edge.source, kTypes[edge.type], edge.target, properties.c_str(), &id);
    } else {
      code = session_->execute("INSERT INTO graph_edges(src, type, dst, properties) VALUES(?, ?, ?, ?)",
                               {edge.source, std::string(kTypes[edge.type]), edge.target, properties});
      id = braid_last_insert_rowid(session_->get());
    }
    const bool good = are_there(edge) && !model_.is_taken(0, edge);
    if (!expect_code(code, good ? BRAID_OK : BRAID_CONSTRAINT,
                     fmt::format("{} -{}-> {} {}", edge.source, kTypes[edge.type], edge.target, properties)))
      return;
    add_edge(id, edge);
  }
  size_t some_type() { return pick(4) > 0 ? 0 : 1 + pick(2); }
  void create_edge() {
    if (model_.edges().size() > kEdgesMax) return remove_edge(near(model_.edges()));
    PlainEdge edge{some_node(), some_type(), some_node(), {}, {}};
    // Parallel to another one, or a loop.
    if (pick(8) == 0) edge.target = edge.source;
    if (!model_.edges().empty() && pick(8) == 0) edge = model_.edges().at(near(model_.edges()));
    insert_edge(some_edge_values(edge));
  }
  /// By the keys of the ends: B's property or a row's key.
  void link() {
    PlainEdge edge = some_edge_values({0, some_type(), 0, {}, {}});
    struct End {
      std::string label;
      int64_t key;
      int64_t node;
    };
    const auto some_end = [&]() -> End {
      const uint64_t kind = pick(3);
      constexpr std::pair<const char*, PlainIndex> kEnds[] = {{"B", PlainIndex::kB}, {"Pump", PlainIndex::kPump}, {"Valve", PlainIndex::kValve}};
      const int64_t key = number(kind == 0 ? kKeys : kRows);
      const auto& found = model_.find(kEnds[kind].second, key);
      return {kEnds[kind].first, key, found.empty() ? 0 : *found.begin()};
    };
    const End from = some_end(), to = some_end();
    edge.source = from.node;
    edge.target = to.node;
    // With the key of the type U an edge that has it is updated, if it has the same ends.
    const bool keyed = edge.type == PlainGraph::kKeyedType && edge.key && toss();
    const auto& same = keyed ? model_.find(PlainIndex::kEdge, *edge.key) : PlainGraph::Ids();
    int32_t wanted = are_there(edge) ? BRAID_OK : BRAID_CONSTRAINT;
    if (!same.empty()) {
      const PlainEdge& other = model_.edges().at(*same.begin());
      if (other.source != edge.source || other.target != edge.target) wanted = BRAID_CONSTRAINT;
    } else if (model_.is_taken(0, edge)) {
      wanted = BRAID_CONSTRAINT;
    }
    const std::string sql = keyed ? "SELECT graph_link(?, ?, ?, ?, ?, ?, 'k')" : "SELECT graph_link(?, ?, ?, ?, ?, ?)";
    std::vector<std::vector<std::string>> rows;
    const int32_t code = session_->execute(
        sql, {from.label, from.key, std::string(kTypes[edge.type]), to.label, to.key, properties_text(edge)}, &rows);
    if (!expect_code(code, wanted, fmt::format("{} {} to {} {}", from.label, from.key, to.label, to.key))) return;
    const int64_t id = std::stoll(rows.at(0).at(0));
    if (same.empty()) return add_edge(id, edge);
    expect(id == *same.begin(), "another edge has the key");
    model_.put_edge(id, edge);
  }
  void update_edge() {
    const int64_t id = some_edge();
    const auto found = model_.edges().find(id);
    const bool is_there = found != model_.edges().end();
    const PlainEdge edge = some_edge_values(is_there ? found->second : PlainEdge());
    int32_t wanted = is_there && model_.is_taken(id, edge) ? BRAID_CONSTRAINT : BRAID_OK;
    int32_t code = BRAID_OK;
    if (toss()) {
      code = braid_edge_update(session_->get(), id, properties_text(edge).c_str());
      if (!is_there) wanted = BRAID_NOT_FOUND;
    } else {
      code = session_->execute("UPDATE graph_edges SET properties = ? WHERE id = ?", {properties_text(edge), id});
    }
    if (expect_code(code, wanted, fmt::format("edge {} to {}", id, properties_text(edge))) && is_there) model_.put_edge(id, edge);
  }
  void delete_edge() { remove_edge(some_edge()); }
  void remove_edge(int64_t id) {
    const bool is_there = model_.edges().contains(id);
    const bool by_sql = toss();
    const int32_t code =
        by_sql ? session_->execute("DELETE FROM graph_edges WHERE id = ?", {id}) : braid_edge_delete(session_->get(), id);
    if (expect_code(code, is_there || by_sql ? BRAID_OK : BRAID_NOT_FOUND, fmt::format("edge {}", id)) && is_there)
      model_.put_edge(id, std::nullopt);
  }
  /// All that leave or reach a node, in one statement; hubs keep theirs mostly.
  int64_t some_end() {
    const int64_t id = some_node();
    return model_.edges_of(id).size() > 200 && pick(20) > 0 ? 1 + number(5000) : id;
  }
  void update_edges() {
    const int64_t node = some_end();
    const PlainEdge values = some_edge_values({});
    const size_t mark = model_.mark();
    bool taken = false;
    for (const int64_t id : PlainGraph::Ids(model_.in(node))) {
      PlainEdge edge = model_.edges().at(id);
      edge.key = values.key;
      edge.weight = values.weight;
      taken |= model_.is_taken(id, edge);
      if (!taken) model_.put_edge(id, edge);
    }
    if (taken) model_.undo_to(mark);
    const int32_t code = session_->execute("UPDATE graph_edges SET properties = ? WHERE dst = ?", {properties_text(values), node});
    expect_code(code, taken ? BRAID_CONSTRAINT : BRAID_OK, fmt::format("edges to {}: {}", node, properties_text(values)));
  }
  void delete_edges() {
    const int64_t node = some_end();
    const size_t type = some_type();
    for (const int64_t id : PlainGraph::Ids(model_.out(node)))
      if (model_.edges().at(id).type == type) model_.put_edge(id, std::nullopt);
    const int32_t code =
        session_->execute("DELETE FROM graph_edges WHERE src = ? AND type = ?", {node, std::string(kTypes[type])});
    expect_code(code, BRAID_OK, fmt::format("{} edges of {}", kTypes[type], node));
  }

  // --- Rows that are nodes ---

  const TableRow& some_table() { return kTables[pick(std::size(kTables))]; }
  /// The node of a row, 0 when there is no such row.
  int64_t node_of(const TableRow& table, int64_t row) const {
    const auto& found = model_.find(table.index, row);
    return found.empty() ? 0 : *found.begin();
  }
  int64_t stored_node(const TableRow& table, int64_t row) {
    int64_t id = 0;
    const char* label = table.label == kLabelPump ? "Pump" : "Valve";
    expect(braid_node_find(session_->get(), label, "id", std::to_string(row).c_str(), &id) == BRAID_OK, "find a row's node");
    return id;
  }
  void insert_row() {
    const TableRow& table = some_table();
    const PlainNode node{.labels = table.label, .row = number(kRows), .row_name = maybe(100)};
    const int32_t code = session_->execute(fmt::format("INSERT INTO {} VALUES(?, ?)", table.table), {node.row, value_of(node.row_name)});
    if (!expect_code(code, model_.is_taken(0, node) ? BRAID_CONSTRAINT : BRAID_OK, fmt::format("{} {}", table.table, node.row))) return;
    const int64_t id = stored_node(table, node.row);
    add_node(id, node);
  }
  void update_row() {
    const TableRow& table = some_table();
    const int64_t row = number(kRows);
    const int64_t id = node_of(table, row);
    PlainNode node = id == 0 ? PlainNode() : model_.nodes().at(id);
    node.row = toss() ? row : number(kRows);
    node.row_name = maybe(100);
    const int32_t code = session_->execute(fmt::format("UPDATE {} SET id = ?, name = ? WHERE id = ?", table.table),
                                           {node.row, value_of(node.row_name), row});
    const bool taken = id != 0 && model_.is_taken(id, node);
    if (expect_code(code, taken ? BRAID_CONSTRAINT : BRAID_OK, fmt::format("{} {} to {}", table.table, row, node.row)) && id != 0) {
      expect(stored_node(table, node.row) == id, "a row with a new key keeps its node");
      model_.put_node(id, node);
    }
  }
  bool may_go(const TableRow& table, int64_t id) const { return table.detaches || model_.edges_of(id).empty(); }
  void replace_row() {
    const TableRow& table = some_table();
    const PlainNode node{.labels = table.label, .row = number(kRows), .row_name = maybe(100)};
    const int64_t before = node_of(table, node.row);
    const bool refused = before != 0 && !may_go(table, before);
    const int32_t code = session_->execute(fmt::format("REPLACE INTO {} VALUES(?, ?)", table.table), {node.row, value_of(node.row_name)});
    if (!expect_code(code, refused ? BRAID_CONSTRAINT : BRAID_OK, fmt::format("{} {}", table.table, node.row))) return;
    if (before != 0) model_.remove_with_edges(before);
    const int64_t id = stored_node(table, node.row);
    add_node(id, node);
  }
  void delete_row() {
    const TableRow& table = some_table();
    const int64_t row = number(kRows);
    const int64_t id = node_of(table, row);
    const int32_t code = session_->execute(fmt::format("DELETE FROM {} WHERE id = ?", table.table), {row});
    const bool refused = id != 0 && !may_go(table, id);
    if (expect_code(code, refused ? BRAID_CONSTRAINT : BRAID_OK, fmt::format("{} {}", table.table, row)) && id != 0)
      model_.remove_with_edges(id);
  }
  /// Several in one statement, which does all or nothing.
  void delete_rows() {
    const TableRow& table = some_table();
    const int64_t first = number(kRows), limit = first + 3;
    const size_t mark = model_.mark();
    bool refused = false;
    for (int64_t row = first; row < limit; ++row) {
      const int64_t id = node_of(table, row);
      if (id == 0) continue;
      refused |= !may_go(table, id);
      if (!refused) model_.remove_with_edges(id);
    }
    if (refused) model_.undo_to(mark);
    const int32_t code = session_->execute(fmt::format("DELETE FROM {} WHERE id >= ? AND id < ?", table.table), {first, limit});
    expect_code(code, refused ? BRAID_CONSTRAINT : BRAID_OK, fmt::format("{} from {}", table.table, first));
  }

  // --- Reading ---

  void read() {
    const uint64_t kind = pick(5);
    if (kind == 0) return read_node(some_node());
    if (kind == 1) return read_edge(some_edge());
    if (kind == 2) return read_neighbors(some_node());
    if (kind == 3) return read_indexes(number(kKeys));
    read_hops(some_node());
  }
  void read_node(int64_t id) {
    const char *labels = nullptr, *properties = nullptr;
    const int32_t code = braid_node_read(session_->get(), id, &labels, &properties);
    const auto found = model_.nodes().find(id);
    if (found == model_.nodes().end()) return expect(code == BRAID_NOT_FOUND, fmt::format("node {} is there", id));
    if (code != BRAID_OK) return expect(false, fmt::format("node {} is not there", id));
    expect(labels == labels_text(found->second.labels), fmt::format("node {} has labels {}", id, labels));
    expect(properties == properties_text(found->second), fmt::format("node {} has properties {}", id, properties));
  }
  void read_edge(int64_t id) {
    int64_t source = 0, target = 0;
    const char *type = nullptr, *properties = nullptr;
    const int32_t code = braid_edge_read(session_->get(), id, &source, &type, &target, &properties);
    const auto found = model_.edges().find(id);
    if (found == model_.edges().end()) return expect(code == BRAID_NOT_FOUND, fmt::format("edge {} is there", id));
    if (code != BRAID_OK) return expect(false, fmt::format("edge {} is not there", id));
    const PlainEdge& edge = found->second;
    expect(source == edge.source && target == edge.target && std::string_view(type) == kTypes[edge.type],
           fmt::format("edge {} is {} -{}-> {}", id, source, type, target));
    expect(properties == properties_text(edge), fmt::format("edge {} has properties {}", id, properties));
  }
  void read_neighbors(int64_t id) {
    for (const int32_t direction : {BRAID_OUT, BRAID_IN, BRAID_BOTH})
      for (size_t type = 0; type <= std::size(kTypes); ++type) read_side(id, direction, type);
  }
  /// `type` past the last: all of them. Steps are ordered by direction, type and edge.
  void read_side(int64_t id, int32_t direction, size_t type) {
    std::vector<std::pair<int64_t, int64_t>> wanted;
    const auto add = [&](const PlainGraph::Ids& edges, bool out) {
      for (size_t one = 0; one < std::size(kTypes); ++one)
        for (const int64_t edge : edges)
          if (const PlainEdge& it = model_.edges().at(edge); it.type == one && (type == one || type == std::size(kTypes)))
            wanted.emplace_back(edge, out ? it.target : it.source);
    };
    if ((direction & BRAID_OUT) != 0) add(model_.out(id), true);
    if ((direction & BRAID_IN) != 0) add(model_.in(id), false);
    neighbors_.resize(2 * model_.edges().size() + 1);
    size_t count = 0;
    const int32_t code = braid_neighbors(session_->get(), id, direction, type < std::size(kTypes) ? kTypes[type] : nullptr,
                                         neighbors_.data(), neighbors_.size(), &count);
    if (!model_.nodes().contains(id)) return expect(code == BRAID_NOT_FOUND, fmt::format("node {} has neighbours", id));
    bool same = code == BRAID_OK && count == wanted.size();
    for (size_t i = 0; same && i < count; ++i)
      same = neighbors_[i].edge == wanted[i].first && neighbors_[i].node == wanted[i].second;
    expect(same, fmt::format("node {}, direction {}, type {}: {} neighbours instead of {}, or others", id, direction, type, count,
                             wanted.size()));
  }
  void read_indexes(int64_t key) {
    constexpr std::tuple<const char*, const char*, PlainIndex> kIndexes[] = {
        {"A", "k", PlainIndex::kA}, {"B", "k", PlainIndex::kB}, {"Pump", "id", PlainIndex::kPump}, {"Valve", "id", PlainIndex::kValve}};
    for (const auto& [label, property, index] : kIndexes) {
      int64_t found = -1;
      expect(braid_node_find(session_->get(), label, property, std::to_string(key).c_str(), &found) == BRAID_OK, "find");
      const auto& wanted = model_.find(index, key);
      expect(found == (wanted.empty() ? 0 : *wanted.begin()), fmt::format("{} {} is node {}", label, key, found));
    }
  }
  void read_hops(int64_t start) {
    if (!model_.nodes().contains(start)) return;
    constexpr int64_t kHops = 3;
    std::map<int64_t, int64_t> depths{{start, 0}};
    std::deque<int64_t> queue{start};
    for (; !queue.empty(); queue.pop_front())
      for (const int64_t edge : model_.out(queue.front())) {
        const int64_t next = model_.edges().at(edge).target, depth = depths[queue.front()] + 1;
        if (depth <= kHops && depths.emplace(next, depth).second) queue.push_back(next);
      }
    std::vector<std::vector<std::string>> rows;
    expect(session_->execute("SELECT node, depth FROM graph_hops(?, ?, 'out')", {start, kHops}, &rows) == BRAID_OK, "hops");
    expect(rows.size() == depths.size(), fmt::format("{} nodes within {} hops of {}, not {}", rows.size(), kHops, start, depths.size()));
    for (const auto& row : rows) {
      const auto found = depths.find(std::stoll(row[0]));
      expect(found != depths.end() && std::to_string(found->second) == row[1], fmt::format("node {} is {} hops away", row[0], row[1]));
    }
  }

  void compare_all() {
    kind_ = "comparison";
    ++totals_.comparisons;
    std::vector<std::vector<std::string>> rows;
    expect(session_->execute("SELECT id, labels, properties FROM graph_nodes", {}, &rows) == BRAID_OK, "scan of nodes");
    expect(rows.size() == model_.nodes().size(), fmt::format("{} nodes instead of {}", rows.size(), model_.nodes().size()));
    auto node = model_.nodes().begin();
    for (size_t i = 0; problem_.empty() && i < rows.size(); ++i, ++node)
      expect(rows[i] == std::vector{std::to_string(node->first), labels_text(node->second.labels), properties_text(node->second)},
             fmt::format("node {} {} {} instead of {}", rows[i][0], rows[i][1], rows[i][2], node->first));
    rows.clear();
    expect(session_->execute("SELECT id, src, type, dst, properties FROM graph_edges", {}, &rows) == BRAID_OK, "scan of edges");
    expect(rows.size() == model_.edges().size(), fmt::format("{} edges instead of {}", rows.size(), model_.edges().size()));
    auto edge = model_.edges().begin();
    for (size_t i = 0; problem_.empty() && i < rows.size(); ++i, ++edge)
      expect(rows[i] == std::vector<std::string>{std::to_string(edge->first), std::to_string(edge->second.source),
                                                 kTypes[edge->second.type], std::to_string(edge->second.target),
                                                 properties_text(edge->second)},
             fmt::format("edge {} instead of {}", rows[i][0], edge->first));
    for (const auto& [id, one] : model_.nodes()) {
      if (!problem_.empty()) return;
      read_side(id, BRAID_OUT, std::size(kTypes));
      read_side(id, BRAID_IN, std::size(kTypes));
      read_side(id, BRAID_BOTH, pick(std::size(kTypes)));
    }
    for (int64_t key = 0; key < kKeys; ++key) read_indexes(key);
    compare_labels();
    compare_tables();
    compare_projections();
  }
  void compare_labels() {
    for (const auto& [bit, name] : kLabels) {
      std::string wanted;
      for (const auto& [id, node] : model_.nodes())
        if ((node.labels & bit) != 0) wanted += std::to_string(id) + ",";
      std::vector<std::vector<std::string>> rows;
      expect(session_->execute("SELECT id FROM graph_nodes WHERE label = ?", {std::string(name)}, &rows) == BRAID_OK, "scan of a label");
      std::string found;
      for (const auto& row : rows) found += row[0] + ",";
      expect(found == wanted, fmt::format("label {} has other nodes", name));
    }
  }
  void compare_tables() {
    for (const TableRow& table : kTables) {
      std::map<int64_t, std::string> wanted;
      for (const auto& [id, node] : model_.nodes())
        if ((node.labels & table.label) != 0) wanted[node.row] = node.row_name ? std::to_string(*node.row_name) : "";
      std::vector<std::vector<std::string>> rows;
      expect(session_->execute(fmt::format("SELECT id, coalesce(name, '') FROM {} ORDER BY id", table.table), {}, &rows) == BRAID_OK,
             table.table);
      std::map<int64_t, std::string> found;
      for (const auto& row : rows) found[std::stoll(row[0])] = row[1];
      expect(found == wanted, fmt::format("table {} has other rows", table.table));
    }
  }

  // --- Projections ---

  struct Figures {
    int64_t in = 0, out = 0, degree = 0, weight = 0;
    int64_t component = 0;
    bool operator==(const Figures&) const = default;
  };
  void compare_projections() {
    kind_ = "projection";
    ++totals_.projections;
    compare_projection("all", false, [](const PlainNode&) { return true; }, [](const PlainEdge&) { return true; });
    compare_projection("both", true, [](const PlainNode&) { return true; }, [](const PlainEdge&) { return true; });
    compare_projection("part", false, [](const PlainNode& node) { return (node.labels & (kLabelA | kLabelB)) != 0; },
                       [](const PlainEdge& edge) { return edge.type == 0; });
  }
  template <typename WithNode, typename WithEdge>
  void compare_projection(const std::string& name, bool undirected, const WithNode& with_node, const WithEdge& with_edge) {
    std::map<int64_t, Figures> wanted;
    for (const auto& [id, node] : model_.nodes())
      if (with_node(node)) wanted[id].component = id;
    const auto root = [&](int64_t id) {
      while (wanted.at(id).component != id) id = wanted[id].component = wanted[wanted[id].component].component;
      return id;
    };
    for (const auto& [id, edge] : model_.edges()) {
      if (!with_edge(edge) || !wanted.contains(edge.source) || !wanted.contains(edge.target)) continue;
      // The part is projected in reverse.
      const bool reversed = name == "part";
      Figures& source = wanted[reversed ? edge.target : edge.source];
      Figures& target = wanted[reversed ? edge.source : edge.target];
      const int64_t weight = undirected ? edge.weight.value_or(1) : 1;
      for (Figures* end : {&source, &target}) {
        ++end->degree;
        end->weight += weight;
      }
      ++source.out;
      ++target.in;
      const int64_t a = root(edge.source), b = root(edge.target);
      wanted[std::max(a, b)].component = std::min(a, b);
    }
    for (auto& [id, figures] : wanted) {
      if (undirected) figures.in = figures.out = figures.degree;
      figures.component = root(id);
    }
    std::map<int64_t, Figures> found;
    std::vector<std::vector<std::string>> rows;
    expect(session_->execute("SELECT node, in_degree, out_degree, degree, CAST(weighted_degree AS INTEGER) FROM graph_degree(?)", {name},
                             &rows) == BRAID_OK,
           "degrees of " + name);
    for (const auto& row : rows)
      found[std::stoll(row[0])] = {std::stoll(row[1]), std::stoll(row[2]), std::stoll(row[3]), std::stoll(row[4]), 0};
    rows.clear();
    expect(session_->execute("SELECT node, component FROM graph_wcc(?)", {name}, &rows) == BRAID_OK, "components of " + name);
    for (const auto& row : rows) found[std::stoll(row[0])].component = std::stoll(row[1]);
    if (found == wanted) return;
    std::string differences;
    for (const auto& [id, figures] : wanted)
      if (!found.contains(id) || !(found[id] == figures)) differences += fmt::format(" {}", id);
    expect(false, fmt::format("projection {} is wrong at{}", name, differences.substr(0, 200)));
  }

  // --- Old snapshots ---

  /// A second connection reads what was there before some transactions, while they go on.
  void read_old_snapshot() {
    kind_ = "snapshot";
    TestConnection reader(session_->database());
    const auto sums = [&reader] {
      return reader.rows("SELECT count(*), sum(id), sum(length(properties)), sum(length(labels)) FROM graph_nodes") + " " +
             reader.rows("SELECT count(*), sum(id), sum(src * 3 + dst), sum(length(properties)) FROM graph_edges") + " " +
             reader.rows("SELECT count(*), sum(id), sum(name) FROM pumps") + " " + reader.rows("SELECT sum(degree) FROM graph_degree");
    };
    expect(braid_begin(reader.get(), BRAID_READ) == BRAID_OK, "begin of a reader");
    const std::string before = sums();
    expect(before.starts_with(std::to_string(model_.nodes().size()) + "|"), "a reader counts " + before);
    for (int i = 0; i < 3 && problem_.empty(); ++i) transact();
    kind_ = "snapshot";
    const std::string after = sums();
    expect(before == after, "a snapshot changed from " + before + " to " + after);
    expect(braid_rollback(reader.get()) == BRAID_OK, "end of a reader");
  }

  std::mt19937_64 random_;
  const char* options_;
  Totals& totals_;
  TempDir directory_;
  std::unique_ptr<Session> session_;
  PlainGraph model_;
  std::vector<size_t> marks_;  // of the savepoints that are set
  std::vector<braid_neighbor> neighbors_;
  Span span_ = Span::kAll;
  int64_t committed_node_ = 0;  // the last id that was ever committed
  int64_t committed_edge_ = 0;
  std::string kind_;
  std::string problem_;
};

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int main() {
  const uint64_t seed = number_of("BRAID_SEED", std::random_device()());
  const uint64_t operations = number_of("BRAID_GRAPH_OPERATIONS", 60'000);
  fmt::print("BRAID_SEED={} BRAID_GRAPH_OPERATIONS={}\n", seed, operations);
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  Totals totals;
  for (uint64_t round = 0; totals.operations < operations; ++round) {
    const std::string problem = Round(seed + round, totals).run(std::min(kOperationsPerRound, operations - totals.operations));
    if (problem.empty()) continue;
    // Rounds do not depend on those before, so one replays alone.
    fmt::print("round {}: {}\nBRAID_SEED={} replays it\n", round, problem.substr(0, 4000), seed + round);
    return 1;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (const auto& [kind, count] : totals.by_kind) fmt::print("{:>12} {}\n", kind, count);
  fmt::print(
      "{} operations ({} refused as the model refuses them) in {} databases, {} commits, {} rollbacks, {} savepoints undone, {} "
      "checkpoints, {} times reopened; {} comparisons of everything and {} of projections agree; {:.0f} s\n",
      totals.operations, totals.refused, totals.rounds, totals.commits, totals.rollbacks, totals.undone_savepoints, totals.checkpoints,
      totals.reopened, totals.comparisons, totals.projections, seconds.count());
  return 0;
}
