// A picture's nodes and edges from the database, with places in units of the layout.
#pragma once

#include "cli/graph_selection.h"
#include "cli/picture.h"

namespace braid::cli {

inline constexpr int64_t kPictureNodesDefault = 200;
inline constexpr int64_t kPictureNodesMax = 1'000;
inline constexpr size_t kPictureEdgesMax = 10'000;

/// What is read, and where the library's layout puts it.
struct PictureReading {
  Picture picture;
  bool layered = false;
};
Outcome<PictureReading> read_picture(const Session& session, const GraphArguments& arguments,
                                     const GraphSelection& selection);

}  // namespace braid::cli
