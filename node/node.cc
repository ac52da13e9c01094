#include "node/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "node/adapter/host_port.h"
#include "node/adapter/kubernetes_seeds.h"
#include "node/adapter/machine.h"
#include "node/protocol/spoken_versions.h"
#include "node/version.h"

namespace dynamo {
namespace {

// One core is left to what the kernel, compactions and syncs need.
uint32_t ShardCount(const NodeConfig& config) {
  return config.shards > 0 ? config.shards : std::max(1u, UsableCores() - 1);
}

StoreSettings StoreSettingsOf(const NodeConfig& config) {
  uint64_t budget = config.memory_budget_bytes;
  if (budget == 0) budget = MemoryLimitBytes().value_or(kMemoryBudgetDefault);
  StoreSettings settings;
  settings.folder = config.data_dir;
  settings.memory = StoreMemory::FitInto(budget);
  settings.syncer.interval = config.sync_interval;
  return settings;
}

Async<> LookForever(Scope* scope, Clock* clock, Duration interval, Security* security) {
  for (;;) {
    co_await SleepUntil(*scope, *clock, clock->Now() + interval);
    security->Look();
  }
}

DoorEnv DoorEnvOf(const NodeConfig& config, RequestHandler* handler, Random* random, Metrics* metrics) {
  DoorEnv env;
  env.handler = handler;
  env.random = random;
  env.metrics = metrics;
  env.limits.object_bytes_max = config.service.object_bytes_max;
  env.node_name = config.name;
  return env;
}

Seeds::Ask AskKubernetes(const NodeConfig& config) {
  if (config.seeds_kubernetes.empty()) return nullptr;
  const KubernetesSeeds seeds(*ParseKubernetesService(config.seeds_kubernetes), config.peer_port,
                              [] { return kube::InClusterConfig(); });
  return [seeds] { return seeds.LookUp(); };
}

Async<> StartInto(NodeService* service, std::shared_ptr<std::promise<Status>> outcome) {
  outcome->set_value(co_await service->Start());
}

// Gives each connection to the next shard, on that shard's thread.
Listener::Deliver InTurn(std::vector<ShardLoop*> loops, std::function<void(size_t, int, bool)> adopt) {
  return [loops = std::move(loops), adopt = std::move(adopt), next = size_t{0}](int descriptor, bool ipv6) mutable {
    const size_t shard = next++ % loops.size();
    loops[shard]->Post([adopt, shard, descriptor, ipv6] { adopt(shard, descriptor, ipv6); });
  };
}

}  // namespace

Result<std::unique_ptr<Node>> Node::Start(NodeConfig config, Logger log) {
  std::unique_ptr<Node> node(new Node(std::move(config), std::move(log)));
  auto security = Security::Open(node->config_, &node->metrics_, node->log_);
  if (!security) return Fail(std::move(security.error()));
  node->security_ = std::move(*security);
  if (Status listening = node->Listen(); !listening) return Fail(std::move(listening.error()));
  if (Status opened = node->OpenStore(); !opened) return Fail(std::move(opened.error()));
  node->MakeService();
  if (Status started = node->StartService(); !started) return Fail(std::move(started.error()));
  node->StartAccepting();
  const Ports ports = node->ports();
  node->log_.Info("node_started name={} version={} shards={} address={} http={} pb={} peer={} admin={}",
                  node->config_.name, kVersion, node->shards_.size(), node->config_.listen_address, ports.http,
                  ports.pb, ports.peer, ports.admin);
  return node;
}

Node::Node(NodeConfig config, Logger log) : config_(std::move(config)), log_(std::move(log)) {
  const uint32_t count = ShardCount(config_);
  for (uint32_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<NodeShard>());
}

Node::~Node() {
  StopThreads();
  TakeApart();
}

Status Node::Listen() {
  struct Wanted {
    std::unique_ptr<Listener>* listener;
    uint16_t port;
    const char* setting;
  };
  const Executor executor = shards_.front()->loop().executor();
  for (const Wanted& wanted :
       {Wanted{&http_listener_, config_.http_port, "http-port"}, Wanted{&pb_listener_, config_.pb_port, "pb-port"},
        Wanted{&peer_listener_, config_.peer_port, "peer-port"},
        Wanted{&admin_listener_, config_.admin_port, "admin-port"}}) {
    auto listener = Listener::Open(executor, config_.listen_address, wanted.port);
    if (!listener) return Fail(listener.error().code, fmt::format("{}: {}", wanted.setting, listener.error().message));
    *wanted.listener = std::move(*listener);
  }
  return {};
}

Node::Ports Node::ports() const {
  return {http_listener_->port(), pb_listener_->port(), peer_listener_->port(), admin_listener_->port()};
}

Status Node::OpenStore() {
  auto store = RocksdbStore::Open(StoreSettingsOf(config_), log_, &metrics_);
  if (!store) return Fail(std::move(store.error()));
  store_ = std::move(*store);
  return {};
}

NodeInfo Node::Self() const {
  const auto address = [this](uint16_t port) { return ToString(HostPort{config_.advertise_address, port}); };
  const Ports listening = ports();
  NodeInfo self;
  self.name = config_.name;
  self.zone = config_.zone;
  self.capacity = config_.capacity;
  self.peer_address = address(listening.peer);
  self.http_address = address(listening.http);
  self.pb_address = address(listening.pb);
  self.admin_address = address(listening.admin);
  self.shards = static_cast<uint32_t>(shards_.size());
  self.software_version = kVersion;
  self.protocol_version = kSpokenVersions.newest;
  return self;
}

std::vector<ShardLoop*> Node::Loops() const {
  std::vector<ShardLoop*> loops;
  loops.reserve(shards_.size());
  for (const auto& shard : shards_) loops.push_back(&shard->loop());
  return loops;
}

void Node::MakeService() {
  const std::vector<ShardLoop*> loops = Loops();
  std::vector<ShardEnv> envs;
  envs.reserve(shards_.size());
  for (ShardIndex i = 0; i < shards_.size(); ++i) {
    shards_[i]->Equip(i, loops, store_.get(), security_->peer(), &metrics_, log_);
    envs.push_back(shards_[i]->Env(&metrics_, log_));
  }
  NodeShard& first = *shards_.front();
  std::optional<HostPort> dns;
  if (!config_.seeds_dns.empty()) dns = *ParseHostPort(config_.seeds_dns);
  seeds_ =
      std::make_unique<Seeds>(&first.scope(), &first.clock(), config_.seeds, std::move(dns), AskKubernetes(config_));

  ServiceConfig service = config_.service;
  service.self = Self();
  service_ = std::make_unique<NodeService>(std::move(service), std::move(envs), seeds_.get());
  doors_.reserve(shards_.size());
  for (ShardIndex i = 0; i < shards_.size(); ++i) {
    DoorEnv env = DoorEnvOf(config_, &service_->requests(i), &shards_[i]->random(), &metrics_);
    env.tls = security_->client();
    env.guard = security_->users();
    env.scope = &shards_[i]->scope();
    const Doors::Admin admin{i == 0 ? &service_->admin() : nullptr, security_->admin(), security_->guard()};
    doors_.push_back(std::make_unique<Doors>(i, shards_[i]->loop().executor(), env, admin));
  }
}

Status Node::StartService() {
  running_ = true;
  for (size_t i = 0; i < shards_.size(); ++i) shards_[i]->loop().Start(fmt::format("shard-{}", i));
  auto outcome = std::make_shared<std::promise<Status>>();
  NodeShard& first = *shards_.front();
  first.loop().Post([&first, this, outcome] {
    first.scope().Spawn(StartInto(service_.get(), outcome));
    first.scope().Spawn(LookForever(&first.scope(), &first.clock(), config_.tls_reload_interval, security_.get()));
  });
  return outcome->get_future().get();
}

void Node::StartAccepting() {
  const std::vector<ShardLoop*> loops = Loops();
  loops.front()->Call([this, loops] {
    http_listener_->Start(
        InTurn(loops, [this](size_t shard, int descriptor, bool ipv6) { doors_[shard]->AdoptHttp(descriptor, ipv6); }));
    pb_listener_->Start(
        InTurn(loops, [this](size_t shard, int descriptor, bool ipv6) { doors_[shard]->AdoptPb(descriptor, ipv6); }));
    peer_listener_->Start(InTurn(loops, [this](size_t shard, int descriptor, bool ipv6) {
      shards_[shard]->transport().Adopt(descriptor, ipv6);
    }));
    admin_listener_->Start([this](int descriptor, bool ipv6) { doors_.front()->AdoptAdmin(descriptor, ipv6); });
  });
}

void Node::Drain() {
  const auto deadline = std::chrono::steady_clock::now() + config_.drain_timeout;
  shards_.front()->loop().Call([this] {
    http_listener_->Stop();
    pb_listener_->Stop();
  });
  // Clients first: what they are waiting for may need peers, and peers this node.
  bool complete = AwaitAll(deadline, [this](size_t i, auto done) { doors_[i]->Drain(std::move(done)); });
  complete &= AwaitAll(deadline, [this](size_t i, auto done) { shards_[i]->transport().Drain(std::move(done)); });
  for (const auto& shard : shards_) {
    shard->loop().Call([&shard] { shard->transport().Flush(); });
  }
  log_.Info("node_drained name={} complete={}", config_.name, complete);
}

bool Node::AwaitAll(std::chrono::steady_clock::time_point deadline, const Begin& begin) {
  // Shared with the shards, which may be done after this has given up.
  struct Countdown {
    std::mutex mutex;
    std::condition_variable changed;
    size_t left;
  };
  auto countdown = std::make_shared<Countdown>();
  countdown->left = shards_.size();
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->loop().Call([&begin, countdown, i] {
      begin(i, [countdown] {
        const std::lock_guard lock(countdown->mutex);
        --countdown->left;
        countdown->changed.notify_one();
      });
    });
  }
  std::unique_lock lock(countdown->mutex);
  return countdown->changed.wait_until(lock, deadline, [&] { return countdown->left == 0; });
}

// After this only the calling thread touches the shards.
void Node::StopThreads() {
  if (!running_) return;
  shards_.front()->loop().Call([this] {
    for (Listener* listener : {http_listener_.get(), pb_listener_.get(), peer_listener_.get(), admin_listener_.get()}) {
      listener->Stop();
    }
  });
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->loop().Call([this, i] {
      doors_[i]->CloseAll();
      shards_[i]->transport().Stop();
    });
  }
  for (const auto& shard : shards_) shard->loop().Stop();
  security_->Stop();
  running_ = false;
}

// As Scope says: first nothing may be ready, then the frames go, then what they used.
void Node::TakeApart() {
  const auto drain = [this] {
    // Twice, since a shard may have posted to one that was drained before it.
    for (int round = 0; round < 2; ++round) {
      for (const auto& shard : shards_) shard->loop().Drain();
    }
  };
  if (service_ == nullptr) return;
  drain();
  for (const auto& shard : shards_) shard->scope().Kill();
  drain();
  doors_.clear();
  service_.reset();
  seeds_.reset();
  log_.Info("node_stopped name={}", config_.name);
}

}  // namespace dynamo
