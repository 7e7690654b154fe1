// graph_node_index(node, value, label HIDDEN, property HIDDEN) and graph_edge_index(edge, value, type HIDDEN, property HIDDEN): the
// entries of a property index, found by conditions on `value` and ordered by it.
//
// SQLite tests the conditions on every row again: they only narrow what is read (sql/index_selection).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graph/timestamp_text.h"
#include "sql/graph_access.h"
#include "sql/graph_lists.h"
#include "sql/index_selection.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

enum IndexColumn { kItem, kValue, kScope, kProperty };

/// The words of one of the two tables.
struct IndexTableNames {
  const char* table;
  const char* declaration;
  const char* scope;
  bool on_edges;
};
constexpr IndexTableNames kIndexTables[] = {
    {"graph_node_index", "CREATE TABLE x(node INTEGER, value, label TEXT HIDDEN, property TEXT HIDDEN)", "label", false},
    {"graph_edge_index", "CREATE TABLE x(edge INTEGER, value, type TEXT HIDDEN, property TEXT HIDDEN)", "type", true},
};

// ---- Plans -------------------------------------------------------------------------------------------------------------------

// A plan's number: which parameters are given, the order, whether there is a GLOB, then four bits for each condition on `value`, in the order of the
// arguments: its row in kConditions and 1; 0 ends them.
constexpr int kScopeGiven = 1, kPropertyGiven = 2, kDescendingAsked = 4, kGlobAsked = 8;
constexpr int kConditionsShift = 4, kConditionBits = 4, kConditionsMax = 6;

