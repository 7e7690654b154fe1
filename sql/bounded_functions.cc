#include "sql/bounded_functions.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

// Each is worth some tens of milliseconds.
constexpr uint64_t kFormatWidthMax = 1'000'000;
constexpr uint64_t kTrimStepsMax = uint64_t{1} << 22;
constexpr uint64_t kSearchBytesMax = uint64_t{1} << 28;
constexpr uint64_t kPatchBytesMax = uint64_t{1} << 32;
constexpr int64_t kPathStepsMax = 1000;
/// SQLite's mark of a text that is JSON.
constexpr unsigned kJsonSubtype = 'J';

uint64_t size_of_value(sqlite3_value* value) { return static_cast<uint64_t>(sqlite3_value_bytes(value)); }

/// The widths and precisions of a format, as SQLite reads it, in all.
class FormatWidths {
 public:
  explicit FormatWidths(Values values) : values_(values) {}

  uint64_t sum() {
    uint64_t sum = 0;
    for (std::string_view rest = text_of(values_[0]); !rest.empty();) {
      const size_t at = rest.find('%');
      if (at == std::string_view::npos) break;
      rest.remove_prefix(at + 1);
      skip(rest, "-+ #0,!");
      sum += number(rest);
      if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        sum += number(rest);
      }
      skip(rest, "l");
      if (rest.empty()) break;
      if (rest[0] != '%' && rest[0] != 'n') ++next_;
      rest.remove_prefix(1);
    }
    return sum;
  }

 private:
  static void skip(std::string_view& text, std::string_view any) { text.remove_prefix(std::min(text.find_first_not_of(any), text.size())); }

  uint64_t number(std::string_view& text) {
    if (text.starts_with('*')) {
      text.remove_prefix(1);
      const int64_t given = next_ < values_.size() ? sqlite3_value_int64(values_[next_]) : 0;
      ++next_;
      // Of a 64-bit number SQLite takes the lower half.
      return static_cast<uint64_t>(std::abs(static_cast<int64_t>(static_cast<int32_t>(given))));
    }
    uint64_t number = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1))
      number = std::min<uint64_t>(number * 10 + static_cast<uint64_t>(text[0] - '0'), std::numeric_limits<int32_t>::max());
    return number;
  }

  const Values values_;
  size_t next_ = 1;
};

std::string why_not_format(Values values) {
  const uint64_t sum = values.empty() ? 0 : FormatWidths(values).sum();
  return sum <= kFormatWidthMax ? "" : fmt::format("widths and precisions of {} characters, at most {} are allowed", sum, kFormatWidthMax);
}

std::string why_not_product(Values values, uint64_t most) {
  if (values.size() < 2 || size_of_value(values[0]) <= most / std::max<uint64_t>(size_of_value(values[1]), 1)) return "";
  return fmt::format("values of {} and {} bytes would take too long", size_of_value(values[0]), size_of_value(values[1]));
}

/// SQLite goes down a path that it makes by calling itself.
std::string why_not_paths(Values values) {
  for (size_t i = 1; i < values.size(); i += 2) {
    const std::string_view path = text_of(values[i]);
    const auto steps = std::count_if(path.begin(), path.end(), [](char c) { return c == '.' || c == '['; });
    if (steps > kPathStepsMax) return fmt::format("a path of {} steps, at most {} are allowed", steps, kPathStepsMax);
  }
  return "";
}

struct Function {
  const char* name;
  int arguments;  ///< -1: any number
  std::string (*why_not)(Values);
  bool is_json = false;  ///< JSON that it is given is not taken for text, nor is what it answers
};

constexpr auto kTrim = [](Values values) { return why_not_product(values, kTrimStepsMax); };
constexpr auto kSearch = [](Values values) { return why_not_product(values, kSearchBytesMax); };
constexpr auto kPatch = [](Values values) { return why_not_product(values, kPatchBytesMax); };

