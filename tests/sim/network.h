// The simulated network: delays, losses, partitions and broken connections between
// the transports of a world.
#ifndef DYNAMO_TESTS_SIM_NETWORK_H_
#define DYNAMO_TESTS_SIM_NETWORK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/env/shard_link.h"
#include "node/env/transport.h"
#include "node/protocol/frame.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

class SimTransport;

// A machine: what partitions cut apart. Outlives the processes on it.
using HostId = uint32_t;

// Chances are per message.
struct NetworkConfig {
  Duration delay_min{100}, delay_max{1000};
  double drop = 0;       // Lost without a sign.
  double duplicate = 0;  // Arrives twice.
  double reorder = 0;    // Late, behind what was sent after it.
  double slow = 0;       // Late, and what follows it on the connection too.
  double corrupt = 0;    // A bit flips; the frame's checksum finds it.
  double reset = 0;      // The connection breaks, with all that is under way on it.
  Duration late_max{200'000};
};

// What happened, for the summary.
struct NetworkCounts {
  uint64_t messages = 0;
  uint64_t bytes = 0;  // Of whole frames, as handed over: lost ones too.
  uint64_t dropped = 0, duplicated = 0, reordered = 0, slowed = 0, corrupted = 0, resets = 0;
  uint64_t cut = 0;  // By a partition.
  uint64_t refused = 0;
  uint64_t foreign = 0;  // Of another cluster.
};

// One direction of use: from a shard of one process to another process. All its
// requests reach the same shard there.
struct Connection {
  bool broken = false;
  // What goes that way is swallowed, and neither end knows.
  bool deaf_to_requests = false, deaf_to_responses = false;
  ProcessId from = kNobody, to = kNobody;
  ShardIndex from_shard = 0, to_shard = 0;
  HostId from_host = 0, to_host = 0;
  TimePoint last_request{}, last_response{};  // When the last of each arrives: later ones queue behind.
};
using ConnectionPtr = std::shared_ptr<Connection>;

class SimNetwork {
 public:
  SimNetwork(SimWorld* world, NetworkConfig config) : world_(world), rng_(world->MakeRng("network")), config_(config) {}

  NetworkConfig& config() { return config_; }
  const NetworkCounts& counts() const { return counts_; }

  // Messages from `from` no longer reach `to`.
  void Cut(HostId from, HostId to) { cuts_.insert({from, to}); }
  void HealAll() { cuts_.clear(); }
  // Connections from `from` to `to` that are there now swallow what is sent, and are
  // not reset: requests and responses, or responses only. Those made later are well.
  // How many there were.
  int MakeHalfOpen(HostId from, HostId to, bool responses_only);
  // At last somebody notices (a keep-alive): they break.
  void BreakHalfOpen();
  // Messages sent from `from` to `to` before `until` arrive after it.
  void Clog(HostId from, HostId to, TimePoint until) { clogs_[{from, to}] = until; }
  // Before their time. Connections on which something still waits for that break, as a
  // stuck TCP connection is given up: what follows would wait as long.
  void Unclog();
  bool IsCut(HostId from, HostId to) const { return !cuts_.empty() && cuts_.contains({from, to}); }

  // ---- For SimTransport

  struct Listener {
    HostId host = 0;
    ProcessId process = kNobody;        // kNobody: it is down.
    std::vector<SimTransport*> shards;  // By shard.
  };
  void Join(SimTransport* transport);
  // The first of a process to leave takes its connections down.
  void Leave(SimTransport* transport);
  // One that was never there is down, on host 0.
  Listener Find(const std::string& address) const;
  SimTransport* Find(ProcessId process, ShardIndex shard) const;

  ConnectionPtr Connect(const SimTransport& from, const Listener& to);
  void SendRequest(const ConnectionPtr& connection, const FrameHeader& header, SharedBytes body);
  void SendResponse(const ConnectionPtr& connection, uint64_t call_id, SharedBytes body);
  // Calls back on the caller's process after a round trip, unless partitioned.
  void Refuse(const SimTransport& from, HostId to_host, std::function<void()> refused);
  // Both ends, by and by.
  void Break(const ConnectionPtr& connection);

  void CountForeign() { ++counts_.foreign; }

 private:
  Duration RandomDelay();
  // When a message sent now arrives; nullopt: never. `last` is moved on.
  std::optional<TimePoint> Arrival(HostId from, HostId to, TimePoint* last);
  TimePoint Departure(HostId from, HostId to) const;
  void Send(const ConnectionPtr& connection, bool response, FrameHeader header, SharedBytes body);
  void Deliver(const ConnectionPtr& connection, bool response, const FrameHeader& header, const SharedBytes& body);
  bool SurvivesCorruption(const FrameHeader& header, const Bytes& body);

  SimWorld* world_;
  Rng rng_;
  NetworkConfig config_;
  NetworkCounts counts_;
  std::set<std::pair<HostId, HostId>> cuts_;
  std::map<std::pair<HostId, HostId>, TimePoint> clogs_;
  std::vector<ConnectionPtr> half_open_;
  std::map<std::string, Listener> listeners_;
  std::map<std::pair<ProcessId, ShardIndex>, SimTransport*> transports_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_NETWORK_H_
