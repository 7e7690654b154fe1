// Running the policies that are due: in a thread of the database, or when the host asks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "engine/engine.h"
#include "engine/mutex.h"
#include "sql/connection.h"

namespace braid {

/// Ends maintenance from another thread.
class MaintenanceStop {
 public:
  void stop();
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }

  /// The connection that works meanwhile is interrupted when it is stopped.
  class Working {
   public:
    Working(MaintenanceStop& stop, Connection& connection);
    ~Working();
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;

   private:
    MaintenanceStop& stop_;
  };

 private:
  std::atomic<bool> stopped_{false};  // written with the lock held
  Mutex mutex_;                       // a leaf
  Connection* working_ BRAID_GUARDED_BY(mutex_) = nullptr;
};

/// Runs what is due, each policy in transactions of its own, for about `time_max`; what is left is due again the next time. How a policy ended
/// is kept with it. Returns how many were finished. Fails only when that could not be kept, or the writer slot was not to be had.
Result<uint64_t> run_maintenance(Engine& engine, std::chrono::milliseconds time_max, MaintenanceStop& stop);

/// Runs what is due every so often, until it is destroyed.
class MaintenanceThread {
 public:
  MaintenanceThread(Engine& engine, std::chrono::milliseconds interval);
  ~MaintenanceThread();
  MaintenanceThread(const MaintenanceThread&) = delete;
  MaintenanceThread& operator=(const MaintenanceThread&) = delete;

 private:
  void run();

  Engine& engine_;
  const std::chrono::milliseconds interval_;
  MaintenanceStop stop_;
  Mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace braid
