// Random operations over the whole interface, each also done to plain maps: rows, nodes and edges through SQL and the C API, points through SQL,
// appenders and batches, in order, late and again; transactions, savepoints, rollbacks, batches that fail, snapshots that are held while
// others write, columns and fields added, checkpoints, compaction, closing and opening. What is refused must be what the model refuses.
//
// operations_campaign [COUNT] [--from N] [--seed N]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <random>

#include "tests/campaigns/plain_model.h"
#include "tests/support/campaign_progress.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr uint64_t kOperationsPerDatabase = 20'000;
constexpr int64_t kRows = 40, kEdges = 150, kSeconds = 40'000;
constexpr size_t kPoints = 400, kFieldsMax = 5;
constexpr const char* kHosts[] = {"a", "b", "c"};
constexpr const char* kTypes[] = {"FEEDS", "NEXT"};
constexpr const char* kOptions = "tail_bytes_max=65536;log_soft_bytes=65536;wal_soft_bytes=262144;cache_bytes=262144;maintenance_interval_ms=0";

struct Totals {
  uint64_t operations = 0, refused = 0, databases = 0, commits = 0, rollbacks = 0, conflicts = 0, batches = 0, snapshots = 0, reopened = 0, comparisons = 0;
};

/// A connection that holds a snapshot, and what it must go on seeing.
struct HeldSnapshot {
  std::unique_ptr<TestConnection> connection;
  PlainModel model;
};

class Round {
 public:
  Round(uint64_t seed, Totals& totals) : random_(seed), totals_(totals) {}

  /// "" or what was not as the model has it.
  std::string run(uint64_t operations) {
    ++totals_.databases;
    detaches_ = below(2) == 0;
    open();
    require("CREATE TABLE devices(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, value INTEGER)");
    require(fmt::format("SELECT graph_bind('Device', 'devices', 'id', '{}')", detaches_ ? "detach" : "restrict"));
    require("CREATE VIRTUAL TABLE readings USING hypertable(time TIMESTAMP, host TEXT TAG, f1 BIGINT, f2 BIGINT, chunk_interval='1 hour')");
    const uint64_t limit = totals_.operations + operations;
    while (problem_.empty() && totals_.operations < limit) step();
    compare(*connection_, model_, "at the end");
    snapshots_.clear();
    reopen();
    return problem_;
  }

