// Rows of an SQL table.
#pragma once

#include "cli/import_target.h"

namespace braid::cli {

class TableTarget final : public ImportTarget {
 public:
  TableTarget(const Session& session, const ImportArguments& arguments)
      : session_(session), arguments_(arguments) {}

  Done plan(std::vector<ImportColumn>* columns) override;
  Done begin(const std::vector<ImportColumn>& columns) override;
  Done add(std::span<const ImportValue> values, int64_t line) override;
  std::string notes() const override { return notes_; }

 private:
  Done plan_existing(std::vector<ImportColumn>* columns) const;
  Done create(const std::vector<ImportColumn>& columns);
  int32_t bind(int32_t index, const ImportValue& value) const;

  const Session& session_;
  const ImportArguments& arguments_;
  bool exists_ = false;
  StatementHandle insert_;
  std::string notes_;
};

/// Whether a table or view has this name.
Outcome<bool> table_exists(const Session& session, std::string_view name);

}  // namespace braid::cli
