// A hybrid logical clock (Kulkarni et al. 2014), in one 64-bit number: microseconds
// since 1970, pushed ahead by one where the wall clock has not moved on, or has
// gone backwards, or a higher stamp was seen.
#ifndef DYNAMO_NODE_CORE_VERSION_HYBRID_CLOCK_H_
#define DYNAMO_NODE_CORE_VERSION_HYBRID_CLOCK_H_

#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace dynamo {

class HybridClock {
 public:
  // `durable_mark`: what the last process start left on disk; every stamp issued
  // from now on exceeds it.
  explicit HybridClock(uint64_t durable_mark) : last_(durable_mark), mark_(durable_mark) {}

  // A stamp above every earlier one, above `at_least`, and no lower than `now`.
  uint64_t Next(WallMicros now, uint64_t at_least);
  // Another node's stamp: later ones of ours exceed it.
  void Observe(uint64_t stamp);

  // If stamps have passed the mark on disk: the new mark, which must go down in the
  // same batch as the write that carries the stamp (or before it). Every such write
  // carries one until OnMarkWritten says that one got there: a batch may fail.
  std::optional<uint64_t> MarkToWrite() const;
  void OnMarkWritten(uint64_t mark);

  // The highest stamp issued or observed.
  uint64_t last() const { return last_; }
  static constexpr uint64_t kMarkAhead_us = 1'000'000;

 private:
  uint64_t last_;
  uint64_t mark_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_HYBRID_CLOCK_H_
