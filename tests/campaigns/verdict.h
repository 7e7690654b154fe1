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
};

struct Verdict {
  std::string problems;  ///< "" when nothing is wrong
  int64_t commit = 0;    ///< the last one that is there
  int64_t probes = 0;    ///< after the one that was written
  size_t open_position = 0;   ///< where a record was when the database was open
  size_t probe_position = 0;  ///< and when the further write was acknowledged
};

/// Opens `directory`, compares, checks, writes one transaction more, and closes. `position` tells how far a record is.
Verdict judge(const std::string& directory, const Expectation& expected, FileHook* hook = nullptr,
              const std::function<size_t()>& position = {});

}  // namespace braid
