#include "engine/event_log.h"

#include <atomic>
#include <chrono>

#include "engine/mutex.h"

namespace braid {

namespace {

std::atomic<uint8_t> level_wanted{0};  // a hint for those that have nobody to tell: no order needed
Mutex listener_mutex;  // a leaf, held while the host is told
EventListener current_listener BRAID_GUARDED_BY(listener_mutex);
thread_local bool within_listener = false;

struct ListenerCall {
  ListenerCall() { within_listener = true; }
  ~ListenerCall() { within_listener = false; }
};

Timestamp wall_clock() {
  return Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

}  // namespace

void listen_to_events(EventLevel level, EventListener listener) {
  const MutexLock lock(listener_mutex);
  current_listener = std::move(listener);
  level_wanted.store(current_listener ? static_cast<uint8_t>(level) : uint8_t{0}, std::memory_order_relaxed);
}

void note_event(EventLevel level, std::string_view area, std::string message) {
  if (static_cast<uint8_t>(level) > level_wanted.load(std::memory_order_relaxed)) return;
  const Event event{wall_clock(), level, area, std::move(message)};
  const MutexLock lock(listener_mutex);
  if (!current_listener || static_cast<uint8_t>(level) > level_wanted.load(std::memory_order_relaxed)) return;
  const ListenerCall call;
  current_listener(event);
}

bool is_listening() { return within_listener; }

}  // namespace braid
