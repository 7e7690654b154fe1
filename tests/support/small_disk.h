// A file system of a few megabytes in memory, where this process may mount one.
#pragma once

#include <sys/mount.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace braid {

class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    mounted_ = ::mount("braid", directory_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  /// From now on nothing on it can be written, or can again.
  bool set_read_only(bool on) { return ::mount("braid", directory_.path().c_str(), "tmpfs", MS_REMOUNT | (on ? MS_RDONLY : 0), nullptr) == 0; }
  bool grow(const std::string& size) { return ::mount("braid", directory_.path().c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) == 0; }
  std::string operator/(const std::string& name) const { return directory_ / name; }

 private:
  TempDir directory_;
  bool mounted_ = false;
};

}  // namespace braid
