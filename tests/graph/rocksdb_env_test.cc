#include "graph/rocksdb_env.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

/// Fails every operation of one kind once it is armed.
class FailingHook final : public FileHook {
 public:
  FileAnswer before(const FileRequest& request) noexcept override {
    if (request.path.find("graph") != std::string_view::npos) ++operations;
    return {.error = request.operation == failing ? error.load() : 0};
  }
  std::atomic<FileOperation> failing{FileOperation::kWrite};
  std::atomic<int> error{0};
  std::atomic<int> operations{0};
};

void add_node(GraphFixture& graph) {
  GraphFixture::Transaction tx(graph);
  tx.node();
  tx.commit();
}

}  // namespace

TEST_CASE("RocksDB's files go through the engine's seam") {
  FailingHook hook;
  GraphFixture graph(&hook);
  CHECK(hook.operations > 0);
}

TEST_CASE("a failed flush is reported, admission then refuses, and reopening cures it") {
  for (const auto& [operation, error, code] :
       {std::tuple(FileOperation::kWrite, ENOSPC, StatusCode::kFull),
        std::tuple(FileOperation::kWrite, EIO, StatusCode::kIo),
        std::tuple(FileOperation::kSync, EIO, StatusCode::kIo)}) {
    FailingHook hook;
    GraphFixture graph(&hook);
    add_node(graph);
    CHECK(graph.store->admit().ok());
    hook.failing = operation;
    hook.error = error;
    REQUIRE(graph.store->checkpoint_begin(Lsn(1)).ok());
    CHECK(graph.store->checkpoint_write().code() == code);
    CHECK(graph.store->admit().code() == code);
    CHECK(graph.store->durable_marker() == Lsn(0));
    CHECK(*graph.view().node_exists(NodeId(1)));
    hook.error = 0;
    graph.reopen_and_replay();
    CHECK(graph.store->admit().ok());
    CHECK(*graph.view().node_exists(NodeId(1)));
    graph.checkpoint();
    CHECK(graph.store->durable_marker() == Lsn(1));
  }
}

TEST_CASE("once poisoned nothing is written and reads go on") {
  GraphFixture graph;
  add_node(graph);
  graph.env.poison(Status(StatusCode::kIo, "a sync failed"));
  CHECK_FALSE(graph.store->admit().ok());
  CHECK_FALSE(graph.store->checkpoint_write().ok());
  CHECK(graph.store->durable_marker() == Lsn(0));
  CHECK(*graph.view().node_exists(NodeId(1)));
}

TEST_CASE("a store whose files cannot be opened says which") {
  FailingHook hook;
  Env env(&hook);
  Catalog catalog;
  TempDir directory;
  hook.failing = FileOperation::kOpen;
  hook.error = EACCES;
  const auto opened = open_graph_store(env, catalog, directory / "graph", {});
  CHECK(opened.status().code() == StatusCode::kIo);
  CHECK(opened.status().message().find(directory.path()) != std::string::npos);
}
