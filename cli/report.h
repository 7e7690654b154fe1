// Errors for people and for editors that jump to them.
#pragma once

#include <string>
#include <string_view>

#include "cli/outcome.h"
#include "cli/statement_splitter.h"

namespace braid::cli {

/// Where the failure of a piece is, as "FILE:3:8" or, without a file's name, "3:8".
std::string failure_place(std::string_view source, const ScriptPiece& piece,
                          const Failure& failure);

/// The line of the statement that failed with a mark under the place; "" when the place is not
/// known.
std::string failure_excerpt(const ScriptPiece& piece, const Failure& failure);

/// Writes "braid: MESSAGE" to standard error.
void report(const Failure& failure);

/// Writes "PLACE: MESSAGE" to standard error.
void report_at(std::string_view source, const ScriptPiece& piece, const Failure& failure);

/// Writes what failed with its excerpt, for the shell, where the statement was just typed.
void report_in_shell(const ScriptPiece& piece, const Failure& failure);

}  // namespace braid::cli
