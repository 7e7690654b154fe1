// Owners of the C API's handles: the one place of the command that closes them.
#pragma once

#include <memory>

#include "api/braid.h"

namespace braid::cli {

template <auto close>
struct Closer {
  template <typename Handle>
  void operator()(Handle* handle) const {
    close(handle);
  }
};

using DatabaseHandle = std::unique_ptr<braid_database, Closer<braid_close>>;
using ConnectionHandle = std::unique_ptr<braid_connection, Closer<braid_disconnect>>;
using StatementHandle = std::unique_ptr<braid_statement, Closer<braid_statement_close>>;
using FeedHandle = std::unique_ptr<braid_feed, Closer<braid_feed_close>>;
using AppenderHandle = std::unique_ptr<braid_appender, Closer<braid_appender_close>>;

}  // namespace braid::cli