/// How rows are found, the best first: EXPLAIN QUERY PLAN shows the name.
struct SearchRow {
  const char* name;
  double cost;
  int64_t rows;
};
enum Search { kByEqual, kByIn, kByPrefix, kByRange, kByScan };
constexpr SearchRow kSearches[] = {{"equal", 10, 5}, {"in", 100, 50}, {"prefix", 2e3, 1000}, {"range", 2e4, 10'000}, {"scan", 2e6, 1'000'000}};

struct ConditionRow {
  unsigned char code;  // SQLite's
  IndexOperator op;
  bool compares;       // by a collation
  Search search;
};
constexpr ConditionRow kConditions[] = {
    {SQLITE_INDEX_CONSTRAINT_EQ, IndexOperator::kEqual, true, kByEqual},
    {SQLITE_INDEX_CONSTRAINT_LT, IndexOperator::kLess, true, kByRange},
    {SQLITE_INDEX_CONSTRAINT_LE, IndexOperator::kLessOrEqual, true, kByRange},
    {SQLITE_INDEX_CONSTRAINT_GT, IndexOperator::kGreater, true, kByRange},
    {SQLITE_INDEX_CONSTRAINT_GE, IndexOperator::kGreaterOrEqual, true, kByRange},
    {SQLITE_INDEX_CONSTRAINT_GLOB, IndexOperator::kGlob, false, kByPrefix},
    {SQLITE_INDEX_CONSTRAINT_LIKE, IndexOperator::kLike, false, kByPrefix},
};
constexpr int kInCondition = static_cast<int>(std::size(kConditions));  // value IN (…), all its values at once
static_assert(kInCondition + 1 < 1 << kConditionBits && kConditionsShift + kConditionBits * kConditionsMax < 32);

class Planner {
 public:
  explicit Planner(sqlite3_index_info& info) : info_(info) {}

  int plan() {
    if (!take_parameter(kScope, kScopeGiven) || !take_parameter(kProperty, kPropertyGiven)) return SQLITE_CONSTRAINT;
    for (int i = 0; i < info_.nConstraint; ++i) take_condition(i);
    take_order();
    const SearchRow& search = kSearches[search_];
    // The name is a literal: SQLite does not write to it and need not free it.
    info_.idxStr = const_cast<char*>(search.name);
    info_.needToFreeIdxStr = 0;
    info_.idxNum = static_cast<int>(plan_);
    // Without its parameters the call fails with a message; any plan that gives them is better.
    const bool complete = (plan_ & kScopeGiven) != 0 && (plan_ & kPropertyGiven) != 0;
    info_.estimatedCost = complete ? search.cost : 1e12;
    info_.estimatedRows = search.rows;
    return SQLITE_OK;
  }

 private:
  /// False when the parameter comes from a table not yet read: another order of the join can give it.
  bool take_parameter(int column, unsigned bit) {
    for (int i = 0; i < info_.nConstraint; ++i) {
      const auto& constraint = info_.aConstraint[i];
      if (constraint.iColumn != column || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      if (constraint.usable == 0) return false;
      if ((plan_ & bit) != 0) continue;
      plan_ |= bit;
      info_.aConstraintUsage[i].argvIndex = ++arguments_;
      info_.aConstraintUsage[i].omit = 1;
    }
    return true;
  }

  void take_condition(int i) {
    const auto& constraint = info_.aConstraint[i];
    if (constraint.iColumn != kValue) return;
    if (constraint.op == SQLITE_INDEX_CONSTRAINT_GLOB) plan_ |= kGlobAsked;
    if (constraint.usable == 0 || conditions_ == kConditionsMax) return;
    for (size_t row = 0; row < std::size(kConditions); ++row) {
      if (kConditions[row].code != constraint.op) continue;
      // The index has the order of the bytes, and no other.
      if (kConditions[row].compares && std::string_view(sqlite3_vtab_collation(&info_, i)) != "BINARY") return;
      const bool in = constraint.op == SQLITE_INDEX_CONSTRAINT_EQ && sqlite3_vtab_in(&info_, i, 1) != 0;
      add(i, in ? kInCondition : static_cast<int>(row), in ? kByIn : kConditions[row].search);
      return;
    }
  }

  void add(int i, int condition, Search search) {
    plan_ |= static_cast<unsigned>(condition + 1) << (kConditionsShift + kConditionBits * conditions_++);
    search_ = std::min(search_, search);
    info_.aConstraintUsage[i].argvIndex = ++arguments_;
  }

  void take_order() {
    if (info_.nOrderBy != 1 || info_.aOrderBy[0].iColumn != kValue) return;
    info_.orderByConsumed = 1;
    if (info_.aOrderBy[0].desc != 0) plan_ |= kDescendingAsked;
  }

  sqlite3_index_info& info_;
  unsigned plan_ = 0;
  int arguments_ = 0;
  int conditions_ = 0;
  Search search_ = kByScan;
};

// ---- Reading -----------------------------------------------------------------------------------------------------------------

/// Entries of one kind of values, in order.
class IndexSource {
 public:
  struct Entry {
    PropertyValue value;
    std::string order;  // sorts as SQL does within a class
    uint64_t id = 0;
  };

  IndexSource(IndexId index, const IndexSelection& selection, IndexValueKind kind, bool descending)
      : index_(index), ranges_(index_ranges(selection, kind)) {
    if (descending) std::reverse(ranges_.begin(), ranges_.end());
    for (IndexRange& range : ranges_) range.descending = descending;
  }

  /// Null at the end. Valid until `next`.
  const Entry* entry() const { return entry_ ? &*entry_ : nullptr; }

  Status next(const GraphView& view) {
    entry_.reset();
    if (++place_ >= hits_.size()) BRAID_TRY(fetch(view));
    if (place_ >= hits_.size()) return {};
    const IndexHit& hit = hits_[place_];
    BRAID_ASSIGN(PropertyValue value, decode_index_value(hit.value));
    std::string order = order_of(hit.value, value);
    entry_ = Entry{std::move(value), std::move(order), hit.id};
    return {};
  }

 private:
  // A query with a small LIMIT reads little; a long one soon reads many at a time.
  static constexpr size_t kFirstRows = 16, kRowsMax = 512;

  Status fetch(const GraphView& view) {
    std::optional<IndexHit> last;
    if (!hits_.empty()) last = std::move(hits_.back());
    hits_.clear();
    place_ = 0;
    for (; range_ < ranges_.size() && hits_.empty(); rows_ = std::min(rows_ * 2, kRowsMax)) {
      BRAID_TRY(view.scan_index(index_, ranges_[range_], range_open_ ? &*last : nullptr, rows_, hits_));
      range_open_ = hits_.size() == rows_;
      if (!range_open_) ++range_;
    }
    return {};
  }

  static std::string order_of(const std::string& bytes, const PropertyValue& value) {
    if (const auto* flag = std::get_if<bool>(&value.value)) return *encode_index_value({int64_t{*flag}});
    if (const auto* time = std::get_if<Timestamp>(&value.value)) return timestamp_to_text(*time).value_or("");
    if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
    return bytes;
  }

  IndexId index_;
  std::vector<IndexRange> ranges_;
  size_t range_ = 0;         // the next to read
  bool range_open_ = false;  // it was begun and goes on after the last of hits_
  size_t rows_ = kFirstRows;
  std::vector<IndexHit> hits_;
  size_t place_ = SIZE_MAX;  // one before the first
  std::optional<Entry> entry_;
};

/// SQL's classes in their order, each with the kinds of values that are in it.
constexpr std::array<std::array<std::optional<IndexValueKind>, 2>, 3> kClasses = {{{IndexValueKind::kNumber, IndexValueKind::kBool},
                                                                                   {IndexValueKind::kText, IndexValueKind::kTimestamp},
                                                                                   {IndexValueKind::kBytes, std::nullopt}}};

void result_value(sqlite3_context* context, const PropertyValue& value) {
  if (const auto* flag = std::get_if<bool>(&value.value)) sqlite3_result_int(context, *flag ? 1 : 0);
  if (const auto* integer = std::get_if<int64_t>(&value.value)) sqlite3_result_int64(context, *integer);
  if (const auto* real = std::get_if<double>(&value.value)) sqlite3_result_double(context, *real);
  if (const auto* text = std::get_if<std::string>(&value.value)) result_text(context, *text);
  if (const auto* bytes = std::get_if<Bytes>(&value.value))
    sqlite3_result_blob64(context, bytes->data.data(), bytes->data.size(), SQLITE_TRANSIENT);
  if (const auto* time = std::get_if<Timestamp>(&value.value)) result_text(context, timestamp_to_text(*time).value_or(""));
}

class IndexCursor final : public VirtualCursor {
 public:
  IndexCursor(Connection& connection, const IndexTableNames& names) : connection_(connection), names_(names) {}

  Status filter(int number, const char*, std::span<sqlite3_value*> values) override {
    const auto plan = static_cast<unsigned>(number);
    sources_.clear();
    class_ = 0;
    if ((plan & kScopeGiven) == 0 || (plan & kPropertyGiven) == 0)
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{0} needs its parameters: {0}({1}, property)", names_.table, names_.scope));
    scope_ = text_of(values[0]);
    property_ = text_of(values[1]);
    BRAID_ASSIGN(index_, property_index(connection_, names_.on_edges, scope_, property_));
    view_.emplace(connection_.graph());
    descending_ = (plan & kDescendingAsked) != 0;
    selection_ = select_all();
    BRAID_TRY(select(plan, values.subspan(2)));
    return settle();
  }

  Status next() override {
    BRAID_TRY(sources_[first_].next(*view_));
    return settle();
  }
  bool at_end() const override { return sources_.empty(); }
  /// Where SQLite looks for rows by several ways (WHERE a OR b) it takes those of one number for the same row: a node stands in several
  /// indexes, so the index's own number is in it.
  int64_t rowid() const override {
    constexpr int kIdBits = 40;
    return static_cast<int64_t>((uint64_t{index_.value()} << kIdBits) ^ sources_[first_].entry()->id);
  }

  Status column(sqlite3_context* context, int column) override {
    const IndexSource::Entry& entry = *sources_[first_].entry();
    switch (column) {
      case kItem: sqlite3_result_int64(context, static_cast<int64_t>(entry.id)); break;
      case kValue: result_value(context, entry.value); break;
      case kScope: result_text(context, scope_); break;
      case kProperty: result_text(context, property_); break;
      default: break;
    }
    return {};
  }

 private:
  Status select(unsigned plan, std::span<sqlite3_value*> values) {
    unsigned conditions = plan >> kConditionsShift;
    for (size_t i = 0; conditions != 0; ++i, conditions >>= kConditionBits) {
      const auto condition = static_cast<int>(conditions & ((1U << kConditionBits) - 1)) - 1;
      if (condition != kInCondition) {
        IndexSelection selected = select_values(kConditions[condition].op, property_of(values[i]));
        // SQLite adds comparisons of its own to a GLOB, which hold for texts only; built without LIKE_DOESNT_MATCH_BLOBS it lets blobs match.
        if ((plan & kGlobAsked) != 0 && kConditions[condition].compares) selected.blobs = select_all().blobs;
        intersect(selection_, selected);
        continue;
      }
      std::vector<IndexSelection> each;
      sqlite3_value* value = nullptr;
      int code = sqlite3_vtab_in_first(values[i], &value);
      for (; code == SQLITE_OK; code = sqlite3_vtab_in_next(values[i], &value))
        each.push_back(select_values(IndexOperator::kEqual, property_of(value)));
      if (code != SQLITE_DONE) return sqlite_status(connection_.db(), code, "read the values of IN");
      IndexSelection any;
      unite(any, each);
      intersect(selection_, any);
    }
    return {};
  }

  /// Stands on the entry that comes next: of the class that is read, else the first of the classes after it.
  Status settle() {
    for (;;) {
      std::erase_if(sources_, [](const IndexSource& source) { return source.entry() == nullptr; });
      if (!sources_.empty()) break;
      if (class_ == kClasses.size()) return {};
      BRAID_TRY(open_class(descending_ ? kClasses.size() - 1 - class_ : class_));
      ++class_;
    }
    first_ = 0;
    if (sources_.size() == 2) first_ = (sources_[1].entry()->order < sources_[0].entry()->order) != descending_ ? 1 : 0;
    return {};
  }

  Status open_class(size_t which) {
    for (const auto& kind : kClasses[which]) {
      if (!kind) continue;
      // To find the places of timestamps by their text costs more than to see that there are none.
      if (kind == IndexValueKind::kTimestamp) {
        BRAID_ASSIGN(const bool any, has_any(*kind));
        if (!any) continue;
      }
      sources_.emplace_back(index_, selection_, *kind, descending_);
      BRAID_TRY(sources_.back().next(*view_));
    }
    return {};
  }

  Result<bool> has_any(IndexValueKind kind) const {
    const auto [lower, upper] = index_value_limits(kind);
    std::vector<IndexHit> first;
    BRAID_TRY(view_->scan_index(index_, {.lower = lower, .upper = upper}, nullptr, 1, first));
    return !first.empty();
  }

  Connection& connection_;
  const IndexTableNames& names_;
  std::string scope_;
  std::string property_;
  IndexId index_;
  std::optional<GraphView> view_;
  IndexSelection selection_;
  bool descending_ = false;
  size_t class_ = 0;                  // the next to open, in the order of the scan
  std::vector<IndexSource> sources_;  // of the class that is read, those that have an entry
  size_t first_ = 0;
};

class IndexTable final : public VirtualTable {
 public:
  IndexTable(Connection& connection, const IndexTableNames& names) : VirtualTable(connection), names_(names) {}
  int best_index(sqlite3_index_info& info) override { return Planner(info).plan(); }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<IndexCursor>(connection, names_); }

 private:
  const IndexTableNames& names_;
};

}  // namespace

Status register_index_tables(Connection& connection) {
  for (const IndexTableNames& names : kIndexTables)
    BRAID_TRY(register_module(connection, names.table, ModuleKind::kEponymous,
                              [&names](Connection& made_on, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
                                BRAID_TRY(declare_table(made_on, names.declaration));
                                return std::unique_ptr<VirtualTable>(std::make_unique<IndexTable>(made_on, names));
                              }));
  return register_graph_lists(connection);
}

}  // namespace braid
