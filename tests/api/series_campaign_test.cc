// Random operations on a hypertable through SQL, each also done to plain maps: points inserted in order, late and again, updated, moved, deleted
// one by one and by ranges, fields added, dropped, widened and renamed, savepoints undone, chunks sealed and merged, the database closed and
// opened. Every so often the whole table must be what the maps say.
//
// BRAID_SERIES_OPERATIONS: how many (200). BRAID_SEED: the seed that the run prints.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr uint64_t kOperationsPerRound = 2000;
constexpr int64_t kSecondsMax = 20'000;  // of the times; an interval is an hour
constexpr const char* kHosts[] = {"a", "b", "c"};
// Small bounds, so that background checkpoints and compactions come by themselves.
constexpr const char* kOptions = "tail_bytes_max=131072;log_soft_bytes=262144";

enum class Type { kReal, kInteger, kText };
constexpr const char* kTypeNames[] = {"DOUBLE", "BIGINT", "TEXT"};

struct Field {
  std::string name;
  Type type;
};

/// Values as SQL prints them; absent means NULL.
using Point = std::vector<std::optional<std::string>>;
using Points = std::map<std::pair<std::string, int64_t>, Point>;

std::string real_text(double value) {
  std::string text = fmt::format("{:.15g}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

class Round {
 public:
  Round(uint64_t seed, uint64_t operations) : random_(seed), left_(static_cast<int64_t>(operations)) {}

  /// "" when the table is what the model says, else what is not.
  std::string run() {
    open();
    const char* policies[] = {"replace", "ignore", "merge"};
    policy_ = policies[random_() % 3];
    fields_ = {{"f1", Type::kReal}, {"f2", Type::kInteger}, {"f3", Type::kText}};
    next_field_ = 4;
    execute(fmt::format("CREATE VIRTUAL TABLE t USING hypertable(time TIMESTAMP, host TEXT TAG, f1 DOUBLE, f2 BIGINT, f3 TEXT, "
                        "chunk_interval='1 hour', on_conflict='{}')",
                        policy_));
    while (left_ > 0 && problem_.empty()) step();
    compare();
    const std::string damage = problem_.empty() ? database_->check() : "";
    return problem_.empty() ? damage : problem_;
  }

 private:
  uint64_t below(uint64_t limit) { return random_() % limit; }
  int64_t any_time() { return static_cast<int64_t>(below(kSecondsMax)); }
  std::string any_host() { return kHosts[below(std::size(kHosts))]; }
  static std::string instant(int64_t second) { return std::to_string(second * 1'000'000); }

  void open() {
    database_ = std::make_unique<TestDatabase>(directory_ / "db", kOptions);
    connection_ = std::make_unique<TestConnection>(*database_);
    if (!database_->ok()) problem_ = "open: " + database_->message();
  }
  void reopen() {
    connection_.reset();
    database_.reset();
    open();
  }

  void execute(const std::string& sql) {
    if (connection_->run(sql) != BRAID_OK && problem_.empty()) problem_ = sql.substr(0, 2000) + ": " + connection_->error();
  }
  /// The same, which must have changed so many points.
  void execute(const std::string& sql, size_t changed) {
    execute(sql);
    const int64_t told = connection_->number("SELECT changes()");
    if (problem_.empty() && told != static_cast<int64_t>(changed))
      problem_ = fmt::format("{}: {} points changed, {} expected", sql.substr(0, 2000), told, changed);
  }

  std::optional<std::string> any_value(const Field& field) {
    if (below(4) == 0) return std::nullopt;
    switch (field.type) {
      case Type::kReal: return real_text(static_cast<double>(below(4000)) * 0.25);
      case Type::kInteger: return std::to_string(below(1000));
      case Type::kText: return "x" + std::to_string(below(100));
    }
    return std::nullopt;
  }
  std::string literal(const Field& field, const std::optional<std::string>& value) {
    if (!value) return "NULL";
    return field.type == Type::kText ? "'" + *value + "'" : *value;
  }

  void insert() {
    const size_t count = below(8) == 0 ? 40 + below(60) : 1 + below(4);
    const char* verbs[] = {"INSERT", "INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"};
    const size_t verb = below(4);
    const std::string policy = verb == 2 ? "replace" : verb == 3 ? "ignore" : policy_;
    std::string sql = std::string(verbs[verb]) + " INTO t VALUES";
    const bool in_order = below(3) != 0;
    const std::string host = any_host();
    for (size_t i = 0; i < count; ++i) {
      const int64_t time = in_order ? next_time_ = (next_time_ + 1) % kSecondsMax : any_time();
      Point point;
      std::string row;
      for (const Field& field : fields_) {
        point.push_back(any_value(field));
        row += ", " + literal(field, point.back());
      }
      sql += fmt::format("{}({}, '{}'{})", i == 0 ? "" : ", ", instant(time), host, row);
      put({host, time}, point, policy);
    }
    execute(sql);
  }

  void put(const std::pair<std::string, int64_t>& key, const Point& point, const std::string& policy) {
    const auto known = points_.find(key);
    if (known == points_.end()) {
      points_[key] = point;
    } else if (policy == "replace") {
      known->second = point;
    } else if (policy == "merge") {
      for (size_t i = 0; i < point.size(); ++i)
        if (point[i]) known->second[i] = point[i];
    }
  }

  template <typename Condition>
  size_t erase(Condition condition) {
    return std::erase_if(points_, [&](const auto& entry) { return condition(entry.first.first, entry.first.second, entry.second); });
  }

  void remove() {
    const int64_t start = any_time();
    const int64_t limit = start + static_cast<int64_t>(below(400));
    const std::string host = any_host();
    const std::string range = fmt::format("time >= {} AND time < {}", instant(start), instant(limit));
    const auto in_range = [&](int64_t time) { return time >= start && time < limit; };
    switch (below(6)) {
      case 0: return execute("DELETE FROM t WHERE " + range, erase([&](auto&, int64_t time, auto&) { return in_range(time); }));
      case 1:
        return execute(fmt::format("DELETE FROM t WHERE host = '{}' AND {}", host, range),
                       erase([&](auto& one, int64_t time, auto&) { return one == host && in_range(time); }));
      case 2: {
        erase([&](auto& one, int64_t time, auto&) { return one == host && in_range(time); });
        return execute(fmt::format("SELECT delete_points('t', {}, {}, '{{\"host\": \"{}\"}}')", instant(start), instant(limit), host));
      }
      case 3: return execute(fmt::format("DELETE FROM t WHERE host = '{}' AND time = {}", host, instant(start)), points_.erase({host, start}));
      case 4:
        return execute(fmt::format("DELETE FROM t WHERE {} IS NULL AND {}", fields_[0].name, range),
                       erase([&](auto&, int64_t time, const Point& point) { return !point[0] && in_range(time); }));
      default:
        return execute(fmt::format("DELETE FROM t WHERE length(host) = 1 AND host <> '{}' AND {}", host, range),
                       erase([&](auto& one, int64_t time, auto&) { return one != host && in_range(time); }));
    }
  }

  void update() {
    const size_t field = below(fields_.size());
    const auto value = any_value(fields_[field]);
    const int64_t start = any_time();
    const int64_t limit = start + static_cast<int64_t>(below(300));
    size_t changed = 0;
    for (auto& [key, point] : points_) {
      if (key.second < start || key.second >= limit) continue;
      point[field] = value;
      ++changed;
    }
    execute(fmt::format("UPDATE t SET {} = {} WHERE time >= {} AND time < {}", fields_[field].name, literal(fields_[field], value), instant(start),
                        instant(limit)),
            changed);
  }

  /// Moves the points of a range, some onto others of it, by replacing what stands there.
  void move() {
    const int64_t start = any_time();
    const int64_t limit = start + static_cast<int64_t>(below(100));
    const std::string host = any_host();
    Points moved;
    for (auto at = points_.lower_bound({host, start}); at != points_.end() && at->first.first == host && at->first.second < limit;) {
      moved[{host, at->first.second + 7}] = at->second;
      at = points_.erase(at);
    }
    for (const auto& [key, point] : moved) points_[key] = point;
    execute(fmt::format("UPDATE OR REPLACE t SET time = strftime('%s', time) * 1000000 + 7000000 WHERE host = '{}' AND time >= {} AND time < {}", host,
                        instant(start), instant(limit)),
            moved.size());
  }

  void alter() {
    switch (below(4)) {
      case 0: {
        if (fields_.size() > 6) return;
        const auto type = static_cast<Type>(below(3));
        fields_.push_back({fmt::format("f{}", next_field_++), type});
        for (auto& [key, point] : points_) point.emplace_back();
        return execute(fmt::format("SELECT hypertable_alter('t', 'add', '{}', '{}')", fields_.back().name, kTypeNames[static_cast<size_t>(type)]));
      }
      case 1: {
        if (fields_.size() < 3) return;
        const size_t field = below(fields_.size());
        execute(fmt::format("SELECT hypertable_alter('t', 'drop', '{}')", fields_[field].name));
        fields_.erase(fields_.begin() + static_cast<ptrdiff_t>(field));
        for (auto& [key, point] : points_) point.erase(point.begin() + static_cast<ptrdiff_t>(field));
        return;
      }
      case 2: {
        const size_t field = below(fields_.size());
        const Type before = fields_[field].type;
        if (before == Type::kText) return;
        fields_[field].type = before == Type::kInteger && below(2) == 0 ? Type::kReal : Type::kText;
        if (fields_[field].type == Type::kReal)
          for (auto& [key, point] : points_)
            if (point[field]) *point[field] += ".0";
        return execute(fmt::format("SELECT hypertable_alter('t', 'widen', '{}', '{}')", fields_[field].name,
                                   kTypeNames[static_cast<size_t>(fields_[field].type)]));
      }
      default: {
        Field& field = fields_[below(fields_.size())];
        const std::string name = fmt::format("f{}", next_field_++);
        execute(fmt::format("SELECT hypertable_alter('t', 'rename', '{}', '{}')", field.name, name));
        field.name = name;
      }
    }
  }

  void change() {
    --left_;
    const uint64_t dice = below(20);
    if (dice < 11) insert();
    else if (dice < 16) remove();
    else if (dice < 19) update();
    else move();
  }

  void transaction() {
    const Points before = points_;
    execute("BEGIN");
    for (uint64_t i = 1 + below(5); i > 0; --i) change();
    if (below(2) == 0) {
      const Points at_savepoint = points_;
      execute("SAVEPOINT s");
      for (uint64_t i = 1 + below(3); i > 0; --i) change();
      if (below(2) == 0) compare();
      execute(below(2) == 0 ? "ROLLBACK TO s; RELEASE s" : "ROLLBACK TO s");
      points_ = at_savepoint;
      change();
    }
    const bool commits = below(4) != 0;
    execute(commits ? "COMMIT" : "ROLLBACK");
    if (!commits) points_ = before;
  }

  /// A snapshot stays as it is whatever happens beside it.
  void read_beside() {
    TestConnection reader(*database_);
    const std::string sum = "SELECT count(*), sum(length(host) + strftime('%s', time)) FROM t";
    braid_begin(reader.get(), BRAID_READ);
    const std::string before = reader.rows(sum);
    for (int i = 0; i < 4; ++i) change();
    if (below(2) == 0) braid_checkpoint(database_->get());
    execute("SELECT hypertable_compact('t')");
    const std::string after = reader.rows(sum);
    if (problem_.empty() && before != after) problem_ = fmt::format("a snapshot changed from {} to {}", before, after);
    braid_rollback(reader.get());
  }

  void step() {
    const uint64_t dice = below(100);
    if (dice < 60) change();
    else if (dice < 80) transaction();
    else if (dice < 88) alter();
    else if (dice < 93) braid_checkpoint(database_->get());
    else if (dice < 95) execute("SELECT hypertable_compact('t')");
    else if (dice < 99) read_beside();
    else reopen();
    if (below(25) == 0) compare();
  }

  void compare() {
    if (!problem_.empty()) return;
    std::string columns;
    for (const Field& field : fields_) columns += ", " + field.name;
    const std::string found = connection_->rows("SELECT host, strftime('%s', time)" + columns + " FROM t ORDER BY host, time");
    std::string expected;
    for (const auto& [key, point] : points_) {
      expected += fmt::format("{}{}|{}", expected.empty() ? "" : ";", key.first, key.second);
      for (const auto& value : point) expected += "|" + value.value_or("");
    }
    if (found == expected) return;
    size_t at = 0;
    while (at < found.size() && at < expected.size() && found[at] == expected[at]) ++at;
    const size_t from = at < 60 ? 0 : at - 60;
    problem_ = fmt::format("the table has …{}…, expected …{}…", found.substr(from, 160), expected.substr(from, 160));
  }

  std::mt19937_64 random_;
  int64_t left_;  ///< operations; a transaction may step over 0
  TempDir directory_;
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<TestConnection> connection_;
  std::string policy_;
  std::vector<Field> fields_;
  int next_field_ = 0;
  int64_t next_time_ = 0;
  Points points_;
  std::string problem_;
};

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int main() {
  const uint64_t seed = number_of("BRAID_SEED", std::random_device()());
  const uint64_t operations = number_of("BRAID_SERIES_OPERATIONS", 200);
  fmt::print("BRAID_SEED={} BRAID_SERIES_OPERATIONS={}\n", seed, operations);
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  uint64_t rounds = 0;
  for (uint64_t done = 0; done < operations; done += kOperationsPerRound, ++rounds) {
    const std::string problem = Round(seed + rounds, std::min(kOperationsPerRound, operations - done)).run();
    if (problem.empty()) continue;
    fmt::print("round {}: {}\nBRAID_SEED={} replays it\n", rounds, problem.substr(0, 4000), seed + rounds);
    return 1;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("{} operations in {} databases agree with plain maps; {:.0f} s\n", operations, rounds, seconds.count());
  return 0;
}
