// Power is lost at any moment of a life in all three models, and again while the database recovers, up to three times. What is found on
// the disk is made offline from the record of every file operation: what was not synced is there, lost, torn, reordered or filled with
// garbage, and names are lost. Each time every commit that was acknowledged as durable must be there, whole commits only, all three models at one
// commit, `check` clean, and a further write must work. Each second life mixes full commits with relaxed ones: of those, a loss of power may take the
// newest, a kill none. Each second pair of lives has an archive: a backup of its beginning must be brought forward by it to any commit that is there, exactly.
//
// powerloss_campaign [COUNT (100)] [--recovery] [--from N] [--seed N]. With --recovery each image is followed by crashes of its recovery, three deep.
// BRAID_KEEP: where an image that is wrong is kept.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "tests/campaigns/verdict.h"
#include "tests/campaigns/workload.h"
#include "tests/support/campaign_progress.h"
#include "tests/support/crash_disk.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kSteps = 60;
constexpr uint64_t kImagesPerLife = 400;
constexpr int kDepth = 3;
constexpr uint64_t kImagesPerRestore = 4;
constexpr const char* kName = "db";

struct Wish {
  bool recovery = false;
  uint64_t count = 100;
  uint64_t from = 0;
  uint64_t seed = 1;
};

struct Totals {
  uint64_t lives = 0, images = 0, operations = 0, commits = 0, unacknowledged = 0, lost = 0, restores = 0;
};

/// A directory in memory where there is one: an image is written and read once.
class Ground {
 public:
  void clear() {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(path())) std::filesystem::remove_all(entry.path(), ignored);
  }
  const std::string& path() const { return directory_.path(); }
  std::string database() const { return directory_ / kName; }

 private:
  TempDir directory_{memory_directory()};
};

/// One loss of power: which kind, and what it left.
struct Loss {
  ByteLoss bytes;
  NameLoss names;

  static Loss any(std::mt19937_64& random) {
    return {static_cast<ByteLoss>(random() % kByteLosses), static_cast<NameLoss>(random() % kNameLosses)};
  }
  /// The process was killed and the machine goes on: everything is there, and what was not synced still is not.
  bool is_kill() const { return bytes == ByteLoss::kNone && names == NameLoss::kNone; }
};

class Life {
 public:
  Life(uint64_t seed, Workload::Life kind, bool archives, Totals& totals)
      : random_(seed), totals_(totals), record_(ground_.database()), workload_(ground_.database(), seed, record_, kind, archives) {}

  std::string run() {
    const std::string problem = workload_.run(kSteps);
    totals_.operations += record_.operations().size();
    totals_.commits += workload_.states().size() - 1;
    return problem;
  }

  /// Losses of power at `count` moments, in their order, of which those below `from` are left out.
  std::string lose_power(uint64_t count, uint64_t from, bool recovery) {
    CrashDisk disk;
    const auto& operations = record_.operations();
    std::vector<size_t> moments;
    for (uint64_t i = 0; i < count; ++i) moments.push_back(random_() % (operations.size() + 1));
    // Every sync in turn is a moment too.
    for (size_t i = 0, sync = 0; i < operations.size() && sync < count / 2; ++i)
      if (operations[i].operation == FileOperation::kSync || operations[i].operation == FileOperation::kSyncDirectory)
        moments[sync++] = i + random_() % 2;
    // And when a commit was just acknowledged, which is when a relaxed one is not synced.
    const auto& answers = workload_.acknowledged();
    for (uint64_t i = count / 2; i < count * 3 / 4; ++i) moments[i] = answers[random_() % answers.size()];
    std::sort(moments.begin(), moments.end());
    size_t applied = 0;
    for (uint64_t i = 0; i < count; ++i) {
      for (; applied < moments[i]; ++applied) disk.apply(operations[applied]);
      std::mt19937_64 random(random_());
      if (i < from) continue;
      const int64_t answered = workload_.acknowledged_at(moments[i]);
      const int64_t begun = std::min<int64_t>(answered + 1, static_cast<int64_t>(workload_.states().size()) - 1);
      Expectation expected{workload_.states(), workload_.durable_at(moments[i]), begun};
      expected.backed_up = workload_.backed_up_at(moments[i]);
      const std::string problem = recovery ? crash_again(disk, expected, answered, random) : judge_image(disk, expected, answered, random);
      if (!problem.empty()) return fmt::format("image {}, operation {}, {}", i, moments[i], problem);
    }
    return "";
  }

 private:
  static std::string name_of(Loss loss) { return fmt::format("loss {}/{}", static_cast<int>(loss.bytes), static_cast<int>(loss.names)); }

