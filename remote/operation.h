// What a process may ask of the one that serves a database: mostly functions of the C API.
#pragma once

#include <cstddef>
#include <cstdint>

namespace braid {

/// Numbers are those of one release: who speaks another version is refused when it says hello.
enum class Operation : uint16_t {
#define X(id, may_commit) id,
#include "remote/operations.def"
#undef X
};

inline constexpr size_t kOperationCount = 0
#define X(id, may_commit) +1
#include "remote/operations.def"
#undef X
    ;

/// May the call commit, if no transaction is open? When the answer is lost, nobody knows then whether it did.
constexpr bool may_commit(Operation operation) {
  constexpr bool kMayCommit[] = {
#define X(id, may_commit) may_commit,
#include "remote/operations.def"
#undef X
  };
  return kMayCommit[static_cast<size_t>(operation)];
}

}  // namespace braid
