// A value or the message that says why there is none: how the command's own parts report failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace braid::cli {

/// Why something was not done, as a sentence for the person at the terminal.
struct Failure {
  std::string message;
  /// Byte offset in the SQL text that was run, or -1 when the failure is not tied to a place in it.
  int64_t sql_offset = -1;
  /// The failure is a Ctrl-C: whatever runs several things in a row stops.
  bool interrupted = false;
};

/// Of what Ctrl-C stopped.
inline Failure interrupted() { return {.message = "interrupted", .interrupted = true}; }
/// A failure at a line of a file.
inline Failure at_line(int64_t line, Failure failure) {
  failure.message = "line " + std::to_string(line) + ": " + failure.message;
  return failure;
}

/// Nothing when it worked.
using Done = std::optional<Failure>;

/// A value or a failure.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::move(value)) {}              // NOLINT: implicit on purpose
  Outcome(Failure failure) : failure_(std::move(failure)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Failure& failure() const { return failure_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
  Failure failure_;
};

}  // namespace braid::cli

/// Returns the failure of `expression`, a Done, from the enclosing function.
#define CLI_TRY(expression)                                                      \
  do {                                                                           \
    if (auto cli_done_ = (expression); cli_done_.has_value()) return *cli_done_; \
  } while (false)
