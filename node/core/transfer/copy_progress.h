// How much of what they are to own nodes have copied, and about how much is to come.
//
// A partition's size is not known before it is copied. But keys lie evenly on the ring:
// who has copied a known share of some partitions knows about how large all are.
#ifndef DYNAMO_NODE_CORE_TRANSFER_COPY_PROGRESS_H_
#define DYNAMO_NODE_CORE_TRANSFER_COPY_PROGRESS_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "common/base/time.h"

namespace dynamo {

// Of partitions; each counts for 1, and so much of it as needs no copy for nothing.
struct CopyShare {
  double to_copy = 0;
  double copied = 0;
  uint64_t bytes = 0;  // Copied.

  CopyShare& operator+=(const CopyShare& other);
  friend bool operator==(const CopyShare&, const CopyShare&) = default;
};

// By N: types with another N are stored on other nodes, and may be larger.
using CopyShares = std::map<uint32_t, CopyShare>;

struct CopyEstimate {
  uint64_t bytes = 0;                    // Copied.
  std::optional<uint64_t> bytes_in_all;  // About. nullopt: nothing was copied yet to judge by.
  std::optional<Duration> time_left;     // At the given rate. nullopt: nobody can tell.
};
CopyEstimate EstimateOf(const CopyShares& shares, uint64_t bytes_per_second);

// Bytes a second over the last ten seconds. Instants only ever grow.
class RateMeter {
 public:
  void Add(TimePoint now, uint64_t bytes);
  uint64_t PerSecond(TimePoint now) const;

 private:
  static constexpr int64_t kSeconds = 10;
  struct Second {
    int64_t number = 0;  // Since the epoch of the clock.
    uint64_t bytes = 0;
  };
  std::array<Second, kSeconds> seconds_{};
  std::optional<int64_t> first_;  // The second in which it began.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_TRANSFER_COPY_PROGRESS_H_
