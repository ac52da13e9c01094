#include "node/core/background/admission.h"

#include <algorithm>
#include <bit>

namespace dynamo {
namespace {

constexpr double kBelowHarm = 0.8;  // Of a rate that did harm.
constexpr double kCareful = 1.02;
constexpr uint32_t kHarmlessForgets = 32;  // Judgements.

}  // namespace

size_t LatencyTail::BucketOf(uint64_t micros) {
  // Below 8 one bucket each, then 8 to an octave.
  if (micros < 8) return static_cast<size_t>(micros);
  const auto octave = static_cast<size_t>(std::bit_width(micros)) - 4;
  const size_t bucket = 8 * (octave + 1) + static_cast<size_t>((micros >> octave) & 7);
  return std::min(bucket, kBuckets - 1);
}

void LatencyTail::Add(Duration latency) {
  ++buckets_[BucketOf(static_cast<uint64_t>(std::max<int64_t>(latency.count(), 0)))];
  ++count_;
}

std::optional<Duration> LatencyTail::P99() const {
  if (count_ == 0) return std::nullopt;
  const uint64_t above = count_ / 100;  // As many may be longer.
  uint64_t seen = 0;
  size_t bucket = kBuckets;
  while (seen <= above) seen += buckets_[--bucket];
  if (bucket < 8) return Duration(static_cast<int64_t>(bucket));
  const size_t octave = bucket / 8 - 1;
  const uint64_t end = (8 + bucket % 8 + 1) << octave;
  return Duration(static_cast<int64_t>(end - 1));
}

void LatencyTail::Clear() {
  buckets_.fill(0);
  count_ = 0;
}

uint64_t Admission::OnWindow(bool wanted, uint64_t used) {
  const bool clients = tail_.count() > 0;
  const bool quiet = pausing_ || !wanted;
  ++windows_;
  // A pause is one window long, and says what it can.
  if (quiet || !clients || tail_.count() >= config_.samples_min || windows_ >= config_.windows_max) {
    const std::optional<Duration> p99 = tail_.P99();
    if (!quiet) {
      Steer(p99, used);
    } else if (p99) {
      LearnQuiet(*p99);
    }
    StartAnew();
  }
  pausing_ = false;
  if (!wanted || !clients) return rate_;  // Nobody is there to be kept waiting.
  if (quiet_ && ++since_pause_ < config_.quiet_every) return rate_;
  since_pause_ = 0;
  StartAnew();
  pausing_ = true;
  return 0;
}

void Admission::StartAnew() {
  tail_.Clear();
  windows_ = 0;
}

void Admission::LearnQuiet(Duration p99) {
  // One pause sees few requests, and its p99 is rough.
  quiet_ = quiet_ ? (*quiet_ * 3 + p99) / 4 : p99;
}

void Admission::Steer(std::optional<Duration> p99, uint64_t used) {
  const auto rate = static_cast<double>(rate_);
  const bool harmful = p99 && quiet_ && *p99 / config_.tolerance > *quiet_;
  double next = 0;
  if (harmful) {
    known_good_ = rate * kBelowHarm;
    harmless_ = 0;
    next = rate * config_.lower;
  } else {
    // Quickly up to where it did no harm, then with care, until that proves wrong.
    if (!p99 || ++harmless_ >= kHarmlessForgets) known_good_.reset();
    next = rate * config_.raise;
    if (known_good_) next = std::max(rate * kCareful, std::min(next, *known_good_));
    // A rate that nobody uses says nothing of what a higher one would do.
    next = std::min(next, std::max(2.0 * static_cast<double>(used), rate));
  }
  rate_ = static_cast<uint64_t>(
      std::clamp(next, static_cast<double>(config_.rate_min), static_cast<double>(config_.rate_max)));
}

}  // namespace dynamo
