#include "sql/aggregate_function.h"

#include <exception>
#include <new>
#include <string>

#include "sql/virtual_table.h"

namespace braid {

namespace {

struct AggregateContext {
  Connection& connection;
  const AggregateFunction& function;
};

/// Runs `body` and reports what went wrong to SQLite, prefixed with the function's name.
template <typename Body>
void guarded(sqlite3_context* context, Body body) {
  const auto& aggregate = *static_cast<AggregateContext*>(sqlite3_user_data(context));
  try {
    Status status = body();
    if (!status.ok()) aggregate.connection.report(context, status.within(aggregate.function.name));
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (const std::exception& error) {
    aggregate.connection.report(context, Status(StatusCode::kInternal, error.what()));
  }
}

/// SQLite keeps room for a pointer per group, zeroed; the state is made with the first row.
Aggregate* state_of(sqlite3_context* context) {
  auto** slot = static_cast<Aggregate**>(sqlite3_aggregate_context(context, sizeof(Aggregate*)));
  if (slot == nullptr) throw std::bad_alloc();
  if (*slot == nullptr) *slot = static_cast<AggregateContext*>(sqlite3_user_data(context))->function.make().release();
  return *slot;
}

void step(sqlite3_context* context, int count, sqlite3_value** values) {
  guarded(context, [&] { return state_of(context)->add({values, static_cast<size_t>(count)}); });
}
void inverse(sqlite3_context* context, int count, sqlite3_value** values) {
  guarded(context, [&] { return state_of(context)->remove({values, static_cast<size_t>(count)}); });
}
void value(sqlite3_context* context) {
  guarded(context, [&] { return state_of(context)->result(context); });
}
/// SQLite calls it for every group, after an error too, so that the state ends here.
void final_value(sqlite3_context* context) {
  guarded(context, [&]() -> Status {
    auto** slot = static_cast<Aggregate**>(sqlite3_aggregate_context(context, 0));
    const std::unique_ptr<Aggregate> made(slot == nullptr ? nullptr : *slot);
    if (slot != nullptr) *slot = nullptr;
    if (made != nullptr) return made->result(context);
    return static_cast<AggregateContext*>(sqlite3_user_data(context))->function.make()->result(context);
  });
}

}  // namespace

Status register_aggregate(Connection& connection, const AggregateFunction& function) {
  const int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC;
  const int code = sqlite3_create_window_function(connection.db(), function.name, function.arguments, flags,
                                                  new AggregateContext{connection, function}, step, final_value, value, inverse,
                                                  [](void* data) { delete static_cast<AggregateContext*>(data); });
  return code == SQLITE_OK ? Status() : sqlite_status(connection.db(), code, function.name);
}

}  // namespace braid
