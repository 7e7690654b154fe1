// The transaction of an import, or one of several.
#pragma once

#include <functional>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

struct ImportSteps {
  std::function<Done()> load;
  /// Ends the statements and appenders of `load`, so that what it did can be undone.
  std::function<void()> release = [] {};
};

struct ImportEnd {
  Done done;
  /// After a failure: whether the database is known to be as it was before.
  bool undone = true;
};

/// Loads in a transaction and commits it. Inside an open transaction the import becomes part of
/// that one, and a failure undoes the import only.
ImportEnd import_in_transaction(const Session& session, const ImportSteps& steps);

}  // namespace braid::cli
