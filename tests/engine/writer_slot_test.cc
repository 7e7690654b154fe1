#include "engine/writer_slot.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

using namespace braid;
using namespace std::chrono_literals;

namespace {

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
constexpr auto kLong = 30s;

struct Member final : GroupMember {
  int number = 0;
};

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(200us);
}

}  // namespace

TEST_CASE("a free slot is taken at once, and a released one again") {
  WriterSlot slot(8);
  for (int i = 0; i < 3; ++i) {
    CHECK(slot.acquire(in(0ms)).ok());
    slot.release();
  }
  CHECK(slot.waiting() == 0);
}

TEST_CASE("a slot that is not free by the deadline is busy, and who gave up is not in the queue") {
  WriterSlot slot(8);
  REQUIRE(slot.acquire(in(kLong)).ok());
  std::thread([&] {
    CHECK(slot.acquire(in(5ms)).code() == StatusCode::kBusy);
    Member member;
    CHECK(slot.acquire_group(member, in(5ms)).status().code() == StatusCode::kBusy);
  }).join();
  CHECK(slot.waiting() == 0);
  slot.release();
  CHECK(slot.acquire(in(0ms)).ok());
  slot.release();
}

TEST_CASE("writers get the slot in the order in which they came") {
  WriterSlot slot(8);
  REQUIRE(slot.acquire(in(kLong)).ok());
  std::vector<int> order;  // guarded by the slot
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      REQUIRE(slot.acquire(in(kLong)).ok());
      order.push_back(i);
      slot.release();
    });
    wait_until([&] { return slot.waiting() == static_cast<size_t>(i) + 1; });
  }
  slot.release();
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("one that gives up in the middle of the queue does not disturb the others") {
  WriterSlot slot(8);
  REQUIRE(slot.acquire(in(kLong)).ok());
  std::atomic<int> served{0};
  std::thread first([&] {
    CHECK(slot.acquire(in(kLong)).ok());
    ++served;
    slot.release();
  });
  wait_until([&] { return slot.waiting() == 1; });
  std::thread impatient([&] { CHECK(slot.acquire(in(20ms)).code() == StatusCode::kBusy); });
  wait_until([&] { return slot.waiting() == 2; });
  std::thread last([&] {
    CHECK(slot.acquire(in(kLong)).ok());
    ++served;
    slot.release();
  });
  impatient.join();
  slot.release();
  first.join();
  last.join();
  CHECK(served == 2);
}

TEST_CASE("batches that wait together are one group, led by one of them") {
  WriterSlot slot(8);
  REQUIRE(slot.acquire(in(kLong)).ok());
  std::vector<Member> members(5);
  std::vector<std::vector<int>> groups;  // guarded by the slot
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    members[static_cast<size_t>(i)].number = i;
    threads.emplace_back([&, i] {
      auto group = slot.acquire_group(members[static_cast<size_t>(i)], in(kLong));
      REQUIRE(group.ok());
      if (group->empty()) return;
      std::vector<int> numbers;
      for (GroupMember* member : *group) numbers.push_back(static_cast<Member*>(member)->number);
      groups.push_back(numbers);
      slot.release_group(*group);
    });
    wait_until([&] { return slot.waiting() == static_cast<size_t>(i) + 1; });
  }
  slot.release();
  for (std::thread& thread : threads) thread.join();
  REQUIRE(groups.size() == 1);
  CHECK(groups[0] == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("a group ends at an interactive writer and at the limit of members") {
  WriterSlot slot(2);
  REQUIRE(slot.acquire(in(kLong)).ok());
  std::vector<Member> members(4);
  std::vector<std::string> order;  // guarded by the slot
  std::vector<std::thread> threads;
  const auto batch = [&](size_t i) {
    threads.emplace_back([&, i] {
      auto group = slot.acquire_group(members[i], in(kLong));
      REQUIRE(group.ok());
      if (group->empty()) return;
      order.push_back("group of " + std::to_string(group->size()));
      slot.release_group(*group);
    });
    wait_until([&, count = threads.size()] { return slot.waiting() == count; });
  };
  batch(0);
  threads.emplace_back([&] {
    REQUIRE(slot.acquire(in(kLong)).ok());
    order.push_back("alone");
    slot.release();
  });
  wait_until([&] { return slot.waiting() == 2; });
  batch(1);
  batch(2);
  batch(3);
  slot.release();
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector<std::string>{"group of 1", "alone", "group of 2", "group of 1"});
}

TEST_CASE("many threads of both kinds: one writer at a time, every batch finished once") {
  WriterSlot slot(16);
  std::atomic<int> inside{0};
  std::atomic<int> finished{0};
  constexpr int kRounds = 300;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        if (i % 3 == 0) {
          REQUIRE(slot.acquire(in(kLong)).ok());
          CHECK(inside.fetch_add(1) == 0);
          inside.fetch_sub(1);
          slot.release();
          continue;
        }
        Member member;
        auto group = slot.acquire_group(member, in(kLong));
        REQUIRE(group.ok());
        if (!group->empty()) {
          CHECK(inside.fetch_add(1) == 0);
          for (GroupMember* one : *group) static_cast<Member*>(one)->number++;
          inside.fetch_sub(1);
          slot.release_group(*group);
        }
        finished += member.number;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(finished == 4 * kRounds);
}
