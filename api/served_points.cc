// What a client asks of its appenders and batches.
#include "api/remote_columns.h"
#include "api/served_session.h"

namespace braid {

namespace {

using Session = ServedSession;
using Given = CallArguments;

int32_t appender_open(Session& session, const Given& given, Reply& reply) {
  braid_appender* appender = nullptr;
  const int32_t code = braid_appender_open(session.connection(), given.text(0), &appender);
  // How many tags and fields it takes, so that the client reads no more of an array than is meant.
  const int64_t tags = code == BRAID_OK ? static_cast<int64_t>(appender->table.tags.size()) : 0;
  const int64_t fields = code == BRAID_OK ? static_cast<int64_t>(appender->table.fields.size()) : 0;
  reply.add(code == BRAID_OK ? static_cast<int64_t>(session.appenders.add(appender)) : 0);
  reply.add(tags);
  reply.add(fields);
  return code;
}

braid_appender* appender_of(Session& session, const Given& given) { return session.appenders.find(given.handle()); }

/// How many, are there any, then those.
int32_t appender_series(Session& session, const Given& given, Reply& reply) {
  const size_t count = given.size(0);
  const bool has_tags = given.number(1) != 0;
  if (has_tags && !given.holds(2, count)) return reply.refuse_broken();
  const auto tags = given.texts(2, has_tags ? count : 0);
  return braid_appender_series(appender_of(session, given), has_tags ? tags.data() : nullptr, count);
}

int32_t appender_point(Session& session, const Given& given, Reply& reply) {
  const size_t count = given.size(1);
  const Value values = given.value(2), nulls = given.value(3);
  const auto numbers = array_of<double>(values);
  const auto absent = array_of<uint8_t>(nulls);
  const bool has_values = values.type == Value::Type::kBlob, has_nulls = nulls.type == Value::Type::kBlob;
  if ((has_values && numbers.size() != count) || (has_nulls && absent.size() != count)) return reply.refuse_broken();
  return braid_appender_point(appender_of(session, given), given.number(0), has_values ? numbers.data() : nullptr,
                              has_nulls ? absent.data() : nullptr, count);
}

int32_t appender_columns(Session& session, const Given& given, Reply& reply) {
  GivenColumns points;
  if (!points.read(given, 0)) return reply.refuse_broken();
  return braid_appender_columns(appender_of(session, given), points.times(), points.count(), points.columns(), points.column_count());
}

/// 1 when the client's cancel token is set: nothing is flushed then.
int32_t appender_close(Session& session, const Given& given, Reply& reply) {
  braid_appender* const appender = session.appenders.take(given.handle());
  const bool cancelled = given.number(0) != 0 && appender != nullptr && !appender->pending.empty();
  if (cancelled) braid_appender_discard(appender);
  const int32_t code = braid_appender_close(appender);
  return cancelled ? reply.fail(BRAID_INTERRUPTED, std::string(kCancelledText)) : code;
}

int32_t rollup(Session& session, const Given& given, Reply& reply) {
  const braid_rollup_options options = {sizeof options, given.text(1), given.number(2), given.number(3), given.text(4), given.text(5), given.text(6)};
  braid_statement* statement = nullptr;
  const int32_t code = braid_rollup(session.connection(), given.text(0), &options, &statement);
  return add_statement(session, code, statement, 0, reply);
}

/// Hypertable, how many tags, are there any, then those.
int32_t last_points(Session& session, const Given& given, Reply& reply) {
  const size_t count = given.size(1);
  const bool has_tags = given.number(2) != 0;
  if (has_tags && !given.holds(3, count)) return reply.refuse_broken();
  const auto tags = given.texts(3, has_tags ? count : 0);
  braid_statement* statement = nullptr;
  const int32_t code = braid_last_points(session.connection(), given.text(0), has_tags ? tags.data() : nullptr, count, &statement);
  return add_statement(session, code, statement, 0, reply);
}

int32_t batch_open(Session& session, const Given&, Reply& reply) {
  braid_batch* batch = nullptr;
  const int32_t code = braid_batch_open(&session.database, &batch);
  reply.add(code == BRAID_OK ? static_cast<int64_t>(session.batches.add(batch)) : 0);
  return code;
}

/// A batch tells its errors itself.
template <typename Call>
int32_t with_batch(Session& session, const Given& given, Reply& reply, Call call) {
  braid_batch* batch = session.batches.find(given.handle());
  const int32_t code = call(batch);
  return code == BRAID_OK ? code : reply.fail(code, batch == nullptr ? "there is no such batch" : braid_batch_error(batch));
}

/// SQL, how many values, their types, then those.
int32_t batch_execute(Session& session, const Given& given, Reply& reply) {
  const size_t count = given.size(1);
  if (!given.holds(2, count) || !given.holds(2 + count, count)) return reply.refuse_broken();
  std::vector<braid_value> values(count);
  for (size_t i = 0; i < count; ++i) {
    const Value value = given.value(2 + count + i);
    values[i] = {given.number32(2 + i), value.integer, value.real, value.bytes.data(), static_cast<int64_t>(value.bytes.size())};
  }
  return with_batch(session, given, reply, [&](braid_batch* batch) {
    return braid_batch_execute(batch, given.text(0), static_cast<int64_t>(given.value(0).bytes.size()), values.data(), count);
  });
}

/// Hypertable, how many tags, are there any, then those and the columns.
int32_t batch_points(Session& session, const Given& given, Reply& reply) {
  const size_t tag_count = given.size(1);
  const bool has_tags = given.number(2) != 0;
  if (has_tags && !given.holds(3, tag_count)) return reply.refuse_broken();
  const auto tags = given.texts(3, has_tags ? tag_count : 0);
  GivenColumns points;
  if (!points.read(given, 3 + tags.size())) return reply.refuse_broken();
  return with_batch(session, given, reply, [&](braid_batch* batch) {
    return braid_batch_points(batch, given.text(0), has_tags ? tags.data() : nullptr, tag_count, points.times(), points.count(), points.columns(),
                              points.column_count());
  });
}

/// 1 when the client's cancel token is set: the batch is emptied then.
int32_t batch_commit(Session& session, const Given& given, Reply& reply) {
  uint64_t lsn = 0;
  if (given.number(0) != 0) {
    if (braid_batch* const batch = session.batches.find(given.handle())) batch->batch.clear();
    return reply.fail(BRAID_INTERRUPTED, std::string(kCancelledText));
  }
  const int32_t code = with_batch(session, given, reply, [&](braid_batch* batch) { return braid_batch_commit(batch, &lsn); });
  reply.add(static_cast<int64_t>(lsn));
  return code;
}

constexpr ServedCall kPointsCalls[] = {
    {Operation::kAppenderOpen, appender_open},
    {Operation::kAppenderSeries, appender_series},
    {Operation::kAppenderOnConflict,
     [](Session& session, const Given& given, Reply&) { return braid_appender_on_conflict(appender_of(session, given), given.text(0)); }},
    {Operation::kAppenderPoint, appender_point},
    {Operation::kAppenderColumns, appender_columns},
    {Operation::kAppenderFlush, [](Session& session, const Given& given, Reply&) { return braid_appender_flush(appender_of(session, given)); }},
    {Operation::kAppenderDiscard, [](Session& session, const Given& given, Reply&) { return braid_appender_discard(appender_of(session, given)); }},
    {Operation::kAppenderClose, appender_close},
    {Operation::kRollup, rollup},
    {Operation::kLastPoints, last_points},
    {Operation::kBatchOpen, batch_open},
    {Operation::kBatchExecute, batch_execute},
    {Operation::kBatchEdge,
     [](Session& session, const Given& given, Reply& reply) {
       return with_batch(session, given, reply,
                         [&](braid_batch* batch) { return braid_batch_edge(batch, given.number(0), given.text(1), given.number(2), given.text(3)); });
     }},
    {Operation::kBatchNode,
     [](Session& session, const Given& given, Reply& reply) {
       return with_batch(session, given, reply, [&](braid_batch* batch) { return braid_batch_node(batch, given.text(0), given.text(1)); });
     }},
    {Operation::kBatchPoints, batch_points},
    {Operation::kBatchSetDurability,
     [](Session& session, const Given& given, Reply& reply) {
       return with_batch(session, given, reply, [&](braid_batch* batch) { return braid_batch_set_durability(batch, given.number32(0)); });
     }},
    {Operation::kBatchCommit, batch_commit},
};

}  // namespace

std::span<const ServedCall> served_points_calls() { return kPointsCalls; }

}  // namespace braid