  /// A mapped file holds anything after a loss of power.
  void spoil_index(const CrashImage& image, std::mt19937_64& random) const {
    if (random() % 4 != 0 || !image.files.contains(fmt::format("{}/rows.db", kName))) return;
    CrashImage index;
    std::string bytes(32768, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    index.files[fmt::format("{}/rows.db-shm", kName)] = bytes;
    index.write(ground_.path());
  }

  void keep(const CrashImage& image) const {
    const char* place = std::getenv("BRAID_KEEP");
    if (place == nullptr) return;
    std::filesystem::create_directories(place);
    image.write(place);
    std::filesystem::copy(ground_.path(), std::filesystem::path(place) / "judged", std::filesystem::copy_options::recursive);
  }

  /// Of some images: any commit between the backup and the newest that was there at opening, or that one.
  std::string restore(const Expectation& expected, const Verdict& verdict, std::mt19937_64& random) {
    if (expected.backed_up == 0 || !verdict.problems.empty() || random() % kImagesPerRestore != 0) return "";
    const uint64_t lsn = random() % 3 == 0 ? verdict.archived : expected.backed_up + random() % (verdict.archived - expected.backed_up + 1);
    // What was lost gave its LSNs to others.
    const int64_t commit = std::min(workload_.commit_at(lsn), verdict.commit);
    ++totals_.restores;
    return judge_restore(Workload::backup_of(ground_.database()), ground_.path() + "/restored", lsn, expected.states[static_cast<size_t>(commit)]);
  }

  /// `answered`: the last commit of which the caller was told.
  std::string judge_image(const CrashDisk& disk, Expectation expected, int64_t answered, std::mt19937_64& random) {
    const Loss loss = Loss::any(random);
    if (loss.is_kill()) expected.acknowledged = answered;
    const CrashImage image = disk.image(loss.bytes, loss.names, random);
    ground_.clear();
    image.write(ground_.path());
    spoil_index(image, random);
    Verdict verdict = judge(ground_.database(), expected);
    ++totals_.images;
    count(verdict, answered);
    verdict.problems += restore(expected, verdict, random);
    if (verdict.problems.empty()) return "";
    keep(image);
    return name_of(loss) + ": " + verdict.problems;
  }

  /// The recovery from each loss is recorded, and power is lost in it.
  std::string crash_again(CrashDisk disk, Expectation expected, int64_t answered, std::mt19937_64& random) {
    std::string history;
    bool only_killed = true;
    for (int depth = 0; depth <= kDepth; ++depth) {
      const Loss loss = random() % 4 == 0 ? Loss{ByteLoss::kNone, NameLoss::kNone} : Loss::any(random);
      const CrashImage image = disk.image(loss.bytes, loss.names, random);
      history += name_of(loss) + " ";
      if (!loss.is_kill()) disk = CrashDisk::of(image);
      only_killed &= loss.is_kill();
      ground_.clear();
      image.write(ground_.path());
      if (!loss.is_kill()) spoil_index(image, random);
      FileRecord record(ground_.database());
      Expectation now = expected;
      if (only_killed) now.acknowledged = std::max(now.acknowledged, answered);
      Verdict verdict = judge(ground_.database(), now, &record, [&] { return record.position(); });
      if (depth == 0) count(verdict, answered);
      ++totals_.images;
      verdict.problems += restore(now, verdict, random);
      if (!verdict.problems.empty()) {
        keep(image);
        return history + ": " + verdict.problems;
      }
      // The first part of a session is where it recovers, and the moments after its write are where it was acknowledged.
      const size_t end = record.operations().size();
      const size_t moment = random() % ((random() % 2 == 0 ? end / 2 : end) + 1);
      for (size_t i = 0; i < moment; ++i) disk.apply(record.operations()[i]);
      // What somebody may have read after recovery must stay, as what was acknowledged.
      expected.probes_begun = verdict.probes;
      if (moment >= verdict.open_position) {
        expected.acknowledged = verdict.commit;
        expected.probes_acknowledged = verdict.probes - (moment >= verdict.probe_position ? 0 : 1);
      }
      history += fmt::format("then {} of {} operations, ", moment, end);
    }
    return "";
  }

  void count(const Verdict& verdict, int64_t answered) {
    totals_.unacknowledged += verdict.commit > answered ? 1 : 0;
    totals_.lost += verdict.commit < answered ? 1 : 0;
  }

  std::mt19937_64 random_;
  Totals& totals_;
  Ground ground_;
  FileRecord record_;
  Workload workload_;
};

int run(const Wish& wish) {
  fmt::print("{} images, --seed {}{}\n", wish.count, wish.seed, wish.recovery ? ", recoveries crash too" : "");
  std::fflush(stdout);
  CampaignProgress progress;
  Totals totals;
  for (uint64_t life = wish.from / kImagesPerLife; life * kImagesPerLife < wish.count; ++life) {
    const uint64_t first = life * kImagesPerLife;
    const uint64_t skipped = wish.from > first ? wish.from - first : 0;
    // Of a short run of recoveries, which is one life, too.
    const bool archives = (life + (wish.recovery ? 2 : 0)) % 4 >= 2;
    Life one(wish.seed * 1'000'003 + life, life % 2 == 0 ? Workload::Life::kMixed : Workload::Life::kFull, archives, totals);
    std::string problem = one.run();
    // A short run is spread over its whole life too.
    if (problem.empty()) problem = one.lose_power(std::min(kImagesPerLife, wish.count - first), skipped, wish.recovery);
    ++totals.lives;
    if (!problem.empty()) return fmt::print("life {}: {}\n", life, problem.substr(0, 4000)), 1;
    progress.reached(std::min(first + kImagesPerLife, wish.count));
  }
  fmt::print(
      "{} images of {} lives ({} commits, {} file operations) in {:.1f} s: every commit acknowledged as durable is there, {} times one more than was "
      "acknowledged, {} times without the last relaxed ones; rows, graph and points agree; {} backups were brought forward by the archive\n",
      totals.images, totals.lives, totals.commits, totals.operations, progress.seconds(), totals.unacknowledged, totals.lost, totals.restores);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Loses power at any moment of a database's life, and looks at what may be on the disk then."};
  Wish wish;
  app.add_option("COUNT", wish.count, "images");
  app.add_option("--from", wish.from, "the first image that is looked at");
  app.add_option("--seed", wish.seed, "chooses the lives");
  app.add_flag("--recovery", wish.recovery, "power is lost three times more while the database recovers");
  CLI11_PARSE(app, count, arguments);
  return run(wish);
}
