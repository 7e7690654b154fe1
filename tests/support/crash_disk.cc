#include "tests/support/crash_disk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace braid {

namespace {

constexpr size_t kSectorBytes = 512;

void write_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out) std::abort();
}

/// An image is the disk of one moment: the file system would have kept which file LOCK is.
std::string with_number(std::string content, const std::string& path) {
  constexpr std::string_view kFile = "\nfile ";
  struct stat status;
  const size_t at = content.find(kFile);
  if (at == std::string::npos || ::stat(path.c_str(), &status) < 0) return content;
  const size_t digits = at + kFile.size();
  return content.replace(digits, content.find('\n', digits) - digits, std::to_string(status.st_ino));
}

}  // namespace

void CrashImage::write(const std::string& parent) const {
  for (const std::string& directory : directories)
    std::filesystem::create_directories(parent + "/" + directory);
  for (const auto& [path, content] : files) {
    write_file(parent + "/" + path, content);
    if (path.ends_with("/LOCK")) write_file(parent + "/" + path, with_number(content, parent + "/" + path));
  }
}

CrashDisk::CrashDisk() { make(true); }

int CrashDisk::make(bool is_directory) {
  nodes_.push_back({is_directory});
  return static_cast<int>(nodes_.size()) - 1;
}

int CrashDisk::find(const std::string& path) const {
  int node = 0;
  for (const auto& part : std::filesystem::path(path)) {
    const auto& names = nodes_[static_cast<size_t>(node)].names;
    const auto found = names.find(part.string());
    if (found == names.end()) return -1;
    node = found->second;
  }
  return node;
}

CrashDisk::Place CrashDisk::place(const std::string& path) const {
  const std::filesystem::path whole(path);
  return {find(whole.parent_path().string()), whole.filename().string()};
}

void CrashDisk::apply(const Renaming& one, Names& names) {
  if (one.from.directory >= 0) {
    auto& from = names[one.from.directory];
    const auto found = from.find(one.from.name);
    // Its name was lost, or another file has it.
    if (found == from.end() || found->second != one.node) return;
    from.erase(found);
  }
  if (one.to.directory >= 0) names[one.to.directory][one.to.name] = one.node;
}

void CrashDisk::happen(Renaming one) {
  if (one.from.directory >= 0) nodes_[static_cast<size_t>(one.from.directory)].names.erase(one.from.name);
  if (one.to.directory >= 0)
    nodes_[static_cast<size_t>(one.to.directory)].names[one.to.name] = one.node;
  since_sync_.push_back(std::move(one));
}

void CrashDisk::sync_directory(int directory) {
  std::vector<Renaming> kept;
  for (Renaming& one : since_sync_) {
    if (one.from.directory != directory && one.to.directory != directory) {
      kept.push_back(std::move(one));
      continue;
    }
    Names names;
    for (const int side : {one.from.directory, one.to.directory})
      if (side >= 0) names[side] = nodes_[static_cast<size_t>(side)].durable_names;
    apply(one, names);
    for (auto& [side, after] : names)
      nodes_[static_cast<size_t>(side)].durable_names = std::move(after);
  }
  since_sync_ = std::move(kept);
}

void CrashDisk::apply(const Change& change, std::string& content) {
  if (change.truncates) {
    content.resize(change.offset, '\0');
    return;
  }
  const size_t end = change.offset + change.bytes.size();
  if (content.size() < end) content.resize(end, '\0');
  content.replace(change.offset, change.bytes.size(), change.bytes);
}

void CrashDisk::change(int file, Change change) {
  if (file < 0) return;
  Node& node = nodes_[static_cast<size_t>(file)];
  apply(change, node.current);
  node.since_sync.push_back(std::move(change));
}

void CrashDisk::apply(const RecordedOperation& one) {
  const int node = find(one.path);
  switch (one.operation) {
    case FileOperation::kOpen:
      if (node < 0 && one.creates) happen({make(false), {}, place(one.path)});
      if (node >= 0 && one.empties) change(node, {.truncates = true});
      return;
    case FileOperation::kMakeDirectory:
      if (node < 0) happen({make(true), {}, place(one.path)});
      return;
    case FileOperation::kWrite: return change(node, {one.offset, one.bytes});
    case FileOperation::kTruncate: return change(node, {.offset = one.size, .truncates = true});
    case FileOperation::kSync:
      if (node < 0) return;
      nodes_[static_cast<size_t>(node)].durable = nodes_[static_cast<size_t>(node)].current;
      nodes_[static_cast<size_t>(node)].since_sync.clear();
      return;
    case FileOperation::kSyncDirectory:
      if (node >= 0) sync_directory(node);
      return;
    case FileOperation::kRename:
      if (node >= 0) happen({node, place(one.path), place(one.to)});
      return;
    case FileOperation::kLink:
      if (node >= 0) happen({node, {}, place(one.to)});
      return;
    case FileOperation::kRemove:
    case FileOperation::kRemoveDirectory:
      if (node >= 0) happen({node, place(one.path), {}});
      return;
    case FileOperation::kRead:
    case FileOperation::kWriteBack:
    case FileOperation::kClose: return;
  }
}

