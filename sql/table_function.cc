#include "sql/table_function.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sql/graph_access.h"

namespace braid {

namespace {

constexpr size_t kParametersMax = 30;  // a bit of the plan's number each

std::string parameter_list(const TableFunction& function) {
  std::string list;
  for (const FunctionParameter& parameter : function.parameters) list += (list.empty() ? "" : ", ") + parameter.name;
  return list;
}

class RowsResult final : public FunctionResult {
 public:
  explicit RowsResult(std::vector<Row> rows) : rows_(std::move(rows)) {}
  size_t size() const override { return rows_.size(); }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const Cell& cell = rows_[row][static_cast<size_t>(column)];
    if (const auto* integer = std::get_if<int64_t>(&cell)) sqlite3_result_int64(context, *integer);
    if (const auto* real = std::get_if<double>(&cell)) sqlite3_result_double(context, *real);
    if (const auto* text = std::get_if<std::string>(&cell)) result_text(context, *text);
  }

 private:
  std::vector<Row> rows_;
};

class FunctionCursor final : public VirtualCursor {
 public:
  FunctionCursor(Connection& connection, const TableFunction& function) : connection_(connection), function_(function) {}

  /// `plan` has a bit per parameter given, in the order of the values.
  Status filter(int plan, const char*, std::span<sqlite3_value*> values) override {
    std::vector<sqlite3_value*> parameters(function_.parameters.size(), nullptr);
    size_t used = 0;
    for (size_t i = 0; i < parameters.size(); ++i)
      if ((plan >> i & 1) != 0) parameters[i] = values[used++];
    result_ = nullptr;
    index_ = 0;
    given_.clear();
    for (sqlite3_value* value : parameters) given_.emplace_back(value == nullptr ? nullptr : sqlite3_value_dup(value));
    call_ = call_number(parameters);
    for (size_t i = 0; i < parameters.size(); ++i)
      if (function_.parameters[i].required && parameters[i] == nullptr)
        return Status(StatusCode::kInvalidArgument, fmt::format("{} needs its parameter '{}'; it takes {}", function_.name,
                                                                function_.parameters[i].name, parameter_list(function_)));
    memory_.clear();
    const Connection::WalkMemory counted(connection_, memory_);
    BRAID_ASSIGN(result_, function_.run(connection_, parameters));
    return {};
  }
  Status next() override {
    ++index_;
    return {};
  }
  bool at_end() const override { return result_ == nullptr || index_ >= result_->size(); }
  /// Where SQLite looks for rows by several ways (WHERE a OR b) it takes those of one number for the same row, so the numbers of calls with
  /// other parameters differ.
  int64_t rowid() const override { return static_cast<int64_t>(call_ << kIndexBits | index_); }

  Status column(sqlite3_context* context, int column) override {
    if (column < function_.column_count) {
      result_->column(context, index_, column);
      return {};
    }
    // A parameter's column is what was given: a second condition on it, or a join over it, compares with that.
    const SqliteValue& given = given_[static_cast<size_t>(column - function_.column_count)];
    if (given != nullptr) sqlite3_result_value(context, given.get());
    return {};
  }

 private:
  static constexpr int kIndexBits = 24;

  static uint64_t call_number(std::span<sqlite3_value* const> parameters) {
    std::string call;
    for (sqlite3_value* value : parameters) {
      const std::string_view text = value == nullptr ? std::string_view() : text_of(value);
      call += fmt::format("{}:{}:{};", value == nullptr ? 0 : sqlite3_value_type(value), text.size(), text);
    }
    return std::hash<std::string>()(call) >> kIndexBits;
  }

  Connection& connection_;
  const TableFunction& function_;
  std::vector<SqliteValue> given_;  // parameters by place
  uint64_t call_ = 0;
  MemoryShare memory_{connection_.new_walk_memory()};  // of the result
  std::unique_ptr<FunctionResult> result_;
  size_t index_ = 0;
};

class FunctionTable final : public VirtualTable {
 public:
  FunctionTable(Connection& connection, const TableFunction& function) : VirtualTable(connection), function_(function) {}

