// Controllers call their Reconciler for keys of a queue; a Manager runs them all.
#ifndef DYNAMO_COMMON_KUBE_CONTROLLER_H_
#define DYNAMO_COMMON_KUBE_CONTROLLER_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/kube/informer.h"
#include "common/kube/leader_elector.h"
#include "common/kube/work_queue.h"

namespace dynamo::kube {

struct ReconcileResult {
  bool failed = false;                    // Again, after a back-off.
  std::optional<Duration> requeue_after;  // Again then, though nothing failed.
};

class Reconciler {
 public:
  virtual ~Reconciler() = default;
  // Brings the world a step nearer to what the object called `key` wants. One call at a
  // time for one key.
  virtual ReconcileResult Reconcile(const std::string& key) = 0;
};

class Controller {
 public:
  struct Options {
    std::string name;
    int workers = 1;
  };

  Controller(Reconciler* reconciler, WorkQueue* queue, Logger log, Metrics* metrics, Options options);
  ~Controller() { Stop(); }
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  void Start();
  void Stop();  // Waits for what is in work.

 private:
  void Work();

  Reconciler* const reconciler_;
  WorkQueue* const queue_;
  const Logger log_;
  Metrics* const metrics_;
  const Options options_;
  std::vector<std::thread> workers_;
};

// Starts informers, waits for their first lists, leads if it is told to, and only then
// starts controllers.
class Manager {
 public:
  // `elector` may be null: then there is no election. None is owned.
  Manager(std::vector<Informer*> informers, std::vector<Controller*> controllers, LeaderElector* elector, Clock* clock,
          Logger log);

  enum class End { kStopped, kLeadershipLost };
  // Blocks. Lost leadership: the caller leaves the process, and nothing else.
  End Run();
  void Stop();  // From any thread.

  bool synced() const;

 private:
  const std::vector<Informer*> informers_;
  const std::vector<Controller*> controllers_;
  LeaderElector* const elector_;
  const Logger log_;
  StopFlag stop_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_CONTROLLER_H_
