#include "cli/export_script.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>

#include "cli/export_command.h"

namespace braid::cli {

namespace {

std::string file_name_of(std::string_view name) {
  std::string file;
  for (char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || (c & 0x80) != 0;
    file += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return file;
}

// As the words of a dot command are read.
std::string quoted_word(std::string_view word) {
  std::string quoted = "\"";
  for (char c : word) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

Outcome<std::string> ExportScript::csv_name(std::string_view folder, const std::vector<std::string>& names) const {
  std::error_code error;
  std::filesystem::create_directories(place(folder), error);
  if (error) return Failure{fmt::format("cannot make '{}': {}", place(folder), error.message())};
  std::string file;
  for (const std::string& name : names) file += (file.empty() ? "" : ".") + file_name_of(name);
  return fmt::format("{}/{}.csv", folder, file);
}

void ExportScript::line(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) lines_ += ' ';
    lines_ += i == 0 ? words[i] : quoted_word(words[i]);
  }
  lines_ += '\n';
}

Done ExportScript::write() const {
  auto file = OutputFile::open(place(kExportScript));
  if (!file.ok()) return file.failure();
  (*file)->write("-- braid import NEWDIR THIS_DIRECTORY runs these lines.\n");
  (*file)->write(lines_);
  return (*file)->finish();
}

}  // namespace braid::cli
