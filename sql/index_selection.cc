#include "sql/index_selection.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "graph/key_format.h"
#include "graph/timestamp_text.h"

namespace braid {

namespace {

std::string encoded(const PropertyValue& value) {
  auto bytes = encode_index_value(value);
  return bytes.ok() ? bytes.take() : std::string();
}

/// The least text, or bytes, above `bytes`.
std::string successor(const std::string& bytes) { return bytes + '\0'; }

const ValueIntervals kAll = {{}};

/// Texts that SQLite may take for a number when the other side of a comparison is a numeric column begin with white space, a sign,
/// a point or a digit: all in here.
const ValueIntervals kLikeNumbers = {{"\t", ":"}};

/// The interval of `op` in the class of its operand, whose place is from `at` to below `above`.
ValueIntervals same_class(IndexOperator op, const std::string& at, const std::string& above) {
  switch (op) {
    case IndexOperator::kEqual: return {{at, above}};
    case IndexOperator::kLess: return {{"", at}};
    case IndexOperator::kLessOrEqual: return {{"", above}};
    case IndexOperator::kGreater: return {{above, std::nullopt}};
    case IndexOperator::kGreaterOrEqual: return {{at, std::nullopt}};
    case IndexOperator::kGlob:
    case IndexOperator::kLike: break;
  }
  return kAll;
}

bool is_upward(IndexOperator op) { return op == IndexOperator::kGreater || op == IndexOperator::kGreaterOrEqual; }
bool is_downward(IndexOperator op) { return op == IndexOperator::kLess || op == IndexOperator::kLessOrEqual; }

IndexSelection compare_with_number(IndexOperator op, const PropertyValue& number) {
  const std::string at = encoded(number);
  const ValueIntervals numbers = same_class(op, at, prefix_limit(at));
  return is_upward(op) ? IndexSelection{numbers, kAll, kAll} : IndexSelection{numbers, kLikeNumbers, {}};
}

IndexSelection compare_with_text(IndexOperator op, const std::string& text) {
  return {is_downward(op) ? kAll : ValueIntervals(), same_class(op, text, successor(text)), is_upward(op) ? kAll : ValueIntervals()};
}

IndexSelection compare_with_blob(IndexOperator op, const std::string& bytes) {
  const ValueIntervals below = is_downward(op) ? kAll : ValueIntervals();
  return {below, below, same_class(op, bytes, successor(bytes))};
}

// ---- GLOB and LIKE -----------------------------------------------------------------------------------------------------------

/// What a match begins with. It ends at the first character beyond ASCII too: bytes that are no UTF-8 can match such a one.
std::string_view literal_prefix(std::string_view pattern, std::string_view wildcards) {
  const auto special = [wildcards](char c) {
    return c == '\0' || static_cast<unsigned char>(c) >= 0x80 || wildcards.find(c) != std::string_view::npos;
  };
  return {pattern.data(), static_cast<size_t>(std::find_if(pattern.begin(), pattern.end(), special) - pattern.begin())};
}

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char kCaseBit = 0x20;
constexpr char upper(char c) { return is_letter(c) ? static_cast<char>(c & ~kCaseBit) : c; }
constexpr char lower(char c) { return is_letter(c) ? static_cast<char>(c | kCaseBit) : c; }

/// LIKE takes no heed of the case of ASCII letters. The first letters are looked for in both cases, so that few other texts lie between.
constexpr int kLettersInBothCases = 3;

/// Appends, ascending, where the texts are that begin with `head` and then with `tail` in any case.
void append_any_case(std::string head, std::string_view tail, int letters_left, ValueIntervals& out) {
  while (!tail.empty() && !is_letter(tail.front())) {
    head += tail.front();
    tail.remove_prefix(1);
  }
  if (!tail.empty() && letters_left > 0) {
    for (const char c : {upper(tail.front()), lower(tail.front())}) append_any_case(head + c, tail.substr(1), letters_left - 1, out);
    return;
  }
  std::string first = head, last = head;
  for (const char c : tail) {
    first += upper(c);
    last += lower(c);
  }
  out.push_back({first, prefix_limit(last)});
}

/// LIKE and GLOB look at a number's text: digits, a sign, Inf.
bool may_begin_a_number(char c) { return (c >= '0' && c <= '9') || c == '-' || upper(c) == 'I'; }

IndexSelection matches(IndexOperator op, const std::string& pattern) {
  const bool exact_case = op == IndexOperator::kGlob;
  const std::string prefix(literal_prefix(pattern, exact_case ? "*?[" : "%_"));
  if (prefix.empty()) return select_all();
  ValueIntervals begins;
  append_any_case(exact_case ? prefix : "", exact_case ? "" : std::string_view(prefix), kLettersInBothCases, begins);
  return {may_begin_a_number(prefix.front()) ? kAll : ValueIntervals(), begins, begins};
}

// ---- Sets --------------------------------------------------------------------------------------------------------------------

bool is_below(const std::optional<std::string>& limit, const std::optional<std::string>& other) {
  return limit && (!other || *limit < *other);
}

ValueIntervals intersection(const ValueIntervals& a, const ValueIntervals& b) {
  ValueIntervals both;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    ValueInterval part{std::max(a[i].lower, b[j].lower), is_below(a[i].limit, b[j].limit) ? a[i].limit : b[j].limit};
    if (!part.limit || part.lower < *part.limit) both.push_back(std::move(part));
    is_below(a[i].limit, b[j].limit) ? ++i : ++j;
  }
  return both;
}

void add(ValueIntervals& intervals, const ValueIntervals& others) {
  intervals.insert(intervals.end(), others.begin(), others.end());
}

/// Any intervals in order, with those that meet made one.
ValueIntervals normalized(ValueIntervals intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const auto& a, const auto& b) { return a.lower < b.lower; });
  ValueIntervals merged;
  for (ValueInterval& interval : intervals) {
    if (merged.empty() || is_below(merged.back().limit, interval.lower)) {
      merged.push_back(std::move(interval));
    } else if (is_below(merged.back().limit, interval.limit)) {
      merged.back().limit = std::move(interval.limit);
    }
  }
  return merged;
}

