// Places in pixels: nodes apart from each other, edges around nodes, texts where there is room.
#pragma once

#include "cli/picture.h"

namespace braid::cli {

/// Takes places in units of a layout, in which connected nodes are about 1 apart; with `layered`,
/// nodes of a layer have the same y.
void place_nodes(Picture* picture, bool layered);

/// Gives each edge its curve between the outlines of its ends: apart from other edges of the two
/// nodes, and where that is possible without crossing a third node.
void route_edges(Picture* picture);

/// Gives each edge's text a place on the edge where it hides neither a node nor another text.
void place_edge_texts(Picture* picture);

/// What the text of an edge covers when its middle is at `place`.
PictureBox edge_text_box(const PictureEdge& edge, PicturePoint place);

}  // namespace braid::cli
