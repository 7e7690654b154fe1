// What a store offers to a backup besides what `engine/store.h` asks of every store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/store.h"

namespace braid {

/// A file of a store as a backup takes it.
struct StoreFile {
  std::string path;
  uint64_t size_bytes = 0;         ///< what lies beyond is not part of it
  bool immutable = false;          ///< never written again, so that a second name is as good as a copy
  std::optional<std::string> content{};  ///< written instead of what is in the file by then
};

/// Files that stay as they are until this is destroyed.
class HeldFiles {
 public:
  virtual ~HeldFiles() = default;
  virtual const std::vector<StoreFile>& files() const = 0;
};

class BackedUpStore : public Store {
 public:
  /// The files that hold what is durable of the store, which with the log rows that it still needs is all of it. With the slot held; `view` is
  /// the newest.
  virtual Result<std::unique_ptr<HeldFiles>> hold_files(std::shared_ptr<const StoreView> view) = 0;
};

}  // namespace braid
