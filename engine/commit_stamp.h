// What a record tells of its commit besides the changes; only with an archive.
#pragma once

#include <string>
#include <string_view>

#include "engine/commit_record.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

struct CommitStamp {
  Lsn transaction;      ///< the first commit of the SQLite transaction, which a group has in common; 0: there is no stamp
  Timestamp committed;  ///< when it was sealed, by the host's clock
};

/// As `encode_commit_record`; a stamped record is never empty.
std::string encode_commit_record(const CommitRecord& record, const CommitStamp& stamp);
/// kCorrupt for bytes that are no record.
Result<CommitRecord> decode_commit_record(std::string_view bytes, CommitStamp& stamp);

}  // namespace braid
