#include "cli/hypertable_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace braid::cli {

using Role = HypertableColumn::Role;

Done HypertableTarget::plan(std::vector<ImportColumn>* columns) {
  std::string sql;
  const std::array<std::string_view, 1> names = {arguments_.name};
  CLI_TRY(session_.query(
      "SELECT sql FROM sqlite_schema WHERE type IN ('table','view') AND name = ?1 COLLATE NOCASE",
      names, [&sql](braid_statement* row) { sql = column_text(row, 0); }));
  if (sql.empty()) return plan_new(columns);
  std::optional<std::vector<HypertableColumn>> schema = read_hypertable_schema(sql);
  if (!schema.has_value() || schema->empty()) {
    return Failure{fmt::format("{} is not a hypertable; use --table {} to add rows to it",
                               arguments_.name, arguments_.name)};
  }
  schema_ = std::move(*schema);
  return plan_existing(columns);
}

Done HypertableTarget::plan_existing(std::vector<ImportColumn>* columns) {
  std::string known;
  const HypertableColumn* time = nullptr;
  for (const HypertableColumn& column : schema_) {
    known += (known.empty() ? "" : ", ") + column.name;
    if (column.role == Role::kTime && time == nullptr) time = &column;
  }
  if (time == nullptr) return Failure{fmt::format("{} has no time column", arguments_.name)};
  time_name_ = arguments_.time.empty() ? time->name : arguments_.time;
  for (const std::string& tag : arguments_.tags) {
    const bool is_tag = std::any_of(schema_.begin(), schema_.end(), [&](const HypertableColumn& column) {
      return column.role == Role::kTag && same_name(column.name, tag);
    });
    if (!is_tag) {
      return Failure{fmt::format("--tag {}: the hypertable {} is there already and has no such tag; it has {}", tag,
                                 arguments_.name, known)};
    }
  }
  for (ImportColumn& column : *columns) {
    if (same_name(column.name, time_name_)) {
      column.type = ColumnType::kTimestamp;
      continue;
    }
    const auto found = std::find_if(schema_.begin(), schema_.end(), [&](const auto& candidate) {
      return same_name(candidate.name, column.name) && candidate.role != Role::kTime;
    });
    if (found == schema_.end()) {
      return Failure{fmt::format("line 1: the hypertable {} has no column \"{}\"; it has {}",
                                 arguments_.name, column.name, known)};
    }
    column.type = found->role == Role::kTag ? ColumnType::kText : found->type;
    column.fixed = true;
  }
  if (find_column(*columns, time_name_).has_value()) return std::nullopt;
  return Failure{
      fmt::format("line 1: there is no column \"{}\" with the time; say which it is with "
                  "--time COLUMN (the columns are {})",
                  time_name_, column_names(*columns))};
}

Done HypertableTarget::plan_new(std::vector<ImportColumn>* columns) {
  constexpr std::array<std::string_view, 3> kUsualNames = {"time", "ts", "timestamp"};
  time_name_ = arguments_.time;
  for (std::string_view name : kUsualNames) {
    if (time_name_.empty() && find_column(*columns, name).has_value()) time_name_ = name;
  }
  const std::optional<size_t> time = find_column(*columns, time_name_);
  if (!time.has_value()) {
    return Failure{fmt::format(
        "line 1: {}; say which column has the time with --time COLUMN (the columns are {})",
        time_name_.empty() ? std::string("no column is named time, ts or timestamp")
                           : fmt::format("there is no column \"{}\"", time_name_),
        column_names(*columns))};
  }
  (*columns)[*time].type = ColumnType::kTimestamp;
  for (const std::string& tag : arguments_.tags) {
    const std::optional<size_t> index = find_column(*columns, tag);
    if (!index.has_value() || *index == *time) {
      return Failure{fmt::format("line 1: there is no column \"{}\" for --tag; the columns are {}",
                                 tag, column_names(*columns))};
    }
    (*columns)[*index].type = ColumnType::kText;
  }
  return std::nullopt;
}

Done HypertableTarget::create(const std::vector<ImportColumn>& columns) {
  auto is_tag = [this](const ImportColumn& column) {
    if (arguments_.tags.empty()) return column.type == ColumnType::kText;
    return std::any_of(arguments_.tags.begin(), arguments_.tags.end(),
                       [&column](const std::string& tag) { return same_name(tag, column.name); });
  };
  const ImportColumn& time = columns[*find_column(columns, time_name_)];
  schema_.push_back({time.name, ColumnType::kTimestamp, Role::kTime});
  std::string definitions = quote_identifier(time.name) + " TIMESTAMP";
  for (const ImportColumn& column : columns) {
    if (&column == &time) continue;
    const bool tag = is_tag(column);
    // Only the time is an instant to a hypertable; a further one is kept as the text that SQL
    // shows.
    const ColumnType type =
        column.type == ColumnType::kTimestamp ? ColumnType::kText : *column.type;
    schema_.push_back({column.name, type, tag ? Role::kTag : Role::kField});
    definitions += fmt::format(", {} {}{}", quote_identifier(column.name),
                               column_type_row(type).hypertable_type, tag ? " TAG" : "");
  }
  notes_ = fmt::format("created the hypertable {} ({})", arguments_.name, definitions);
  return session_.run(fmt::format("CREATE VIRTUAL TABLE {} USING hypertable({})",
                                  quote_identifier(arguments_.name), definitions));
}

void HypertableTarget::take_columns(const std::vector<ImportColumn>& columns) {
  time_ = *find_column(columns, time_name_);
  for (const HypertableColumn& column : schema_) {
    if (column.role == Role::kTime) continue;
    Source source{.column = column};
    const std::optional<size_t> index = find_column(columns, column.name);
    if (index.has_value() && *index != time_) source.index = *index;
    (column.role == Role::kTag ? tags_ : fields_).push_back(source);
  }
}

