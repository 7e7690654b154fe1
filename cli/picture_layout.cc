#include "cli/picture_layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace braid::cli {

namespace {

constexpr double kLayerHeight = 92;
constexpr double kLoopReach = 26;
constexpr double kLoopStep = 17;

/// Between nodes. Texts at edges need some of it.
struct Gap {
  double x = 16;
  double y = 18;
};

Gap gap_of(const Picture& picture) {
  const auto texts = std::count_if(picture.edges.begin(), picture.edges.end(),
                                   [](const PictureEdge& edge) { return !edge.text.empty(); });
  return static_cast<size_t>(3 * texts) > picture.edges.size() ? Gap{40, 26} : Gap{};
}

/// How far a node's loops reach up and to the right.
double loop_reach(int loops) {
  return loops == 0 ? 0 : kLoopReach + kLoopStep * (loops - 1) + kEdgeFontSize;
}

// ---- Nodes
// ----------------------------------------------------------------------------------------------------------------

/// The room that a node needs: half of the gap around it, and its loops.
PictureBox room_of(const PictureNode& node, const Gap& gap) {
  const PictureBox box = node.box();
  const double loops = loop_reach(node.loops);
  return {box.left - gap.x / 2, box.top - gap.y / 2 - loops, box.right + gap.x / 2 + loops,
          box.bottom + gap.y / 2};
}

size_t overlaps_at(std::vector<PictureNode>* nodes, const std::vector<PicturePoint>& places,
                   const Gap& gap, double scale_x, double scale_y) {
  for (size_t i = 0; i < nodes->size(); ++i)
    (*nodes)[i].place = {places[i].x * scale_x, places[i].y * scale_y};
  size_t count = 0;
  for (size_t i = 0; i < nodes->size(); ++i) {
    const PictureBox room = room_of((*nodes)[i], gap);
    for (size_t j = i + 1; j < nodes->size(); ++j)
      count += room.overlaps(room_of((*nodes)[j], gap)) ? 1 : 0;
  }
  return count;
}

/// Pushes two nodes apart along the way that is shorter for their shape.
bool push_apart(PictureNode* a, PictureNode* b, const Gap& gap) {
  const PictureBox first = room_of(*a, gap), second = room_of(*b, gap);
  if (!first.overlaps(second)) return false;
  const double x = std::min(first.right, second.right) - std::max(first.left, second.left);
  const double y = std::min(first.bottom, second.bottom) - std::max(first.top, second.top);
  constexpr double kMore = 0.5;  // so that rounding does not leave them touching
  if (x < y) {
    const double step = (x / 2 + kMore) * (a->place.x <= b->place.x ? 1 : -1);
    a->place.x -= step;
    b->place.x += step;
  } else {
    const double step = (y / 2 + kMore) * (a->place.y <= b->place.y ? 1 : -1);
    a->place.y -= step;
    b->place.y += step;
  }
  return true;
}

void place_freely(std::vector<PictureNode>* nodes, const Gap& gap) {
  constexpr double kFirstScale = 62, kLastScale = 260, kScaleStep = 1.1;
  constexpr double kBroader = 1.25, kLower = 0.85;  // captions are broad
  constexpr int kRoundsMax = 600;
  std::vector<PicturePoint> places;
  for (const PictureNode& node : *nodes) places.push_back(node.place);
  for (double scale = kFirstScale; scale < kLastScale; scale *= kScaleStep) {
    if (overlaps_at(nodes, places, gap, scale * kBroader, scale * kLower) <= nodes->size() / 12)
      break;
  }
  bool moved = true;
  for (int round = 0; round < kRoundsMax && moved; ++round) {
    moved = false;
    for (size_t i = 0; i < nodes->size(); ++i) {
      for (size_t j = i + 1; j < nodes->size(); ++j)
        moved = push_apart(&(*nodes)[i], &(*nodes)[j], gap) || moved;
    }
  }
}

// The least stretching along the layers that keeps all neighbours apart; order and shape stay the
// layout's.
void place_in_layers(std::vector<PictureNode>* nodes, const Gap& gap) {
  std::map<double, std::vector<PictureNode*>> rows;
  double scale = 40, reach = 0;
  for (PictureNode& node : *nodes) {
    rows[node.place.y].push_back(&node);
    reach = std::max(reach, loop_reach(node.loops));
  }
  for (auto& [y, row] : rows) {
    std::sort(row.begin(), row.end(),
              [](const PictureNode* a, const PictureNode* b) { return a->place.x < b->place.x; });
    for (size_t i = 1; i < row.size(); ++i) {
      const double needed =
          (row[i - 1]->width + row[i]->width) / 2 + gap.x + loop_reach(row[i - 1]->loops);
      const double apart = std::max(row[i]->place.x - row[i - 1]->place.x, 1e-3);
      scale = std::max(scale, needed / apart);
    }
  }
  for (PictureNode& node : *nodes)
    node.place = {node.place.x * scale, node.place.y * (kLayerHeight + reach)};
}

// ---- Edges
// ----------------------------------------------------------------------------------------------------------------

constexpr int kSamples = 24;

/// The straight way between two points, bent so that its middle is `bend` beside the straight line.
PictureCurve bent(PicturePoint from, PicturePoint to, double bend) {
  const double x = to.x - from.x, y = to.y - from.y, length = std::max(std::hypot(x, y), 1.0);
  // Each of the two middle points of a cubic curve moves its middle by 3/8.
  const double aside = bend * 4 / 3;
  const PicturePoint normal = {-y / length * aside, x / length * aside};
  return {from,
          {from.x + x / 3 + normal.x, from.y + y / 3 + normal.y},
          {from.x + x * 2 / 3 + normal.x, from.y + y * 2 / 3 + normal.y},
          to};
}

/// How many nodes besides its ends a curve crosses.
int crossed_nodes(const Picture& picture, const PictureEdge& edge, const PictureCurve& curve) {
  constexpr double kAway = 4;
  std::array<PicturePoint, kSamples> points;
  PictureBox around = {1e300, 1e300, -1e300, -1e300};
  for (int i = 0; i < kSamples; ++i) {
    points[i] = curve.at((i + 0.5) / kSamples);
    around = {std::min(around.left, points[i].x), std::min(around.top, points[i].y),
              std::max(around.right, points[i].x), std::max(around.bottom, points[i].y)};
  }
  int count = 0;
  for (size_t i = 0; i < picture.nodes.size(); ++i) {
    if (i == edge.source || i == edge.target) continue;
    const PictureBox box = picture.nodes[i].box().grown(kAway);
    if (!box.overlaps(around)) continue;
    count += std::any_of(points.begin(), points.end(),
                         [&](PicturePoint point) { return box.holds(point); })
                 ? 1
                 : 0;
  }
  return count;
}

/// Where the curve leaves the box that its end `at` (0 or 1) is in.
double leaving(const PictureCurve& curve, const PictureBox& box, double at) {
  double inside = at, outside = 0.5;
  if (box.holds(curve.at(outside))) return at;
  for (int i = 0; i < 30; ++i) {
    const double middle = (inside + outside) / 2;
    (box.holds(curve.at(middle)) ? inside : outside) = middle;
  }
  return outside;
}

void route(Picture* picture, PictureEdge* edge, double bend) {
  constexpr std::array<double, 17> kDetours = {0,   22,   -22, 44,   -44, 66,   -66, 88,  -88,
                                               112, -112, 140, -140, 175, -175, 215, -215};
  const PictureNode& source = picture->nodes[edge->source];
  const PictureNode& target = picture->nodes[edge->target];
  PictureCurve best;
  int fewest = INT32_MAX;
  for (const double detour : kDetours) {
    const PictureCurve curve = bent(source.place, target.place, bend + detour);
    const int crossed = crossed_nodes(*picture, *edge, curve);
    if (crossed >= fewest) continue;
    fewest = crossed;
    best = curve;
    if (crossed == 0) break;
  }
  edge->curve =
      best.between(leaving(best, source.box(), 0), leaving(best, target.box().grown(1), 1));
}

/// Loop number `index` of a node: around its upper right corner, each wider than the one before.
void route_loop(const PictureNode& node, int index, PictureEdge* edge) {
  const PictureBox box = node.box();
  // A cubic curve goes 3/4 of the way to its middle points.
  const double reach = (kLoopReach + kLoopStep * index) * 4 / 3;
  const PicturePoint from = {box.right - std::min(node.width / 2, 12.0 + 5 * index), box.top};
  const PicturePoint to = {box.right, node.place.y + std::min(9.0, 1.0 + 3 * index)};
  edge->curve = {from, {from.x + 2, from.y - reach}, {to.x + reach, to.y - 4}, to};
}

}  // namespace

