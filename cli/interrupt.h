// Ctrl-C: it stops the statement that runs, and not the command; at the shell's prompt it clears
// the line.
//
// The signal handler only writes a byte to a pipe. While a prompt is open the prompt reads that
// pipe; otherwise a thread does, and passes the interrupt to the connection that is the target.
#pragma once

#include "api/braid.h"

namespace braid::cli {

/// Takes SIGINT over for the rest of the process. False when the system has no pipes or threads
/// left: Ctrl-C then ends the process as usual, which a database survives.
bool install_interrupt_handler();

/// The connection whose statements Ctrl-C stops; null for none. It must stay open until another is
/// set.
void set_interrupt_target(braid_connection* connection);

/// What Ctrl-C sets, until `clear_interrupt`: for calls that are on no connection. NULL where no handler is installed.
braid_cancel* interrupt_token();

/// True when Ctrl-C was pressed since the last `clear_interrupt`.
bool interrupt_requested();
void clear_interrupt();

/// While it lives, Ctrl-C belongs to the prompt.
class PromptInterrupt {
 public:
  PromptInterrupt();
  ~PromptInterrupt();
  PromptInterrupt(const PromptInterrupt&) = delete;
  PromptInterrupt& operator=(const PromptInterrupt&) = delete;

  /// Becomes readable at Ctrl-C; -1 when no handler is installed.
  int descriptor() const;
  /// Takes the bytes that are in the pipe.
  void drain() const;
};

}  // namespace braid::cli
