// SWIM's failure detector with suspicion and refutation, as a state machine
// without a clock or a network: time comes in with every call, messages go out as
// actions. Das, Gupta, Motivala 2002; Lifeguard (Dadgar, Phillips, Currey 2018):
// a node that misses acks first doubts itself and waits longer.
#ifndef DYNAMO_NODE_CORE_MEMBERSHIP_FAILURE_DETECTOR_H_
#define DYNAMO_NODE_CORE_MEMBERSHIP_FAILURE_DETECTOR_H_

#include <cstdint>
#include <map>
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

class FailureDetector {
 public:
  // `table` outlives the detector.
  FailureDetector(const FailureDetectorConfig& config, MemberTable* table, Rng rng);

  // Call at least every probe_interval / 10, or at NextWake().
  std::vector<DetectorAction> Tick(TimePoint now);
  TimePoint NextWake() const;

  // An ack to SendPing or SendPingRequest.
  void OnAck(uint64_t sequence, TimePoint now);
  // A request to the node failed at once (connection refused, reset): suspect it
  // without waiting for a probe, and probe it next.
  std::vector<DetectorAction> OnRequestFailed(NodeId node, TimePoint now);
  // Anything heard from the node directly proves that it lives, at this moment.
  std::vector<DetectorAction> OnHeardFrom(NodeId node, TimePoint now);
  // A rumour from gossip, already taken in by the table with this outcome.
  std::vector<DetectorAction> OnRumour(NodeId node, MemberTable::Outcome outcome, TimePoint now);

  // Requests go to nodes that are up: known, alive, and not failing just now.
  bool IsUp(NodeId node) const;

 private:
  struct Probe {
    NodeId target;
    TimePoint indirect_at, fail_at;
    bool indirect_sent = false;
  };
  FailureDetectorConfig config_;
  MemberTable* table_;
  Rng rng_;
  std::map<uint64_t, Probe> probes_;
  std::map<NodeId, TimePoint> suspicion_ends_;
  std::vector<NodeId> round_;  // Shuffled round-robin: detection time is bounded.
  TimePoint next_probe_{};
  uint64_t sequence_ = 0;
  int awareness_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_MEMBERSHIP_FAILURE_DETECTOR_H_
