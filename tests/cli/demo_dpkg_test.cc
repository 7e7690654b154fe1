#include "cli/demo_dpkg.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

using namespace braid::cli::demo;

namespace {

// A status file: stanzas as dpkg writes them, continuation lines included.
constexpr const char* kStatus =
    "Package: editor\n"
    "Status: install ok installed\n"
    "Section: editors\n"
    "Installed-Size: 120\n"
    "Maintainer: A Person <person@example.org>\n"
    "Version: 1:2.0-3\n"
    "Provides: text-editor, visual (= 2)\n"
    "Depends: library:any (>= 1.4), shell | other-shell, absent | library\n"
    "Pre-Depends: base\n"
    "Recommends: printer\n"
    "Description: edits text\n"
    " More about it,\n"
    " Depends: on nothing.\n"
    "\n"
    "Package: library\nStatus: install ok installed\nVersion: 1.5\n\n"
    "Package: base\nStatus: install ok installed\nVersion: 1\nDepends: text-editor\n\n"
    "Package: shell\nStatus: hold ok installed\nVersion: 1\n\n"
    "Package: other\nStatus: install ok installed\nVersion: 1\nProvides: other-shell\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nDepends: library\n";

constexpr const char* kLog =
    "2024-05-01 10:00:00 startup archives unpack\n"
    "2024-05-01 10:00:01 install editor:amd64 <none> 1:2.0-3\n"
    "2024-05-01 10:00:01 status unpacked editor:amd64 1:2.0-3\n"
    "2024-05-01 10:00:02 configure editor:amd64 1:2.0-3 <none>\n"
    "this is no line of dpkg's log\n";

std::string write(const braid::TempDir& directory, const std::string& name, const char* text) {
  const std::string path = directory.path() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

Inventory read_example(const braid::TempDir& directory) {
  auto inventory = read_dpkg(write(directory, "status", kStatus), {write(directory, "log", kLog)});
  REQUIRE(inventory.has_value());
  return *std::move(inventory);
}

const Edge* find(const Inventory& inventory, const std::string& from, const std::string& type,
                 const std::string& to) {
  for (const Edge& edge : inventory.edges) {
    if (edge.from == from && edge.type == type && edge.to == to) return &edge;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("installed packages are read, removed ones are not") {
  braid::TempDir directory;
  const Inventory inventory = read_example(directory);
  REQUIRE(inventory.items.size() == 5);
  CHECK(inventory.items[0].name == "editor");
  CHECK(inventory.items[0].version == "1:2.0-3");
  CHECK(inventory.items[0].group == "editors");
  CHECK(inventory.items[0].owner == "A Person <person@example.org>");
  CHECK(inventory.items[0].summary == "edits text");
  CHECK(inventory.items[0].size_kib == 120);
  CHECK(inventory.items[3].name == "shell");
}

TEST_CASE("a dependency leads to the package with its version, without the architecture") {
  braid::TempDir directory;
  const Inventory inventory = read_example(directory);
  const Edge* edge = find(inventory, "editor", "DEPENDS_ON", "library");
  REQUIRE(edge != nullptr);
  CHECK(edge->constraint == ">= 1.4");
  CHECK(edge->choices == 1);
  CHECK(edge->alternatives.empty());
  CHECK(find(inventory, "editor", "PRE_DEPENDS_ON", "base") != nullptr);
}

TEST_CASE("each alternative that is here gets an edge which counts the choices") {
  braid::TempDir directory;
  const Inventory inventory = read_example(directory);
  const Edge* real = find(inventory, "editor", "DEPENDS_ON", "shell");
  const Edge* provided = find(inventory, "editor", "DEPENDS_ON", "other-shell");
  REQUIRE(real != nullptr);
  REQUIRE(provided != nullptr);
  CHECK(real->choices == 2);
  CHECK(real->alternatives == "shell | other-shell");
  CHECK(provided->to_virtual);
}

TEST_CASE("what is not here is counted and left out") {
  braid::TempDir directory;
  const Inventory inventory = read_example(directory);
  CHECK(inventory.edges_absent == 2);  // absent, printer
  CHECK(find(inventory, "editor", "RECOMMENDS", "printer") == nullptr);
}

TEST_CASE("virtual packages are provided once and can be depended on") {
  braid::TempDir directory;
  const Inventory inventory = read_example(directory);
  CHECK(inventory.virtuals == std::vector<std::string>{"text-editor", "visual", "other-shell"});
  CHECK(find(inventory, "editor", "PROVIDES", "text-editor") != nullptr);
  const Edge* edge = find(inventory, "base", "DEPENDS_ON", "text-editor");
  REQUIRE(edge != nullptr);
  CHECK(edge->to_virtual);
  CHECK(edge->choices == 1);
}

TEST_CASE("lines of the log in one second stay apart and in order") {
  braid::TempDir directory;
  const Inventory inventory = read_example(directory);
  REQUIRE(inventory.events.size() == 3);
  CHECK(inventory.events[0].action == "install");
  CHECK(inventory.events[0].detail == "1:2.0-3");
  CHECK(inventory.events[1].action == "unpacked");
  CHECK(inventory.events[1].item == "editor");
  CHECK(inventory.events[1].time == inventory.events[0].time + 1);
  CHECK(inventory.events[2].action == "configure");
  CHECK(inventory.events[2].detail == "1:2.0-3");
  CHECK(inventory.events[2].time == inventory.events[0].time + 1'000'000);
}

TEST_CASE("a machine without dpkg has no packages") {
  braid::TempDir directory;
  CHECK_FALSE(read_dpkg(directory.path() + "/status", {}).has_value());
}
