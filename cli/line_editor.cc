#include "cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>

#include "cli/interrupt.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

constexpr int kHistoryStatements = 1000;

// Set by signal handlers, read while the editor waits for a key.
std::atomic<bool> resized = false;
std::atomic<bool> continued = false;

void on_resize(int) { resized.store(true); }
void on_continue(int) { continued.store(true); }

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

namespace {

int characters_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Words in as many columns as fit, read from top to bottom.
std::string in_columns(const std::vector<std::string>& words, int width) {
  constexpr int kGap = 2;
  int widest = 0;
  for (const std::string& word : words) widest = std::max(widest, display_width(word));
  const auto columns = static_cast<size_t>(std::max(1, width / (widest + kGap)));
  const size_t rows = (words.size() + columns - 1) / columns;
  std::string text;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t at = row; at < words.size(); at += rows) {
      text += words[at];
      if (at + rows < words.size()) text.append(static_cast<size_t>(widest + kGap - display_width(words[at])), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  History* history = nullptr;
  std::string history_path;
  const char* prompt = "";
  const PromptInterrupt* interrupt = nullptr;
  bool interrupted = false;
  std::function<WordCompletion(std::string_view before)> completer;

  static State& of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }

  static char* prompt_of(EditLine* editor) {
    // libedit does not write to the prompt, whatever the type says.
    return const_cast<char*>(of(editor).prompt);
  }

  void follow_terminal() const {
    if (continued.exchange(false)) {
      // The shell that this one was stopped in has used the terminal its own way.
      el_set(editor, EL_PREP_TERM, 0);
      el_set(editor, EL_PREP_TERM, 1);
      el_set(editor, EL_REFRESH);
    }
    if (resized.exchange(false)) {
      el_resize(editor);
      el_set(editor, EL_REFRESH);
    }
  }

  // Waits for a byte on standard input: 1, 0 at its end, -1 at Ctrl-C or an error.
  int wait_for_byte(char* byte) {
    std::array<pollfd, 2> watched = {
        {{STDIN_FILENO, POLLIN, 0}, {interrupt->descriptor(), POLLIN, 0}}};
    for (;;) {
      const int ready = poll(watched.data(), watched.size(), -1);
      if (ready < 0 && errno != EINTR) return -1;
      follow_terminal();
      if (ready <= 0) continue;
      if (watched[1].revents != 0) {
        interrupt->drain();
        interrupted = true;
        errno = EINTR;
        return -1;
      }
      const ssize_t count = ::read(STDIN_FILENO, byte, 1);
      if (count >= 0 || errno != EINTR) return static_cast<int>(count);
    }
  }

  static unsigned char complete_word(EditLine* editor, int) {
    const State& state = of(editor);
    const LineInfo* line = el_line(editor);
    if (!state.completer) return CC_ERROR;
    const WordCompletion completion = state.completer({line->buffer, static_cast<size_t>(line->cursor - line->buffer)});
    if (!completion.shown.empty()) {
      std::fputc('\n', stdout);
      std::fputs(in_columns(completion.shown, terminal_columns(STDOUT_FILENO)).c_str(), stdout);
    }
    if (!completion.insert.empty()) {
      el_deletestr(editor, characters_of(std::string_view(line->cursor - completion.typed_bytes, completion.typed_bytes)));
      el_insertstr(editor, completion.insert.c_str());
    }
    if (!completion.shown.empty()) return CC_REDISPLAY;
    return completion.insert.empty() ? CC_ERROR : CC_REFRESH;
  }

  static int read_character(EditLine* editor, wchar_t* character) {
    State& state = of(editor);
    std::mbstate_t shift = {};
    for (;;) {
      char byte = 0;
      const int count = state.wait_for_byte(&byte);
      if (count <= 0) return count;
      const size_t taken = std::mbrtowc(character, &byte, 1, &shift);
      if (taken == static_cast<size_t>(-2)) continue;  // more bytes of the character follow
      if (taken != static_cast<size_t>(-1)) return 1;
      shift = {};  // no character at all: wait for the next
    }
  }
};

LineEditor::LineEditor(std::string history_path) : state_(new State) {
  state_->history_path = std::move(history_path);
  state_->editor = el_init("braid", stdin, stdout, stderr);
  if (state_->editor == nullptr) return;
  handle(SIGWINCH, on_resize);
  handle(SIGCONT, on_continue);
  el_set(state_->editor, EL_CLIENTDATA, static_cast<void*>(state_));
  el_set(state_->editor, EL_EDITOR, "emacs");
  el_set(state_->editor, EL_PROMPT, &State::prompt_of);
  el_set(state_->editor, EL_GETCFN, &State::read_character);
  el_set(state_->editor, EL_ADDFN, "braid-complete", "Complete the word", &State::complete_word);
  el_set(state_->editor, EL_BIND, "^I", "braid-complete", nullptr);
  el_set(state_->editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // Else the kernel throws away, after Ctrl-C, what is on its way to the terminal: at times the
  // next prompt.
  el_set(state_->editor, EL_SETTY, "-d", "+noflsh", nullptr);
  el_source(state_->editor, nullptr);

  state_->history = history_init();
  if (state_->history == nullptr) return;
  HistEvent event = {};
  history(state_->history, &event, H_SETSIZE, kHistoryStatements);
  history(state_->history, &event, H_SETUNIQUE, 1);
  el_set(state_->editor, EL_HIST, history, state_->history);
  if (!state_->history_path.empty()) {
    history(state_->history, &event, H_LOAD, state_->history_path.c_str());
  }
}

LineEditor::~LineEditor() {
  if (state_->history != nullptr) history_end(state_->history);
  if (state_->editor != nullptr) el_end(state_->editor);
  delete state_;
}

void LineEditor::set_completer(std::function<WordCompletion(std::string_view before)> completer) {
  state_->completer = std::move(completer);
}

bool LineEditor::ready() const { return state_->editor != nullptr; }

EnteredLine LineEditor::read(const char* prompt) {
  const PromptInterrupt interrupt;
  state_->prompt = prompt;
  state_->interrupt = &interrupt;
  state_->interrupted = false;
  el_resize(state_->editor);
  // Before the prompt is shown: what is typed at it must not meet the terminal's own line editing,
  // which would eat Ctrl-D.
  el_set(state_->editor, EL_PREP_TERM, 1);
  int count = 0;
  const char* line = el_gets(state_->editor, &count);
  state_->interrupt = nullptr;
  if (state_->interrupted) {
    tcflush(STDIN_FILENO, TCIFLUSH);
    std::fputs("^C\n", stdout);
    el_reset(state_->editor);
    return {EnteredLine::Kind::kInterrupted, ""};
  }
  if (line == nullptr || count <= 0) return {EnteredLine::Kind::kEndOfInput, ""};
  std::string text(line, static_cast<size_t>(count));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return {EnteredLine::Kind::kLine, std::move(text)};
}

void LineEditor::remember(const std::string& statement) {
  if (state_->history == nullptr || statement.empty()) return;
  HistEvent event = {};
  history(state_->history, &event, H_ENTER, statement.c_str());
  if (state_->history_path.empty()) return;
  history(state_->history, &event, H_SAVE, state_->history_path.c_str());
}

std::string history_path() {
  constexpr const char* kName = "braid_history";
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') {
    std::error_code ignored;
    std::filesystem::create_directories(state, ignored);
    return std::string(state) + "/" + kName;
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return "";
  return std::string(home) + "/." + kName;
}

}  // namespace braid::cli
