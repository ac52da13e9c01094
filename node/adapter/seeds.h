// The seeds of the settings: a list, a DNS name, and somebody to ask who takes his time.
#ifndef DYNAMO_NODE_ADAPTER_SEEDS_H_
#define DYNAMO_NODE_ADAPTER_SEEDS_H_

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
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
  // Blocks, for a bounded time: is called on a thread of its own.
  using Ask = std::function<Result<std::vector<std::string>>()>;

  // Of `dns` every address that the name has is a seed. `ask` may be empty.
  Seeds(Scope* scope, Clock* clock, std::vector<std::string> listed, std::optional<HostPort> dns, Ask ask = nullptr);
  // Waits for an `ask` that is under way.
  ~Seeds() override;

  // All that can be had; an error only when there is none, and a source has failed or
  // given no answer within kLookupTimeout.
  Async<Result<std::vector<std::string>>> Resolve() override;

  static constexpr Duration kLookupTimeout{6'000'000};

 private:
  struct Lookup;
  struct LookupGuard;
  Async<Result<std::vector<std::string>>> Await(std::shared_ptr<Lookup> lookup);
  Async<Result<std::vector<std::string>>> ResolveName();
  Async<Result<std::vector<std::string>>> AskBlocking();

  Scope* scope_;
  Clock* clock_;
  std::vector<std::string> listed_;
  std::optional<HostPort> dns_;
  Ask ask_;
  std::optional<asio::thread_pool> thread_;  // Of `ask`.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_SEEDS_H_
