// A disk made offline from recorded operations, and what a loss of power may leave of it.
//
// 1. Of a file, what was synced is there. Each sector of 512 bytes holds what it held after any of
//    the writes since, whatever its neighbours hold; the file has any size that it had since.
// 2. A name (created, renamed, linked, removed) is durable once its directory was synced. Each one
//    since may be lost, alone or with the others, but a file cannot be renamed whose name is lost.
// 3. Nothing else is promised: syncing a file does not make its name durable, nor the reverse.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/file_record.h"

namespace braid {

/// What is found after the loss of power, by path from the directory above the database's.
struct CrashImage {
  std::map<std::string, std::string> files;
  std::set<std::string> directories;  ///< parents before what is in them

  /// Writes it below `parent`, where nothing of it may be yet.
  void write(const std::string& parent) const;
};

/// What of the bytes since the last sync is left.
enum class ByteLoss : uint8_t { kNone, kAll, kWrites, kTornPrefix, kSectors, kSectorsWithGarbage };
/// What of the names since the last sync of their directory is left.
enum class NameLoss : uint8_t { kNone, kAll, kLatest, kAny };
inline constexpr int kByteLosses = 6;
inline constexpr int kNameLosses = 4;

class CrashDisk {
 public:
  CrashDisk();

  void apply(const RecordedOperation& one);
  CrashImage image(ByteLoss bytes, NameLoss names, std::mt19937_64& random) const;
  /// The disk after such a loss: what is on it is durable.
  static CrashDisk of(const CrashImage& image);
  /// What a process sees.
  CrashImage visible() const;

 private:
  struct Change {
    uint64_t offset = 0;
    std::string bytes{};
    bool truncates = false;  ///< to `offset`
  };
  /// A file or a directory.
  struct Node {
    bool is_directory = false;
    std::string durable{}, current{};
    std::vector<Change> since_sync{};
    std::map<std::string, int> durable_names{}, names{};
  };
  /// Something that happened to a name: `from` to nothing, nothing to `to`, or one to the other.
  struct Place {
    int directory = -1;
    std::string name{};
  };
  struct Renaming {
    int node;
    Place from{}, to{};
  };
  using Names = std::map<int, std::map<std::string, int>>;

  Place place(const std::string& path) const;
  int find(const std::string& path) const;
  int make(bool is_directory);
  void happen(Renaming one);
  void sync_directory(int directory);
  void change(int file, Change change);
  static void apply(const Renaming& one, Names& names);
  static void apply(const Change& change, std::string& content);
  static std::string left_of(const Node& file, ByteLoss loss, std::mt19937_64& random);
  static std::string sectors_left(const Node& file, bool garbage, std::mt19937_64& random);
  void collect(int directory, const std::string& path, const Names& names, ByteLoss loss,
               std::mt19937_64& random, CrashImage& image) const;

  std::vector<Node> nodes_;  // 0 is the directory above the database's
  std::vector<Renaming> since_sync_;
};

}  // namespace braid
