// Power is lost while a backup is made and while it is restored: what is there then is whole, or refused.
//
// BRAID_IMAGES=5000 for a long run; BRAID_SEED names it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

#include "engine/copy_mark.h"
#include "tests/support/crash_disk.h"
#include "tests/support/database.h"
#include "tests/support/file_record.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr const char* kOptions = "tail_bytes_max=65536;maintenance_interval_ms=0";

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// "" when the directory is refused, or holds exactly these operations; `whole` tells which.
std::string judge(const std::string& path, const Operations::Set& expected, bool& whole) {
  Env env;
  whole = false;
  if (is_unfinished(env, path) || !env.exists(path + "/FORMAT")) return "";
  TestDatabase database(path, kOptions);
  if (!database.ok()) return "open: " + database.message();
  whole = true;
  TestConnection connection(database);
  std::string problems;
  if (Operations::verify(connection, expected, problems) != expected) problems += "other operations are there\n";
  return problems + database.check();
}

}  // namespace

TEST_CASE("a backup and a restore are whole or refused after a loss of power at any moment") {
  const TempDir temp(memory_directory());
  FileRecord record(temp / "db");
  Operations::Set expected;
  size_t begun = 0;
  size_t made = 0;
  {
    TestDatabase database(temp / "db", kOptions, &record);
    TestConnection connection(database);
    REQUIRE(Operations::create(connection, 1) == BRAID_OK);
    for (int i = 1; i <= 60; ++i) {
      REQUIRE(Operations::run(connection, 0, i) == BRAID_OK);
      expected.emplace(0, i);
      if (i == 40) REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    }
    begun = record.position();
    REQUIRE(braid_backup(database.get(), (temp / "backup").c_str(), nullptr, nullptr, nullptr, nullptr) == BRAID_OK);
    made = record.position();
  }
  const size_t restoring = record.position();
  REQUIRE(Database::restore(temp / "backup", temp / "copy", {}, kOptions, {}, &record).ok());
  const size_t restored = record.position();

  const uint64_t seed = number_of("BRAID_SEED", 1);
  std::mt19937_64 random(seed);
  const uint64_t images = number_of("BRAID_IMAGES", 150);
  int whole_backups = 0;
  int whole_copies = 0;
  CrashDisk disk;
  size_t applied = 0;
  const uint64_t all = (made - begun) + (restored - restoring);
  for (uint64_t i = 0; i < images; ++i) {
    // Ascending, so that what was done is applied once.
    const uint64_t step = i * all / images;
    const size_t position = step < made - begun ? begun + step + 1 : restoring + (step - (made - begun)) + 1;
    CAPTURE(position);
    for (; applied < position; ++applied) disk.apply(record.operations()[applied]);
    const TempDir after(memory_directory());
    disk.image(static_cast<ByteLoss>(random() % kByteLosses), static_cast<NameLoss>(random() % kNameLosses), random).write(after.path());
    bool whole = false;
    CHECK(judge(after / "copy", expected, whole) == "");
    whole_copies += whole ? 1 : 0;
    CHECK(judge(after / "backup", expected, whole) == "");
    whole_backups += whole ? 1 : 0;
    if (position >= made) CHECK(whole);
  }
  CHECK(whole_backups > 0);
  CHECK(whole_backups < static_cast<int>(images));
  CHECK(whole_copies > 0);
  CHECK(whole_copies < whole_backups);
}
