// Any text as what is typed into the shell: statements and dot commands, in an empty directory. How it is cut must not matter for where pieces end.
#include <cstdio>

#include "cli/dot_commands.h"
#include "cli/script.h"
#include "fuzz/scratch_database.h"

using namespace braid;
using namespace braid::cli;

namespace {

std::string pieces_of(std::string_view text, size_t block) {
  StatementSplitter splitter;
  std::string out;
  const auto take = [&] {
    while (const auto piece = splitter.next()) out += std::to_string(piece->start.line) + ":" + std::to_string(piece->start.column) + piece->text + '\1';
  };
  for (size_t at = 0; at < text.size(); at += block) {
    splitter.feed(text.substr(at, block));
    take();
  }
  splitter.finish();
  take();
  return out;
}

/// What the shell prints is made, and goes nowhere.
void print_nowhere() {
  must(std::freopen("/dev/null", "w", stdout) != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = (print_nowhere(), true);
  static TempDir directory(memory_directory());
  static const bool there = (std::filesystem::current_path(directory.path()), true);
  must(quiet && there);
  Input input(data, size);
  const size_t block = 1 + input.byte();
  const std::string_view text = input.rest().substr(0, 2048);
  must(pieces_of(text, block) == pieces_of(text, text.size() + 1));
  (void)split_words(text);
  auto session = cli::Session::open({.directory = directory / "db", .options = ScratchDatabase::kOptions});
  must(session.ok());
  cli::Console console(session.take(), {.format = static_cast<OutputFormat>(block % 4)});
  (void)run_script_text(&console, text, true);
  return 0;
}
