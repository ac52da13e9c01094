// How fast peers answer reads: whom to forward to, when to hedge.
#ifndef DYNAMO_NODE_SERVICE_PEER_LATENCY_H_
#define DYNAMO_NODE_SERVICE_PEER_LATENCY_H_

#include <map>
#include <vector>

#include "common/base/ids.h"
#include "common/base/time.h"

namespace dynamo {

class PeerLatency {
 public:
  void Record(NodeId peer, Duration latency);

  // An average that forgets (weight 1/8 a sample); zero while nothing is known, so
  // that a new peer is tried.
  Duration Average(NodeId peer) const;
  // The recent 95th percentile; zero while nothing is known.
  Duration P95(NodeId peer) const;

  // The fastest on average, the earlier one at a tie; none of none.
  NodeId Fastest(const std::vector<NodeId>& among) const;

 private:
  struct Figures {
    double average_us = 0;
    double p95_us = 0;
  };
  std::map<NodeId, Figures> peers_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_PEER_LATENCY_H_
