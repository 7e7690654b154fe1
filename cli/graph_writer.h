// A graph as a file for other programs, written while it is read.
#pragma once

#include <memory>

#include "cli/graph_selection.h"
#include "cli/output_file.h"

namespace braid::cli {

/// Writes a selection: what must be known beforehand is read first, then nodes, then edges.
class GraphWriter {
 public:
  virtual ~GraphWriter() = default;
  /// True when `survey` wants to see everything before `begin`.
  virtual bool wants_survey() const { return false; }
  virtual Done survey(const GraphNode&) { return std::nullopt; }
  virtual Done survey(const GraphEdge&) { return std::nullopt; }
  virtual Done begin() = 0;
  virtual Done write(const GraphNode& node) = 0;
  virtual Done write(const GraphEdge& edge) = 0;
  virtual void end() = 0;
};

std::unique_ptr<GraphWriter> make_graphml_writer(OutputFile* file);
std::unique_ptr<GraphWriter> make_dot_writer(OutputFile* file, const Session& session,
                                             const std::string& caption);
std::unique_ptr<GraphWriter> make_graph_json_writer(OutputFile* file);

/// Runs a writer over a selection.
Done write_graph(const GraphSelection& selection, OutputFile* file, GraphWriter* writer);

}  // namespace braid::cli
