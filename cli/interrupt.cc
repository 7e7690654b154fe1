#include "cli/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>

namespace braid::cli {

namespace {

// A signal handler has no argument of ours, so what it touches is global. Constant after the
// handler is installed.
std::array<int, 2> statement_pipe = {-1, -1};
std::array<int, 2> prompt_pipe = {-1, -1};

std::atomic<bool> prompt_is_open = false;
std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not wait");

std::mutex target_mutex;
braid_connection* target = nullptr;  // guarded by target_mutex
braid_cancel* token = nullptr;        // constant after the handler is installed; it lives as long as the process

void on_interrupt(int) {
  const int saved_errno = errno;
  const bool at_prompt = prompt_is_open.load();
  if (!at_prompt) requested.store(true);
  const char byte = 1;
  // A full pipe already holds the news.
  [[maybe_unused]] ssize_t written =
      write(at_prompt ? prompt_pipe[1] : statement_pipe[1], &byte, 1);
  errno = saved_errno;
}

void pass_interrupts_on() {
  char byte = 0;
  for (;;) {
    const ssize_t count = read(statement_pipe[0], &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    braid_cancel_set(token);
    std::lock_guard lock(target_mutex);
    if (target != nullptr) braid_interrupt(target);
  }
}

}  // namespace

bool install_interrupt_handler() {
  // Whoever starts a command in the background lets it ignore the terminal's Ctrl-C.
  struct sigaction before = {};
  if (sigaction(SIGINT, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) return false;
  if (pipe2(statement_pipe.data(), O_CLOEXEC) != 0) return false;
  if (pipe2(prompt_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
  fcntl(statement_pipe[1], F_SETFL, O_NONBLOCK);
  if (braid_cancel_open(&token) != BRAID_OK) return false;
  try {
    std::thread(pass_interrupts_on).detach();
  } catch (const std::system_error&) {
    return false;
  }
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  return sigaction(SIGINT, &action, nullptr) == 0;
}

void set_interrupt_target(braid_connection* connection) {
  std::lock_guard lock(target_mutex);
  target = connection;
}

braid_cancel* interrupt_token() { return token; }
bool interrupt_requested() { return requested.load(); }
void clear_interrupt() {
  requested.store(false);
  if (token != nullptr) braid_cancel_reset(token);
}

PromptInterrupt::PromptInterrupt() {
  drain();
  prompt_is_open.store(true);
}

PromptInterrupt::~PromptInterrupt() { prompt_is_open.store(false); }

int PromptInterrupt::descriptor() const { return prompt_pipe[0]; }

void PromptInterrupt::drain() const {
  std::array<char, 64> bytes;
  if (prompt_pipe[0] < 0) return;
  while (read(prompt_pipe[0], bytes.data(), bytes.size()) > 0) {
  }
}

}  // namespace braid::cli
