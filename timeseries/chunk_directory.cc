#include "timeseries/chunk_directory.h"

#include <fmt/format.h>

#include <algorithm>

namespace braid {
namespace {

constexpr std::string_view kQuarantine = "quarantine";

bool is_ours(const ChunkFiles& files, const std::string& path) {
  auto file = files.env().open(path);
  if (!file.ok() || (*file)->size_bytes() < kChunkHeaderBytes) return false;
  std::string bytes;
  if (!(*file)->read(0, kChunkHeaderBytes, bytes).ok()) return false;
  const auto header = decode_chunk_header(bytes);
  return header.ok() && header->uuid == files.owner().uuid && header->epoch == files.owner().epoch;
}

Status set_aside(const ChunkFiles& files, const std::string& name) {
  Env& env = files.env();
  const std::string aside = fmt::format("{}/{}", files.directory(), kQuarantine);
  if (!env.exists(aside)) BRAID_TRY(env.create_directory(aside));
  std::string to = fmt::format("{}/{}", aside, name);
  for (unsigned copy = 2; env.exists(to); ++copy) to = fmt::format("{}/{}.{}", aside, name, copy);
  BRAID_TRY(env.rename(fmt::format("{}/{}", files.directory(), name), to));
  return env.sync_directory(aside);
}

}  // namespace

Result<ChunkId> clean_chunk_directory(const ChunkFiles& files,
                                      const std::map<ChunkId, ChunkDefinition>& chunks) {
  BRAID_ASSIGN(std::vector<std::string> names, files.env().list(files.directory()));
  ChunkId greatest;
  bool changed = false;
  for (const std::string& name : names) {
    if (name == kQuarantine || name == "." || name == "..") continue;
    const auto id = parse_chunk_file_name(name);
    if (id.has_value()) greatest = std::max(greatest, *id);
    if (id.has_value() && chunks.contains(*id)) continue;
    if (files.env().read_only()) continue;
    const std::string path = fmt::format("{}/{}", files.directory(), name);
    BRAID_TRY(id.has_value() && is_ours(files, path) ? files.env().remove(path)
                                                     : set_aside(files, name));
    changed = true;
  }
  if (changed) BRAID_TRY(files.env().sync_directory(files.directory()));
  return greatest;
}

}  // namespace braid
