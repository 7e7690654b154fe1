#include "engine/archive_plan.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "engine/archive.h"
#include "engine/archive_segment.h"

namespace braid {

namespace {

struct Listed {
  std::string path;
  Lsn before;  // by its name
  Status damage;
  SegmentHeader header;
  SegmentEnd end;
};

using Runs = std::map<uint64_t, std::vector<Listed>>;

std::string text_of(Timestamp time) {
  constexpr int64_t kSecond = 1'000'000;
  const int64_t fraction = (time.value() % kSecond + kSecond) % kSecond;
  const auto seconds = static_cast<std::time_t>((time.value() - fraction) / kSecond);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                     parts.tm_sec, fraction);
}

/// Segments by run; one that cannot be read is told by its name.
Result<Runs> list_runs(Env& env, const std::string& directory) {
  auto names = env.list(directory);
  if (!names.ok()) return names.status().within("archive");
  std::sort(names->begin(), names->end());
  Runs runs;
  for (const std::string& name : *names) {
    Lsn first;
    uint64_t run = 0;
    if (!parse_segment_name(name, first, run) || first == Lsn(0)) continue;
    Listed one{.path = directory + "/" + name, .before = Lsn(first.value() - 1), .damage = {}, .header = {}, .end = {}};
    const auto reader = SegmentReader::open(env, one.path);
    if (reader.ok()) {
      one.header = (*reader)->header();
      one.end = (*reader)->end();
      if (one.header.run != run || one.header.before != one.before)
        one.damage = Status(StatusCode::kCorrupt, fmt::format("{}: is not what its name says", one.path));
    } else {
      one.damage = reader.status();
    }
    runs[run].push_back(std::move(one));
  }
  return runs;
}

bool is_of(const Listed& one, const Format& format) { return one.damage.ok() && one.header.uuid == format.uuid && one.header.epoch == format.epoch; }

Status no_segments(const Runs& runs, const std::string& directory, const BackupPoint& backup) {
  std::string others;
  for (const auto& [run, segments] : runs)
    for (const Listed& one : segments)
      if (one.damage.ok() && others.empty())
        others = one.header.uuid != backup.format.uuid ? fmt::format("; it is of the database {}", one.header.uuid)
                                                       : fmt::format("; it is of epoch {}: what is committed after a restore is a history of its own", one.header.epoch);
  return Status(StatusCode::kNotFound, fmt::format("{}: has no commits of the database {}, epoch {}, of which {} is a backup{}", directory, backup.format.uuid,
                                                   backup.format.epoch, backup.path, others));
}

/// Of runs that began after the same commit, all but one have no commit.
bool is_later(const std::vector<Listed>& one, const std::vector<Listed>& other) {
  const auto reach = [](const std::vector<Listed>& run) { return std::tuple(run.front().before, run.back().before, run.back().end.last); };
  return reach(one) > reach(other);
}

/// The run that was under way at the backup's commit: of those that began by then, the last.
Result<const std::vector<Listed>*> choose_run(const Runs& runs, const std::string& directory, const BackupPoint& backup) {
  const std::vector<Listed>* chosen = nullptr;
  std::optional<Lsn> begins;
  for (const auto& [run, segments] : runs) {
    if (std::none_of(segments.begin(), segments.end(), [&](const Listed& one) { return is_of(one, backup.format); })) continue;
    const Lsn before = segments.front().before;
    if (!begins || before < *begins) begins = before;
    if (before <= backup.lsn && (chosen == nullptr || is_later(segments, *chosen))) chosen = &segments;
  }
  if (!begins) return no_segments(runs, directory, backup);
  if (chosen != nullptr) return chosen;
  return Status(StatusCode::kNotFound, fmt::format("{}: begins after commit {}, and {} is a backup of commit {}: only a backup of commit {} or later can be brought "
                                                   "forward",
                                                   directory, begins->value(), backup.path, backup.lsn.value(), begins->value()));
}

/// Goes through the commits after the backup, up to the target.
class Walk {
 public:
  Walk(const ArchiveTarget& target, const BackupPoint& backup) : target_(target), backup_(backup), reached_(backup.lsn), done_(target.lsn == backup.lsn) {}

  /// A failure is what is damaged or missing.
  Status run(Env& env, const std::vector<Listed>& segments, ArchivePlan& plan) {
    for (size_t i = 0; i < segments.size() && !done_; ++i) {
      const Listed& one = segments[i];
      // What ends before the backup is passed over; of one that cannot be read, the next one tells.
      const Lsn last = i + 1 < segments.size() ? segments[i + 1].before : one.damage.ok() ? one.end.last : backup_.lsn.next();
      if (last < backup_.lsn) continue;
      BRAID_TRY(one.damage);
      if (!is_of(one, backup_.format)) return Status(StatusCode::kCorrupt, fmt::format("{}: is of another database", one.path));
      if (one.before > std::max(reached_, backup_.lsn))
        return Status(StatusCode::kNotFound, fmt::format("{}: commits {} to {} are missing before it", one.path, reached_.next().value(), one.before.value()));
      BRAID_ASSIGN(const auto reader, SegmentReader::open(env, one.path));
      plan.segments.push_back(one.path);
      plan.bytes += reader->size_bytes();
      BRAID_TRY(reader->visit({.transaction = [&](const ArchivedTransaction& next) { return begin(next); }, .end = [&] { return finish(); }}));
    }
    return {};
  }

