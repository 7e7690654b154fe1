// The files of an export, and the script that brings them in again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/outcome.h"
#include "cli/output_file.h"

namespace braid::cli {

class ExportScript {
 public:
  explicit ExportScript(std::string directory) : directory_(std::move(directory)) {}

  /// The place of a file of the export.
  std::string place(std::string_view file) const { return directory_ + "/" + std::string(file); }
  /// "FOLDER/NAME.csv", with a dot between several names, of which every character can stand in a
  /// file's name; the folder is made.
  Outcome<std::string> csv_name(std::string_view folder, const std::vector<std::string>& names) const;

  void statement(const std::string& sql) { lines_ += sql + ";\n"; }
  /// A line of the script: a command and its words.
  void line(const std::vector<std::string>& words);
  void warn(std::string text) { warnings_.push_back(std::move(text)); }
  std::vector<std::string>* warnings() { return &warnings_; }
  Done write() const;

 private:
  const std::string directory_;
  std::string lines_;
  std::vector<std::string> warnings_;
};

}  // namespace braid::cli
