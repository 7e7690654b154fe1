// Any text as SQL, statement by statement, on a database with rows, a graph and points. Statements that answer rows have each of them read.
#include "fuzz/scratch_database.h"

using namespace braid;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Never closed: RocksDB is gone by the time that a static object is destroyed.
  static ScratchDatabase& scratch = *new ScratchDatabase;
  Input input(data, size);
  TestConnection connection(scratch.get());
  must(connection.code() == BRAID_OK);
  std::string_view sql = input.rest().substr(0, 4096);
  for (int i = 0; i < 16 && !sql.empty(); ++i) {
    braid_statement* statement = nullptr;
    int64_t used = 0;
    const int32_t code = braid_prepare(connection.get(), sql.data(), static_cast<int64_t>(sql.size()), &statement, &used);
    must(code != BRAID_INTERNAL && code != BRAID_CORRUPT);
    if (code != BRAID_OK) break;
    must(used > 0 && static_cast<size_t>(used) <= sql.size());
    int32_t step = BRAID_DONE;
    for (int rows = 0; statement != nullptr && rows < 1000 && (step = braid_statement_step(statement)) == BRAID_ROW; ++rows)
      for (int32_t column = 0; column < braid_column_count(statement); ++column) (void)braid_column_text(statement, column, nullptr);
    must(step != BRAID_INTERNAL && step != BRAID_CORRUPT);
    braid_statement_close(statement);
    sql.remove_prefix(static_cast<size_t>(used));
  }
  if (braid_in_transaction(connection.get()) != 0) braid_rollback(connection.get());
  return 0;
}
