#include "graph/projection_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/graph_store_view.h"

namespace braid {
namespace {

constexpr size_t kWalkKindsMax = 1000;

}  // namespace

ProjectionCache::ProjectionCache(uint64_t bytes_max, std::shared_ptr<MemoryBudget> memory) : bytes_max_(bytes_max), memory_(std::move(memory)) {}

void ProjectionCache::give_up_unused() {
  std::list<Built> unused;  // destroyed after the lock
  MutexLock lock(mutex_);
  for (auto one = built_.begin(); one != built_.end();) {
    const auto next = std::next(one);
    if (one->projection.use_count() == 1) unused.splice(unused.end(), built_, one);
    one = next;
  }
}

Status ProjectionCache::define(std::string_view name, const ProjectionSpec& spec) {
  MutexLock lock(mutex_);
  if (named_.emplace(std::string(name), spec).second) return {};
  return Status(StatusCode::kConstraint, fmt::format("there is a projection '{}' already; graph_project_drop('{}') drops it", name, name));
}

Result<ProjectionSpec> ProjectionCache::find(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = named_.find(name);
  if (found != named_.end()) return found->second;
  std::string names;
  for (const auto& [other, spec] : named_) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", other);
  return Status(StatusCode::kNotFound,
                fmt::format("there is no projection '{}'; {}{}; graph_project(name, ...) makes one", name,
                            names.empty() ? "there are none" : "there are ", names));
}

Status ProjectionCache::drop(std::string_view name) {
  BRAID_ASSIGN(const ProjectionSpec spec, find(name));
  MutexLock lock(mutex_);
  named_.erase(named_.find(name));
  built_.remove_if([&spec](const Built& built) { return built.spec == spec; });
  return {};
}

std::vector<ProjectionCache::Named> ProjectionCache::list(const GraphStoreView& newest) const {
  MutexLock lock(mutex_);
  std::vector<Named> out;
  for (const auto& [name, spec] : named_) {
    Named named{name, spec, nullptr, false};
    const auto built = std::find_if(built_.begin(), built_.end(), [&spec = spec](const Built& one) { return one.spec == spec; });
    if (built != built_.end()) {
      named.built = built->projection;
      named.current = built->sequence == newest.sequence();
    }
    out.push_back(std::move(named));
  }
  return out;
}

Result<std::shared_ptr<const Projection>> ProjectionCache::get(const GraphView& view, const ProjectionSpec& spec,
                                                               const std::atomic<bool>* cancel) {
  const ProjectionLimits limits{bytes_max_, cancel, memory_};
  if (view.has_changes()) return Projection::build(view, spec, limits);
  const uint64_t sequence = view.base().sequence();
  std::shared_ptr<const Projection> behind;
  std::optional<std::vector<ShapeChange>> changes;
  Projection* owned = nullptr;
  {
    MutexLock lock(mutex_);
    const auto built = std::find_if(built_.begin(), built_.end(), [&spec](const Built& one) { return one.spec == spec; });
    if (built != built_.end() && built->sequence <= sequence) {
      built_.splice(built_.begin(), built_, built);
      if (built->sequence == sequence) return built->projection;
      behind = built->projection;
      changes = journal_.between(built->sequence, sequence);
      if (changes && behind.use_count() == 2) {
        // Nobody else reads it, and nobody will: it is made anew from what it has. Its object was not const when it was made.
        owned = std::const_pointer_cast<Projection>(behind).get();
        built_.erase(built);
      }
    }
  }
  std::shared_ptr<const Projection> projection;
  if (changes) {
    BRAID_ASSIGN(projection, patch_projection(*behind, *changes, view, owned));
  }
  if (projection == nullptr || projection->memory_bytes() > bytes_max_) {
    BRAID_ASSIGN(projection, Projection::build(view, spec, limits));
  }
  MutexLock lock(mutex_);
  keep({spec, sequence, projection});
  return projection;
}

Result<std::shared_ptr<const Projection>> ProjectionCache::get_changed(const GraphView& base, const GraphView& changed,
                                                                       const std::vector<ShapeChange>& changes,
                                                                       const ProjectionSpec& spec, const std::atomic<bool>* cancel) {
  const auto projection = get(base, spec, cancel);
  // What is wrong with the committed graph the changes may have mended.
  if (!projection.ok()) return Projection::build(changed, spec, {bytes_max_, cancel, memory_});
  BRAID_ASSIGN(auto patched, patch_projection(**projection, changes, changed));
  if (patched != nullptr && patched->memory_bytes() <= bytes_max_) return patched;
  return Projection::build(changed, spec, {bytes_max_, cancel, memory_});
}

bool ProjectionCache::is_near(const GraphView& view, const ProjectionSpec& spec) const {
  const uint64_t sequence = view.base().sequence();
  MutexLock lock(mutex_);
  const auto built = std::find_if(built_.begin(), built_.end(), [&spec](const Built& one) { return one.spec == spec; });
  if (built == built_.end() || built->sequence > sequence) return false;
  return journal_.reaches(built->sequence, sequence);
}

void ProjectionCache::note_walk(const ProjectionSpec& spec, uint64_t nodes) {
  MutexLock lock(mutex_);
  // Walks of very many kinds: what they read is forgotten rather than kept without bound.
  if (walked_.size() >= kWalkKindsMax && !walked_.contains(spec)) walked_.clear();
  walked_[spec] += nodes;
}

uint64_t ProjectionCache::walked(const ProjectionSpec& spec) const {
  MutexLock lock(mutex_);
  const auto found = walked_.find(spec);
  return found == walked_.end() ? 0 : found->second;
}

void ProjectionCache::keep(Built built) {
  walked_.erase(built.spec);
  const auto same = std::find_if(built_.begin(), built_.end(), [&built](const Built& one) { return one.spec == built.spec; });
  if (same != built_.end()) {
    // An old snapshot's matrix serves its own call only.
    if (same->sequence > built.sequence) return;
    built_.erase(same);
  }
  uint64_t bytes = built.projection->memory_bytes();
  built_.push_front(std::move(built));
  for (auto one = std::next(built_.begin()); one != built_.end(); ++one) {
    bytes += one->projection->memory_bytes();
    if (bytes <= bytes_max_) continue;
    built_.erase(one, built_.end());
    return;
  }
}

void ProjectionCache::note_publish(uint64_t sequence, const std::vector<ShapeChange>& changes) {
  MutexLock lock(mutex_);
  journal_.add(sequence, changes);
}

uint64_t ProjectionCache::memory_bytes() const {
  MutexLock lock(mutex_);
  uint64_t bytes = 0;
  for (const Built& built : built_) bytes += built.projection->memory_bytes();
  return bytes;
}

}  // namespace braid
