// Nodes with one label, told apart by a key. A key that exists has its properties replaced, so that
// loading a file again changes nothing.
#pragma once

#include "cli/import_target.h"

namespace braid::cli {

class NodeTarget final : public ImportTarget {
 public:
  NodeTarget(const Session& session, const ImportArguments& arguments)
      : session_(session), arguments_(arguments) {}

  Done plan(std::vector<ImportColumn>* columns) override;
  Done begin(const std::vector<ImportColumn>& columns) override;
  Done add(std::span<const ImportValue> values, int64_t line) override;
  std::string notes() const override { return notes_; }

 private:
  Done plan_key_type(ImportColumn* key) const;

  const Session& session_;
  const ImportArguments& arguments_;
  std::vector<ImportColumn> columns_;
  size_t key_ = 0;
  std::string labels_;  ///< a JSON array
  bool has_index_ = false;
  std::string notes_;
};

/// Whether nodes with the label can be found by the property. A failure for anything but an index
/// that is absent.
Outcome<bool> has_node_index(const Session& session, const std::string& label,
                             const std::string& property);

}  // namespace braid::cli
