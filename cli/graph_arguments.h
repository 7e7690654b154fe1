// What of the graph to draw or write, and where to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/import_arguments.h"

namespace braid::cli {

struct GraphArguments {
  enum class Selection : uint8_t { kFrom, kAll, kLabels, kQuery };
  enum class Format : uint8_t { kSvg, kGraphml, kDot, kJson };

  Selection selection = Selection::kAll;
  std::vector<std::string> from;  ///< LABEL.KEY=VALUE, or a node's id
  int64_t hops = 2;
  std::string along = "both";
  std::vector<std::string> labels;
  std::vector<std::string> types;  ///< none: every edge
  std::string query;
  std::optional<int64_t> nodes_max;

  Format format = Format::kSvg;
  std::string file;     ///< "-" for standard output
  std::string weight;   ///< property that is shown at the edges
  std::string caption;  ///< property that names a node; "" to choose
  std::string method = "auto";
  int64_t seed = 1;
};

}  // namespace braid::cli
