// hypertable_rollup(table, plan, p0, …): what recognised SELECTs are answered from (sql/rollup_recognition.h). Columns: the bucket, the tag
// keys t0…, the aggregates a0…; the plan says which of them there are.
//
// A row per bucket and group, in whatever order of keys is asked for; without one, in the order of the plan.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "sql/rollup_question.h"
#include "sql/tag_set.h"
#include "sql/text_times.h"
#include "sql/time_text.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

constexpr int kBucketColumn = 0;
constexpr int kFirstTag = 1;
constexpr int kFirstIntegerTag = kFirstTag + static_cast<int>(kRollupTagsMax);
constexpr int kFirstAggregateColumn = kFirstIntegerTag + static_cast<int>(kRollupTagsMax);
constexpr int kNameColumn = kFirstAggregateColumn + static_cast<int>(kRollupColumnsMax);
constexpr int kPlanColumn = kNameColumn + 1;
constexpr int kArgumentsMax = 2 + static_cast<int>(kRollupParametersMax);

constexpr const char* kOrderMark = "; ORDER ";  // before order_words in the cursor's plan

std::string hypertable_rollup_declaration() {
  // Tags have the type of a hypertable's tags: key number n is in column t<n> or i<n>. What stands for an expression has none.
  std::string sql = fmt::format("CREATE TABLE x({}bucket", kRollupPrefix);
  for (size_t i = 0; i < kRollupTagsMax; ++i) sql += fmt::format(", {}t{} TEXT", kRollupPrefix, i);
  for (size_t i = 0; i < kRollupTagsMax; ++i) sql += fmt::format(", {}i{} INTEGER", kRollupPrefix, i);
  for (size_t i = 0; i < kRollupColumnsMax; ++i) sql += fmt::format(", {}a{}", kRollupPrefix, i);
  sql += fmt::format(", {0}table HIDDEN, {0}plan HIDDEN", kRollupPrefix);
  for (size_t i = 0; i < kRollupParametersMax; ++i) sql += fmt::format(", {}p{} HIDDEN", kRollupPrefix, i);
  return sql + ")";
}

/// The order that SQLite asked for: "b+ 0- ", by the bucket upwards, then by the first tag key downwards.
std::string order_words(const sqlite3_index_info& info) {
  std::string words;
  for (int i = 0; i < info.nOrderBy; ++i) {
    const int column = info.aOrderBy[i].iColumn;
    if (column < kBucketColumn || column >= kFirstAggregateColumn) return "";
    words += column == kBucketColumn ? "b" : std::to_string((column - kFirstTag) % static_cast<int>(kRollupTagsMax));
    words += info.aOrderBy[i].desc != 0 ? "- " : "+ ";
  }
  return words;
}

std::vector<RollupOrder> read_order(std::string_view words) {
  std::vector<RollupOrder> orders;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    RollupOrder order;
    if (end < 2) break;
    if (words.front() != 'b') {
      size_t tag = 0;
      std::from_chars(words.data(), words.data() + end - 1, tag);
      order.tag = tag;
    }
    order.descending = words[end - 1] == '-';
    orders.push_back(order);
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return orders;
}

class RollupTable final : public VirtualTable {
 public:
  explicit RollupTable(Connection& connection) : VirtualTable(connection) {}

  int best_index(sqlite3_index_info& info) override {
    std::array<int, kArgumentsMax> constraint_of;
    constraint_of.fill(-1);
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      const int argument = constraint.iColumn - kNameColumn;
      if (argument < 0 || argument >= kArgumentsMax || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      // It comes from a table not yet read: another order of the join can give it.
      if (constraint.usable == 0) return SQLITE_CONSTRAINT;
      constraint_of[static_cast<size_t>(argument)] = i;
    }
    int given = 0;
    for (; given < kArgumentsMax && constraint_of[static_cast<size_t>(given)] >= 0; ++given) {
      auto& usage = info.aConstraintUsage[constraint_of[static_cast<size_t>(given)]];
      usage.argvIndex = given + 1;
      usage.omit = 1;
    }
    // Of rows that DISTINCT or a GROUP BY puts together the first counts, in the order of this table's groups.
    const std::string order = sqlite3_vtab_distinct(&info) == 0 ? order_words(info) : "";
    info.orderByConsumed = !order.empty() ? 1 : 0;
    info.idxNum = given;
    info.idxStr = sqlite3_mprintf("%s%s%s", words_for_people(info, constraint_of, given).c_str(), kOrderMark, order.c_str());
    if (info.idxStr == nullptr) return SQLITE_NOMEM;
    info.needToFreeIdxStr = 1;
    constexpr int kRowsGuess = 1000;
    info.estimatedRows = kRowsGuess;
    info.estimatedCost = 100.0 * kRowsGuess;
    return SQLITE_OK;
  }
  std::unique_ptr<VirtualCursor> open() override;

