// rollup(hypertable, width [, since [, until [, only_tags [, only_fields [, origin [, bucket_offset [, timezone]]]]]]]): a row for each bucket, series
// and field of numbers, in that order.
//
// Only the aggregates that the statement names are computed, of the fields and series that it asks for; conditions on the bucket and `field =`
// are pushed down as well.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/rollup_question.h"
#include "sql/series_selection.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

enum Column : int { kBucket, kTags, kField, kFirstAggregate };

struct AggregateRow {
  const char* declaration;
  RollupFunction function;
};
constexpr AggregateRow kAggregates[] = {
    {"count INTEGER", RollupFunction::kCount}, {"sum NUMERIC", RollupFunction::kSum},     {"avg REAL", RollupFunction::kAverage},    {"min NUMERIC", RollupFunction::kMin},
    {"max NUMERIC", RollupFunction::kMax},     {"first NUMERIC", RollupFunction::kFirst}, {"last NUMERIC", RollupFunction::kLast},
};
constexpr int kAggregateCount = static_cast<int>(std::size(kAggregates));

/// Hidden columns, in the order of the arguments.
enum Parameter : int { kHypertable, kWidth, kSince, kUntil, kOnlyTags, kOnlyFields, kOrigin, kOffset, kTimezone, kParameterCount };
constexpr const char* kParameters[] = {"hypertable", "width", "since", "until", "only_tags", "only_fields", "origin", "bucket_offset", "timezone"};
static_assert(std::size(kParameters) == kParameterCount);
constexpr int kFirstParameter = kFirstAggregate + kAggregateCount;

/// What a constraint is pushed to stands in the plan's text: a parameter's digit, 'f' for the field, or a comparison with the bucket.
struct BucketRow {
  unsigned char constraint;  // SQLite's
  char letter;
};
constexpr BucketRow kBucketComparisons[] = {
    {SQLITE_INDEX_CONSTRAINT_GE, 'g'}, {SQLITE_INDEX_CONSTRAINT_GT, 'g'}, {SQLITE_INDEX_CONSTRAINT_LE, 'l'}, {SQLITE_INDEX_CONSTRAINT_LT, 'l'}, {SQLITE_INDEX_CONSTRAINT_EQ, '='},
};
constexpr char kFieldLetter = 'f';

std::string series_rollup_declaration() {
  std::string sql = fmt::format("CREATE TABLE x(bucket \"TIMESTAMP TEXT\" COLLATE {}, tags TEXT, field TEXT", kTimeCollation);
  for (const AggregateRow& aggregate : kAggregates) sql += fmt::format(", {}", aggregate.declaration);
  for (const char* parameter : kParameters) sql += fmt::format(", {} HIDDEN", parameter);
  return sql + ")";
}

bool is_number(FieldType type) { return type == FieldType::kDouble || type == FieldType::kInt64 || type == FieldType::kBool; }

class RollupSeriesTable final : public VirtualTable {
 public:
  explicit RollupSeriesTable(Connection& connection) : VirtualTable(connection) {}

  int best_index(sqlite3_index_info& info) override {
    std::string plan;
    bool has_width = false, has_table = false;
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      const int parameter = constraint.iColumn - kFirstParameter;
      const bool equal = constraint.op == SQLITE_INDEX_CONSTRAINT_EQ;
      if (parameter >= 0 && equal && constraint.usable == 0) return SQLITE_CONSTRAINT;
      if (constraint.usable == 0) continue;
      char letter = '\0';
      if (parameter >= 0 && equal) letter = static_cast<char>('0' + parameter);
      if (constraint.iColumn == kField && equal && std::string_view(sqlite3_vtab_collation(&info, i)) == "BINARY") letter = kFieldLetter;
      if (constraint.iColumn == kBucket && std::string_view(sqlite3_vtab_collation(&info, i)) == kTimeCollation) {
        for (const BucketRow& row : kBucketComparisons)
          if (row.constraint == constraint.op) letter = row.letter;
      }
      if (letter == '\0') continue;
      has_table |= parameter == kHypertable;
      has_width |= parameter == kWidth;
      plan += letter;
      info.aConstraintUsage[i].argvIndex = static_cast<int>(plan.size());
      info.aConstraintUsage[i].omit = parameter >= 0 ? 1 : 0;
    }
    info.idxStr = sqlite3_mprintf("%llx|%s", static_cast<unsigned long long>(info.colUsed), plan.c_str());
    if (info.idxStr == nullptr) return SQLITE_NOMEM;
    info.needToFreeIdxStr = 1;
    info.orderByConsumed = info.nOrderBy == 1 && info.aOrderBy[0].iColumn == kBucket && info.aOrderBy[0].desc == 0 ? 1 : 0;
    info.estimatedRows = 1000;
    // The call will fail with a message; any plan that gives the parameters is better.
    info.estimatedCost = has_table && has_width ? 1e5 : 1e12;
    return SQLITE_OK;
  }
  std::unique_ptr<VirtualCursor> open() override;

  BucketArguments bucket_arguments;  ///< keeps the zones that were read
};

