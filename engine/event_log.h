// What the engine does, or meets, by itself, told to the host: checkpoints, recovery, failures.
//
// One listener for the process, as for SQLite's error log: so that it hears of an opening too, and of what fails where no database is known.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/types.h"

namespace braid {

enum class EventLevel : uint8_t { kError = 1, kWarning = 2, kInfo = 3 };

struct Event {
  Timestamp time;
  EventLevel level;
  std::string_view area;  ///< a constant: "checkpoint"
  std::string message;    ///< with the directory or file that it is about
};

using EventListener = std::function<void(const Event&)>;

/// From now on events up to `level` go to `listener`, which is called by the thread that makes the event, one at a time, while that holds locks of the engine:
/// it must not call the engine. Empty: nobody listens. When this returns, the listener before is not being called.
/// Threads: any.
void listen_to_events(EventLevel level, EventListener listener);
/// Threads: any.
void note_event(EventLevel level, std::string_view area, std::string message);
/// Is this thread within the listener?
bool is_listening();

}  // namespace braid
