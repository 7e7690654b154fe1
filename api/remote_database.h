// A database that another process has open, used through the socket in its directory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/forked.h"
#include "api/remote_connection.h"
#include "engine/result.h"

namespace braid {

/// What both sides must agree on before anything else; the library's version belongs to it.
inline constexpr int64_t kProtocolVersion = 2;

/// Threads: all members may be called from any thread.
class RemoteDatabase : public std::enable_shared_from_this<RemoteDatabase> {
 public:
  /// kNotFound: nobody serves the directory. kVersion: the host is another release. kLimit: it has clients enough. kBusy: it does not answer.
  /// kDenied.
  static Result<std::shared_ptr<RemoteDatabase>> open(const std::string& directory);

  /// Another way to the same host, with a thread of its own there. kIo when that is gone.
  Result<std::unique_ptr<RemoteConnection>> link();
  /// A call on the database itself, as is wished of those. `progress` is told what is no fraction.
  Result<Message> call(Operation operation, std::vector<Value> values = {}, const std::function<bool(const Message&)>& progress = nullptr);
  /// As `call`; an answer with an error is given as well, for what comes before the error.
  Result<Message> call_for_part(Operation operation, std::vector<Value> values, const std::function<bool(const Message&)>& progress = nullptr);
  /// The same on a way to the host that is there.
  Result<Message> call_on(RemoteConnection& link, Operation operation, std::vector<Value> values, uint64_t handle,
                          const std::function<bool(const Message&)>& progress = nullptr);
  /// What is wished of these calls.
  CallSettings& settings() { return settings_; }

  const std::string& directory() const { return directory_; }
  size_t call_bytes_max() const { return call_bytes_max_; }
  /// The host's value_bytes_max.
  int64_t value_bytes_max() const { return value_bytes_max_; }

 private:
  explicit RemoteDatabase(std::string directory) : directory_(std::move(directory)) {}
  /// Connects and says hello; the values of the answer.
  Result<std::unique_ptr<Channel>> connect(Message& hello) const;

  const OpenInThisProcess counted_;
  const std::string directory_;
  CallSettings settings_;
  // Constant after `open`.
  int64_t instance_ = 0;  // tells the host from another process that opens the directory later
  size_t call_bytes_max_ = kMessageBytesMax;
  int64_t value_bytes_max_ = 0;
};

}  // namespace braid
