// What of a seed's plan is left out, to make a failing run small and readable; and
// whether members change in a seed that leaves them alone by itself.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_REDUCTION_H_
#define DYNAMO_TESTS_SIM_CLUSTER_REDUCTION_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "tests/sim/cluster/plan.h"

namespace dynamo::sim {

// Written in a line of words, "chaos_ms=4000 nodes=3 faults=2,7 operations=1000003";
// what is not named stays as the seed has it.
struct Reduction {
  std::optional<uint64_t> nodes, shards, chaos_ms;
  std::set<std::string> off;                             // Kinds of faults, by name.
  std::optional<std::set<uint64_t>> faults, operations;  // Only these, by ordinal.
  // "ring=always": DrawPlan gives every seed changes of its members, not half of them.
  bool ring_always = false;

  void ApplyTo(Plan* plan) const;
  std::string ToString() const;
  // Reads one word; kInvalidArgument if it is none of the above.
  Status Read(std::string_view word);

  friend bool operator==(const Reduction&, const Reduction&) = default;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_REDUCTION_H_
