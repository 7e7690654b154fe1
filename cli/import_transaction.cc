#include "cli/import_transaction.h"

namespace braid::cli {

namespace {

constexpr const char* kSavepoint = "braid_import";

}  // namespace

ImportEnd import_in_transaction(const Session& session, const ImportSteps& steps) {
  braid_connection* connection = session.connection();
  const bool nested = braid_in_transaction(connection) != 0;
  const int32_t begun =
      nested ? braid_savepoint(connection, kSavepoint) : braid_begin(connection, BRAID_WRITE);
  if (begun != BRAID_OK) return {session.failure(begun)};
  ImportEnd end{steps.load()};
  if (!end.done.has_value()) {
    const int32_t code = nested ? braid_release(connection, kSavepoint) : braid_commit(connection);
    if (code == BRAID_OK) return end;
    // Both messages say themselves what is known about the data.
    end = {session.failure(code), code != BRAID_UNKNOWN_OUTCOME && code != BRAID_NOT_VISIBLE};
  }
  steps.release();
  if (nested) {
    braid_rollback_to(connection, kSavepoint);
    braid_release(connection, kSavepoint);
  } else if (braid_in_transaction(connection) != 0) {
    braid_rollback(connection);
  }
  return end;
}

}  // namespace braid::cli
