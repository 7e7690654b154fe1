#include "cli/line_protocol_import.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <unordered_map>

#include "cli/handles.h"
#include "cli/hypertable_schema.h"
#include "cli/import_column.h"
#include "cli/interrupt.h"
#include "cli/line_protocol.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/value_reader.h"

namespace braid::cli {

namespace {

using Role = HypertableColumn::Role;

constexpr std::string_view kTimeColumn = "time";

/// One measurement: its columns, and the points that are gathered for it.
class Measurement {
 public:
  Measurement(const Session& session, std::string name) : session_(session), name_(std::move(name)) {}

  // First look: what the file has.
  Done note(const LinePoint& point) {
    for (const auto& [tag, value] : point.tags) CLI_TRY(note_column(tag, ColumnType::kText, Role::kTag));
    for (const LineField& field : point.fields) CLI_TRY(note_column(field.name, field.type, Role::kField));
    return std::nullopt;
  }

  /// Before the first look: is there a table of its name?
  Done find() {
    const std::array<std::string_view, 1> names = {name_};
    return session_.query("SELECT sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE", names,
                          [this](braid_statement* row) {
                            sql_ = column_text(row, 0);
                            is_there_ = true;
                          });
  }

  /// Creates the hypertable, or finds the columns in the one that is there.
  Done begin() {
    CLI_TRY(is_there_ ? take_existing(sql_) : create());
    braid_appender* appender = nullptr;
    CLI_TRY(session_.check(braid_appender_open(session_.connection(), name_.c_str(), &appender)));
    appender_.reset(appender);
    return std::nullopt;
  }

  Done add(const LinePoint& point, int64_t time) {
    std::vector<const std::string*> tags(tags_.size(), nullptr);
    for (const auto& [name, value] : point.tags) tags[place_of(tags_, name)] = &value;
    std::string key;
    for (const std::string* tag : tags) key += tag == nullptr ? std::string("-") : fmt::format("{}:{}", tag->size(), *tag);
    const auto [found, created] = series_.try_emplace(key);
    SeriesRows& rows = found->second;
    if (created) {
      for (const std::string* tag : tags) rows.tags.push_back(tag == nullptr ? std::nullopt : std::optional(*tag));
      rows.fields.resize(fields_.size());
    }
    rows.times.push_back(time);
    for (FieldValues& field : rows.fields) field.push_null();
    for (const LineField& field : point.fields) {
      const size_t place = place_of(fields_, field.name);
      rows.fields[place].set_last(field, fields_[place].type);
    }
    return std::nullopt;
  }

  Done flush() {
    for (const auto& [key, rows] : series_) CLI_TRY(append(rows));
    series_.clear();
    return session_.check(braid_appender_flush(appender_.get()));
  }
  void release() { appender_.reset(); }

 private:
  /// The gathered values of one field: all three vectors have a value for each row, so that a field's type may be decided anywhere.
  struct FieldValues {
    std::vector<double> reals;
    std::vector<int64_t> integers;
    std::vector<std::string> texts;
    std::vector<uint8_t> nulls;

    void push_null() {
      reals.push_back(0);
      integers.push_back(0);
      texts.emplace_back();
      nulls.push_back(1);
    }
    void set_last(const LineField& field, ColumnType type) {
      nulls.back() = 0;
      integers.back() = field.integer;
      reals.back() = field.type == ColumnType::kDouble ? field.real : static_cast<double>(field.integer);
      if (type == ColumnType::kText) texts.back() = field.text;
    }
  };
  struct SeriesRows {
    std::vector<std::optional<std::string>> tags;
    std::vector<int64_t> times;
    std::vector<FieldValues> fields;
  };

