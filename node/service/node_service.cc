#include "node/service/node_service.h"

#include <utility>

#include "common/base/failure_log.h"
#include "node/service/bucket_table.h"
#include "node/service/client_door.h"
#include "node/service/departure.h"
#include "node/service/identity.h"
#include "node/service/node_admin.h"
#include "node/service/shard.h"
#include "node/service/shard_call.h"
#include "node/service/takeovers.h"
#include "node/service/topology_register.h"

namespace dynamo {
namespace {

constexpr const char* kBucketsKey = "buckets";
constexpr int kIncarnationShift = 32;  // Refutations count in the low bits.

}  // namespace

struct NodeService::State {
  State(ServiceConfig given, std::vector<ShardEnv> given_envs, SeedSource* given_seeds)
      : config(std::move(given)),
        envs(std::move(given_envs)),
        seeds(given_seeds),
        metrics(*envs.front().metrics),
        shards(MakeShards()),
        admin(&shards),
        buckets(config.buckets_max) {
    for (const auto& shard : shards) doors.push_back(MakeDoor(shard.get()));
  }

  std::vector<std::unique_ptr<Shard>> MakeShards();
  std::unique_ptr<ClientDoor> MakeDoor(Shard* shard);
  ShardReports ReportsOf(ShardIndex index);
  // Runs on shard 0's thread: at once if this is it.
  void OnShard0(ShardIndex from, std::function<void()> work);
  template <class Fn>
  void OnAllShards(Fn fn);

  Async<Status> Start();
  Async<Status> SetSelfEverywhere(NodeId self);
  Async<Status> LoadBuckets();
  Async<Status> WaitLoaded();
  Async<Status> PersistBuckets();
  static Async<Status> SetProperties(State* state, std::string type, std::string bucket, BucketPropertiesChange change);
  static Async<> PersistInBackground(State* state);
  // Takes the node out of service; it goes on to gossip, so that it can be seen.
  void OnRolledBack();
  static Async<> MarkInBackground(State* state);
  TimePoint StartDeadline() const { return envs.front().clock->Now() + config.request_timeout_max; }

