// Continuous aggregates: tables of a hypertable's points by bucket and tags, never stale.
//
//   create_continuous_aggregate(name, query [, with_data [, if_not_exists]])
//   refresh_continuous_aggregate(name, since, until)            NULL: no bound
//   drop_continuous_aggregate(name [, if_exists])               as DROP TABLE name does
//   continuous_aggregates                                       a table of them
//
// Plans: the bucket with =, <, <=, >, >= and tags with = or IS are pushed down; rows come in the order of their buckets.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/aggregate_query.h"
#include "sql/aggregate_reader.h"
#include "sql/aggregate_refresh.h"
#include "sql/hypertable_columns.h"
#include "sql/sql_tokens.h"
#include "sql/table_function.h"
#include "sql/time_age.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "timeseries/tag_codec.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

constexpr const char* kModule = "continuous_aggregate";

/// One letter per column, the first argument of the module: SQLite asks for plans when the catalog is not at hand.
constexpr char kBucketLetter = 'b', kTagLetter = 't', kIntegerTagLetter = 'i', kValueLetter = 'v';

char letter_of(const AggregateColumn& column, const HypertableDefinition& table) {
  if (column.role == AggregateRole::kBucket) return kBucketLetter;
  if (column.role != AggregateRole::kTag) return kValueLetter;
  const auto tag = std::find(table.tags.begin(), table.tags.end(), column.source);
  return table.tag_type(static_cast<size_t>(tag - table.tags.begin())) == FieldType::kInt64 ? kIntegerTagLetter : kTagLetter;
}

std::optional<FieldType> field_type(const AggregateColumn& column, const HypertableDefinition& table) {
  for (const FieldDefinition& field : table.fields)
    if (field.name == column.source) return field.type;
  return std::nullopt;
}

std::string column_type(const AggregateColumn& column, const HypertableDefinition& table) {
  switch (column.role) {
    // As the time column of a hypertable.
    case AggregateRole::kBucket: return fmt::format("\"TIMESTAMP TEXT\" COLLATE {}", kTimeCollation);
    case AggregateRole::kTag: return letter_of(column, table) == kIntegerTagLetter ? "INTEGER" : "TEXT";
    case AggregateRole::kCount: return "BIGINT";
    case AggregateRole::kAverage: return "DOUBLE";
    case AggregateRole::kSum:
    case AggregateRole::kMin:
    case AggregateRole::kMax:
    case AggregateRole::kFirst:
    case AggregateRole::kLast: break;
  }
  const auto type = field_type(column, table);
  if (!type) return "TEXT";
  return column.role == AggregateRole::kSum && *type == FieldType::kBool ? "BIGINT" : std::string(field_type_name(*type));
}

std::string create_table_text(const AggregateDefinition& definition, const HypertableDefinition& table) {
  std::string letters, columns;
  for (const AggregateColumn& column : definition.columns) {
    letters += letter_of(column, table);
    columns += fmt::format(", {} {}", quote_identifier(column.name), column_type(column, table));
  }
  return fmt::format("CREATE VIRTUAL TABLE main.{} USING {}({}{})", quote_identifier(definition.name), kModule, letters, columns);
}

// ---- The table -----------------------------------------------------------------------------------------------------------

std::optional<char> operation_of(unsigned char op, bool bucket) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return '=';
    case SQLITE_INDEX_CONSTRAINT_LT: return bucket ? std::optional('<') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_LE: return bucket ? std::optional('l') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_GT: return bucket ? std::optional('>') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_GE: return bucket ? std::optional('g') : std::nullopt;
    case SQLITE_INDEX_CONSTRAINT_IS: return bucket ? std::nullopt : std::optional('i');
    case SQLITE_INDEX_CONSTRAINT_ISNULL: return bucket ? std::nullopt : std::optional('n');
    default: return std::nullopt;
  }
}

class AggregateTable final : public VirtualTable {
 public:
  AggregateTable(Connection& connection, std::string name, std::string letters)
      : VirtualTable(connection), name_(std::move(name)), letters_(std::move(letters)) {}

