// What every Transport must do, as tests over any implementation. To try one:
//   INSTANTIATE_TEST_SUITE_P(Tcp, TransportContract, ::testing::Values(&MakeTcpHarness));
#ifndef DYNAMO_TESTS_CONTRACT_TRANSPORT_CONTRACT_H_
#define DYNAMO_TESTS_CONTRACT_TRANSPORT_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/env/clock.h"
#include "node/env/transport.h"

namespace dynamo {

// Nodes of one shard each, named by small numbers, on a network without faults.
class TransportHarness {
 public:
  virtual ~TransportHarness() = default;

  // Starts to listen, at the address it had if it was stopped before. The handler
  // is set, self and cluster are not.
  virtual void Start(int node, PeerHandler* handler) = 0;
  // As a crash: its scope killed, its transport destroyed, its connections broken.
  virtual void Stop(int node) = 0;
  virtual Transport& transport(int node) = 0;
  virtual Clock& clock(int node) = 0;
  // Of a node that was started at some time.
  virtual std::string address(int node) = 0;

  // Runs everything until `done`; fails the test if that takes unreasonably long.
  virtual void RunUntil(const std::function<bool()>& done) = 0;
  // Runs everything for so long.
  virtual void RunFor(Duration duration) = 0;
};

using TransportHarnessFactory = std::unique_ptr<TransportHarness> (*)();

// A peer that keeps what it is asked until the test answers.
class FakePeer : public PeerHandler {
 public:
  struct Request {
    PeerRequest request;
    Responder respond;
  };
  void OnPeerRequest(PeerRequest request, Responder respond) override {
    requests.push_back({std::move(request), std::move(respond)});
    if (echo) requests.back().respond(std::make_shared<const Bytes>("echo " + requests.back().request.body));
  }
  void OnPeerUnreachable(NodeId peer) override { unreachable.push_back(peer); }

  std::vector<Request> requests;
  std::vector<NodeId> unreachable;
  bool echo = true;
};

class TransportContract : public ::testing::TestWithParam<TransportHarnessFactory> {
 protected:
  TransportContract() : harness_(GetParam()()) {}

  static NodeId Id(int node) { return {static_cast<uint64_t>(1000 + node)}; }
  static ClusterId Cluster(uint64_t number) { return {Hash128{number, number}}; }

  // Starts nodes 0 to count - 1, of one cluster, which know each other's addresses.
  void StartNodes(int count);
  void Start(int node, ClusterId cluster);
  void Call(int from, NodeId to, const std::string& body, Duration timeout = std::chrono::seconds(30));
  void CallAddress(int from, const std::string& address, const std::string& body);
  // Runs until so many calls have ended.
  void AwaitReplies(size_t count);

  std::map<int, FakePeer> peers_;
  std::vector<Result<Bytes>> replies_;  // In the order they came.
  std::unique_ptr<TransportHarness> harness_;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_CONTRACT_TRANSPORT_CONTRACT_H_
