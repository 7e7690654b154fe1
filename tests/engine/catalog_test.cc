#include "engine/catalog.h"

#include <doctest/doctest.h>

#include <random>

using namespace braid;

namespace {

HypertableDefinition hypertable(const std::string& name) {
  HypertableDefinition definition;
  definition.name = name;
  definition.time_column = "time";
  definition.tags = {"host", "device"};
  definition.tag_types = {FieldType::kText, FieldType::kInt64};
  definition.fields = {{"usage", FieldType::kDouble}, {"note", FieldType::kText}};
  definition.chunk_interval_us = 3'600'000'000;
  return definition;
}

struct Fixture {
  Catalog committed;
  std::shared_ptr<const CatalogState> state = std::make_shared<CatalogState>();
  CatalogWriter writer{committed, state, {}};
};

}  // namespace

TEST_CASE("names are interned densely, by kind, and found again") {
  Fixture f;
  f.committed.add_name(NameKind::kLabel, 1, "Device");
  CHECK(f.writer.intern(NameKind::kLabel, "Device") == 1);
  CHECK(f.writer.intern(NameKind::kLabel, "User") == 2);
  CHECK(f.writer.intern(NameKind::kLabel, "Site") == 3);
  CHECK(f.writer.intern(NameKind::kEdgeType, "User") == 1);
  CHECK(f.writer.intern(NameKind::kLabel, "User") == 2);
  CHECK(f.writer.name(NameKind::kLabel, 3) == "Site");
  CHECK(f.writer.name(NameKind::kLabel, 4).empty());
  CHECK_FALSE(f.committed.find_name(NameKind::kLabel, "User"));
}

TEST_CASE("rolling back to a mark undoes names, series and definitions made after it, and gives no id out twice") {
  Fixture f;
  f.writer.intern(NameKind::kLabel, "kept");
  const HypertableId kept = f.writer.add_hypertable(hypertable("kept"));
  const SeriesId kept_series = f.writer.intern_series(kept, "tags");
  const CatalogCounters counters = f.writer.counters();
  const uint64_t mark = f.writer.mark();

  f.writer.intern(NameKind::kLabel, "gone");
  const HypertableId gone = f.writer.add_hypertable(hypertable("gone"));
  f.writer.intern_series(gone, "tags");
  f.writer.rename_hypertable(kept, "renamed");
  f.writer.add_index({IndexId(0), false, 1, KeyId(1), true});
  f.writer.put_binding({LabelId(1), "t", "id", KeyId(1), IndexId(1), DeleteRule::kDetach});
  f.writer.put_hierarchy({TypeId(1), HierarchyDirection::kDown});
  f.writer.add_chunk({f.writer.reserve_chunk_id(), kept, {}, Timestamp(0), Timestamp(1), 2, 3});
  f.writer.set_series_watermark(Lsn(9));
  f.writer.put_load("gone", 5);
  f.writer.rollback_to(mark);
  CHECK(f.writer.state().loads.empty());

  CHECK(f.writer.mark() == mark);
  CHECK_FALSE(f.writer.find_name(NameKind::kLabel, "gone"));
  CHECK(f.writer.find_name(NameKind::kLabel, "kept") == 1u);
  CHECK(f.writer.name(NameKind::kLabel, 2).empty());
  CHECK(f.writer.state().hypertable("gone") == nullptr);
  CHECK(f.writer.state().hypertable("renamed") == nullptr);
  REQUIRE(f.writer.state().hypertable("kept") != nullptr);
  CHECK(f.writer.state().indexes.empty());
  CHECK(f.writer.state().bindings.empty());
  CHECK(f.writer.state().hierarchies.empty());
  CHECK(f.writer.state().chunks.empty());
  CHECK(f.writer.state().series_watermark == Lsn(0));
  CHECK_FALSE(f.writer.find_series(gone, "tags"));
  CHECK(f.writer.find_series(kept, "tags") == kept_series);
  CHECK(f.writer.counters().next_object > counters.next_object);
  CHECK(f.writer.counters().next_series > counters.next_series);
  CHECK(f.writer.intern(NameKind::kLabel, "next") == 2);
}

TEST_CASE("a state shared before a change is not changed by it") {
  Fixture f;
  const HypertableId id = f.writer.add_hypertable(hypertable("a"));
  const auto before = f.writer.shared_state();
  f.writer.rename_hypertable(id, "b");
  f.writer.remove_hypertable(id);
  CHECK(before->hypertable("a") != nullptr);
  CHECK(f.state->hypertables.empty());
  CHECK(f.writer.state().hypertables.empty());
}