  const std::string& letters() const { return letters_; }

  Result<const AggregateDefinition*> definition() const {
    const AggregateDefinition* found = connection.catalog_state().aggregate(name_);
    if (found == nullptr) return Status(StatusCode::kNotFound, fmt::format("continuous aggregate '{}' does not exist at this snapshot", name_));
    return found;
  }

  int best_index(sqlite3_index_info& info) override {
    std::string plan;
    double rows = 1e5;
    int argument = 0;
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      if (constraint.usable == 0 || constraint.iColumn < 0 || static_cast<size_t>(constraint.iColumn) >= letters_.size()) continue;
      const char letter = letters_[static_cast<size_t>(constraint.iColumn)];
      const bool bucket = letter == kBucketLetter;
      const auto operation = letter == kValueLetter ? std::nullopt : operation_of(constraint.op, bucket);
      if (!operation) continue;
      if (std::string_view(sqlite3_vtab_collation(&info, i)) != (bucket ? kTimeCollation : "BINARY")) continue;
      plan += fmt::format("{}{};", constraint.iColumn, *operation);
      info.aConstraintUsage[i].argvIndex = ++argument;
      info.aConstraintUsage[i].omit = bucket ? 1 : 0;
      rows /= *operation == '=' || *operation == 'i' || *operation == 'n' ? 50 : 5;
    }
    info.idxNum = 0;
    const auto& order = info.aOrderBy;
    info.orderByConsumed = info.nOrderBy == 1 && order[0].desc == 0 && order[0].iColumn >= 0 &&
                           static_cast<size_t>(order[0].iColumn) < letters_.size() && letters_[static_cast<size_t>(order[0].iColumn)] == kBucketLetter;
    info.idxStr = sqlite3_mprintf("%s", plan.c_str());
    if (info.idxStr == nullptr) return SQLITE_NOMEM;
    info.needToFreeIdxStr = 1;
    info.estimatedRows = static_cast<sqlite3_int64>(std::max(rows, 1.0));
    info.estimatedCost = std::max(rows, 1.0) * 2;
    return SQLITE_OK;
  }

  std::unique_ptr<VirtualCursor> open() override;

  Status update(std::span<sqlite3_value*>, sqlite3_int64&) override {
    return Status(StatusCode::kReadOnly, fmt::format("'{}' is a continuous aggregate; write the points that it is made from", name_));
  }

  Status rename(std::string_view name) override {
    BRAID_ASSIGN(const AggregateDefinition* found, definition());
    AggregateDefinition renamed = *found;
    renamed.name = name;
    connection.session().catalog_writer().put_aggregate(std::move(renamed));
    name_ = name;
    return {};
  }

  Status destroy() override {
    BRAID_ASSIGN(const AggregateDefinition* found, definition());
    const AggregateId id = found->id;
    for (const auto& [other, aggregate] : connection.catalog_state().aggregates)
      if (aggregate->parent == id)
        return Status(StatusCode::kConstraint, fmt::format("the continuous aggregate '{}' is made from '{}'; drop it first", aggregate->name, name_));
    const Session::Internal internal(connection.session());
    BRAID_TRY(sqlite_run(connection.db(), fmt::format("DELETE FROM main._braid_dirty WHERE aggregate = {}; DROP TABLE {}", id.value(), state_table(id))));
    connection.session().catalog_writer().remove_aggregate(id);
    return {};
  }

 private:
  std::string name_;
  const std::string letters_;
};

class AggregateCursor final : public VirtualCursor {
 public:
  explicit AggregateCursor(AggregateTable& table) : table_(table) {}

