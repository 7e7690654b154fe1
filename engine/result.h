// A value or the status that says why there is none.
#pragma once

#include <optional>
#include <utility>

#include "engine/status.h"

namespace braid {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}              // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}      // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace braid

#define BRAID_CONCAT_INNER(a, b) a##b
#define BRAID_CONCAT(a, b) BRAID_CONCAT_INNER(a, b)

/// Returns the status of `expression` from the enclosing function unless it is ok.
#define BRAID_TRY(expression)                                             \
  do {                                                                    \
    if (::braid::Status braid_status_ = (expression); !braid_status_.ok()) \
      return braid_status_;                                               \
  } while (false)

/// `BRAID_ASSIGN(auto x, f())` declares x from a Result, or returns its status.
#define BRAID_ASSIGN(declaration, expression) \
  BRAID_ASSIGN_INNER(BRAID_CONCAT(braid_result_, __LINE__), declaration, expression)
#define BRAID_ASSIGN_INNER(name, declaration, expression) \
  auto name = (expression);                               \
  if (!name.ok()) return name.status();                   \
  declaration = name.take()
