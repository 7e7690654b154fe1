// Transactions that append to lists and read them, and what their history says about isolation.
//
// Every value is appended once. A list that was read therefore tells which transactions came before it, in which order, and which came after;
// with the times at which calls began and ended these are edges between transactions. What no serial execution could have done is a cycle.
//
// Source: Kingsbury, Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (2020); Adya (1999) for the names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace braid {

struct ListOperation {
  int64_t key = 0;
  int64_t appended = 0;          ///< from 1; 0: this is a read
  std::vector<int64_t> read{};   ///< what a read gave
};

enum class ListOutcome : uint8_t { kCommitted, kAborted, kUnknown };

struct ListTransaction {
  uint64_t begun = 0, ended = 0;  ///< of one clock for all: before the first call, after the last
  ListOutcome outcome = ListOutcome::kUnknown;
  std::vector<ListOperation> operations{};
};

/// One line per anomaly, at most `most`: aborted, intermediate and lost values, lists that contradict each other, transactions that do not see
/// what they did themselves, and cycles (of every committed transaction, in the order of time too: strict serialisability).
/// Pre: the last transactions of the history read every list once more, else a lost value at the end of a list cannot be seen.
std::vector<std::string> list_anomalies(const std::vector<ListTransaction>& history, size_t most = 20);

}  // namespace braid
