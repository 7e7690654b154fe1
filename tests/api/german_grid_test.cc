// Germany's high-voltage grid, where lines run in parallel: what falls apart, how far it is and how much flows, through SQL, beside
// what is computed here from the files alone.
//
// The data is looked for in $BRAID_SHARED/data/scigrid-de/graph, else in the directory given as the only argument; exit code 77
// (skipped) when it is not there.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();
std::string data_directory;

using Fields = std::vector<std::string>;

/// The fields of each line but the first. No field that is read here is quoted.
std::vector<Fields> read_csv(const std::string& name) {
  std::ifstream file(data_directory + "/" + name);
  std::vector<Fields> rows;
  std::string line;
  for (bool first = true; std::getline(file, line); first = false) {
    if (first) continue;
    if (line.ends_with('\r')) line.pop_back();
    Fields fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    rows.push_back(std::move(fields));
  }
  REQUIRE_FALSE(rows.empty());
  return rows;
}

struct Branch {
  size_t source;
  size_t target;
  double length;    ///< km; a transformer has none and counts 1
  double capacity;  ///< MVA
  bool is_line;
};

/// The grid as plain lists, with searches that are as simple as they can be.
struct Grid {
  std::vector<std::string> buses;
  std::vector<Branch> branches;

  Grid() {
    std::map<std::string, size_t> number;
    for (const Fields& row : read_csv("node_bus.csv")) {
      number[row[0]] = buses.size();
      buses.push_back(row[0]);
    }
    for (const Fields& row : read_csv("edge_line.csv"))
      branches.push_back({number.at(row[1]), number.at(row[2]), std::stod(row[3]), std::stod(row[4]), true});
    for (const Fields& row : read_csv("edge_transformer.csv"))
      branches.push_back({number.at(row[1]), number.at(row[2]), 1, std::stod(row[3]), false});
  }

  /// Components, without one branch or one bus; `limit` is past the last when none is left out.
  size_t components(size_t without_branch, size_t without_bus) const {
    std::vector<size_t> part(buses.size());
    for (size_t i = 0; i < part.size(); ++i) part[i] = i;
    const auto find = [&](size_t bus) {
      while (part[bus] != bus) bus = part[bus];
      return bus;
    };
    size_t count = buses.size() - (without_bus < buses.size());
    for (size_t i = 0; i < branches.size(); ++i) {
      const Branch& one = branches[i];
      if (i == without_branch || one.source == without_bus || one.target == without_bus) continue;
      const size_t a = find(one.source), b = find(one.target);
      if (a == b) continue;
      part[a] = b;
      --count;
    }
    return count;
  }
  size_t components() const { return components(branches.size(), buses.size()); }

  std::set<size_t> bridges() const {
    std::set<size_t> found;
    for (size_t i = 0; i < branches.size(); ++i)
      if (components(i, buses.size()) > components()) found.insert(i);
    return found;
  }
  std::set<size_t> articulation_points() const {
    std::set<size_t> found;
    for (size_t i = 0; i < buses.size(); ++i)
      if (components(branches.size(), i) > components()) found.insert(i);
    return found;
  }

  /// By bus: branches and where they lead.
  std::vector<std::vector<std::pair<size_t, size_t>>> steps() const {
    std::vector<std::vector<std::pair<size_t, size_t>>> out(buses.size());
    for (size_t i = 0; i < branches.size(); ++i) {
      out[branches[i].source].emplace_back(i, branches[i].target);
      out[branches[i].target].emplace_back(i, branches[i].source);
    }
    return out;
  }

  std::vector<double> distances(size_t source) const {
    const auto next = steps();
    std::vector<double> distance(buses.size(), kFar);
    std::set<std::pair<double, size_t>> open{{0, source}};
    distance[source] = 0;
    while (!open.empty()) {
      const auto [length, bus] = *open.begin();
      open.erase(open.begin());
      for (const auto& [branch, target] : next[bus]) {
        const double longer = length + branches[branch].length;
        if (longer >= distance[target]) continue;
        open.erase({distance[target], target});
        distance[target] = longer;
        open.insert({longer, target});
      }
    }
    return distance;
  }

