// Appending rows of a column, one vector at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace braid {

/// Rows [start, start + count) of `from`; nothing where that is empty, because the column has values of another type.
template <typename To, typename From>
void append_part(std::vector<To>& to, const std::vector<From>& from, size_t start, size_t count) {
  if (from.empty()) return;
  const auto first = from.begin() + static_cast<ptrdiff_t>(start);
  to.insert(to.end(), first, first + static_cast<ptrdiff_t>(count));
}

/// The same of nulls or deletions: one byte per row once any is set; `before` rows are there.
inline void append_marks(std::vector<uint8_t>& to, std::span<const uint8_t> from, size_t before, size_t start, size_t count) {
  if (from.empty() && to.empty()) return;
  to.resize(before, 0);
  if (from.empty()) {
    to.resize(before + count, 0);
  } else {
    const auto part = from.subspan(start, count);
    to.insert(to.end(), part.begin(), part.end());
  }
}

}  // namespace braid