  bool done() const { return done_; }
  Lsn reached() const { return reached_; }
  Timestamp reached_time() const { return reached_time_; }
  /// Of the transaction in whose middle the target is.
  const std::optional<ArchivedTransaction>& group() const { return group_; }
  std::optional<Timestamp> backup_time() const { return backup_time_; }

 private:
  Status begin(const ArchivedTransaction& next) {
    BRAID_TRY(finish());
    if (done_) return {};
    if (next.last == backup_.lsn && next.first <= next.last) backup_time_ = next.committed;
    if (next.last <= backup_.lsn) return {};
    if (next.first <= next.last && next.first != reached_.next())
      return Status(StatusCode::kCorrupt, fmt::format("commits {} to {} are missing", reached_.next().value(), next.first.value() - 1));
    const bool is_later = target_.time && next.first <= next.last && next.committed > *target_.time;
    if ((target_.lsn && next.first > *target_.lsn && next.first <= next.last) || is_later)
      done_ = true;
    else
      open_ = next;
    return {};
  }

  /// The transaction before is whole.
  Status finish() {
    if (!open_) return {};
    if (target_.lsn && open_->first <= *target_.lsn && *target_.lsn < open_->last) {
      group_ = open_;
      done_ = true;
    } else {
      reached_ = open_->last;
      if (open_->first <= open_->last) reached_time_ = open_->committed;
      done_ = target_.lsn == reached_;
    }
    open_.reset();
    return {};
  }

  const ArchiveTarget& target_;
  const BackupPoint& backup_;
  std::optional<ArchivedTransaction> open_, group_;
  Lsn reached_;
  Timestamp reached_time_;
  std::optional<Timestamp> backup_time_;
  bool done_;
};

Status check_before(const ArchiveTarget& target, const BackupPoint& backup) {
  if (target.lsn && *target.lsn < backup.lsn)
    return Status(StatusCode::kInvalidArgument, fmt::format("commit {} is before the backup {}, which is of commit {}: give an earlier backup", target.lsn->value(),
                                                            backup.path, backup.lsn.value()));
  return {};
}

Status check_reached(const ArchiveTarget& target, const BackupPoint& backup, const Walk& walk, const std::string& directory) {
  const Timestamp backup_time = walk.backup_time().value_or(backup.taken);
  if (target.time && walk.reached() == backup.lsn && *target.time < backup_time)
    return Status(StatusCode::kInvalidArgument, fmt::format("{} is before the backup {}, which is of {}: give an earlier backup", text_of(*target.time), backup.path,
                                                            text_of(backup_time)));
  if (walk.group())
    return Status(StatusCode::kInvalidArgument, fmt::format("commits {} to {} were made in one group: restore to commit {} or to commit {}",
                                                            walk.group()->first.value(), walk.group()->last.value(), walk.group()->first.value() - 1,
                                                            walk.group()->last.value()));
  if (target.lsn && walk.reached() < *target.lsn)
    return Status(StatusCode::kNotFound, fmt::format("{}: ends at commit {}; commit {} is not in it", directory, walk.reached().value(), target.lsn->value()));
  if (target.time && !walk.done())
    return Status(StatusCode::kNotFound, fmt::format("{}: ends at commit {} of {}, before {}: what was committed later is not in it; that commit is the last one that "
                                                     "can be restored",
                                                     directory, walk.reached().value(), text_of(walk.reached_time()), text_of(*target.time)));
  return {};
}

}  // namespace

Result<ArchivePlan> plan_restore(Env& env, const ArchiveTarget& target, const BackupPoint& backup) {
  BRAID_TRY(check_before(target, backup));
  ArchivePlan plan{.directory = target.directory, .segments = {}, .bytes = 0, .from = backup.lsn, .to = {}};
  BRAID_ASSIGN(const Runs runs, list_runs(env, target.directory));
  BRAID_ASSIGN(const auto* const segments, choose_run(runs, target.directory, backup));
  Walk walk(target, backup);
  const Status walked = walk.run(env, *segments, plan);
  if (!walked.ok() && !walk.done())
    return Status(walked.code(), fmt::format("{}; the last commit that can be restored is {}", walked.message(), walk.reached().value()));
  BRAID_TRY(check_reached(target, backup, walk, target.directory));
  plan.to = walk.reached();
  return plan;
}

}  // namespace braid
