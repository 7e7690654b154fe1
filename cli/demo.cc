#include "cli/demo.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "cli/demo_directory.h"
#include "cli/demo_dpkg.h"
#include "cli/demo_load.h"
#include "cli/demo_page.h"
#include "cli/demo_processes.h"
#include "cli/demo_promise.h"
#include "cli/demo_sampler.h"
#include "cli/demo_tour.h"
#include "cli/exit_code.h"

namespace braid::cli {
namespace demo {
namespace {

constexpr int kSampledSeconds = 3;

Inventory read_inventory() {
  const char* source = std::getenv("BRAID_DEMO_SOURCE");
  if (source == nullptr || std::string_view(source) != "processes") {
    if (auto packages =
            read_dpkg("/var/lib/dpkg/status", {"/var/log/dpkg.log.1", "/var/log/dpkg.log"})) {
      return *std::move(packages);
    }
  }
  return read_processes("/proc");
}

// The command as the user typed it, for lines to copy.
std::string typed_command() {
  std::ifstream file("/proc/self/cmdline");
  std::string command;
  std::getline(file, command, '\0');
  return command.empty() ? "braid" : command;
}

std::string shell_word(const std::string& word) {
  if (word.find_first_of(" '\"$`\\&;|<>()*?[]#~") == std::string::npos) return word;
  std::string quoted = "'";
  for (char byte : word) quoted += byte == '\'' ? "'\\''" : std::string(1, byte);
  return quoted + "'";
}

void introduce(const Place& place, Page* page) {
  page->text(fmt::format(
      "Braid {}: rows, a property graph and time series in one directory and one commit. "
      "This tour loads what this machine knows about itself into {} and asks about it. "
      "Indented lines are the SQL that runs.",
      braid_version(), place.directory));
  if (!place.note.empty()) page->text(place.note);
}

Done tour(const Inventory& inventory, const Session& session, Page* page) {
  Sampler sampler;
  sampler.start();
  page->heading("1. Loading this machine");
  CLI_TRY(execute(session, kMarkAsDemo));
  CLI_TRY(load_inventory(inventory, page, session));
  page->text(fmt::format("Meanwhile a thread samples processors, memory and disks for {} seconds.",
                         kSampledSeconds));
  CLI_TRY(load_machine(sampler.finish(kSampledSeconds), page, session));
  CLI_TRY(show_rows(inventory, page, session));
  CLI_TRY(show_graph(inventory, page, session));
  CLI_TRY(show_series(inventory, page, session));
  CLI_TRY(show_three_models(inventory, page, session));
  CLI_TRY(show_transactions(inventory, page, session));
  return create_promise(session);
}

Done promise(const std::string& directory, Page* page) {
  page->heading("7. The promise: kill the writer, lose nothing");
  page->text(
      fmt::format("Another process now commits transactions, each of which sets a number in a row, "
                  "adds an edge and "
                  "appends {} points. It acknowledges each number after its commit, until it is "
                  "killed with SIGKILL "
                  "at a random moment. Then the database is opened again, counted and checked. The "
                  "writer goes on "
                  "from the last number in the next round.",
                  kPromisePoints));
  page->line("");
  CLI_TRY(show_promise(directory, page));
  page->text(
      "No acknowledged commit is lost, and none is there in part: the row, the edges and the "
      "points give "
      "the same number. (It may be one above the last acknowledged: that commit was done when the "
      "kill "
      "came, and could not say so any more.)");
  return {};
}

void suggest(const std::string& directory, const Inventory& inventory, Page* page) {
  const std::string braid = shell_word(typed_command());
  const std::string place = shell_word(directory);
  page->heading("What to try next");
  page->text(fmt::format("The database stays in {}. The next demo there replaces it.", directory));
  page->line("");
  page->line(fmt::format("  {} {}    # a shell; .help lists its commands", braid, place));
  page->line(
      fmt::format("  {} {} \"SELECT * FROM {} LIMIT 5\"", braid, place, inventory.wording.items));
  page->line(fmt::format("  {} stats {}", braid, place));
  page->line(fmt::format("  {} check {}", braid, place));
  page->line(fmt::format("  {} --help", braid));
}

Done run(const std::optional<std::string>& directory) {
  const auto start = std::chrono::steady_clock::now();
  const Inventory inventory = read_inventory();
  if (inventory.items.empty()) return Failure{"neither dpkg nor /proc can be read on this machine"};
  Outcome<Place> place = prepare_place(directory);
  if (!place.ok()) return place.failure();
  Page page;
  introduce(*place, &page);
  {
    Outcome<Session> session = Session::open({.directory = place->directory});
    if (!session.ok()) return session.failure();
    CLI_TRY(tour(inventory, *session, &page));
  }
  CLI_TRY(promise(place->directory, &page));
  suggest(place->directory, inventory, &page);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  page.line(fmt::format("\nThe demo took {:.1f} s.", seconds.count()));
  return {};
}

}  // namespace
}  // namespace demo

int run_demo(const std::optional<std::string>& directory) {
  const Done ended = demo::run(directory);
  if (!ended) return kExitOk;
  std::fflush(stdout);
  fmt::print(stderr, "braid demo: {}\n", ended->message);
  return kExitError;
}

}  // namespace braid::cli
