// A picture of a part of a graph: what it shows and where, in pixels.
//
// cli/picture_reader fills it from the database, cli/picture_layout gives nodes their places and
// edges their ways, cli/svg_writer writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace braid::cli {

struct PicturePoint {
  double x = 0;
  double y = 0;
};

struct PictureBox {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  bool overlaps(const PictureBox& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  bool holds(PicturePoint point) const {
    return point.x > left && point.x < right && point.y > top && point.y < bottom;
  }
  PictureBox grown(double by) const { return {left - by, top - by, right + by, bottom + by}; }
};

struct PictureNode {
  int64_t id = 0;
  std::string caption;
  std::string details;  ///< for who points at it
  size_t label = 0;     ///< index in Picture::labels
  bool start = false;
  int loops = 0;  ///< edges to itself
  double width = 0;
  double height = 0;
  PicturePoint place;  ///< of the middle

  PictureBox box() const {
    return {place.x - width / 2, place.y - height / 2, place.x + width / 2, place.y + height / 2};
  }
};

/// A cubic Bézier curve.
struct PictureCurve {
  PicturePoint from;
  PicturePoint out;
  PicturePoint in;
  PicturePoint to;

  PicturePoint at(double t) const;
  /// The part between two parameters.
  PictureCurve between(double first, double last) const;
};

struct PictureEdge {
  int64_t id = 0;
  size_t source = 0;  ///< index in Picture::nodes
  size_t target = 0;
  size_t type = 0;   ///< index in Picture::types
  std::string text;  ///< written beside it; "" for nothing
  std::string details;
  PictureCurve curve;
  std::optional<PicturePoint> text_place;  ///< of its middle; none when there is no room
};

struct Picture {
  std::string title;
  std::vector<PictureNode> nodes;
  std::vector<PictureEdge> edges;
  std::vector<std::pair<std::string, size_t>> labels;  ///< with how many nodes have it first
  std::vector<std::pair<std::string, size_t>> types;   ///< with how many edges are of it
};

inline constexpr double kNodeFontSize = 12;
inline constexpr double kEdgeFontSize = 9.5;
inline constexpr double kNodeHeight = 26;
inline constexpr double kNodePadding = 9;

/// How wide a text is in the widest of the usual fonts without serifs, so that it fits in any of
/// them.
double text_width(std::string_view text, double font_size);

/// The text, or its beginning and an ellipsis when it has more columns than `columns_max`. Control
/// characters become spaces.
std::string shortened(std::string_view text, int columns_max);

}  // namespace braid::cli
