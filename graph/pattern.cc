#include "graph/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace braid {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Bytes of a letter that is not ASCII are taken as they are.
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  Result<Pattern> run() {
    do {
      BRAID_TRY(read_path());
    } while (take(','));
    if (!at_end()) return expected("an edge, ',' or the end");
    return std::move(pattern_);
  }

 private:
  // --- Bytes -------------------------------------------------------------------------------------------------------------------------

  bool at_end() {
    while (place_ < text_.size() && is_space(text_[place_])) ++place_;
    return place_ == text_.size();
  }
  char peek() { return at_end() ? '\0' : text_[place_]; }
  bool take(char c) {
    if (at_end() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  Status need(char c) { return take(c) ? Status() : expected(fmt::format("'{}'", c)); }

  Status expected(std::string_view what) {
    const std::string found = at_end() ? "the end" : fmt::format("'{}'", character());
    return Status(StatusCode::kInvalidArgument, fmt::format("pattern, byte {}: expected {}, found {}", place_, what, found));
  }
  /// The whole character here, which may be of several bytes.
  std::string_view character() const {
    size_t limit = place_ + 1;
    while (limit < text_.size() && (static_cast<unsigned char>(text_[limit]) & 0xC0) == 0x80) ++limit;
    return text_.substr(place_, limit - place_);
  }

  // --- Words -------------------------------------------------------------------------------------------------------------------------

  bool at_name() { return is_name_start(peek()) || peek() == '`'; }

  Result<std::string> read_name(std::string_view what) {
    if (peek() == '`') {
      const size_t start = place_;
      BRAID_ASSIGN(std::string name, read_quoted());
      if (!name.empty()) return name;
      place_ = start;
    } else if (is_name_start(peek())) {
      const size_t start = place_;
      while (place_ < text_.size() && is_name_part(text_[place_])) ++place_;
      return std::string(text_.substr(start, place_ - start));
    }
    return expected(what);
  }

  /// Up to the same quote again; a doubled one is part of the text.
  Result<std::string> read_quoted() {
    const size_t start = place_;
    const char quote = text_[place_++];
    std::string out;
    for (; place_ < text_.size(); ++place_) {
      if (text_[place_] != quote) {
        out += text_[place_];
      } else if (place_ + 1 < text_.size() && text_[place_ + 1] == quote) {
        out += text_[place_++];
      } else {
        ++place_;
        return out;
      }
    }
    return expected(fmt::format("{} to end what begins at byte {}", quote, start));
  }

  Result<PropertyValue> read_value() {
    const char first = peek();
    if (first == '\'' || first == '"') {
      BRAID_ASSIGN(std::string text, read_quoted());
      return PropertyValue{std::move(text)};
    }
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"true", true}, {"false", false}}) {
      const bool here = text_.substr(place_).starts_with(word);
      if (!here || (place_ + word.size() < text_.size() && is_name_part(text_[place_ + word.size()]))) continue;
      place_ += word.size();
      return PropertyValue{value};
    }
    return read_number();
  }

  Result<PropertyValue> read_number() {
    size_t limit = place_;
    const auto is_part = [](char c) { return is_name_part(c) || c == '+' || c == '-' || c == '.'; };
    while (limit < text_.size() && is_part(text_[limit])) ++limit;
    const char* start = text_.data() + place_;
    const char* end = text_.data() + limit;
    int64_t integer = 0;
    double real = 0;
    const auto whole = std::from_chars(start, end, integer);
    if (whole.ec == std::errc() && whole.ptr == end) {
      place_ = limit;
      return PropertyValue{integer};
    }
    const auto broken = std::from_chars(start, end, real);
    if (broken.ec == std::errc() && broken.ptr == end && std::isfinite(real)) {
      place_ = limit;
      return PropertyValue{real};
    }
    return expected("a number, 'text', true or false");
  }

  Status count_term() {
    if (++terms_ <= kPatternTermsMax) return {};
    return Status(StatusCode::kLimit, fmt::format("a pattern has at most {} labels, types and properties", kPatternTermsMax));
  }

  // --- Nodes and edges ---------------------------------------------------------------------------------------------------------------

  Status read_path() {
    BRAID_ASSIGN(size_t node, read_node());
    while (peek() == '-' || peek() == '<') {
      PatternEdge edge;
      bool backward = false;
      BRAID_TRY(read_edge(edge, backward));
      BRAID_ASSIGN(const size_t next, read_node());
      edge.source = backward ? next : node;
      edge.target = backward ? node : next;
      if (pattern_.edges.size() == kPatternEdgesMax)
        return Status(StatusCode::kLimit, fmt::format("a pattern has at most {} edges", kPatternEdgesMax));
      pattern_.edges.push_back(std::move(edge));
      node = next;
    }
    return {};
  }

  Result<size_t> read_node() {
    if (!take('(')) return expected("'(' of a node");
    std::string name;
    if (at_name()) {
      BRAID_ASSIGN(name, read_name("a name"));
    }
    BRAID_ASSIGN(const size_t index, node_named(std::move(name)));
    PatternNode& node = pattern_.nodes[index];
    while (take(':')) {
      BRAID_ASSIGN(std::string label, read_name("a label"));
      BRAID_TRY(count_term());
      node.labels.push_back(std::move(label));
    }
    const bool bare = node.name.empty() && node.labels.empty();
    if (take('{')) {
      BRAID_TRY(read_properties(node));
    } else if (peek() != ')') {
      return expected(bare ? "a name, ':', '{' or ')'" : "':', '{' or ')'");
    }
    BRAID_TRY(need(')'));
    return index;
  }

  Result<size_t> node_named(std::string name) {
    if (!name.empty()) {
      const auto same = std::find_if(pattern_.nodes.begin(), pattern_.nodes.end(),
                                     [&name](const PatternNode& node) { return node.name == name; });
      if (same != pattern_.nodes.end()) return static_cast<size_t>(same - pattern_.nodes.begin());
    }
    if (pattern_.nodes.size() == kPatternNodesMax)
      return Status(StatusCode::kLimit, fmt::format("a pattern has at most {} nodes", kPatternNodesMax));
    pattern_.nodes.push_back({std::move(name), {}, {}});
    return pattern_.nodes.size() - 1;
  }

  Status read_properties(PatternNode& node) {
    do {
      BRAID_ASSIGN(std::string key, read_name("the name of a property"));
      BRAID_TRY(need(':'));
      peek();  // past spaces
      BRAID_ASSIGN(PropertyValue value, read_value());
      BRAID_TRY(count_term());
      node.properties.emplace_back(std::move(key), std::move(value));
    } while (take(','));
    return take('}') ? Status() : expected("',' or '}'");
  }

  Status read_edge(PatternEdge& edge, bool& backward) {
    backward = take('<');
    BRAID_TRY(need('-'));
    if (take('[')) {
      if (take(':')) {
        BRAID_TRY(read_types(edge));
      } else if (at_name()) {
        return expected("':' and an edge type (edges have no names here)");
      }
      if (!take(']')) return expected(edge.types.empty() ? "':' or ']'" : "'|' or ']'");
    }
    BRAID_TRY(need('-'));
    const bool forward = !backward && take('>');
    edge.directed = backward || forward;
    return {};
  }

  Status read_types(PatternEdge& edge) {
    do {
      take(':');  // before each type, as some write it
      BRAID_ASSIGN(std::string type, read_name("an edge type"));
      BRAID_TRY(count_term());
      edge.types.push_back(std::move(type));
    } while (take('|'));
    return {};
  }

  const std::string_view text_;
  size_t place_ = 0;
  size_t terms_ = 0;
  Pattern pattern_;
};

}  // namespace

Result<Pattern> parse_pattern(std::string_view text) { return PatternParser(text).run(); }

}  // namespace braid