  int best_index(sqlite3_index_info& info) override {
    std::array<int, kParametersMax> constraint_of;
    std::array<bool, kParametersMax> compared{};
    constraint_of.fill(-1);
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      const int parameter = constraint.iColumn - function_.column_count;
      if (parameter < 0) continue;
      compared[static_cast<size_t>(parameter)] |= is_comparison(constraint.op);
      if (constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      // A parameter that comes from a table not yet read: another order of the join can give it.
      if (constraint.usable == 0) return SQLITE_CONSTRAINT;
      constraint_of[static_cast<size_t>(parameter)] = i;
    }
    int argument = 0;
    info.idxNum = 0;
    for (size_t parameter = 0; parameter < function_.parameters.size(); ++parameter) {
      if (constraint_of[parameter] < 0 && compared[parameter]) return refuse_comparison(function_.parameters[parameter]);
      if (constraint_of[parameter] < 0) continue;
      auto& usage = info.aConstraintUsage[constraint_of[parameter]];
      usage.argvIndex = ++argument;
      usage.omit = 1;
      info.idxNum |= 1 << parameter;
    }
    info.estimatedCost = 100;
    info.estimatedRows = 50;
    // The call will fail with a message; any plan that gives the parameter is better.
    for (size_t i = 0; i < function_.parameters.size(); ++i)
      if (function_.parameters[i].required && constraint_of[i] < 0) info.estimatedCost = 1e12;
    return SQLITE_OK;
  }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<FunctionCursor>(connection, function_); }

 private:
  static bool is_comparison(unsigned char op) {
    constexpr unsigned char kComparisons[] = {SQLITE_INDEX_CONSTRAINT_GT,    SQLITE_INDEX_CONSTRAINT_LE,   SQLITE_INDEX_CONSTRAINT_LT,
                                              SQLITE_INDEX_CONSTRAINT_GE,    SQLITE_INDEX_CONSTRAINT_NE,   SQLITE_INDEX_CONSTRAINT_MATCH,
                                              SQLITE_INDEX_CONSTRAINT_LIKE,  SQLITE_INDEX_CONSTRAINT_GLOB, SQLITE_INDEX_CONSTRAINT_REGEXP,
                                              SQLITE_INDEX_CONSTRAINT_IS,    SQLITE_INDEX_CONSTRAINT_ISNOT};
    return std::find(std::begin(kComparisons), std::end(kComparisons), op) != std::end(kComparisons);
  }

  /// A parameter that is not given is NULL, so that the comparison would answer no rows, which looks like a result.
  int refuse_comparison(const FunctionParameter& parameter) {
    return connection.report(
        this, Status(StatusCode::kInvalidArgument, fmt::format("'{0}' is a parameter of {1}, which takes one value of it: give it with {0} = ...",
                                                               parameter.name, function_.name)));
  }

  const TableFunction& function_;
};

}  // namespace

std::unique_ptr<FunctionResult> make_rows(std::vector<Row> rows) { return std::make_unique<RowsResult>(std::move(rows)); }

Status register_table_function(Connection& connection, const TableFunction& function) {
  std::string declaration = fmt::format("CREATE TABLE x({}", function.columns);
  for (const FunctionParameter& parameter : function.parameters) declaration += fmt::format(", {} HIDDEN", parameter.name);
  declaration += ")";
  BRAID_TRY(register_module(
      connection, function.name.c_str(), ModuleKind::kEponymous,
      [&function, declaration](Connection& made_on, bool, std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
        BRAID_TRY(declare_table(made_on, declaration));
        return std::unique_ptr<VirtualTable>(std::make_unique<FunctionTable>(made_on, function));
      }));
  connection.add_built_in_table(function.name, fmt::format("{}({}) gives {}", function.name, parameter_list(function), function.columns));
  return {};
}

std::optional<std::string_view> text_parameter(std::span<sqlite3_value* const> parameters, size_t index) {
  return parameters[index] == nullptr ? std::nullopt : optional_text(parameters[index]);
}

Result<std::optional<NodeId>> node_parameter(std::span<sqlite3_value* const> parameters, size_t index, std::string_view name) {
  sqlite3_value* value = parameters[index];
  if (value == nullptr || sqlite3_value_type(value) == SQLITE_NULL) return std::optional<NodeId>();
  if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || sqlite3_value_int64(value) <= 0)
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: '{}' is not a node id; graph_node(label, property, value) finds it", name, text_of(value)));
  return std::optional(NodeId(static_cast<uint64_t>(sqlite3_value_int64(value))));
}

}  // namespace braid
