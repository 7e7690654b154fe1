// The options of an import, shared by `braid import` and `.import`.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/import_arguments.h"

namespace braid::cli {

inline constexpr std::string_view kImportSummary =
    "Loads CSV into a table, a hypertable or the graph, GraphML, InfluxDB's line protocol, or what braid export wrote.";

/// Adds the options to a parser, which writes into it: it stays where it is until the words were
/// read.
class ImportOptions {
 public:
  explicit ImportOptions(CLI::App* app);
  ImportOptions(const ImportOptions&) = delete;
  ImportOptions& operator=(const ImportOptions&) = delete;

  /// Hands over what was read; else what is wrong about it, as a sentence.
  std::optional<std::string> take(ImportArguments* import);

 private:
  std::optional<std::string> take_target();
  std::optional<std::string> take_ends();
  std::optional<std::string> take_types();
  std::optional<std::string> take_characters();
  std::optional<std::string> misplaced_option() const;

  CLI::App* app_;
  ImportArguments import_;
  // As they were written.
  std::string table_;
  std::string hypertable_;
  std::string nodes_;
  std::string edges_;
  bool graphml_ = false;
  bool line_protocol_ = false;
  std::string from_;
  std::string to_;
  std::vector<std::string> types_;
  std::string time_unit_;
  std::string separator_ = ",";
};

/// LABEL.KEY=COLUMN; a label and a column may have dots in them, a key may not.
std::optional<EdgeEnd> read_edge_end(std::string_view text);

}  // namespace braid::cli
