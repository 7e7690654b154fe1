#include "cli/query_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace braid::cli {

namespace {

struct PlanStep {
  int64_t id = 0;
  int64_t parent = 0;
  std::string detail;
};

// SQLite nests an expression, and so a plan, at most 1,000 deep.
void append_children(const std::vector<PlanStep>& steps, int64_t parent, const std::string& indent, std::string* tree) {
  std::vector<const PlanStep*> children;
  for (const PlanStep& step : steps) {
    if (step.parent == parent) children.push_back(&step);
  }
  for (const PlanStep* child : children) {
    const bool last = child == children.back();
    *tree += fmt::format("{}{}{}\n", indent, last ? "└─ " : "├─ ", printable(child->detail, false));
    append_children(steps, child->id, indent + (last ? "   " : "│  "), tree);
  }
}

}  // namespace

Done show_plan(const Session& session, std::string_view sql, std::FILE* out) {
  constexpr std::string_view kPrefix = "EXPLAIN QUERY PLAN ";
  std::vector<PlanStep> steps;
  Done done = session.query(fmt::format("{}{}", kPrefix, sql), {}, [&steps](braid_statement* row) {
    steps.push_back({braid_column_int64(row, 0), braid_column_int64(row, 1), std::string(column_text(row, 3))});
  });
  if (done.has_value()) {
    done->sql_offset = std::max<int64_t>(done->sql_offset - static_cast<int64_t>(kPrefix.size()), -1);
    return done;
  }
  std::string tree;
  append_children(steps, 0, "", &tree);
  std::fwrite(tree.data(), 1, tree.size(), out);
  return std::nullopt;
}

}  // namespace braid::cli
