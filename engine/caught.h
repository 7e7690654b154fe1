// A call that may throw, as a Status: for where something must be put in order whatever happens.
#pragma once

#include <exception>
#include <new>

#include "engine/status.h"

namespace braid {

/// What `body` answers, or what it threw. The text for a lack of memory is short enough to need none.
template <typename Body>
Status caught(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, error.what());
  }
}

}  // namespace braid