  static size_t place_of(const std::vector<HypertableColumn>& columns, std::string_view name) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const HypertableColumn& column) { return same_name(column.name, name); });
    return static_cast<size_t>(found - columns.begin());
  }

  Done note_column(const std::string& name, ColumnType type, Role role) {
    auto& columns = role == Role::kTag ? tags_ : fields_;
    const auto& others = role == Role::kTag ? fields_ : tags_;
    if (place_of(others, name) < others.size())
      return Failure{fmt::format("{} of {} is a tag in one line and a field in another; expected one or the other", name, name_)};
    const size_t place = place_of(columns, name);
    if (place == columns.size()) {
      // A table that is there may have another time column, and a field of this name.
      if (same_name(name, kTimeColumn) && !is_there_)
        return Failure{fmt::format("the {} {} of {} has the name of the time column; rename it in the file, or create the hypertable with another time column first",
                                   role == Role::kTag ? "tag" : "field", name, name_)};
      columns.push_back({.name = name, .type = type, .role = role});
      return std::nullopt;
    }
    if (columns[place].name != name)
      return Failure{fmt::format("{} and {} of {} differ in the case of letters only, which columns cannot; rename one", columns[place].name, name, name_)};
    ColumnType& known = columns[place].type;
    if (known == type) return std::nullopt;
    const auto is_number = [](ColumnType one) { return one == ColumnType::kInteger || one == ColumnType::kDouble; };
    if (!is_number(known) || !is_number(type))
      return Failure{fmt::format("the field {} of {} is {} here and {} before; expected one type", name, name_, column_type_row(type).name,
                                 column_type_row(known).name)};
    known = ColumnType::kDouble;
    return std::nullopt;
  }

  Done create() {
    std::string sql = fmt::format("CREATE VIRTUAL TABLE {} USING hypertable({} TIMESTAMPTZ", quote_identifier(name_), kTimeColumn);
    for (const HypertableColumn& tag : tags_) sql += fmt::format(", {} TEXT TAG", quote_identifier(tag.name));
    for (const HypertableColumn& field : fields_)
      sql += fmt::format(", {} {}", quote_identifier(field.name), column_type_row(field.type).hypertable_type);
    return session_.run(sql + ", on_conflict = 'merge')");
  }

  /// The columns in the order of the hypertable, with its types.
  Done take_existing(const std::string& sql) {
    const auto schema = read_hypertable_schema(sql);
    if (!schema.has_value() || schema->empty()) return Failure{fmt::format("{} is there already and is not a hypertable", name_)};
    std::vector<HypertableColumn> tags, fields;
    for (const HypertableColumn& column : *schema) {
      if (column.role == Role::kTag) tags.push_back(column);
      if (column.role == Role::kField) fields.push_back(column);
    }
    CLI_TRY(check_columns(tags_, tags, "tag"));
    CLI_TRY(check_columns(fields_, fields, "field"));
    tags_ = std::move(tags);
    fields_ = std::move(fields);
    return std::nullopt;
  }

  Done check_columns(const std::vector<HypertableColumn>& needed, const std::vector<HypertableColumn>& there, const char* what) const {
    for (const HypertableColumn& column : needed) {
      const size_t place = place_of(there, column.name);
      if (place == there.size())
        return Failure{fmt::format("the hypertable {} has no {} {}{}", name_, what, column.name,
                                   std::string_view(what) == "field" ? fmt::format("; SELECT hypertable_alter('{}', 'add', '{}', '{}') adds it", name_,
                                                                                   column.name, column_type_row(column.type).hypertable_type)
                                                                     : "; the tags of a hypertable cannot be added to")};
      const ColumnType type = there[place].type;
      const bool widened = type == ColumnType::kDouble && column.type == ColumnType::kInteger;
      if (column.role == Role::kField && type != column.type && !widened)
        return Failure{fmt::format("the field {} of {} is {} in the hypertable and {} in the file", column.name, name_, column_type_row(type).name,
                                   column_type_row(column.type).name)};
    }
    return std::nullopt;
  }

  Done append(const SeriesRows& rows) {
    std::vector<const char*> tags;
    for (const auto& tag : rows.tags) tags.push_back(tag.has_value() ? tag->c_str() : nullptr);
    CLI_TRY(session_.check(braid_appender_series(appender_.get(), tags.data(), tags.size())));
    std::vector<std::vector<const char*>> texts(fields_.size());
    std::vector<braid_column> columns;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const FieldValues& field = rows.fields[i];
      braid_column column = {.size_bytes = sizeof(braid_column), .type = BRAID_TYPE_INT64, .values = field.integers.data(), .nulls = field.nulls.data()};
      if (fields_[i].type == ColumnType::kDouble) {
        column.type = BRAID_TYPE_DOUBLE;
        column.values = field.reals.data();
      } else if (fields_[i].type != ColumnType::kInteger && fields_[i].type != ColumnType::kBoolean) {
        for (const std::string& text : field.texts) texts[i].push_back(text.c_str());
        column.type = BRAID_TYPE_TEXT;
        column.values = texts[i].data();
      }
      columns.push_back(column);
    }
    return session_.check(braid_appender_columns(appender_.get(), rows.times.data(), rows.times.size(), columns.data(), columns.size()));
  }

  const Session& session_;
  const std::string name_;
  bool is_there_ = false;
  std::string sql_;  // of the table that is there
  std::vector<HypertableColumn> tags_;
  std::vector<HypertableColumn> fields_;
  std::unordered_map<std::string, SeriesRows> series_;
  AppenderHandle appender_;
};

