// The simulated transport under the transport contract.
#include "tests/contract/transport_contract.h"
#include "tests/sim/clock.h"
#include "tests/sim/network.h"
#include "tests/sim/transport.h"
#include "tests/sim/world.h"

namespace dynamo::sim {
namespace {

class SimTransportHarness : public TransportHarness {
 public:
  void Start(int node, PeerHandler* handler) override {
    const ProcessId process = world_.StartProcess();
    auto started = std::make_unique<Node>(process, &world_);
    started->transport = std::make_unique<SimTransport>(
        &network_, &started->clock,
        SimTransport::Place{process, static_cast<HostId>(node), address(node), /*shard=*/0});
    started->transport->SetHandler(handler);
    nodes_[node] = std::move(started);
  }
  void Stop(int node) override {
    world_.KillProcess(nodes_[node]->process);
    nodes_.erase(node);
  }
  Transport& transport(int node) override { return *nodes_[node]->transport; }
  Clock& clock(int node) override { return nodes_[node]->clock; }
  std::string address(int node) override { return "10.0.0." + std::to_string(node + 1) + ":8099"; }
  void RunUntil(const std::function<bool()>& done) override {
    ASSERT_TRUE(world_.RunUntil(done, world_.now() + std::chrono::minutes(2)));
  }
  void RunFor(Duration duration) override { world_.RunFor(duration); }

 private:
  struct Node {
    Node(ProcessId own, SimWorld* world) : process(own), clock(world, own, TimePoint{}, /*drift_ppm=*/0) {}
    ProcessId process;
    SimClock clock;
    std::unique_ptr<SimTransport> transport;
  };

  SimWorld world_{1};
  SimNetwork network_{&world_, NetworkConfig{}};
  std::map<int, std::unique_ptr<Node>> nodes_;
};

std::unique_ptr<TransportHarness> MakeHarness() { return std::make_unique<SimTransportHarness>(); }

}  // namespace
}  // namespace dynamo::sim

namespace dynamo {
INSTANTIATE_TEST_SUITE_P(Simulated, TransportContract, ::testing::Values(&sim::MakeHarness));
}  // namespace dynamo
