#include "cli/graph_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/graph_selection.h"
#include "cli/graph_writer.h"
#include "cli/picture_layout.h"
#include "cli/picture_reader.h"
#include "cli/svg_writer.h"

namespace braid::cli {

namespace {

std::optional<int64_t> nodes_max(const GraphArguments& arguments) {
  if (arguments.format != GraphArguments::Format::kSvg) return arguments.nodes_max;
  return std::min(arguments.nodes_max.value_or(kPictureNodesDefault), kPictureNodesMax);
}

Done draw(const Session& session, const GraphArguments& arguments,
          const GraphSelection& selection) {
  Outcome<PictureReading> reading = read_picture(session, arguments, selection);
  if (!reading.ok()) return reading.failure();
  Picture& picture = reading->picture;
  place_nodes(&picture, reading->layered);
  route_edges(&picture);
  place_edge_texts(&picture);
  auto file = OutputFile::open(arguments.file);
  if (!file.ok()) return file.failure();
  (*file)->write(svg_text(picture));
  return (*file)->finish();
}

std::unique_ptr<GraphWriter> make_writer(const Session& session, const GraphArguments& arguments,
                                         OutputFile* file) {
  switch (arguments.format) {
    case GraphArguments::Format::kGraphml:
      return make_graphml_writer(file);
    case GraphArguments::Format::kDot:
      return make_dot_writer(file, session, arguments.caption);
    case GraphArguments::Format::kJson:
      return make_graph_json_writer(file);
    case GraphArguments::Format::kSvg:
      break;
  }
  return nullptr;
}

// The choice is made before the file is opened: a mistake in it leaves an older file as it is.
Done run_in_transaction(const Session& session, const GraphArguments& arguments) {
  Outcome<GraphSelection> selection =
      GraphSelection::choose(session, arguments, nodes_max(arguments));
  if (!selection.ok()) return selection.failure();
  if (arguments.format == GraphArguments::Format::kSvg) return draw(session, arguments, *selection);
  auto file = OutputFile::open(arguments.file);
  if (!file.ok()) return file.failure();
  Done done =
      write_graph(*selection, file->get(), make_writer(session, arguments, file->get()).get());
  // What the file has to say is nearer to the cause.
  if (done.has_value() && !(*file)->failed()) return done;
  return (*file)->finish();
}

}  // namespace

Done run_graph(const Session& session, const GraphArguments& arguments) {
  CLI_TRY(session.check(braid_begin(session.connection(), BRAID_READ)));
  Done done = run_in_transaction(session, arguments);
  Done ended = session.check(braid_rollback(session.connection()));
  return done.has_value() ? done : ended;
}

}  // namespace braid::cli