  Status filter(int, const char* plan, std::span<sqlite3_value*> values) override {
    source_ = nullptr;
    reader_ = nullptr;
    at_end_ = true;
    row_ = 0;
    BRAID_ASSIGN(const AggregateDefinition* definition, table_.definition());
    const AggregateLayout layout(*definition);
    if (definition->columns.size() != table_.letters().size())
      return Status(StatusCode::kCorrupt, fmt::format("rows.db: continuous aggregate '{}' has other columns than its table", definition->name));
    TimeRange starts;
    std::vector<TagCondition> conditions;
    size_t argument = 0;
    char* rest = nullptr;
    for (const char* next = plan; *next != '\0'; next = rest + 2) {
      const auto column = static_cast<size_t>(std::strtol(next, &rest, 10));
      sqlite3_value* value = values[argument++];
      BRAID_ASSIGN(const bool possible, table_.letters()[column] == kBucketLetter
                                            ? push_bucket(*rest, value, starts)
                                            : push_tag(*rest, value, table_.letters()[column], layout.place[column], conditions));
      if (!possible) return {};
    }
    if (starts.start >= starts.limit) return {};
    BRAID_ASSIGN(reader_, AggregateReader::open(table_.connection, *definition, std::move(conditions)));
    BRAID_ASSIGN(source_, reader_->current(starts));
    return next();
  }

  Status next() override {
    ++row_;
    BRAID_ASSIGN(const bool more, source_->next());
    at_end_ = !more;
    return {};
  }
  bool at_end() const override { return at_end_; }
  int64_t rowid() const override { return row_; }

  Status column(sqlite3_context* context, int number) override {
    const AggregateState& state = source_->state();
    const auto at = static_cast<size_t>(number);
    const auto& columns = reader_->definition().columns;
    if (at >= columns.size()) {
      const std::string key = fmt::format("{}/{}", state.bucket, encode_tags({state.tags.begin(), state.tags.end()}));
      sqlite3_result_blob64(context, key.data(), key.size(), SQLITE_TRANSIENT);
      return {};
    }
    const size_t place = reader_->layout().place[at];
    switch (columns[at].role) {
      case AggregateRole::kBucket: result_text(context, format_time(Timestamp(state.bucket))); return {};
      case AggregateRole::kTag: return tag_column(context, table_.letters()[at], state.tags[place]);
      default: break;
    }
    const auto type = field_type(columns[at], reader_->table());
    return result_column(context, columns[at], place, state, type && *type != FieldType::kDouble);
  }

 private:
  static Status tag_column(sqlite3_context* context, char letter, const std::optional<std::string>& tag) {
    if (!tag) return {};
    if (letter == kTagLetter) {
      result_text(context, *tag);
      return {};
    }
    const auto number = integer_of_tag(*tag);
    if (!number) return Status(StatusCode::kCorrupt, fmt::format("an integer tag is '{}', no whole number", *tag));
    sqlite3_result_int64(context, *number);
    return {};
  }

  static Result<bool> push_bucket(char operation, sqlite3_value* value, TimeRange& starts) {
    if (sqlite3_value_type(value) == SQLITE_NULL) return false;
    BRAID_ASSIGN(const Timestamp time, compared_time_of(value, "a comparison with the bucket"));
    const Timestamp after = time.value() == std::numeric_limits<int64_t>::max() ? time : time.next();
    if (operation == '=' || operation == 'g') starts.start = std::max(starts.start, time);
    if (operation == '>') starts.start = std::max(starts.start, after);
    if (operation == '<') starts.limit = std::min(starts.limit, time);
    if (operation == '=' || operation == 'l') starts.limit = std::min(starts.limit, after);
    return true;
  }

  /// Narrows by a value that can be told as the tag's text; SQLite compares again.
  static Result<bool> push_tag(char operation, sqlite3_value* value, char letter, size_t tag, std::vector<TagCondition>& conditions) {
    const bool null = operation == 'n' || sqlite3_value_type(value) == SQLITE_NULL;
    if (null && operation == '=') return false;
    TagCondition condition{tag, std::nullopt};
    if (!null && letter == kIntegerTagLetter) {
      if (sqlite3_value_type(value) != SQLITE_INTEGER) return true;
      condition.value = tag_of_integer(sqlite3_value_int64(value));
    } else if (!null) {
      condition.value = std::string(text_of(value));
    }
    for (const TagCondition& known : conditions)
      if (known.tag == tag) return known.value == condition.value;
    conditions.push_back(std::move(condition));
    return true;
  }

