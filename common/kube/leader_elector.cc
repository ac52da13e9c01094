#include "common/kube/leader_elector.h"

#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

namespace dynamo::kube {

LeaderElector::LeaderElector(RestClient* client, Logger log, Metrics* metrics, Options options)
    : client_(client),
      log_(std::move(log)),
      master_(&metrics->gauge("leader_election_master_status", "1: this copy leads.", {{"name", options.name}})),
      options_(std::move(options)) {}

bool LeaderElector::Acquire(StopFlag& stop) {
  while (!stop.is_set()) {
    if (TryOnce()) {
      log_.Info("leader_elected identity={}", options_.identity);
      master_->Set(1);
      return true;
    }
    if (stop.WaitFor(options_.retry)) break;
  }
  return false;
}

bool LeaderElector::Hold(StopFlag& stop) {
  TimePoint renewed_at = client_->clock()->Now();
  while (!stop.WaitFor(options_.retry)) {
    const TimePoint asked_at = client_->clock()->Now();
    if (TryOnce()) {
      renewed_at = asked_at;
    } else if (client_->clock()->Now() - renewed_at >= options_.renew_within) {
      log_.Error("leadership_lost identity={}", options_.identity);
      master_->Set(0);
      leads_ = false;
      return false;
    }
  }
  return true;
}

void LeaderElector::Release() {
  if (!std::exchange(leads_, false)) return;
  master_->Set(0);
  const auto lease = client_->Get(Leases(), options_.namespace_, options_.name);
  if (!lease || StringAt(*lease, "spec.holderIdentity") != options_.identity) return;
  const Object patch{{"metadata", {{"resourceVersion", ResourceVersionOf(*lease)}}},
                     {"spec", {{"holderIdentity", ""}, {"leaseDurationSeconds", 1}}}};
  const auto released = client_->MergePatch(Leases(), options_.namespace_, options_.name, patch);
  if (!released) log_.Warn("lease_release_failed error=\"{}\"", ToString(released.error()));
}

bool LeaderElector::TryOnce() {
  auto lease = client_->Get(Leases(), options_.namespace_, options_.name);
  if (!lease && lease.error().kind == ApiError::Kind::kNotFound) {
    const Object fresh{{"apiVersion", Leases().api_version()},
                       {"kind", Leases().kind},
                       {"metadata", {{"name", options_.name}, {"namespace", options_.namespace_}}},
                       {"spec", Spec(0)}};
    leads_ = client_->Create(Leases(), fresh).has_value();
    return leads_;
  }
  if (!lease) {
    log_.Warn("lease_unreadable error=\"{}\"", ToString(lease.error()));
    return false;
  }
  if (!MayTake(*lease)) return leads_ = false;
  const bool mine = StringAt(*lease, "spec.holderIdentity") == options_.identity;
  const int64_t transitions = IntAt(*lease, "spec.leaseTransitions") + (mine ? 0 : 1);
  Object spec = Spec(transitions);
  // Kept: since when it is held.
  if (mine) spec.erase("acquireTime");
  const Object patch{{"metadata", {{"resourceVersion", ResourceVersionOf(*lease)}}}, {"spec", std::move(spec)}};
  return leads_ = client_->MergePatch(Leases(), options_.namespace_, options_.name, patch).has_value();
}

Object LeaderElector::Spec(int64_t transitions) const {
  const std::string now = MicroTime(client_->clock()->Wall());
  return {{"holderIdentity", options_.identity},
          {"leaseDurationSeconds", std::chrono::duration_cast<std::chrono::seconds>(options_.lease).count()},
          {"acquireTime", now},
          {"renewTime", now},
          {"leaseTransitions", transitions}};
}

bool LeaderElector::MayTake(const Object& lease) {
  const std::string holder = StringAt(lease, "spec.holderIdentity");
  if (holder.empty() || holder == options_.identity) return true;
  const json::value* spec = Find(lease, "spec");
  const std::string record = spec == nullptr ? "" : json::serialize(*spec);
  const TimePoint now = client_->clock()->Now();
  if (record != seen_) {
    seen_ = record;
    seen_at_ = now;
  }
  return now - seen_at_ >= options_.lease;
}

}  // namespace dynamo::kube