  BucketArguments bucket_arguments;  ///< keeps the zones that were read

 private:
  /// What EXPLAIN QUERY PLAN shows.
  std::string words_for_people(sqlite3_index_info& info, const std::array<int, kArgumentsMax>& constraint_of, int given) const {
    sqlite3_value* name = nullptr;
    sqlite3_value* text = nullptr;
    if (given < 2 || sqlite3_vtab_rhs_value(&info, constraint_of[0], &name) != SQLITE_OK || sqlite3_vtab_rhs_value(&info, constraint_of[1], &text) != SQLITE_OK)
      return "ROLLUP";
    const std::shared_ptr<const Version> newest = connection.engine().versions().newest();  // shared: keeps the catalog alive
    const CatalogState& catalog = connection.session().pinned() ? connection.catalog_state() : *newest->catalog;
    const HypertableDefinition* table = catalog.hypertable(text_of(name));
    if (table == nullptr) return "ROLLUP";
    const auto plan = decode_plan(text_of(text), static_cast<size_t>(given) - 2, *table);
    return plan.ok() ? describe_plan(*plan, *table) : "ROLLUP";
  }
};

class RollupCursor final : public VirtualCursor {
 public:
  explicit RollupCursor(RollupTable& table) : table_(table) {}

  Status filter(int given, const char* detail, std::span<sqlite3_value*> values) override {
    answer_.reset();
    rows_.clear();
    at_ = 0;
    bucket_text_.clear();
    Connection& connection = table_.connection;
    if (given < 2) return Status(StatusCode::kInvalidArgument, fmt::format("{} is called with a table and a plan", kRollupTable));
    const HypertableDefinition* definition = connection.catalog_state().hypertable(text_of(values[0]));
    if (definition == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", text_of(values[0])));
    BRAID_ASSIGN(plan_, decode_plan(text_of(values[1]), values.size() - 2, *definition));
    BRAID_ASSIGN(asked_, ask_rollup(connection, *definition, plan_, values.subspan(2), table_.bucket_arguments));
    if (asked_.no_rows) return {};
    const bool lone_null = asked_.null_bucket && plan_.tags.empty();
    // Without keys there is a row even if there is no point, but not for a key that is NULL.
    if (lone_null) asked_.question.columns.push_back({RollupFunction::kCount, kAllRows});
    BRAID_ASSIGN(answer_, answer_rollup(connection, *definition, asked_));
    connection.note_series_read({"rollup", definition->name, describe_plan(plan_, *definition), answer_->size(), answer_->counts()});
    if (lone_null && answer_->value(0, plan_.columns.size()).integer == 0) return {};
    if (plan_.bucket && !asked_.null_bucket && answer_->size() > 0 && answer_->bucket(0) < kYearZero) return bucket_without_text();
    const std::string_view words(detail);
    put_in_order(read_order(words.substr(words.rfind(kOrderMark) + std::string_view(kOrderMark).size())));
    return {};
  }

  Status next() override {
    ++at_;
    return {};
  }
  bool at_end() const override { return at_ >= rows_.size(); }
  int64_t rowid() const override { return static_cast<int64_t>(at_); }

  Status column(sqlite3_context* context, int column) override {
    const size_t row = rows_[at_];
    if (column == kBucketColumn) {
      bucket_column(context, row);
    } else if (column < kFirstAggregateColumn) {
      tag_column(context, row, static_cast<size_t>(column - kFirstTag) % kRollupTagsMax);
    } else if (column < kNameColumn) {
      return aggregate_column(context, row, static_cast<size_t>(column - kFirstAggregateColumn));
    }
    return {};
  }

 private:
  void bucket_column(sqlite3_context* context, size_t row) {
    if (!plan_.bucket || asked_.null_bucket) return;
    const int64_t bucket = answer_->bucket(row);
    if (bucket_text_.empty() || bucket != bucket_of_text_) {
      bucket_text_ = format_time(Timestamp(bucket));
      bucket_of_text_ = bucket;
    }
    result_text(context, bucket_text_);
  }

  void tag_column(sqlite3_context* context, size_t row, size_t tag) {
    if (tag >= plan_.tags.size()) return;
    const TagKey& key = asked_.groups[answer_->group(row)][tag];
    if (const auto* text = std::get_if<std::string>(&key)) result_text(context, *text);
    if (const auto* number = std::get_if<int64_t>(&key)) sqlite3_result_int64(context, *number);
  }

  Status aggregate_column(sqlite3_context* context, size_t row, size_t number) {
    if (number >= plan_.columns.size()) return {};
    const RollupValue value = answer_->value(row, number);
    const RollupColumn& column = plan_.columns[number];
    switch (value.kind) {
      case RollupValue::Kind::kNull: return {};
      case RollupValue::Kind::kReal: sqlite3_result_double(context, value.real); return {};
      case RollupValue::Kind::kOverflow: return Status(StatusCode::kSql, "integer overflow");
      case RollupValue::Kind::kInteger:
        if (column.field == kTimeField && column.function != RollupFunction::kCount)
          result_text(context, format_time(Timestamp(value.integer)));
        else
          sqlite3_result_int64(context, value.integer);
        return {};
    }
    return {};
  }

  /// An answer comes ordered by (bucket, group), and groups are numbered in the order of all tag keys.
  void put_in_order(const std::vector<RollupOrder>& asked) {
    rows_.resize(answer_->size());
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i] = i;
    std::vector<RollupOrder> orders = asked;
    // Rows that are alike in what was asked for come in the order of GROUP BY, as SQLite gives them.
    for (const RollupOrder& order : plan_.order) {
      const bool known = std::any_of(orders.begin(), orders.end(), [&](const RollupOrder& one) { return one.tag == order.tag; });
      if (!known) orders.push_back(order);
    }
    if (is_natural(orders)) return;
    if (orders.size() == 1 && !orders[0].tag && plan_.tags.empty() && !late()) {
      std::reverse(rows_.begin(), rows_.end());
      return;
    }
    const auto compare = [&](size_t a, size_t b, const RollupOrder& order) {
      return order.tag ? compare_tags(a, b, *order.tag) : compare_buckets(a, b);
    };
    std::stable_sort(rows_.begin(), rows_.end(), [&](size_t a, size_t b) {
      for (const RollupOrder& order : orders) {
        const int found = compare(a, b, order);
        if (found != 0) return order.descending ? found > 0 : found < 0;
      }
      return false;
    });
  }

