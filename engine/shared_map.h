// A map that its copies share until one of them changes.
#pragma once

#include <atomic>
#include <map>
#include <memory>

namespace braid {

/// Copying costs the same for any number of entries. Threads: copies may be read from any thread; one is changed by its only owner.
template <typename Key, typename Value>
class SharedMap {
 public:
  using Map = std::map<Key, Value>;

  const Map& get() const { return *map_; }
  operator const Map&() const { return *map_; }
  auto begin() const { return get().begin(); }
  auto end() const { return get().end(); }
  auto rbegin() const { return get().rbegin(); }
  auto find(const Key& key) const { return get().find(key); }
  const Value& at(const Key& key) const { return get().at(key); }
  bool contains(const Key& key) const { return get().contains(key); }
  size_t size() const { return get().size(); }
  bool empty() const { return get().empty(); }
  /// Is it the same map, so that its entries need not be compared?
  bool shares(const SharedMap& other) const { return map_ == other.map_; }

  /// This copy's own map. Iterators of it from before stay valid only if nobody shared it.
  Map& change() {
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
    // Safety: another copy that was just given up was read before that.
    std::atomic_thread_fence(std::memory_order_acquire);
    return *map_;
  }

 private:
  std::shared_ptr<Map> map_ = std::make_shared<Map>();  // shared: by copies
};

}  // namespace braid
