// `braid export`: a database as files for other programs, which `braid import` reads back.
#pragma once

#include <string>

#include "cli/console.h"
#include "cli/dump.h"
#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

struct ExportArguments {
  enum class Format : uint8_t { kCsv, kSql };

  std::string destination;
  Format format = Format::kCsv;
  DumpParts parts;
};

/// The script in an export that brings it in: written last, so that half of an export has none.
inline constexpr const char* kExportScript = "import.sql";

/// Makes the directory `destination` and writes one snapshot into it; tells on standard error what is
/// left out.
Done run_export(const Session& session, const ExportArguments& arguments);

/// Runs the script of an export, whose files are found from its own directory.
Done import_export(Console* console, const std::string& directory);

}  // namespace braid::cli
