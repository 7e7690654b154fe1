#include "cli/import.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>

#include "cli/csv_reader.h"
#include "cli/field_converter.h"
#include "cli/graphml_import.h"
#include "cli/graphml_reader.h"
#include "cli/import_target.h"
#include "cli/import_transaction.h"
#include "cli/interrupt.h"
#include "cli/line_protocol_import.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/type_inference.h"

namespace braid::cli {

namespace {

// How much of a pipe decides its columns' types. A file is looked at whole, since it can be read
// twice.
constexpr int64_t kSampleBytesMax = 4 * 1024 * 1024;
constexpr int64_t kSampleRecordsMax = 10'000;

constexpr const char* kNothingImported = "; nothing was imported";

class Import {
 public:
  Import(const Session& session, const ImportArguments& arguments, InputFile& file)
      : session_(session),
        arguments_(arguments),
        file_(file),
        target_(make_import_target(session, arguments)) {}

  Done run() {
    const auto start = std::chrono::steady_clock::now();
    CLI_TRY(look());
    CLI_TRY(file_.rewind());
    CLI_TRY(open());
    CLI_TRY(arguments_.resume.empty() ? transact([this] { return load(); }) : load_in_batches());
    progress_.clear();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (arguments_.verbose || is_terminal(STDERR_FILENO)) say_what_was_done(seconds);
    return std::nullopt;
  }

  /// What a failure leaves behind, as the end of its message; "" when that is not known.
  std::string aftermath() const {
    if (!undone_) return "";
    if (kept_rows_ == 0) return kNothingImported;
    return fmt::format("; the first {} rows are imported, and the same command goes on behind them", grouped(kept_rows_));
  }

 private:
  // The first look: names, and the types of those columns whose type nobody gave.
  Done look();
  Done read_header(CsvReader* reader);
  Done take_given_types();
  Done infer_types(CsvReader* reader);

  // To the first record, with everything that reads the file.
  Done open();
  Done transact(const std::function<Done()>& load);
  Done load();
  Done load_rows(int64_t count_max);
  Done load_record(const CsvRecord& record);

  // With --resume.
  Done load_in_batches();
  Done load_batch();
  Done skip(int64_t count);
  Outcome<int64_t> kept_position() const;
  void say_what_was_done(double seconds) const;

