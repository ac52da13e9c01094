// A whole node over the simulated ports, that can be started, crashed, paused and
// started again on the same disk.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_NODE_H_
#define DYNAMO_TESTS_SIM_CLUSTER_NODE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/service/node_service.h"
#include "node/service/service_config.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/shard_link.h"
#include "tests/sim/storage.h"
#include "tests/sim/transport.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

struct SimNodeConfig {
  HostId host = 0;
  ShardIndex shards = 1;
  std::vector<std::string> seeds;
  ServiceConfig service;  // `self` names the node and its address.
  SimDiskConfig disk;
  int64_t drift_ppm = 0;
  // Where log lines go; nullptr: nowhere.
  Logger::Sink log_sink;
};

class SimNode {
 public:
  SimNode(SimWorld* world, SimNetwork* network, SimNodeConfig config);
  ~SimNode();

  // All four are called between events or from an event of kNobody.
  void Start();
  void Crash();
  void Pause();
  void Resume();

  bool running() const { return run_ != nullptr; }
  bool paused() const { return paused_; }
  // A sync failed, so that its process stopped by itself; until the next Start.
  bool stopped_itself() const { return stopped_itself_; }
  // Start has returned; its outcome.
  bool started() const { return run_ && run_->outcome.has_value(); }
  Status start_outcome() const { return run_->outcome.value_or(Fail(Errc::kUnavailable, "still starting")); }

  // Of the present run; the node must be running.
  ProcessId process() const { return run_->process; }
  NodeService& service() { return *run_->service; }
  AdminHandler& admin() { return run_->service->admin(); }
  Scope& scope(ShardIndex shard) { return run_->shards[shard]->scope; }
  Metrics& metrics() { return run_->metrics; }

  const SimNodeConfig& config() const { return config_; }
  const std::string& address() const { return config_.service.self.peer_address; }
  SimDisk& disk() { return disk_; }
  // How far the wall clock is ahead, now and at later starts.
  void SetSkew(Duration skew);
  Duration skew() const { return skew_; }
  // The wall clock alone, now and at later starts.
  void SetWallDrift(int64_t ppm);
  // Each event of the present run comes that late.
  void SetLag(Duration lag) { world_->SetLag(run_->process, lag); }
  uint64_t starts() const { return starts_; }

 private:
  class Seeds;
  struct Shard {
    Shard(SimWorld* world, SimNode* node, ProcessId process, SimClock* clock, Rng* rng, ShardIndex index);
    Scope scope;
    SimRandom random;
    SimStorage storage;
    SimTransport transport;
    SimShardLink link;
  };
  struct Run {
    ProcessId process = kNobody;
    std::unique_ptr<SimClock> clock;
    std::unique_ptr<Seeds> seeds;
    Metrics metrics;
    std::vector<std::unique_ptr<Shard>> shards;
    std::unique_ptr<NodeService> service;
    std::optional<Status> outcome;
  };

  void OnSyncFailed();

  SimWorld* world_;
  SimNetwork* network_;
  SimNodeConfig config_;
  Rng rng_;
  SimDisk disk_;
  Duration skew_{0};
  int64_t wall_drift_ppm_ = 0;
  bool paused_ = false;
  bool stopped_itself_ = false;
  uint64_t starts_ = 0;
  std::unique_ptr<Run> run_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_NODE_H_
