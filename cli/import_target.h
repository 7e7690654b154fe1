// Where imported rows go: a table, a hypertable, nodes or edges behind one interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/import_arguments.h"
#include "cli/import_column.h"
#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// Calls come in this order: plan, begin, any number of add (and flush whenever full), flush. All
/// but `plan` are inside the import's transaction. After the last flush that transaction may be
/// committed, and add and flush go on in another.
class ImportTarget {
 public:
  virtual ~ImportTarget() = default;
  /// Checks the columns against the database and gives those a type whose type is not the file's to
  /// choose.
  virtual Done plan(std::vector<ImportColumn>* columns) = 0;
  /// Creates what does not exist. Every column has a type now.
  virtual Done begin(const std::vector<ImportColumn>& columns) = 0;
  virtual Done add(std::span<const ImportValue> values, int64_t line) = 0;
  /// True when rows are held back that should be written before more are added.
  virtual bool full() const { return false; }
  virtual Done flush() { return std::nullopt; }
  /// What was created and chosen, as a sentence for the user; "" when there is nothing to say.
  virtual std::string notes() const { return ""; }
};

/// The target that the arguments name. Both must outlive it.
std::unique_ptr<ImportTarget> make_import_target(const Session& session,
                                                 const ImportArguments& arguments);

}  // namespace braid::cli
