// What a process may ask of the one that serves a database: mostly functions of the C API.
#pragma once

#include <cstddef>
#include <cstdint>

namespace braid {

/// Numbers are those of one release: who speaks another version is refused when it says hello.
enum class Operation : uint16_t {
#define X(id, commits, minds) id,
#include "remote/operations.def"
#undef X
};

inline constexpr size_t kOperationCount = 0
#define X(id, commits, minds) +1
#include "remote/operations.def"
#undef X
    ;

/// May the call commit, if no transaction is open? When the answer is lost, nobody knows then whether it did.
constexpr bool may_commit(Operation operation) {
  constexpr bool kMayCommit[] = {
#define X(id, commits, minds) commits,
#include "remote/operations.def"
#undef X
  };
  return kMayCommit[static_cast<size_t>(operation)];
}

/// Is the call refused while a cancel token is set? What ends what was begun, settings and figures are not.
constexpr bool minds_token(Operation operation) {
  constexpr bool kMinds[] = {
#define X(id, commits, minds) minds,
#include "remote/operations.def"
#undef X
  };
  return kMinds[static_cast<size_t>(operation)];
}

}  // namespace braid
