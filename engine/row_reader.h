// Rows of the b-trees of a rows.db that may be damaged. What belongs to a tree is told by going down from its root, and, for what lies below a
// damaged page, by the pointer map that auto-vacuum keeps: it names the parent of each page and the pages that are free, so that no deleted row
// comes back. https://sqlite.org/fileformat2.html
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/page_source.h"
#include "engine/result.h"

namespace braid {

/// A value of a record, as SQLite stored it. Bytes are borrowed.
struct StoredValue {
  enum class Kind : uint8_t { kNull, kInteger, kReal, kText, kBlob };
  Kind kind = Kind::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes{};
};

struct StoredRow {
  int64_t rowid = 0;  ///< of a table that has one
  std::vector<StoredValue> values;
};

/// One thread.
class RowReader {
 public:
  explicit RowReader(const PageSource& pages);

  /// Calls `visit` with every row of the tree that can be read, in no order. `root` is 1 for the schema.
  Status visit(uint32_t root, const std::function<Status(const StoredRow&)>& visit);
  /// Pages of the tree that cannot be read, and rows whose bytes beyond their page cannot, since the last `visit`.
  const std::vector<uint32_t>& lost_pages() const { return lost_pages_; }
  uint64_t lost_rows() const { return lost_rows_; }
  /// Roots of tables with rows that nobody has asked for.
  std::vector<uint32_t> unvisited_tables() const;

 private:
  enum class PageKind : uint8_t { kUnknown, kFree, kRoot, kChild, kOverflow };
  struct Place {
    PageKind kind = PageKind::kUnknown;
    uint32_t parent = 0;
  };
  void read_pointer_map();
  void find_roots();
  uint32_t root_above(uint32_t page) const;
  Status visit_page(std::string_view page, bool first, const std::function<Status(const StoredRow&)>& visit);
  bool read_cell(std::string_view page, size_t at, uint8_t kind, StoredRow& row);
  bool gather(std::string_view cell, uint64_t payload_bytes, bool table, std::string& out) const;
  static bool decode(std::string_view record, StoredRow& row);

  const PageSource& pages_;
  std::vector<Place> places_;   // by page
  std::vector<uint32_t> root_;  // by page: the root of its tree, or 0
  std::vector<uint32_t> visited_;
  std::vector<uint32_t> lost_pages_;
  uint64_t lost_rows_ = 0;
  std::string payload_;
};

}  // namespace braid
