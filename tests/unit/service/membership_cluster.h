// Membership instances alone, over the simulator's ports: nodes that start, stop,
// crash and come back, with their disks.
#ifndef DYNAMO_TESTS_UNIT_SERVICE_MEMBERSHIP_CLUSTER_H_
#define DYNAMO_TESTS_UNIT_SERVICE_MEMBERSHIP_CLUSTER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "node/protocol/messages.h"
#include "node/service/identity.h"
#include "node/service/membership.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/shard_link.h"
#include "tests/sim/storage.h"
#include "tests/sim/transport.h"
#include "tests/sim/world.h"

namespace dynamo {

class FixedSeeds : public SeedSource {
 public:
  explicit FixedSeeds(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {}
  Async<Result<std::vector<std::string>>> Resolve() override {
    ++asked;
    if (failing) co_return Fail(Errc::kUnavailable, "no answer from the seeds");
    co_return addresses_;
  }
  int asked = 0;
  bool failing = false;

 private:
  std::vector<std::string> addresses_;
};

// Any number merged with any other is the greater.
class GreatestNumber : public GossipedState {
 public:
  Hash128 hash() const override { return HashOf(Encode()); }
  Bytes Encode() const override { return std::to_string(value); }
  Status Merge(std::string_view encoded) override {
    if (encoded.empty() || encoded.find_first_not_of("0123456789") != std::string_view::npos) {
      return Fail(Errc::kCorrupt, "not a number");
    }
    value = std::max<uint64_t>(value, std::stoull(std::string(encoded)));
    return {};
  }
  uint64_t value = 0;
};

// One process of a node: everything that a crash takes away.
class MembershipProcess : public PeerHandler {
 public:
  struct Setup {
    sim::SimWorld* world;
    sim::SimNetwork* network;
    sim::SimDisk* disk;
    sim::HostId host;
    std::string address, name;
    uint64_t start;  // Counts the starts of the node, for its random stream.
    SeedSource* seeds;
  };
  explicit MembershipProcess(Setup setup)
      : setup_(std::move(setup)),
        process_(setup_.world->StartProcess()),
        scope_(setup_.world->executor()),
        clock_(setup_.world, process_, TimePoint{}, 0),
        random_(setup_.world->MakeRng(setup_.name + "#" + std::to_string(setup_.start))),
        storage_(setup_.world, process_, &scope_, setup_.disk),
        transport_(setup_.network, &clock_, {process_, setup_.host, setup_.address, 0}),
        link_(setup_.world, process_, Rng(1), 0, 1) {
    setup_.disk->Attach(process_);
    transport_.SetHandler(this);
  }
  ~MembershipProcess() override {
    scope_.Kill();
    setup_.world->KillProcess(process_);
    setup_.world->Settle();
  }

  Status Start() { return setup_.world->Await(scope_, StartWhole(this)); }
  void Pause() { setup_.world->Pause(process_); }
  void Resume() { setup_.world->Resume(process_); }

  Membership& membership() { return *membership_; }
  const ClusterView& view() const { return *membership_->view(); }
  Transport& transport() { return transport_; }
  Storage& storage() { return storage_; }
  Scope& scope() { return scope_; }
  Clock& clock() { return clock_; }
  NodeId id() const { return identity_.node; }
  const StoredIdentity& identity() const { return identity_; }
  ShardEnv env() { return {&scope_, &clock_, &random_, &transport_, &storage_, &link_, &metrics, log_}; }
  uint64_t dropped(const std::string& reason) {
    return metrics.counter("dynamo_membership_dropped_total", "", {{"reason", reason}}).value();
  }

  Metrics metrics;
  GreatestNumber number;
  uint64_t views = 0;
  std::shared_ptr<std::vector<std::string>> log_lines = std::make_shared<std::vector<std::string>>();
  std::string zone = "zone-a";

 private:
  static Async<Status> StartWhole(MembershipProcess* self) {
    auto identity = co_await LoadIdentity(self->env());
    if (!identity) co_return Fail(std::move(identity.error()));
    self->identity_ = *identity;
    NodeInfo info;
    info.id = identity->node;
    info.name = self->setup_.name;
    info.zone = self->zone;
    info.peer_address = self->setup_.address;
    info.incarnation = identity->boot_number << 32;
    self->transport_.SetSelf(identity->node);
    self->membership_ =
        std::make_unique<Membership>(self->env(), MembershipConfig{}, info, self->setup_.seeds, &self->number);
    self->membership_->OnView([self](const ClusterViewPtr&) { ++self->views; });
    co_return co_await self->membership_->Start();
  }
  void OnPeerRequest(PeerRequest request, Responder respond) override {
    const auto parsed = ParseRequest(request.body);
    if (parsed && membership_) membership_->OnRequest(request.from, *parsed, std::move(respond));
  }
  void OnPeerUnreachable(NodeId peer) override {
    if (membership_) membership_->OnPeerUnreachable(peer);
  }

