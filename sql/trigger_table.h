// A hidden table that is only written, by our own triggers: what they insert is told to the engine and not kept.
#pragma once

#include <fmt/format.h>

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

class TriggerTable : public VirtualTable {
 public:
  TriggerTable(Connection& made_on, const char* name) : VirtualTable(made_on), name_(name) {}
  int best_index(sqlite3_index_info&) override { return SQLITE_OK; }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<EmptyCursor>(); }

  // values: old rowid, new rowid, then the four columns
  Status update(std::span<sqlite3_value*> values, sqlite3_int64& rowid) final {
    rowid = 0;
    if (values.size() != 2 + kColumns) return Status(StatusCode::kInternal, fmt::format("{} is written by triggers only", name_));
    return insert(values.subspan(2));
  }

 protected:
  static constexpr size_t kColumns = 4;
  /// `values`: one for each column.
  virtual Status insert(std::span<sqlite3_value*> values) = 0;

 private:
  const char* const name_;
};

/// Registers a table of the class with a constructor from a connection; `columns` are four names.
template <typename Table>
Status register_trigger_table(Connection& connection, const char* name, const char* columns) {
  return register_module(connection, name, ModuleKind::kEponymousWritable,
                         [columns](Connection& made_on, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
                           BRAID_TRY(declare_table(made_on, fmt::format("CREATE TABLE x({})", columns)));
                           return std::unique_ptr<VirtualTable>(std::make_unique<Table>(made_on));
                         });
}

}  // namespace braid
