// A statement that another process makes of a question.
#pragma once

#include <utility>
#include <vector>

#include "api/handles.h"

namespace braid {

/// Pre: the connection is one that another process keeps. No statement for white space.
inline Status query_there(const std::shared_ptr<ConnectionState>& state, Operation operation, std::vector<Value> values, braid_statement** statement,
                          int64_t* tail = nullptr) {
  RemoteConnection& remote = *state->remote;
  BRAID_ASSIGN(const Message made, remote.call(operation, std::move(values)));
  if (tail != nullptr && made.values.size() > 1) *tail = made.values[1].integer;
  auto handle = RemoteStatement::of(remote, made);
  if (handle != nullptr) *statement = make_statement(state, nullptr, std::move(handle)).release();
  return {};
}

}  // namespace braid