TEST_CASE(
    "removing a hypertable removes its chunks and no others, and rolling back brings all back") {
  Fixture f;
  const HypertableId a = f.writer.add_hypertable(hypertable("a"));
  const HypertableId b = f.writer.add_hypertable(hypertable("b"));
  for (const HypertableId owner : {a, b, a})
    f.writer.add_chunk({f.writer.reserve_chunk_id(), owner, {}, Timestamp(0), Timestamp(1), 1, 1});
  const uint64_t mark = f.writer.mark();
  f.writer.remove_hypertable(a);
  CHECK(f.writer.state().chunks.size() == 1);
  CHECK(f.writer.state().chunks.begin()->second.hypertable == b);
  f.writer.rollback_to(mark);
  CHECK(f.writer.state().chunks.size() == 3);
  CHECK(f.writer.state().hypertables.size() == 2);
}

TEST_CASE("ids taken by a rolled back change are not given again while the transaction lives") {
  Fixture f;
  const HypertableId first = f.writer.add_hypertable(hypertable("a"));
  const uint64_t mark = f.writer.mark();
  const HypertableId undone = f.writer.add_hypertable(hypertable("b"));
  f.writer.rollback_to(mark);
  const HypertableId second = f.writer.add_hypertable(hypertable("c"));
  CHECK(second != undone);
  CHECK(second != first);
}

TEST_CASE("chunks and deletions changed after a mark are undone, whoever holds the state in between") {
  Fixture f;
  const HypertableId id = f.writer.add_hypertable(hypertable("a"));
  const auto chunk = [&] { return ChunkDefinition{f.writer.reserve_chunk_id(), id, {}, Timestamp(0), Timestamp(1), 2, 3}; };
  const uint64_t first = f.writer.mark();
  for (int i = 0; i < 100; ++i) f.writer.add_chunk(chunk());
  const CatalogState* one_state = &f.writer.state();
  f.writer.add_deletion({.hypertable = id, .range = {}, .series = {SeriesId(1)}, .lsn = Lsn(1)});
  CHECK(&f.writer.state() == one_state);
  const auto held = f.writer.shared_state();
  const uint64_t second = f.writer.mark();
  f.writer.remove_chunk(f.writer.state().chunks.begin()->first);
  f.writer.add_deletion({.hypertable = id, .range = {}, .series = {SeriesId(2)}, .lsn = Lsn(1)});
  f.writer.set_series_watermark(Lsn(4));
  CHECK(f.writer.state().chunks.size() == 99);
  CHECK(held->chunks.size() == 100);
  CHECK(held->deletions.size() == 1);
  f.writer.rollback_to(second);
  CHECK(f.writer.state().chunks.size() == 100);
  CHECK(f.writer.state().deletions.size() == 1);
  CHECK(f.writer.state().series_watermark == Lsn(0));
  f.writer.remove_chunk(f.writer.state().chunks.begin()->first);
  f.writer.rollback_to(second);
  CHECK(f.writer.state().chunks.size() == 100);
  f.writer.rollback_to(first);
  CHECK(f.writer.state().chunks.empty());
  CHECK(f.writer.state().deletions.empty());
  CHECK(held->chunks.size() == 100);
}

TEST_CASE("random changes and rollbacks leave what a fresh writer with the kept changes has") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Fixture f;
    std::vector<std::pair<uint64_t, std::vector<std::string>>> marks;
    std::vector<std::string> names;
    for (int step = 0; step < 60; ++step) {
      const auto dice = random() % 10;
      if (dice < 6) {
        const std::string name = "n" + std::to_string(random() % 30);
        if (!f.writer.find_name(NameKind::kEdgeType, name)) names.push_back(name);
        f.writer.intern(NameKind::kEdgeType, name);
      } else if (dice < 8) {
        marks.emplace_back(f.writer.mark(), names);
      } else if (!marks.empty()) {
        const size_t to = random() % marks.size();
        f.writer.rollback_to(marks[to].first);
        names = marks[to].second;
        marks.resize(to);
      }
    }
    CHECK(f.writer.changes().size() == names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      CHECK(f.writer.find_name(NameKind::kEdgeType, names[i]) == static_cast<uint32_t>(i + 1));
      CHECK(f.writer.name(NameKind::kEdgeType, static_cast<uint32_t>(i + 1)) == names[i]);
    }
    CHECK(f.writer.name(NameKind::kEdgeType, static_cast<uint32_t>(names.size() + 1)).empty());
  }
}

