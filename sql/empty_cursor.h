// The cursor of a table that is only written, by our own triggers.
#pragma once

#include "sql/virtual_table.h"

namespace braid {

class EmptyCursor final : public VirtualCursor {
 public:
  Status filter(int, const char*, std::span<sqlite3_value*>) override { return {}; }
  Status next() override { return {}; }
  bool at_end() const override { return true; }
  Status column(sqlite3_context*, int) override { return {}; }
  int64_t rowid() const override { return 0; }
};

}  // namespace braid
