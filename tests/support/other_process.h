// Another process that does one thing and then waits to be let go.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

namespace braid {

/// `act` runs in a forked process, which then holds whatever it holds until `release`, and then runs
/// `leave`. Fork before the parent has threads.
class OtherProcess {
 public:
  explicit OtherProcess(const std::function<bool()>& act,
                        const std::function<void()>& leave = [] {}) {
    int ready[2];
    if (pipe(ready) != 0 || pipe(let_go_) != 0) std::abort();
    pid_ = fork();
    if (pid_ < 0) std::abort();
    if (pid_ == 0) {
      close(let_go_[1]);
      const char answer = act() ? 'y' : 'n';
      if (write(ready[1], &answer, 1) != 1) _exit(2);
      char ignored;
      while (read(let_go_[0], &ignored, 1) > 0) {
      }
      leave();
      _exit(0);
    }
    close(ready[1]);
    close(let_go_[0]);
    char answer = 'n';
    succeeded_ = read(ready[0], &answer, 1) == 1 && answer == 'y';
    close(ready[0]);
  }
  ~OtherProcess() { release(); }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  bool succeeded() const { return succeeded_; }
  int pid() const { return pid_; }
  void release() {
    if (pid_ == 0) return;
    close(let_go_[1]);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  int let_go_[2];
  bool succeeded_ = false;
};

}  // namespace braid