class LineProtocolImport {
 public:
  LineProtocolImport(const Session& session, const ImportArguments& arguments, InputFile& file)
      : session_(session), unit_(arguments.time_unit.value_or(TimeUnit::kNanoseconds)), file_(file), now_(now_in_microseconds()) {}

  Done load() {
    file_.start_first_look();
    CLI_TRY(each_point("looking at", [this](const LinePoint& point) { return note(point); }));
    if (measurements_.empty()) return Failure{"the file has no points"};
    CLI_TRY(file_.rewind());
    for (auto& [name, measurement] : measurements_) CLI_TRY(measurement.begin());
    CLI_TRY(each_point("importing", [this](const LinePoint& point) { return add(point); }));
    CLI_TRY(flush());
    progress_.clear();
    return std::nullopt;
  }
  void release() {
    for (auto& [name, measurement] : measurements_) measurement.release();
  }
  std::string summary(double seconds) const {
    return fmt::format("imported {} points of {} measurements of {} in {:.2f} s", grouped(points_), measurements_.size(), file_.name(), seconds);
  }

 private:
  static constexpr int64_t kGatheredMax = 200'000;

  static int64_t now_in_microseconds() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  template <typename Visit>
  Done each_point(const char* what, Visit visit) {
    LineProtocolReader reader(file_);
    LinePoint point;
    for (int64_t count = 0;; ++count) {
      if (count % 1024 == 0) {
        if (interrupt_requested()) return interrupted();
        progress_.show({what, count, file_.position_bytes(), file_.size_bytes()});
      }
      Outcome<bool> more = reader.next(&point);
      if (!more.ok()) return more.failure();
      if (!*more) return std::nullopt;
      if (Done done = visit(point); done.has_value()) {
        done->message = fmt::format("line {}: {}", reader.line(), done->message);
        return done;
      }
    }
  }

  Done note(const LinePoint& point) {
    const auto known = measurements_.find(point.measurement);
    if (known != measurements_.end()) return known->second.note(point);
    for (const auto& [name, measurement] : measurements_)
      if (same_name(name, point.measurement))
        return Failure{fmt::format("the measurements {} and {} differ in the case of letters only, which tables cannot; rename one", name, point.measurement)};
    Measurement& added = measurements_.try_emplace(point.measurement, session_, point.measurement).first->second;
    CLI_TRY(added.find());
    return added.note(point);
  }

  Done add(const LinePoint& point) {
    // A line without a time is of now, as InfluxDB takes it; of the same now for the whole file.
    const auto time = point.time.has_value() ? read_epoch_time(*point.time, unit_) : std::optional(now_);
    if (!time.has_value()) return Failure{fmt::format("the time {} is out of range", *point.time)};
    CLI_TRY(measurements_.at(point.measurement).add(point, *time));
    ++points_;
    return ++gathered_ < kGatheredMax ? std::nullopt : flush();
  }

  Done flush() {
    gathered_ = 0;
    for (auto& [name, measurement] : measurements_) {
      if (Done done = measurement.flush(); done.has_value()) {
        done->message = fmt::format("{}: {}", name, done->message);
        return done;
      }
    }
    return std::nullopt;
  }

  const Session& session_;
  const TimeUnit unit_;
  InputFile& file_;
  const int64_t now_;
  std::map<std::string, Measurement> measurements_;
  int64_t points_ = 0;
  int64_t gathered_ = 0;
  Progress progress_;
};

}  // namespace

ImportEnd import_line_protocol(const Session& session, const ImportArguments& arguments, InputFile* file) {
  const auto start = std::chrono::steady_clock::now();
  LineProtocolImport import(session, arguments, *file);
  ImportEnd end = import_in_transaction(session, {.load = [&import] { return import.load(); }, .release = [&import] { import.release(); }});
  if (!end.done.has_value() && (arguments.verbose || is_terminal(STDERR_FILENO))) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::fprintf(stderr, "%s\n", import.summary(seconds).c_str());
  }
  return end;
}

}  // namespace braid::cli
