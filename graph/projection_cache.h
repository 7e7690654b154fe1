// The projections of a database: named ones, which stay named until they are dropped or the database is closed, and the matrices that were
// built for them or for a call that named none. A matrix that is behind is brought up to date from the journal of what was committed since;
// past the memory bound the least recently used go.
// Threads: all members may be called from any thread.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/memory_budget.h"
#include "engine/mutex.h"
#include "graph/projection.h"
#include "graph/projection_patch.h"

namespace braid {

class ProjectionCache {
 public:
  /// `memory` may be null.
  explicit ProjectionCache(uint64_t bytes_max, std::shared_ptr<MemoryBudget> memory = nullptr);

  /// Names a projection. kConstraint when the name is taken.
  Status define(std::string_view name, const ProjectionSpec& spec);
  /// kNotFound naming those that there are.
  Result<ProjectionSpec> find(std::string_view name) const;
  Status drop(std::string_view name);

  struct Named {
    std::string name;
    ProjectionSpec spec;
    std::shared_ptr<const Projection> built;  ///< null: not built, or dropped for memory; a copy of the share
    bool current = false;                     ///< of the newest graph
  };
  std::vector<Named> list(const GraphStoreView& newest) const;

  /// The projection of what `view` sees, from memory or built. Of a view with changes of its own it is built for the call.
  Result<std::shared_ptr<const Projection>> get(const GraphView& view, const ProjectionSpec& spec, const std::atomic<bool>* cancel);

  /// The projection of `base` with changes that are not committed, which `changed` sees: made for the call, from that of `base` where that will do.
  Result<std::shared_ptr<const Projection>> get_changed(const GraphView& base, const GraphView& changed,
                                                        const std::vector<ShapeChange>& changes, const ProjectionSpec& spec,
                                                        const std::atomic<bool>* cancel);

  /// Whether `get` would not have to build it: one is kept that is current, or that the journal brings up to date.
  bool is_near(const GraphView& view, const ProjectionSpec& spec) const;
  /// How many nodes walks that could use this projection have read from the store since the last one was built.
  void note_walk(const ProjectionSpec& spec, uint64_t nodes);
  uint64_t walked(const ProjectionSpec& spec) const;
  uint64_t bytes_max() const { return bytes_max_; }

  /// What a publish changed: called by the holder of the writer slot, in the order of the sequences.
  void note_publish(uint64_t sequence, const std::vector<ShapeChange>& changes);

  uint64_t memory_bytes() const;

 private:
  struct Built {
    ProjectionSpec spec;
    uint64_t sequence;  // of the graph it was built from
    std::shared_ptr<const Projection> projection;  // shared with the calls that read it
  };
  void keep(Built built) BRAID_REQUIRES(mutex_);
  /// When the process lacks memory: projections that no call reads are built again when they are needed.
  void give_up_unused();

  const uint64_t bytes_max_;
  const std::shared_ptr<MemoryBudget> memory_;  // shared with what holds memory
  mutable Mutex mutex_;
  std::map<std::string, ProjectionSpec, std::less<>> named_ BRAID_GUARDED_BY(mutex_);
  std::list<Built> built_ BRAID_GUARDED_BY(mutex_);  // the most recently used first
  ShapeJournal journal_ BRAID_GUARDED_BY(mutex_);
  std::map<ProjectionSpec, uint64_t> walked_ BRAID_GUARDED_BY(mutex_);  // nodes
  const MemoryBudget::GiveUp give_up_{[this] { give_up_unused(); }};
};

}  // namespace braid