  /// Edmonds and Karp's, on the sums of what is parallel: room between any two buses, either way.
  double largest_flow(size_t source, size_t sink) const {
    std::vector<std::map<size_t, double>> room(buses.size());
    for (const Branch& one : branches) {
      if (one.source == one.target) continue;
      room[one.source][one.target] += one.capacity;
      room[one.target][one.source] += one.capacity;
    }
    double total = 0;
    while (true) {
      std::vector<size_t> from(buses.size(), buses.size());
      std::queue<size_t> open;
      open.push(source);
      from[source] = source;
      while (!open.empty() && from[sink] == buses.size()) {
        const size_t bus = open.front();
        open.pop();
        for (const auto& [target, left] : room[bus]) {
          if (left <= 1e-9 || from[target] != buses.size()) continue;
          from[target] = bus;
          open.push(target);
        }
      }
      if (from[sink] == buses.size()) return total;
      double amount = kFar;
      for (size_t bus = sink; bus != source; bus = from[bus]) amount = std::min(amount, room[from[bus]][bus]);
      for (size_t bus = sink; bus != source; bus = from[bus]) {
        room[from[bus]][bus] -= amount;
        room[bus][from[bus]] += amount;
      }
      total += amount;
    }
  }

  Grid with_one_of_parallel_branches() const {
    Grid grid = *this;
    grid.branches.clear();
    std::set<std::pair<size_t, size_t>> seen;
    for (const Branch& one : branches)
      if (seen.insert(std::minmax(one.source, one.target)).second) grid.branches.push_back(one);
    return grid;
  }
  Grid with_lines_only() const {
    Grid grid = *this;
    std::erase_if(grid.branches, [](const Branch& one) { return !one.is_line; });
    return grid;
  }
};

/// Biconnected components by branch: a depth-first search that keeps the branches of what is not closed.
class Parts {
 public:
  explicit Parts(const Grid& grid) : steps_(grid.steps()), order_(grid.buses.size(), 0), of(grid.branches.size(), 0) {
    for (size_t bus = 0; bus < grid.buses.size(); ++bus)
      if (order_[bus] == 0) visit(bus, grid.branches.size());
  }

 private:
  size_t visit(size_t bus, size_t via) {
    size_t low = order_[bus] = ++time_;
    for (const auto& [branch, target] : steps_[bus]) {
      if (branch == via || target == bus) continue;
      if (order_[target] != 0) {
        if (order_[target] < order_[bus]) open_.push_back(branch);
        low = std::min(low, order_[target]);
        continue;
      }
      const size_t held = open_.size();
      open_.push_back(branch);
      const size_t reached = visit(target, branch);
      low = std::min(low, reached);
      if (reached < order_[bus]) continue;
      ++count_;
      for (size_t i = held; i < open_.size(); ++i) of[open_[i]] = count_;
      open_.resize(held);
    }
    return low;
  }

  std::vector<std::vector<std::pair<size_t, size_t>>> steps_;
  std::vector<size_t> order_;
  std::vector<size_t> open_;
  size_t time_ = 0;
  size_t count_ = 0;

 public:
  std::vector<size_t> of;
};

/// The grid in a database, and from its ids back to places in the lists.
class StoredGrid {
 public:
  StoredGrid() : database_(directory_ / "db"), connection_(database_) {
    REQUIRE_MESSAGE(database_.ok(), database_.message());
    run("SELECT graph_create_index('Bus', 'id', 1)");
    REQUIRE(braid_begin(connection_.get(), BRAID_WRITE) == BRAID_OK);
    std::vector<int64_t> nodes;
    for (const std::string& bus : grid.buses) {
      nodes.emplace_back();
      const std::string properties = fmt::format(R"({{"id":"{}"}})", bus);
      REQUIRE(braid_node_create(connection_.get(), R"(["Bus"])", properties.c_str(), &nodes.back()) == BRAID_OK);
      bus_of[nodes.back()] = nodes.size() - 1;
    }
    for (size_t i = 0; i < grid.branches.size(); ++i) {
      const Branch& one = grid.branches[i];
      const std::string length = one.is_line ? fmt::format(R"("length_km":{},)", one.length) : "";
      const std::string properties = fmt::format(R"({{{}"s_nom_mva":{}}})", length, one.capacity);
      int64_t edge = 0;
      REQUIRE(braid_edge_create(connection_.get(), nodes[one.source], one.is_line ? "LINE" : "TRANSFORMER", nodes[one.target],
                                properties.c_str(), &edge) == BRAID_OK);
      branch_of[edge] = i;
    }
    REQUIRE(braid_commit(connection_.get()) == BRAID_OK);
    run("SELECT graph_project('grid', 'Bus', '[\"LINE\",\"TRANSFORMER\"]', NULL, 'undirected')");
    run("SELECT graph_project('lines', 'Bus', 'LINE', NULL, 'undirected')");
    run("SELECT graph_project('lengths', 'Bus', '[\"LINE\",\"TRANSFORMER\"]', 'length_km', 'undirected')");
    run("SELECT graph_project('capacities', 'Bus', '[\"LINE\",\"TRANSFORMER\"]', 's_nom_mva', 'undirected')");
  }

