// What a feed's handle points to.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "api/braid.h"
#include "api/database.h"
#include "api/remote_connection.h"
#include "engine/commit_feed.h"
#include "sql/change_line.h"

struct braid_feed {
  ~braid_feed();
  int32_t finish(const braid::Status& status);

  std::shared_ptr<braid::Database> database;
  std::shared_ptr<braid::CommitFeed> feed;  // shared: with the engine, which hands it commits
  braid::ChangeModels models;
  bool started = false;  // its first line was taken
  std::optional<braid::CommitFeed::Item> item;  // taken, and not told yet
  std::unique_ptr<braid::RemoteConnection> remote;  // in place of the feed, with the host's number
  uint64_t remote_handle = 0;
  std::deque<std::string> lines;  // that came from there and were not taken
  std::atomic<bool> cancelled{false};
  std::string line;  // lent to the caller until the next call
  std::string error;
};
