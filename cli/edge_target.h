// Edges of one type between nodes that exist, which are found by their keys. Without a key of their
// own they are gathered and created many at a time.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

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
  bool full() const override { return lines_.size() >= kEdgesMax || bytes_ >= kBytesMax; }
  Done flush() override;

 private:
  static constexpr size_t kEdgesMax = 100'000;
  static constexpr size_t kBytesMax = 32 * 1024 * 1024;
  /// Bytes of the keys whose nodes are remembered; when there are more, all are forgotten.
  static constexpr size_t kFoundBytesMax = 64 * 1024 * 1024;

  struct Found {
    int64_t node = 0;
    KeyForm form = KeyForm::kText;
  };
  /// Nodes that were found, by key. No node comes or goes while edges are imported.
  struct FoundNodes {
    std::unordered_map<std::string, Found> by_key;
    size_t bytes = 0;
  };
  /// One end of the edges.
  struct End {
    const EdgeEnd* names = nullptr;
    const char* option = "";
    size_t column = 0;
    KeyForm form = KeyForm::kText;  ///< that found a node last, and is tried first
    FoundNodes* known = nullptr;    ///< shared by both ends when they name the same label and key
  };

  Done plan_end(std::vector<ImportColumn>* columns, End* end) const;
  Outcome<Found> find(const ImportValue& value, End* end) const;
  Outcome<Found> look_up(std::string_view key, End* end) const;
  Outcome<int64_t> find_as(const std::string& json, const End& end) const;
  Done create_one_by_one() const;
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
  FoundNodes known_[2];
  bool has_properties_ = false;  ///< the file has more columns than those of the ends
  // The gathered edges.
  std::vector<int64_t> sources_;
  std::vector<int64_t> targets_;
  std::vector<std::string> properties_;
  std::vector<int64_t> lines_;
  size_t bytes_ = 0;
};

}  // namespace braid::cli
