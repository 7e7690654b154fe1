// A feed of commits for tests: its lines as JSON.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/braid.h"
#include "tests/support/database.h"

namespace braid {

using Json = nlohmann::ordered_json;

class TestFeed {
 public:
  explicit TestFeed(TestDatabase& database, uint32_t models = 0, uint64_t bytes_max = 0) {
    braid_feed_options options{};
    options.size_bytes = sizeof options;
    options.models = models;
    options.bytes_max = bytes_max;
    code_ = braid_feed_open(database.get(), &options, &handle_);
    if (code_ != BRAID_OK) return;
    const auto first = next(10'000);
    REQUIRE(first.has_value());
    start = (*first).at("start").get<uint64_t>();
  }
  ~TestFeed() { braid_feed_close(handle_); }
  TestFeed(const TestFeed&) = delete;
  TestFeed& operator=(const TestFeed&) = delete;

  int32_t code() const { return code_; }
  braid_feed* get() const { return handle_; }
  std::string error() const { return braid_feed_error(handle_); }
  /// Nothing when none came in time, or after an error.
  std::optional<Json> next(int64_t timeout_ms = 0) {
    const char* line = nullptr;
    size_t length = 0;
    code_ = braid_feed_next(handle_, timeout_ms, &line, &length);
    if (code_ != BRAID_ROW) return std::nullopt;
    CHECK(std::string_view(line, length).find('\n') == std::string_view::npos);
    return Json::parse(std::string_view(line, length));
  }
  /// The next line, which must be there.
  Json line() {
    const auto got = next(10'000);
    REQUIRE_MESSAGE(got.has_value(), error());
    return *got;
  }

  uint64_t start = 0;

 private:
  braid_feed* handle_ = nullptr;
  int32_t code_ = BRAID_OK;
};

}  // namespace braid