 private:
  uint64_t below(uint64_t limit) { return random_() % limit; }
  int64_t any(int64_t limit) { return 1 + static_cast<int64_t>(below(static_cast<uint64_t>(limit))); }
  /// Of the map, or one that nothing has or will get.
  template <typename Map>
  int64_t any_key(const Map& map) {
    if (map.empty() || below(20) == 0) return 1'000'000'000 + any(1000);
    return std::next(map.begin(), static_cast<ptrdiff_t>(below(map.size())))->first;
  }
  int64_t any_node() { return below(2) == 0 && !model_.rows.empty() ? std::next(model_.rows.begin(), static_cast<ptrdiff_t>(below(model_.rows.size())))->second.node : any_key(model_.nodes); }
  std::string any_host() { return kHosts[below(std::size(kHosts))]; }

  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = fmt::format("operation {}: {}", totals_.operations, what);
  }
  void require(const std::string& sql) {
    if (connection_->run(sql) != BRAID_OK) fail(sql.substr(0, 500) + ": " + connection_->error());
  }
  /// `change` is made to the model when the call did what the model allows.
  void expect(int32_t code, bool allowed, const std::string& what, const std::function<void()>& change) {
    // A transaction that began to read cannot write when the database's own work has committed since.
    if (code == BRAID_CONFLICT && began_to_read_) {
      conflicted_ = true;
      return;
    }
    if (allowed != (code == BRAID_OK) || (!allowed && code != BRAID_CONSTRAINT && code != BRAID_NOT_FOUND))
      return fail(fmt::format("{} answered {} ({}), the model {} it", what, braid_code_text(code), connection_->error(), allowed ? "allows" : "refuses"));
    if (allowed) change();
    else ++totals_.refused;
  }

  void open() {
    database_ = std::make_unique<TestDatabase>(directory_ / "db", kOptions);
    if (!database_->ok()) return fail("open: " + database_->message());
    connection_ = std::make_unique<TestConnection>(*database_);
  }
  void reopen() {
    if (!problem_.empty()) return;
    connection_.reset();
    if (database_->close() != BRAID_OK) return fail("close");
    open();
    ++totals_.reopened;
    if (!problem_.empty()) return;
    const std::string damage = database_->check();
    if (!damage.empty()) fail("check: " + damage);
    compare(*connection_, model_, "after opening");
  }

  void compare(TestConnection& connection, const PlainModel& model, const char* when) {
    if (!problem_.empty()) return;
    ++totals_.comparisons;
    const std::string found = content_of(connection, model), expected = model.text();
    if (found == expected) return;
    const size_t at = static_cast<size_t>(std::mismatch(found.begin(), found.end(), expected.begin(), expected.end()).first - found.begin());
    const size_t from = at < 100 ? 0 : at - 100;
    fail(fmt::format("{}: the database has …{}…, the model …{}…", when, found.substr(from, 200), expected.substr(from, 200)));
  }

  // ---- One change each; inside or outside of a transaction.

  void put_row() {
    const int64_t id = any(kRows);
    const std::string name = "n" + std::to_string(any(kRows * 2));
    const int64_t value = any(100);
    const auto named = std::find_if(model_.rows.begin(), model_.rows.end(), [&](const auto& entry) { return entry.second.name == name; });
    const std::string values = fmt::format("({}, '{}', {})", id, name, value);
    if (below(3) == 0) {
      const bool there = model_.rows.contains(id);
      const bool free = named == model_.rows.end() || named->first == id;
      return expect(connection_->run(fmt::format("UPDATE devices SET name = '{}', value = {} WHERE id = {}", name, value, id)), free || !there, "UPDATE devices", [&] {
        if (!there) return;
        model_.rows[id].name = name;
        model_.rows[id].value = value;
      });
    }
    expect(connection_->run("INSERT INTO devices(id, name, value) VALUES" + values), !model_.rows.contains(id) && named == model_.rows.end(), "INSERT INTO devices",
           [&] { model_.rows[id] = {name, value, node_of_row(id)}; });
  }
  int64_t node_of_row(int64_t id) {
    int64_t node = 0;
    if (braid_node_find(connection_->get(), "Device", "id", std::to_string(id).c_str(), &node) != BRAID_OK || node == 0) fail("a row has no node");
    return node;
  }

  void remove_rows() {
    const int64_t first = any(kRows), last = first + static_cast<int64_t>(below(3));
    bool allowed = true;
    for (const auto& [id, row] : model_.rows)
      if (id >= first && id <= last && !detaches_ && model_.has_edges(row.node)) allowed = false;
    expect(connection_->run(fmt::format("DELETE FROM devices WHERE id BETWEEN {} AND {}", first, last)), allowed, "DELETE FROM devices", [&] {
      for (int64_t id = first; id <= last; ++id) {
        const auto row = model_.rows.find(id);
        if (row == model_.rows.end()) continue;
        model_.remove_edges(row->second.node);
        model_.rows.erase(row);
      }
    });
  }

  void change_node() {
    const int64_t node = any_key(model_.nodes);
    const std::optional<int64_t> x = below(4) == 0 ? std::nullopt : std::optional(any(50));
    const std::string properties = x ? fmt::format("{{\"x\": {}}}", *x) : "{}";
    const uint64_t dice = below(6);
    if (dice < 3 && model_.nodes.size() < kRows) {
      int64_t made = 0;
      return expect(braid_node_create(connection_->get(), "[\"N\"]", properties.c_str(), &made), true, "braid_node_create", [&] { model_.nodes[made] = x; });
    }
    if (dice < 5) {
      if (model_.has_node(node) && !model_.nodes.contains(node)) return;  // a row's
      return expect(braid_node_update(connection_->get(), node, nullptr, properties.c_str()), model_.nodes.contains(node), "braid_node_update",
                    [&] { model_.nodes[node] = x; });
    }
    const int32_t rule = below(2) == 0 ? BRAID_RESTRICT : BRAID_DETACH;
    const bool allowed = model_.nodes.contains(node) && (rule == BRAID_DETACH || !model_.has_edges(node));
    expect(braid_node_delete(connection_->get(), node, rule), allowed, "braid_node_delete", [&] {
      model_.remove_edges(node);
      model_.nodes.erase(node);
    });
  }

  void change_edge() {
    const int64_t weight = any(100);
    const std::string properties = fmt::format("{{\"w\": {}}}", weight);
    const uint64_t dice = below(6);
    if (dice < 4 && model_.edges.size() < kEdges) {
      const PlainModel::Edge edge = {any_node(), any_node(), kTypes[below(2)], weight};
      int64_t made = 0;
      return expect(braid_edge_create(connection_->get(), edge.source, edge.type.c_str(), edge.target, properties.c_str(), &made),
                    model_.has_node(edge.source) && model_.has_node(edge.target), "braid_edge_create", [&] { model_.edges[made] = edge; });
    }
    const int64_t edge = any_key(model_.edges);
    if (dice < 5)
      return expect(braid_edge_update(connection_->get(), edge, properties.c_str()), model_.edges.contains(edge), "braid_edge_update",
                    [&] { model_.edges[edge].weight = weight; });
    expect(braid_edge_delete(connection_->get(), edge), model_.edges.contains(edge), "braid_edge_delete", [&] { model_.edges.erase(edge); });
  }

  PlainModel::Point any_point() {
    PlainModel::Point point;
    for (size_t i = 0; i < model_.fields.size(); ++i) point.push_back(below(5) == 0 ? std::nullopt : std::optional(any(1000)));
    return point;
  }
  int64_t any_second() { return below(2) == 0 ? clock_ = clock_ % kSeconds + 7 : any(kSeconds); }

  void insert_points() {
    if (model_.points.size() > kPoints) return remove_points();
    const std::string host = any_host();
    std::string sql = "INSERT INTO readings VALUES";
    std::vector<std::pair<int64_t, PlainModel::Point>> added;
    for (uint64_t left = 1 + below(5); left > 0; --left) {
      added.emplace_back(any_second(), any_point());
      sql += fmt::format("{}({}, '{}'", added.size() == 1 ? "" : ", ", added.back().first * 1'000'000, host);
      for (const auto& value : added.back().second) sql += value ? fmt::format(", {}", *value) : ", NULL";
      sql += ")";
    }
    expect(connection_->run(sql), true, "INSERT INTO readings", [&] {
      for (const auto& [second, point] : added) model_.points[{host, second}] = point;
    });
  }

  void append_points() {
    if (model_.points.size() > kPoints) return remove_points();
    const std::string host = any_host();
    const char* tag = host.c_str();
    std::vector<std::pair<int64_t, PlainModel::Point>> added;
    for (uint64_t left = 1 + below(20); left > 0; --left) added.emplace_back(any_second(), any_point());
    braid_appender* appender = nullptr;
    int32_t code = braid_appender_open(connection_->get(), "readings", &appender);
    if (code == BRAID_OK) code = braid_appender_series(appender, &tag, 1);
    for (const auto& [second, point] : added) {
      std::vector<double> values;
      std::vector<uint8_t> nulls;
      for (const auto& value : point) {
        values.push_back(static_cast<double>(value.value_or(0)));
        nulls.push_back(value ? 0 : 1);
      }
      if (code == BRAID_OK) code = braid_appender_point(appender, second * 1'000'000, values.data(), nulls.data(), values.size());
    }
    const int32_t closed = braid_appender_close(appender);
    expect(code == BRAID_OK ? closed : code, true, "an appender", [&] {
      for (const auto& [second, point] : added) model_.points[{host, second}] = point;
    });
  }

  void remove_points() {
    const int64_t first = any(kSeconds), limit = first + static_cast<int64_t>(below(5000));
    const std::string host = below(3) == 0 ? "" : any_host();
    const std::string where = fmt::format("time >= {} AND time < {}{}", first * 1'000'000, limit * 1'000'000, host.empty() ? "" : " AND host = '" + host + "'");
    const auto meant = [&](const auto& key) { return (host.empty() || key.first == host) && key.second >= first && key.second < limit; };
    if (below(3) == 0) {
      const size_t field = below(model_.fields.size());
      const int64_t value = any(1000);
      return expect(connection_->run(fmt::format("UPDATE readings SET {} = {} WHERE {}", model_.fields[field], value, where)), true, "UPDATE readings", [&] {
        for (auto& [key, point] : model_.points)
          if (meant(key)) point[field] = value;
      });
    }
    expect(connection_->run("DELETE FROM readings WHERE " + where), true, "DELETE FROM readings",
           [&] { std::erase_if(model_.points, [&](const auto& entry) { return meant(entry.first); }); });
  }

  void change() {
    ++totals_.operations;
    switch (below(10)) {
      case 0:
      case 1: return put_row();
      case 2: return remove_rows();
      case 3:
      case 4: return change_node();
      case 5:
      case 6: return change_edge();
      case 7: return insert_points();
      case 8: return append_points();
      default: return remove_points();
    }
  }

  // ---- What changes are put into.

  void transaction() {
    const PlainModel before = model_;
    began_to_read_ = below(2) == 0;
    conflicted_ = false;
    if (began_to_read_) require("BEGIN");
    else if (braid_begin(connection_->get(), BRAID_WRITE) != BRAID_OK) fail("braid_begin: " + connection_->error());
    for (uint64_t left = 1 + below(8); left > 0 && !conflicted_; --left) change();
    while (below(2) == 0 && problem_.empty() && !conflicted_) {
      const PlainModel at_savepoint = model_;
      require("SAVEPOINT s");
      for (uint64_t left = 1 + below(5); left > 0 && !conflicted_; --left) change();
      if (conflicted_) break;
      if (below(4) == 0) compare(*connection_, model_, "within a transaction");
      if (below(2) == 0) {
        require("ROLLBACK TO s");
        model_ = at_savepoint;
      }
      require("RELEASE s");
    }
    began_to_read_ = false;
    if (conflicted_) ++totals_.conflicts;
    if (conflicted_ || below(4) == 0) {
      require("ROLLBACK");
      model_ = before;
      ++totals_.rollbacks;
    } else {
      require("COMMIT");
      ++totals_.commits;
    }
  }

  /// A row, a node, edges and points in one batch; half of them have a step that cannot be.
  void batch() {
    if (model_.edges.size() >= kEdges || model_.points.size() > kPoints) return;
    ++totals_.operations;
    ++totals_.batches;
    const PlainModel before = model_;
    const int64_t id = any(kRows);
    const std::string name = "b" + std::to_string(totals_.operations);
    const PlainModel::Edge edge = {any_node(), any_node(), kTypes[below(2)], any(100)};
    const std::string host = any_host();
    const int64_t times[] = {any_second() * 1'000'000};
    const PlainModel::Point point = any_point();
    braid_batch* made = nullptr;
    int32_t code = braid_batch_open(database_->get(), &made);
    const auto add = [&](int32_t added) {
      if (code == BRAID_OK) code = added;
    };
    const std::string sql = fmt::format("INSERT INTO devices(id, name) VALUES({}, '{}')", id, name);
    add(braid_batch_execute(made, sql.data(), static_cast<int64_t>(sql.size()), nullptr, 0));
    add(braid_batch_edge(made, edge.source, edge.type.c_str(), edge.target, fmt::format("{{\"w\": {}}}", edge.weight).c_str()));
    std::vector<int64_t> values;
    std::vector<uint8_t> nulls;
    for (const auto& value : point) {
      values.push_back(value.value_or(0));
      nulls.push_back(value ? 0 : 1);
    }
    std::vector<braid_column> columns;
    for (size_t i = 0; i < point.size(); ++i) columns.push_back({sizeof(braid_column), BRAID_TYPE_INT64, &values[i], &nulls[i]});
    const char* tag = host.c_str();
    add(braid_batch_points(made, "readings", &tag, 1, times, 1, columns.data(), columns.size()));
    if (code != BRAID_OK) fail(std::string("building a batch: ") + braid_batch_error(made));
    code = braid_batch_commit(made, nullptr);
    braid_batch_close(made);
    expect(code, !before.rows.contains(id) && before.has_node(edge.source) && before.has_node(edge.target), "braid_batch_commit", [&] {
      model_.rows[id] = {name, std::nullopt, node_of_row(id)};
      model_.edges[connection_->number("SELECT max(id) FROM graph_edges")] = edge;
      model_.points[{host, times[0] / 1'000'000}] = point;
    });
  }

  void hold_snapshot() {
    if (snapshots_.size() >= 3) return look_back();
    auto reader = std::make_unique<TestConnection>(*database_);
    if (braid_begin(reader->get(), BRAID_READ) != BRAID_OK) return fail("braid_begin: " + reader->error());
    snapshots_.push_back({std::move(reader), model_});
    ++totals_.snapshots;
  }
  void look_back() {
    if (snapshots_.empty()) return;
    const size_t which = below(snapshots_.size());
    compare(*snapshots_[which].connection, snapshots_[which].model, "a held snapshot");
    snapshots_.erase(snapshots_.begin() + static_cast<ptrdiff_t>(which));
  }

  /// A new column or field; readers of older snapshots are asked first, since they name the columns that they knew.
  void change_schema() {
    ++totals_.operations;
    while (!snapshots_.empty() && problem_.empty()) look_back();
    if (below(2) == 0 && model_.row_columns < 4) {
      require(fmt::format("ALTER TABLE devices ADD COLUMN extra{}", model_.row_columns));
      ++model_.row_columns;
    } else if (model_.fields.size() < kFieldsMax) {
      model_.fields.push_back("f" + std::to_string(++field_number_));
      require(fmt::format("SELECT hypertable_alter('readings', 'add', '{}', 'BIGINT')", model_.fields.back()));
      for (auto& [key, point] : model_.points) point.emplace_back();
    } else {
      const size_t field = below(model_.fields.size());
      require(fmt::format("SELECT hypertable_alter('readings', 'drop', '{}')", model_.fields[field]));
      model_.fields.erase(model_.fields.begin() + static_cast<ptrdiff_t>(field));
      for (auto& [key, point] : model_.points) point.erase(point.begin() + static_cast<ptrdiff_t>(field));
    }
  }

  void step() {
    const uint64_t dice = below(1000);
    if (dice < 500) change();
    else if (dice < 800) transaction();
    else if (dice < 900) batch();
    else if (dice < 940) hold_snapshot();
    else if (dice < 970) look_back();
    else if (dice < 980) require("SELECT hypertable_compact('readings')");
    else if (dice < 990) checkpoint();
    else if (dice < 994) change_schema();
    else if (dice < 996 && snapshots_.empty()) reopen();
    if (below(20) == 0) compare(*connection_, model_, "after a step");
  }
  void checkpoint() {
    if (braid_checkpoint(database_->get()) != BRAID_OK) fail(std::string("braid_checkpoint: ") + braid_database_error(database_->get()));
  }

  std::mt19937_64 random_;
  Totals& totals_;
  TempDir directory_{memory_directory()};
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<TestConnection> connection_;
  std::vector<HeldSnapshot> snapshots_;
  PlainModel model_;
  bool detaches_ = false;
  bool began_to_read_ = false;  ///< the transaction; it may have begun to write since
  bool conflicted_ = false;
  int64_t clock_ = 0;
  int field_number_ = 2;
  std::string problem_;
};

}  // namespace

