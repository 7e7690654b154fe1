// SQLite's virtual tables as two classes with virtual functions. Statuses and exceptions become SQLite codes in one place.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/result.h"
#include "sql/connection.h"

namespace braid {

/// A cursor of a VirtualTable. After `filter` it stands on the first row, or at the end.
class VirtualCursor : public sqlite3_vtab_cursor {
 public:
  /// What Connection::rollbacks was at `filter` in a write transaction, else 0.
  uint64_t reads_changes = 0;

  virtual ~VirtualCursor() = default;
  virtual Status filter(int plan, const char* detail, std::span<sqlite3_value*> values) = 0;
  virtual Status next() = 0;
  virtual bool at_end() const = 0;
  virtual Status column(sqlite3_context* context, int column) = 0;
  virtual int64_t rowid() const = 0;
};

class VirtualTable : public sqlite3_vtab {
 public:
  explicit VirtualTable(Connection& connection) : sqlite3_vtab{}, connection(connection) {}
  virtual ~VirtualTable() = default;
  /// An SQLite code; SQLITE_CONSTRAINT refuses a plan.
  virtual int best_index(sqlite3_index_info& info) = 0;
  virtual std::unique_ptr<VirtualCursor> open() = 0;
  /// As sqlite3_module.xUpdate.
  virtual Status update(std::span<sqlite3_value*> values, sqlite3_int64& rowid);
  virtual Status rename(std::string_view name);
  virtual Status destroy() { return {}; }

  Connection& connection;
};

/// Makes a table when SQLite connects to it: `created` is true for CREATE VIRTUAL TABLE. `arguments` are as SQLite gives them:
/// module, schema, table name, then the arguments in parentheses.
using TableFactory = std::function<Result<std::unique_ptr<VirtualTable>>(Connection&, bool created,
                                                                         std::span<const char* const> arguments)>;

enum class ModuleKind : uint8_t {
  kEponymous,          // always there, read only
  kEponymousWritable,  // always there
  kCreated,            // made by CREATE VIRTUAL TABLE
};

/// Registers a module; its tables may be used in triggers and views.
Status register_module(Connection& connection, const char* name, ModuleKind kind, TableFactory factory);
Status declare_table(Connection& connection, const std::string& create_table);

// Values between SQLite and us.
std::string_view text_of(sqlite3_value* value);
std::string_view bytes_of(sqlite3_value* value);
void result_text(sqlite3_context* context, std::string_view text);
struct FreeValue {
  void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
};
/// A copy of a value, made by sqlite3_value_dup.
using SqliteValue = std::unique_ptr<sqlite3_value, FreeValue>;

/// Registers a scalar function; `body` reports its failure through the status.
using ScalarBody = Status (*)(Connection&, sqlite3_context*, std::span<sqlite3_value*>);
/// One that keeps something between its calls.
using StatefulBody = std::function<Status(Connection&, sqlite3_context*, std::span<sqlite3_value*>)>;
enum class FunctionUse : uint8_t {
  kInnocuous,    // may be used in triggers, views and CHECKs
  kDirectOnly,   // administration
};
Status register_function(Connection& connection, const char* name, int arguments, FunctionUse use, ScalarBody body,
                         bool deterministic = false);
Status register_function(Connection& connection, const char* name, int arguments, FunctionUse use, StatefulBody body,
                         bool deterministic = false);
struct FunctionRow {
  const char* name;
  int arguments_min;
  int arguments_max;
  ScalarBody body;
};
Status register_functions(Connection& connection, FunctionUse use, std::span<const FunctionRow> rows);

}  // namespace braid
