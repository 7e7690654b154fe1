#include "timeseries/series_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "timeseries/series_set.h"

using namespace braid;

namespace {

/// Few, many, dense and spread over several ranges of 65,536.
std::set<uint32_t> random_numbers(std::mt19937& random) {
  std::set<uint32_t> numbers;
  const uint32_t span = random() % 2 == 0 ? 9000 : 400'000;
  const size_t count = random() % 3 == 0 ? 20 : random() % 2 == 0 ? 6000 : 70'000;
  for (size_t i = 0; i < count; ++i) numbers.insert(static_cast<uint32_t>(random() % span));
  return numbers;
}

SeriesSet set_of(const std::set<uint32_t>& numbers) {
  SeriesSet set;
  for (const uint32_t number : numbers) set.add(number);
  return set;
}

void require_same(const SeriesSet& set, const std::vector<uint32_t>& numbers) {
  REQUIRE(set.size() == numbers.size());
  REQUIRE(set.numbers() == numbers);
}

using Tags = std::vector<std::optional<std::string>>;

struct Fixture {
  Catalog catalog;
  SeriesIndex index{catalog};
  HypertableDefinition table;
  std::map<SeriesId, Tags> series;
  std::mt19937 random{11};

  Fixture() {
    table.id = HypertableId(3);
    table.name = "m";
    table.tags = {"host", "region"};
  }
  void add(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const SeriesId id(series.size() * 2 + 1);  // an id in two was rolled back
      const std::string region = "r" + std::to_string(random() % 3);
      Tags tags = {"h" + std::to_string(id.value() % 997), random() % 4 == 0 ? std::nullopt : std::optional(region)};
      catalog.add_series(table.id, id, encode_tags({tags.begin(), tags.end()}));
      catalog.add_series(HypertableId(4), SeriesId(id.value() + 1'000'000), encode_tags({"other", "other"}));
      series[id] = std::move(tags);
    }
  }
  template <typename Wanted>
  std::vector<SeriesId> expected(Wanted wanted) const {
    std::vector<SeriesId> out;
    for (const auto& [id, tags] : series)
      if (wanted(tags)) out.push_back(id);
    return out;
  }
};

}  // namespace

TEST_CASE("sets of series unite and intersect as sets of numbers do") {
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    const auto a = random_numbers(random), b = random_numbers(random);
    SeriesSet united = set_of(a), common = set_of(a);
    const SeriesSet other = set_of(b);
    united.unite(other);
    common.intersect(other);
    std::vector<uint32_t> either, both;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(either));
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    require_same(united, either);
    require_same(common, both);
    for (int i = 0; i < 100; ++i) {
      const auto number = static_cast<uint32_t>(random() % 500'000);
      REQUIRE(other.contains(number) == (b.count(number) == 1));
    }
  }
}

TEST_CASE("series are chosen and grouped by their tags, also those that were added later") {
  Fixture f;
  using Kind = TagConstraint::Kind;
  const Tags hosts = {"h5", "h7", "h500", "nowhere"};
  const Tags regions = {std::nullopt, "r1"};
  for (const size_t more : {0, 1, 3000, 40}) {
    f.add(more);
    CHECK(*f.index.all(f.table) == f.expected([](const Tags&) { return true; }));
    const TagConstraint by_region[] = {{}, {Kind::kOneOf, regions}};
    CHECK(*f.index.choose(f.table, by_region) == f.expected([](const Tags& tags) { return !tags[1] || tags[1] == "r1"; }));
    const TagConstraint by_both[] = {{Kind::kOneOf, hosts}, {Kind::kNotNull, {}}};
    CHECK(*f.index.choose(f.table, by_both) ==
          f.expected([&](const Tags& tags) { return tags[1] && std::find(hosts.begin(), hosts.end(), tags[0]) != hosts.end(); }));
    const TagConstraint nothing[] = {{Kind::kOneOf, {}}, {}};
    CHECK(f.index.choose(f.table, nothing)->empty());
    const auto chosen = f.expected([](const Tags& tags) { return tags[1] != "r2"; });
    for (const std::vector<size_t>& keys : {std::vector<size_t>{1}, {0, 1}, {1, 0}, {}}) {
      const auto groups = f.index.group(f.table, keys, chosen);
      REQUIRE(groups.ok());
      REQUIRE(groups->of_series.size() == chosen.size());
      std::set<Tags> told;
      for (size_t i = 0; i < chosen.size(); ++i) {
        const Tags& of_group = groups->tags[groups->of_series[i]];
        REQUIRE(of_group.size() == keys.size());
        for (size_t key = 0; key < keys.size(); ++key) REQUIRE(of_group[key] == f.series.at(chosen[i])[keys[key]]);
        told.insert(of_group);
      }
      CHECK(told.size() == groups->tags.size());
    }
  }
  CHECK(f.index.group(f.table, std::vector<size_t>{0}, std::vector{SeriesId(2)}).status().code() == StatusCode::kNotFound);
}

TEST_CASE("tags that cannot be read are told") {
  Fixture f;
  f.add(3);
  f.catalog.add_series(f.table.id, SeriesId(99), std::string("\x7f", 1));
  CHECK(f.index.all(f.table).status().code() == StatusCode::kCorrupt);
  CHECK(f.index.all(f.table).status().message().find("series 99") != std::string::npos);
}