class RollupSeriesCursor final : public VirtualCursor {
 public:
  explicit RollupSeriesCursor(RollupSeriesTable& table) : table_(table) {}

  Status filter(int, const char* plan, std::span<sqlite3_value*> values) override {
    char* rest = nullptr;
    used_ = std::strtoull(plan, &rest, 16);
    const std::string_view letters(rest + 1);
    given_.clear();
    given_.resize(kParameterCount);
    answer_.reset();
    fields_.clear();
    row_ = 0;
    tags_text_.reset();
    for (size_t i = 0; i < letters.size(); ++i)
      if (letters[i] >= '0' && letters[i] <= '9') given_[static_cast<size_t>(letters[i] - '0')].reset(sqlite3_value_dup(values[i]));
    const Status asked = ask(letters, values);
    return asked.ok() ? asked : asked.within("rollup");
  }

  Status next() override {
    ++row_;
    return {};
  }
  bool at_end() const override { return !answer_ || row_ >= answer_->size() * fields_.size(); }
  int64_t rowid() const override { return static_cast<int64_t>(row_); }

  Status column(sqlite3_context* context, int column) override {
    const size_t row = row_ / fields_.size();
    const size_t field = row_ % fields_.size();
    if (column == kBucket) {
      result_text(context, format_time(Timestamp(answer_->bucket(row))));
    } else if (column == kTags) {
      return tags_column(context, answer_->group(row));
    } else if (column == kField) {
      result_text(context, definition_.fields[fields_[field]].name);
    } else if (column < kFirstParameter) {
      return aggregate_column(context, answer_->value(row, field * wanted_.size() + place_[static_cast<size_t>(column - kFirstAggregate)]));
    } else if (const SqliteValue& given = given_[static_cast<size_t>(column - kFirstParameter)]; given != nullptr) {
      sqlite3_result_value(context, given.get());
    }
    return {};
  }

 private:
  sqlite3_value* given(Parameter parameter) const {
    sqlite3_value* value = given_[parameter].get();
    return value == nullptr || sqlite3_value_type(value) == SQLITE_NULL ? nullptr : value;
  }

