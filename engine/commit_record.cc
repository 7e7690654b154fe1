#include "engine/commit_record.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <cstring>

#include "commit_record.capnp.h"

namespace braid {

namespace {

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

template <typename Init, typename Values>
void write_numbers(const Values& values, Init init) {
  if (values.empty()) return;
  auto list = init(static_cast<unsigned>(values.size()));
  for (unsigned i = 0; i < values.size(); ++i) list.set(i, values[i]);
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

void write(const ColumnData& column, wire::Column::Builder out) {
  out.setType(static_cast<uint8_t>(column.type));
  write_numbers(column.integers, [&](unsigned n) { return out.initIntegers(n); });
  write_numbers(column.reals, [&](unsigned n) { return out.initReals(n); });
  write_texts(column.texts, [&](unsigned n) { return out.initTexts(n); });
  if (!column.nulls.empty()) out.setNulls({column.nulls.data(), column.nulls.size()});
}

void write(const SeriesRun& run, wire::SeriesRun::Builder out) {
  out.setHypertable(run.hypertable.value());
  out.setSeries(run.series.value());
  write_numbers(run.times, [&](unsigned n) { return out.initTimes(n); });
  auto columns = out.initColumns(static_cast<unsigned>(run.columns.size()));
  for (unsigned i = 0; i < run.columns.size(); ++i) write(run.columns[i], columns[i]);
  write_ids(run.fields, [&](unsigned n) { return out.initFields(n); });
  if (!run.deleted.empty()) out.setDeleted({run.deleted.data(), run.deleted.size()});
}

void write(const SeriesDeletion& deletion, wire::SeriesDeletion::Builder out) {
  out.setHypertable(deletion.hypertable.value());
  out.setStart(deletion.range.start.value());
  out.setLimit(deletion.range.limit.value());
  write_ids(deletion.series, [&](unsigned n) { return out.initSeries(n); });
}

/// Cap'n Proto's list iterators do not call themselves input iterators.
template <typename List, typename Values>
void read_numbers(List list, Values& out) {
  out.reserve(list.size());
  for (const auto value : list) out.push_back(value);
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

bool read(wire::Column::Reader in, size_t rows, ColumnData& out) {
  if (in.getType() < static_cast<uint8_t>(FieldType::kDouble)) return false;
  if (in.getType() > static_cast<uint8_t>(FieldType::kJson)) return false;
  out.type = static_cast<FieldType>(in.getType());
  read_numbers(in.getIntegers(), out.integers);
  read_numbers(in.getReals(), out.reals);
  read_texts(in.getTexts(), out.texts);
  const auto nulls = in.getNulls();
  out.nulls.assign(nulls.begin(), nulls.end());
  if (out.integers.size() + out.reals.size() + out.texts.size() != rows) return false;
  return out.size() == rows && (out.nulls.empty() || out.nulls.size() == rows);
}

bool read(wire::SeriesRun::Reader in, SeriesRun& out) {
  out.hypertable = HypertableId(in.getHypertable());
  out.series = SeriesId(in.getSeries());
  read_numbers(in.getTimes(), out.times);
  for (const auto column : in.getColumns())
    if (!read(column, out.times.size(), out.columns.emplace_back())) return false;
  for (const uint16_t field : in.getFields()) out.fields.emplace_back(field);
  const auto deleted = in.getDeleted();
  out.deleted.assign(deleted.begin(), deleted.end());
  return out.fields.size() == out.columns.size() && (out.deleted.empty() || out.deleted.size() == out.times.size());
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
  for (const auto run : in.getRuns())
    if (!read(run, out.series.runs.emplace_back())) return false;
  out.series.relogged = in.getRelogged();
  return true;
}

}  // namespace

std::string encode_commit_record(const CommitRecord& record) {
  if (record.empty()) return {};
  capnp::MallocMessageBuilder message(256);
  auto out = message.initRoot<wire::CommitRecord>();
  auto nodes = out.initNodes(static_cast<unsigned>(record.graph.nodes.size()));
  for (unsigned i = 0; i < record.graph.nodes.size(); ++i) write(record.graph.nodes[i], nodes[i]);
  auto edges = out.initEdges(static_cast<unsigned>(record.graph.edges.size()));
  for (unsigned i = 0; i < record.graph.edges.size(); ++i) write(record.graph.edges[i], edges[i]);
  out.setNextNode(record.graph.next_node.value());
  out.setNextEdge(record.graph.next_edge.value());
  auto runs = out.initRuns(static_cast<unsigned>(record.series.runs.size()));
  for (unsigned i = 0; i < record.series.runs.size(); ++i) write(record.series.runs[i], runs[i]);
  auto deletions = out.initDeletions(static_cast<unsigned>(record.series.deletions.size()));
  for (unsigned i = 0; i < record.series.deletions.size(); ++i) write(record.series.deletions[i], deletions[i]);
  out.setRelogged(record.series.relogged);
  const kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments = message.getSegmentsForOutput();
  std::string bytes;
  bytes.reserve(capnp::computeSerializedSizeInWords(segments) * sizeof(capnp::word));
  struct StringOutput final : kj::OutputStream {
    explicit StringOutput(std::string& out) : out(out) {}
    void write(const void* data, size_t size) override { out.append(static_cast<const char*>(data), size); }
    std::string& out;
  } stream(bytes);
  capnp::writeMessage(stream, segments);
  return bytes;
}

Result<CommitRecord> decode_commit_record(std::string_view bytes) {
  CommitRecord record;
  if (bytes.empty()) return record;
  const Status damaged(StatusCode::kCorrupt, "the commit record cannot be read");
  if (bytes.size() % sizeof(capnp::word) != 0) return damaged;
  // Cap'n Proto reads words in place, and a blob from SQLite need not be aligned.
  const size_t words = bytes.size() / sizeof(capnp::word);
  auto aligned = kj::heapArray<capnp::word>(words);
  std::memcpy(aligned.begin(), bytes.data(), bytes.size());
  bool good = false;
  capnp::ReaderOptions options;
  // A list of void or of empty structs claims elements without bytes: each word may be visited a few times, not more.
  options.traversalLimitInWords = words * 2 + 1024;
  const auto failure = kj::runCatchingExceptions([&] {
    capnp::FlatArrayMessageReader reader(aligned, options);
    good = read(reader.getRoot<wire::CommitRecord>(), record);
  });
  if (failure != nullptr || !good) return damaged;
  return record;
}

}  // namespace braid
