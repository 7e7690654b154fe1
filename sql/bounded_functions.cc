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

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

// Each is worth some tens of milliseconds.
constexpr uint64_t kFormatWidthMax = 1'000'000;
constexpr uint64_t kTrimStepsMax = uint64_t{1} << 22;
constexpr uint64_t kSearchBytesMax = uint64_t{1} << 28;

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

struct Function {
  const char* name;
  int arguments;  ///< -1: any number
  std::string (*why_not)(Values);
};

constexpr auto kTrim = [](Values values) { return why_not_product(values, kTrimStepsMax); };
constexpr auto kSearch = [](Values values) { return why_not_product(values, kSearchBytesMax); };

constexpr Function kFunctions[] = {{"printf", -1, why_not_format}, {"format", -1, why_not_format}, {"trim", 1, kTrim},   {"trim", 2, kTrim},
                                   {"ltrim", 1, kTrim},            {"ltrim", 2, kTrim},            {"rtrim", 1, kTrim},  {"rtrim", 2, kTrim},
                                   {"instr", 2, kSearch},          {"replace", 3, kSearch}};

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

  void call(const char* name, Values values, sqlite3_context* context) {
    sqlite3_limit(db_.get(), SQLITE_LIMIT_LENGTH, sqlite3_limit(like_, SQLITE_LIMIT_LENGTH, -1));
    sqlite3_stmt* statement = prepared(name, values.size());
    int code = statement == nullptr ? sqlite3_errcode(db_.get()) : SQLITE_OK;
    for (size_t i = 0; i < values.size() && code == SQLITE_OK; ++i) code = sqlite3_bind_value(statement, static_cast<int>(i + 1), values[i]);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      sqlite3_result_value(context, sqlite3_column_value(statement, 0));
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

  sqlite3_stmt* prepared(const char* name, size_t arguments) {
    auto& known = statements_[{name, arguments}];
    if (known.get() != nullptr) return known.get();
    std::string sql = fmt::format("SELECT {}(", name);
    for (size_t i = 0; i < arguments; ++i) sql += i == 0 ? "?" : ",?";
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v3(db_.get(), (sql + ")").c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    known = SqliteStatement(statement);
    return statement;
  }

  const SqliteHandle db_;
  sqlite3* const like_;  ///< whose bounds hold here too
  std::map<std::pair<std::string_view, size_t>, SqliteStatement> statements_;
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
    if (why_not.empty()) return bound.plain->call(bound.function.name, given, context);
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
