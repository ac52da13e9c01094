#include "node/service/takeovers.h"

#include <utility>

namespace dynamo {

void Takeovers::OnCovered(uint64_t since, const std::vector<PartitionId>& partitions) {
  // Shards hear of a topology one after the other.
  if (since < since_) return;
  if (since > since_) covered_.clear();
  since_ = since;
  covered_.insert(partitions.begin(), partitions.end());
  if (!covered_.empty() && !std::exchange(asking_, true)) scope_->Spawn(Ask(this));
}

// What comes while a change is being decided goes into the next one.
Async<> Takeovers::Ask(Takeovers* self) {
  while (!self->covered_.empty()) {
    const std::set<PartitionId> asked = std::exchange(self->covered_, {});
    TopologyChange change;
    change.what = TakeOver{self->since_, {asked.begin(), asked.end()}};
    const auto epoch = co_await self->decide_(std::move(change));
    if (epoch) {
      self->log_.Info("taken_over partitions={} epoch={}", asked.size(), *epoch);
    } else {
      self->log_.Debug("not_taken_over partitions={} error={}", asked.size(), epoch.error().message);
      break;
    }
  }
  self->asking_ = false;
  self->covered_.clear();
}

}  // namespace dynamo