Done HypertableTarget::begin(const std::vector<ImportColumn>& columns) {
  if (schema_.empty()) CLI_TRY(create(columns));
  take_columns(columns);
  braid_appender* appender = nullptr;
  CLI_TRY(session_.check(
      braid_appender_open(session_.connection(), arguments_.name.c_str(), &appender)));
  appender_.reset(appender);
  return std::nullopt;
}

HypertableTarget::SeriesRows& HypertableTarget::series_of(std::span<const ImportValue> values) {
  // Lengths before the texts keep ("a","bc") and ("ab","c") apart; NULL is not the empty text.
  series_key_.clear();
  for (const Source& tag : tags_) {
    const bool null = tag.index == kNotInFile || values[tag.index].null;
    fmt::format_to(std::back_inserter(series_key_),
                   "{}:", null ? -1 : static_cast<int64_t>(values[tag.index].text.size()));
    if (!null) series_key_ += values[tag.index].text;
  }
  const auto [place, created] = series_.try_emplace(series_key_);
  SeriesRows& series = place->second;
  if (!created) return series;
  series.fields.resize(fields_.size());
  for (const Source& tag : tags_) {
    const bool null = tag.index == kNotInFile || values[tag.index].null;
    series.tags.push_back(null ? std::nullopt : std::optional<std::string>(values[tag.index].text));
  }
  bytes_ += series_key_.size() + sizeof(SeriesRows) + fields_.size() * sizeof(FieldValues);
  return series;
}

void HypertableTarget::add_field(const Source& source, std::span<const ImportValue> values,
                                 FieldValues* field) {
  static constexpr ImportValue kNull;
  const ImportValue& value = source.index == kNotInFile ? kNull : values[source.index];
  field->nulls.push_back(value.null ? 1 : 0);
  switch (source.column.type) {
    case ColumnType::kDouble:
      field->doubles.push_back(value.real);
      break;
    case ColumnType::kInteger:
    case ColumnType::kBoolean:
      field->integers.push_back(value.integer);
      break;
    case ColumnType::kText:
    case ColumnType::kTimestamp:
    case ColumnType::kJson:
    case ColumnType::kAny:
      field->texts.emplace_back(value.text);
      bytes_ += value.text.size() + sizeof(std::string);
      break;
  }
}

Done HypertableTarget::add(std::span<const ImportValue> values, int64_t line) {
  if (values[time_].null) {
    return Failure{fmt::format("column \"{}\" is empty; every point needs its time", time_name_)};
  }
  for (const std::vector<Source>* const sources : {&tags_, &fields_}) {
    for (const Source& source : *sources) {
      if (source.index == kNotInFile || values[source.index].text.find('\0') == std::string_view::npos) continue;
      return Failure{fmt::format("column \"{}\": the text has a NUL character, which an import into a hypertable cannot keep; INSERT can", source.column.name)};
    }
  }
  SeriesRows& series = series_of(values);
  if (series.times.empty()) series.first_line = line;
  series.last_line = line;
  series.times.push_back(values[time_].integer);
  for (size_t i = 0; i < fields_.size(); ++i) add_field(fields_[i], values, &series.fields[i]);
  ++rows_;
  bytes_ += sizeof(int64_t) * (1 + fields_.size());
  return std::nullopt;
}

std::string HypertableTarget::describe(const SeriesRows& series) const {
  std::string text;
  for (size_t i = 0; i < tags_.size(); ++i) {
    text += fmt::format("{}{} = {}", i == 0 ? "" : ", ", tags_[i].column.name,
                        series.tags[i].has_value() ? "'" + *series.tags[i] + "'" : "NULL");
  }
  return text.empty() ? "" : fmt::format(" ({})", text);
}

Done HypertableTarget::append(const SeriesRows& series) {
  std::vector<const char*> tags;
  for (const auto& tag : series.tags) tags.push_back(tag.has_value() ? tag->c_str() : nullptr);
  CLI_TRY(session_.check(braid_appender_series(appender_.get(), tags.data(), tags.size())));

  std::vector<std::vector<const char*>> texts(fields_.size());
  std::vector<braid_column> columns;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const FieldValues& field = series.fields[i];
    braid_column& column = columns.emplace_back();
    column = {.size_bytes = sizeof(braid_column),
              .type = BRAID_TYPE_TEXT,
              .values = nullptr,
              .nulls = field.nulls.data()};
    if (!field.doubles.empty()) {
      column.type = BRAID_TYPE_DOUBLE;
      column.values = field.doubles.data();
    } else if (!field.integers.empty()) {
      column.type = BRAID_TYPE_INT64;
      column.values = field.integers.data();
    } else {
      for (const std::string& text : field.texts) texts[i].push_back(text.c_str());
      column.values = texts[i].data();
    }
  }
  return session_.check(braid_appender_columns(
      appender_.get(), series.times.data(), series.times.size(), columns.data(), columns.size()));
}

Done HypertableTarget::flush() {
  if (rows_ == 0) return std::nullopt;
  for (const auto& [key, series] : series_) {
    if (Done done = append(series); done.has_value()) {
      done->message = fmt::format("lines {} to {}{}: {}", series.first_line, series.last_line,
                                  describe(series), done->message);
      return done;
    }
  }
  series_.clear();
  rows_ = 0;
  bytes_ = 0;
  return session_.check(braid_appender_flush(appender_.get()));
}

}  // namespace braid::cli