  Setup setup_;
  sim::ProcessId process_;
  Scope scope_;
  sim::SimClock clock_;
  sim::SimRandom random_;
  sim::SimStorage storage_;
  sim::SimTransport transport_;
  sim::SimShardLink link_;
  Logger log_{LogLevel::kInfo, [lines = log_lines](LogLevel, std::string_view line) { lines->emplace_back(line); }};
  StoredIdentity identity_;
  std::unique_ptr<Membership> membership_;
};

// Nodes 0, 1, ... each on its own host and disk.
class MembershipCluster {
 public:
  using TopologyPtr = std::shared_ptr<const Topology>;

  MembershipCluster(int nodes, uint64_t seed, std::vector<int> seed_nodes = {})
      : world(seed), network(&world, sim::NetworkConfig{}) {
    std::vector<std::string> addresses;
    addresses.reserve(seed_nodes.size());
    for (const int node : seed_nodes) addresses.push_back(Address(node));
    for (int node = 0; node < nodes; ++node) {
      nodes_.emplace_back();
      nodes_.back().seeds = std::make_unique<FixedSeeds>(addresses);
      Wipe(node);
      DYNAMO_CHECK(Start(node).has_value());
    }
  }

  static std::string Address(int node) { return "10.0.0." + std::to_string(node + 1) + ":8099"; }

  MembershipProcess& operator[](int node) { return *nodes_[static_cast<size_t>(node)].process; }
  bool running(int node) const { return nodes_[static_cast<size_t>(node)].process != nullptr; }
  int size() const { return static_cast<int>(nodes_.size()); }
  FixedSeeds& seeds(int node) { return *nodes_[static_cast<size_t>(node)].seeds; }
  sim::SimDisk& disk(int node) { return *nodes_[static_cast<size_t>(node)].disk; }

  Status Start(int node, std::optional<std::string> address = {}) {
    Slot& slot = nodes_[static_cast<size_t>(node)];
    slot.process = std::make_unique<MembershipProcess>(MembershipProcess::Setup{
        &world, &network, slot.disk.get(), static_cast<sim::HostId>(node), address.value_or(Address(node)),
        "node-" + std::to_string(node), ++slot.starts, slot.seeds.get()});
    return (*this)[node].Start();
  }
  void Crash(int node) {
    nodes_[static_cast<size_t>(node)].process.reset();
    disk(node).Crash();
  }
  void Wipe(int node) {
    Slot& slot = nodes_[static_cast<size_t>(node)];
    slot.disk =
        std::make_unique<sim::SimDisk>(&world, world.MakeRng("disk " + std::to_string(++wipes_)), sim::SimDiskConfig{});
  }
  void CutOff(int node) {
    for (int other = 0; other < size(); ++other) {
      network.Cut(static_cast<sim::HostId>(node), static_cast<sim::HostId>(other));
      network.Cut(static_cast<sim::HostId>(other), static_cast<sim::HostId>(node));
    }
  }

  static CreateCluster Request(std::vector<int> members, std::string operation_id = "first") {
    CreateCluster request;
    request.operation_id = std::move(operation_id);
    request.partitions = 16;
    for (const int member : members) request.members.push_back({Address(member), "", 0});
    return request;
  }
  Result<TopologyPtr> Create(int node, CreateCluster request) {
    return world.Await((*this)[node].scope(), (*this)[node].membership().Create(std::move(request)));
  }

  void Run(Duration how_long) { world.RunFor(how_long); }
  // How long it took; `limit` if it did not come to be.
  Duration RunUntil(const std::function<bool()>& done, Duration limit) {
    const TimePoint began = world.now();
    world.RunUntil(done, began + limit);
    return world.now() - began;
  }

  bool Sees(int observer, int subject) { return (*this)[observer].view().IsUp((*this)[subject].id()); }
  bool AllSeeAll() {
    for (int a = 0; a < size(); ++a) {
      for (int b = 0; b < size(); ++b) {
        if (running(a) && running(b) && !Sees(a, b)) return false;
      }
    }
    return true;
  }
  bool AllHave(const TopologyPtr& topology) {
    for (int node = 0; node < size(); ++node) {
      if (!running(node)) continue;
      const auto& held = (*this)[node].view().topology;
      if (!held || !(*held == *topology)) return false;
    }
    return true;
  }

  sim::SimWorld world;
  sim::SimNetwork network;

 private:
  struct Slot {
    std::unique_ptr<FixedSeeds> seeds;
    std::unique_ptr<sim::SimDisk> disk;
    std::unique_ptr<MembershipProcess> process;
    uint64_t starts = 0;
  };
  std::vector<Slot> nodes_;
  int wipes_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_SERVICE_MEMBERSHIP_CLUSTER_H_