  const Session& session_;
  const ImportArguments& arguments_;
  InputFile& file_;
  std::unique_ptr<ImportTarget> target_;
  std::vector<ImportColumn> columns_;
  int64_t sampled_records_ = 0;
  std::optional<CsvReader> reader_;
  std::optional<FieldConverter> converter_;
  bool begun_ = false;      // the target was
  bool at_end_ = false;     // of the file
  int64_t position_ = 0;    // rows of the file that were read
  int64_t kept_rows_ = 0;   // of the file, in transactions that were committed
  int64_t rows_ = 0;        // imported by this run
  bool undone_ = true;
  Progress progress_;
};

Done Import::read_header(CsvReader* reader) {
  CsvRecord header;
  Outcome<bool> any = reader->next(&header);
  if (!any.ok()) return any.failure();
  if (!*any) return Failure{"the file is empty; its first line must name the columns"};
  columns_.clear();
  for (const CsvField& field : header.fields) {
    if (field.text.empty()) {
      return Failure{
          fmt::format("line {}: column {} has no name; the first line must name the columns",
                      header.line, columns_.size() + 1)};
    }
    if (find_column(columns_, field.text).has_value()) {
      return Failure{fmt::format("line {}: two columns are named \"{}\"", header.line, field.text)};
    }
    columns_.push_back({.name = std::string(field.text)});
  }
  return std::nullopt;
}

Done Import::take_given_types() {
  auto give = [this](const char* option, const std::string& name, ColumnType type) -> Done {
    const std::optional<size_t> index = find_column(columns_, name);
    if (!index.has_value()) {
      return Failure{fmt::format("line 1: there is no column \"{}\" for {}; the columns are {}",
                                 name, option, column_names(columns_))};
    }
    columns_[*index].type = type;
    return std::nullopt;
  };
  for (const auto& [name, type] : arguments_.types) CLI_TRY(give("--type", name, type));
  if (!arguments_.time.empty()) {
    CLI_TRY(give("--time", arguments_.time, ColumnType::kTimestamp));
  }
  return std::nullopt;
}

Done Import::look() {
  file_.start_first_look();
  CsvReader reader(file_, arguments_.separator);
  CLI_TRY(read_header(&reader));
  CLI_TRY(take_given_types());
  CLI_TRY(target_->plan(&columns_));
  for (const ImportColumn& column : columns_) {
    if (!column.type.has_value()) return infer_types(&reader);
  }
  return std::nullopt;
}

Done Import::infer_types(CsvReader* reader) {
  std::vector<TypeInference> inferences(columns_.size());
  CsvRecord record;
  int64_t records = 0;
  for (;; ++records) {
    if (!file_.size_bytes().has_value() &&
        (records >= kSampleRecordsMax || file_.position_bytes() >= kSampleBytesMax)) {
      sampled_records_ = records;
      break;
    }
    Outcome<bool> more = reader->next(&record);
    if (!more.ok()) return more.failure();
    if (!*more) break;
    // A record of another length is reported when its turn comes, with what is then known.
    for (size_t i = 0; i < std::min(columns_.size(), record.fields.size()); ++i) {
      const CsvField& field = record.fields[i];
      if (columns_[i].type.has_value() || field.text.empty()) continue;
      if (is_null_field(field, ColumnType::kText, arguments_.null_text)) continue;
      inferences[i].add(field.text);
    }
    if (records % 1024 != 0) continue;
    if (interrupt_requested()) return interrupted();
    progress_.show({"looking  ", records, file_.position_bytes(), file_.size_bytes()});
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].type.has_value()) continue;
    columns_[i].type = inferences[i].type();
    // A table's SQL has no booleans: the words stay as they are unless --type asks for a number.
    if (arguments_.target == ImportArguments::Target::kTable &&
        columns_[i].type == ColumnType::kBoolean) {
      columns_[i].type = ColumnType::kText;
    }
  }
  return std::nullopt;
}

Done Import::open() {
  reader_.emplace(file_, arguments_.separator);
  CsvRecord header;
  Outcome<bool> any = reader_->next(&header);
  if (!any.ok()) return any.failure();
  converter_.emplace(columns_, FieldConverter::Rules{.time_unit = arguments_.time_unit,
                                                     .null_text = arguments_.null_text,
                                                     .sampled_records = sampled_records_});
  return std::nullopt;
}

Done Import::transact(const std::function<Done()>& load) {
  ImportEnd end = import_in_transaction(session_, {.load = load, .release = [this] { target_.reset(); }});
  undone_ = end.undone;
  return end.done;
}

Done Import::load() {
  CLI_TRY(target_->begin(columns_));
  return load_rows(INT64_MAX);
}

Done Import::load_record(const CsvRecord& record) {
  Outcome<std::span<const ImportValue>> values = converter_->convert(record);
  if (!values.ok()) return at_line(record.line, values.failure());
  Done added = target_->add(*values, record.line);
  if (added.has_value()) return at_line(record.line, *added);
  if (target_->full()) return target_->flush();
  return std::nullopt;
}

Done Import::load_rows(int64_t count_max) {
  CsvRecord record;
  for (; count_max > 0; --count_max) {
    Outcome<bool> more = reader_->next(&record);
    if (!more.ok()) return more.failure();
    at_end_ = !*more;
    if (at_end_) break;
    CLI_TRY(load_record(record));
    ++position_;
    if (++rows_ % 256 != 0) continue;
    if (interrupt_requested()) return interrupted();
    progress_.show({"importing", rows_, file_.position_bytes(), file_.size_bytes()});
  }
  // Ctrl-C ends the program before a pipe too, whose output is then cut short.
  if (interrupt_requested()) return interrupted();
  return target_->flush();
}

