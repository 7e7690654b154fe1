#include "cli/graph_writer.h"

#include "cli/interrupt.h"

namespace braid::cli {

namespace {

/// A disk that is full, or a pipe that nobody reads any more, ends the work.
Done may_go_on(const OutputFile& file) {
  if (interrupt_requested()) return interrupted();
  if (file.failed()) return Failure{"the output cannot be written"};
  return std::nullopt;
}

}  // namespace

Done write_graph(const GraphSelection& selection, OutputFile* file, GraphWriter* writer) {
  if (writer->wants_survey()) {
    CLI_TRY(selection.visit_nodes([&](const GraphNode& node) { return writer->survey(node); }));
    CLI_TRY(selection.visit_edges([&](const GraphEdge& edge) { return writer->survey(edge); }));
  }
  CLI_TRY(writer->begin());
  CLI_TRY(selection.visit_nodes([&](const GraphNode& node) -> Done {
    CLI_TRY(may_go_on(*file));
    return writer->write(node);
  }));
  CLI_TRY(selection.visit_edges([&](const GraphEdge& edge) -> Done {
    CLI_TRY(may_go_on(*file));
    return writer->write(edge);
  }));
  writer->end();
  return std::nullopt;
}

}  // namespace braid::cli
