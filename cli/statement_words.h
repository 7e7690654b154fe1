// The few words of a statement that the command looks at without understanding SQL.
#pragma once

#include <string>
#include <string_view>

namespace braid::cli {

/// Of a keyword or of a name without quotes.
bool is_word_byte(char c);

/// The module of a CREATE VIRTUAL TABLE, in lower case; "" for any other statement.
std::string module_of_virtual_table(std::string_view sql);

/// The value in 'single quotes' of a setting in the arguments of a virtual table, such as horizon;
/// "" when it is not there.
std::string setting_of_virtual_table(std::string_view sql, std::string_view name);

}  // namespace braid::cli
