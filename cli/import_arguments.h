// What to import, from where, into what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/column_type.h"
#include "cli/value_reader.h"

namespace braid::cli {

/// LABEL.KEY=COLUMN: the node whose property KEY has the value of COLUMN.
struct EdgeEnd {
  std::string label;
  std::string key;
  std::string column;
};

struct ImportArguments {
  enum class Target : uint8_t { kTable, kHypertable, kNodes, kEdges, kGraphml, kLineProtocol, kExport };

  std::string file;  ///< "-" for standard input
  Target target = Target::kTable;
  std::string name;  ///< of the table or hypertable; the nodes' label; the edges' type
  std::string key;   ///< of the nodes: the column, or GraphML's property, that tells them apart
  EdgeEnd from;
  EdgeEnd to;
  std::string edge_key;  ///< the column or property that tells edges of the type apart; "" for none
  std::string label;     ///< GraphML: of nodes that have none; "" for none
  std::string edge_type = "RELATED";  ///< GraphML: of edges that have none
  std::vector<std::pair<std::string, ColumnType>> types;
  std::string time;  ///< the column that holds the time; "" to go by its name
  std::vector<std::string> tags;
  std::optional<TimeUnit> time_unit;
  char separator = ',';
  std::string null_text;  ///< a further text, besides nothing, that means NULL
  std::string resume;     ///< name of the load that goes on after a crash; "" for one transaction
  int64_t batch_rows = 50'000;  ///< in each transaction of such a load
  bool verbose = false;   ///< says what was done though no terminal is there to read it
};

}  // namespace braid::cli
