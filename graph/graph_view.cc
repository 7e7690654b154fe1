#include "graph/graph_view.h"

#include "graph/family_reader.h"
#include "graph/graph_read.h"

namespace braid {
namespace {

constexpr Direction kSides[] = {Direction::kOut, Direction::kIn};

bool includes(Direction direction, Direction side) {
  return (static_cast<uint8_t>(direction) & static_cast<uint8_t>(side)) != 0;
}

template <typename Id>
Status find_ids(const FamilyReader& reader, IndexId index, const PropertyValue& value,
                std::vector<Id>& out) {
  BRAID_ASSIGN(const std::string encoded, encode_index_value(value));
  std::vector<uint64_t> ids;
  BRAID_TRY(read_index_ids(reader, index_prefix(index, encoded), SIZE_MAX, ids));
  for (const uint64_t id : ids) out.emplace_back(id);
  return {};
}

}  // namespace

GraphView::GraphView(std::shared_ptr<const StoreView> base,
                     std::shared_ptr<const GraphOverlay> overlay)
    : base_(std::move(base)), overlay_(std::move(overlay)) {
  if (overlay_ == nullptr) return;
  const GraphOverlay::Stamp stamp = overlay_->stamp();
  overlay_position_ = stamp.position;
  overlay_mark_ = stamp.mark;
}

Status GraphView::check_alive() const {
  if (overlay_ == nullptr || overlay_->holds({overlay_position_, overlay_mark_})) return {};
  return Status(StatusCode::kInterrupted, "transaction was rolled back");
}

namespace {

FamilyReader reader_of(const std::shared_ptr<const StoreView>& base,
                       const std::shared_ptr<const GraphOverlay>& overlay) {
  return {static_cast<const GraphStoreView&>(*base), overlay.get()};
}

}  // namespace

Result<FamilyReader> GraphView::reader() const {
  BRAID_TRY(check_alive());
  return reader_of(base_, overlay_);
}

const GraphStoreView& GraphView::base() const { return static_cast<const GraphStoreView&>(*base_); }

bool GraphView::has_changes() const { return overlay_ != nullptr && overlay_->staged_bytes() > 0; }

Result<std::optional<Node>> GraphView::node(NodeId id) const {
  BRAID_TRY(check_alive());
  return read_node(reader_of(base_, overlay_), id);
}

Result<std::optional<Edge>> GraphView::edge(EdgeId id) const {
  BRAID_TRY(check_alive());
  return read_edge(reader_of(base_, overlay_), id);
}

Result<bool> GraphView::node_exists(NodeId id) const {
  BRAID_TRY(check_alive());
  return braid::node_exists(reader_of(base_, overlay_), id);
}

Status GraphView::neighbors(NodeId id, Direction direction, std::optional<TypeId> type,
                            size_t count_max, std::vector<Neighbor>& out) const {
  BRAID_TRY(check_alive());
  const FamilyReader reader = reader_of(base_, overlay_);
  const size_t limit = count_max > SIZE_MAX - out.size() ? SIZE_MAX : out.size() + count_max;
  for (const Direction side : kSides) {
    if (!includes(direction, side)) continue;
    BRAID_TRY(read_neighbors(reader, {.node = id, .direction = side, .type = type, .count_max = limit, .stops = true}, out));
  }
  return {};
}

Result<uint64_t> GraphView::degree(NodeId id, Direction direction,
                                   std::optional<TypeId> type) const {
  BRAID_TRY(check_alive());
  const FamilyReader reader = reader_of(base_, overlay_);
  uint64_t total = 0;
  for (const Direction side : kSides) {
    if (!includes(direction, side)) continue;
    BRAID_ASSIGN(const uint64_t count, type ? read_degree(reader, id, side, *type)
                                            : read_degree(reader, id, side));
    total += count;
  }
  return total;
}

Status GraphView::find_nodes(IndexId index, const PropertyValue& value,
                             std::vector<NodeId>& out) const {
  BRAID_TRY(check_alive());
  return find_ids(reader_of(base_, overlay_), index, value, out);
}

Status GraphView::find_edges(IndexId index, const PropertyValue& value,
                             std::vector<EdgeId>& out) const {
  BRAID_TRY(check_alive());
  return find_ids(reader_of(base_, overlay_), index, value, out);
}

Status GraphView::scan_index(IndexId index, const IndexRange& range, const IndexHit* after,
                             size_t count_max, std::vector<IndexHit>& out) const {
  BRAID_TRY(check_alive());
  const FamilyReader reader = reader_of(base_, overlay_);
  return range.descending ? scan_index_down(reader, index, range, after, count_max, out)
                          : scan_index_up(reader, index, range, after, count_max, out);
}

Status GraphView::scan_nodes(NodeId after, size_t count_max, std::vector<Node>& out) const {
  BRAID_TRY(check_alive());
  return braid::scan_nodes(reader_of(base_, overlay_), after, count_max, out);
}

Status GraphView::scan_label(LabelId label, NodeId after, size_t count_max,
                             std::vector<NodeId>& out) const {
  BRAID_TRY(check_alive());
  return braid::scan_label(reader_of(base_, overlay_), label, after, count_max, out);
}

Status GraphView::scan_edges(EdgeId after, size_t count_max, std::vector<Edge>& out) const {
  BRAID_TRY(check_alive());
  return braid::scan_edges(reader_of(base_, overlay_), after, count_max, out);
}

}  // namespace braid
