// Points of a hypertable. Rows are gathered by series and handed to the appender in columns.
#pragma once

#include <memory>
#include <unordered_map>

#include "cli/hypertable_schema.h"
#include "cli/import_target.h"

namespace braid::cli {

class HypertableTarget final : public ImportTarget {
 public:
  HypertableTarget(const Session& session, const ImportArguments& arguments)
      : session_(session), arguments_(arguments) {}

  Done plan(std::vector<ImportColumn>* columns) override;
  Done begin(const std::vector<ImportColumn>& columns) override;
  Done add(std::span<const ImportValue> values, int64_t line) override;
  bool full() const override { return rows_ >= kRowsMax || bytes_ >= kBytesMax; }
  Done flush() override;
  std::string notes() const override { return notes_; }

 private:
  static constexpr size_t kRowsMax = 200'000;
  static constexpr size_t kBytesMax = 64 * 1024 * 1024;
  static constexpr size_t kNotInFile = static_cast<size_t>(-1);

  /// The gathered values of one field.
  struct FieldValues {
    std::vector<double> doubles;
    std::vector<int64_t> integers;
    std::vector<std::string> texts;
    std::vector<uint8_t> nulls;
  };
  /// The gathered rows of one series.
  struct SeriesRows {
    std::vector<std::optional<std::string>> tags;
    std::vector<int64_t> times;
    std::vector<FieldValues> fields;
    int64_t first_line = 0;
    int64_t last_line = 0;
  };
  /// A column of the hypertable and where its values are in the file.
  struct Source {
    HypertableColumn column;
    size_t index = kNotInFile;
  };

  Done plan_existing(std::vector<ImportColumn>* columns);
  Done plan_new(std::vector<ImportColumn>* columns);
  Done create(const std::vector<ImportColumn>& columns);
  void take_columns(const std::vector<ImportColumn>& columns);
  SeriesRows& series_of(std::span<const ImportValue> values);
  void add_field(const Source& source, std::span<const ImportValue> values, FieldValues* field);
  Done append(const SeriesRows& series);
  std::string describe(const SeriesRows& series) const;

  const Session& session_;
  const ImportArguments& arguments_;
  std::vector<HypertableColumn> schema_;  ///< empty until the hypertable exists
  size_t time_ = 0;                       ///< the file's column with the time
  std::vector<Source> tags_;
  std::vector<Source> fields_;
  std::string time_name_;
  AppenderHandle appender_;
  std::unordered_map<std::string, SeriesRows> series_;
  std::string series_key_;
  size_t rows_ = 0;
  size_t bytes_ = 0;
  std::string notes_;
};

}  // namespace braid::cli
