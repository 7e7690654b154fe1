// What a database must be after power was lost at some moment of a Workload.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/env.h"

namespace braid {

/// What is known of the moment.
struct Expectation {
  const std::vector<std::string>& states;  ///< by commit, the first one empty
  int64_t acknowledged = 0;  ///< the last one that must be there
  int64_t begun = 0;         ///< the last one that may be
  int64_t probes_acknowledged = 0;
  int64_t probes_begun = 0;
  uint64_t backed_up = 0;  ///< the LSN of a backup from which on every commit is archived; 0: there is none
};

struct Verdict {
  std::string problems;  ///< "" when nothing is wrong
  int64_t commit = 0;    ///< the last one that is there
  int64_t probes = 0;    ///< after the one that was written
  uint64_t archived = 0;  ///< up to which LSN
  size_t open_position = 0;   ///< where a record was when the database was open
  size_t probe_position = 0;  ///< and when the further write was acknowledged
};

/// Opens `directory`, compares, checks, writes one transaction more, and closes. `position` tells how far a record is.
Verdict judge(const std::string& directory, const Expectation& expected, FileHook* hook = nullptr,
              const std::function<size_t()>& position = {});

/// "" when the backup, brought forward to `lsn` by the archive of its database, has the state.
std::string judge_restore(const std::string& backup, const std::string& destination, uint64_t lsn, const std::string& state);

}  // namespace braid
