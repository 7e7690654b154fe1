#include "cli/tail_command.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>

#include "cli/handles.h"
#include "cli/interrupt.h"

namespace braid::cli {

namespace {

/// How often Ctrl-C and the reader of the output are asked for.
constexpr int64_t kWaitMs = 100;

/// A pipe whose other end was closed.
bool has_reader(int out) {
  pollfd asked{out, 0, 0};
  return poll(&asked, 1, 0) <= 0 || (asked.revents & POLLERR) == 0;
}

/// 0 or an errno.
int write_whole_line(int out, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = write(out, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    rest.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

Done run_tail(const Session& session, const TailArguments& arguments, int out) {
  // Whoever reads no more is told of by write, so that the database is closed as it should be.
  signal(SIGPIPE, SIG_IGN);
  braid_feed_options options{};
  options.size_bytes = sizeof options;
  options.models = arguments.models;
  braid_feed* opened = nullptr;
  if (const int32_t code = braid_feed_open(session.database(), &options, &opened); code != BRAID_OK) return database_failure(session.database(), code);
  const FeedHandle feed(opened);
  auto last_line = std::chrono::steady_clock::now();
  for (int64_t commits = 0; commits < arguments.commits_max && !interrupt_requested();) {
    const char* line = nullptr;
    size_t length = 0;
    const int32_t code = braid_feed_next(feed.get(), std::min(kWaitMs, arguments.idle_ms_max), &line, &length);
    const auto now = std::chrono::steady_clock::now();
    if (code == BRAID_ROW) {
      const std::string_view text(line, length);
      const int failure = write_whole_line(out, std::string(text));
      if (failure == EPIPE) return std::nullopt;
      if (failure != 0) return Failure{std::string("cannot write the results: ") + std::strerror(failure)};
      if (text.starts_with("{\"lsn\":")) ++commits;
      last_line = now;
    } else if (code == BRAID_DONE) {
      if (!has_reader(out) || std::chrono::duration_cast<std::chrono::milliseconds>(now - last_line).count() >= arguments.idle_ms_max) return std::nullopt;
    } else {
      return Failure{braid_feed_error(feed.get())};
    }
  }
  return std::nullopt;
}

}  // namespace braid::cli
