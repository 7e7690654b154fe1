#include "sql/hypertable_columns.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/sql_tokens.h"
#include "sql/tag_references.h"
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

template <typename Policy>
struct PolicyRow {
  std::string_view name;
  Policy policy;
};
constexpr PolicyRow<ConflictPolicy> kConflictPolicies[] = {{"replace", ConflictPolicy::kReplace},
                                                           {"ignore", ConflictPolicy::kIgnore},
                                                           {"error", ConflictPolicy::kError},
                                                           {"merge", ConflictPolicy::kMerge}};
constexpr PolicyRow<LatePolicy> kLatePolicies[] = {{"refuse", LatePolicy::kRefuse}, {"drop", LatePolicy::kDrop}};

template <typename Policy, size_t N>
Status parse_policy(const PolicyRow<Policy> (&rows)[N], std::string_view setting, std::string_view value, Policy& out) {
  std::string names;
  for (const auto& row : rows) {
    if (same_sql_name(row.name, value)) {
      out = row.policy;
      return {};
    }
    names += fmt::format("{}'{}'", names.empty() ? "" : &row == rows + N - 1 ? " or " : ", ", row.name);
  }
  return Status(StatusCode::kInvalidArgument, fmt::format("{} '{}': expected {}", setting, value, names));
}

template <typename Policy, size_t N>
std::string_view policy_name(const PolicyRow<Policy> (&rows)[N], Policy policy) {
  for (const auto& row : rows)
    if (row.policy == policy) return row.name;
  return "";
}

/// A length of time that is the same everywhere.
Result<int64_t> fixed_length(std::string_view setting, const std::string& value, int64_t least) {
  BRAID_ASSIGN(const Interval interval, parse_interval(value));
  if (interval.months == 0 && interval.microseconds >= least) return interval.microseconds;
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{} '{}': expected a fixed length of at least one second, for example '1 day'", setting, value));
}

std::string column_sql(std::string_view name, std::string_view type) { return fmt::format("{} {}", quote_identifier(name), type); }

/// Takes REFERENCES and what follows off the end of a column's definition.
Result<std::optional<TagReference>> take_reference(std::string_view& text) {
  const auto tokens = SqlTokens::of(text);
  for (size_t at = 1; tokens && at < tokens->size(); ++at) {
    if (!tokens->is_word(at, "REFERENCES")) continue;
    const std::string_view target = tokens->span(at + 1, tokens->size());
    text = tokens->span(0, at);
    BRAID_ASSIGN(auto reference, parse_tag_reference(target));
    return std::optional(std::move(reference));
  }
  return std::optional<TagReference>();
}

Status parse_column(HypertableDefinition& definition, std::string_view text) {
  BRAID_ASSIGN(auto reference, take_reference(text));
  std::vector<std::string> words = words_of(text);
  if (words.size() < 2)
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}': expected a column with a type, for example 'usage DOUBLE'", text));
  const bool tag = words.size() > 2 && same_sql_name(words.back(), "TAG");
  if (tag) words.pop_back();
  const std::string name = words.front();
  std::string type = words[1];
  for (size_t i = 2; i < words.size(); ++i) type += " " + words[i];
  const auto taken = [&](const std::string& other) { return same_sql_name(other, name); };
  if (taken(definition.time_column) || std::any_of(definition.tags.begin(), definition.tags.end(), taken) ||
      std::any_of(definition.fields.begin(), definition.fields.end(), [&](const auto& field) { return taken(field.name); }))
    return Status(StatusCode::kInvalidArgument, fmt::format("column '{}' is given twice", name));
  const bool is_time = std::any_of(std::begin(kTimeTypes), std::end(kTimeTypes), [&](auto known) { return same_sql_name(known, type); });
  if (is_time && !tag) {
    if (!definition.time_column.empty())
      return Status(StatusCode::kInvalidArgument, fmt::format("'{}' and '{}' are both TIMESTAMP; a hypertable has one time column",
                                                              definition.time_column, name));
    definition.time_column = name;
    return {};
  }
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& known) { return same_sql_name(known.name, type); });
  if (row == std::end(kTypes))
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("column '{}': type '{}' is not known; expected TIMESTAMP, TEXT TAG, INTEGER TAG, DOUBLE, BIGINT, BOOLEAN, TEXT or JSON",
                              name, type));
  if (tag && row->type != FieldType::kText && row->type != FieldType::kInt64)
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("column '{}': a tag is TEXT or INTEGER; expected '{} TEXT TAG' or '{} INTEGER TAG'", name, name, name));
  if (reference && !tag)
    return Status(StatusCode::kInvalidArgument, fmt::format("column '{}': only a tag can refer to rows; expected '{} TEXT TAG {}'", name, name,
                                                            tag_reference_sql(*reference)));
  if (!tag) {
    definition.fields.push_back({name, row->type});
    return {};
  }
  if (reference) {
    reference->tag = definition.tags.size();
    definition.references.push_back(std::move(*reference));
  }
  definition.tags.push_back(name);
  definition.tag_types.push_back(row->type);
  return {};
}

}  // namespace

Status add_column(HypertableDefinition& definition, std::string_view text) { return parse_column(definition, text); }