Outcome<int64_t> Import::kept_position() const {
  int64_t position = 0;
  const std::array<std::string_view, 1> names = {arguments_.resume};
  Done done = session_.query("SELECT load_position(?1)", names,
                             [&position](braid_statement* row) { position = braid_column_int64(row, 0); });
  if (done.has_value()) return *done;
  return position;
}

Done Import::load_in_batches() {
  if (braid_in_transaction(session_.connection()) != 0) {
    return Failure{"--resume commits as it goes: end the open transaction first"};
  }
  Outcome<int64_t> position = kept_position();
  if (!position.ok()) return position.failure();
  CLI_TRY(skip(*position));
  kept_rows_ = position_;
  while (!at_end_) {
    CLI_TRY(transact([this] { return load_batch(); }));
    kept_rows_ = position_;
  }
  return std::nullopt;
}

Done Import::load_batch() {
  // Another import by the same name would otherwise load the same rows.
  Outcome<int64_t> position = kept_position();
  if (!position.ok()) return position.failure();
  if (*position != position_) {
    return Failure{fmt::format("the load {} has come to row {} while this import was at row {}", arguments_.resume,
                               *position, position_)};
  }
  if (!begun_) CLI_TRY(target_->begin(columns_));
  begun_ = true;
  CLI_TRY(load_rows(arguments_.batch_rows));
  const std::string reached = std::to_string(position_);
  const std::array<std::string_view, 2> texts = {arguments_.resume, reached};
  return session_.run("SELECT load_advance(?1, CAST(?2 AS INTEGER))", texts);
}

Done Import::skip(int64_t count) {
  CsvRecord record;
  for (; position_ < count; ++position_) {
    Outcome<bool> more = reader_->next(&record);
    if (!more.ok()) return more.failure();
    if (!*more) {
      return Failure{fmt::format("the load {0} has come to row {1}, but the file has {2} rows: it is another file; "
                                 "SELECT load_finish('{0}') forgets the load",
                                 arguments_.resume, count, position_)};
    }
    if (position_ % 1024 != 0) continue;
    if (interrupt_requested()) return interrupted();
    progress_.show({"skipping ", position_, file_.position_bytes(), file_.size_bytes()});
  }
  return std::nullopt;
}

void Import::say_what_was_done(double seconds) const {
  const std::string notes = target_->notes();
  if (!notes.empty()) std::fprintf(stderr, "%s\n", notes.c_str());
  const double rate = seconds > 0 ? static_cast<double>(rows_) / seconds : 0;
  const std::string earlier = position_ == rows_ ? "" : fmt::format(", behind the {} that were in", grouped(position_ - rows_));
  const std::string summary =
      fmt::format("imported {} rows of {} into {}{} in {:.2f} s ({} rows/s)", grouped(rows_),
                  file_.name(), arguments_.name, earlier, seconds, grouped(static_cast<int64_t>(rate)));
  std::fprintf(stderr, "%s\n", summary.c_str());
}

}  // namespace

Done import_file(const Session& session, const ImportArguments& arguments, InputFile* file) {
  Done done;
  std::string aftermath;
  const bool graphml = arguments.target == ImportArguments::Target::kGraphml;
  if (graphml || arguments.target == ImportArguments::Target::kLineProtocol) {
    ImportEnd end = graphml ? import_graphml(session, arguments, file) : import_line_protocol(session, arguments, file);
    done = end.done;
    aftermath = end.undone ? kNothingImported : "";
  } else {
    Import import(session, arguments, *file);
    done = import.run();
    aftermath = import.aftermath();
  }
  if (done.has_value()) done->message = fmt::format("{}: {}{}", file->name(), done->message, aftermath);
  return done;
}

}  // namespace braid::cli
