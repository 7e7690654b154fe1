// What a client asks of the database as a whole, and how one begins to be served.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "api/c_guard.h"
#include "api/remote_database.h"
#include "api/served_session.h"

namespace braid {

namespace {

/// Beyond the largest value of a call: its other values.
constexpr int64_t kCallBytesBeside = 64 << 20;

int32_t hello(ServedSession& session, const CallArguments& given, Reply& reply) {
  const char* version = given.text(1);
  if (given.number(0) != kProtocolVersion || version == nullptr || std::strcmp(version, braid_version()) != 0)
    return reply.fail(BRAID_VERSION,
                      fmt::format("process {} has it open with version {} of the library, and serves no other", ::getpid(), braid_version()));
  reply.add(session.facts.instance);
  reply.add(session.facts.call_bytes_max);
  reply.add(session.database.database->engine().options()[OptionId::kValueBytesMax]);
  return BRAID_OK;
}

int32_t sync(ServedSession& session, const CallArguments&, Reply& reply) {
  uint64_t lsn = 0;
  const int32_t code = braid_sync(&session.database, &lsn);
  reply.add(static_cast<int64_t>(lsn));
  return code;
}

int32_t maintain(ServedSession& session, const CallArguments& given, Reply& reply) {
  uint64_t finished = 0;
  const int32_t code = braid_maintain(&session.database, given.number(0), &finished);
  reply.add(static_cast<int64_t>(finished));
  return code;
}

int32_t check(ServedSession& session, const CallArguments&, Reply& reply) {
  return braid_check(
      &session.database, [](void* context, const char* problem) { static_cast<Reply*>(context)->add_text(problem); }, &reply);
}

int32_t stats(ServedSession& session, const CallArguments&, Reply& reply) {
  return braid_stats(
      &session.database,
      [](void* context, const braid_figure* figure) {
        auto& to = *static_cast<Reply*>(context);
        to.add_text(figure->name);
        to.add_text(figure->unit);
        to.add(figure->value);
        to.add(figure->kind);
      },
      &reply);
}

int32_t option_get(ServedSession& session, const CallArguments& given, Reply& reply) {
  int64_t value = 0;
  const int32_t code = braid_option_get(&session.database, given.text(0), &value);
  reply.add(value);
  return code;
}

int32_t backup(ServedSession& session, const CallArguments& given, Reply& reply) {
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  options.base = given.text(1);
  options.bytes_per_second = static_cast<uint64_t>(given.number(2));
  options.flags = static_cast<uint32_t>(given.number(3));
  braid_backup_report report{};
  report.size_bytes = sizeof report;
  const auto progress = [](void* context, uint64_t done, uint64_t all) -> int32_t {
    const Value values[] = {Value::number(static_cast<int64_t>(done)), Value::number(static_cast<int64_t>(all))};
    return static_cast<ServedSession*>(context)->tell_progress(values) ? 0 : 1;
  };
  const int32_t code = braid_backup(&session.database, given.text(0), &options, progress, &session, &report);
  for (const uint64_t figure : {report.lsn, report.bytes_written, report.bytes_linked, report.writers_held_us})
    reply.add(static_cast<int64_t>(figure));
  return code;
}

constexpr ServedCall kDatabaseCalls[] = {
    {Operation::kHello, hello},
    {Operation::kDatabaseTimeLimit,
     [](ServedSession& session, const CallArguments& given, Reply&) { return braid_database_set_time_limit(&session.database, given.number(0)); }},
    {Operation::kDatabaseOnProgress,
     [](ServedSession& session, const CallArguments& given, Reply&) {
       session.tell_fractions(given.number(0) != 0);
       return BRAID_OK;
     }},
    {Operation::kCheckpoint, [](ServedSession& session, const CallArguments&, Reply&) { return braid_checkpoint(&session.database); }},
    {Operation::kSync, sync},
    {Operation::kMaintain, maintain},
    {Operation::kCheck, check},
    {Operation::kStats, stats},
    {Operation::kOptionGet, option_get},
    {Operation::kBackup, backup},
};

}  // namespace

std::span<const ServedCall> served_database_calls() { return kDatabaseCalls; }

void serve(braid_database& handle) {
  Engine& engine = handle.database->engine();
  const Options& options = engine.options();
  if (options[OptionId::kServe] == 0 || engine.read_only()) return;
  const int64_t call_bytes_max = std::min(static_cast<int64_t>(kMessageBytesMax), options[OptionId::kValueBytesMax] + kCallBytesBeside);
  const ServedSession::Facts facts = {static_cast<int64_t>(engine.env().random() >> 1), call_bytes_max};
  const Host::Facts host_facts = {static_cast<size_t>(options[OptionId::kConnectionsMax]), static_cast<size_t>(call_bytes_max), engine.memory(),
                                  &handle.database->clients};
  // The host is destroyed before the handle lets go of the database.
  const auto make_session = [database = std::weak_ptr(handle.database), facts] { return std::make_unique<ServedSession>(database.lock(), facts); };
  auto started = Host::start(engine.directory().path(), host_facts, make_session);
  if (started.ok()) handle.host = started.take();
}

}  // namespace braid
