// Wall clocks that can be moved under a running node.
//
// A small library that is loaded before all others (LD_PRELOAD) adds to CLOCK_REALTIME
// what a file says, and leaves every other clock alone. Why not libfaketime: under
// jemalloc, linked in, it waits for itself before main.
#ifndef DYNAMO_TESTS_CHAOS_CLOCKS_H_
#define DYNAMO_TESTS_CHAOS_CLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace dynamo::chaos {

class Clocks {
 public:
  // `library`: libskewed-clock.so; the nodes' files are kept in `folder`.
  Clocks(std::string library, std::string folder) : library_(std::move(library)), folder_(std::move(folder)) {}

  // What a node's environment needs, as NAME=VALUE.
  std::vector<std::string> EnvironmentOf(size_t node) const;
  // From now on the node's clock is ahead by this; 0: right again.
  Status Step(size_t node, int64_t seconds);
  // Whether a program's clock moves so, and its steady clock does not.
  Status Try();

 private:
  std::string FileOf(size_t node) const { return folder_ + "/clock" + std::to_string(node + 1); }

  std::string library_, folder_;
};

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_CLOCKS_H_
