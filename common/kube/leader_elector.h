// One leader among several copies of a program, by a Lease (as client-go does it).
#ifndef DYNAMO_COMMON_KUBE_LEADER_ELECTOR_H_
#define DYNAMO_COMMON_KUBE_LEADER_ELECTOR_H_

#include <optional>
#include <string>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/kube/rest_client.h"

namespace dynamo::kube {

class LeaderElector {
 public:
  struct Options {
    std::string namespace_, name;
    std::string identity;  // Of this copy: unique, also across restarts.
    Duration lease = std::chrono::seconds(15);
    Duration renew_within = std::chrono::seconds(10);  // Else the lease is given up.
    Duration retry = std::chrono::seconds(2);
  };

  LeaderElector(RestClient* client, Logger log, Metrics* metrics, Options options);

  // Blocks until this copy leads; false: stopped.
  bool Acquire(StopFlag& stop);
  // Renews until stopped (true) or the lease is lost (false).
  bool Hold(StopFlag& stop);
  // Lets the next one lead at once.
  void Release();

  // One attempt: true, this copy holds the lease now. For tests, and the two above.
  bool TryOnce();

 private:
  Object Spec(int64_t transitions) const;
  bool MayTake(const Object& lease);

  RestClient* const client_;
  const Logger log_;
  Gauge* const master_;
  const Options options_;
  // The other's record as last seen, and when: clocks of two machines are never compared.
  std::string seen_;
  TimePoint seen_at_;
  bool leads_ = false;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_LEADER_ELECTOR_H_
