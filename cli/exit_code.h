// What the command answers to the one who started it. Scripts depend on these numbers: frozen.
#pragma once

namespace braid::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;  ///< SQL, data, files or the database
inline constexpr int kExitUsage = 2;  ///< the command was called in a way that it does not know

}  // namespace braid::cli
