// SWIM's failure detector with suspicion and refutation, as a state machine
// without a clock or a network: time comes in with every call, messages go out as
// actions. Das, Gupta, Motivala 2002; Lifeguard (Dadgar, Phillips, Currey 2018):
// a node that misses acks first doubts itself and waits longer.
//
// Two judgements are kept apart:
//  - The table's (alive, suspect, dead) is shared by rumour. A suspicion of
//    anybody's becomes a death only at a node that then hears nothing from the
//    suspect itself for the whole of the suspicion timeout.
//  - IsUp is this node's own: do requests go there? It must follow what this node
//    sees, within a round trip. A request of ours that fails at once, or a probe
//    that fails, takes the node out; so does a rumour of its death. A rumour of
//    mere suspicion does not: it may come from one bad link, and taking a healthy
//    replica out costs hints and latency, while leaving a dead one in costs one
//    refused connection. Only an ack of its own to a probe of ours, which proves
//    both directions, or its restart brings a node back; any word heard from it,
//    and its refutation, make us probe it at once. So a link that is broken one
//    way makes nobody flap.
#ifndef DYNAMO_NODE_CORE_MEMBERSHIP_FAILURE_DETECTOR_H_
#define DYNAMO_NODE_CORE_MEMBERSHIP_FAILURE_DETECTOR_H_

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "common/base/ids.h"
#include "common/base/random.h"
#include "common/base/time.h"
#include "node/core/membership/member_table.h"

namespace dynamo {

struct FailureDetectorConfig {
  Duration probe_interval{1'000'000};
  Duration probe_timeout{300'000};  // Direct, then as long again for the indirect ones.
  int indirect_probes = 3;
  Duration suspicion_timeout{3'000'000};  // Scaled by log10 of the members, at least 1x.
  int awareness_max = 8;
};

// What the caller is to do.
struct SendPing {
  NodeId to;
  uint64_t sequence;
};
struct SendPingRequest {
  NodeId via;
  NodeId target;
  uint64_t sequence;
};
// The table changed: spread this rumour.
struct Spread {
  NodeInfo info;
};
using DetectorAction = std::variant<SendPing, SendPingRequest, Spread>;
using DetectorActions = std::vector<DetectorAction>;

class FailureDetector {
 public:
  // `table` outlives the detector. After every change of the table by Hear the
  // caller calls OnRumour; the detector itself changes it by Declare only.
  FailureDetector(const FailureDetectorConfig& config, MemberTable* table, Rng rng);

  // Call at NextWake(), or at least every probe_interval / 10. Each interval
  // probes the next node of a shuffled round (so every node is probed within two
  // rounds) and one of those that are in doubt.
  DetectorActions Tick(TimePoint now);
  TimePoint NextWake() const;

  // An ack to SendPing or SendPingRequest, from the target or the intermediary.
  void OnAck(uint64_t sequence, NodeId from, TimePoint now);
  // The ping was refused at once, or the intermediary says that it got no answer.
  DetectorActions OnNack(uint64_t sequence, NodeId from, TimePoint now);
  // A request to the node failed at once (connection refused, reset): suspect it
  // without waiting for a probe, and probe it now.
  DetectorActions OnRequestFailed(NodeId node, TimePoint now);
  // Anything heard from the node directly proves that it lives, at this moment.
  DetectorActions OnHeardFrom(NodeId node, TimePoint now);
  // A rumour from gossip, already taken in by the table with this outcome.
  DetectorActions OnRumour(NodeId node, MemberTable::Outcome outcome, TimePoint now);

  // Requests go to nodes that are up: known, and not failing as far as this node
  // can tell. Self always is.
  bool IsUp(NodeId node) const;
  // As above, of an entry of the table that is not self.
  bool IsUp(const NodeInfo& info) const;
  // While this and the table are the same, so is every IsUp.
  uint64_t verdicts() const { return verdicts_; }
  // Lifeguard's local health: 0 is healthy; timeouts grow by (1 + this).
  int awareness() const { return awareness_; }

 private:
  struct Suspicion {
    TimePoint began, ends;
  };
  struct Peer {
    uint64_t incarnation = 0;  // As last seen in the table.
    bool failing = false;
    int misses = 0;      // Direct probes missed in a row.
    uint64_t probe = 0;  // The sequence of the one that is out.
    std::optional<TimePoint> heard;
  };
  struct Probe {
    NodeId target;
    TimePoint began, indirect_at, fail_at;
    bool indirect_sent = false;
    bool refused = false;
    bool was_in_doubt = false;
    int asked = 0, nacks = 0;  // Intermediaries.
  };

  Peer* Known(NodeId node);
  bool InDoubt(NodeId node, const Peer& peer) const;
  void SetFailing(Peer* peer, bool failing);
  Duration Patience() const;
  Duration SuspicionTimeout() const;
  void ProbeNext(TimePoint now, DetectorActions* actions);
  std::optional<NodeId> NextOfRound();
  std::optional<NodeId> NextInDoubt();
  void StartProbe(NodeId target, TimePoint now, DetectorActions* actions);
  void GoIndirect(uint64_t sequence, TimePoint now, DetectorActions* actions);
  std::vector<NodeId> Intermediaries(NodeId target);
  void FailProbe(uint64_t sequence, TimePoint now, DetectorActions* actions);
  void Suspect(NodeId node, TimePoint now, DetectorActions* actions);
  void EndSuspicions(TimePoint now, DetectorActions* actions);
  void Doubt(int change);

  FailureDetectorConfig config_;
  MemberTable* table_;
  Rng rng_;
  std::map<NodeId, Peer> peers_;            // Not self.
  std::map<NodeId, Suspicion> suspicions_;  // Few, so that a tick need not look at all peers.
  std::map<uint64_t, Probe> probes_;        // Out now, at most one a peer.
  std::vector<NodeId> round_;               // What is left of it, from the back.
  NodeId last_in_doubt_;
  std::optional<TimePoint> next_probe_;
  uint64_t sequence_ = 0;
  uint64_t verdicts_ = 0;
  int awareness_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_MEMBERSHIP_FAILURE_DETECTOR_H_
