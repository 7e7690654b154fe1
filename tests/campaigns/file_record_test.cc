// Every operation that changes a database's directory passes the seam, and what crash images are made of holds.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/campaigns/workload.h"
#include "tests/support/crash_disk.h"
#include "tests/support/fault_hook.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

CrashImage directory_image(const std::string& parent) {
  CrashImage image;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(parent)) {
    const std::string path = std::filesystem::relative(entry.path(), parent).string();
    if (entry.is_directory()) {
      image.directories.insert(path);
    } else if (!path.ends_with("-shm")) {
      std::ifstream in(entry.path(), std::ios::binary);
      image.files[path] = std::string(std::istreambuf_iterator<char>(in), {});
    }
  }
  return image;
}

RecordedOperation operation(FileOperation kind, const std::string& path) { return {kind, path}; }
RecordedOperation create(const std::string& path) {
  RecordedOperation one{FileOperation::kOpen, path};
  one.creates = true;
  return one;
}
RecordedOperation write(const std::string& path, uint64_t offset, const std::string& bytes) {
  RecordedOperation one{FileOperation::kWrite, path};
  one.offset = offset;
  one.bytes = bytes;
  return one;
}
RecordedOperation renaming(const std::string& from, const std::string& to) { return {FileOperation::kRename, from, to}; }

/// A disk with the empty, durable directory d.
CrashDisk disk_with_directory() {
  CrashImage image;
  image.directories.insert("d");
  return CrashDisk::of(image);
}

std::string content(const CrashImage& image, const std::string& path) {
  const auto found = image.files.find(path);
  return found == image.files.end() ? "absent" : found->second;
}

}  // namespace

TEST_CASE("the record of a life, done again in an empty directory, gives the same files byte by byte") {
  for (const uint64_t seed : {11, 12, 13}) {
    CAPTURE(seed);
    const TempDir temp;
    FileRecord record(temp / "db");
    Workload workload(temp / "db", seed, record);
    REQUIRE(workload.run(120) == "");
    CrashDisk disk;
    std::set<std::string> elsewhere;
    for (const RecordedOperation& one : record.operations()) {
      if (one.path.starts_with('/')) elsewhere.insert(one.path);
      disk.apply(one);
    }
    CHECK(elsewhere.empty());
    const CrashImage expected = directory_image(temp.path());
    const CrashImage found = disk.visible();
    CHECK(found.directories == expected.directories);
    REQUIRE(expected.files.size() > 10);
    for (const auto& file : expected.files) CHECK_MESSAGE(content(found, file.first) == file.second, file.first);
    for (const auto& file : found.files) CHECK_MESSAGE(expected.files.contains(file.first), file.first);
  }
}

TEST_CASE("the operations that a hook forgets are reported as done and are not") {
  const TempDir temp;
  FaultHook hook;
  Env env(&hook);
  hook.arm({.operations = {FileOperation::kWrite}, .forget = true, .times = 1});
  auto file = env.create(temp / "file");
  REQUIRE(file.ok());
  CHECK((*file)->append("lost").ok());
  CHECK((*file)->append("kept").ok());
  CHECK(directory_image(temp.path()).files.at("file") == "kept");
}

TEST_CASE("a write that is cut short leaves its first bytes and fails") {
  const TempDir temp;
  FaultHook hook;
  Env env(&hook);
  hook.arm({.operations = {FileOperation::kWrite}, .error = ENOSPC, .cut_short = true});
  auto file = env.create(temp / "file");
  REQUIRE(file.ok());
  CHECK((*file)->append("12345678").code() == StatusCode::kFull);
  CHECK(directory_image(temp.path()).files.at("file") == "1234");
}

TEST_CASE("what was synced is there after a loss of power, and what was not may be lost") {
  CrashDisk disk = disk_with_directory();
  std::mt19937_64 random(1);
  disk.apply(create("d/f"));
  disk.apply(write("d/f", 0, "first"));
  disk.apply(operation(FileOperation::kSync, "d/f"));
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kAll, random), "d/f") == "absent");
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kNone, random), "d/f") == "first");
  disk.apply(operation(FileOperation::kSyncDirectory, "d"));
  disk.apply(write("d/f", 5, " second"));
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kAll, random), "d/f") == "first");
  CHECK(content(disk.image(ByteLoss::kNone, NameLoss::kAll, random), "d/f") == "first second");
  CHECK(content(disk.visible(), "d/f") == "first second");
}

TEST_CASE("a rename is lost or done as a whole, and durable with its directory") {
  CrashDisk disk = disk_with_directory();
  std::mt19937_64 random(1);
  for (const char* name : {"d/old", "d/new"}) {
    disk.apply(create(name));
    disk.apply(write(name, 0, name));
    disk.apply(operation(FileOperation::kSync, name));
  }
  disk.apply(operation(FileOperation::kSyncDirectory, "d"));
  disk.apply(renaming("d/new", "d/old"));
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kAll, random), "d/old") == "d/old");
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kAll, random), "d/new") == "d/new");
  disk.apply(operation(FileOperation::kSyncDirectory, "d"));
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kAll, random), "d/old") == "d/new");
  CHECK(content(disk.image(ByteLoss::kAll, NameLoss::kAll, random), "d/new") == "absent");
}

TEST_CASE("sectors that were not synced are lost one by one, and never mixed within themselves") {
  CrashDisk disk = disk_with_directory();
  disk.apply(create("d/f"));
  disk.apply(write("d/f", 0, std::string(4096, 'a')));
  disk.apply(operation(FileOperation::kSync, "d/f"));
  disk.apply(operation(FileOperation::kSyncDirectory, "d"));
  disk.apply(write("d/f", 0, std::string(4096, 'b')));
  bool torn = false;
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const std::string left = content(disk.image(ByteLoss::kSectors, NameLoss::kAll, random), "d/f");
    REQUIRE(left.size() == 4096);
    for (size_t sector = 0; sector < 8; ++sector)
      CHECK(left.substr(sector * 512, 512) == std::string(512, left[sector * 512]));
    torn |= left.find('a') != std::string::npos && left.find('b') != std::string::npos;
  }
  CHECK(torn);
}
