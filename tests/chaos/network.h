// A network of this program's own: each node in a network namespace, all on one
// bridge, which this program's own namespace holds. Nothing outlives the program.
#ifndef DYNAMO_TESTS_CHAOS_NETWORK_H_
#define DYNAMO_TESTS_CHAOS_NETWORK_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/chaos/plan.h"

namespace dynamo::chaos {

class Network {
 public:
  // `packets`: the program that delays and loses packets, where there is no netem.
  explicit Network(std::string packets) : packets_(std::move(packets)) {}
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  Status Make(size_t nodes);
  // Of the benchmarking network 198.18.0.0/15.
  static std::string Address(size_t node);
  // As `ip netns` knows it.
  static std::string NamespaceOf(size_t node);

  Status Cut(const std::vector<Link>& links) { return ForEach(links, "-A"); }
  Status Mend(const std::vector<Link>& links) { return ForEach(links, "-D"); }

  // What a node sends is late by about `ms`, lost to `percent`, or limited.
  Status Delay(size_t node, int64_t ms);
  Status Lose(size_t node, int64_t percent);
  Status Limit(size_t node, int64_t kbit_per_s);
  // Ends all three.
  Status Unshape(size_t node);

 private:
  static Status ForEach(const std::vector<Link>& links, const char* action);
  Status Disturb(size_t node, int64_t delay_ms, int64_t loss_percent);

  std::string packets_;
  std::map<size_t, pid_t> disturbers_;  // By node.
};

// Whether the kernel delays and loses packets by itself.
bool HasNetem();

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_NETWORK_H_
