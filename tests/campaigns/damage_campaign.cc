// Damages the files of a small closed database: bytes flipped, files cut, taken away, exchanged for those of another database or of an earlier
// time. Whatever is opened then must tell of the damage, at opening, by `check` or by failing reads, or must be as it was.
//
// damage_campaign [SAMPLES (2000); 0: every byte and every length] [--from N] [--to N] [--seed N]
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>

#include "tests/campaigns/workload.h"
#include "tests/support/campaign_progress.h"
#include "tests/support/database.h"
#include "tests/support/file_record.h"
#include "tests/support/temp_dir.h"

using namespace braid;
namespace fs = std::filesystem;

namespace {

constexpr int kSteps = 12;
constexpr unsigned kSecondsMax = 30;                        // then it hangs
constexpr rlim_t kAddressSpaceBytes = rlim_t{4} << 30;      // then it exhausts the host

enum class Kind : uint8_t { kFlip, kCut, kMissing, kOther, kEarlier, kLater };
constexpr const char* kKindNames[] = {"flipped", "cut", "missing", "of another database", "of an earlier time", "of a later version"};

struct Damage {
  Kind kind;
  std::string file;
  uint64_t at = 0;
};

enum class Outcome : uint8_t { kRefused, kFound, kUnreadable, kHarmless, kWrong };
constexpr const char* kOutcomeNames[] = {"refused at opening", "found by check", "found by reading alone", "harmless", "wrong"};

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_content(const fs::path& path, const std::string& content) { std::ofstream(path, std::ios::binary | std::ios::trunc) << content; }

/// Runs `work` in a process of its own; -1 for a crash or a hang, else its answer.
template <typename Work>
int in_child(const Work& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(kSecondsMax);
    const rlimit limit{kAddressSpaceBytes, kAddressSpaceBytes};
    setrlimit(RLIMIT_AS, &limit);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A state text with the probes, a statement's rows on each line.
std::string whole_state(TestConnection& connection) { return state_text(connection) + fmt::format("probes {}\n", count_probes(connection)); }

class Campaign {
 public:
  explicit Campaign(uint64_t seed) : random_(seed), seed_(seed) {}

  int run(uint64_t samples, uint64_t from, uint64_t to) {
    if (!make_databases()) return 1;
    const std::vector<Damage> every = list_damage(samples);
    const size_t end = std::min<size_t>(every.size(), to);
    size_t outcomes[std::size(kOutcomeNames)] = {};
    CampaignProgress progress;
    for (size_t i = from; i < end; ++i) {
      progress.reached(i);
      const auto outcome = try_damage(every[i]);
      if (!outcome) {
        std::fprintf(stderr, "damage: seed %llu, sample %zu: %s at %llu, %s: crash, hang or too much memory\n", static_cast<unsigned long long>(seed_), i,
                     every[i].file.c_str(), static_cast<unsigned long long>(every[i].at), kKindNames[static_cast<size_t>(every[i].kind)]);
        ++failures_;
        continue;
      }
      ++outcomes[static_cast<size_t>(*outcome)];
      if (*outcome == Outcome::kHarmless) ++harmless_[kind_of(every[i].file)];
      if (*outcome == Outcome::kWrong || *outcome == Outcome::kUnreadable) {
        std::fprintf(stderr, "damage: seed %llu, sample %zu: %s at %llu, %s: %s\n%s\n", static_cast<unsigned long long>(seed_), i, every[i].file.c_str(),
                     static_cast<unsigned long long>(every[i].at), kKindNames[static_cast<size_t>(every[i].kind)],
                     kOutcomeNames[static_cast<size_t>(*outcome)], content_of(directory_ / "verdict").c_str());
        ++failures_;
      }
    }
    std::string told;
    for (size_t i = 0; i < std::size(kOutcomeNames); ++i) told += fmt::format("{}{} {}", i == 0 ? "" : ", ", outcomes[i], kOutcomeNames[i]);
    fmt::print("damage: --seed {}, {} to {} of {} samples of {} bytes: {}; {} failures; {:.0f} s\n", seed_, from, end, every.size(), bytes_, told, failures_,
               progress.seconds());
    for (const auto& [file, count] : harmless_) std::printf("  harmless in %s: %zu\n", file.c_str(), count);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  /// `base`; `grown`, which is base after one more transaction; `other`, of another life.
  bool make_databases() {
    const auto live = [this](const std::string& name, uint64_t seed, bool probe) {
      return in_child([&] {
        std::string state;
        if (!probe) {
          FileRecord record(directory_ / name);
          Workload workload(directory_ / name, seed, record);
          if (const std::string problem = workload.run(kSteps); !problem.empty()) return tell(problem);
        }
        TestDatabase database(directory_ / name, kWorkloadOptions);
        if (!database.ok()) return tell(database.message());
        {
          TestConnection connection(database);
          if (probe && write_probe(connection, 1) != BRAID_OK) return tell(connection.error());
          state = whole_state(connection);
        }
        write_content(directory_ / (name + ".state"), state);
        return database.close() == BRAID_OK ? 0 : tell("close");
      }) == 0;
    };
    if (!live("base", seed_, false) || !live("other", seed_ + 1, false)) return false;
    for (const char* const name : {"base", "other"}) remove_unread(directory_ / name);
    fs::copy(directory_ / "base", directory_ / "grown", fs::copy_options::recursive);
    if (!live("grown", seed_, true)) return false;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory_ / "base")) {
      if (!entry.is_regular_file()) continue;
      files_.push_back(fs::relative(entry.path(), directory_ / "base").string());
      bytes_ += entry.file_size();
    }
    std::sort(files_.begin(), files_.end());
    return true;
  }
  /// What is two fifths of the bytes, and nothing is read from: the index of the WAL, which is made anew, and RocksDB's second newest options. That any
  /// content of the index is harmless is what `powerloss` shows.
  static void remove_unread(const fs::path& database) {
    fs::remove(database / "rows.db-shm");
    std::vector<fs::path> options;
    for (const fs::directory_entry& entry : fs::directory_iterator(database / "graph"))
      if (entry.path().filename().string().starts_with("OPTIONS-")) options.push_back(entry.path());
    std::sort(options.begin(), options.end());
    for (size_t i = 0; i + 1 < options.size(); ++i) fs::remove(options[i]);
  }
  /// A file's name without its number.
  static std::string kind_of(std::string file) {
    std::erase_if(file, [](char letter) { return letter >= '0' && letter <= '9'; });
    return file;
  }
  static int tell(const std::string& problem) {
    std::fprintf(stderr, "damage: making the database: %s\n", problem.c_str());
    return 1;
  }

  std::vector<Damage> list_damage(uint64_t samples) {
    std::vector<Damage> list;
    for (const std::string& file : files_) {
      list.push_back({Kind::kMissing, file});
      if (fs::exists(directory_ / ("other/" + file))) list.push_back({Kind::kOther, file});
      if (fs::exists(directory_ / ("grown/" + file))) list.push_back({Kind::kEarlier, file});
    }
    list.push_back({Kind::kLater, "FORMAT"});
    for (const std::string& file : files_) {
      const uint64_t size = fs::file_size(directory_ / ("base/" + file));
      for (uint64_t at = 0; at < size; ++at) places_.push_back({Kind::kFlip, file, at}), places_.push_back({Kind::kCut, file, at});
    }
    if (samples == 0) {
      list.insert(list.end(), places_.begin(), places_.end());
      return list;
    }
    // As many in each file, so that small ones are not forgotten.
    std::map<std::string, std::pair<size_t, size_t>> of_file;
    for (size_t i = 0; i < places_.size(); ++i) {
      const auto [found, first] = of_file.try_emplace(places_[i].file, i, i);
      found->second.second = i + 1;
    }
    while (list.size() < samples && !of_file.empty()) {
      for (const auto& [file, range] : of_file) list.push_back(places_[range.first + random_() % (range.second - range.first)]);
    }
    list.resize(std::min<size_t>(list.size(), samples));
    return list;
  }

  /// Nothing for a crash.
  std::optional<Outcome> try_damage(const Damage& damage) {
    const fs::path work = directory_ / "work";
    const std::string base = damage.kind == Kind::kEarlier ? "grown" : "base";
    fs::remove_all(work);
    fs::copy(directory_ / base, work, fs::copy_options::recursive);
    const fs::path file = work / damage.file;
    std::string content = content_of(file);
    switch (damage.kind) {
      case Kind::kFlip: content[damage.at] = static_cast<char>(content[damage.at] ^ (1 << (damage.at * 5 % 8))); break;
      case Kind::kCut: content.resize(damage.at); break;
      case Kind::kMissing: break;
      case Kind::kOther: content = content_of(directory_ / ("other/" + damage.file)); break;
      case Kind::kEarlier: content = content_of(directory_ / ("base/" + damage.file)); break;
      case Kind::kLater: {
        const size_t number = content.find_first_of("0123456789"), end = content.find('\n');
        content = fmt::format("{}{}{}", content.substr(0, number), std::stoi(content.substr(number)) + 1, content.substr(end));
      }
    }
    if (damage.kind == Kind::kMissing)
      fs::remove(file);
    else
      write_content(file, content);
    const std::string expected = content_of(directory_ / (base + ".state"));
    const int answer = in_child([&] { return static_cast<int>(look(work, expected)); });
    return answer < 0 ? std::nullopt : std::optional(static_cast<Outcome>(answer));
  }

  /// In a process of its own. What was seen goes to the file `verdict`.
  Outcome look(const fs::path& work, const std::string& expected) {
    TestDatabase database(work.string(), kWorkloadOptions);
    if (!database.ok()) {
      if (!database.message().empty()) return Outcome::kRefused;
      write_content(directory_ / "verdict", fmt::format("code {} without a message", database.code()));
      return Outcome::kWrong;
    }
    const std::string found = database.check();
    TestConnection connection(database);
    std::istringstream is(whole_state(connection)), was(expected);
    bool failed = false;
    for (std::string now, before; std::getline(was, before);) {
      std::getline(is, now);
      if (now == before) continue;
      failed = now.starts_with("error ") || now.starts_with("begin: ") || now == "probes -1";
      if (!failed) {
        write_content(directory_ / "verdict", fmt::format("is       {}\nexpected {}\ncheck: {}", now.substr(0, 2000), before.substr(0, 2000), found));
        return Outcome::kWrong;
      }
      write_content(directory_ / "verdict", now);
      break;
    }
    if (!found.empty() || failed) return !found.empty() ? Outcome::kFound : Outcome::kUnreadable;
    const std::string further = write_further(database, connection);
    if (further.empty()) return Outcome::kHarmless;
    write_content(directory_ / "verdict", "all is as it was, but a further write: " + further);
    return Outcome::kWrong;
  }

  /// What is harmless does not harm what comes after it either. "" when it does not.
  static std::string write_further(TestDatabase& database, TestConnection& connection) {
    constexpr int64_t kFurtherProbe = 1000;
    const int64_t before = count_probes(connection);
    if (write_probe(connection, kFurtherProbe) != BRAID_OK) return connection.error();
    if (count_probes(connection) != before + 1) return "it is not there";
    return database.check();
  }

  TempDir directory_;
  std::mt19937_64 random_;
  const uint64_t seed_;
  std::vector<std::string> files_;
  std::vector<Damage> places_;
  std::map<std::string, size_t> harmless_;  // by kind of file
  size_t bytes_ = 0;
  size_t failures_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Damages a small database in many ways, and looks whether it is noticed."};
  uint64_t samples = 2000, from = 0, to = UINT64_MAX, seed = 1;
  app.add_option("samples", samples);
  app.add_option("--from", from);
  app.add_option("--to", to);
  app.add_option("--seed", seed);
  CLI11_PARSE(app, count, arguments);
  return Campaign(seed).run(samples, from, to);
}