  /// The numbers of each row.
  std::vector<std::vector<double>> rows(const std::string& sql) {
    const std::string text = connection_.rows(sql);
    REQUIRE_MESSAGE(!text.starts_with("error"), text);
    std::vector<std::vector<double>> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line, ';');) {
      std::istringstream fields(line);
      out.emplace_back();
      for (std::string field; std::getline(fields, field, '|');) out.back().push_back(std::stod(field));
    }
    return out;
  }
  /// By the C API, which walks the stored graph.
  double distance_on_disk(size_t source, size_t target) {
    const auto id = [this](size_t bus) {
      return std::find_if(bus_of.begin(), bus_of.end(), [bus](const auto& one) { return one.second == bus; })->first;
    };
    size_t count = 0;
    double cost = 0;
    const int32_t code = braid_shortest_path(connection_.get(), id(source), id(target), BRAID_BOTH, nullptr, "length_km", nullptr,
                                             nullptr, 0, &count, &cost);
    REQUIRE_MESSAGE(code == BRAID_OK, connection_.error());
    return count == 0 ? kFar : cost;
  }
  size_t bus(double node) const { return bus_of.at(static_cast<int64_t>(node)); }
  size_t branch(double edge) const { return branch_of.at(static_cast<int64_t>(edge)); }
  std::string node(size_t bus) const { return fmt::format("graph_node('Bus', 'id', '{}')", grid.buses[bus]); }

  const Grid grid;
  std::map<int64_t, size_t> bus_of;
  std::map<int64_t, size_t> branch_of;

 private:
  void run(const std::string& sql) { REQUIRE_MESSAGE(connection_.run(sql) == BRAID_OK, connection_.error()); }

  TempDir directory_;
  TestDatabase database_;
  TestConnection connection_;
};

/// Loaded once; no test changes it.
StoredGrid& stored() {
  static StoredGrid grid;
  return grid;
}

}  // namespace

TEST_CASE("the grid has as many components as its files") {
  const Grid& grid = stored().grid;
  CHECK(stored().rows("SELECT count(DISTINCT component) FROM graph_wcc('grid')")[0][0] == static_cast<double>(grid.components()));
  CHECK(stored().rows("SELECT count(DISTINCT component) FROM graph_wcc('lines')")[0][0] ==
        static_cast<double>(grid.with_lines_only().components()));
  CHECK(grid.with_lines_only().components() > grid.components());
}

TEST_CASE("a bus has each of its parallel branches in its degree") {
  std::map<size_t, double> degrees;
  for (const Branch& one : stored().grid.branches) {
    ++degrees[one.source];
    ++degrees[one.target];
  }
  for (const auto& row : stored().rows("SELECT node, degree FROM graph_degree('grid')"))
    CHECK(row[1] == degrees[stored().bus(row[0])]);
}

TEST_CASE("no parallel line is a bridge of the grid") {
  const Grid& grid = stored().grid;
  std::set<size_t> found;
  for (const auto& row : stored().rows("SELECT edge FROM graph_bridges('grid')")) found.insert(stored().branch(row[0]));
  CHECK(found == grid.bridges());
  // Were parallel branches one, many more would look as if everything hung on them.
  CHECK(grid.with_one_of_parallel_branches().bridges().size() > found.size());
}

TEST_CASE("the buses without which the grid falls apart are those of the files") {
  std::set<size_t> found;
  for (const auto& row : stored().rows("SELECT node FROM graph_articulation_points('grid')")) found.insert(stored().bus(row[0]));
  CHECK(found == stored().grid.articulation_points());
  CHECK_FALSE(found.empty());
}

