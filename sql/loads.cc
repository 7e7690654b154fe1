// Loads that are made of many transactions: each has a name, and a position that says how far it has come. The position is part of the
// transaction in which it moves, so that after a crash the load goes on exactly behind what was committed.
//
//   load_position(name)            how far; 0 for a load that is not known
//   load_advance(name, position)   in the transaction that loads what is before the position
//   load_finish(name)              forgets the load; its position, or 0
//   load_positions(name, position) a table of them all
#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

constexpr size_t kNameBytesMax = 1000;
/// They are read at open and copied whenever the catalog changes.
constexpr size_t kLoadsMax = 10'000;

using Values = std::span<sqlite3_value*>;

Result<std::string> load_name(sqlite3_value* value) {
  const std::string_view name = text_of(value);
  if (name.empty() || name.size() > kNameBytesMax)
    return Status(StatusCode::kInvalidArgument, fmt::format("the name of a load has 1 to {} bytes", kNameBytesMax));
  return std::string(name);
}

int64_t position_of(const CatalogState& state, const std::string& name) {
  const auto found = state.loads.find(name);
  return found == state.loads.end() ? 0 : found->second;
}

Status position_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.pin());
  BRAID_ASSIGN(const std::string name, load_name(values[0]));
  sqlite3_result_int64(context, position_of(connection.catalog_state(), name));
  return {};
}

Status advance_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const std::string name, load_name(values[0]));
  if (sqlite3_value_type(values[1]) != SQLITE_INTEGER || sqlite3_value_int64(values[1]) < 0)
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("load '{}': '{}' is no position; it is a whole number from 0", name, text_of(values[1])));
  const int64_t position = sqlite3_value_int64(values[1]);
  CatalogWriter& catalog = connection.graph_writer().catalog();
  const int64_t before = position_of(catalog.state(), name);
  if (position < before)
    return Status(StatusCode::kConstraint, fmt::format("load '{}' has come to {} and cannot go back to {}; load_finish('{}') forgets it",
                                                       name, before, position, name));
  if (before == 0 && catalog.state().loads.size() >= kLoadsMax)
    return Status(StatusCode::kLimit, fmt::format("there are {} loads, which is the most; load_finish forgets one", kLoadsMax));
  if (position > before) catalog.put_load(name, position);
  sqlite3_result_int64(context, position);
  return {};
}

Status finish_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const std::string name, load_name(values[0]));
  CatalogWriter& catalog = connection.graph_writer().catalog();
  const int64_t position = position_of(catalog.state(), name);
  if (position > 0) catalog.remove_load(name);
  sqlite3_result_int64(context, position);
  return {};
}

enum LoadColumn { kName, kPosition };

class LoadCursor final : public VirtualCursor {
 public:
  explicit LoadCursor(Connection& connection) : connection_(connection) {}

  Status filter(int, const char*, Values) override {
    const auto& loads = connection_.catalog_state().loads;
    rows_.assign(loads.begin(), loads.end());
    index_ = 0;
    return {};
  }
  Status next() override {
    ++index_;
    return {};
  }
  bool at_end() const override { return index_ >= rows_.size(); }
  int64_t rowid() const override { return static_cast<int64_t>(index_) + 1; }
  Status column(sqlite3_context* context, int column) override {
    if (column == kName) result_text(context, rows_[index_].first);
    if (column == kPosition) sqlite3_result_int64(context, rows_[index_].second);
    return {};
  }

 private:
  Connection& connection_;
  std::vector<std::pair<std::string, int64_t>> rows_;
  size_t index_ = 0;
};

class LoadTable final : public VirtualTable {
 public:
  using VirtualTable::VirtualTable;
  int best_index(sqlite3_index_info& info) override {
    info.estimatedCost = 1000;
    info.estimatedRows = 100;
    // The catalog keeps them by name.
    info.orderByConsumed = info.nOrderBy == 1 && info.aOrderBy[0].iColumn == kName && info.aOrderBy[0].desc == 0 ? 1 : 0;
    return SQLITE_OK;
  }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<LoadCursor>(connection); }
};

}  // namespace

Status register_loads(Connection& connection) {
  BRAID_TRY(register_function(connection, "load_position", 1, FunctionUse::kInnocuous, position_function));
  BRAID_TRY(register_function(connection, "load_advance", 2, FunctionUse::kDirectOnly, advance_function));
  BRAID_TRY(register_function(connection, "load_finish", 1, FunctionUse::kDirectOnly, finish_function));
  return register_module(
      connection, "load_positions", ModuleKind::kEponymous,
      [](Connection& made_on, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
        BRAID_TRY(declare_table(made_on, "CREATE TABLE x(name TEXT, position INTEGER)"));
        return std::unique_ptr<VirtualTable>(std::make_unique<LoadTable>(made_on));
      });
}

}  // namespace braid
