// The seeds of the settings: a list, and a DNS name.
#ifndef DYNAMO_NODE_ADAPTER_SEEDS_H_
#define DYNAMO_NODE_ADAPTER_SEEDS_H_

#include <optional>
#include <string>
#include <vector>

#include "node/adapter/host_port.h"
#include "node/env/clock.h"
#include "node/env/scope.h"
#include "node/env/seed_source.h"

namespace dynamo {

// On shard 0's thread. Both ports outlive it.
class Seeds final : public SeedSource {
 public:
  // Of `dns` every address that the name has is a seed.
  Seeds(Scope* scope, Clock* clock, std::vector<std::string> listed, std::optional<HostPort> dns);

  // The listed ones always; kUnavailable only when there are none and the name has
  // no answer within kDnsTimeout.
  Async<Result<std::vector<std::string>>> Resolve() override;

  static constexpr Duration kDnsTimeout{5'000'000};

 private:
  Scope* scope_;
  Clock* clock_;
  std::vector<std::string> listed_;
  std::optional<HostPort> dns_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_SEEDS_H_
