// Whether the call that a thread works for is to go on: what long work asks now and then, wherever it is.
#pragma once

#include "engine/result.h"

namespace braid {

/// While one lives, it is asked by long work of the thread that made it. Scopes nest; all of a thread are asked, the innermost first.
class LongCall {
 public:
  LongCall() : outer_(innermost_), outer_span_(span_) {
    innermost_ = this;
    span_ = {};
  }
  virtual ~LongCall() {
    innermost_ = outer_;
    span_ = outer_span_;
  }
  LongCall(const LongCall&) = delete;
  LongCall& operator=(const LongCall&) = delete;

  /// kInterrupted when the thread's call is to end; ok where nobody asks for that. `fraction` is the part that is done, 0 where unknown. It may call
  /// the host: not while a lock is held that a call of the host could want, other than those of the call itself.
  static Status check(double fraction = 0);
  /// Only whether it was cancelled: for what minds its time and tells its progress itself.
  static Status check_cancelled() { return check(kCancelledOnly); }
  /// Does anybody on this thread want to be asked?
  static bool asked() { return innermost_ != nullptr; }

 private:
  struct Span {
    double start = 0, share = 1;
  };

 public:
  /// While one lives, what the thread's work tells is one part of the call: the one from `start` on that makes up `share` of it. Parts nest.
  class Part {
   public:
    Part(double start, double share) : whole_(span_) { span_ = {whole_.start + whole_.share * start, whole_.share * share}; }
    ~Part() { span_ = whole_; }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    const Span whole_;
  };

  /// Runs a part.
  template <typename Body>
  static auto in_part(double start, double share, Body&& body) {
    const Part part(start, share);
    return body();
  }

  /// While one lives, nobody is asked: the thread works for others.
  class Unasked {
   public:
    Unasked() : hidden_(innermost_) { innermost_ = nullptr; }
    ~Unasked() { innermost_ = hidden_; }
    Unasked(const Unasked&) = delete;
    Unasked& operator=(const Unasked&) = delete;

   private:
    LongCall* const hidden_;
  };

 protected:
  static constexpr double kCancelledOnly = -1;
  virtual Status ask(double fraction) = 0;

 private:
  static thread_local LongCall* innermost_;
  static thread_local Span span_;  // of the innermost
  LongCall* const outer_;
  const Span outer_span_;
};

}  // namespace braid