  ServiceConfig config;
  std::vector<ShardEnv> envs;
  SeedSource* seeds;
  ServiceMetrics metrics;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::unique_ptr<ClientDoor>> doors;
  NodeAdmin admin;
  BucketTable buckets;  // Shard 0's.
  FailureLog bucket_failures{LogLevel::kWarn, "bucket_properties_not_stored"};
  std::unique_ptr<Membership> membership;
  std::unique_ptr<TopologyRegister> topology_register;
  std::unique_ptr<Takeovers> takeovers;
  std::unique_ptr<Departure> departure;
  bool rolled_back = false;
};

std::vector<std::unique_ptr<Shard>> NodeService::State::MakeShards() {
  std::vector<std::unique_ptr<Shard>> made;
  made.reserve(envs.size());
  for (const ShardEnv& env : envs) made.push_back(std::make_unique<Shard>(env, &config, &metrics, &shards));
  return made;
}

std::unique_ptr<ClientDoor> NodeService::State::MakeDoor(Shard* shard) {
  return std::make_unique<ClientDoor>(shard,
                                      [this](std::string type, std::string bucket, BucketPropertiesChange change) {
                                        return SetProperties(this, std::move(type), std::move(bucket), change);
                                      });
}

void NodeService::State::OnShard0(ShardIndex from, std::function<void()> work) {
  if (from == 0) {
    work();
  } else {
    envs[from].link->Post(0, std::move(work));
  }
}

template <class Fn>
void NodeService::State::OnAllShards(Fn fn) {
  fn(shards.front().get());
  for (ShardIndex i = 1; i < shards.size(); ++i) {
    envs.front().link->Post(i, [fn, shard = shards[i].get()] { fn(shard); });
  }
}

ShardReports NodeService::State::ReportsOf(ShardIndex index) {
  ShardReports reports;
  reports.on_sign = [this, index](NodeId peer, bool alive) {
    OnShard0(index, [this, peer, alive] {
      if (alive) {
        membership->OnHeardFrom(peer);
      } else {
        membership->OnPeerUnreachable(peer);
      }
    });
  };
  reports.on_hints = [this, index](std::vector<HintCount> counts) {
    OnShard0(index, [this, index, counts = std::move(counts)] { admin.OnHints(index, counts); });
  };
  reports.on_serving = [this, index] { OnShard0(index, [this, index] { admin.OnServing(index); }); };
  reports.on_repair = [this, index](const RepairProgress& progress) {
    OnShard0(index, [this, index, progress] { admin.OnRepair(index, progress); });
  };
  reports.on_old_disk = [this, index] { OnShard0(index, [this] { OnRolledBack(); }); };
  reports.on_other_epoch = [this, index](NodeId peer) {
    OnShard0(index, [this, peer] { membership->ExchangeWith(peer); });
  };
  reports.on_covered = [this, index](uint64_t since, std::vector<PartitionId> partitions) {
    OnShard0(index, [this, since, partitions = std::move(partitions)] { takeovers->OnCovered(since, partitions); });
  };
  reports.on_drained = [this, index](uint64_t epoch) {
    OnShard0(index, [this, index, epoch] {
      departure->OnDrained(shards.front()->context().self, epoch, index, static_cast<ShardIndex>(shards.size()));
    });
  };
  if (index == 0) {
    reports.on_membership = [this](NodeId from, const peer::Request& request, Responder respond) {
      if (request.has_report_get()) {
        admin.OnReportGet(from, std::move(respond));
      } else if (request.has_vote() || request.has_voter_check() || request.has_prepare_force()) {
        topology_register->OnRequest(from, request, std::move(respond));
      } else {
        membership->OnRequest(from, request, std::move(respond));
      }
    };
  }
  return reports;
}

Async<Status> NodeService::State::Start() {
  const Result<StoredIdentity> identity = co_await LoadIdentity(envs.front());
  if (!identity) co_return Fail(identity.error());
  admin.SetIdentity(*identity);
  config.self.id = identity->node;
  config.self.incarnation = identity->boot_number << kIncarnationShift;
  config.self.shards = static_cast<uint32_t>(shards.size());
  Status done = co_await LoadBuckets();
  if (!done) co_return done;
  buckets.OnChange([this](std::shared_ptr<const BucketMap> map) {
    OnAllShards([map](Shard* shard) { shard->SetBuckets(map); });
    envs.front().scope->Spawn(PersistInBackground(this));
  });
  membership = std::make_unique<Membership>(envs.front(), config.membership, config.self, seeds, &buckets);
  membership->OnView([this](ClusterViewPtr view) { OnAllShards([view](Shard* shard) { shard->OnView(view); }); });
  membership->OnRolledBack([this] { OnRolledBack(); });
  topology_register = std::make_unique<TopologyRegister>(envs.front(), config.topology_register, *identity,
                                                         membership.get(), config.planted, [this] { OnRolledBack(); });
  done = co_await topology_register->Start();
  if (!done) co_return done;
  admin.SetMembership(membership.get(), topology_register.get());
  const auto decide = [this](TopologyChange change) { return topology_register->Change(std::move(change)); };
  takeovers = std::make_unique<Takeovers>(envs.front().scope, envs.front().log, decide);
  departure = std::make_unique<Departure>(envs.front().scope, envs.front().clock, envs.front().log,
                                          config.departure_grace, decide);
  if (identity->rolled_back) OnRolledBack();
  done = co_await SetSelfEverywhere(identity->node);
  if (!done) co_return done;
  done = co_await membership->Start();
  if (!done) co_return done;
  co_return co_await WaitLoaded();
}

void NodeService::State::OnRolledBack() {
  if (std::exchange(rolled_back, true)) return;
  admin.OnRolledBack();
  topology_register->Retire();
  OnAllShards([](Shard* shard) { shard->OnRolledBack(); });
  envs.front().scope->Spawn(MarkInBackground(this));
}

// Where it cannot be stored, peers that still remember say it again after a restart.
Async<> NodeService::State::MarkInBackground(State* state) {
  const Status marked = co_await MarkRolledBack(state->envs.front());
  if (!marked) state->envs.front().log.Error("rolled_back_not_stored error={}", marked.error().message);
}

// Reports flow only from here on: membership is there to take them.
Async<Status> NodeService::State::SetSelfEverywhere(NodeId self) {
  for (ShardIndex i = 0; i < shards.size(); ++i) {
    Shard* shard = shards[i].get();
    ShardWork<Status> work = [this, shard, self, i]() -> Async<Status> {
      return [](State* state, Shard* target, NodeId id, ShardIndex index) -> Async<Status> {
        target->SetReports(state->ReportsOf(index));
        target->SetSelf(id);
        co_return Status{};
      }(this, shard, self, i);
    };
    const Status done = co_await CallShard<Status>(envs.front(), envs[i], i, StartDeadline(), std::move(work));
    if (!done) co_return done;
  }
  co_return Status{};
}

Async<Status> NodeService::State::LoadBuckets() {
  const auto stored = co_await envs.front().storage->Get(ColumnFamily::kMeta, kBucketsKey);
  if (!stored) co_return Fail(stored.error());
  if (!*stored) co_return Status{};
  buckets.OnChange(
      [this](std::shared_ptr<const BucketMap> map) { OnAllShards([map](Shard* shard) { shard->SetBuckets(map); }); });
  co_return buckets.Merge(**stored);
}

Async<Status> NodeService::State::WaitLoaded() {
  for (ShardIndex i = 0; i < shards.size(); ++i) {
    Shard* shard = shards[i].get();
    ShardWork<Status> work = [shard] { return shard->WaitLoaded(); };
    const Status loaded = co_await CallShard<Status>(envs.front(), envs[i], i, StartDeadline(), std::move(work));
    if (!loaded) co_return loaded;
  }
  co_return Status{};
}

Async<Status> NodeService::State::PersistBuckets() {
  Storage* storage = envs.front().storage;
  WriteOps ops;
  ops.push_back({WriteOp::Kind::kPut, ColumnFamily::kMeta, kBucketsKey, buckets.Encode()});
  const auto written = co_await storage->Write(std::move(ops));
  if (!written) co_return Fail(written.error());
  co_return co_await storage->Sync(*written);
}

Async<Status> NodeService::State::SetProperties(State* state, std::string type, std::string bucket,
                                                BucketPropertiesChange change) {
  const ShardEnv& env = state->envs.front();
  const Status set = state->buckets.Set(type, bucket, change, state->config.self.id, env.clock->WallNow());
  if (!set) co_return set;
  co_return co_await state->PersistBuckets();
}

// What gossip brought comes again after a crash; a failure is worth a line only.
Async<> NodeService::State::PersistInBackground(State* state) {
  const Status persisted = co_await state->PersistBuckets();
  const ShardEnv& env = state->envs.front();
  if (persisted) {
    state->bucket_failures.Worked(env.log);
  } else {
    state->bucket_failures.Failed(env.log, env.clock->Now(), "error=" + persisted.error().message);
  }
}

NodeService::NodeService(ServiceConfig config, std::vector<ShardEnv> shards, SeedSource* seeds)
    : state_(std::make_unique<State>(std::move(config), std::move(shards), seeds)) {}

NodeService::~NodeService() = default;

Async<Status> NodeService::Start() { return state_->Start(); }

RequestHandler& NodeService::requests(ShardIndex shard) { return *state_->doors[shard]; }

AdminHandler& NodeService::admin() { return state_->admin; }

ClusterViewPtr NodeService::view() const { return state_->shards.front()->context().view(); }

}  // namespace dynamo