Status apply_setting(HypertableDefinition& definition, std::string_view name, const std::string& value) {
  if (same_sql_name(name, "chunk_interval")) {
    definition.adapts_interval = same_sql_name(value, "auto");
    if (definition.adapts_interval) return {};
    BRAID_ASSIGN(definition.chunk_interval_us, fixed_length(name, value, kChunkIntervalMin));
    return {};
  }
  if (same_sql_name(name, "horizon")) {
    definition.horizon_us = 0;
    if (same_sql_name(value, "none")) return {};
    BRAID_ASSIGN(definition.horizon_us, fixed_length(name, value, kChunkIntervalMin));
    return {};
  }
  if (same_sql_name(name, "on_conflict")) return parse_policy(kConflictPolicies, name, value, definition.on_conflict);
  if (same_sql_name(name, "late")) return parse_policy(kLatePolicies, name, value, definition.late);
  return Status(StatusCode::kInvalidArgument,
                fmt::format("'{}' is no setting of a hypertable; expected chunk_interval, on_conflict, horizon or late", name));
}

Result<FieldType> parse_field_type(std::string_view name) {
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& known) { return same_sql_name(known.name, name); });
  if (row != std::end(kTypes)) return row->type;
  return Status(StatusCode::kInvalidArgument, fmt::format("type '{}' is not known; expected DOUBLE, BIGINT, BOOLEAN, TEXT or JSON", name));
}

std::string create_hypertable_sql(const HypertableDefinition& definition) {
  std::string sql = fmt::format("CREATE VIRTUAL TABLE main.{} USING hypertable({}", quote_identifier(definition.name),
                                column_sql(definition.time_column, "TIMESTAMP"));
  for (size_t i = 0; i < definition.tags.size(); ++i) {
    sql += ", " + column_sql(definition.tags[i], definition.tag_type(i) == FieldType::kInt64 ? "INTEGER TAG" : "TEXT TAG");
    for (const TagReference& reference : definition.references)
      if (reference.tag == i) sql += " " + tag_reference_sql(reference);
  }
  for (const FieldDefinition& field : definition.fields)
    sql += ", " + column_sql(field.name, declared_field_type(field.type));
  if (!definition.adapts_interval) sql += fmt::format(", chunk_interval='{} us'", definition.chunk_interval_us);
  if (definition.horizon_us > 0) sql += fmt::format(", horizon='{} us'", definition.horizon_us);
  return sql + fmt::format(", on_conflict='{}', late='{}')", policy_name(kConflictPolicies, definition.on_conflict),
                           policy_name(kLatePolicies, definition.late));
}

std::string_view declared_field_type(FieldType type) { return type == FieldType::kJson ? "JSON" : field_type_name(type); }

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

/// Where the name at the start of an argument ends, if it is quoted: an equals sign within belongs to it.
static size_t end_of_quoted_name(std::string_view argument) {
  const size_t start = argument.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || std::string_view("\"`[").find(argument[start]) == std::string_view::npos) return 0;
  const size_t close = argument.find(argument[start] == '[' ? ']' : argument[start], start + 1);
  return close == std::string_view::npos ? 0 : close;
}

Result<HypertableDefinition> parse_hypertable(std::string name, std::span<const char* const> arguments) {
  HypertableDefinition definition;
  definition.name = std::move(name);
  definition.chunk_interval_us = kDefaultChunkInterval;
  definition.adapts_interval = true;
  for (const std::string_view argument : arguments) {
    const size_t equals = argument.find('=', end_of_quoted_name(argument));
    if (equals == std::string_view::npos)
      BRAID_TRY(parse_column(definition, argument));
    else
      BRAID_TRY(apply_setting(definition, unquoted(argument.substr(0, equals)), unquoted(argument.substr(equals + 1))));
  }
  if (definition.time_column.empty())
    return Status(StatusCode::kInvalidArgument, fmt::format("hypertable '{}' has no time column; expected for example "
                                                            "hypertable(time TIMESTAMP, host TEXT TAG, usage DOUBLE)",
                                                            definition.name));
  return definition;
}

bool has_latest_column(const HypertableDefinition& definition) {
  const auto taken = [](const std::string& name) { return same_sql_name(name, kLatestColumn); };
  return !taken(definition.time_column) && std::none_of(definition.tags.begin(), definition.tags.end(), taken) &&
         std::none_of(definition.fields.begin(), definition.fields.end(), [&](const FieldDefinition& field) { return taken(field.name); });
}

std::string declare_hypertable(const HypertableDefinition& definition) {
  // TEXT in the type gives the column text affinity, so that an integer compared with it reaches the collation as its digits.
  std::string sql = fmt::format("CREATE TABLE x({} \"TIMESTAMP TEXT\" COLLATE {}", quote_identifier(definition.time_column), kTimeCollation);
  for (size_t i = 0; i < definition.tags.size(); ++i)
    sql += fmt::format(", {} {}", quote_identifier(definition.tags[i]), definition.tag_type(i) == FieldType::kInt64 ? "INTEGER" : "TEXT");
  for (const FieldDefinition& field : definition.fields)
    sql += fmt::format(", {} {}", quote_identifier(field.name), field_type_name(field.type));
  sql += fmt::format(", {} BLOB HIDDEN PRIMARY KEY", kPointColumn);
  if (has_latest_column(definition)) sql += fmt::format(", {} BOOLEAN HIDDEN", kLatestColumn);
  return sql + ") WITHOUT ROWID";
}

}  // namespace braid