constexpr Function kFunctions[] = {{"printf", -1, why_not_format}, {"format", -1, why_not_format}, {"trim", 1, kTrim},   {"trim", 2, kTrim},
                                   {"ltrim", 1, kTrim},            {"ltrim", 2, kTrim},            {"rtrim", 1, kTrim},  {"rtrim", 2, kTrim},
                                   {"instr", 2, kSearch},          {"replace", 3, kSearch},
                                   {"json_set", -1, why_not_paths, true}, {"json_insert", -1, why_not_paths, true}, {"json_patch", 2, kPatch, true}};

/// A connection to nothing, whose functions are SQLite's.
class PlainFunctions {
 public:
  static Result<std::shared_ptr<PlainFunctions>> open(sqlite3* like) {
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    auto opened = std::shared_ptr<PlainFunctions>(new PlainFunctions(SqliteHandle(db), like));
    if (code != SQLITE_OK) return Status(StatusCode::kOutOfMemory, "SQLite cannot open a database in memory");
    return opened;
  }

  void call(const Function& function, Values values, sqlite3_context* context) {
    sqlite3_limit(db_.get(), SQLITE_LIMIT_LENGTH, sqlite3_limit(like_, SQLITE_LIMIT_LENGTH, -1));
    sqlite3_stmt* statement = prepared(text_of_call(function, values));
    int code = statement == nullptr ? sqlite3_errcode(db_.get()) : SQLITE_OK;
    for (size_t i = 0; i < values.size() && code == SQLITE_OK; ++i) code = sqlite3_bind_value(statement, static_cast<int>(i + 1), values[i]);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      sqlite3_result_value(context, sqlite3_column_value(statement, 0));
      if (function.is_json) sqlite3_result_subtype(context, kJsonSubtype);
    } else {
      sqlite3_result_error(context, sqlite3_errmsg(db_.get()), -1);
      sqlite3_result_error_code(context, code);
    }
    if (statement == nullptr) return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }

 private:
  PlainFunctions(SqliteHandle db, sqlite3* like) : db_(std::move(db)), like_(like) {}

  /// A value that is bound is no JSON for SQLite.
  static std::string text_of_call(const Function& function, Values values) {
    std::string sql = fmt::format("SELECT {}(", function.name);
    for (size_t i = 0; i < values.size(); ++i) {
      const bool is_json = function.is_json && sqlite3_value_subtype(values[i]) == kJsonSubtype;
      sql += fmt::format("{}{}", i == 0 ? "" : ",", is_json ? "json(?)" : "?");
    }
    return sql + ")";
  }

  sqlite3_stmt* prepared(const std::string& sql) {
    if (const auto known = statements_.find(sql); known != statements_.end()) return known->second.get();
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v3(db_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (statement == nullptr) return nullptr;
    if (statements_.size() >= kStatementsMax) statements_.clear();
    statements_.emplace(sql, SqliteStatement(statement));
    return statement;
  }

  const SqliteHandle db_;
  sqlite3* const like_;  ///< whose bounds hold here too
  static constexpr size_t kStatementsMax = 64;
  std::map<std::string, SqliteStatement> statements_;  ///< by their text
};

/// What SQLite keeps of one function.
struct Bound {
  const Function& function;
  std::shared_ptr<PlainFunctions> plain;
};

void call(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  try {
    const auto& bound = *static_cast<const Bound*>(sqlite3_user_data(context));
    const Values given(values, static_cast<size_t>(count));
    const std::string why_not = bound.function.why_not(given);
    if (why_not.empty()) return bound.plain->call(bound.function, given, context);
    sqlite3_result_error(context, fmt::format("{}: the connection is restricted: {}", bound.function.name, why_not).c_str(), -1);
    sqlite3_result_error_code(context, SQLITE_AUTH);
  } catch (...) {
    sqlite3_result_error_nomem(context);
  }
}

}  // namespace

Status bound_functions(sqlite3* db) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  BRAID_ASSIGN(const auto plain, PlainFunctions::open(db));
  for (const Function& function : kFunctions) {
    const int code = sqlite3_create_function_v2(db, function.name, function.arguments, kFlags, new Bound{function, plain}, call, nullptr, nullptr,
                                                [](void* bound) { delete static_cast<Bound*>(bound); });
    if (code != SQLITE_OK) return sqlite_status(db, code, function.name);
  }
  return {};
}

}  // namespace braid
