#include "engine/catalog.h"

#include <strings.h>

#include <algorithm>
#include <utility>

#include "engine/check.h"
#include "engine/coding.h"
#include "engine/sqlite_handle.h"

namespace braid {

namespace {

const std::string kNoName;

}  // namespace

const HypertableDefinition* CatalogState::hypertable(std::string_view name) const {
  for (const auto& [id, definition] : hypertables)
    if (same_sql_name(definition.name, name)) return &definition;
  return nullptr;
}

const AggregateDefinition* CatalogState::aggregate(std::string_view name) const {
  for (const auto& [id, definition] : aggregates)
    if (same_sql_name(definition->name, name)) return definition.get();
  return nullptr;
}

const IndexDefinition* CatalogState::index(bool on_edges, uint32_t scope, KeyId key) const {
  for (const auto& [id, definition] : indexes)
    if (definition.on_edges == on_edges && definition.scope == scope && definition.key == key) return &definition;
  return nullptr;
}

const BindingDefinition* CatalogState::binding_of_table(std::string_view table) const {
  for (const auto& [label, definition] : bindings)
    if (same_sql_name(definition.table, table)) return &definition;
  return nullptr;
}

std::optional<std::pair<const HypertableDefinition*, const TagReference*>> CatalogState::reference_to_table(std::string_view table) const {
  for (const auto& [id, definition] : hypertables)
    for (const TagReference& reference : definition.references)
      if (same_sql_name(reference.table, table)) return std::pair(&definition, &reference);
  return std::nullopt;
}

const HierarchyDefinition* CatalogState::hierarchy(TypeId type) const {
  const auto found = hierarchies.find(type);
  return found == hierarchies.end() ? nullptr : &found->second;
}

bool RangeDeletion::covers(SeriesId one) const {
  return series.empty() || std::binary_search(series.begin(), series.end(), one);
}

bool RangeDeletion::touches(const ChunkDefinition& chunk) const {
  return chunk.hypertable == hypertable && chunk.applied < lsn && chunk.time_min < range.limit && chunk.time_max >= range.start;
}

bool RangeDeletion::includes(const RangeDeletion& other) const {
  if (hypertable != other.hypertable || lsn < other.lsn) return false;
  if (range.start > other.range.start || range.limit < other.range.limit) return false;
  if (series.empty()) return true;
  return !other.series.empty() && std::includes(series.begin(), series.end(), other.series.begin(), other.series.end());
}

std::optional<uint32_t> Catalog::find_name(NameKind kind, std::string_view name) const {
  ReaderLock lock(mutex_);
  const auto& ids = names_[static_cast<size_t>(kind)].ids;
  const auto found = ids.find(name);
  if (found == ids.end()) return std::nullopt;
  return found->second;
}

const std::string& Catalog::name(NameKind kind, uint32_t id) const {
  ReaderLock lock(mutex_);
  const auto& by_id = names_[static_cast<size_t>(kind)].by_id;
  // Safety: a deque never moves its elements when it grows, so the reference outlives the lock.
  return id == 0 || id > by_id.size() ? kNoName : by_id[id - 1];
}

uint32_t Catalog::next_name(NameKind kind) const {
  ReaderLock lock(mutex_);
  return static_cast<uint32_t>(names_[static_cast<size_t>(kind)].by_id.size() + 1);
}

std::optional<SeriesId> Catalog::find_series(HypertableId hypertable, std::string_view tags) const {
  ReaderLock lock(mutex_);
  const auto table = series_.find(hypertable);
  if (table == series_.end()) return std::nullopt;
  const auto found = table->second.ids.find(tags);
  if (found == table->second.ids.end()) return std::nullopt;
  return found->second;
}

const std::string& Catalog::series_tags(SeriesId series) const {
  ReaderLock lock(mutex_);
  const auto found = tags_.find(series);
  return found == tags_.end() ? kNoName : found->second;
}

void Catalog::for_each_series(HypertableId hypertable,
                              const std::function<void(SeriesId, const std::string&)>& visit) const {
  for_each_series_from(hypertable, 0, visit);
}

size_t Catalog::series_count(HypertableId hypertable) const {
  ReaderLock lock(mutex_);
  const auto table = series_.find(hypertable);
  return table == series_.end() ? 0 : table->second.in_order.size();
}

void Catalog::for_each_series_from(HypertableId hypertable, size_t start, const std::function<void(SeriesId, const std::string&)>& visit) const {
  std::vector<std::pair<SeriesId, const std::string*>> found;
  {
    ReaderLock lock(mutex_);
    const auto table = series_.find(hypertable);
    if (table == series_.end()) return;
    const auto& all = table->second.in_order;
    found.reserve(all.size() - std::min(start, all.size()));
    // Safety: an unordered_map never moves its nodes, and entries are never removed.
    for (size_t i = start; i < all.size(); ++i) found.emplace_back(all[i], &tags_.at(all[i]));
  }
  for (const auto& [series, tags] : found) visit(series, *tags);
}

void Catalog::add_name(NameKind kind, uint32_t id, std::string name) {
  WriterLock lock(mutex_);
  auto& names = names_[static_cast<size_t>(kind)];
  if (names.by_id.size() < id) names.by_id.resize(id);
  names.by_id[id - 1] = std::move(name);
  names.ids.emplace(names.by_id[id - 1], id);
}

void Catalog::add_series(HypertableId hypertable, SeriesId series, std::string tags) {
  WriterLock lock(mutex_);
  const auto [entry, added] = tags_.emplace(series, std::move(tags));
  if (!added) return;
  auto& table = series_[hypertable];
  table.ids.emplace(entry->second, series);
  table.in_order.push_back(series);
}

CatalogWriter::CatalogWriter(const Catalog& committed, std::shared_ptr<const CatalogState> state,
                             CatalogCounters counters)
    : committed_(committed), state_(std::move(state)), counters_(counters) {}

uint32_t CatalogWriter::intern(NameKind kind, std::string_view name) {
  if (const auto found = find_name(kind, name)) return *found;
  uint32_t id = committed_.next_name(kind);
  const auto last = names_by_id_.upper_bound({kind, UINT32_MAX});
  if (last != names_by_id_.begin() && std::prev(last)->first.first == kind) id = std::prev(last)->first.second + 1;
  Change change{.kind = Kind::kName};
  change.subkind = static_cast<uint32_t>(kind);
  change.id = id;
  change.text = name;
  changes_.push_back(std::move(change));
  names_.emplace(std::pair(kind, std::string(name)), id);
  names_by_id_.emplace(std::pair(kind, id), std::string(name));
  return id;
}

std::optional<uint32_t> CatalogWriter::find_name(NameKind kind, std::string_view name) const {
  if (const auto found = committed_.find_name(kind, name)) return found;
  if (names_.empty()) return std::nullopt;
  const auto found = names_.find({kind, std::string(name)});
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

const std::string& CatalogWriter::name(NameKind kind, uint32_t id) const {
  const auto found = names_by_id_.find({kind, id});
  return found == names_by_id_.end() ? committed_.name(kind, id) : found->second;
}

SeriesId CatalogWriter::intern_series(HypertableId hypertable, std::string_view tags) {
  if (const auto found = find_series(hypertable, tags)) return *found;
  Change change{.kind = Kind::kSeries};
  change.owner = hypertable.value();
  change.id = counters_.next_series;
  change.text = tags;
  changes_.push_back(std::move(change));
  const SeriesId series(counters_.next_series++);
  series_.emplace(std::pair(hypertable, std::string(tags)), series);
  series_by_id_.emplace(series, std::string(tags));
  return series;
}

std::optional<SeriesId> CatalogWriter::find_series(HypertableId hypertable, std::string_view tags) const {
  if (const auto found = committed_.find_series(hypertable, tags)) return found;
  if (series_.empty()) return std::nullopt;
  const auto found = series_.find({hypertable, std::string(tags)});
  if (found == series_.end()) return std::nullopt;
  return found->second;
}

const std::string& CatalogWriter::series_tags(SeriesId series) const {
  const auto found = series_by_id_.find(series);
  return found == series_by_id_.end() ? committed_.series_tags(series) : found->second;
}

void CatalogWriter::for_each_series(HypertableId hypertable,
                                    const std::function<void(SeriesId, const std::string&)>& visit) const {
  committed_.for_each_series(hypertable, visit);
  std::map<SeriesId, const std::string*> staged;
  for (const auto& [key, series] : series_)
    if (key.first == hypertable) staged.emplace(series, &key.second);
  for (const auto& [series, tags] : staged) visit(series, *tags);
}

bool CatalogWriter::adds_series(HypertableId hypertable) const {
  const auto found = series_.lower_bound({hypertable, std::string()});
  return found != series_.end() && found->first.first == hypertable;
}

CatalogState& CatalogWriter::change_state(Change change) {
  change.before = state_;
  changes_.push_back(std::move(change));
  own_ = std::make_shared<CatalogState>(*state_);
  state_ = own_;
  return *own_;
}

/// For chunks, deletions and the watermark, of which one statement or checkpoint may change thousands: one copy serves all until a mark is
/// taken. What else is in the state keeps its place.
CatalogState& CatalogWriter::change_chunks(Change change) {
  constexpr long kOwners = 2;  // state_ and own_
  if (own_ == nullptr || own_.use_count() > kOwners) return change_state(std::move(change));
  changes_.push_back(std::move(change));
  return *own_;
}

uint64_t CatalogWriter::mark() {
  own_ = nullptr;
  return changes_.size();
}

namespace {

void assign_field_ids(HypertableDefinition& definition) {
  for (FieldDefinition& field : definition.fields) {
    if (field.id != FieldId()) continue;
    field.id = definition.next_field;
    definition.next_field = definition.next_field.next();
  }
}

}  // namespace

HypertableId CatalogWriter::add_hypertable(HypertableDefinition definition) {
  definition.id = HypertableId(counters_.next_object);
  assign_field_ids(definition);
  Change change{.kind = Kind::kHypertable};
  change.id = definition.id.value();
  change.text = encode_definition(definition);
  CatalogState& state = change_state(std::move(change));
  ++counters_.next_object;
  state.hypertables.emplace(definition.id, std::move(definition));
  return HypertableId(counters_.next_object - 1);
}

void CatalogWriter::rename_hypertable(HypertableId id, std::string name) {
  HypertableDefinition definition = state_->hypertables.at(id);
  definition.name = std::move(name);
  put_hypertable(std::move(definition));
}

void CatalogWriter::put_hypertable(HypertableDefinition definition) {
  assign_field_ids(definition);
  Change change{.kind = Kind::kHypertable};
  change.id = definition.id.value();
  change.text = encode_definition(definition);
  const HypertableId id = definition.id;
  change_state(std::move(change)).hypertables[id] = std::move(definition);
}

void CatalogWriter::remove_hypertable(HypertableId id) {
  std::vector<ChunkId> chunks;
  for (const auto& [chunk, definition] : state_->chunks)
    if (definition.hypertable == id) chunks.push_back(chunk);
  for (const ChunkId chunk : chunks) remove_chunk(chunk);
  remove_deletions([&](const RangeDeletion& deletion) { return deletion.hypertable == id; });
  remove_policies([&](const PolicyDefinition& policy) { return policy.kind != PolicyKind::kRefresh && policy.target == id.value(); });
  Change change{.kind = Kind::kHypertable, .removed = true};
  change.id = id.value();
  change_state(std::move(change)).hypertables.erase(id);
}

IndexId CatalogWriter::add_index(IndexDefinition definition) {
  definition.id = IndexId(counters_.next_object);
  Change change{.kind = Kind::kIndex};
  change.id = definition.id.value();
  change.text = encode_definition(definition);
  CatalogState& state = change_state(std::move(change));
  ++counters_.next_object;
  state.indexes.emplace(definition.id, definition);
  return definition.id;
}

void CatalogWriter::remove_index(IndexId id) {
  Change change{.kind = Kind::kIndex, .removed = true};
  change.id = id.value();
  change_state(std::move(change)).indexes.erase(id);
}

void CatalogWriter::put_binding(const BindingDefinition& definition) {
  Change change{.kind = Kind::kBinding};
  change.id = definition.label.value();
  change.text = encode_definition(definition);
  change_state(std::move(change)).bindings[definition.label] = definition;
}

void CatalogWriter::remove_binding(LabelId label) {
  Change change{.kind = Kind::kBinding, .removed = true};
  change.id = label.value();
  change_state(std::move(change)).bindings.erase(label);
}

void CatalogWriter::put_hierarchy(const HierarchyDefinition& definition) {
  Change change{.kind = Kind::kHierarchy};
  change.id = definition.type.value();
  change.text = encode_definition(definition);
  change_state(std::move(change)).hierarchies[definition.type] = definition;
}

void CatalogWriter::remove_hierarchy(TypeId type) {
  Change change{.kind = Kind::kHierarchy, .removed = true};
  change.id = type.value();
  change_state(std::move(change)).hierarchies.erase(type);
}

ChunkId CatalogWriter::reserve_chunk_id() {
  changes_.push_back(Change{.kind = Kind::kMeta});
  return ChunkId(counters_.next_chunk++);
}

void CatalogWriter::add_chunk(const ChunkDefinition& definition) {
  Change change{.kind = Kind::kChunk};
  change.id = definition.id.value();
  change.text = encode_definition(definition);
  change_chunks(std::move(change)).chunks.change()[definition.id] = definition;
  counters_.next_chunk = std::max(counters_.next_chunk, definition.id.value() + 1);
}

void CatalogWriter::remove_chunk(ChunkId id) {
  Change change{.kind = Kind::kChunk, .removed = true};
  change.id = id.value();
  change_chunks(std::move(change)).chunks.change().erase(id);
}

void CatalogWriter::remove_deletions(const std::function<bool(const RangeDeletion&)>& choose) {
  std::vector<DeletionId> chosen;
  for (const auto& [id, deletion] : state_->deletions)
    if (choose(*deletion)) chosen.push_back(id);
  for (const DeletionId id : chosen) remove_deletion(id);
}

void CatalogWriter::add_deletion(RangeDeletion deletion) {
  remove_deletions([&](const RangeDeletion& other) { return deletion.includes(other); });
  deletion.id = DeletionId(counters_.next_object);
  Change change{.kind = Kind::kDeletion};
  change.id = deletion.id.value();
  change.text = encode_definition(deletion);
  CatalogState& state = change_chunks(std::move(change));
  ++counters_.next_object;
  state.deletions.change().emplace(deletion.id, std::make_shared<const RangeDeletion>(std::move(deletion)));
}

void CatalogWriter::remove_deletion(DeletionId id) {
  Change change{.kind = Kind::kDeletion, .removed = true};
  change.id = id.value();
  change_chunks(std::move(change)).deletions.change().erase(id);
}

AggregateId CatalogWriter::add_aggregate(AggregateDefinition definition) {
  definition.id = AggregateId(counters_.next_object++);
  const AggregateId id = definition.id;
  put_aggregate(std::move(definition));
  return id;
}

void CatalogWriter::put_aggregate(AggregateDefinition definition) {
  Change change{.kind = Kind::kAggregate};
  change.id = definition.id.value();
  change.text = encode_definition(definition);
  const AggregateId id = definition.id;
  change_state(std::move(change)).aggregates[id] = std::make_shared<const AggregateDefinition>(std::move(definition));
}

void CatalogWriter::remove_aggregate(AggregateId id) {
  remove_policies([&](const PolicyDefinition& policy) { return policy.kind == PolicyKind::kRefresh && policy.target == id.value(); });
  Change change{.kind = Kind::kAggregate, .removed = true};
  change.id = id.value();
  change_state(std::move(change)).aggregates.erase(id);
}

void CatalogWriter::mark_dirty(AggregateId id, TimeRange buckets) {
  Change change{.kind = Kind::kDirty};
  change.id = id.value();
  change.range = buckets;
  changes_.push_back(std::move(change));
}

PolicyId CatalogWriter::add_policy(PolicyDefinition definition) {
  definition.id = PolicyId(counters_.next_object++);
  const PolicyId id = definition.id;
  put_policy(std::move(definition));
  return id;
}

void CatalogWriter::put_policy(PolicyDefinition definition) {
  Change change{.kind = Kind::kPolicy};
  change.id = definition.id.value();
  change.text = encode_definition(definition);
  const PolicyId id = definition.id;
  change_state(std::move(change)).policies[id] = std::make_shared<const PolicyDefinition>(std::move(definition));
}

void CatalogWriter::remove_policy(PolicyId id) {
  Change change{.kind = Kind::kPolicy, .removed = true};
  change.id = id.value();
  change_state(std::move(change)).policies.erase(id);
}

void CatalogWriter::remove_policies(const std::function<bool(const PolicyDefinition&)>& choose) {
  std::vector<PolicyId> chosen;
  for (const auto& [id, policy] : state_->policies)
    if (choose(*policy)) chosen.push_back(id);
  for (const PolicyId id : chosen) remove_policy(id);
}

void CatalogWriter::set_series_watermark(Lsn lsn) {
  change_chunks(Change{.kind = Kind::kMeta}).series_watermark = lsn;
}

void CatalogWriter::put_load(const std::string& name, int64_t position) {
  Change change{.kind = Kind::kLoad};
  change.id = static_cast<uint64_t>(position);
  change.text = name;
  change_state(std::move(change)).loads[name] = position;
}

void CatalogWriter::remove_load(const std::string& name) {
  Change change{.kind = Kind::kLoad, .removed = true};
  change.text = name;
  change_state(std::move(change)).loads.erase(name);
}

void CatalogWriter::rollback_to(uint64_t mark) {
  own_ = nullptr;
  while (changes_.size() > mark) {
    Change& change = changes_.back();
    if (change.before != nullptr) state_ = std::move(change.before);
    if (change.kind == Kind::kName) {
      const auto kind = static_cast<NameKind>(change.subkind);
      names_by_id_.erase({kind, static_cast<uint32_t>(change.id)});
      names_.erase({kind, change.text});
    } else if (change.kind == Kind::kSeries) {
      series_by_id_.erase(SeriesId(change.id));
      series_.erase({HypertableId(static_cast<uint32_t>(change.owner)), change.text});
    }
    changes_.pop_back();
  }
}

std::string encode_definition(const HypertableDefinition& definition) {
  std::string out;
  append_varint(out, definition.id.value());
  append_text(out, definition.name);
  append_text(out, definition.time_column);
  append_varint(out, definition.tags.size());
  for (size_t i = 0; i < definition.tags.size(); ++i) {
    append_text(out, definition.tags[i]);
    append_varint(out, static_cast<uint64_t>(definition.tag_type(i)));
  }
  append_varint(out, definition.fields.size());
  for (const FieldDefinition& field : definition.fields) {
    append_text(out, field.name);
    append_varint(out, static_cast<uint64_t>(field.type));
    append_varint(out, field.was_real ? 1 : 0);
    append_varint(out, field.id.value());
  }
  append_varint(out, static_cast<uint64_t>(definition.on_conflict));
  append_varint(out, zigzag(definition.chunk_interval_us));
  append_varint(out, definition.adapts_interval ? 1 : 0);
  append_varint(out, zigzag(definition.horizon_us));
  append_varint(out, static_cast<uint64_t>(definition.late));
  append_varint(out, definition.next_field.value());
  append_varint(out, definition.references.size());
  for (const TagReference& reference : definition.references) {
    append_varint(out, reference.tag);
    append_text(out, reference.table);
    append_text(out, reference.column);
    append_varint(out, static_cast<uint64_t>(reference.on_delete));
  }
  return out;
}

std::string encode_definition(const IndexDefinition& definition) {
  std::string out;
  append_varint(out, definition.id.value());
  append_varint(out, definition.on_edges ? 1 : 0);
  append_varint(out, definition.scope);
  append_varint(out, definition.key.value());
  append_varint(out, definition.unique ? 1 : 0);
  return out;
}

std::string encode_definition(const BindingDefinition& definition) {
  std::string out;
  append_varint(out, definition.label.value());
  append_text(out, definition.table);
  append_text(out, definition.key_column);
  append_varint(out, definition.key.value());
  append_varint(out, definition.index.value());
  append_varint(out, static_cast<uint64_t>(definition.on_delete));
  return out;
}

std::string encode_definition(const HierarchyDefinition& definition) {
  std::string out;
  append_varint(out, definition.type.value());
  append_varint(out, static_cast<uint64_t>(definition.direction));
  return out;
}

std::string encode_definition(const ChunkDefinition& definition) {
  std::string out;
  append_varint(out, definition.id.value());
  append_varint(out, definition.hypertable.value());
  for (const Timestamp time : {definition.interval.start, definition.interval.limit, definition.time_min,
                               definition.time_max})
    append_varint(out, zigzag(time.value()));
  append_varint(out, definition.rows);
  append_varint(out, definition.size_bytes);
  append_varint(out, definition.deleted_rows);
  append_varint(out, definition.applied.value());
  append_varint(out, definition.compressed ? 1 : 0);
  return out;
}

std::string encode_definition(const RangeDeletion& definition) {
  std::string out;
  append_varint(out, definition.id.value());
  append_varint(out, definition.hypertable.value());
  append_varint(out, zigzag(definition.range.start.value()));
  append_varint(out, zigzag(definition.range.limit.value()));
  append_varint(out, definition.lsn.value());
  append_varint(out, definition.series.size());
  uint64_t before = 0;
  for (const SeriesId series : definition.series) append_varint(out, series.value() - std::exchange(before, series.value()));
  return out;
}

namespace {

void append_signed(std::string& out, int64_t value) { append_varint(out, zigzag(value)); }

void append_length(std::string& out, const CalendarLength& length) {
  append_signed(out, length.months);
  append_signed(out, length.microseconds);
}

template <typename Value, typename Append>
void append_optional(std::string& out, const std::optional<Value>& value, Append append) {
  append_varint(out, value ? 1 : 0);
  if (value) append(out, *value);
}

}  // namespace

std::string encode_definition(const AggregateDefinition& definition) {
  std::string out;
  append_varint(out, definition.id.value());
  append_text(out, definition.name);
  append_varint(out, definition.hypertable.value());
  append_varint(out, definition.parent.value());
  append_length(out, definition.width);
  append_optional(out, definition.origin_us, append_signed);
  append_length(out, definition.offset);
  append_varint(out, definition.columns.size());
  for (const AggregateColumn& column : definition.columns) {
    append_text(out, column.name);
    append_varint(out, static_cast<uint64_t>(column.role));
    append_text(out, column.source);
  }
  append_text(out, definition.query);
  append_signed(out, definition.watermark.value());
  append_signed(out, definition.frozen.value());
  return out;
}

std::string encode_definition(const PolicyDefinition& definition) {
  std::string out;
  append_varint(out, definition.id.value());
  append_varint(out, static_cast<uint64_t>(definition.kind));
  append_varint(out, definition.target);
  append_optional(out, definition.start_offset, append_length);
  append_optional(out, definition.end_offset, append_length);
  append_varint(out, definition.bytes_max);
  append_signed(out, definition.schedule_us);
  append_optional(out, definition.last_run, [](std::string& to, Timestamp time) { append_signed(to, time.value()); });
  append_signed(out, definition.next_run.value());
  append_varint(out, definition.runs);
  append_varint(out, definition.failures);
  append_text(out, definition.last_error);
  return out;
}

namespace {

/// Reads the integers and texts of a definition; one check at the end says whether all were there.
class DefinitionReader {
 public:
  explicit DefinitionReader(std::string_view bytes) : reader_(bytes) {}
  uint64_t number() {
    uint64_t value = 0;
    reader_.varint(value);
    return reader_.ok() ? value : 0;
  }
  uint32_t number32() { return static_cast<uint32_t>(bounded(UINT32_MAX)); }
  uint64_t bounded(uint64_t max) {
    const uint64_t value = number();
    if (value > max) bad_ = true;
    return value;
  }
  FieldType tag_type() {
    const auto type = static_cast<FieldType>(bounded(static_cast<uint64_t>(FieldType::kText)));
    if (type != FieldType::kText && type != FieldType::kInt64) bad_ = true;
    return type;
  }
  Timestamp time() { return Timestamp(unzigzag(number())); }
  CalendarLength length() {
    CalendarLength out;
    out.months = unzigzag(number());
    out.microseconds = unzigzag(number());
    return out;
  }
  std::optional<CalendarLength> optional_length() { return bounded(1) != 0 ? std::optional(length()) : std::nullopt; }
  std::optional<Timestamp> optional_time() { return bounded(1) != 0 ? std::optional(time()) : std::nullopt; }
  std::string text() {
    std::string_view value;
    reader_.text(value);
    return reader_.ok() ? std::string(value) : std::string();
  }
  Status finish(std::string_view what) const {
    if (reader_.ok() && reader_.done() && !bad_) return {};
    return Status(StatusCode::kCorrupt, "rows.db: _braid_object: the definition of " + std::string(what) +
                                            " cannot be read");
  }

 private:
  ByteReader reader_;
  bool bad_ = false;
};

constexpr uint64_t kColumnsMax = 2000;  // SQLite's own bound on columns

}  // namespace

Status decode_definition(std::string_view bytes, HypertableDefinition& out) {
  DefinitionReader reader(bytes);
  out.id = HypertableId(reader.number32());
  out.name = reader.text();
  out.time_column = reader.text();
  for (uint64_t n = reader.bounded(kColumnsMax); n > 0 && n <= kColumnsMax; --n) {
    out.tags.push_back(reader.text());
    out.tag_types.push_back(reader.tag_type());
  }
  for (uint64_t n = reader.bounded(kColumnsMax); n > 0 && n <= kColumnsMax; --n) {
    FieldDefinition field;
    field.name = reader.text();
    field.type = static_cast<FieldType>(reader.bounded(static_cast<uint64_t>(FieldType::kJson)));
    field.was_real = reader.bounded(1) != 0;
    field.id = FieldId(static_cast<uint16_t>(reader.bounded(UINT16_MAX)));
    out.fields.push_back(std::move(field));
  }
  out.on_conflict = static_cast<ConflictPolicy>(reader.bounded(static_cast<uint64_t>(ConflictPolicy::kMerge)));
  out.chunk_interval_us = unzigzag(reader.number());
  out.adapts_interval = reader.bounded(1) != 0;
  out.horizon_us = unzigzag(reader.number());
  out.late = static_cast<LatePolicy>(reader.bounded(static_cast<uint64_t>(LatePolicy::kDrop)));
  out.next_field = FieldId(static_cast<uint16_t>(reader.bounded(UINT16_MAX)));
  bool known = true;
  for (uint64_t n = reader.bounded(out.tags.size()); n > 0 && n <= out.tags.size(); --n) {
    TagReference reference;
    reference.tag = reader.number();
    reference.table = reader.text();
    reference.column = reader.text();
    const uint64_t rule = reader.bounded(static_cast<uint64_t>(ReferenceRule::kErase));
    known = known && rule != 0 && reference.tag < out.tags.size();
    reference.on_delete = static_cast<ReferenceRule>(rule);
    out.references.push_back(std::move(reference));
  }
  BRAID_TRY(reader.finish("a hypertable"));
  if (!known) return Status(StatusCode::kCorrupt, "rows.db: _braid_object: hypertable " + out.name + " has a reference that cannot be");
  if (out.chunk_interval_us <= 0)
    return Status(StatusCode::kCorrupt, "rows.db: _braid_object: hypertable " + out.name + " has no chunk interval");
  return {};
}

Status decode_definition(std::string_view bytes, IndexDefinition& out) {
  DefinitionReader reader(bytes);
  out.id = IndexId(reader.number32());
  out.on_edges = reader.bounded(1) != 0;
  out.scope = reader.number32();
  out.key = KeyId(reader.number32());
  out.unique = reader.bounded(1) != 0;
  return reader.finish("an index");
}

Status decode_definition(std::string_view bytes, BindingDefinition& out) {
  DefinitionReader reader(bytes);
  out.label = LabelId(reader.number32());
  out.table = reader.text();
  out.key_column = reader.text();
  out.key = KeyId(reader.number32());
  out.index = IndexId(reader.number32());
  out.on_delete = static_cast<DeleteRule>(reader.bounded(static_cast<uint64_t>(DeleteRule::kDetach)));
  return reader.finish("a binding");
}

Status decode_definition(std::string_view bytes, HierarchyDefinition& out) {
  DefinitionReader reader(bytes);
  out.type = TypeId(reader.number32());
  const uint64_t direction = reader.bounded(static_cast<uint64_t>(HierarchyDirection::kDown));
  BRAID_TRY(reader.finish("a hierarchy"));
  if (direction == 0) return Status(StatusCode::kCorrupt, "rows.db: _braid_object: a hierarchy has no direction");
  out.direction = static_cast<HierarchyDirection>(direction);
  return {};
}

Status decode_definition(std::string_view bytes, ChunkDefinition& out) {
  DefinitionReader reader(bytes);
  out.id = ChunkId(reader.number());
  out.hypertable = HypertableId(reader.number32());
  out.interval.start = reader.time();
  out.interval.limit = reader.time();
  out.time_min = reader.time();
  out.time_max = reader.time();
  out.rows = reader.number();
  out.size_bytes = reader.number();
  out.deleted_rows = reader.number();
  out.applied = Lsn(reader.number());
  out.compressed = reader.bounded(1) != 0;
  return reader.finish("a chunk");
}

Status decode_definition(std::string_view bytes, RangeDeletion& out) {
  DefinitionReader reader(bytes);
  out.id = DeletionId(reader.number32());
  out.hypertable = HypertableId(reader.number32());
  out.range.start = reader.time();
  out.range.limit = reader.time();
  out.lsn = Lsn(reader.number());
  // Each series takes a byte at least.
  uint64_t series = 0;
  for (uint64_t n = reader.bounded(bytes.size()); n > 0 && n <= bytes.size(); --n) out.series.emplace_back(series += reader.number());
  BRAID_TRY(reader.finish("a deletion"));
  if (std::is_sorted(out.series.begin(), out.series.end())) return {};
  return Status(StatusCode::kCorrupt, "rows.db: _braid_object: the series of a deletion are not in order");
}

Status decode_definition(std::string_view bytes, AggregateDefinition& out) {
  DefinitionReader reader(bytes);
  out.id = AggregateId(reader.number32());
  out.name = reader.text();
  out.hypertable = HypertableId(reader.number32());
  out.parent = AggregateId(reader.number32());
  out.width = reader.length();
  if (const auto origin = reader.optional_time()) out.origin_us = origin->value();
  out.offset = reader.length();
  bool known = true;
  for (uint64_t n = reader.bounded(kColumnsMax); n > 0 && n <= kColumnsMax; --n) {
    AggregateColumn column;
    column.name = reader.text();
    const uint64_t role = reader.bounded(static_cast<uint64_t>(AggregateRole::kLast));
    known &= role >= static_cast<uint64_t>(AggregateRole::kBucket);
    column.role = static_cast<AggregateRole>(role);
    column.source = reader.text();
    out.columns.push_back(std::move(column));
  }
  out.query = reader.text();
  out.watermark = reader.time();
  out.frozen = reader.time();
  BRAID_TRY(reader.finish("a continuous aggregate"));
  if (known && (out.width.months > 0) != (out.width.microseconds > 0)) return {};
  return Status(StatusCode::kCorrupt, "rows.db: _braid_object: continuous aggregate " + out.name + " has columns or a width that cannot be");
}

Status decode_definition(std::string_view bytes, PolicyDefinition& out) {
  DefinitionReader reader(bytes);
  out.id = PolicyId(reader.number32());
  const uint64_t kind = reader.bounded(static_cast<uint64_t>(PolicyKind::kRefresh));
  out.kind = static_cast<PolicyKind>(kind);
  out.target = reader.number32();
  out.start_offset = reader.optional_length();
  out.end_offset = reader.optional_length();
  out.bytes_max = reader.number();
  out.schedule_us = unzigzag(reader.number());
  out.last_run = reader.optional_time();
  out.next_run = reader.time();
  out.runs = reader.number();
  out.failures = reader.number();
  out.last_error = reader.text();
  BRAID_TRY(reader.finish("a policy"));
  if (kind != 0 && out.schedule_us > 0) return {};
  return Status(StatusCode::kCorrupt, "rows.db: _braid_object: a policy has no kind or no schedule");
}

}  // namespace braid
