// What gossip and failure detection cost and give in a cluster of many members:
// the production membership over the simulated network.
#ifndef DYNAMO_TESTS_SIM_MEMBERSHIP_SCALE_H_
#define DYNAMO_TESTS_SIM_MEMBERSHIP_SCALE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace dynamo::sim {

struct ScaleOptions {
  int members = 10;
  uint64_t seed = 1;
  Duration quiet{30'000'000};  // How long traffic is measured, without and with loss.
  double loss = 0.10;          // Of messages.
};

// Rounds are gossip intervals, until all live nodes have one hash of all members
// (and one ring, where that changed). Bytes are sent, per member and second.
struct ScaleFigures {
  int members = 0;
  double start_rounds = 0;      // All start at once; three of them are the seeds.
  double create_rounds = 0;     // From the order to create the cluster.
  double return_rounds = 0;     // One restarts at another address.
  double ring_rounds = 0;       // A new epoch, given to one.
  double start_bytes = 0;       // While they started and converged.
  double ring_bytes = 0;        // While the new epoch spread.
  double quiet_bytes = 0;       // While nothing happens.
  double loss_bytes = 0;        // Under loss.
  uint64_t suspected = 0;       // Living members that had to refute, under loss.
  double suspected_rate = 0;    // The same per member and minute.
  double dead_share = 0;        // Pairs (observer, living member) held for dead, under loss.
  double down_share = 0;        // ... to which no requests would be sent.
  double suspect_seconds = 0;   // A machine is lost: until the first suspects it,
  double all_down_seconds = 0;  // until nobody sends requests to it,
  double all_dead_seconds = 0;  // until all hold it for dead.
};

// Aborts when something does not come to be within ten simulated minutes.
ScaleFigures MeasureScale(const ScaleOptions& options);

// In n rounds of push-pull with random partners news reaches everybody with high
// probability; see docs/membership-at-scale.md for the reason and the slack.
double RoundsMax(int members);

// What breaks a bound; empty: all is well.
std::vector<std::string> BrokenBounds(const ScaleFigures& figures);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_MEMBERSHIP_SCALE_H_
