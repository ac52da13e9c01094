#include "tests/sim/membership/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "tests/unit/service/membership_cluster.h"

namespace dynamo::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStep = 50ms;
constexpr Duration kLimit = 10min;
const Duration kRound = MembershipConfig{}.gossip_interval;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

class Scale {
 public:
  explicit Scale(const ScaleOptions& options)
      : options_(options), cluster_(options.members, options.seed, /*seed_nodes=*/{0, 1, 2}) {}

  ScaleFigures Measure() {
    figures_.members = options_.members;
    Start();
    Create();
    cluster_.Run(1min);
    figures_.quiet_bytes = BytesWhile([this] { cluster_.Run(options_.quiet); });
    Return();
    ChangeRing();
    Lose();
    LoseMachine();
    return figures_;
  }

 private:
  // Between two looks `kStep` passes: looking at all nodes after each event would
  // take longer than the events.
  Duration Until(const std::function<bool()>& done) {
    const TimePoint began = cluster_.world.now();
    while (!done()) {
      DYNAMO_CHECK(cluster_.world.now() - began < kLimit);
      cluster_.Run(kStep);
    }
    return cluster_.world.now() - began;
  }
  double RoundsUntilConverged() {
    return Seconds(Until([this] { return Converged(); })) / Seconds(kRound);
  }
  bool Converged() {
    const ClusterView* first = nullptr;
    for (int node = 0; node < cluster_.size(); ++node) {
      if (!cluster_.running(node)) continue;
      const ClusterView& view = cluster_[node].view();
      if (first == nullptr) first = &view;
      if (view.nodes_hash != first->nodes_hash || view.nodes.size() != static_cast<size_t>(options_.members)) {
        return false;
      }
      if ((view.topology == nullptr) != (first->topology == nullptr)) return false;
      if (view.topology && view.topology->version != first->topology->version) return false;
    }
    return first->topology == nullptr ? ring_.epoch == 0 : first->topology->version == ring_;
  }
  double BytesWhile(const std::function<void()>& run) {
    const TimePoint began = cluster_.world.now();
    const uint64_t before = cluster_.network.counts().bytes;
    run();
    const auto bytes = static_cast<double>(cluster_.network.counts().bytes - before);
    return bytes / options_.members / Seconds(cluster_.world.now() - began);
  }

  // The constructor has started them one after the other, in no time.
  void Start() {
    Until([this] { return Converged(); });
    const double seconds = Seconds(cluster_.world.now() - TimePoint{});
    figures_.start_rounds = seconds / Seconds(kRound);
    figures_.start_bytes = static_cast<double>(cluster_.network.counts().bytes) / options_.members / seconds;
  }
  void Create() {
    std::vector<int> members(static_cast<size_t>(options_.members));
    std::iota(members.begin(), members.end(), 0);
    CreateCluster request = MembershipCluster::Request(members);
    request.partitions = std::max(64u, 4 * std::bit_ceil(static_cast<uint32_t>(options_.members)));
    const TimePoint began = cluster_.world.now();
    const auto created = cluster_.Create(0, request);
    if (!created) throw std::runtime_error(created.error().message);
    ring_ = (*created)->version;
    Until([this] { return Converged(); });
    figures_.create_rounds = Seconds(cluster_.world.now() - began) / Seconds(kRound);
  }
  void Return() {
    const int node = options_.members / 2;
    cluster_.Crash(node);
    DYNAMO_CHECK(cluster_.Start(node, fmt::format("10.1.0.{}:8099", node)));
    figures_.return_rounds = RoundsUntilConverged();
  }
  void ChangeRing() {
    Topology next = *cluster_[0].view().topology;
    next.version.epoch += 1;
    ring_ = next.version;
    peer::Request offer;
    offer.mutable_offer_topology()->set_topology(EncodeTopology(next));
    const int told = options_.members / 3;
    cluster_[told].membership().OnRequest(cluster_[0].id(), offer, [](const SharedBytes&) {});
    figures_.ring_bytes = BytesWhile([this] { figures_.ring_rounds = RoundsUntilConverged(); });
  }

