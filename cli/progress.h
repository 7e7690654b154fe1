// A progress bar on a terminal; nothing at all elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace braid::cli {

class Progress {
 public:
  /// Shows itself on standard error when that is a terminal.
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  struct State {
    const char* what = "";
    int64_t rows = 0;
    int64_t position_bytes = 0;
    std::optional<int64_t> size_bytes;
    bool counts_bytes = false;    ///< there are no rows
    bool counts_nothing = false;  ///< only the part that is done is known
    bool has_no_end = false;      ///< nobody knows how much there is to do: rows and the time are told
  };

  /// False where nothing is shown.
  bool enabled() const { return enabled_; }
  /// Cheap to call often: draws at most ten times a second.
  void show(const State& state);
  /// Takes the bar off the terminal.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  const bool enabled_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_draw_;
  bool drawn_ = false;
};

/// Of what tells the part that is done, from 0 to 1.
Progress::State fraction_state(const char* what, double fraction);

/// The line that a bar shows, without colours or control characters.
std::string progress_line(const Progress::State& state, double seconds, int columns);

/// "1,234,567".
std::string grouped(int64_t number);

}  // namespace braid::cli
