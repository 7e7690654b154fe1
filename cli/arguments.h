// The command line: what was asked for, or how to ask.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/backup_command.h"
#include "cli/export_command.h"
#include "cli/graph_arguments.h"
#include "cli/import_arguments.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/plot_command.h"
#include "cli/tail_command.h"

namespace braid::cli {

/// Options that every subcommand on a database has.
struct DatabaseArguments {
  std::string directory;
  std::string options;  ///< for braid_open: "name=value;name=value"
};

/// `braid DIR [SQL]`.
struct SqlArguments {
  DatabaseArguments database;
  std::optional<std::string> sql;
  std::vector<std::string> files;  ///< -f; "-" is standard input
  std::optional<OutputFormat> format;
  bool keep_going = false;
};

struct ImportCommand {
  DatabaseArguments database;
  ImportArguments import;
};

struct GraphCommand {
  DatabaseArguments database;
  GraphArguments graph;
};

struct PlotCommand {
  DatabaseArguments database;
  PlotArguments plot;
};

struct CheckCommand {
  DatabaseArguments database;
};

struct BackupCommand {
  DatabaseArguments database;
  BackupArguments backup;
};

struct StatsCommand {
  DatabaseArguments database;
  std::optional<OutputFormat> format;
  bool prometheus = false;
};

struct ExportCommand {
  DatabaseArguments database;
  ExportArguments exported;
};

struct TailCommand {
  DatabaseArguments database;
  TailArguments tail;
};

struct DemoCommand {
  std::optional<std::string> directory;
};

/// Not for people: the writer that the demo kills.
struct DemoWriterCommand {
  std::string directory;
};

/// Text that answers the command line by itself: help or a version on standard output, or how it is
/// wrong on standard error.
struct Answer {
  std::string text;
  int exit_code = 0;
};

using Arguments = std::variant<SqlArguments, ImportCommand, GraphCommand, PlotCommand, CheckCommand,
                               BackupCommand, RestoreArguments, RepairArguments, StatsCommand, ExportCommand, TailCommand, DemoCommand, DemoWriterCommand, Answer>;

/// Reads the words after the command's name.
Arguments read_arguments(std::vector<std::string> words);

/// Reads the words of `.import`, which are those of `braid import` without the directory. An
/// Answer's text becomes the failure, or, for --help, is printed.
std::variant<ImportArguments, Answer> read_import_arguments(std::vector<std::string> words);
/// The same for `.graph` and `.plot`.
std::variant<GraphArguments, Answer> read_graph_arguments(std::vector<std::string> words);
std::variant<PlotArguments, Answer> read_plot_arguments(std::vector<std::string> words);

/// The words as CLI11 knows them: -json, -csv, -box, -line, -keep-going, -version and -help get
/// their second dash, and an SQL text that begins with a comment is told from an option.
std::vector<std::string> normalised_words(std::vector<std::string> words);

}  // namespace braid::cli
