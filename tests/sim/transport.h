// The transport port of one shard over the simulated network.
#ifndef DYNAMO_TESTS_SIM_TRANSPORT_H_
#define DYNAMO_TESTS_SIM_TRANSPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "node/env/clock.h"
#include "node/env/shard_link.h"
#include "node/env/transport.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

// Listens at its address from construction to destruction. To end a process: kill
// its scopes and its events, Abandon, destroy what uses this, then this.
class SimTransport : public Transport {
 public:
  struct Place {
    ProcessId process = kNobody;
    HostId host = 0;
    std::string address;
    ShardIndex shard = 0;
  };
  SimTransport(SimNetwork* network, Clock* clock, Place place);
  ~SimTransport() override;

  void SetHandler(PeerHandler* handler) override { handler_ = handler; }
  void SetSelf(NodeId self) override { self_ = self; }
  void SetCluster(ClusterId cluster) override { cluster_tag_ = cluster.value.low; }
  void SetAddress(NodeId node, std::string address) override { addresses_[node] = std::move(address); }
  void Call(NodeId to, SharedBytes body, TimePoint deadline, ReplyCallback reply) override;
  void CallAddress(std::string address, SharedBytes body, TimePoint deadline, ReplyCallback reply) override;

  // Drops all callbacks uncalled.
  void Abandon();

  // ---- For SimNetwork

  const Place& place() const { return place_; }
  NodeId self() const { return self_; }
  ConnectionPtr ConnectionTo(ProcessId process) const;
  std::vector<ConnectionPtr> Connections() const;
  void OnRequest(const ConnectionPtr& connection, const FrameHeader& header, const Bytes& body);
  void OnResponse(uint64_t call_id, const Bytes& body);
  void OnBroken(const ConnectionPtr& connection);

 private:
  struct Pending {
    NodeId to;
    ConnectionPtr connection;
    TimerId timer = 0;
    ReplyCallback reply;
  };
  struct Incoming {
    ConnectionPtr connection;
    uint64_t call_id = 0;
    TimePoint deadline;
  };

  void Start(NodeId to, const std::string& address, uint64_t cluster_tag, SharedBytes body, TimePoint deadline,
             ReplyCallback reply);
  // Ends a call, at most once.
  void Finish(uint64_t call_id, Result<Bytes> answer);
  void Refuse(uint64_t call_id, HostId host, const char* why);
  void Respond(uint64_t serial, SharedBytes body);

  SimNetwork* network_;
  Clock* clock_;
  Place place_;
  PeerHandler* handler_ = nullptr;
  NodeId self_;
  uint64_t cluster_tag_ = 0;
  std::map<NodeId, std::string> addresses_;
  std::map<ProcessId, ConnectionPtr> connections_;
  uint64_t next_call_ = 0;
  std::map<uint64_t, Pending> pending_;
  uint64_t next_incoming_ = 0;
  std::map<uint64_t, Incoming> incoming_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_TRANSPORT_H_