TEST_CASE("biconnected components of the grid are those of a search over the files") {
  const Grid& grid = stored().grid;
  const Parts parts(grid);
  std::map<double, size_t> there;
  std::map<size_t, double> back;
  const auto rows = stored().rows("SELECT edge, component FROM graph_biconnected('grid')");
  CHECK(rows.size() == grid.branches.size());
  for (const auto& row : rows) {
    const size_t branch = stored().branch(row[0]);
    if (grid.branches[branch].source == grid.branches[branch].target) continue;
    CHECK(there.emplace(row[1], parts.of[branch]).first->second == parts.of[branch]);
    CHECK(back.emplace(parts.of[branch], row[1]).first->second == row[1]);
  }
  CHECK(there.size() > 10);
}

TEST_CASE("distances by length between all buses are those of a search over the files") {
  const Grid& grid = stored().grid;
  std::vector<std::vector<double>> found(grid.buses.size(), std::vector<double>(grid.buses.size(), kFar));
  for (const auto& row : stored().rows("SELECT source_node, target_node, distance FROM graph_all_pairs('lengths')"))
    found[stored().bus(row[0])][stored().bus(row[1])] = row[2];
  for (size_t source = 0; source < grid.buses.size(); ++source) {
    const std::vector<double> wanted = grid.distances(source);
    for (size_t target = 0; target < wanted.size(); ++target) {
      const bool same = found[source][target] == wanted[target] || std::abs(found[source][target] - wanted[target]) < 1e-6;
      if (!same) FAIL_CHECK(grid.buses[source], " to ", grid.buses[target], ": ", found[source][target], " and ", wanted[target]);
    }
  }
}

TEST_CASE("a path between two buses is as long as the distance, on disk and in a projection") {
  const Grid& grid = stored().grid;
  std::mt19937_64 random(5);
  for (int i = 0; i < 25; ++i) {
    const size_t source = random() % grid.buses.size(), target = random() % grid.buses.size();
    const double wanted = grid.distances(source)[target];
    CAPTURE(grid.buses[source]);
    CAPTURE(grid.buses[target]);
    const auto path = stored().rows(
        fmt::format("SELECT max(cost) FROM graph_path('lengths', {}, {}) HAVING count(*) > 0", stored().node(source), stored().node(target)));
    REQUIRE(path.size() == (wanted < kFar ? 1 : 0));
    if (!path.empty()) CHECK(std::abs(path[0][0] - wanted) < 1e-6);
    CHECK((stored().distance_on_disk(source, target) == wanted || std::abs(stored().distance_on_disk(source, target) - wanted) < 1e-6));
  }
}

TEST_CASE("parallel lines carry together: the largest flow between buses is that of the files") {
  const Grid& grid = stored().grid;
  const Grid single = grid.with_one_of_parallel_branches();
  std::mt19937_64 random(3);
  int larger = 0, compared = 0;
  for (int i = 0; i < 40; ++i) {
    const size_t source = random() % grid.buses.size(), sink = random() % grid.buses.size();
    if (source == sink) continue;
    CAPTURE(grid.buses[source]);
    CAPTURE(grid.buses[sink]);
    const double wanted = grid.largest_flow(source, sink);
    const auto rows = stored().rows(fmt::format("SELECT edge, flow, cut, capacity, total FROM graph_max_flow('capacities', {}, {})",
                                                stored().node(source), stored().node(sink)));
    CHECK(rows.empty() == (wanted == 0));
    double cut = 0;
    for (const auto& row : rows) {
      CHECK(std::abs(row[4] - wanted) < 1e-6);
      CHECK(row[3] == doctest::Approx(grid.branches[stored().branch(row[0])].capacity));
      CHECK(row[1] <= row[3] + 1e-6);
      if (row[2] == 1) cut += row[3];
    }
    CHECK(std::abs(cut - wanted) < 1e-6);
    ++compared;
    larger += wanted > single.largest_flow(source, sink) + 1;
  }
  // Were parallel branches one, less would flow between many of these.
  CHECK(larger > compared / 4);
}

int main(int count, char** arguments) {
  const char* shared = std::getenv("BRAID_SHARED");
  data_directory = std::string(shared != nullptr ? shared : count > 1 ? arguments[1] : ".") + "/data/scigrid-de/graph";
  if (!std::ifstream(data_directory + "/node_bus.csv").good()) {
    fmt::print("skipped: there is no {} (BRAID_SHARED names the place)\n", data_directory);
    return 77;
  }
  return doctest::Context().run();
}