void place_nodes(Picture* picture, bool layered) {
  if (layered) {
    place_in_layers(&picture->nodes, gap_of(*picture));
  } else {
    place_freely(&picture->nodes, gap_of(*picture));
  }
}

void route_edges(Picture* picture) {
  constexpr double kApart = 26;
  std::map<std::pair<size_t, size_t>, std::vector<PictureEdge*>> bundles;
  for (PictureEdge& edge : picture->edges)
    bundles[std::minmax(edge.source, edge.target)].push_back(&edge);
  for (auto& [ends, bundle] : bundles) {
    for (size_t i = 0; i < bundle.size(); ++i) {
      if (ends.first == ends.second) {
        route_loop(picture->nodes[ends.first], static_cast<int>(i), bundle[i]);
        continue;
      }
      const double bend =
          (static_cast<double>(i) - static_cast<double>(bundle.size() - 1) / 2) * kApart;
      // Which side is left depends on the direction.
      route(picture, bundle[i], bundle[i]->source == ends.first ? bend : -bend);
    }
  }
}

void place_edge_texts(Picture* picture) {
  constexpr std::array<double, 11> kWhere = {0.5,  0.44, 0.56, 0.38, 0.62, 0.32,
                                             0.68, 0.26, 0.74, 0.2,  0.8};
  // On the line, else beside it.
  constexpr std::array<double, 5> kAside = {0, -13, 13, -21, 21};
  std::vector<PictureBox> taken;
  for (const PictureNode& node : picture->nodes) taken.push_back(node.box().grown(1));
  const auto fits = [&taken](const PictureBox& box) {
    return std::none_of(taken.begin(), taken.end(),
                        [&](const PictureBox& other) { return other.overlaps(box); });
  };
  for (PictureEdge& edge : picture->edges) {
    if (edge.text.empty()) continue;
    for (size_t i = 0; i < kAside.size() * kWhere.size() && !edge.text_place.has_value(); ++i) {
      PicturePoint point = edge.curve.at(kWhere[i % kWhere.size()]);
      point.y += kAside[i / kWhere.size()];
      // Upon a loop it would hide it.
      if (edge.source == edge.target) point.x += text_width(edge.text, kEdgeFontSize) / 2 + 4;
      const PictureBox box = edge_text_box(edge, point);
      if (!fits(box)) continue;
      edge.text_place = point;
      taken.push_back(box);
    }
  }
}

PictureBox edge_text_box(const PictureEdge& edge, PicturePoint place) {
  const double half_width = text_width(edge.text, kEdgeFontSize) / 2 + 2,
               half_height = kEdgeFontSize / 2 + 2;
  return {place.x - half_width, place.y - half_height, place.x + half_width, place.y + half_height};
}

}  // namespace braid::cli
