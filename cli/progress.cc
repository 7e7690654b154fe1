#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "cli/terminal.h"

namespace braid::cli {

std::string grouped(int64_t number) {
  const std::string digits = fmt::format("{}", number);
  const size_t sign = number < 0 ? 1 : 0;
  std::string text = digits.substr(0, sign);
  for (size_t at = sign; at < digits.size(); ++at) {
    if (at > sign && (digits.size() - at) % 3 == 0) text += ',';
    text += digits[at];
  }
  return text;
}

namespace {

/// A sign that turns, so that one sees that it goes on.
std::string line_without_end(const Progress::State& state, double seconds) {
  constexpr std::string_view kTurns = "|/-\\";
  constexpr double kTurnsPerSecond = 5;
  const auto turn = static_cast<size_t>(std::max(0.0, seconds) * kTurnsPerSecond) % kTurns.size();
  std::string line = fmt::format("{} {} {:.0f} s", state.what, kTurns[turn], seconds);
  if (state.rows > 0) line += fmt::format(", {} rows", grouped(state.rows));
  return line;
}

}  // namespace

Progress::State fraction_state(const char* what, double fraction) {
  constexpr double kParts = 1000;
  return {.what = what, .position_bytes = static_cast<int64_t>(fraction * kParts), .size_bytes = static_cast<int64_t>(kParts), .counts_nothing = true};
}

std::string progress_line(const Progress::State& state, double seconds, int columns) {
  if (state.has_no_end) return line_without_end(state, seconds);
  const int64_t rate =
      seconds > 0.05 ? static_cast<int64_t>(static_cast<double>(state.rows) / seconds) : 0;
  std::string counts = fmt::format("{} rows", grouped(state.rows));
  if (state.counts_bytes) {
    counts = fmt::format("{} MB", grouped(state.position_bytes / 1'000'000));
    if (seconds > 0.05) counts += fmt::format(", {:.0f} MB/s", static_cast<double>(state.position_bytes) / 1e6 / seconds);
  } else if (rate > 0) {
    counts += fmt::format(", {} rows/s", grouped(rate));
  }
  if (!state.size_bytes.has_value() || *state.size_bytes <= 0) {
    if (state.position_bytes == 0) return fmt::format("{} {}", state.what, counts);
    return fmt::format("{} {} MB, {}", state.what, state.position_bytes / 1'000'000, counts);
  }
  const double share = std::clamp(
      static_cast<double>(state.position_bytes) / static_cast<double>(*state.size_bytes), 0.0, 1.0);
  constexpr int kTextColumns = 55;
  const int width = std::clamp(columns - kTextColumns, 10, 40);
  const int filled = static_cast<int>(share * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  if (state.counts_nothing) return fmt::format("{} {} {:3}%", state.what, bar, static_cast<int>(share * 100));
  return fmt::format("{} {} {:3}% {}", state.what, bar, static_cast<int>(share * 100), counts);
}

namespace {

/// Most statements are done before anybody wonders.
constexpr std::chrono::seconds kWithoutEndTime(1);

}  // namespace

Progress::Progress() : enabled_(is_terminal(STDERR_FILENO)) {
  // An import that is done at once shows no bar.
  next_draw_ = start_ + std::chrono::milliseconds(300);
}

void Progress::show(const State& state) {
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_ || (state.has_no_end && now < start_ + kWithoutEndTime)) return;
  next_draw_ = now + std::chrono::milliseconds(100);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string line = progress_line(state, seconds, terminal_columns(STDERR_FILENO));
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace braid::cli
