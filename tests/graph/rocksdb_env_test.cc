#include "graph/rocksdb_env.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "graph/table_properties.h"
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

TEST_CASE("damaged properties of a table are told before RocksDB reads them") {
  GraphFixture graph;
  add_node(graph);
  graph.checkpoint();
  graph.crash();
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(graph.directory / "graph"))
    if (entry.path().extension() == ".sst") path = entry.path();
  REQUIRE(path != "");
  std::ifstream in(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const auto check = [](const std::string& bytes) {
    return check_table_properties(bytes.size(), [&](uint64_t offset, size_t size) -> Result<std::string> {
      REQUIRE(offset + size <= bytes.size());
      return bytes.substr(offset, size);
    });
  };
  CHECK(check(whole).ok());
  size_t run = 0, longest = 0, end = 0;  // of bytes that are told
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    const Status status = check(bytes);
    CHECK((status.ok() || status.code() == StatusCode::kCorrupt));
    run = status.ok() ? 0 : run + 1;
    if (run <= longest) continue;
    longest = run;
    end = at + 1;
  }
  for (size_t size = 0; size < whole.size(); ++size) check(whole.substr(0, size)).ignore();
  REQUIRE(longest > 100);

  // The block ends with the number of restarts, about which RocksDB asserts, a byte for the compression, and the checksum.
  for (size_t at = end - 9; at < end; ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    std::ofstream(path, std::ios::binary) << bytes;
    const auto opened = open_graph_store(graph.env, graph.catalog, graph.directory / "graph", {});
    CHECK(opened.status().code() == StatusCode::kCorrupt);
    CHECK(opened.status().message().find(".sst") != std::string::npos);
  }
}
