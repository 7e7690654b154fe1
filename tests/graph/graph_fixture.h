// A graph store in a directory of its own, with what the engine does around it: transactions
// numbered from 1 whose records are kept, so that the store can be opened again and replayed.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "engine/env.h"
#include "graph/graph_store.h"
#include "graph/graph_store_impl.h"
#include "graph/graph_view.h"
#include "graph/graph_writer.h"
#include "tests/support/temp_dir.h"

namespace braid {

class GraphFixture {
 public:
  explicit GraphFixture(FileHook* hook = nullptr) : env(hook) { open(); }

  void open() {
    auto opened = open_graph_store(env, catalog, directory / "graph", {});
    REQUIRE_MESSAGE(opened.ok(), opened.status().message());
    store = opened.take();
    newest = make_view();
  }
  /// Closes without flushing, which loses what is in memory, as a crash does.
  void crash() {
    newest.reset();
    store.reset();
  }
  void replay_all(Store& target) const { replay_from(target, target.durable_marker()); }
  void replay_from(Store& target, Lsn marker) const {
    for (uint64_t lsn = marker.value() + 1; lsn <= records.size(); ++lsn) {
      // The engine stores records as bytes; what replays is what was decoded.
      const auto record = decode_commit_record(records[lsn - 1]);
      REQUIRE(record.ok());
      const Status status = target.replay(*record, Lsn(lsn));
      REQUIRE_MESSAGE(status.ok(), status.message());
    }
  }
  void reopen_and_replay() {
    crash();
    open();
    replay_all(*store);
    newest = make_view();
  }
  void checkpoint() {
    REQUIRE(store->checkpoint_begin(Lsn(records.size())).ok());
    REQUIRE(store->checkpoint_write().ok());
    store->checkpoint_end(true);
  }

  /// One write transaction: begun by the constructor, published by `commit`, else rolled back.
  class Transaction {
   public:
    explicit Transaction(GraphFixture& fixture)
        : fixture_(fixture),
          names(fixture.catalog, fixture.state, fixture.counters),
          staged_(fixture.store->begin(fixture.newest, names)),
          writer(static_cast<GraphWriter&>(*staged_)) {}
    void commit() {
      CommitRecord record;
      writer.take_changes(record);
      fixture_.records.push_back(encode_commit_record(record));
      for (const auto& change : names.changes()) {
        if (change.kind != CatalogWriter::Kind::kName) continue;
        fixture_.catalog.add_name(static_cast<NameKind>(change.subkind),
                                  static_cast<uint32_t>(change.id), change.text);
      }
      fixture_.state = names.shared_state();
      fixture_.counters = names.counters();
      const Status status = fixture_.store->publish(writer, Lsn(fixture_.records.size()));
      REQUIRE_MESSAGE(status.ok(), status.message());
      fixture_.newest = fixture_.make_view();
    }

   private:
    GraphFixture& fixture_;

   public:
    CatalogWriter names;

   private:
    std::unique_ptr<StoreWriter> staged_;

   public:
    GraphWriter& writer;
    LabelId label(std::string_view name) { return LabelId(names.intern(NameKind::kLabel, name)); }
    TypeId type(std::string_view name) { return TypeId(names.intern(NameKind::kEdgeType, name)); }
    KeyId key(std::string_view name) { return KeyId(names.intern(NameKind::kPropertyKey, name)); }
    NodeId node(std::vector<LabelId> labels = {}, Properties properties = {}) {
      auto id = writer.create_node(std::move(labels), std::move(properties));
      REQUIRE_MESSAGE(id.ok(), id.status().message());
      return *id;
    }
    EdgeId edge(NodeId source, TypeId type, NodeId target, Properties properties = {}) {
      auto id = writer.create_edge(source, type, target, std::move(properties));
      REQUIRE_MESSAGE(id.ok(), id.status().message());
      return *id;
    }
  };

  std::shared_ptr<const StoreView> make_view() {
    auto made = store->view(state);
    REQUIRE(made.ok());
    return made.take();
  }
  GraphView view() const { return GraphView(newest, nullptr); }
  std::vector<std::string> problems() const {
    std::vector<std::string> found;
    REQUIRE(store->check(*newest, found).ok());
    return found;
  }

  /// Every key and value of every family, without the markers.
  static std::map<std::string, std::string> contents(const StoreView& view) {
    std::map<std::string, std::string> all;
    const auto& graph = static_cast<const GraphStoreView&>(view);
    for (const Family family : kFamilies) {
      const auto iterator = graph.iterate(family, nullptr);
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        if (iterator->key() == rocksdb::Slice(kMarkerKey.data(), kMarkerKey.size())) continue;
        all[std::string(family_name(family)) + "/" + iterator->key().ToString()] =
            iterator->value().ToString();
      }
    }
    return all;
  }

  TempDir directory;
  Env env;
  Catalog catalog;
  std::shared_ptr<const CatalogState> state = std::make_shared<CatalogState>();
  CatalogCounters counters;
  std::vector<std::string> records;
  std::unique_ptr<Store> store;
  std::shared_ptr<const StoreView> newest;
};

inline std::vector<NodeId> node_ids(const std::vector<Neighbor>& neighbors) {
  std::vector<NodeId> ids;
  for (const Neighbor& step : neighbors) ids.push_back(step.node);
  return ids;
}

}  // namespace braid
