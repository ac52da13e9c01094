// What became of forwarded requests: a frame that comes twice gets the first one's
// answer, and nothing is minted twice.
#ifndef DYNAMO_NODE_SERVICE_REQUEST_LOG_H_
#define DYNAMO_NODE_SERVICE_REQUEST_LOG_H_

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/base/ids.h"
#include "common/base/time.h"
#include "node/env/transport.h"

namespace dynamo {

class RequestLog {
 public:
  explicit RequestLog(size_t requests_max) : requests_max_(requests_max) {}

  using RequestId = std::pair<NodeId, uint64_t>;  // Who forwards, and its number.
  enum class Admission : uint8_t { kNew, kDuplicate, kFull };

  // kNew: run it and call Finish. kDuplicate: `respond` is taken care of. kFull:
  // there is no room to remember it; refuse it. What is known is kept until `keep_until`
  // and a second longer, and a stretch in which nothing came counts for a second at most:
  // to a process that was stopped, time passes before what waits at its door is read.
  Admission Begin(const RequestId& id, TimePoint now, TimePoint keep_until, Responder respond);
  // Takes care of `respond` if the request is known; false: it is not.
  bool Repeat(const RequestId& id, const Responder& respond);
  // Answers all who asked.
  void Finish(const RequestId& id, SharedBytes answer);

  size_t size() const { return requests_.size(); }

 private:
  // Longer answers are not kept; a late duplicate then gets none.
  static constexpr size_t kAnswerBytesMax = 64 * 1024;
  static constexpr size_t kWaitingMax = 4;
  static constexpr Duration kStretchMax{1'000'000};
  struct Entry {
    TimePoint keep_until;
    std::vector<Responder> waiting;
    SharedBytes answer;
  };
  void Purge(TimePoint now);
  void ForgetFirst();

  TimePoint last_{};
  Duration awake_{};  // Since the start, stretches cut.
  size_t requests_max_;
  std::map<RequestId, Entry> requests_;
  std::set<std::pair<Duration, RequestId>> by_end_;  // By when they go, awake.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REQUEST_LOG_H_
