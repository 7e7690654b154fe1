// The values that .param gives to the parameters of statements.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"

namespace braid::cli {

class Parameters {
 public:
  /// Sets a parameter, ":name", "@name", "$name", "?3" or plain "name" for the first three, to what
  /// `expression` gives; what is no SQL expression is text.
  Done set(const Session& session, std::string_view name, std::string_view expression);
  /// False when it was not set.
  bool unset(std::string_view name);
  void clear() { values_.clear(); }
  void write(ResultWriter* writer) const;

  /// Binds what is set. A failure when the statement has a parameter without a value: run like that it
  /// would be NULL.
  Done bind(const Session& session, braid_statement* statement) const;

 private:
  struct Value {
    Cell cell;
    std::string bytes;  ///< what the cell borrows

    Cell whole() const;
  };

  static Done bind_value(const Session& session, braid_statement* statement, int32_t index, const Value& value);

  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace braid::cli
