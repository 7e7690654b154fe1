// Edges of one type between nodes that exist, which are found by their keys.
#pragma once

#include "cli/import_target.h"
#include "cli/key_form.h"

namespace braid::cli {

class EdgeTarget final : public ImportTarget {
 public:
  EdgeTarget(const Session& session, const ImportArguments& arguments)
      : session_(session), arguments_(arguments) {}

  Done plan(std::vector<ImportColumn>* columns) override;
  Done begin(const std::vector<ImportColumn>& columns) override;
  Done add(std::span<const ImportValue> values, int64_t line) override;

 private:
  /// One end of the edges.
  struct End {
    const EdgeEnd* names = nullptr;
    const char* option = "";
    size_t column = 0;
    KeyForm form = KeyForm::kText;  ///< that found a node last, and is tried first
  };
  struct Found {
    int64_t node = 0;
    KeyForm form = KeyForm::kText;
  };

  Done plan_end(std::vector<ImportColumn>* columns, End* end) const;
  Outcome<Found> find(const ImportValue& value, End* end) const;
  Outcome<int64_t> find_as(const std::string& json, const End& end) const;
  Done link(std::span<const ImportValue> values, const Found& from, const Found& to,
            const std::string& properties);
  int32_t bind_key(int32_t index, const ImportValue& value, KeyForm form) const;
  Done check_linked(int64_t edge, const Found& from, const Found& to) const;

  const Session& session_;
  const ImportArguments& arguments_;
  std::vector<ImportColumn> columns_;
  End from_;
  End to_;
  std::optional<size_t> edge_key_;
  StatementHandle link_;
};

}  // namespace braid::cli
