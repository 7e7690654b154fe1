#include "cli/child_pipe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace braid::cli {

namespace {

constexpr int kNotFound = 127;  // what a shell ends with that does not know a command

void set_broken_pipe(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(SIGPIPE, &action, nullptr);
}

/// 0, or an errno.
int spawn_shell(const std::string& command, int input, pid_t* child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  const std::array<char*, 4> words = {shell.data(), option.data(), text.data(), nullptr};
  const int error = posix_spawn(child, "/bin/sh", &actions, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

Outcome<std::unique_ptr<ChildPipe>> ChildPipe::open(const std::string& command) {
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Failure{fmt::format("cannot start '{}': {}", command, std::strerror(errno))};
  std::fflush(stdout);
  pid_t child = -1;
  const int error = spawn_shell(command, ends[0], &child);
  ::close(ends[0]);
  std::FILE* stream = error == 0 ? fdopen(ends[1], "w") : nullptr;
  if (stream != nullptr) {
    set_broken_pipe(SIG_IGN);
    return std::unique_ptr<ChildPipe>(new ChildPipe(command, stream, child));
  }
  ::close(ends[1]);
  if (error == 0) waitpid(child, nullptr, 0);
  return Failure{fmt::format("cannot start '{}': {}", command, std::strerror(error == 0 ? errno : error))};
}

ChildPipe::ChildPipe(std::string command, std::FILE* stream, pid_t child)
    : command_(std::move(command)), stream_(stream), child_(child) {}

ChildPipe::~ChildPipe() {
  if (stream_ != nullptr) finish();
}

Done ChildPipe::finish() {
  std::fclose(stream_);
  stream_ = nullptr;
  int status = 0;
  while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  set_broken_pipe(SIG_DFL);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 0) return std::nullopt;
  if (WEXITSTATUS(status) == kNotFound) return Failure{fmt::format("'{}' could not be run: there is no such program", command_)};
  return Failure{fmt::format("'{}' ended with exit code {}", command_, WEXITSTATUS(status))};
}

}  // namespace braid::cli