TEST_CASE("names of tables are found without regard to case") {
  Fixture f;
  f.writer.add_hypertable(hypertable("Metrics"));
  CHECK(f.writer.state().hypertable("METRICS") != nullptr);
  f.writer.put_binding({LabelId(1), "Device", "id", KeyId(1), IndexId(1), DeleteRule::kRestrict});
  CHECK(f.writer.state().binding_of_table("device") != nullptr);
}

TEST_CASE("a hierarchy is found by its type, put again with another direction, and removed") {
  Fixture f;
  CHECK(f.writer.state().hierarchy(TypeId(3)) == nullptr);
  f.writer.put_hierarchy({TypeId(3), HierarchyDirection::kUp});
  const uint64_t mark = f.writer.mark();
  f.writer.put_hierarchy({TypeId(3), HierarchyDirection::kDown});
  REQUIRE(f.writer.state().hierarchy(TypeId(3)) != nullptr);
  CHECK(f.writer.state().hierarchy(TypeId(3))->direction == HierarchyDirection::kDown);
  f.writer.remove_hierarchy(TypeId(3));
  CHECK(f.writer.state().hierarchy(TypeId(3)) == nullptr);
  f.writer.rollback_to(mark);
  REQUIRE(f.writer.state().hierarchy(TypeId(3)) != nullptr);
  CHECK(f.writer.state().hierarchy(TypeId(3))->direction == HierarchyDirection::kUp);
}

TEST_CASE(
    "definitions come back from their bytes, and cut or changed bytes are damage or a definition, "
    "never a crash") {
  HypertableDefinition table = hypertable("metrics");
  table.id = HypertableId(7);
  table.on_conflict = ConflictPolicy::kError;
  HypertableDefinition read;
  const std::string bytes = encode_definition(table);
  REQUIRE(decode_definition(bytes, read).ok());
  CHECK(encode_definition(read) == bytes);
  CHECK(read.name == "metrics");
  CHECK(read.tag_type(0) == FieldType::kText);
  CHECK(read.tag_type(1) == FieldType::kInt64);
  CHECK(read.fields.size() == 2);
  CHECK(read.on_conflict == ConflictPolicy::kError);

  const ChunkDefinition chunk{ChunkId(3),    HypertableId(7), {Timestamp(-5), Timestamp(5)},
                              Timestamp(-4), Timestamp(4),    9,
                              1000};
  const BindingDefinition binding{LabelId(2), "device",   "id",
                                  KeyId(4),   IndexId(6), DeleteRule::kDetach};
  const IndexDefinition index{IndexId(6), true, 12, KeyId(4), true};
  const HierarchyDefinition hierarchy{TypeId(300), HierarchyDirection::kDown};
  const auto attack = [](const std::string& good, auto definition) {
    REQUIRE(decode_definition(good, definition).ok());
    CHECK(encode_definition(definition) == good);
    for (size_t size = 0; size < good.size(); ++size) {
      decltype(definition) cut;
      CHECK(decode_definition(good.substr(0, size), cut).code() == StatusCode::kCorrupt);
    }
    for (size_t i = 0; i < good.size() * 8; ++i) {
      std::string changed = good;
      changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
      decltype(definition) out;
      const Status status = decode_definition(changed, out);
      CHECK((status.ok() || status.code() == StatusCode::kCorrupt));
    }
  };
  attack(bytes, HypertableDefinition());
  attack(encode_definition(chunk), ChunkDefinition());
  attack(encode_definition(binding), BindingDefinition());
  attack(encode_definition(index), IndexDefinition());
  attack(encode_definition(hierarchy), HierarchyDefinition());
}

TEST_CASE("a load's position is put, replaced and removed, and comes back with a rollback") {
  Fixture f;
  f.writer.put_load("flows", 3);
  f.writer.put_load("flows", 8);
  CHECK(f.writer.state().loads.at("flows") == 8);
  CHECK(f.state->loads.empty());
  const uint64_t mark = f.writer.mark();
  f.writer.remove_load("flows");
  CHECK(f.writer.state().loads.empty());
  f.writer.rollback_to(mark);
  CHECK(f.writer.state().loads.at("flows") == 8);
}
