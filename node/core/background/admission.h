// How fast background work may go: as fast as it can while the requests of clients
// take hardly longer than they would without it. Pure. Dynamo section 6.5.
//
// It measures what "without it" is: from time to time background work pauses for a
// window, and the tail of the requests then is what the others are held against. So
// whatever slows requests down for another reason does not stop background work.
#ifndef DYNAMO_NODE_CORE_BACKGROUND_ADMISSION_H_
#define DYNAMO_NODE_CORE_BACKGROUND_ADMISSION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace dynamo {

struct AdmissionConfig {
  // Bytes a second. The least keeps repairs going however busy clients are.
  uint64_t rate_min = 256u << 10, rate_max = 1u << 30, rate_start = 4u << 20;
  // How many times its quiet p99 a request's p99 may be.
  double tolerance = 1.3;
  double raise = 1.25, lower = 0.5;  // Of the rate, after a window.
  uint32_t quiet_every = 16;         // Of so many windows with work, one is a pause.
  // A p99 is told from so many requests at least, or from those of so many windows.
  uint32_t samples_min = 50, windows_max = 8;
};

// Latencies by size, 8 to an octave.
class LatencyTail {
 public:
  void Add(Duration latency);
  uint64_t count() const { return count_; }
  // Within 10 % above; nothing of nothing.
  std::optional<Duration> P99() const;
  void Clear();

 private:
  static constexpr size_t kBuckets = 8 * 40;
  static size_t BucketOf(uint64_t micros);
  std::array<uint32_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
};

class Admission {
 public:
  explicit Admission(AdmissionConfig config) : config_(config), rate_(config.rate_start) {}

  // A request of the data path was answered.
  void OnForeground(Duration latency) { tail_.Add(latency); }

  // A window is over, in which background work wanted to go on, or not, and `used` so
  // many bytes a second. Returns bytes a second for the next; 0: a pause.
  uint64_t OnWindow(bool wanted, uint64_t used);

  // What it would be without a pause.
  uint64_t rate() const { return rate_; }
  // The p99 without background work, as known.
  std::optional<Duration> quiet_p99() const { return quiet_; }

 private:
  void LearnQuiet(Duration p99);
  void Steer(std::optional<Duration> p99, uint64_t used);
  void StartAnew();

  AdmissionConfig config_;
  uint64_t rate_;
  LatencyTail tail_;  // Since the judgement before.
  uint32_t windows_ = 0;
  bool pausing_ = false;  // In the window that is running.
  uint32_t since_pause_ = 0;
  std::optional<Duration> quiet_;
  std::optional<double> known_good_;  // A rate a little below the last that did harm.
  uint32_t harmless_ = 0;             // Judgements since.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_BACKGROUND_ADMISSION_H_
