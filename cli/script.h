// SQL and dot commands from files, from standard input and from the command line.
#pragma once

#include <string>
#include <string_view>

#include "cli/console.h"
#include "cli/statement_splitter.h"

namespace braid::cli {

/// How a script ended.
enum class ScriptEnd : uint8_t { kOk, kFailed };

/// Runs one piece, whichever kind it is.
Done run_piece(Console* console, const ScriptPiece& piece);

/// Runs text and reports errors with their line and column; stops at the first one unless
/// `keep_going`.
ScriptEnd run_script_text(Console* console, std::string_view text, bool keep_going);

/// Runs a file, "-" being standard input, statement by statement as it is read.
ScriptEnd run_script_file(Console* console, const std::string& path, bool keep_going);

}  // namespace braid::cli
