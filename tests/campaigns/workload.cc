#include "tests/campaigns/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace braid {

namespace {

constexpr int64_t kMinute = 60'000'000;

std::string quoted_blob(uint64_t seed, size_t bytes) {
  return fmt::format("'{}'", std::string(bytes, static_cast<char>('a' + seed % 26)));
}

}  // namespace

std::string state_text(TestConnection& connection) {
  if (connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'item'") == 0) return "";
  if (braid_begin(connection.get(), BRAID_READ) != BRAID_OK) return "begin: " + connection.error();
  std::string text;
  for (const char* sql :
       {"SELECT sql FROM sqlite_master WHERE name IN ('item', 'item_note', 'reading') ORDER BY name", "SELECT * FROM item ORDER BY number",
        "SELECT id, labels, properties FROM graph_nodes WHERE labels NOT LIKE '%Probe%' ORDER BY id",
        "SELECT id, src, type, dst, properties FROM graph_edges WHERE type <> 'PROBE' ORDER BY id",
        "SELECT * FROM reading ORDER BY time, site, number"})
    text += connection.rows(sql) + "\n";
  braid_rollback(connection.get());
  return text;
}

int64_t last_commit(TestConnection& connection) {
  if (connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'item'") == 0) return 0;
  return connection.number("SELECT max(last) FROM ledger");
}

int32_t write_probe(TestConnection& connection, int64_t number) {
  std::string sql = "BEGIN IMMEDIATE;";
  if (connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'probe'") == 0)
    sql +=
        "CREATE TABLE probe(number INTEGER PRIMARY KEY);"
        "CREATE VIRTUAL TABLE probing USING hypertable(time TIMESTAMP, number BIGINT, chunk_interval='1 minute');";
  sql += fmt::format(
      "INSERT INTO probe VALUES({0});"
      "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Probe\"]', '{{\"probe\":{0}}}');"
      "INSERT INTO graph_edges(src, type, dst) SELECT max(id), 'PROBE', max(id) FROM graph_nodes WHERE labels = '[\"Probe\"]';"
      "INSERT INTO probing VALUES({1}, {0});COMMIT;",
      number, number * kMinute);
  const int32_t code = connection.run(sql);
  if (code != BRAID_OK && braid_in_transaction(connection.get()) == 1) braid_rollback(connection.get());
  return code;
}

int64_t count_probes(TestConnection& connection) {
  if (connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'probe'") == 0) return 0;
  const std::string text = connection.rows(
      "SELECT (SELECT count(*) FROM probe), (SELECT count(*) FROM graph_nodes WHERE labels LIKE '%Probe%'),"
      "(SELECT count(*) FROM graph_edges WHERE type = 'PROBE'), (SELECT count(*) FROM probing)");
  const int64_t count = std::atoll(text.c_str());
  return text == fmt::format("{0}|{0}|{0}|{0}", count) ? count : -1;
}

Workload::Workload(std::string directory, uint64_t seed, FileRecord& record, Life life, bool archives)
    : directory_(std::move(directory)), mixed_(life == Life::kMixed), archives_(archives), random_(seed), record_(record), options_(kWorkloadOptions) {
  // Often, or only before the WAL is used again and the log trimmed.
  if (archives_) options_ += fmt::format(";archive=on;archive_interval_ms={}", below(2) == 0 ? 5 : 3'600'000);
  if (!mixed_) return;
  constexpr int kIntervals[] = {2, 50, 3'600'000, 3'600'000};
  options_ += fmt::format(";durability={};sync_interval_ms={}", below(2) == 0 ? "full" : "relaxed", kIntervals[below(4)]);
  flushes_ = below(2) == 0;
  if (flushes_) options_ += ";graph_buffer_bytes=65536";
}

void Workload::require(int32_t code, const std::string& what) {
  if (code == BRAID_OK || !problem_.empty()) return;
  problem_ = fmt::format("commit {}: {}: {} {}", next_, what.substr(0, 1000), code, connection_ == nullptr ? "" : connection_->error());
}

void Workload::execute(const std::string& sql) { require(connection_->run(sql), sql); }

void Workload::open() {
  database_ = std::make_unique<TestDatabase>(directory_, options_, &record_);
  if (!database_->ok()) problem_ = "open: " + database_->message();
  connection_ = std::make_unique<TestConnection>(*database_);
  connection_full_ = options_.find("durability=relaxed") == std::string::npos;
}

/// Says to the connection how its next transaction is committed, or leaves it at what was said.
void Workload::choose_durability() {
  if (mixed_ && below(2) == 0) {
    connection_full_ = below(3) == 0;
    if (below(2) == 0)
      require(braid_set_durability(connection_->get(), connection_full_ ? BRAID_DURABILITY_FULL : BRAID_DURABILITY_RELAXED), "durability");
    else
      execute(connection_full_ ? "SELECT braid_durability('full')" : "SELECT braid_durability('relaxed')");
  }
  full_ = connection_full_;
}

void Workload::sync() {
  uint64_t lsn = 0;
  if (below(2) == 0)
    require(braid_sync(database_->get(), &lsn), "sync");
  else
    lsn = static_cast<uint64_t>(connection_->number("SELECT braid_sync()"));
  if (lsn < lsns_.back()) problem_ = fmt::format("a sync tells {}, after commit {}", lsn, lsns_.back());
  note_durable(next_ - 1);
}

/// What the database itself tells, after a sync in the background too.
void Workload::note_told_durable() {
  if (!mixed_ || database_ == nullptr || !problem_.empty()) return;
  const auto told = static_cast<uint64_t>(database_->figure("durable_lsn"));
  const int64_t commit = commit_at(told);
  if (commit < durable_.back().second)
    problem_ = fmt::format("commit {} is durable, but {} is told to be the newest that is", durable_.back().second, commit);
  if (commit > durable_.back().second) note_durable(commit);
}

void Workload::close() {
  connection_ = nullptr;
  require(database_->close(), "close");
  database_ = nullptr;
  note_durable(next_ - 1);
}

void Workload::acknowledge(uint64_t lsn) {
  if (!problem_.empty()) return;
  acknowledged_.push_back(record_.position());
  if (full_) note_durable(next_);
  if (lsn == 0) require(braid_lsn(connection_->get(), &lsn), "lsn");
  lsns_.push_back(lsn);
  note_told_durable();
  states_.push_back(state_text(*connection_));
  ++next_;
}

void Workload::create() {
  choose_durability();
  execute(
      "BEGIN IMMEDIATE;"
      "CREATE TABLE ledger(only INTEGER PRIMARY KEY, last INTEGER NOT NULL);"
      "CREATE TABLE item(number INTEGER PRIMARY KEY, note TEXT);"
      "CREATE VIRTUAL TABLE reading USING hypertable(time TIMESTAMP, site TEXT TAG, number BIGINT, value DOUBLE, chunk_interval='1 minute');"
      "SELECT graph_create_index('Item', 'number', 1);"
      "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Hub\"]', '{\"number\":0}');"
      "INSERT INTO ledger VALUES(1, 1);" +
      ledger_sql() + "COMMIT;");
  acknowledge();
}

void Workload::back_up() {
  require(braid_backup(database_->get(), backup_of(directory_).c_str(), nullptr, nullptr, nullptr, nullptr), "backup");
  backup_lsn_ = static_cast<uint64_t>(database_->figure("lsn"));
  backup_position_ = record_.position();
}

std::string Workload::ledger_sql() const {
  // More than what a family of the graph holds without a block of memory, of which one fills the write buffer.
  const std::string filler =
      flushes_ ? fmt::format("UPDATE graph_nodes SET properties = '{{\"number\":0,\"filler\":\"{}\"}}' WHERE id = 1;",
                             std::string(4000, static_cast<char>('a' + next_ % 26)))
               : "";
  return filler + fmt::format(
      "UPDATE ledger SET last = {0};"
      "INSERT INTO item(number, note) VALUES({0}, 'note {0}');"
      "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Item\"]', '{{\"number\":{0}}}');"
      "INSERT INTO graph_edges(src, type, dst, properties) VALUES(graph_node('Item', 'number', {0}), 'OF', 1, '{{\"number\":{0}}}');"
      "INSERT INTO reading(time, site, number, value) VALUES({1}, 'a', {0}, {0}.25), ({2}, 'b', {0}, {0}.5);",
      next_, next_ * kMinute / 8, next_ * kMinute / 8 + 1);
}

/// Changes of what earlier commits left, in one model or several.
std::string Workload::other_changes() {
  const int64_t old = any_commit();
  switch (below(9)) {
    case 0: return fmt::format("DELETE FROM item WHERE number = {};", old);
    case 1: return fmt::format("UPDATE item SET note = {} WHERE number = {};", quoted_blob(random_(), below(9000)), old);
    case 2: return fmt::format("DELETE FROM graph_edges WHERE src = graph_node('Item', 'number', {});", old);
    case 3:
      return fmt::format("UPDATE graph_nodes SET properties = '{{\"number\":{0},\"seen\":{1}}}' WHERE id = graph_node('Item', 'number', {0});", old,
                         next_);
    case 4:  // late, perhaps into a sealed chunk, perhaps over a point that is there
      return fmt::format("INSERT INTO reading(time, site, number, value) VALUES({}, 'a', {}, 0.125);", old * kMinute / 8 + static_cast<int64_t>(below(2)),
                         next_);
    case 5: return fmt::format("SELECT delete_points('reading', {}, {});", old * kMinute / 8, (old + 2) * kMinute / 8);
    case 6: return fmt::format("DELETE FROM reading WHERE number = {};", old);
    case 7:
      return fmt::format(
          "DELETE FROM graph_edges WHERE src = graph_node('Item', 'number', {0}) OR dst = graph_node('Item', 'number', {0});"
          "DELETE FROM graph_nodes WHERE id = graph_node('Item', 'number', {0}); DELETE FROM item WHERE number = {0};",
          old);
    default: return fmt::format("UPDATE reading SET value = value + 1 WHERE number = {};", old);
  }
}

void Workload::commit_transaction() {
  std::string sql = "BEGIN IMMEDIATE;" + ledger_sql();
  for (uint64_t i = below(4); i > 0; --i) sql += other_changes();
  execute(sql + "COMMIT;");
  acknowledge();
}

void Workload::commit_with_savepoint() {
  execute("BEGIN IMMEDIATE;SAVEPOINT s;" + ledger_sql() + other_changes() + "ROLLBACK TO s;RELEASE s;" + ledger_sql() + "COMMIT;");
  acknowledge();
}

/// By the calls of the C API instead of SQL.
void Workload::commit_calls() {
  braid_connection* connection = connection_->get();
  int32_t mode = BRAID_WRITE;
  if (mixed_ && below(2) == 0) {
    full_ = below(3) == 0;
    mode |= full_ ? BRAID_DURABILITY_FULL : BRAID_DURABILITY_RELAXED;
  }
  require(braid_begin(connection, mode), "begin");
  execute(fmt::format("UPDATE ledger SET last = {0}; INSERT INTO item(number, note) VALUES({0}, NULL)", next_));
  int64_t node = 0;
  int64_t edge = 0;
  require(braid_node_create(connection, "[\"Item\"]", fmt::format("{{\"number\":{}}}", next_).c_str(), &node), "node");
  require(braid_edge_create(connection, node, "BY_CALL", 1, nullptr, &edge), "edge");
  braid_appender* appender = nullptr;
  require(braid_appender_open(connection, "reading", &appender), "appender");
  const char* site = "c";
  std::vector<double> values(static_cast<size_t>(2 + columns_ / 2), 0.75);  // each second change of the schema adds a field
  values[0] = static_cast<double>(next_);
  require(braid_appender_series(appender, &site, 1), "series");
  for (int i = 0; i < 20; ++i) require(braid_appender_point(appender, next_ * kMinute / 8 + i, values.data(), nullptr, values.size()), "point");
  require(braid_appender_close(appender), "close of the appender");
  require(braid_commit(connection), "commit");
  acknowledge();
}

void Workload::commit_batch() {
  TestBatch batch(*database_);
  full_ = options_.find("durability=relaxed") == std::string::npos;
  if (mixed_ && below(2) == 0) {
    full_ = below(3) == 0;
    require(braid_batch_set_durability(batch.get(), full_ ? BRAID_DURABILITY_FULL : BRAID_DURABILITY_RELAXED), "durability of a batch");
  }
  std::string sql = ledger_sql();
  if (below(2) == 0) sql += other_changes();
  for (size_t at = 0; at < sql.size();) {
    const size_t end = sql.find(';', at);
    require(batch.execute(sql.substr(at, end - at)), "batch: " + sql.substr(at, end - at));
    at = sql.find_first_not_of(' ', end + 1);
  }
  uint64_t lsn = 0;
  const int32_t code = batch.commit(&lsn);
  if (code != BRAID_OK) problem_ = fmt::format("commit {}: batch: {} {}", next_, code, batch.error());
  acknowledge(lsn);
}

void Workload::commit_schema() {
  std::string change;
  if (columns_ < 6) {
    ++columns_;
    change = columns_ % 2 == 1 ? fmt::format("ALTER TABLE item ADD COLUMN c{};", columns_)
                               : fmt::format("SELECT hypertable_alter('reading', 'add', 'f{}', 'DOUBLE');", columns_);
  } else if (below(2) == 0) {
    change = "CREATE INDEX IF NOT EXISTS item_note ON item(note);";
  } else {
    change = "DROP INDEX IF EXISTS item_note;";
  }
  execute("BEGIN IMMEDIATE;" + ledger_sql() + "COMMIT;");
  acknowledge();
  if (!problem_.empty()) return;
  execute("BEGIN IMMEDIATE;" + change + fmt::format("UPDATE ledger SET last = {0}; INSERT INTO item(number) VALUES({0});", next_) + "COMMIT;");
  acknowledge();
}

void Workload::roll_back() { execute("BEGIN IMMEDIATE;" + ledger_sql() + other_changes() + "ROLLBACK;"); }

void Workload::step() {
  note_told_durable();
  if (mixed_ && below(12) == 0) sync();
  choose_durability();
  const uint64_t dice = below(100);
  if (dice < 30) return commit_transaction();
  if (dice < 40) return commit_with_savepoint();
  if (dice < 50) return commit_calls();
  if (dice < 65) return commit_batch();
  if (dice < 70) return commit_schema();
  if (dice < 73) return roll_back();
  if (dice < 82) return require(braid_checkpoint(database_->get()), "checkpoint");
  if (dice < 87) return execute("SELECT hypertable_compact('reading')");
  if (dice < 92) {
    execute(fmt::format("BEGIN IMMEDIATE;SELECT drop_chunks('reading', {});", any_commit() * kMinute / 16) + ledger_sql() + "COMMIT;");
    return acknowledge();
  }
  close();
  if (problem_.empty()) open();
}

std::string Workload::run(int steps) {
  open();
  if (problem_.empty()) create();
  if (problem_.empty() && archives_) back_up();
  for (int i = 0; i < steps && problem_.empty(); ++i) step();
  if (problem_.empty()) close();
  return problem_;
}

int64_t Workload::acknowledged_at(size_t position) const {
  const auto after = std::upper_bound(acknowledged_.begin(), acknowledged_.end(), position);
  return after - acknowledged_.begin() - 1;
}

int64_t Workload::commit_at(uint64_t lsn) const { return std::upper_bound(lsns_.begin(), lsns_.end(), lsn) - lsns_.begin() - 1; }

int64_t Workload::durable_at(size_t position) const {
  const auto after = std::upper_bound(durable_.begin(), durable_.end(), std::pair(position, INT64_MAX));
  return std::prev(after)->second;
}

}  // namespace braid
