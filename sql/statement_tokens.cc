#include "sql/statement_tokens.h"

namespace braid {

std::vector<StatementToken> tokens_of_statement(std::string_view sql, size_t& used) {
  std::vector<StatementToken> tokens;
  const auto read = SqlTokens::of(sql);
  used = read ? read->used() : sql.size();
  if (!read) return tokens;
  tokens.reserve(read->size());
  int depth = 0;
  for (size_t i = 0; i < read->size(); ++i) {
    if (read->is_operator(i, ")")) --depth;
    std::string text(read->text(i));
    if (text == "?") text += std::to_string((*read)[i].variable);
    tokens.push_back({(*read)[i].kind, std::move(text), depth});
    if (read->is_operator(i, "(")) ++depth;
  }
  return tokens;
}

}  // namespace braid
