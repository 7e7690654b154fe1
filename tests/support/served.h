// A database that another process has open, and this one uses through its socket.
#pragma once

#include <memory>
#include <string>

#include "tests/support/database.h"
#include "tests/support/other_process.h"

namespace braid {

/// The process that has it open. Make it before this process has threads or open databases.
class ServingProcess {
 public:
  /// `prepare` runs in it once the database is open; what it answers is `succeeded`.
  ServingProcess(
      const std::string& directory, const std::string& options,
      const std::function<bool(TestDatabase&)>& prepare = [](TestDatabase&) { return true; })
      : process_(
            [&] {
              database_ = std::make_unique<TestDatabase>(directory, options);
              return database_->ok() && prepare(*database_);
            },
            [&] { database_ = nullptr; }) {}

  bool succeeded() const { return process_.succeeded(); }
  int pid() const { return process_.pid(); }
  /// Closes the database and ends.
  void release() { process_.release(); }

 private:
  std::unique_ptr<TestDatabase> database_;  // there alone
  OtherProcess process_;
};

}  // namespace braid