  Status ask(std::string_view letters, std::span<sqlite3_value*> values) {
    Connection& connection = table_.connection;
    if (given(kHypertable) == nullptr || given(kWidth) == nullptr)
      return Status(StatusCode::kInvalidArgument, "expected a hypertable and the width of the buckets, for example rollup('cpu', '1 hour')");
    const HypertableDefinition* found = connection.catalog_state().hypertable(text_of(given(kHypertable)));
    if (found == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", text_of(given(kHypertable))));
    definition_ = *found;
    AskedRollup asked;
    RollupQuestion& question = asked.question;
    std::vector<sqlite3_value*> options;
    for (const Parameter option : {kOrigin, kOffset, kTimezone})
      if (given(option) != nullptr) options.push_back(given(option));
    BRAID_ASSIGN(question.buckets, make_buckets(connection, given(kWidth), options, table_.bucket_arguments));
    if (given(kSince) != nullptr) {
      BRAID_ASSIGN(question.range.start, time_of(given(kSince), "since"));
    }
    if (given(kUntil) != nullptr) {
      BRAID_ASSIGN(question.range.limit, time_of(given(kUntil), "until"));
    }
    BRAID_TRY(choose_fields(letters, values));
    for (size_t i = 0; i < letters.size(); ++i) BRAID_TRY(narrow(letters[i], values[i], question));
    TagValuesAllowed allowed(definition_.tags.size());
    if (given(kOnlyTags) != nullptr) {
      BRAID_ASSIGN(allowed, allowed_tags(definition_, text_of(given(kOnlyTags))));
    }
    BRAID_ASSIGN(question.series, select_series(connection, definition_, allowed));
    if (!question.series) {
      BRAID_ASSIGN(question.series, all_series(connection, definition_));
    }
    if (fields_.empty() || question.series->empty() || question.range.start >= question.range.limit) return {};
    for (size_t i = 0; i < question.series->size(); ++i) question.groups.push_back(static_cast<uint32_t>(i));
    series_ = *question.series;
    choose_columns(question);
    BRAID_ASSIGN(answer_, answer_rollup(connection, definition_, asked));
    connection.note_series_read({"rollup", definition_.name, "rollup()", answer_->size(), answer_->counts()});
    return {};
  }

  /// Buckets from or up to a time have points from it, or up to the end of its bucket, only; SQLite looks at what is left.
  Status narrow(char letter, sqlite3_value* value, RollupQuestion& question) {
    if (letter != 'g' && letter != 'l' && letter != '=') return {};
    if (sqlite3_value_type(value) == SQLITE_NULL) {
      question.range.limit = question.range.start;
      return {};
    }
    BRAID_ASSIGN(const Timestamp time, compared_time_of(value, "a comparison with the bucket"));
    if (letter != 'l') question.range.start = std::max(question.range.start, time);
    if (letter != 'g') question.range.limit = std::min(question.range.limit, Timestamp(question.buckets->next(question.buckets->start_of(time.value()))));
    return {};
  }

  Result<size_t> number_field(std::string_view name) const {
    std::string numbers;
    for (size_t i = 0; i < definition_.fields.size(); ++i) {
      const FieldDefinition& field = definition_.fields[i];
      if (!is_number(field.type)) continue;
      if (sqlite3_stricmp(field.name.c_str(), std::string(name).c_str()) == 0) return i;
      numbers += fmt::format("{}'{}'", numbers.empty() ? "" : ", ", field.name);
    }
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no field of numbers of '{}'; it has {}", name, definition_.name, numbers.empty() ? "none" : numbers));
  }

  /// All fields of numbers, or those of `only_fields`, which is a name or a JSON array of names; of these the one that `field =` names.
  Status choose_fields(std::string_view letters, std::span<sqlite3_value*> values) {
    if (given(kOnlyFields) == nullptr) {
      for (size_t i = 0; i < definition_.fields.size(); ++i)
        if (is_number(definition_.fields[i].type)) fields_.push_back(i);
    } else {
      const std::string_view text = text_of(given(kOnlyFields));
      PropertyList names{PropertyValue{std::string(text)}};
      if (text.starts_with('[')) {
        BRAID_ASSIGN(const PropertyValue parsed, value_from_json(text));
        if (const auto* list = std::get_if<PropertyList>(&parsed.value)) names = *list;
      }
      for (const PropertyValue& name : names) {
        const auto* one = std::get_if<std::string>(&name.value);
        if (one == nullptr) return Status(StatusCode::kInvalidArgument, "only_fields: expected a name or an array of names");
        BRAID_ASSIGN(const size_t field, number_field(*one));
        if (std::find(fields_.begin(), fields_.end(), field) == fields_.end()) fields_.push_back(field);
      }
    }
    for (size_t i = 0; i < letters.size(); ++i) {
      if (letters[i] != kFieldLetter) continue;
      std::erase_if(fields_, [&](size_t field) { return definition_.fields[field].name != text_of(values[i]); });
    }
    return {};
  }

  void choose_columns(RollupQuestion& question) {
    wanted_.clear();
    for (size_t i = 0; i < kAggregateCount; ++i) {
      place_[i] = wanted_.size();
      if ((used_ >> (static_cast<size_t>(kFirstAggregate) + i) & 1) != 0) wanted_.push_back(kAggregates[i].function);
    }
    // Which rows there are does not depend on what is asked.
    if (wanted_.empty()) wanted_.push_back(RollupFunction::kCount);
    for (const size_t field : fields_)
      for (const RollupFunction function : wanted_) question.columns.push_back({function, field});
  }

  Status tags_column(sqlite3_context* context, uint32_t group) {
    if (!tags_text_ || tags_group_ != group) {
      BRAID_ASSIGN(const TagValues tags, tags_of_series(table_.connection, definition_, series_[group]));
      PropertyMap map;
      for (size_t i = 0; i < tags.size(); ++i) {
        const auto number = tags[i] && definition_.tag_type(i) == FieldType::kInt64 ? integer_of_tag(*tags[i]) : std::nullopt;
        PropertyValue value;
        if (number) value.value = *number;
        else if (tags[i]) value.value = *tags[i];
        map.emplace_back(definition_.tags[i], std::move(value));
      }
      tags_text_ = value_to_json(PropertyValue{std::move(map)});
      tags_group_ = group;
    }
    result_text(context, *tags_text_);
    return {};
  }

  static Status aggregate_column(sqlite3_context* context, const RollupValue& value) {
    switch (value.kind) {
      case RollupValue::Kind::kNull: return {};
      case RollupValue::Kind::kInteger: sqlite3_result_int64(context, value.integer); return {};
      case RollupValue::Kind::kReal: sqlite3_result_double(context, value.real); return {};
      case RollupValue::Kind::kOverflow: return Status(StatusCode::kSql, "integer overflow");
    }
    return {};
  }

  RollupSeriesTable& table_;
  HypertableDefinition definition_;
  unsigned long long used_ = 0;
  std::vector<SqliteValue> given_;  // parameters by place
  std::vector<size_t> fields_;
  std::vector<RollupFunction> wanted_;  // of each field
  std::array<size_t, kAggregateCount> place_{};  // of each aggregate among them
  std::vector<SeriesId> series_;
  std::optional<RollupAnswer> answer_;
  size_t row_ = 0;
  std::optional<std::string> tags_text_;
  uint32_t tags_group_ = 0;
};

std::unique_ptr<VirtualCursor> RollupSeriesTable::open() { return std::make_unique<RollupSeriesCursor>(*this); }

}  // namespace

Status register_series_rollup(Connection& connection) {
  BRAID_TRY(register_module(connection, "rollup", ModuleKind::kEponymous,
                            [](Connection& made_on, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
                              static const std::string sql = series_rollup_declaration();
                              BRAID_TRY(declare_table(made_on, sql));
                              return std::unique_ptr<VirtualTable>(std::make_unique<RollupSeriesTable>(made_on));
                            }));
  connection.add_built_in_table("rollup", "rollup(hypertable, width, since, until, only_tags, only_fields, origin, bucket_offset, timezone)");
  return {};
}

}  // namespace braid
