#include "engine/directory.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "tests/support/other_process.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    names.insert(entry.path().filename());
  return names;
}

/// A directory that is created and ready.
void make_ready(const std::string& path) {
  Env env;
  auto directory = Directory::open(env, path);
  REQUIRE(directory.ok());
  REQUIRE((*directory)->prepare_creation().ok());
  REQUIRE((*directory)->finish_creation().ok());
}

}  // namespace

TEST_CASE(
    "an absent directory is created, and its FORMAT says creating until creation is finished") {
  const TempDir temp;
  const std::string path = temp / "db";
  Env env;
  {
    auto directory = Directory::open(env, path);
    REQUIRE(directory.ok());
    CHECK_FALSE((*directory)->format().ready);
    CHECK(text_of(path + "/FORMAT").find("state creating") != std::string::npos);
    REQUIRE((*directory)->prepare_creation().ok());
    REQUIRE((*directory)->finish_creation().ok());
  }
  auto again = Directory::open(env, path);
  REQUIRE(again.ok());
  CHECK((*again)->format().ready);
  CHECK((*again)->format().version == kFormatVersion);
  CHECK((*again)->format().uuid.size() == 36);
}

TEST_CASE("a uuid is kept over reopening and differs between databases") {
  const TempDir temp;
  make_ready(temp / "a");
  make_ready(temp / "b");
  Env env;
  std::string first;
  {
    auto a = Directory::open(env, temp / "a");
    REQUIRE(a.ok());
    first = (*a)->format().uuid;
  }
  auto a = Directory::open(env, temp / "a");
  auto b = Directory::open(env, temp / "b");
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK((*a)->format().uuid == first);
  CHECK((*b)->format().uuid != first);
}

TEST_CASE("an interrupted creation is begun again without what it left") {
  const TempDir temp;
  Env env;
  { REQUIRE(Directory::open(env, temp.path()).ok()); }
  put(temp / "rows.db", "half");
  put(temp / "rows.db-wal", "half");
  std::filesystem::create_directories(temp / "graph/deep");
  put(temp / "graph/deep/file", "half");
  auto directory = Directory::open(env, temp.path());
  REQUIRE(directory.ok());
  REQUIRE_FALSE((*directory)->format().ready);
  REQUIRE((*directory)->prepare_creation().ok());
  CHECK(names_in(temp.path()) ==
        std::set<std::string>{"FORMAT", "LOCK", "archive", "chunks", "graph"});
  CHECK(names_in(temp / "graph").empty());
}

TEST_CASE("a creation that stopped before FORMAT was in place is begun again") {
  const TempDir temp;
  put(temp / "LOCK", "");
  put(temp / "FORMAT.new", "bra");
  Env env;
  auto directory = Directory::open(env, temp.path());
  REQUIRE(directory.ok());
  CHECK_FALSE((*directory)->format().ready);
}

TEST_CASE("a directory with something else in it is refused by name and left as it is") {
  const TempDir temp;
  put(temp / "holiday.jpg", "picture");
  Env env;
  const auto directory = Directory::open(env, temp.path());
  CHECK(directory.status().code() == StatusCode::kInvalidArgument);
  CHECK(directory.status().message().find("holiday.jpg") != std::string::npos);
  CHECK(names_in(temp.path()) == std::set<std::string>{"holiday.jpg"});
  CHECK(text_of(temp / "holiday.jpg") == "picture");
}

TEST_CASE("a file is no database") {
  const TempDir temp;
  put(temp / "file", "text");
  Env env;
  CHECK(Directory::open(env, temp / "file").status().code() == StatusCode::kInvalidArgument);
  CHECK(text_of(temp / "file") == "text");
}

TEST_CASE(
    "a format of another version is refused, naming both versions, whatever else the file says") {
  for (const int version : {0, 1, 7, 1000}) {
    const TempDir temp;
    const std::string text = "braid " + std::to_string(version) + "\nnew things\n";
    put(temp / "FORMAT", text);
    Env env;
    const auto directory = Directory::open(env, temp.path());
    CHECK(directory.status().code() == StatusCode::kVersion);
    CHECK(directory.status().message().find("format " + std::to_string(version)) !=
          std::string::npos);
    CHECK(directory.status().message().find("reads format " + std::to_string(kFormatVersion)) !=
          std::string::npos);
    CHECK(text_of(temp / "FORMAT") == text);
  }
}

TEST_CASE("a damaged FORMAT is reported with its path and not repaired") {
  const TempDir temp;
  make_ready(temp / "good");
  const std::string good = text_of(temp / "good/FORMAT");
  Env env;
  std::vector<std::string> damaged = {"",
                                      "\n",
                                      "hello",
                                      std::string(100'000, 'x'),
                                      std::string("braid 1\0uuid", 12),
                                      "braid 99999999999999999999\n"};
  for (size_t size = 0; size + 1 < good.size(); ++size) damaged.push_back(good.substr(0, size));
  for (const std::string& text : damaged) {
    put(temp / "good/FORMAT", text);
    const auto directory = Directory::open(env, temp / "good");
    CAPTURE(text.substr(0, 100));
    CHECK(directory.status().code() == StatusCode::kCorrupt);
    CHECK(directory.status().message().find("/FORMAT") != std::string::npos);
    CHECK(text_of(temp / "good/FORMAT") == text);
  }
}

TEST_CASE("a flipped bit in FORMAT is damage, another version or another identity, never a crash") {
  const TempDir temp;
  make_ready(temp.path());
  const std::string good = text_of(temp / "FORMAT");
  Env env;
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string text = good;
    text[i / 8] = static_cast<char>(text[i / 8] ^ (1 << (i % 8)));
    put(temp / "FORMAT", text);
    const auto directory = Directory::open(env, temp.path());
    const StatusCode code = directory.status().code();
    CHECK(
        (code == StatusCode::kOk || code == StatusCode::kCorrupt || code == StatusCode::kVersion));
    // What is ready must never be taken for a creation that stopped: that would delete the
    // database.
    if (directory.ok()) CHECK((*directory)->format().ready);
  }
}

TEST_CASE("a directory held by another process is busy, naming that process, until it goes") {
  const TempDir temp;
  make_ready(temp.path());
  Env env;
  std::unique_ptr<Directory> held;
  OtherProcess other([&] {
    auto directory = Directory::open(env, temp.path());
    if (directory.ok()) held = directory.take();
    return held != nullptr;
  });
  REQUIRE(other.succeeded());
  const auto refused = Directory::open(env, temp.path());
  CHECK(refused.status().code() == StatusCode::kBusy);
  CHECK(refused.status().message().find("in use by process " + std::to_string(other.pid())) !=
        std::string::npos);
  other.release();
  CHECK(Directory::open(env, temp.path()).ok());
}

TEST_CASE("a directory is held once within a process too") {
  const TempDir temp;
  make_ready(temp.path());
  Env env;
  auto first = Directory::open(env, temp.path());
  REQUIRE(first.ok());
  const auto second = Directory::open(env, temp.path());
  CHECK(second.status().code() == StatusCode::kBusy);
  CHECK(second.status().message().find("in use by process " + std::to_string(getpid())) !=
        std::string::npos);
}
