// The options of `braid graph`.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/graph_arguments.h"

namespace braid::cli {

inline constexpr std::string_view kGraphSummary =
    "Draws a part of the graph as SVG, or writes it as GraphML, DOT or JSON.";

/// Adds the options to a parser, which writes into it: it stays where it is until the words were
/// read.
class GraphOptions {
 public:
  explicit GraphOptions(CLI::App* app);
  GraphOptions(const GraphOptions&) = delete;
  GraphOptions& operator=(const GraphOptions&) = delete;

  /// Hands over what was read; else what is wrong about it, as a sentence.
  std::optional<std::string> take(GraphArguments* graph);

 private:
  std::optional<std::string> take_selection();
  std::optional<std::string> take_output();
  std::optional<std::string> misplaced_option() const;

  CLI::App* app_;
  GraphArguments graph_;
  // As they were written.
  bool all_ = false;
  std::string svg_;
  std::string graphml_;
  std::string dot_;
  std::string json_;
};

}  // namespace braid::cli
