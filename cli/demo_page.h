// The demo's printed page: headings, sentences, SQL and small tables. Colours only on a terminal
// and without NO_COLOR.
#pragma once

#include <string>
#include <string_view>

#include "cli/demo_query.h"

namespace braid::cli::demo {

class Page {
 public:
  Page();

  void heading(std::string_view text);
  // A paragraph, wrapped at 88 columns.
  void text(std::string_view paragraph);
  // A line that stays as it is: a command to type, say.
  void line(std::string_view text);
  void sql(std::string_view statement);
  void table(const Table& table);

 private:
  const bool colours_;
};

// Prints a query and its answer.
Done show(Page* page, const Session& session, std::string_view query);

}  // namespace braid::cli::demo
