// GraphML as nodes and edges, one after the other, from any program: Braid, Neo4j, NetworkX, yEd,
// Gephi.
//
// Values come as properties with the types that their keys declare. Nested graphs are read as one;
// a hyperedge is an error. Entities are refused, so that a small file cannot become a large text.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/input_file.h"
#include "cli/outcome.h"

namespace braid::cli {

/// A node or an edge. What a node does not have is empty.
struct GraphmlItem {
  bool edge = false;
  int64_t line = 0;  ///< where it begins
  std::string id;
  std::string source;
  std::string target;
  std::vector<std::string> labels;
  std::string type;
  std::string properties;  ///< a JSON object
};

class GraphmlReader {
 public:
  explicit GraphmlReader(ByteSource& source);
  ~GraphmlReader();
  GraphmlReader(const GraphmlReader&) = delete;
  GraphmlReader& operator=(const GraphmlReader&) = delete;

  /// Calls `visit` with each node and edge as it ends, until it fails. Failures have their line.
  Done read(const std::function<Done(const GraphmlItem&)>& visit);

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
  ByteSource& source_;
};

}  // namespace braid::cli
