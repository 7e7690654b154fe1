// Errors as values: a code for the program, a message for a person.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace braid {

enum class StatusCode : int {
#define X(name, number, text) name = number,
#include "engine/status_codes.def"
#undef X
};

/// The code's text of `status_codes.def`.
std::string_view status_code_text(StatusCode code);

/// Success, or a code and a message that names what failed, where and during what.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// The same error with a clause in front: "commit 812: " + message.
  Status within(std::string_view clause) const {
    if (ok()) return *this;
    return Status(code_, std::string(clause) + ": " + message_);
  }
  /// For the rare place where a failure is already being reported otherwise.
  void ignore() const {}

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

}  // namespace braid
