// Table-valued functions: their parameters are hidden columns, given in parentheses or by name (WHERE start = 5).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sql/virtual_table.h"

namespace braid {

/// The rows of one call.
class FunctionResult {
 public:
  virtual ~FunctionResult() = default;
  virtual size_t size() const = 0;
  virtual void column(sqlite3_context* context, size_t row, int column) const = 0;
};

/// One value of a result row.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;
using Row = std::vector<Cell>;
/// A count or a size in SQL.
inline int64_t figure(uint64_t value) { return static_cast<int64_t>(value); }

/// Rows that are few.
std::unique_ptr<FunctionResult> make_rows(std::vector<Row> rows);

struct FunctionParameter {
  std::string name;
  bool required = false;
};

struct TableFunction {
  std::string name;
  std::string columns;  ///< of the result, as declared in CREATE TABLE
  int column_count = 0;
  std::vector<FunctionParameter> parameters;
  /// `parameters` by place; null for one that is not given.
  std::function<Result<std::unique_ptr<FunctionResult>>(Connection&, std::span<sqlite3_value* const> parameters)> run;
};

/// `function` lives as long as the process.
Status register_table_function(Connection& connection, const TableFunction& function);

// Reading parameters, all of which may be null pointers or NULL.
std::optional<std::string_view> text_parameter(std::span<sqlite3_value* const> parameters, size_t index);
/// Nothing for NULL. kInvalidArgument with `name` for what is no node id.
Result<std::optional<NodeId>> node_parameter(std::span<sqlite3_value* const> parameters, size_t index, std::string_view name);

}  // namespace braid