int main(int count, char** arguments) {
  uint64_t operations = 1'000'000, from = 0;
  uint64_t seed = std::random_device()();
  CLI::App app("Random operations over the whole interface, compared with plain maps.");
  app.add_option("COUNT", operations, "operations")->capture_default_str();
  app.add_option("--from", from, "of the database that this one is in");
  app.add_option("--seed", seed, "repeats a run");
  CLI11_PARSE(app, count, arguments);

  CampaignProgress progress;
  Totals totals;
  for (uint64_t round = from / kOperationsPerDatabase; round * kOperationsPerDatabase < operations; ++round) {
    const std::string problem = Round(seed + round, totals).run(std::min(kOperationsPerDatabase, operations - round * kOperationsPerDatabase));
    if (!problem.empty()) return fmt::print("--seed {}: {}\n", seed + round, problem), 1;
    progress.reached((round + 1) * kOperationsPerDatabase);
  }
  fmt::print("{} operations in {} databases, --seed {}: {} refused as the model refuses them, {} transactions, {} rollbacks ({} for a conflict with the database's own work), {} batches, {} snapshots held, {} times opened, "
             "{} comparisons of everything; {:.0f} s\n",
             totals.operations, totals.databases, seed, totals.refused, totals.commits, totals.rollbacks, totals.conflicts, totals.batches, totals.snapshots, totals.reopened, totals.comparisons,
             progress.seconds());
  return 0;
}
