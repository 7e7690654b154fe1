#include "cli/completion.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

using namespace braid::cli;

namespace {

using Words = std::vector<std::string>;

SqlNames some_names() {
  SqlNames names;
  names.tables = {"devices", "my table", "graph_nodes"};
  names.functions = {"graph_node", "sum", "time_bucket"};
  names.table_functions = {"show_chunks"};
  names.columns = {{"devices", {"serial", "SetPoint"}}, {"my table", {"odd name"}}};
  return names;
}

Completion after(std::string_view before) { return complete(before, some_names(), dot_commands()); }

}  // namespace

TEST_CASE("a keyword is completed as it was begun") {
  CHECK(after("SEL").candidates == Words{"SELECT"});
  CHECK(after("sele").candidates == Words{"select"});
  CHECK(after("SELECT 1 FRO").start == 9);
}

TEST_CASE("tables, columns and functions are completed whatever their case") {
  CHECK(after("SELECT * FROM dev").candidates == Words{"devices"});
  CHECK(after("SELECT setp").candidates == Words{"SetPoint"});
  const Completion function = after("SELECT time_b");
  CHECK(function.candidates == Words{"time_bucket("});
  CHECK(!function.ends_word);
  CHECK(after("SELECT * FROM show").candidates == Words{"show_chunks"});
}

TEST_CASE("a name that needs quotes gets them") {
  CHECK(after("SELECT * FROM my").candidates == Words{"\"my table\""});
}

TEST_CASE("behind a table and a dot stand its columns, behind another name those of all") {
  CHECK(after("SELECT devices.").candidates == Words{"SetPoint", "serial"});
  CHECK(after("SELECT d.ser").candidates == Words{"serial"});
}

TEST_CASE("nothing is offered within a text or for no word") {
  CHECK(after("SELECT 'dev").candidates.empty());
  CHECK(after("SELECT ").candidates.empty());
}

TEST_CASE("dot commands and their words are completed") {
  CHECK(after(".tab").candidates == Words{".tables"});
  CHECK(after(".mode mark").candidates == Words{"markdown"});
  CHECK(after(".param un").candidates == Words{"unset"});
  CHECK(after(".schema dev").candidates == Words{"devices"});
  CHECK(after(".explain SELECT * FROM dev").candidates == Words{"devices"});
  CHECK(after(".nothing x").candidates.empty());
}

TEST_CASE("files are completed where a command takes one") {
  const braid::TempDir folder;
  const std::string path = folder / "";
  std::filesystem::create_directory(path + "data");
  std::ofstream(path + "dump.sql") << "SELECT 1;";
  std::ofstream(path + ".hidden") << "";
  CHECK(after(".read " + path + "du").candidates == Words{path + "dump.sql"});
  CHECK(after(".import " + path + "d").candidates == Words{path + "data/", path + "dump.sql"});
  CHECK(!after(".read " + path + "da").ends_word);
  CHECK(after(".read " + path).candidates.size() == 2);
  CHECK(after(".read " + path + "nowhere/x").candidates.empty());
}

TEST_CASE("what is common to all candidates is found whatever their case") {
  CHECK(common_start({"SELECT", "select_all"}) == "SELECT");
  CHECK(common_start({"abc", "abd"}) == "ab");
  CHECK(common_start({}).empty());
}
