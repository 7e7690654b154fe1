#include "cli/watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "cli/interrupt.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

constexpr const char* kClear = "\x1b[H\x1b[2J";

/// False when Ctrl-C came.
bool wait(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLookAround(50);
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (!interrupt_requested() && Clock::now() < end) {
    std::this_thread::sleep_for(std::min<Clock::duration>(kLookAround, end - Clock::now()));
  }
  return !interrupt_requested();
}

Done interrupted_watch(bool screen) {
  // The terminal has shown ^C.
  if (screen) std::fputc('\n', stdout);
  return std::nullopt;
}

}  // namespace

Done watch_statement(Console* console, const WatchArguments& arguments) {
  const bool screen = console->out() == stdout && is_terminal(STDOUT_FILENO);
  for (int64_t run = 0; run < arguments.runs_max; ++run) {
    if (run > 0 && !wait(arguments.seconds)) return interrupted_watch(screen);
    if (screen) {
      std::fputs(fmt::format("{}every {} s, Ctrl-C ends: {}\n", kClear, arguments.seconds, printable(arguments.sql, false)).c_str(), stdout);
    }
    Done done = console->run(arguments.sql);
    if (done.has_value() && done->interrupted) return interrupted_watch(screen);
    if (done.has_value()) return done;
    std::fflush(console->out());
  }
  return std::nullopt;
}

}  // namespace braid::cli
