// The demo: this machine's packages, their dependencies and its load in one Braid database.
//
// Where dpkg is absent, or when the environment variable BRAID_DEMO_SOURCE is "processes", the rows
// are the running processes and the libraries they map.
#pragma once

#include <optional>
#include <string>

namespace braid::cli {

// Runs the tour in `directory`, or in ./braid-demo when none is given. Returns the exit code.
int run_demo(const std::optional<std::string>& directory);

// The hidden subcommand `braid demo-writer DIR`: commits transactions over all three models until
// it is killed and prints the number of each one after its commit was acknowledged. Returns only on
// an error.
int run_demo_writer(const std::string& directory);

}  // namespace braid::cli
