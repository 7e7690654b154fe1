// The interactive shell: statements of one or more lines, dot commands, Ctrl-C, history.
#pragma once

#include "cli/console.h"

namespace braid::cli {

/// Reads and runs until .quit or the end of input. Returns the exit code.
int run_shell(Console* console);

}  // namespace braid::cli
