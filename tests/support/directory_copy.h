// A copy of the directory of an open database, as a stop at one moment would leave it. Background work may make and remove files at any time:
// what changed meanwhile is copied again.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

namespace braid {

/// Name, size and time of the last change of everything below `directory`.
inline std::map<std::string, std::string> state_of(const std::string& directory) {
  std::map<std::string, std::string> out;
  std::error_code gone;
  for (std::filesystem::recursive_directory_iterator at(directory, gone), end; at != end && !gone; at.increment(gone)) {
    struct stat status;
    if (::lstat(at->path().c_str(), &status) != 0) continue;
    out[at->path()] = std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
  }
  return out;
}

/// A socket cannot be copied, and is made again by whoever opens the copy.
inline void copy_without_sockets(const std::string& from, const std::string& to, std::error_code& failed) {
  std::filesystem::create_directories(to, failed);
  for (std::filesystem::directory_iterator at(from, failed), end; at != end && !failed; at.increment(failed))
    if (!at->is_socket(failed) && !failed)
      std::filesystem::copy(at->path(), std::filesystem::path(to) / at->path().filename(), std::filesystem::copy_options::recursive, failed);
}

/// `to` must not exist. Nobody but the database's background work may write meanwhile.
inline void copy_open_directory(const std::string& from, const std::string& to) {
  for (int tries = 0; tries < 200; ++tries) {
    const auto before = state_of(from);
    std::error_code failed;
    copy_without_sockets(from, to, failed);
    if (!failed && state_of(from) == before) return;
    std::filesystem::remove_all(to);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error(from + " does not come to rest");
}

}  // namespace braid