  AggregateTable& table_;
  std::unique_ptr<AggregateReader> reader_;
  std::unique_ptr<StateSource> source_;  // reads from reader_
  bool at_end_ = true;
  int64_t row_ = 0;
};

std::unique_ptr<VirtualCursor> AggregateTable::open() { return std::make_unique<AggregateCursor>(*this); }

/// Arguments: the letters, then the columns as they are declared.
Result<std::unique_ptr<VirtualTable>> make_aggregate_table(Connection& connection, bool, std::span<const char* const> arguments) {
  if (arguments.size() < 5) return Status(StatusCode::kCorrupt, fmt::format("rows.db: continuous aggregate '{}' has no columns", arguments[2]));
  std::string declaration = "CREATE TABLE x(";
  for (size_t i = 4; i < arguments.size(); ++i) declaration += fmt::format("{}, ", arguments[i]);
  BRAID_TRY(declare_table(connection, declaration + fmt::format("{} BLOB HIDDEN PRIMARY KEY) WITHOUT ROWID", kPointColumn)));
  return std::unique_ptr<VirtualTable>(std::make_unique<AggregateTable>(connection, arguments[2], arguments[3]));
}

// ---- Functions -----------------------------------------------------------------------------------------------------------

using Values = std::span<sqlite3_value*>;

Status create(Connection& connection, AggregateDefinition definition, bool with_data) {
  const HypertableDefinition table = connection.catalog_state().hypertables.at(definition.hypertable);
  BRAID_ASSIGN(auto taken, sqlite_prepare(connection.db(), "SELECT type FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE"));
  taken.bind_text(1, definition.name);
  BRAID_ASSIGN(const bool is_taken, taken.step());
  if (is_taken)
    return Status(StatusCode::kConstraint, fmt::format("create_continuous_aggregate: a {} '{}' already exists",
                                                       connection.catalog_state().hypertable(definition.name) != nullptr ? "hypertable" : taken.bytes(0), definition.name));
  definition.id = connection.session().catalog_writer().add_aggregate(definition);
  BRAID_TRY(sqlite_run(connection.db(), create_state_table(definition)));
  BRAID_TRY(connection.reported_or(sqlite_run(connection.db(), create_table_text(definition, table))).within("create_continuous_aggregate"));
  return with_data ? refresh_aggregate(connection, definition.id, {}).status() : Status();
}

bool flag(Values values, size_t index) { return values.size() > index && sqlite3_value_int(values[index]) != 0; }

Status create_aggregate_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  std::string name(text_of(values[0]));
  if (name.empty() || connection.is_built_in_table(name) || same_sql_name(std::string_view(name).substr(0, 7), "_braid_"))
    return Status(StatusCode::kInvalidArgument, fmt::format("create_continuous_aggregate: '{}' cannot be its name", name));
  if (connection.catalog_state().aggregate(name) != nullptr && flag(values, 3)) {
    result_text(context, name);
    return {};
  }
  if (connection.catalog_state().aggregate(name) != nullptr)
    return Status(StatusCode::kConstraint, fmt::format("create_continuous_aggregate: '{}' exists already", name));
  BRAID_ASSIGN(auto definition, parse_aggregate(connection.catalog_state(), std::move(name), text_of(values[1])));
  const bool with_data = values.size() < 3 || sqlite3_value_type(values[2]) == SQLITE_NULL || sqlite3_value_int(values[2]) != 0;
  result_text(context, definition.name);
  connection.defer([&connection, definition = std::move(definition), with_data] { return create(connection, definition, with_data); });
  return {};
}

