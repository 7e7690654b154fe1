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

/// Joins; as a leader, takes all members that there are, answers them and leaves. Returns the group, empty for who did not lead.
std::vector<Member*> lead_or_follow(WriterSlot& slot, Member& member, const std::function<void(std::vector<Member*>&)>& lead) {
  const auto leads = slot.join(member, in(kLong));
  REQUIRE(leads.ok());
  if (!*leads) return {};
  std::vector<GroupMember*> group = {&member};
  while (GroupMember* next = slot.next_member(group.size())) group.push_back(next);
  std::vector<Member*> members;
  for (GroupMember* one : group) members.push_back(static_cast<Member*>(one));
  lead(members);
  slot.finish(group);
  slot.release();
  return members;
}

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
    CHECK(slot.join(member, in(5ms)).status().code() == StatusCode::kBusy);
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
      lead_or_follow(slot, members[static_cast<size_t>(i)], [&](std::vector<Member*>& group) {
        std::vector<int> numbers;
        for (const Member* member : group) numbers.push_back(member->number);
        groups.push_back(numbers);
      });
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
      lead_or_follow(slot, members[i],
                     [&](std::vector<Member*>& group) { order.push_back("group of " + std::to_string(group.size())); });
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
        lead_or_follow(slot, member, [&](std::vector<Member*>& group) {
          CHECK(inside.fetch_add(1) == 0);
          for (Member* one : group) one->number++;
          inside.fetch_sub(1);
        });
        finished += member.number;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(finished == 4 * kRounds);
}

TEST_CASE("a batch that comes while the leader works is taken into its group") {
  WriterSlot slot(8);
  Member first;
  REQUIRE(*slot.join(first, in(kLong)));
  CHECK_FALSE(slot.expects_more(1));
  Member late;
  std::thread follower([&] { CHECK_FALSE(*slot.join(late, in(kLong))); });
  wait_until([&] { return slot.waiting() == 1; });
  CHECK(slot.expects_more(1));
  CHECK(slot.next_member(1) == &late);
  CHECK(slot.next_member(2) == nullptr);
  const std::vector<GroupMember*> group = {&first, &late};
  slot.finish(group);
  follower.join();  // it goes on although the slot is still held
  CHECK(slot.busy());
  slot.release();
  CHECK_FALSE(slot.busy());
}

TEST_CASE("a leader waits for batches of the last group, but not for long") {
  WriterSlot slot(8);
  Member first, second;
  REQUIRE(*slot.join(first, in(kLong)));
  std::thread follower([&] { CHECK_FALSE(*slot.join(second, in(kLong))); });
  wait_until([&] { return slot.waiting() == 1; });
  REQUIRE(slot.next_member(1) == &second);
  const std::vector<GroupMember*> group = {&first, &second};
  slot.finish(group);
  slot.release();
  follower.join();
  REQUIRE(*slot.join(first, in(kLong)));
  CHECK(slot.expects_more(1));
  const auto start = std::chrono::steady_clock::now();
  CHECK(slot.next_member(1) == nullptr);
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  const std::vector<GroupMember*> alone = {&first};
  slot.finish(alone);
  slot.release();
}

TEST_CASE("a wake-up is not lost, before or after the wait, and a wait ends at its deadline") {
  WakeUp never;
  CHECK_FALSE(never.wait_until(in(5ms)));
  CHECK_FALSE(never.wait_until(in(0ms)));
  WakeUp before;
  before.post();
  CHECK(before.wait_until(in(0ms)));
  for (int round = 0; round < 2000; ++round) {
    WakeUp wake;
    int written = 0;  // handed over by the post
    std::thread other([&] {
      written = round;
      wake.post();
    });
    if (round % 2 == 0)
      wake.wait();
    else
      CHECK(wake.wait_until(in(kLong)));
    CHECK(written == round);
    other.join();
  }
}
