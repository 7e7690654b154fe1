#include "api/forked.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

namespace braid {

std::atomic<bool> is_forked{false};

namespace {

std::atomic<int> open_count{0};

void note_child() {
  if (open_count.load(std::memory_order_relaxed) > 0) is_forked.store(true, std::memory_order_relaxed);
}

}  // namespace

OpenInThisProcess::OpenInThisProcess() {
  static const int registered = pthread_atfork(nullptr, nullptr, note_child);
  static_cast<void>(registered);
  open_count.fetch_add(1, std::memory_order_relaxed);
}

void OpenInThisProcess::let_children_exit() {
  static const int registered = ::on_exit(
      [](int status, void*) {
        if (!forked()) return;
        std::fflush(nullptr);
        ::_exit(status);
      },
      nullptr);
  static_cast<void>(registered);
}

OpenInThisProcess::~OpenInThisProcess() { open_count.fetch_sub(1, std::memory_order_relaxed); }

}  // namespace braid