Result<const AggregateDefinition*> find_aggregate(Connection& connection, sqlite3_value* name, std::string_view caller) {
  const AggregateDefinition* found = connection.catalog_state().aggregate(text_of(name));
  if (found == nullptr) return Status(StatusCode::kNotFound, fmt::format("{}: there is no continuous aggregate '{}'", caller, text_of(name)));
  return found;
}

Status drop_aggregate_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  if (flag(values, 1) && connection.catalog_state().aggregate(text_of(values[0])) == nullptr) return {};
  BRAID_ASSIGN(const AggregateDefinition* found, find_aggregate(connection, values[0], "drop_continuous_aggregate"));
  result_text(context, found->name);
  connection.defer([&connection, name = found->name] {
    return connection.reported_or(sqlite_run(connection.db(), fmt::format("DROP TABLE main.{}", quote_identifier(name)))).within("drop_continuous_aggregate");
  });
  return {};
}

Status refresh_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const AggregateDefinition* found, find_aggregate(connection, values[0], "refresh_continuous_aggregate"));
  RefreshWindow window;
  if (sqlite3_value_type(values[1]) != SQLITE_NULL) {
    BRAID_ASSIGN(window.points.start, time_or_age(connection, values[1], "refresh_continuous_aggregate: since"));
  }
  if (sqlite3_value_type(values[2]) != SQLITE_NULL) {
    BRAID_ASSIGN(window.points.limit, time_or_age(connection, values[2], "refresh_continuous_aggregate: until"));
  }
  BRAID_ASSIGN(const auto buckets, AggregateBuckets::make(*found));
  const bool bounded = window.points.start != TimeRange{}.start && window.points.limit != TimeRange{}.limit;
  if (bounded && buckets->start_from(window.points.start.value()) >= buckets->start_of(window.points.limit.value()))
    return Status(StatusCode::kInvalidArgument, fmt::format("refresh_continuous_aggregate: there is no whole bucket of '{}' in the window", found->name));
  result_text(context, found->name);
  // It writes rows, which SQLite would not undo with a SELECT that fails.
  connection.defer([&connection, id = found->id, window] { return refresh_aggregate(connection, id, window).status(); });
  return {};
}

Result<std::unique_ptr<FunctionResult>> list_aggregates(Connection& connection, std::span<sqlite3_value* const>) {
  std::vector<Row> rows;
  const CatalogState& state = connection.catalog_state();
  for (const auto& [id, aggregate] : state.aggregates) {
    BRAID_ASSIGN(const auto reader, AggregateReader::open(connection, *aggregate));
    BRAID_ASSIGN(const auto stale, reader->stale(TimeRange{}));
    const bool kept = aggregate->watermark != TimeRange{}.start;
    const auto parent = state.aggregates.find(aggregate->parent);
    const std::string& source = parent != state.aggregates.end() ? parent->second->name : reader->table().name;
    rows.push_back({aggregate->name, reader->table().name, source, length_text(aggregate->width), kept ? Cell(format_time(aggregate->watermark)) : Cell(),
                    static_cast<int64_t>(stale.size()), aggregate->query});
  }
  return make_rows(std::move(rows));
}

const TableFunction kAggregateList = {"continuous_aggregates",
                             "name TEXT, hypertable TEXT, source TEXT, bucket_width TEXT, kept_until TEXT, stale_ranges INTEGER, query TEXT",
                             7,
                             {},
                             list_aggregates};

constexpr FunctionRow kContinuousFunctions[] = {{"create_continuous_aggregate", 2, 4, create_aggregate_function},
                                                  {"drop_continuous_aggregate", 1, 2, drop_aggregate_function},
                                                  {"refresh_continuous_aggregate", 3, 3, refresh_function}};

}  // namespace

Status register_continuous_aggregates(Connection& connection) {
  BRAID_TRY(register_module(connection, kModule, ModuleKind::kCreated, make_aggregate_table));
  BRAID_TRY(register_table_function(connection, kAggregateList));
  return register_functions(connection, FunctionUse::kDirectOnly, kContinuousFunctions);
}

}  // namespace braid
