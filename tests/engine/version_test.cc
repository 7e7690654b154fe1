#include "engine/version.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace braid;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const Version> version(uint64_t lsn) {
  auto made = std::make_shared<Version>();
  made->lsn = Lsn(lsn);
  return made;
}

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("the newest version is the one installed last") {
  VersionList list;
  CHECK(list.newest() == nullptr);
  list.install(version(1));
  list.install(version(2));
  CHECK(list.newest()->lsn == Lsn(2));
}

TEST_CASE("an old version is gone when no ticket asks for it") {
  VersionList list;
  list.install(version(1));
  list.install(version(2));
  CHECK(list.at(Lsn(1), in(0ms)).status().code() == StatusCode::kSnapshotTooOld);
  CHECK((*list.at(Lsn(2), in(0ms)))->lsn == Lsn(2));
}

TEST_CASE("versions from a ticket's moment on are kept until it is given back") {
  VersionList list;
  list.install(version(1));
  list.install(version(2));
  {
    const VersionList::Ticket ticket(list);
    for (uint64_t lsn = 3; lsn <= 6; ++lsn) list.install(version(lsn));
    for (uint64_t lsn = 2; lsn <= 6; ++lsn) CHECK((*list.at(Lsn(lsn), in(0ms)))->lsn == Lsn(lsn));
  }
  list.install(version(7));
  CHECK_FALSE(list.at(Lsn(6), in(0ms)).ok());
}

TEST_CASE("a version that is not published yet is waited for, until the deadline") {
  VersionList list;
  list.install(version(1));
  CHECK(list.at(Lsn(2), in(5ms)).status().code() == StatusCode::kBusy);
  std::thread writer([&] {
    std::this_thread::sleep_for(10ms);
    list.install(version(2));
  });
  CHECK((*list.at(Lsn(2), in(30s)))->lsn == Lsn(2));
  writer.join();
}

TEST_CASE("after a failed publish waiters get the failure, and what was published is still there") {
  VersionList list;
  list.install(version(1));
  std::thread writer([&] {
    std::this_thread::sleep_for(10ms);
    list.fail(Status(StatusCode::kNotVisible, "publish failed"));
  });
  const auto waited = list.at(Lsn(2), in(30s));
  writer.join();
  CHECK(waited.status().code() == StatusCode::kNotVisible);
  CHECK(list.at(Lsn(1), in(0ms)).ok());
}

TEST_CASE("the oldest version held is the oldest that anyone still reads") {
  VersionList list;
  list.install(version(1));
  auto first = list.newest();
  list.install(version(2));
  auto second = list.newest();
  list.install(version(3));
  CHECK(list.oldest_held() == Lsn(1));
  first = nullptr;
  CHECK(list.oldest_held() == Lsn(2));
  second = nullptr;
  CHECK(list.oldest_held() == Lsn(3));
}

TEST_CASE("a version is freed when the last who holds it goes") {
  VersionList list;
  list.install(version(1));
  std::weak_ptr<const Version> watched = list.newest();
  auto held = list.newest();
  list.install(version(2));
  CHECK_FALSE(watched.expired());
  held = nullptr;
  CHECK(watched.expired());
}

// A commit is visible in SQLite before its version is installed; a pin must get the version of
// exactly the LSN that it read.
TEST_CASE(
    "readers that read an LSN under a ticket always get exactly that version while commits go on") {
  VersionList list;
  list.install(version(1));
  std::atomic<uint64_t> committed{1};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (uint64_t lsn = 2; !stop; ++lsn) {
      committed.store(lsn);
      if (lsn % 3 == 0) std::this_thread::yield();
      list.install(version(lsn));
    }
  });
  std::atomic<int> exact{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (int round = 0; round < 3000; ++round) {
        const VersionList::Ticket ticket(list);
        const Lsn lsn(committed.load());
        if (round % 7 == 0) std::this_thread::yield();
        const auto found = list.at(lsn, in(30s));
        REQUIRE(found.ok());
        exact += (*found)->lsn == lsn ? 1 : 0;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  stop = true;
  writer.join();
  CHECK(exact == 9000);
}
