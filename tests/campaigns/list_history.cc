#include "tests/campaigns/list_history.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

namespace braid {
namespace {

using Number = size_t;  // of a transaction in the history
using List = std::vector<int64_t>;

enum class EdgeKind : uint8_t { kWriteWrite, kWriteRead, kReadWrite, kTime };
constexpr const char* kEdgeNames[] = {"ww", "wr", "rw", "time"};

struct Edge {
  Number to;
  EdgeKind kind;
};

struct Appended {
  Number by;
  bool last;  // of this transaction to the key
};

class Analysis {
 public:
  Analysis(const std::vector<ListTransaction>& history, size_t most) : history_(history), most_(most), edges_(history.size()) {}

  std::vector<std::string> run() {
    collect_appends();
    for (Number number = 0; number < history_.size(); ++number) look_at(number);
    for (auto& [key, reads] : reads_) order_versions(key, reads);
    find_lost();
    add_dependencies();
    add_time();
    find_cycle();
    return std::move(anomalies_);
  }

 private:
  struct Read {
    Number by;
    List list;  // without what `by` had appended itself
  };

  void report(std::string text) {
    if (anomalies_.size() < most_) anomalies_.push_back(std::move(text));
  }
  bool aborted(Number number) const { return history_[number].outcome == ListOutcome::kAborted; }

  void collect_appends() {
    for (Number number = 0; number < history_.size(); ++number) {
      std::map<int64_t, int64_t> last;
      for (const ListOperation& operation : history_[number].operations) {
        if (operation.appended == 0) continue;
        appends_[{operation.key, operation.appended}] = {number, false};
        last[operation.key] = operation.appended;
      }
      for (const auto& [key, value] : last) appends_[{key, value}].last = true;
    }
  }

  /// What a transaction read must be what somebody left, followed by what it appended itself until then, and the same each time.
  void look_at(Number number) {
    if (aborted(number)) return;
    std::map<int64_t, List> own, base;
    for (const ListOperation& operation : history_[number].operations) {
      List& mine = own[operation.key];
      if (operation.appended != 0) {
        mine.push_back(operation.appended);
        continue;
      }
      const List& read = operation.read;
      if (read.size() < mine.size() || !std::equal(mine.rbegin(), mine.rend(), read.rbegin())) {
        report(fmt::format("internal: transaction {} appended {} to list {} and read {}", number, mine, operation.key, read));
        continue;
      }
      List before(read.begin(), read.end() - static_cast<ptrdiff_t>(mine.size()));
      const auto [known, first] = base.try_emplace(operation.key, before);
      if (!first && known->second != before)
        report(fmt::format("unrepeatable: transaction {} read list {} as {} and then as {}", number, operation.key, known->second, before));
    }
    for (auto& [key, list] : base) reads_[key].push_back({number, std::move(list)});
  }

  /// All reads of a list are beginnings of the longest, which is the order of its versions.
  void order_versions(int64_t key, const std::vector<Read>& reads) {
    const auto longest = std::max_element(reads.begin(), reads.end(), [](const Read& a, const Read& b) { return a.list.size() < b.list.size(); });
    const List& order = versions_[key] = longest->list;
    if (std::set<int64_t>(order.begin(), order.end()).size() != order.size()) report(fmt::format("duplicate: list {} was read as {}", key, order));
    for (const Read& read : reads)
      if (!std::equal(read.list.begin(), read.list.end(), order.begin()))
        report(fmt::format("incompatible: list {} was read as {} by transaction {} and as {} by {}", key, order, longest->by, read.list, read.by));
    for (const int64_t value : order) check_value(key, value, longest->by);
    // A transaction's appends to a list are one step: nobody sees the middle of it.
    for (const Read& read : reads) {
      if (read.list.empty()) continue;
      const auto found = appends_.find({key, read.list.back()});
      if (found != appends_.end() && !found->second.last)
        report(fmt::format("intermediate: transaction {} read list {} up to {}, in the middle of transaction {}", read.by, key, read.list.back(),
                           found->second.by));
    }
  }
  void check_value(int64_t key, int64_t value, Number reader) {
    const auto found = appends_.find({key, value});
    if (found == appends_.end()) report(fmt::format("invented: nobody appended {} to list {}, and transaction {} read it", value, key, reader));
    if (found != appends_.end() && aborted(found->second.by))
      report(fmt::format("aborted: transaction {} read {} in list {}, which transaction {} had rolled back", reader, value, key, found->second.by));
  }

  void find_lost() {
    for (const auto& [place, appended] : appends_) {
      const auto& [key, value] = place;
      if (history_[appended.by].outcome != ListOutcome::kCommitted) continue;
      const List& order = versions_[key];
      if (std::find(order.begin(), order.end(), value) == order.end())
        report(fmt::format("lost: transaction {} committed {} to list {}, which ends as {}", appended.by, value, key, order));
    }
  }

  std::optional<Number> writer(int64_t key, int64_t value) const {
    const auto found = appends_.find({key, value});
    return found == appends_.end() ? std::nullopt : std::optional(found->second.by);
  }
  void connect(std::optional<Number> from, std::optional<Number> to, EdgeKind kind) {
    if (from && to && *from != *to) edges_[*from].push_back({*to, kind});
  }

