// The C API: what stops calls, bounds their time and tells how far they are; and what the engine tells by itself.
#include <algorithm>

#include "api/c_guard.h"
#include "api/struct_argument.h"
#include "engine/event_log.h"

using namespace braid;

namespace {

std::shared_ptr<CancelToken> token_of(const braid_cancel* cancel) { return cancel == nullptr ? nullptr : cancel->token; }

CallProgress told_fraction(int32_t (*progress)(void*, double), void* context) {
  if (progress == nullptr) return {};
  return [progress, context](double fraction) { return progress(context, fraction) == 0; };
}

/// Of calls that another process answers.
Status follow_there(RemoteConnection& remote, CallProgress progress) {
  const bool followed = progress != nullptr;
  remote.set_progress(nullptr);
  if (followed)
    remote.set_progress([tell = std::move(progress)](const Message& told) { return tell(told.values.empty() ? 0 : told.values[0].real); });
  return remote.call_for_numbers(Operation::kOnProgress, {Value::number(followed ? 1 : 0)});
}

Result<std::chrono::milliseconds> time_limit_argument(int64_t milliseconds) {
  if (milliseconds >= 0 && milliseconds <= BRAID_TIME_LIMIT_MS_MAX) return std::chrono::milliseconds(milliseconds);
  return Status(StatusCode::kInvalidArgument, "milliseconds: expected 0 to " + std::to_string(BRAID_TIME_LIMIT_MS_MAX));
}

}  // namespace

namespace braid {

Result<CallWishes> watch_argument(const braid_watch* watch) {
  BRAID_ASSIGN(const braid_watch given, struct_argument(watch, "watch"));
  CallWishes wishes;
  wishes.token = token_of(given.cancel);
  wishes.progress = told_fraction(given.progress, given.context);
  BRAID_ASSIGN(wishes.time_limit, time_limit_argument(given.time_limit_ms));
  return wishes;
}

}  // namespace braid

namespace {

/// What is wished of the calls on a handle, wherever its database is.
Result<CallSettings*> database_settings(const braid_database& handle) {
  if (handle.remote != nullptr) return &handle.remote->settings();
  BRAID_TRY(set_up_database(handle).status());
  return &settings_of(handle);
}

/// A token has no message: its calls fail for a NULL handle only.
template <typename Body>
int32_t token_call(braid_cancel* cancel, Body body) noexcept {
  if (cancel == nullptr || forked()) return BRAID_MISUSE;
  body(*cancel->token);
  return BRAID_OK;
}

static_assert(BRAID_LOG_ERROR == static_cast<int>(EventLevel::kError));
static_assert(BRAID_LOG_WARNING == static_cast<int>(EventLevel::kWarning));
static_assert(BRAID_LOG_INFO == static_cast<int>(EventLevel::kInfo));

}  // namespace

extern "C" {

int32_t braid_cancel_open(braid_cancel** cancel) {
  if (cancel == nullptr) return BRAID_INVALID_ARGUMENT;
  *cancel = guard_value<braid_cancel*>(nullptr, [] { return new braid_cancel{std::make_shared<CancelToken>()}; });
  return *cancel != nullptr ? BRAID_OK : forked() ? BRAID_MISUSE : BRAID_OUT_OF_MEMORY;
}

void braid_cancel_close(braid_cancel* cancel) {
  if (!forked()) delete cancel;
}

int32_t braid_cancel_set(braid_cancel* cancel) {
  return token_call(cancel, [](CancelToken& token) { token.cancel(); });
}

int32_t braid_cancel_reset(braid_cancel* cancel) {
  return token_call(cancel, [](CancelToken& token) { token.reset(); });
}

int32_t braid_cancel_is_set(braid_cancel* cancel) { return cancel != nullptr && cancel->token->is_set() ? 1 : 0; }

int32_t braid_connection_set_cancel(braid_connection* connection, braid_cancel* cancel) {
  return guard(connection, [&]() -> Status {
    if (!is_remote(connection)) BRAID_TRY(closable_connection(*connection->state).status());
    connection->state->use_token(token_of(cancel));
    return {};
  });
}

int32_t braid_on_progress(braid_connection* connection, int32_t (*progress)(void*, double), void* context) {
  return guard(connection, [&]() -> Status {
    if (is_remote(connection)) return follow_there(*connection->state->remote, told_fraction(progress, context));
    BRAID_ASSIGN(Connection * open, closable_connection(*connection->state));
    connection->state->wishes.progress = told_fraction(progress, context);
    open->on_progress(told_fraction(progress, context));
    return {};
  });
}

int32_t braid_set_time_limit(braid_connection* connection, int64_t milliseconds) {
  if (is_remote(connection)) return remote_call(connection, Operation::kSetTimeLimit, {Value::number(milliseconds)});
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, closable_connection(*connection->state));
    BRAID_ASSIGN(const auto limit, time_limit_argument(milliseconds));
    const std::chrono::milliseconds most(open->engine().options()[OptionId::kStatementTimeMax]);
    open->set_time_limit(limit);
    connection->state->wishes.time_limit = limit.count() > 0 ? std::min(limit, most) : most;
    return {};
  });
}

int32_t braid_database_set_cancel(braid_database* database, braid_cancel* cancel) {
  return guard(database, [&]() -> Status {
    BRAID_ASSIGN(CallSettings * settings, database_settings(*database));
    settings->set([&](CallWishes& wishes) { wishes.token = token_of(cancel); });
    return {};
  });
}

int32_t braid_database_set_time_limit(braid_database* database, int64_t milliseconds) {
  return guard(database, [&]() -> Status {
    BRAID_ASSIGN(CallSettings * settings, database_settings(*database));
    BRAID_ASSIGN(const auto limit, time_limit_argument(milliseconds));
    settings->set([&](CallWishes& wishes) { wishes.time_limit = limit; });
    return {};
  });
}

int32_t braid_database_on_progress(braid_database* database, int32_t (*progress)(void*, double), void* context) {
  return guard(database, [&]() -> Status {
    BRAID_ASSIGN(CallSettings * settings, database_settings(*database));
    settings->set([&](CallWishes& wishes) { wishes.progress = told_fraction(progress, context); });
    return {};
  });
}

int32_t braid_on_log(int32_t level, void (*log)(void*, const braid_event*), void* context) {
  if (log != nullptr && (level < BRAID_LOG_ERROR || level > BRAID_LOG_INFO)) return BRAID_INVALID_ARGUMENT;
  if (forked() || is_listening()) return BRAID_MISUSE;
  return guard_value<int32_t>(BRAID_OUT_OF_MEMORY, [&] {
    EventListener listener;
    if (log != nullptr) {
      listener = [log, context](const Event& event) {
        const braid_event told{sizeof told, event.time.value(), static_cast<int32_t>(event.level), event.area.data(), event.message.c_str()};
        log(context, &told);
      };
    }
    listen_to_events(static_cast<EventLevel>(level), std::move(listener));
    return BRAID_OK;
  });
}

}  // extern "C"
