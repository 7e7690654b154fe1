#include "graph/rocksdb_status.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace braid {
namespace {

using Code = rocksdb::Status::Code;

struct Row {
  Code foreign;
  StatusCode ours;
};

constexpr Row kTable[] = {
    {Code::kNotFound, StatusCode::kNotFound},
    {Code::kCorruption, StatusCode::kCorrupt},
    {Code::kNotSupported, StatusCode::kVersion},
    {Code::kInvalidArgument, StatusCode::kCorrupt},  // options differ from what the files need
    {Code::kIOError, StatusCode::kIo},
    {Code::kMergeInProgress, StatusCode::kBusy},
    {Code::kIncomplete, StatusCode::kBusy},
    {Code::kShutdownInProgress, StatusCode::kMisuse},
    {Code::kTimedOut, StatusCode::kBusy},
    {Code::kAborted, StatusCode::kIo},
    {Code::kBusy, StatusCode::kBusy},
    {Code::kExpired, StatusCode::kBusy},
    {Code::kTryAgain, StatusCode::kBusy},
    {Code::kCompactionTooLarge, StatusCode::kIo},
    {Code::kColumnFamilyDropped, StatusCode::kInternal},
};

}  // namespace

Status rocksdb_status(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  StatusCode code = StatusCode::kInternal;
  for (const Row& row : kTable) {
    if (row.foreign == status.code()) code = row.ours;
  }
  // Opening tells what a file met in the text of an error of its own only.
  const std::string text = status.ToString();
  const auto tells = [&](const char* part) { return text.find(part) != std::string::npos; };
  if (status.IsInvalidArgument() && tells("IO error: ")) code = StatusCode::kIo;
  if (status.IsNoSpace() || (code == StatusCode::kIo && tells(std::strerror(ENOSPC)))) code = StatusCode::kFull;
  if (status.IsMemoryLimit()) code = StatusCode::kOutOfMemory;
  return Status(code, fmt::format("graph: {}: {}", doing, text));
}

}  // namespace braid
