#include "tests/sim/cluster/node.h"

#include <utility>

namespace dynamo::sim {
namespace {

Async<> StartService(NodeService* service, std::optional<Status>* outcome) { *outcome = co_await service->Start(); }

}  // namespace

class SimNode::Seeds : public SeedSource {
 public:
  explicit Seeds(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {}
  Async<Result<std::vector<std::string>>> Resolve() override { co_return addresses_; }

 private:
  std::vector<std::string> addresses_;
};

SimNode::Shard::Shard(SimWorld* world, SimNode* node, ProcessId process, SimClock* clock, Rng* rng, ShardIndex index)
    : scope(world->executor()),
      random(rng->Fork()),
      storage(world, process, &scope, &node->disk_),
      transport(node->network_, clock, {process, node->config_.host, node->address(), index}),
      link(world, process, rng->Fork(), index, node->config_.shards) {}

SimNode::SimNode(SimWorld* world, SimNetwork* network, SimNodeConfig config)
    : world_(world),
      network_(network),
      config_(std::move(config)),
      rng_(world->MakeRng("node " + address())),
      disk_(world, world->MakeRng("disk " + address()), config_.disk) {
  disk_.OnSyncFailed([this] { OnSyncFailed(); });
}

SimNode::~SimNode() {
  if (run_) Crash();
}

void SimNode::Start() {
  DYNAMO_CHECK(!run_);
  ++starts_;
  stopped_itself_ = false;
  run_ = std::make_unique<Run>();
  run_->process = world_->StartProcess();
  disk_.Attach(run_->process);
  // A steady clock begins anywhere: it must not be compared between runs.
  const TimePoint steady(Duration(rng_.Between(0, 1'000'000'000'000)));
  run_->clock = std::make_unique<SimClock>(world_, run_->process, steady, config_.drift_ppm);
  run_->clock->SetSkew(skew_);
  run_->clock->SetWallDrift(wall_drift_ppm_);
  run_->seeds = std::make_unique<Seeds>(config_.seeds);
  std::vector<ShardEnv> envs;
  for (ShardIndex index = 0; index < config_.shards; ++index) {
    run_->shards.push_back(std::make_unique<Shard>(world_, this, run_->process, run_->clock.get(), &rng_, index));
    Shard& shard = *run_->shards.back();
    ShardEnv env;
    env.scope = &shard.scope;
    env.clock = run_->clock.get();
    env.random = &shard.random;
    env.transport = &shard.transport;
    env.storage = &shard.storage;
    env.link = &shard.link;
    env.metrics = &run_->metrics;
    if (config_.log_sink) env.log = Logger(LogLevel::kDebug, config_.log_sink);
    envs.push_back(env);
  }
  run_->service = std::make_unique<NodeService>(config_.service, envs, run_->seeds.get());
  run_->shards[0]->scope.Spawn(StartService(run_->service.get(), &run_->outcome));
  world_->Settle();
}

void SimNode::Crash() {
  DYNAMO_CHECK(run_);
  for (auto& shard : run_->shards) shard->scope.Kill();
  world_->KillProcess(run_->process);
  for (auto& shard : run_->shards) shard->transport.Abandon();
  // Lets the frames unwind before what they refer to goes.
  world_->Settle();
  run_->service.reset();
  run_.reset();
  paused_ = false;
  disk_.Crash();
}

// As RocksDB's adapter, which aborts.
void SimNode::OnSyncFailed() {
  world_->At(kNobody, world_->now(), [this, process = run_->process] {
    if (!run_ || run_->process != process) return;
    Crash();
    stopped_itself_ = true;
  });
}

void SimNode::Pause() {
  world_->Pause(run_->process);
  paused_ = true;
}

void SimNode::Resume() {
  paused_ = false;
  world_->Resume(run_->process);
}

void SimNode::SetSkew(Duration skew) {
  skew_ = skew;
  if (run_) run_->clock->SetSkew(skew);
}

void SimNode::SetWallDrift(int64_t ppm) {
  wall_drift_ppm_ = ppm;
  if (run_) run_->clock->SetWallDrift(ppm);
}

}  // namespace dynamo::sim
