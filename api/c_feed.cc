// The C API: feeds of commits.
#include <algorithm>

#include "api/c_guard.h"
#include "api/feed_handle.h"
#include "api/struct_argument.h"

using namespace braid;

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kAllModels = BRAID_FEED_ROWS | BRAID_FEED_GRAPH | BRAID_FEED_SERIES;
constexpr int64_t kTimeoutMsMax = 86'400'000;
/// The other process is asked again after so long, so that one who went away is noticed.
constexpr std::chrono::milliseconds kRemoteWait(10'000);

Result<braid_feed_options> options_argument(const braid_feed_options* given) {
  BRAID_ASSIGN(braid_feed_options options, struct_argument(given, "options"));
  if ((options.models & ~kAllModels) != 0) return Status(StatusCode::kInvalidArgument, "options.models: expected BRAID_FEED_ROWS, BRAID_FEED_GRAPH, BRAID_FEED_SERIES");
  if (options.models == 0) options.models = kAllModels;
  return options;
}

Status open_feed_here(Database& database, const braid_feed_options& options, braid_feed& feed) {
  Engine& engine = database.engine();
  const auto bytes_max = static_cast<uint64_t>(engine.options()[OptionId::kFeedBytesMax]);
  BRAID_ASSIGN(feed.feed, engine.feeds().open([&engine] { return engine.versions().newest()->lsn; },
                                              options.bytes_max == 0 ? bytes_max : std::min(bytes_max, options.bytes_max)));
  feed.models = {(options.models & BRAID_FEED_ROWS) != 0, (options.models & BRAID_FEED_GRAPH) != 0, (options.models & BRAID_FEED_SERIES) != 0};
  return {};
}

Status feed_cancelled() { return Status(StatusCode::kInterrupted, "the feed was cancelled"); }

/// Commits that changed nothing in the models are passed over.
Result<bool> next_here(braid_feed& feed, Clock::time_point deadline) {
  if (feed.cancelled.load()) return feed_cancelled();
  if (!std::exchange(feed.started, true)) {
    feed.line = start_line(feed.feed->start());
    return true;
  }
  Engine& engine = feed.database->engine();
  const auto line_bytes_max = static_cast<size_t>(engine.options()[OptionId::kFeedCommitBytesMax]);
  for (;;) {
    if (!feed.item) {
      BRAID_ASSIGN(feed.item, feed.feed->next(deadline));
    }
    if (!feed.item) return false;
    if (feed.item->gap) {
      feed.line = gap_line(*feed.item->gap);
    } else {
      // Without memory it is made by the next call; what cannot be made at all is an error and then a gap.
      const CommitChanges& changes = *feed.item->changes;
      auto line = change_line(changes, engine.catalog(), feed.models, line_bytes_max);
      if (!line.ok()) {
        if (line.status().code() != StatusCode::kOutOfMemory) feed.item = CommitFeed::Item{nullptr, CommitFeed::Gap{changes.lsn, changes.lsn}};
        return line.status();
      }
      feed.line = line.take();
    }
    feed.item.reset();
    if (!feed.line.empty()) return true;
  }
}

Result<bool> next_there(braid_feed& feed, Clock::time_point deadline) {
  for (;;) {
    if (feed.cancelled.load()) return feed_cancelled();
    if (!feed.lines.empty()) break;
    const auto now = Clock::now();
    const auto left = deadline <= now ? Clock::duration::zero() : deadline - now;
    const auto wait = left > kRemoteWait ? kRemoteWait : std::chrono::ceil<std::chrono::milliseconds>(left);
    BRAID_ASSIGN(const Message answer, feed.remote->call(Operation::kFeedNext, {Value::number(wait.count())}, feed.remote_handle));
    for (const Value& value : answer.values) feed.lines.emplace_back(value.bytes);
    if (feed.lines.empty() && wait >= left) return false;
  }
  feed.line = std::move(feed.lines.front());
  feed.lines.pop_front();
  return true;
}

}  // namespace

braid_feed::~braid_feed() {
  if (feed != nullptr) database->engine().feeds().close(feed);
}

int32_t braid_feed::finish(const Status& status) {
  if (status.ok()) return BRAID_OK;
  error = status.message();
  return static_cast<int32_t>(status.code());
}

extern "C" {

int32_t braid_feed_open(braid_database* database, const braid_feed_options* options, braid_feed** feed) {
  if (feed != nullptr) *feed = nullptr;
  return guard(database, [&]() -> Status {
    BRAID_NOT_NULL(feed);
    BRAID_ASSIGN(const braid_feed_options wanted, options_argument(options));
    auto made = std::make_unique<braid_feed>();
    if (database->remote != nullptr) {
      BRAID_ASSIGN(made->remote, database->remote->link());
      int64_t handle = 0;
      BRAID_TRY(made->remote->call_for_numbers(Operation::kFeedOpen, {Value::number(static_cast<int64_t>(std::min<uint64_t>(wanted.bytes_max, INT64_MAX))), Value::number(wanted.models)}, {&handle}));
      made->remote_handle = static_cast<uint64_t>(handle);
    } else {
      BRAID_ASSIGN(Database * open, open_database(*database));
      made->database = database->database;
      BRAID_TRY(open_feed_here(*open, wanted, *made));
    }
    *feed = made.release();
    return {};
  });
}

int32_t braid_feed_next(braid_feed* feed, int64_t timeout_ms, const char** json, size_t* length) {
  if (json != nullptr) *json = nullptr;
  if (length != nullptr) *length = 0;
  bool has_line = false;
  const int32_t code = guard(feed, [&]() -> Status {
    BRAID_NOT_NULL(json);
    if (timeout_ms < -1 || timeout_ms > kTimeoutMsMax)
      return Status(StatusCode::kInvalidArgument, "timeout_ms: expected 0 to " + std::to_string(kTimeoutMsMax) + ", or -1 for no end");
    const auto deadline = timeout_ms < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(timeout_ms);
    BRAID_ASSIGN(has_line, feed->remote != nullptr ? next_there(*feed, deadline) : next_here(*feed, deadline));
    if (!has_line) return {};
    *json = feed->line.c_str();
    if (length != nullptr) *length = feed->line.size();
    return {};
  });
  if (code != BRAID_OK) return code;
  return has_line ? BRAID_ROW : BRAID_DONE;
}

void braid_feed_cancel(braid_feed* feed) {
  if (feed == nullptr || forked()) return;
  feed->cancelled.store(true);
  if (feed->feed != nullptr) feed->feed->cancel();
  if (feed->remote != nullptr) feed->remote->interrupt();
}

const char* braid_feed_error(braid_feed* feed) { return feed == nullptr ? "" : feed->error.c_str(); }

void braid_feed_close(braid_feed* feed) {
  if (!forked()) delete feed;
}

}  // extern "C"
