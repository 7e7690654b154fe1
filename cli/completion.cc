#include "cli/completion.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "cli/output.h"
#include "cli/session.h"
#include "cli/statement_words.h"

namespace braid::cli {

namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool starts_with(std::string_view word, std::string_view prefix) {
  return word.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), word.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

/// Gathers what begins with a prefix.
class Candidates {
 public:
  explicit Candidates(std::string_view prefix) : prefix_(prefix) {}

  void add(std::string_view word) {
    if (starts_with(word, prefix_)) found_.emplace_back(word);
  }
  void add_name(std::string_view name) {
    if (!starts_with(name, prefix_)) return;
    const bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 && std::all_of(name.begin(), name.end(), is_word_byte);
    found_.push_back(plain ? std::string(name) : quote_identifier(name));
  }
  void add_keyword(std::string_view word) {
    if (prefix_.empty() || !starts_with(word, prefix_)) return;
    std::string& keyword = found_.emplace_back(word);
    // As it was begun.
    if (std::islower(static_cast<unsigned char>(prefix_[0])) != 0) std::transform(keyword.begin(), keyword.end(), keyword.begin(), lower);
  }
  std::vector<std::string> take() {
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  const std::string_view prefix_;
  std::vector<std::string> found_;
};

void add_columns(const SqlNames& names, std::string_view table, Candidates* candidates) {
  for (const auto& [name, columns] : names.columns) {
    const bool wanted = table.empty() || (name.size() == table.size() && starts_with(name, table));
    for (const std::string& column : columns) {
      if (wanted) candidates->add_name(column);
    }
  }
}

bool has_table(const SqlNames& names, std::string_view table) {
  return std::any_of(names.columns.begin(), names.columns.end(),
                     [&](const auto& item) { return item.first.size() == table.size() && starts_with(item.first, table); });
}

Completion complete_sql(std::string_view before, const SqlNames& names) {
  Completion completion{.start = before.size()};
  // Nothing of the database belongs into a text.
  if (std::count(before.begin(), before.end(), '\'') % 2 != 0) return completion;
  while (completion.start > 0 && is_word_byte(before[completion.start - 1])) --completion.start;
  const std::string_view word = before.substr(completion.start);
  Candidates candidates(word);
  if (completion.start > 0 && before[completion.start - 1] == '.') {
    size_t begin = completion.start - 1;
    while (begin > 0 && is_word_byte(before[begin - 1])) --begin;
    const std::string_view table = before.substr(begin, completion.start - 1 - begin);
    // What is no table is another name of one.
    add_columns(names, has_table(names, table) ? table : "", &candidates);
    completion.candidates = candidates.take();
    return completion;
  }
  if (word.empty()) return completion;
  for (std::string_view keyword : sql_keywords()) candidates.add_keyword(keyword);
  for (const std::string& table : names.tables) candidates.add_name(table);
  for (const std::string& function : names.functions) candidates.add(function + "(");
  for (const std::string& function : names.table_functions) candidates.add(function);
  add_columns(names, "", &candidates);
  completion.candidates = candidates.take();
  completion.ends_word = completion.candidates.size() != 1 || !completion.candidates[0].ends_with('(');
  return completion;
}

Completion complete_file(std::string_view before, size_t start) {
  Completion completion{.start = start};
  const std::string_view word = before.substr(start);
  const size_t slash = word.rfind('/');
  const std::string folder(slash == std::string_view::npos ? "" : word.substr(0, slash + 1));
  Candidates candidates(word);
  std::error_code unreadable;
  std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, unreadable);
  for (; !unreadable && entry != std::filesystem::directory_iterator(); entry.increment(unreadable)) {
    const std::string name = entry->path().filename().string();
    // Hidden files are for who asks for them.
    if (name.starts_with('.') && word.substr(folder.size()).empty()) continue;
    std::error_code unknown;
    candidates.add(folder + name + (entry->is_directory(unknown) ? "/" : ""));
  }
  completion.candidates = candidates.take();
  completion.ends_word = completion.candidates.size() != 1 || !completion.candidates[0].ends_with('/');
  return completion;
}

Completion complete_words(std::string_view before, size_t start, std::string_view words) {
  Completion completion{.start = start};
  Candidates candidates(before.substr(start));
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    candidates.add(words.substr(0, end));
    words.remove_prefix(std::min(words.size(), end + 1));
  }
  completion.candidates = candidates.take();
  return completion;
}

Completion complete_command(std::string_view before, std::span<const DotCommandRow> commands) {
  Completion completion;
  Candidates candidates(before);
  for (const DotCommandRow& command : commands) candidates.add(command.name);
  completion.candidates = candidates.take();
  return completion;
}

}  // namespace

Completion complete(std::string_view before, const SqlNames& names, std::span<const DotCommandRow> commands) {
  if (!before.starts_with('.')) return complete_sql(before, names);
  const size_t blank = before.find(' ');
  if (blank == std::string_view::npos) return complete_command(before, commands);
  const size_t start = before.rfind(' ') + 1;
  const auto command = std::find_if(commands.begin(), commands.end(), [&](const DotCommandRow& row) { return row.name == before.substr(0, blank); });
  if (command == commands.end()) return {.start = before.size()};
  const bool first = start == blank + 1;
  switch (command->next) {
    case DotCommandRow::Next::kNothing:
      break;
    case DotCommandRow::Next::kWords:
      return complete_words(before, start, first ? command->words : "");
    case DotCommandRow::Next::kFile:
      return first ? complete_file(before, start) : complete_sql(before, names);
    case DotCommandRow::Next::kFiles:
      return complete_file(before, start);
    case DotCommandRow::Next::kTables: {
      Completion completion{.start = start};
      Candidates candidates(before.substr(start));
      for (const std::string& table : names.tables) candidates.add_name(table);
      completion.candidates = candidates.take();
      return completion;
    }
    case DotCommandRow::Next::kModes: {
      std::string words;
      for (const OutputFormatRow& row : output_formats()) words += std::string(row.name) + " ";
      return complete_words(before, start, first ? words : "");
    }
    case DotCommandRow::Next::kSql:
      return complete_sql(before, names);
  }
  return {.start = before.size()};
}

std::string common_start(const std::vector<std::string>& candidates) {
  if (candidates.empty()) return "";
  std::string common = candidates[0];
  for (const std::string& candidate : candidates) {
    size_t same = 0;
    while (same < common.size() && same < candidate.size() && lower(common[same]) == lower(candidate[same])) ++same;
    common.resize(same);
  }
  return common;
}

}  // namespace braid::cli
