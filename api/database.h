// An open database: the engine with its two stores, and the group commit. The only place where all parts are known.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "api/call_settings.h"
#include "api/forked.h"
#include "engine/backup.h"
#include "engine/engine.h"
#include "engine/result.h"
#include "sql/group_commit.h"
#include "sql/maintenance.h"

namespace braid {

/// Threads: all members may be called from any thread.
class Database {
 public:
  static Result<std::shared_ptr<Database>> open(const std::string& directory, std::string_view options, FileHook* hook = nullptr,
                                                CopyState accepted = CopyState::kFinished);
  /// Copies the backup in `source`, opens the copy and checks it. A copy that is damaged is not to be opened again.
  static Result<std::shared_ptr<Database>> restore(const std::string& source, const std::string& destination, const RestoreOptions& copy_options,
                                                   std::string_view options, const CopyProgress& progress, FileHook* hook = nullptr);
  ~Database() { close().ignore(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// When no connection is left; once.
  Status close();

  Engine& engine() { return *engine_; }
  GroupCommitter& groups() { return *groups_; }
  /// What the host wishes of the calls on its handle.
  CallSettings& settings() { return settings_; }

  /// Everything that is wrong, a sentence each.
  Status check(std::vector<std::string>& problems);
  std::vector<StoreFigure> figures();

  /// Other processes that are served and their connections, or -1 when none are.
  std::atomic<int64_t> clients{-1};

 private:
  Database() = default;
  const OpenInThisProcess counted_;
  CallSettings settings_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<GroupCommitter> groups_;
  std::unique_ptr<MaintenanceThread> maintenance_;  // null: the host asks for maintenance
};

}  // namespace braid
