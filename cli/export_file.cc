#include "cli/export_file.h"

#include <fmt/format.h>

#include <array>

#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/result_row.h"

namespace braid::cli {

namespace {

struct Ending {
  std::string_view ending;
  OutputFormat format;
};
constexpr std::array<Ending, 6> kEndings = {{{".csv", OutputFormat::kCsv},
                                             {".json", OutputFormat::kJson},
                                             {".jsonl", OutputFormat::kJsonLines},
                                             {".md", OutputFormat::kMarkdown},
                                             {".sql", OutputFormat::kInsert},
                                             {".txt", OutputFormat::kBox}}};

Outcome<int64_t> write_rows(const Session& session, braid_statement* statement, const ExportTarget& target, OutputFile* file,
                            ResultWriter* writer) {
  const std::vector<std::string> names = column_names(statement);
  if (names.empty()) return Failure{"the statement gives no rows; a SELECT or the name of a table is needed"};
  writer->begin(names);
  std::vector<Cell> cells(names.size());
  Progress progress;
  int64_t rows = 0;
  int32_t code = BRAID_ROW;
  // What writes is done to its end, or not at all: Ctrl-C ends its step.
  const bool writes = braid_statement_writes(statement) == 1;
  while ((writes || !file->failed()) && (code = braid_statement_step(statement)) == BRAID_ROW) {
    if (file->failed()) continue;
    if (!writes && interrupt_requested()) return interrupted();
    read_cells(statement, &cells);
    writer->row(cells);
    if (target.visit) target.visit(cells);
    if (++rows % 256 == 0) progress.show({.what = "exporting", .rows = rows});
  }
  if (code != BRAID_ROW && code != BRAID_DONE) return session.failure(code);
  writer->end();
  return rows;
}

}  // namespace

std::optional<OutputFormat> format_of_file(std::string_view file) {
  for (const Ending& row : kEndings) {
    if (file.ends_with(row.ending)) return row.format;
  }
  const size_t name = file.find_last_of('/') + 1;
  return file.find('.', name) == std::string_view::npos ? std::optional(OutputFormat::kCsv) : std::nullopt;
}

Outcome<int64_t> export_query(const Session& session, std::string_view sql, const ExportTarget& target) {
  const std::optional<OutputFormat> format = target.format.has_value() ? target.format : format_of_file(target.file);
  if (!format.has_value()) {
    std::string endings;
    for (const Ending& row : kEndings) endings += fmt::format("{}{}", endings.empty() ? "" : ", ", row.ending);
    return Failure{fmt::format("'{}': its ending names no format; use one of {}, or none for CSV", target.file, endings)};
  }
  // The statement comes before the file: a mistake in it leaves an older file as it is.
  Outcome<PreparedStatement> prepared = session.prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  if (prepared->handle == nullptr) return Failure{"there is no statement to export"};
  auto file = OutputFile::open(target.file);
  if (!file.ok()) return file.failure();
  const ResultLook look = {.format = *format, .insert_table = target.insert_table, .null_text = target.null_text};
  const auto writer = make_result_writer(look, (*file)->stream());
  Outcome<int64_t> rows = write_rows(session, prepared->handle.get(), target, file->get(), writer.get());
  if (!rows.ok() && !(*file)->failed()) return rows;
  CLI_TRY((*file)->finish());
  return rows;
}

}  // namespace braid::cli