  void add_dependencies() {
    for (const auto& [key, order] : versions_)
      for (size_t i = 1; i < order.size(); ++i) connect(writer(key, order[i - 1]), writer(key, order[i]), EdgeKind::kWriteWrite);
    for (const auto& [key, reads] : reads_) {
      const List& order = versions_[key];
      for (const Read& read : reads) {
        if (!read.list.empty()) connect(writer(key, read.list.back()), read.by, EdgeKind::kWriteRead);
        // The next value of another transaction: what follows directly may be the reader's own.
        if (read.list.size() < order.size()) connect(read.by, writer(key, order[read.list.size()]), EdgeKind::kReadWrite);
      }
    }
  }

  /// A transaction that ended before another began comes before it. Moments between them stand for many edges: each has an edge to the next.
  void add_time() {
    std::vector<Number> by_end;
    for (Number number = 0; number < history_.size(); ++number)
      if (history_[number].outcome == ListOutcome::kCommitted) by_end.push_back(number);
    std::sort(by_end.begin(), by_end.end(), [this](Number a, Number b) { return history_[a].ended < history_[b].ended; });
    const size_t first_moment = edges_.size();
    edges_.resize(first_moment + by_end.size());
    for (size_t i = 0; i < by_end.size(); ++i) {
      edges_[by_end[i]].push_back({first_moment + i, EdgeKind::kTime});
      if (i + 1 < by_end.size()) edges_[first_moment + i].push_back({first_moment + i + 1, EdgeKind::kTime});
    }
    for (Number number = 0; number < history_.size(); ++number) {
      if (aborted(number)) continue;
      const auto later = std::lower_bound(by_end.begin(), by_end.end(), history_[number].begun,
                                          [this](Number one, uint64_t time) { return history_[one].ended < time; });
      if (later != by_end.begin()) edges_[first_moment + static_cast<size_t>(later - by_end.begin()) - 1].push_back({number, EdgeKind::kTime});
    }
  }

  /// What is left when everything without a predecessor is taken away again and again has a cycle.
  void find_cycle() {
    std::vector<size_t> predecessors(edges_.size(), 0);
    for (const auto& list : edges_)
      for (const Edge& edge : list) ++predecessors[edge.to];
    std::vector<Number> ready;
    for (Number number = 0; number < edges_.size(); ++number)
      if (predecessors[number] == 0) ready.push_back(number);
    size_t taken = 0;
    while (!ready.empty()) {
      const Number number = ready.back();
      ready.pop_back();
      ++taken;
      for (const Edge& edge : edges_[number])
        if (--predecessors[edge.to] == 0) ready.push_back(edge.to);
    }
    if (taken == edges_.size()) return;
    for (Number start = 0; start < history_.size(); ++start)
      if (predecessors[start] > 0 && tell_cycle(start)) return;
  }

  /// The shortest way from `start` back to it.
  bool tell_cycle(Number start) {
    std::vector<std::pair<Number, EdgeKind>> from(edges_.size(), {edges_.size(), EdgeKind::kTime});
    std::vector<Number> queue = {start};
    for (size_t head = 0; head < queue.size(); ++head) {
      for (const Edge& edge : edges_[queue[head]]) {
        if (from[edge.to].first != edges_.size()) continue;
        from[edge.to] = {queue[head], edge.kind};
        if (edge.to == start) {
          tell_cycle(start, from);
          return true;
        }
        queue.push_back(edge.to);
      }
    }
    return false;
  }
  void tell_cycle(Number start, const std::vector<std::pair<Number, EdgeKind>>& from) {
    std::string text = std::to_string(start);
    size_t count[4] = {};
    for (Number number = start;;) {
      const auto [before, kind] = from[number];
      ++count[static_cast<size_t>(kind)];
      if (before < history_.size()) text = fmt::format("{} -{}-> {}", before, kEdgeNames[static_cast<size_t>(kind)], text);
      number = before;
      if (number == start) break;
    }
    const size_t reads = count[static_cast<size_t>(EdgeKind::kWriteRead)], overtaken = count[static_cast<size_t>(EdgeKind::kReadWrite)];
    const char* name = overtaken > 1 ? "G2" : overtaken == 1 ? "G-single" : reads > 0 ? "G1c" : "G0";
    report(fmt::format("{}{}: {}", name, count[static_cast<size_t>(EdgeKind::kTime)] > 0 ? " in the order of time" : "", text));
  }

  const std::vector<ListTransaction>& history_;
  const size_t most_;
  std::map<std::pair<int64_t, int64_t>, Appended> appends_;  // by key and value
  std::map<int64_t, std::vector<Read>> reads_;
  std::map<int64_t, List> versions_;
  std::vector<std::vector<Edge>> edges_;  // of transactions, then of moments
  std::vector<std::string> anomalies_;
};

}  // namespace

std::vector<std::string> list_anomalies(const std::vector<ListTransaction>& history, size_t most) { return Analysis(history, most).run(); }

}  // namespace braid