// ---- Places in the index -----------------------------------------------------------------------------------------------------

/// The encoded first timestamp whose text is not below `text`; nothing when all are below.
std::optional<std::string> first_timestamp(const std::string& text) {
  // The text sorts as the time does within these years, and no timestamp is outside.
  int64_t start = timestamp_from_text("0000-01-01")->value();
  int64_t limit = timestamp_from_text("9999-12-31 23:59:59.999999")->value() + 1;
  const int64_t none = limit;
  while (start < limit) {
    const int64_t middle = start + (limit - start) / 2;
    if (timestamp_to_text(Timestamp(middle)).value_or("") < text) {
      start = middle + 1;
    } else {
      limit = middle;
    }
  }
  return start == none ? std::nullopt : std::optional(encoded({Timestamp(start)}));
}

/// Places of the ends of an interval: `place` gives the encoded bytes of the first value not below, or nothing.
template <typename Place>
std::vector<IndexRange> ranges_by(const ValueIntervals& intervals, IndexValueKind kind, Place place) {
  const auto [first, last] = index_value_limits(kind);
  std::vector<IndexRange> ranges;
  for (const ValueInterval& interval : intervals) {
    const std::optional<std::string> start = interval.lower.empty() ? first : place(interval.lower);
    const std::optional<std::string> limit = interval.limit ? place(*interval.limit) : std::nullopt;
    const std::string upper = limit.value_or(last);
    if (start && *start < upper) ranges.push_back({.lower = *start, .upper = upper});
  }
  return ranges;
}

bool contains(const ValueIntervals& intervals, const std::string& value) {
  return std::any_of(intervals.begin(), intervals.end(), [&](const ValueInterval& interval) {
    return interval.lower <= value && (!interval.limit || value < *interval.limit);
  });
}

std::vector<IndexRange> boolean_ranges(const ValueIntervals& numbers) {
  std::vector<IndexRange> ranges;
  for (const bool value : {false, true}) {
    const std::string at = encoded({value});
    if (contains(numbers, encoded({int64_t{value}}))) ranges.push_back({.lower = at, .upper = prefix_limit(at)});
  }
  return ranges;
}

}  // namespace

IndexSelection select_all() { return {kAll, kAll, kAll}; }

IndexSelection select_values(IndexOperator op, const PropertyValue& operand) {
  if (operand.is_null()) return {};
  const auto* text = std::get_if<std::string>(&operand.value);
  // A pattern that is no text is one all the same; such a search is rare enough to look at everything.
  if (op == IndexOperator::kGlob || op == IndexOperator::kLike) return text != nullptr ? matches(op, *text) : select_all();
  if (text != nullptr) return compare_with_text(op, *text);
  if (const auto* bytes = std::get_if<Bytes>(&operand.value)) return compare_with_blob(op, bytes->data);
  return compare_with_number(op, operand);
}

void intersect(IndexSelection& selection, const IndexSelection& other) {
  selection.numbers = intersection(selection.numbers, other.numbers);
  selection.texts = intersection(selection.texts, other.texts);
  selection.blobs = intersection(selection.blobs, other.blobs);
}

void unite(IndexSelection& selection, const std::vector<IndexSelection>& others) {
  for (const IndexSelection& other : others) {
    add(selection.numbers, other.numbers);
    add(selection.texts, other.texts);
    add(selection.blobs, other.blobs);
  }
  for (ValueIntervals* intervals : {&selection.numbers, &selection.texts, &selection.blobs})
    *intervals = normalized(std::move(*intervals));
}

std::vector<IndexRange> index_ranges(const IndexSelection& selection, IndexValueKind kind) {
  const auto as_text = [](const std::string& text) { return std::optional(encoded({text})); };
  const auto as_bytes = [](const std::string& bytes) { return std::optional(encoded({Bytes{bytes}})); };
  const auto as_it_is = [](const std::string& bytes) { return std::optional(bytes); };
  switch (kind) {
    case IndexValueKind::kBool: return boolean_ranges(selection.numbers);
    case IndexValueKind::kNumber: return ranges_by(selection.numbers, kind, as_it_is);
    case IndexValueKind::kText: return ranges_by(selection.texts, kind, as_text);
    case IndexValueKind::kBytes: return ranges_by(selection.blobs, kind, as_bytes);
    case IndexValueKind::kTimestamp: return ranges_by(selection.texts, kind, first_timestamp);
  }
  return {};
}

}  // namespace braid
