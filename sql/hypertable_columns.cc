#include "sql/hypertable_columns.h"

#include <strings.h>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/time_text.h"
#include "sql/time_value.h"

namespace braid {

namespace {

constexpr int64_t kDefaultChunkInterval = int64_t{7} * 24 * 3600 * 1'000'000;
constexpr int64_t kChunkIntervalMin = 1'000'000;

struct TypeRow {
  std::string_view name;
  FieldType type;
};
constexpr TypeRow kTypes[] = {
    {"DOUBLE", FieldType::kDouble}, {"DOUBLE PRECISION", FieldType::kDouble}, {"REAL", FieldType::kDouble},
    {"FLOAT", FieldType::kDouble},  {"BIGINT", FieldType::kInt64},            {"INTEGER", FieldType::kInt64},
    {"INT", FieldType::kInt64},     {"BOOLEAN", FieldType::kBool},            {"BOOL", FieldType::kBool},
    {"TEXT", FieldType::kText},     {"VARCHAR", FieldType::kText},            {"JSON", FieldType::kJson},
    {"JSONB", FieldType::kJson},
};
constexpr std::string_view kTimeTypes[] = {"TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"};

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Words of a column definition; a quoted name is one word.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
      ++i;
      continue;
    }
    std::string word;
    const char open = text[i];
    const char close = open == '[' ? ']' : open;
    if (open == '"' || open == '`' || open == '[') {
      for (++i; i < text.size(); ++i) {
        if (text[i] != close) {
          word.push_back(text[i]);
        } else if (i + 1 < text.size() && text[i + 1] == close && close != ']') {
          word.push_back(text[i++]);
        } else {
          break;
        }
      }
      ++i;
    } else {
      while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i])) == 0) word.push_back(text[i++]);
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::string unquoted(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

Status parse_setting(HypertableDefinition& definition, std::string_view name, const std::string& value) {
  if (same(name, "chunk_interval")) {
    BRAID_ASSIGN(const Interval interval, parse_interval(value));
    if (interval.months != 0 || interval.microseconds < kChunkIntervalMin)
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("chunk_interval '{}': expected a fixed length of at least one second, for example '1 day'", value));
    definition.chunk_interval_us = interval.microseconds;
    return {};
  }
  if (same(name, "on_conflict")) {
    if (same(value, "replace")) definition.on_conflict = ConflictPolicy::kReplace;
    else if (same(value, "ignore")) definition.on_conflict = ConflictPolicy::kIgnore;
    else if (same(value, "error")) definition.on_conflict = ConflictPolicy::kError;
    else if (same(value, "merge")) definition.on_conflict = ConflictPolicy::kMerge;
    else
      return Status(StatusCode::kInvalidArgument, fmt::format("on_conflict '{}': expected 'replace', 'ignore', 'error' or 'merge'", value));
    return {};
  }
  return Status(StatusCode::kInvalidArgument,
                fmt::format("'{}' is no setting of a hypertable; expected chunk_interval or on_conflict", name));
}

Status parse_column(HypertableDefinition& definition, std::string_view text) {
  std::vector<std::string> words = words_of(text);
  if (words.size() < 2)
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}': expected a column with a type, for example 'usage DOUBLE'", text));
  const bool tag = words.size() > 2 && same(words.back(), "TAG");
  if (tag) words.pop_back();
  const std::string name = words.front();
  std::string type = words[1];
  for (size_t i = 2; i < words.size(); ++i) type += " " + words[i];
  const auto taken = [&](const std::string& other) { return same(other, name); };
  if (taken(definition.time_column) || std::any_of(definition.tags.begin(), definition.tags.end(), taken) ||
      std::any_of(definition.fields.begin(), definition.fields.end(), [&](const auto& field) { return taken(field.name); }))
    return Status(StatusCode::kInvalidArgument, fmt::format("column '{}' is given twice", name));
  const bool is_time = std::any_of(std::begin(kTimeTypes), std::end(kTimeTypes), [&](auto known) { return same(known, type); });
  if (is_time && !tag) {
    if (!definition.time_column.empty())
      return Status(StatusCode::kInvalidArgument, fmt::format("'{}' and '{}' are both TIMESTAMP; a hypertable has one time column",
                                                              definition.time_column, name));
    definition.time_column = name;
    return {};
  }
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& known) { return same(known.name, type); });
  if (row == std::end(kTypes))
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("column '{}': type '{}' is not known; expected TIMESTAMP, TEXT TAG, INTEGER TAG, DOUBLE, BIGINT, BOOLEAN, TEXT or JSON",
                              name, type));
  if (tag && row->type != FieldType::kText && row->type != FieldType::kInt64)
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("column '{}': a tag is TEXT or INTEGER; expected '{} TEXT TAG' or '{} INTEGER TAG'", name, name, name));
  if (!tag) {
    definition.fields.push_back({name, row->type});
    return {};
  }
  definition.tags.push_back(name);
  definition.tag_types.push_back(row->type);
  return {};
}

}  // namespace

std::string_view field_type_name(FieldType type) {
  switch (type) {
    case FieldType::kDouble: return "DOUBLE";
    case FieldType::kInt64: return "BIGINT";
    case FieldType::kBool: return "BOOLEAN";
    case FieldType::kText: return "TEXT";
    case FieldType::kJson: return "JSON TEXT";
  }
  return "";
}

Result<HypertableDefinition> parse_hypertable(std::string name, std::span<const char* const> arguments) {
  HypertableDefinition definition;
  definition.name = std::move(name);
  definition.chunk_interval_us = kDefaultChunkInterval;
  for (const std::string_view argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string_view::npos)
      BRAID_TRY(parse_column(definition, argument));
    else
      BRAID_TRY(parse_setting(definition, unquoted(argument.substr(0, equals)), unquoted(argument.substr(equals + 1))));
  }
  if (definition.time_column.empty())
    return Status(StatusCode::kInvalidArgument, fmt::format("hypertable '{}' has no time column; expected for example "
                                                            "hypertable(time TIMESTAMP, host TEXT TAG, usage DOUBLE)",
                                                            definition.name));
  return definition;
}

std::string declare_hypertable(const HypertableDefinition& definition) {
  // TEXT in the type gives the column text affinity, so that an integer compared with it reaches the collation as its digits.
  std::string sql = fmt::format("CREATE TABLE x({} \"TIMESTAMP TEXT\" COLLATE {}", quote_identifier(definition.time_column), kTimeCollation);
  for (size_t i = 0; i < definition.tags.size(); ++i)
    sql += fmt::format(", {} {}", quote_identifier(definition.tags[i]), definition.tag_type(i) == FieldType::kInt64 ? "INTEGER" : "TEXT");
  for (const FieldDefinition& field : definition.fields)
    sql += fmt::format(", {} {}", quote_identifier(field.name), field_type_name(field.type));
  return sql + fmt::format(", {} BLOB HIDDEN PRIMARY KEY) WITHOUT ROWID", kPointColumn);
}

}  // namespace braid
