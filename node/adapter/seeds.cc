#include "node/adapter/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <utility>

namespace dynamo {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

// Shared with the resolver's callback, which may come after the coroutine is gone.
struct SeedLookup {
  explicit SeedLookup(Scope& scope) : resolver(scope.executor()), done(std::make_unique<Event>(scope)) {}

  Resolver resolver;
  std::unique_ptr<Event> done;  // nullptr: nobody waits any more.
  boost::system::error_code error = asio::error::timed_out;
  std::vector<std::string> found;
};

// The event belongs to the frame that waits, however that ends.
struct SeedLookupGuard {
  std::shared_ptr<SeedLookup> lookup;
  ~SeedLookupGuard() {
    lookup->done.reset();
    lookup->resolver.cancel();
  }
};

void StartSeedLookup(const std::shared_ptr<SeedLookup>& lookup, const HostPort& name) {
  lookup->resolver.async_resolve(
      name.host, std::to_string(name.port),
      [lookup](const boost::system::error_code& error, const Resolver::results_type& found) {
        if (!lookup->done) return;
        lookup->error = error;
        for (const auto& entry : found) {
          const auto endpoint = entry.endpoint();
          lookup->found.push_back(ToString(HostPort{endpoint.address().to_string(), endpoint.port()}));
        }
        lookup->done->Set();
      });
}

}  // namespace

Seeds::Seeds(Scope* scope, Clock* clock, std::vector<std::string> listed, std::optional<HostPort> dns)
    : scope_(scope), clock_(clock), listed_(std::move(listed)), dns_(std::move(dns)) {}

Async<Result<std::vector<std::string>>> Seeds::Resolve() {
  std::vector<std::string> all = listed_;
  if (!dns_) co_return all;
  const SeedLookupGuard guard{std::make_shared<SeedLookup>(*scope_)};
  StartSeedLookup(guard.lookup, *dns_);
  co_await WaitUntil(*guard.lookup->done, *clock_, clock_->Now() + kDnsTimeout);
  if (guard.lookup->error && all.empty()) {
    co_return Fail(Errc::kUnavailable,
                   fmt::format("look up seeds at {}: {}", dns_->host, guard.lookup->error.message()));
  }
  for (std::string& found : guard.lookup->found) {
    if (std::ranges::find(all, found) == all.end()) all.push_back(std::move(found));
  }
  co_return all;
}

}  // namespace dynamo
