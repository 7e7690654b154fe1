// first(value, key) and last(value, key): the value of the row whose key is the least or the greatest.
//
// Keys are times in any form, numbers, or other text, in this order. Rows whose key is NULL do not count; of equal keys the first row
// counts; NULL is a value like others.
#include <deque>
#include <string>

#include "sql/aggregate_function.h"
#include "sql/time_text.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

/// Rows that could still become the answer when those before them leave the frame.
constexpr size_t kCandidatesMax = 65'536;
constexpr size_t kCandidateBytesMax = size_t{16} << 20;

/// A time is the number of its microseconds.
struct Key {
  enum class Kind : uint8_t { kInteger, kReal, kText } kind = Kind::kInteger;
  int64_t integer = 0;
  double real = 0;
  std::string text;
};

Key key_of(sqlite3_value* value) {
  Key key;
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: key.integer = sqlite3_value_int64(value); return key;
    case SQLITE_FLOAT: key.kind = Key::Kind::kReal, key.real = sqlite3_value_double(value); return key;
    default: break;
  }
  if (const auto time = parse_time(text_of(value))) {
    key.integer = time->value();
    return key;
  }
  key.kind = Key::Kind::kText;
  key.text = text_of(value);
  return key;
}

bool less(const Key& a, const Key& b) {
  using Kind = Key::Kind;
  if (a.kind == Kind::kText || b.kind == Kind::kText) return a.kind != b.kind ? b.kind == Kind::kText : a.text < b.text;
  if (a.kind == Kind::kInteger && b.kind == Kind::kInteger) return a.integer < b.integer;
  const auto number = [](const Key& key) { return key.kind == Kind::kInteger ? static_cast<double>(key.integer) : key.real; };
  return number(a) < number(b);
}

/// Candidates stand in the order in which they came, each with a key no better than the one before: the first of them is the answer.
template <bool kLast>
class Bookend final : public Aggregate {
 public:
  Status add(Values values) override {
    ++added_;
    if (sqlite3_value_type(values[1]) == SQLITE_NULL) return {};
    Key key = key_of(values[1]);
    while (!candidates_.empty() && better(key, candidates_.back().key)) drop_last();
    if (!candidates_.empty() && (candidates_.size() >= kCandidatesMax || bytes_ >= kCandidateBytesMax)) {
      incomplete_ = true;
      return {};
    }
    SqliteValue value(sqlite3_value_dup(values[0]));
    if (value == nullptr) return Status(StatusCode::kOutOfMemory, "no memory");
    const size_t bytes = size_of(value.get()) + key.text.size();
    bytes_ += bytes;
    candidates_.push_back({std::move(key), std::move(value), added_, bytes});
    return {};
  }

  Status remove(Values) override {
    if (incomplete_)
      return Status(StatusCode::kLimit, "more than 65536 rows, or 16 MB of values, of a moving frame could be the answer; first_value() of SQLite has no such bound");
    ++removed_;
    if (!candidates_.empty() && candidates_.front().number <= removed_) {
      bytes_ -= candidates_.front().bytes;
      candidates_.pop_front();
    }
    return {};
  }

  Status result(sqlite3_context* context) override {
    if (!candidates_.empty()) sqlite3_result_value(context, candidates_.front().value.get());
    return {};
  }

 private:
  struct Candidate {
    Key key;
    SqliteValue value;
    uint64_t number;
    size_t bytes;
  };

  static bool better(const Key& a, const Key& b) { return kLast ? less(b, a) : less(a, b); }
  static size_t size_of(sqlite3_value* value) {
    const int type = sqlite3_value_type(value);
    return sizeof(Candidate) + (type == SQLITE_TEXT || type == SQLITE_BLOB ? static_cast<size_t>(sqlite3_value_bytes(value)) : 0);
  }
  void drop_last() {
    bytes_ -= candidates_.back().bytes;
    candidates_.pop_back();
  }

  std::deque<Candidate> candidates_;
  size_t bytes_ = 0;
  uint64_t added_ = 0;
  uint64_t removed_ = 0;
  bool incomplete_ = false;
};

}  // namespace

Status register_bookend_functions(Connection& connection) {
  static const AggregateFunction kFunctions[] = {{"first", 2, make_aggregate<Bookend<false>>}, {"last", 2, make_aggregate<Bookend<true>>}};
  for (const AggregateFunction& function : kFunctions) BRAID_TRY(register_aggregate(connection, function));
  return {};
}

}  // namespace braid
