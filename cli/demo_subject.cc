#include "cli/demo_subject.h"

#include <array>
#include <deque>
#include <map>
#include <vector>

namespace braid::cli::demo {
namespace {

// A search from every item must stay a matter of milliseconds.
constexpr size_t kStartsMax = 2000;

using Adjacency = std::map<std::string, std::vector<std::string>>;

Adjacency adjacency_of(const Inventory& inventory) {
  Adjacency adjacency;
  for (const Edge& edge : inventory.edges) {
    if (edge.type == inventory.wording.need && !edge.to_virtual) {
      adjacency[edge.from].push_back(edge.to);
    }
  }
  return adjacency;
}

// The last item that a breadth-first search reaches, and how far it is.
std::pair<std::string, int> farthest(const Adjacency& adjacency, const std::string& start) {
  std::map<std::string, int> depths{{start, 0}};
  std::deque<std::string> queue{start};
  std::string last = start;
  while (!queue.empty()) {
    last = queue.front();
    queue.pop_front();
    const auto found = adjacency.find(last);
    if (found == adjacency.end()) continue;
    for (const std::string& next : found->second) {
      if (depths.emplace(next, depths[last] + 1).second) queue.push_back(next);
    }
  }
  return {last, depths[last]};
}

}  // namespace

std::string choose_needed(const Inventory& inventory) {
  std::map<std::string, size_t> needed;
  for (const Edge& edge : inventory.edges) {
    if (edge.choices == 1 && !edge.to_virtual) ++needed[edge.to];
  }
  static constexpr std::array<const char*, 5> kKnown = {"libssl3t64", "libssl3", "libssl1.1",
                                                        "zlib1g", "perl-base"};
  for (const char* name : kKnown) {
    if (needed.contains(name)) return name;
  }
  std::string most = inventory.items.front().name;
  for (const auto& [name, count] : needed) {
    if (count > needed[most]) most = name;
  }
  return most;
}

std::pair<std::string, std::string> choose_far_apart(const Inventory& inventory) {
  const Adjacency adjacency = adjacency_of(inventory);
  std::pair<std::string, std::string> chosen{inventory.items.front().name,
                                             inventory.items.front().name};
  int chosen_depth = 0;
  size_t starts = 0;
  for (const Item& item : inventory.items) {
    if (++starts > kStartsMax) break;
    const auto [name, depth] = farthest(adjacency, item.name);
    if (depth <= chosen_depth) continue;
    chosen = {item.name, name};
    chosen_depth = depth;
  }
  return chosen;
}

}  // namespace braid::cli::demo
