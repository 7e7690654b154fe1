// What a client asks of its feeds of commits.
#include <algorithm>

#include "api/c_guard.h"
#include "api/served_session.h"

namespace braid {

namespace {

/// An answer takes more lines while it has less than this, so that many small commits cost few calls.
constexpr size_t kAnswerBytes = 256 << 10;

int32_t feed_open(ServedSession& session, const CallArguments& given, Reply& reply) {
  braid_feed_options options{};
  options.size_bytes = sizeof options;
  options.bytes_max = static_cast<uint64_t>(std::max<int64_t>(0, given.number(0)));
  options.models = static_cast<uint32_t>(given.number(1));
  braid_feed* feed = nullptr;
  const int32_t code = braid_feed_open(&session.database, &options, &feed);
  if (code == BRAID_OK) reply.add(static_cast<int64_t>(session.add_feed(feed)));
  return code;
}

int32_t feed_next(ServedSession& session, const CallArguments& given, Reply& reply) {
  braid_feed* const feed = session.find_feed(given.handle());
  if (feed == nullptr) return reply.refuse_broken();
  int64_t wait_ms = given.number(0);
  int32_t code = BRAID_ROW;
  while (code == BRAID_ROW && reply.bytes() < kAnswerBytes) {
    const char* line = nullptr;
    size_t length = 0;
    code = braid_feed_next(feed, wait_ms, &line, &length);
    if (code == BRAID_ROW) reply.add_text({line, length});
    wait_ms = 0;
  }
  if (code == BRAID_ROW || code == BRAID_DONE || reply.count() > 0) return BRAID_OK;
  return reply.fail(code, braid_feed_error(feed));
}

constexpr ServedCall kCalls[] = {
    {Operation::kFeedOpen, feed_open},
    {Operation::kFeedNext, feed_next},
};

}  // namespace

uint64_t ServedSession::add_feed(braid_feed* feed) {
  const MutexLock lock(feeds_mutex_);
  return feeds_.add(feed);
}

braid_feed* ServedSession::find_feed(uint64_t number) {
  const MutexLock lock(feeds_mutex_);
  return feeds_.find(number);
}

void ServedSession::close_feed(uint64_t number) {
  braid_feed* feed;
  {
    const MutexLock lock(feeds_mutex_);
    feed = feeds_.take(number);
  }
  braid_feed_close(feed);
}

void ServedSession::close_feeds() {
  for (;;) {
    uint64_t first;
    {
      const MutexLock lock(feeds_mutex_);
      if (feeds_.all().empty()) return;
      first = feeds_.all().begin()->first;
    }
    close_feed(first);
  }
}

std::span<const ServedCall> served_feed_calls() { return kCalls; }

}  // namespace braid
