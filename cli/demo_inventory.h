// What the demo loads: things of this machine, what they need, and what happened to them.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid::cli::demo {

/// The number that the text begins with, after blanks; 0 where there is none.
inline int64_t parse_int64(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Item {
  std::string name;
  std::string version;
  std::string group;
  std::string owner;
  std::string summary;
  int64_t size_kib = 0;
};

// `from` is an item. `to` is an item, or a virtual one that only exists because something provides
// it.
struct Edge {
  std::string from;
  std::string type;
  std::string to;
  bool to_virtual = false;
  // How many things here would satisfy the need; 1 means that `from` breaks when `to` goes. 0: not
  // a need.
  int64_t choices = 0;
  std::string constraint;    // ">= 2.36", or empty
  std::string alternatives;  // "debconf | debconf-2.0", or empty when there was no choice
};

// Time in microseconds since 1970-01-01 UTC.
struct Event {
  int64_t time = 0;
  std::string item;
  std::string action;
  std::string detail;
};

// The names under which an inventory appears in SQL and in sentences.
struct Wording {
  std::string items;           // "packages", also the table
  std::string label;           // "Package"
  std::string version_column;  // "version"
  std::string group_column;    // "section"
  std::string owner_column;    // "maintainer"
  std::string events;          // "package_events"
  std::string tag;             // "package": the tag of the events
  std::string detail_column;   // "version"
  std::string need;            // the edge type that paths follow
  std::string direct_need;     // the edge type of something new that needs an item
  std::string needs_sql;       // the edge types that break, as SQL literals
  std::string origin;          // where it was read
};

struct Inventory {
  Wording wording;
  std::vector<Item> items;
  std::vector<std::string> virtuals;
  std::vector<Edge> edges;
  std::vector<Event> events;
  int64_t edges_absent =
      0;  // needs for something that is not here: alternatives and recommendations
};

}  // namespace braid::cli::demo