std::string CrashDisk::sectors_left(const Node& file, bool garbage, std::mt19937_64& random) {
  const size_t count = file.since_sync.size();
  std::vector<size_t> sizes = {file.durable.size()};
  for (const Change& change : file.since_sync)
    sizes.push_back(change.truncates
                        ? change.offset
                        : std::max<size_t>(sizes.back(), change.offset + change.bytes.size()));
  const size_t sized = random() % 2 == 0 ? count : random() % (count + 1);
  std::string content = file.durable;
  content.resize(*std::max_element(sizes.begin(), sizes.end()), '\0');
  if (garbage)
    for (size_t at = file.durable.size(); at < content.size(); ++at)
      content[at] = static_cast<char>(random());
  // How many of the changes a sector has seen.
  std::map<size_t, size_t> seen;
  const auto seen_by = [&](size_t sector) {
    const auto [found, fresh] = seen.try_emplace(sector, 0);
    if (fresh) {
      const auto dice = random() % 4;
      found->second = dice == 0 ? 0 : dice == 1 ? random() % (count + 1) : count;
    }
    return found->second;
  };
  for (size_t i = 0; i < count; ++i) {
    const Change& change = file.since_sync[i];
    if (change.truncates) {
      if (i < sized && change.offset < content.size())
        std::fill(content.begin() + static_cast<std::ptrdiff_t>(change.offset), content.end(), '\0');
      continue;
    }
    for (size_t done = 0; done < change.bytes.size();) {
      const size_t at = change.offset + done;
      const size_t part = std::min(kSectorBytes - at % kSectorBytes, change.bytes.size() - done);
      if (i < seen_by(at / kSectorBytes)) content.replace(at, part, change.bytes, done, part);
      done += part;
    }
  }
  content.resize(sizes[sized], '\0');
  return content;
}

std::string CrashDisk::left_of(const Node& file, ByteLoss loss, std::mt19937_64& random) {
  if (file.since_sync.empty()) return file.durable;
  switch (loss) {
    case ByteLoss::kNone: return file.current;
    case ByteLoss::kAll: return file.durable;
    case ByteLoss::kSectors: return sectors_left(file, false, random);
    case ByteLoss::kSectorsWithGarbage: return sectors_left(file, true, random);
    case ByteLoss::kWrites: {
      std::string content = file.durable;
      for (const Change& change : file.since_sync)
        if (random() % 2 == 0) apply(change, content);
      return content;
    }
    case ByteLoss::kTornPrefix: {
      std::string content = file.durable;
      const size_t whole = random() % file.since_sync.size();
      for (size_t i = 0; i < whole; ++i) apply(file.since_sync[i], content);
      Change torn = file.since_sync[whole];
      torn.bytes.resize(random() % (torn.bytes.size() / kSectorBytes + 1) * kSectorBytes);
      if (torn.truncates || !torn.bytes.empty()) apply(torn, content);
      return content;
    }
  }
  return file.durable;
}

void CrashDisk::collect(int directory, const std::string& path, const Names& names, ByteLoss loss,
                        std::mt19937_64& random, CrashImage& image) const {
  const auto found = names.find(directory);
  if (found == names.end()) return;
  for (const auto& [name, node] : found->second) {
    const std::string inner = path.empty() ? name : path + "/" + name;
    if (nodes_[static_cast<size_t>(node)].is_directory) {
      image.directories.insert(inner);
      collect(node, inner, names, loss, random, image);
    } else {
      image.files[inner] = left_of(nodes_[static_cast<size_t>(node)], loss, random);
    }
  }
}

CrashImage CrashDisk::image(ByteLoss bytes, NameLoss loss, std::mt19937_64& random) const {
  Names names;
  for (size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].is_directory) names[static_cast<int>(i)] = nodes_[i].durable_names;
  size_t kept = since_sync_.size();
  if (loss == NameLoss::kAll) kept = 0;
  if (loss == NameLoss::kLatest) kept = random() % (kept + 1);
  for (size_t i = 0; i < kept; ++i)
    if (loss != NameLoss::kAny || random() % 2 == 0) apply(since_sync_[i], names);
  CrashImage image;
  collect(0, "", names, bytes, random, image);
  return image;
}

CrashImage CrashDisk::visible() const {
  std::mt19937_64 unused;
  return image(ByteLoss::kNone, NameLoss::kNone, unused);
}

CrashDisk CrashDisk::of(const CrashImage& image) {
  CrashDisk disk;
  for (const std::string& directory : image.directories)
    disk.apply({FileOperation::kMakeDirectory, directory});
  for (const auto& [path, content] : image.files) {
    RecordedOperation create{FileOperation::kOpen, path};
    create.creates = true;
    disk.apply(create);
    disk.change(disk.find(path), {0, content});
  }
  for (Node& node : disk.nodes_) {
    node.durable = node.current;
    node.since_sync.clear();
    node.durable_names = node.names;
  }
  disk.since_sync_.clear();
  return disk;
}

}  // namespace braid