  // Each time that a living member is suspected it refutes once, and counts that in
  // the low half of its incarnation.
  uint64_t Refutations() {
    uint64_t sum = 0;
    for (int node = 0; node < cluster_.size(); ++node) {
      sum += cluster_[node].view().nodes.at(cluster_[node].id()).incarnation & 0xffffffffu;
    }
    return sum;
  }
  void Lose() {
    cluster_.network.config().drop = options_.loss;
    const uint64_t before = Refutations();
    uint64_t pairs = 0, dead = 0, down = 0;
    figures_.loss_bytes = BytesWhile([&] {
      for (Duration passed{0}; passed < options_.quiet; passed += 1s) {
        cluster_.Run(1s);
        for (int node = 0; node < cluster_.size(); ++node) {
          const ClusterView& view = cluster_[node].view();
          pairs += view.nodes.size();
          down += view.nodes.size() - view.up.size();
          for (const auto& [id, info] : view.nodes) dead += info.liveness == Liveness::kDead;
        }
      }
    });
    figures_.suspected = Refutations() - before;
    figures_.suspected_rate = static_cast<double>(figures_.suspected) / options_.members / Seconds(options_.quiet) * 60;
    figures_.dead_share = static_cast<double>(dead) / static_cast<double>(pairs);
    figures_.down_share = static_cast<double>(down) / static_cast<double>(pairs);
    cluster_.network.config().drop = 0;
    Until([this] { return Converged(); });
  }

  void LoseMachine() {
    const int victim = options_.members / 2;
    const NodeId id = cluster_[victim].id();
    const TimePoint began = cluster_.world.now();
    cluster_.CutOff(victim);  // No connection is refused or reset: there is only silence.
    cluster_.Crash(victim);
    const auto all = [&](const std::function<bool(const ClusterView&)>& holds) {
      for (int node = 0; node < cluster_.size(); ++node) {
        if (cluster_.running(node) && !holds(cluster_[node].view())) return false;
      }
      return true;
    };
    const auto since = [&] { return Seconds(cluster_.world.now() - began); };
    Until([&] { return !all([id](const ClusterView& v) { return v.nodes.at(id).liveness == Liveness::kAlive; }); });
    figures_.suspect_seconds = since();
    Until([&] { return all([id](const ClusterView& v) { return !v.IsUp(id); }); });
    figures_.all_down_seconds = since();
    Until([&] { return all([id](const ClusterView& v) { return v.nodes.at(id).liveness == Liveness::kDead; }); });
    figures_.all_dead_seconds = since();
  }

  ScaleOptions options_;
  MembershipCluster cluster_;
  TopologyVersion ring_;
  ScaleFigures figures_;
};

}  // namespace

ScaleFigures MeasureScale(const ScaleOptions& options) { return Scale(options).Measure(); }

double RoundsMax(int members) { return std::log2(members) + std::log(members) + 3; }

std::vector<std::string> BrokenBounds(const ScaleFigures& figures) {
  std::vector<std::string> broken;
  const auto at_most = [&](const char* what, double value, double bound) {
    if (value > bound) {
      broken.push_back(fmt::format("{} members: {} is {:.3f}, more than {:.3f}", figures.members, what, value, bound));
    }
  };
  const double rounds = RoundsMax(figures.members);
  at_most("rounds after a start", figures.start_rounds, rounds);
  at_most("rounds after the creation", figures.create_rounds, rounds);
  at_most("rounds after a return", figures.return_rounds, rounds);
  at_most("rounds after a change of the ring", figures.ring_rounds, rounds);
  // Four all but empty frames a second, however many members there are.
  at_most("bytes a second when nothing happens", figures.quiet_bytes, 600);
  // Under loss a fingerprint of each member, 16 bytes, and the few entries that differ.
  at_most("bytes a second under loss", figures.loss_bytes, 2000 + 40.0 * figures.members);
  // A probe fails for want of luck alone with 0.19 * 0.35^3, once a second.
  at_most("false suspicions per member and minute", figures.suspected_rate, 1.5);
  at_most("share of the living held for dead", figures.dead_share, 1e-4);
  // A probe of each member in two rounds of the prober's; the suspicion timeout grows
  // with log10 of the members, and with the rumour's way.
  at_most("seconds until nobody sends to a lost machine", figures.all_down_seconds, 6 + rounds / 2);
  at_most("seconds until all hold a lost machine for dead", figures.all_dead_seconds, 10 + rounds);
  return broken;
}

}  // namespace dynamo::sim
