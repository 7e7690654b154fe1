#include "engine/commit_record.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <cstring>

#include "commit_record.capnp.h"
#include "engine/coding.h"
#include "engine/commit_stamp.h"

namespace braid {

namespace {

constexpr size_t kSizesBytes = 2 * sizeof(uint64_t);  // the sizes of the message and of the runs

capnp::Data::Reader as_data(std::string_view bytes) {
  // Safety: kj's byte is unsigned char, which may alias any object.
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

std::string_view as_bytes(capnp::Data::Reader data) {
  // Safety: char may alias any object.
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

template <typename Init>
void write_texts(const std::vector<std::string>& texts, Init init) {
  if (texts.empty()) return;
  auto list = init(static_cast<unsigned>(texts.size()));
  for (unsigned i = 0; i < texts.size(); ++i) list.set(i, as_data(texts[i]));
}

template <typename Id, typename Init>
void write_ids(const std::vector<Id>& ids, Init init) {
  if (ids.empty()) return;
  auto list = init(static_cast<unsigned>(ids.size()));
  for (unsigned i = 0; i < ids.size(); ++i) list.set(i, ids[i].value());
}

void write(const NodeChange& change, wire::NodeChange::Builder out) {
  out.setKind(static_cast<uint16_t>(change.kind));
  out.setId(change.id.value());
  if (!change.value.empty()) out.setValue(as_data(change.value));
  write_ids(change.labels_added, [&](unsigned n) { return out.initLabelsAdded(n); });
  write_ids(change.labels_removed, [&](unsigned n) { return out.initLabelsRemoved(n); });
  write_texts(change.index_put, [&](unsigned n) { return out.initIndexPut(n); });
  write_texts(change.index_removed, [&](unsigned n) { return out.initIndexRemoved(n); });
}

void write(const EdgeChange& change, wire::EdgeChange::Builder out) {
  out.setKind(static_cast<uint16_t>(change.kind));
  out.setCreated(change.created);
  out.setId(change.id.value());
  out.setSource(change.source.value());
  out.setTarget(change.target.value());
  out.setType(change.type.value());
  if (!change.properties.empty()) out.setProperties(as_data(change.properties));
  write_texts(change.index_put, [&](unsigned n) { return out.initIndexPut(n); });
  write_texts(change.index_removed, [&](unsigned n) { return out.initIndexRemoved(n); });
}

void write(const SeriesDeletion& deletion, wire::SeriesDeletion::Builder out) {
  out.setHypertable(deletion.hypertable.value());
  out.setStart(deletion.range.start.value());
  out.setLimit(deletion.range.limit.value());
  write_ids(deletion.series, [&](unsigned n) { return out.initSeries(n); });
}

template <typename List>
void read_texts(List list, std::vector<std::string>& out) {
  out.reserve(list.size());
  for (const auto text : list) out.emplace_back(as_bytes(text));
}

bool read(wire::NodeChange::Reader in, NodeChange& out) {
  if (in.getKind() > static_cast<uint16_t>(ChangeKind::kIndexOnly)) return false;
  out.kind = static_cast<ChangeKind>(in.getKind());
  out.id = NodeId(in.getId());
  out.value = as_bytes(in.getValue());
  for (const uint32_t label : in.getLabelsAdded()) out.labels_added.emplace_back(label);
  for (const uint32_t label : in.getLabelsRemoved()) out.labels_removed.emplace_back(label);
  read_texts(in.getIndexPut(), out.index_put);
  read_texts(in.getIndexRemoved(), out.index_removed);
  return true;
}

bool read(wire::EdgeChange::Reader in, EdgeChange& out) {
  if (in.getKind() > static_cast<uint16_t>(ChangeKind::kRemovalRun)) return false;
  out.kind = static_cast<ChangeKind>(in.getKind());
  out.created = in.getCreated();
  out.id = EdgeId(in.getId());
  out.source = NodeId(in.getSource());
  out.target = NodeId(in.getTarget());
  out.type = TypeId(in.getType());
  out.properties = as_bytes(in.getProperties());
  read_texts(in.getIndexPut(), out.index_put);
  read_texts(in.getIndexRemoved(), out.index_removed);
  return true;
}

bool read(wire::SeriesDeletion::Reader in, SeriesDeletion& out) {
  out.hypertable = HypertableId(in.getHypertable());
  out.range = {Timestamp(in.getStart()), Timestamp(in.getLimit())};
  for (const uint64_t series : in.getSeries()) out.series.emplace_back(series);
  return std::is_sorted(out.series.begin(), out.series.end());
}

bool read(wire::CommitRecord::Reader in, CommitRecord& out) {
  for (const auto node : in.getNodes())
    if (!read(node, out.graph.nodes.emplace_back())) return false;
  for (const auto edge : in.getEdges())
    if (!read(edge, out.graph.edges.emplace_back())) return false;
  out.graph.next_node = NodeId(in.getNextNode());
  out.graph.next_edge = EdgeId(in.getNextEdge());
  for (const auto deletion : in.getDeletions())
    if (!read(deletion, out.series.deletions.emplace_back())) return false;
  out.series.relogged = in.getRelogged();
  return true;
}

}  // namespace

std::string encode_commit_record(const CommitRecord& record) { return encode_commit_record(record, {}); }

std::string encode_commit_record(const CommitRecord& record, const CommitStamp& stamp) {
  if (record.empty() && stamp.transaction == Lsn(0)) return {};
  capnp::MallocMessageBuilder message(256);
  auto out = message.initRoot<wire::CommitRecord>();
  auto nodes = out.initNodes(static_cast<unsigned>(record.graph.nodes.size()));
  for (unsigned i = 0; i < record.graph.nodes.size(); ++i) write(record.graph.nodes[i], nodes[i]);
  auto edges = out.initEdges(static_cast<unsigned>(record.graph.edges.size()));
  for (unsigned i = 0; i < record.graph.edges.size(); ++i) write(record.graph.edges[i], edges[i]);
  out.setNextNode(record.graph.next_node.value());
  out.setNextEdge(record.graph.next_edge.value());
  auto deletions = out.initDeletions(static_cast<unsigned>(record.series.deletions.size()));
  for (unsigned i = 0; i < record.series.deletions.size(); ++i) write(record.series.deletions[i], deletions[i]);
  out.setRelogged(record.series.relogged);
  out.setTransaction(stamp.transaction.value());
  out.setCommitted(stamp.committed.value());
  const kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments = message.getSegmentsForOutput();
  const size_t message_bytes = capnp::computeSerializedSizeInWords(segments) * sizeof(capnp::word);
  std::string bytes;
  bytes.reserve(kSizesBytes + message_bytes + record.series.runs.size());
  append_fixed(bytes, static_cast<uint64_t>(message_bytes));
  append_fixed(bytes, static_cast<uint64_t>(record.series.runs.size()));
  struct StringOutput final : kj::OutputStream {
    explicit StringOutput(std::string& out) : out(out) {}
    void write(const void* data, size_t size) override { out.append(static_cast<const char*>(data), size); }
    std::string& out;
  } stream(bytes);
  capnp::writeMessage(stream, segments);
  bytes.append(record.series.runs);
  return bytes;
}

Result<CommitRecord> decode_commit_record(std::string_view bytes) {
  CommitStamp stamp;
  return decode_commit_record(bytes, stamp);
}

Result<CommitRecord> decode_commit_record(std::string_view bytes, CommitStamp& stamp) {
  stamp = {};
  CommitRecord record;
  if (bytes.empty()) return record;
  const Status damaged(StatusCode::kCorrupt, "the commit record cannot be read");
  ByteReader in(bytes);
  uint64_t message_bytes;
  uint64_t runs_bytes;
  std::string_view message;
  std::string_view runs;
  const bool whole = in.fixed(message_bytes) && in.fixed(runs_bytes) && message_bytes <= in.remaining() && in.bytes(message_bytes, message) &&
                     runs_bytes <= in.remaining() && in.bytes(runs_bytes, runs) && in.done();
  if (!whole || message.size() % sizeof(capnp::word) != 0) return damaged;
  // Cap'n Proto reads words in place, and a blob from SQLite need not be aligned.
  const size_t words = message.size() / sizeof(capnp::word);
  auto aligned = kj::heapArray<capnp::word>(words);
  std::memcpy(aligned.begin(), message.data(), message.size());
  bool good = false;
  capnp::ReaderOptions options;
  // A list of void or of empty structs claims elements without bytes: each word may be visited a few times, not more.
  options.traversalLimitInWords = words * 2 + 1024;
  const auto failure = kj::runCatchingExceptions([&] {
    capnp::FlatArrayMessageReader reader(aligned, options);
    const auto root = reader.getRoot<wire::CommitRecord>();
    good = read(root, record);
    stamp = {Lsn(root.getTransaction()), Timestamp(root.getCommitted())};
  });
  if (failure != nullptr || !good) return damaged;
  record.series.runs = runs;
  return record;
}

}  // namespace braid
