// A picture as SVG.
#pragma once

#include <string>

#include "cli/picture.h"

namespace braid::cli {

/// The document. Nodes and edges have their places.
std::string svg_text(const Picture& picture);

}  // namespace braid::cli