  bool is_natural(const std::vector<RollupOrder>& orders) const {
    size_t expected = 0;
    for (size_t i = 0; i < orders.size(); ++i) {
      if (orders[i].descending) return false;
      if (!orders[i].tag) {
        if (i != 0) return false;
      } else if ((i == 0 && plan_.bucket) || *orders[i].tag != expected++) {
        return false;
      }
    }
    return !late();
  }

  /// Is there a bucket whose text does not sort as its time does?
  bool late() const {
    if (!plan_.bucket || answer_->size() == 0) return false;
    return answer_->bucket(answer_->size() - 1) >= kYearTenThousand;
  }

  int compare_buckets(size_t a, size_t b) const {
    const int64_t left = answer_->bucket(a), right = answer_->bucket(b);
    if (left == right || asked_.null_bucket) return 0;
    if (late()) return format_time(Timestamp(left)) < format_time(Timestamp(right)) ? -1 : 1;
    return left < right ? -1 : 1;
  }

  int compare_tags(size_t a, size_t b, size_t tag) const {
    if (tag >= plan_.tags.size()) return 0;
    const auto& left = asked_.groups[answer_->group(a)][tag];
    const auto& right = asked_.groups[answer_->group(b)][tag];
    return left < right ? -1 : left == right ? 0 : 1;
  }

  RollupTable& table_;
  RollupPlan plan_;
  AskedRollup asked_;
  std::optional<RollupAnswer> answer_;
  std::vector<size_t> rows_;
  size_t at_ = 0;
  std::string bucket_text_;
  int64_t bucket_of_text_ = 0;
};

std::unique_ptr<VirtualCursor> RollupTable::open() { return std::make_unique<RollupCursor>(*this); }

}  // namespace

Status register_hypertable_rollup(Connection& connection) {
  BRAID_TRY(register_tag_sets(connection));
  return register_module(connection, kRollupTable, ModuleKind::kEponymous,
                         [](Connection& made_on, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
                           static const std::string sql = hypertable_rollup_declaration();
                           BRAID_TRY(declare_table(made_on, sql));
                           return std::unique_ptr<VirtualTable>(std::make_unique<RollupTable>(made_on));
                         });
}

}  // namespace braid
